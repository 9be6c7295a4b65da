import { Anchor, Group, SegmentedControl, Skeleton, Stack, Text } from "@mantine/core";
import { useMemo } from "react";
import { Link } from "wouter";
import { useRead } from "../../api/query.ts";
import type { Refusals } from "../../api/schema.ts";
import { asRows } from "../../parts/as-rows.ts";
import { Chart } from "../../parts/chart.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { useFilters } from "../../parts/filters.tsx";
import { count, percent, plural } from "../../parts/format.ts";
import { codeWords } from "./words.ts";

const SPANS = [
  { value: "24", label: "24 hours" },
  { value: "72", label: "3 days" },
  { value: "168", label: "7 days" },
];
const EVERY_MS = 30_000;

type Reason = Refusals["items"][number] & { share: number };

/** What devices sent and was refused, by reason. */
export function RefusedTab() {
  const filters = useFilters(["hours"]);
  const hours = SPANS.find(({ value }) => value === filters.values.hours)?.value ?? "24";
  const found = useRead("GET /v1/admin/pipeline/refusals", { query: { hours: Number(hours) } }, { refetchInterval: EVERY_MS });
  const source = asRows(found, ({ items }) => {
    const total = items.reduce((sum, item) => sum + item.count, 0);
    return items.map((item): Reason => ({ ...item, share: total === 0 ? 0 : item.count / total }));
  });
  const x = useMemo(() => (found.data?.hours ?? []).map(({ at }) => Date.parse(at) / 1000), [found.data]);
  const series = useMemo(
    () => [{ label: "Refused", state: "bad" as const, values: (found.data?.hours ?? []).map((hour) => hour.count) }],
    [found.data],
  );
  return (
    <Stack gap="md" style={{ "--table-height": "none" } as React.CSSProperties}>
      <Group>
        <SegmentedControl
          size="xs"
          aria-label="How far back"
          data={SPANS}
          value={hours}
          onChange={(value) => filters.set("hours", value === "24" ? null : value)}
        />
      </Group>
      {found.data ? <Chart title="Records refused an hour" kind="bars" height={160} x={x} series={series} /> : <Skeleton height={230} />}
      <DataTable
        name="refused"
        noun={["reason", "reasons"]}
        source={source}
        columns={COLUMNS}
        rowId={({ code }) => code}
        empty={{ text: "Nothing was refused: every record that came was accepted, or known already." }}
      />
    </Stack>
  );
}

const COLUMNS: Column<Reason>[] = [
  { id: "code", header: "Reason", value: ({ code }) => code, cell: ({ code }) => <span title={code}>{codeWords(code)}</span> },
  { id: "error", header: "What it means", value: ({ error }) => error, cell: ({ error }) => <span title={error ?? ""}>{error}</span> },
  { id: "count", header: "Records", number: true, value: (row) => row.count, cell: (row) => count(row.count) },
  { id: "share", header: "Share", number: true, value: ({ share }) => share, cell: ({ share }) => percent(share) },
  { id: "devices", header: "Devices", number: true, value: ({ devices }) => devices, cell: ({ devices }) => count(devices) },
  { id: "most", header: "Most from", cell: (row) => <MostFrom row={row} /> },
  { id: "doors", header: "Doors", value: ({ doors }) => doors.join(", ") },
  {
    id: "retryable",
    header: "Sent again",
    value: ({ retryable }) => (retryable ? 1 : 0),
    cell: ({ retryable }) => (retryable ? "may be accepted later" : "never accepted"),
    hidden: true,
  },
];

function MostFrom({ row: { most, devices } }: { row: Reason }) {
  const [first] = most;
  if (!first) return null;
  return (
    <>
      <Anchor component={Link} href={`/devices/${first.device_id}?tab=refused`} inherit>
        {first.device_name ?? "a device that is gone"}
      </Anchor>{" "}
      <Text component="span" inherit c="dimmed">
        {count(first.count)}
        {devices > 1 && `, and ${plural(devices - 1, "other")}`}
      </Text>
    </>
  );
}
