import { Skeleton, Stack, Text } from "@mantine/core";
import { IconPlayerPlay, IconSearch } from "@tabler/icons-react";
import { useState } from "react";
import { useLocation } from "wouter";
import { useMay } from "../../api/me.ts";
import { useRead } from "../../api/query.ts";
import type { ArchiveState } from "../../api/schema.ts";
import { asRows } from "../../parts/as-rows.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { bytes, count, day, plural } from "../../parts/format.ts";
import { later } from "../../parts/later.tsx";
import { State } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";

const ReplayForm = later(async () => (await import("./replay-form.tsx")).ReplayForm);

type Check = ArchiveState["checks"][number];

/** What the archive holds, and whether it equals the database day by day. */
export function ArchiveTab() {
  const found = useRead("GET /v1/admin/pipeline/archive", {});
  const [replaying, setReplaying] = useState<string | null>(null);
  const mayOperate = useMay("operate");
  const [, navigate] = useLocation();
  return (
    <Stack gap="lg">
      {found.data ? <Holds state={found.data} /> : !found.error && <Skeleton height={92} />}
      <section aria-labelledby="checks">
        <h2 className="section-title" id="checks">
          Does the archive equal the database, day by day
        </h2>
        <DataTable
          name="archive-checks"
          noun={["day", "days"]}
          source={asRows(found, ({ checks }) => checks)}
          columns={COLUMNS}
          rowId={(check) => check.day}
          actions={(check) => [
            { label: "Show its plays", icon: <IconSearch size={14} />, run: () => navigate(`/reports/plays?day=${check.day}`) },
            ...(mayOperate ? [{ label: "Replay this day", icon: <IconPlayerPlay size={14} />, run: () => setReplaying(check.day) }] : []),
          ]}
          empty={{ text: "No day was compared yet. Each night the days that are over are compared with what the archive holds." }}
        />
      </section>
      {replaying !== null && <ReplayForm opened onClose={() => setReplaying(null)} {...(replaying ? { day: replaying } : {})} />}
    </Stack>
  );
}

function Holds({ state }: { state: ArchiveState }) {
  const { parts, plays, plays_open, segments_open, first_day, last_day, single_plays_from, manifests_stale } = state;
  const range = first_day && last_day ? `received ${day(first_day)} – ${day(last_day)}` : "nothing compacted yet";
  return (
    <div className="figures">
      <Holding label="Plays in the archive" value={count(plays + plays_open)} word={range} />
      <Holding label="Compacted files" value={count(parts)} word={bytes(state.bytes)} />
      <Holding label="Segments to compact" value={count(segments_open)} word={plural(plays_open, "play")} />
      <Holding
        label="Single plays in the database"
        value={single_plays_from ? day(single_plays_from) : "All"}
        word={single_plays_from ? "is the first day; older ones in the archive alone" : "none has left it yet"}
      />
      <Holding
        label="Manifests to write"
        value={count(manifests_stale)}
        word={manifests_stale === 0 ? "all as the files are" : "with the next compaction"}
      />
    </div>
  );
}

function Holding({ label, value, word }: { label: string; value: string; word: string }) {
  return (
    <div className="panel">
      <Text size="xs" c="dimmed">
        {label}
      </Text>
      <div className="figure">{value}</div>
      <Text size="xs" c="dimmed">
        {word}
      </Text>
    </div>
  );
}

const COLUMNS: Column<Check>[] = [
  { id: "day", header: "Day", value: (check) => check.day, cell: (check) => day(check.day) },
  {
    id: "matches",
    header: "Result",
    value: ({ matches }) => (matches ? 1 : 0),
    cell: ({ matches }) => <State value={matches ? "ok" : "bad"}>{matches ? "Equal" : "Different"}</State>,
  },
  {
    id: "checked",
    header: "Compared",
    value: ({ checked_at }) => Date.parse(checked_at),
    cell: ({ checked_at }) => <When at={checked_at} />,
  },
  {
    id: "findings",
    header: "What differs",
    cell: ({ findings, matches }) => (matches ? "nothing" : <span title={JSON.stringify(findings)}>{findingWords(findings)}</span>),
  },
];

function findingWords(findings: Record<string, unknown>): string {
  const { unreadable, ledger, differs } = findings;
  return [
    ...(differs ? ["sums differ"] : []),
    ...(Array.isArray(unreadable) ? [`${plural(unreadable.length, "segment")} not readable`] : []),
    ...(Array.isArray(ledger) ? [`${plural(ledger.length, "chunk")} differ from the ledger`] : []),
  ].join(", ");
}
