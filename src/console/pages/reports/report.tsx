import { Button, Skeleton, Stack } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { type ReactNode, useMemo, useState } from "react";
import { useSearchParams } from "wouter";
import { type Rows, useRead, useRows } from "../../api/query.ts";
import type { PlannedReport, ProofOfPlayReport } from "../../api/schema.ts";
import { Chart } from "../../parts/chart.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { utcToday } from "../../parts/days.ts";
import { download } from "../../parts/download.ts";
import { Fault } from "../../parts/fault.tsx";
import { useFilters } from "../../parts/filters.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { ASKED_KEYS, type Asked, askedOf, playsHref, reportQuery } from "./asked.ts";
import { plannedColumns, playedColumns } from "./columns.tsx";
import { ReportControls, type SetAsked } from "./controls.tsx";
import { daysOf } from "./days.ts";
import { PlannedTotals, PlayedTotals } from "./totals.tsx";
import { SavedViews } from "./views.tsx";

const MOST_ROWS = 5000;
const PAGE_ROWS = 1000;

/** The report: asked by its controls, drawn by day, summed up, listed, downloaded. */
export function ReportPage() {
  const today = utcToday();
  const filters = useFilters(ASKED_KEYS);
  const [search, setSearch] = useSearchParams();
  const asked = askedOf(filters.values, today);
  const set: SetAsked = (values) =>
    setSearch(
      (before) => {
        const next = new URLSearchParams(before);
        for (const [key, value] of Object.entries(values)) {
          if (value) next.set(key, value);
          else next.delete(key);
        }
        return next;
      },
      { replace: true },
    );
  const [busy, setBusy] = useState(false);
  const csv = async () => {
    setBusy(true);
    const [path, name] =
      asked.kind === "planned" ? ["/v1/admin/reports/planned.csv", "planned"] : ["/v1/admin/reports/proof-of-play.csv", "proof-of-play"];
    await download(path, { ...reportQuery(asked), totals: "true" }, `${name}_${asked.from}_${asked.to}.csv`);
    setBusy(false);
  };
  useShortcut({ keys: "d", label: "Download as CSV", group: "Report" }, () => void csv());
  const onRange = (from: number, to: number) => set({ from: dayAt(from), to: dayAt(to) });
  const shown = { asked, today, onRange };
  return (
    <>
      <PageHead
        title="Reports"
        line="What was played and is billed. Every number opens down to the plays behind it, and each play to its proof."
        action={
          <>
            <SavedViews search={search.toString()} />
            <Button leftSection={<IconDownload size={14} />} loading={busy} onClick={() => void csv()}>
              Download CSV
            </Button>
          </>
        }
      />
      <ReportControls asked={asked} filters={filters} set={set} today={today} />
      {asked.kind === "planned" ? <Planned {...shown} /> : <Played {...shown} />}
    </>
  );
}

/** A day's bar stands on its first instant: the nearest one is meant. */
function dayAt(seconds: number): string {
  return new Date(Math.round(seconds / 86_400) * 86_400_000).toISOString().slice(0, 10);
}

interface ShownProps {
  asked: Asked;
  today: string;
  onRange: (from: number, to: number) => void;
}

function Played({ asked, today, onRange }: ShownProps) {
  const query = reportQuery(asked);
  const byDay = useRead("GET /v1/admin/reports/proof-of-play", { query: { ...query, group_by: "day", totals: "true", limit: 400 } });
  const source = useRows("GET /v1/admin/reports/proof-of-play", { query: { ...query, limit: PAGE_ROWS } }, { all: MOST_ROWS });
  return (
    <Shown
      name="report"
      chart="Plays a day"
      asked={asked}
      today={today}
      onRange={onRange}
      byDay={byDay}
      series={[
        { label: "Plays", of: ({ plays_count }) => plays_count, quiet: true },
        { label: "Billable", of: ({ billable_count }) => billable_count },
      ]}
      totals={byDay.data?.totals && <PlayedTotals asked={asked} totals={byDay.data.totals} source={byDay.data.source} />}
      source={source}
      columnsOf={playedColumns}
      empty="Nothing was played in these days under these filters. Choose other days, or take a filter away."
    />
  );
}

function Planned({ asked, today, onRange }: ShownProps) {
  const query = reportQuery(asked);
  const byDay = useRead("GET /v1/admin/reports/planned", { query: { ...query, group_by: "day", totals: "true", limit: 400 } });
  const source = useRows("GET /v1/admin/reports/planned", { query: { ...query, limit: PAGE_ROWS } }, { all: MOST_ROWS });
  return (
    <Shown
      name="planned"
      chart="Plays a day, planned and played"
      asked={asked}
      today={today}
      onRange={onRange}
      byDay={byDay}
      series={[
        { label: "Planned", of: ({ planned_plays }) => planned_plays, absent: null, quiet: true },
        { label: "Played", of: ({ played_plays }) => played_plays },
      ]}
      totals={byDay.data?.totals && <PlannedTotals asked={asked} totals={byDay.data.totals} isOver={asked.to < today} />}
      source={source}
      columnsOf={(one) => plannedColumns(one, today)}
      empty="Nothing was planned or played in these days under these filters. Choose other days, or take a filter away."
    />
  );
}

/** A report as it stands on the page: its days as a chart, its sums, its rows. */
function Shown<R extends PlannedReport | ProofOfPlayReport>({
  name,
  chart,
  asked,
  today,
  onRange,
  byDay,
  series,
  totals,
  source,
  columnsOf,
  empty,
}: ShownProps & {
  /** What the choice of columns is remembered by, with the groups. */
  name: string;
  chart: string;
  byDay: { data: R | undefined; error: Error | null; refetch: () => unknown };
  series: DaySeries<R["items"][number]>[];
  totals: ReactNode;
  source: Rows<R["items"][number]>;
  columnsOf: (asked: Asked) => Column<R["items"][number]>[];
  empty: string;
}) {
  const groups = asked.groups.join();
  // biome-ignore lint/correctness/useExhaustiveDependencies: what is asked is in the address, which these are
  const columns = useMemo(() => columnsOf(asked), [groups, JSON.stringify(reportQuery(asked))]);
  return (
    <Stack gap="md">
      {byDay.error && !source.error && <Fault error={byDay.error} retry={() => void byDay.refetch()} />}
      <DayChart
        title={chart}
        asked={asked}
        today={today}
        onRange={onRange}
        report={byDay.data}
        failed={byDay.error !== null}
        series={series}
      />
      {totals}
      <DataTable
        name={`${name}-${groups}`}
        key={groups}
        noun={["row", "rows"]}
        source={source}
        columns={columns}
        rowId={(row) => rowKey(asked, { ...row })}
        href={(row) => playsHref(asked, { ...row })}
        empty={{ text: empty }}
      />
    </Stack>
  );
}

/** What tells a row from the others: its groups. */
function rowKey({ groups }: Asked, row: Record<string, unknown>): string {
  return groups.map((group) => String(row[group === "day" || group === "status" ? group : `${group}_id`])).join("|");
}

interface DaySeries<Row> {
  label: string;
  of: (row: Row) => number | null;
  /** What stands for a day that the report does not have: 0 played, but no plan is none of 0. */
  absent?: null;
  quiet?: boolean;
}

function DayChart<R extends PlannedReport | ProofOfPlayReport>({
  title,
  asked: { from, to },
  today,
  report,
  failed,
  series,
  onRange,
}: {
  title: string;
  asked: Asked;
  today: string;
  report: R | undefined;
  failed: boolean;
  series: DaySeries<R["items"][number]>[];
  onRange: (from: number, to: number) => void;
}) {
  const days = useMemo(() => daysOf(from, to), [from, to]);
  const x = useMemo(() => days.map((day) => Date.parse(day) / 1000), [days]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the series stay the same for a kind of report
  const drawn = useMemo(() => {
    const known = new Map<string | undefined, R["items"][number]>((report?.items ?? []).map((row) => [row.day, row]));
    return series.map(({ label, of, absent, quiet = false }) => ({
      label,
      quiet,
      values: days.map((day) => {
        const row = known.get(day);
        if (row) return of(row);
        return absent === null || day > today ? null : 0;
      }),
    }));
  }, [report, days]);
  if (failed && !report) return null;
  if (!report) return <Skeleton height={270} />;
  return <Chart title={title} kind="bars" height={190} x={x} series={drawn} zone="UTC" onRange={onRange} />;
}
