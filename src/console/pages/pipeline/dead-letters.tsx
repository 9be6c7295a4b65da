import { Button, Group, Modal, SegmentedControl, Text } from "@mantine/core";
import { IconEye, IconSend } from "@tabler/icons-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { call } from "../../api/client.ts";
import { Can, useMay } from "../../api/me.ts";
import { readAgain, useRows } from "../../api/query.ts";
import type { DeadLetter } from "../../api/schema.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { useFilters } from "../../parts/filters.tsx";
import { count, plural } from "../../parts/format.ts";
import { Id } from "../../parts/id.tsx";
import { failed, said } from "../../parts/notes.tsx";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { codeWords, REASONS } from "./words.ts";

const STATES = [
  { value: "open", label: "Open" },
  { value: "redriven", label: "Redriven" },
  { value: "all", label: "All" },
];
type LetterState = "open" | "redriven" | "all";
const EVERY_MS = 15_000;

/** Sends letters again; the oldest open ones where none is named. Says how many went, and why others did not. */
export async function redrive(ids: string[] | undefined): Promise<void> {
  try {
    const { redriven, failed: left } = await call("POST /v1/admin/pipeline/redrive", { body: ids ? { ids } : {} });
    if (redriven.length > 0) said(`${plural(redriven.length, "dead letter")} sent again`);
    const [first] = left;
    if (first) failed(`${plural(left.length, "dead letter")} not sent again`, new Error(first.detail));
  } catch (error) {
    failed("Nothing was sent again", error);
  }
  await readAgain("/v1/admin/pipeline");
}

/** What could not be recorded and waits for a decision. */
export function DeadLettersTab() {
  const filters = useFilters(["letters"]);
  const state = (STATES.find(({ value }) => value === filters.values.letters)?.value ?? "open") as LetterState;
  const mayOperate = useMay("operate");
  const [, navigate] = useLocation();
  const source = useRows("GET /v1/admin/pipeline/dead-letters", { query: { state } }, { refetchInterval: EVERY_MS });
  return (
    <>
      <Group justify="space-between" mb="sm">
        <SegmentedControl
          size="xs"
          aria-label="Which letters"
          data={STATES}
          value={state}
          onChange={(value) => filters.set("letters", value === "open" ? null : value)}
        />
        <Can do="operate">
          <Group gap="xs">
            <Relist />
            <RedriveAll any={source.rows.some(({ redriven_at }) => redriven_at === null)} />
          </Group>
        </Can>
      </Group>
      <DataTable
        name="dead-letters"
        noun={["dead letter", "dead letters"]}
        source={source}
        columns={COLUMNS}
        rowId={({ id }) => id}
        href={({ id }) => `/pipeline/dead-letters/${encodeURIComponent(id)}`}
        actions={(letter) => [
          {
            label: "Look into it",
            icon: <IconEye size={14} />,
            run: () => navigate(`/pipeline/dead-letters/${encodeURIComponent(letter.id)}`),
          },
          ...(mayOperate && letter.redriven_at === null
            ? [{ label: "Redrive", icon: <IconSend size={14} />, run: () => void redrive([letter.id]) }]
            : []),
        ]}
        {...(mayOperate
          ? {
              bulk: (rows: DeadLetter[], clear: () => void) => (
                <Button
                  size="compact-sm"
                  variant="default"
                  onClick={() => void redrive(rows.filter(({ redriven_at }) => redriven_at === null).map(({ id }) => id)).then(clear)}
                >
                  Redrive
                </Button>
              ),
            }
          : {})}
        empty={{
          text:
            state === "open"
              ? "No dead letter is open: all that devices sent is recorded, or on its way."
              : "There was no dead letter so far. What fails alone five times comes here instead of being lost.",
        }}
      />
    </>
  );
}

function Relist() {
  const [busy, setBusy] = useState(false);
  const relist = async () => {
    setBusy(true);
    try {
      const { added } = await call("POST /v1/admin/pipeline/relist");
      said(added === 0 ? "The list has all that lies in the archive's folder" : `${plural(added, "dead letter")} found and listed`);
      await readAgain("/v1/admin/pipeline");
    } catch (error) {
      failed("The list was not rebuilt", error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <Button size="xs" variant="default" loading={busy} onClick={() => void relist()}>
      Rebuild the list
    </Button>
  );
}

function RedriveAll({ any }: { any: boolean }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  return (
    <>
      <Button size="xs" disabled={!any} onClick={() => setAsking(true)}>
        Redrive the open ones
      </Button>
      <Modal opened={asking} onClose={() => setAsking(false)} title="Redrive the open ones?" size="sm">
        <Text size="sm" mb="md">
          The oldest hundred are sent into the queue again, the way they came. None is counted twice: what is recorded already is known by
          its id.
        </Text>
        <Group justify="flex-end" gap="xs">
          <Button variant="default" onClick={() => setAsking(false)}>
            Cancel
          </Button>
          <Button
            loading={busy}
            data-autofocus
            onClick={() => {
              setBusy(true);
              void redrive(undefined).finally(() => {
                setBusy(false);
                setAsking(false);
              });
            }}
          >
            Redrive
          </Button>
        </Group>
      </Modal>
    </>
  );
}

/** Whether a letter still needs somebody. */
export function LetterState({ letter: { recorded, redriven_at } }: { letter: DeadLetter }) {
  if (recorded) return <State value="ok">A chunk is recorded</State>;
  return redriven_at ? <State value="unknown">Redriven</State> : <State value="bad">Open</State>;
}

const COLUMNS: Column<DeadLetter>[] = [
  { id: "reason", header: "Reason", value: ({ reason }) => reason, cell: ({ reason }) => codeWords(reason) },
  {
    id: "state",
    header: "State",
    value: ({ recorded, redriven_at }) => `${recorded}${redriven_at}`,
    cell: (letter) => <LetterState letter={letter} />,
  },
  { id: "plays", header: "Plays", number: true, value: ({ plays_count }) => plays_count, cell: ({ plays_count }) => count(plays_count) },
  {
    id: "device",
    header: "Device",
    value: ({ device_id }) => device_id,
    cell: ({ device_id }) => (device_id ? <Id value={device_id} label="device id" /> : "not known"),
  },
  { id: "created", header: "Since", value: ({ created_at }) => Date.parse(created_at), cell: ({ created_at }) => <When at={created_at} /> },
  {
    id: "redriven",
    header: "Redriven",
    value: ({ redriven_at }) => (redriven_at ? Date.parse(redriven_at) : null),
    cell: ({ redriven_at }) => <When at={redriven_at} />,
  },
  { id: "means", header: "What it means", value: ({ reason }) => REASONS[reason] ?? null, hidden: true },
];
