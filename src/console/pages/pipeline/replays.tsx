import { Button, Group, Modal, Progress, Text } from "@mantine/core";
import { IconPlayerStop } from "@tabler/icons-react";
import { useState } from "react";
import { call } from "../../api/client.ts";
import { Can, useMay } from "../../api/me.ts";
import { readAgain, useRows } from "../../api/query.ts";
import type { Replay } from "../../api/schema.ts";
import { actorWords } from "../../parts/actor.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { count, day, percent, plural, span } from "../../parts/format.ts";
import { later } from "../../parts/later.tsx";
import { failed, said } from "../../parts/notes.tsx";
import { State, type StateValue } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";

const ReplayForm = later(async () => (await import("./replay-form.tsx")).ReplayForm);

const RUNNING_EVERY_MS = 2000;
const IDLE_EVERY_MS = 20_000;

/** Rebuilding sums from the archive: those that ran, and how far one is. */
export function ReplaysTab() {
  const [starting, setStarting] = useState(false);
  const [abandoning, setAbandoning] = useState<Replay | null>(null);
  const [running, setRunning] = useState(false);
  const mayOperate = useMay("operate");
  const source = useRows("GET /v1/admin/pipeline/replays", {}, { refetchInterval: running ? RUNNING_EVERY_MS : IDLE_EVERY_MS });
  const isRunning = source.rows.some(({ status }) => status === "filling");
  if (isRunning !== running) setRunning(isRunning);
  const start = (
    <Can do="operate">
      <Button size="xs" style={{ flex: "none" }} disabled={isRunning} onClick={() => setStarting(true)}>
        Replay days
      </Button>
    </Can>
  );
  return (
    <>
      <Group justify="space-between" mb="sm" wrap="nowrap">
        <Text size="sm" c="dimmed">
          A replay sums a range of days anew from the archive, beside the sums in use, and changes over when it is complete. Plays keep
          being recorded meanwhile.
        </Text>
        {source.rows.length > 0 && start}
      </Group>
      <DataTable
        name="replays"
        noun={["replay", "replays"]}
        source={source}
        columns={COLUMNS}
        rowId={({ id }) => id}
        actions={(replay) =>
          mayOperate && replay.status === "filling"
            ? [{ label: "End it", icon: <IconPlayerStop size={14} />, run: () => setAbandoning(replay), destructive: true }]
            : []
        }
        empty={{ text: "No day was replayed so far.", action: start }}
      />
      {starting && <ReplayForm opened onClose={() => setStarting(false)} />}
      <Abandon replay={abandoning} onClose={() => setAbandoning(null)} />
    </>
  );
}

function Abandon({ replay, onClose }: { replay: Replay | null; onClose: () => void }) {
  const abandon = async () => {
    if (!replay) return;
    try {
      await call("POST /v1/admin/pipeline/replays/{id}/abandon", { path: { id: replay.id } });
      said("Replay ended; the sums are as they were");
    } catch (error) {
      failed("The replay was not ended", error);
    }
    onClose();
    await readAgain("/v1/admin/pipeline");
  };
  return (
    <Modal opened={replay !== null} onClose={onClose} title="End this replay?" size="sm">
      <Text size="sm" mb="md">
        Reports go on with the sums that they have; another replay can be started at any time.
      </Text>
      <Group justify="flex-end" gap="xs">
        <Button variant="default" onClick={onClose} data-autofocus>
          Let it run
        </Button>
        <Button color="red" onClick={() => void abandon()}>
          End it
        </Button>
      </Group>
    </Modal>
  );
}

const STATUS: Record<Replay["status"], { word: string; state: StateValue }> = {
  filling: { word: "Running", state: "warn" },
  done: { word: "Done", state: "ok" },
  incomplete: { word: "Incomplete: sums left as they were", state: "bad" },
  abandoned: { word: "Ended by hand", state: "unknown" },
};

function fractionOf({ segments_total, segments_filled, status }: Replay): number {
  if (status === "done") return 1;
  return segments_total === 0 ? 0 : Math.min(1, segments_filled / segments_total);
}

const COLUMNS: Column<Replay>[] = [
  {
    id: "days",
    header: "Days",
    value: ({ from_day }) => from_day,
    cell: ({ from_day, to_day }) => (from_day === to_day ? day(from_day) : `${day(from_day)} – ${day(to_day)}`),
  },
  {
    id: "status",
    header: "State",
    value: ({ status }) => status,
    cell: ({ status }) => <State value={STATUS[status].state}>{STATUS[status].word}</State>,
  },
  {
    id: "progress",
    header: "Progress",
    value: fractionOf,
    cell: (replay) => (
      <Group gap="xs" wrap="nowrap">
        <Progress value={fractionOf(replay) * 100} w={140} size="sm" aria-label="Progress" />
        {percent(fractionOf(replay), 0)}
      </Group>
    ),
  },
  {
    id: "segments",
    header: "Segments",
    number: true,
    value: ({ segments_filled }) => segments_filled,
    cell: ({ segments_filled, segments_total }) => `${count(segments_filled)} of ${count(segments_total)}`,
  },
  {
    id: "damaged",
    header: "Not readable",
    value: ({ damaged }) => damaged.length,
    cell: ({ damaged }) =>
      damaged.length === 0 ? "none" : <span title={JSON.stringify(damaged)}>{plural(damaged.length, "finding")}</span>,
  },
  { id: "by", header: "By", value: ({ requested_by }) => actorWords(requested_by, null) },
  {
    id: "started",
    header: "Started",
    value: ({ created_at }) => Date.parse(created_at),
    cell: ({ created_at }) => <When at={created_at} />,
  },
  {
    id: "took",
    header: "Took",
    number: true,
    value: ({ created_at, ended_at }) => (ended_at ? Date.parse(ended_at) - Date.parse(created_at) : null),
    cell: ({ created_at, ended_at }) => (ended_at ? span(Date.parse(ended_at) - Date.parse(created_at)) : "–"),
  },
];
