import { Skeleton, Stack } from "@mantine/core";
import type { UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import type { ApiError } from "../../api/error.ts";
import { useRows } from "../../api/query.ts";
import type { Campaign, PlannedReport, PlannedRow } from "../../api/schema.ts";
import { Chart } from "../../parts/chart.tsx";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { addDays } from "../../parts/days.ts";
import { Fault } from "../../parts/fault.tsx";
import { count, percent } from "../../parts/format.ts";

/** Planned against played, by day and by store. */
export function DeliveryTab({
  campaign,
  report,
  from,
  to,
}: {
  campaign: Campaign;
  report: UseQueryResult<PlannedReport, ApiError>;
  from: string;
  to: string;
}) {
  const days = useMemo(() => daysOf(from, to), [from, to]);
  const x = useMemo(() => days.map((day) => Date.parse(day) / 1000), [days]);
  const series = useMemo(() => {
    const known = new Map((report.data?.items ?? []).map((row) => [row.day, row]));
    return [
      { label: "Planned", quiet: true, values: days.map((day) => known.get(day)?.planned_plays ?? null) },
      { label: "Played", values: days.map((day) => known.get(day)?.played_plays ?? 0) },
    ];
  }, [report.data, days]);
  const stores = useRows(
    "GET /v1/admin/reports/planned",
    { query: { group_by: "store", from, to, campaign_id: [campaign.id] } },
    { all: 5000 },
  );
  return (
    <Stack gap="md">
      {report.error && <Fault error={report.error} retry={() => void report.refetch()} />}
      {report.data ? (
        <Chart title="Plays a day, planned and played" kind="bars" x={x} series={series} zone="UTC" height={220} />
      ) : (
        !report.error && <Skeleton height={290} />
      )}
      <section aria-labelledby="stores">
        <h2 className="section-title" id="stores">
          By store
        </h2>
        <DataTable
          name="campaign-stores"
          noun={["store", "stores"]}
          source={stores}
          columns={COLUMNS}
          rowId={({ store_id }) => store_id ?? "none"}
          href={({ store_id }) =>
            `/reports?kind=planned&group_by=day&from=${from}&to=${to}&campaign_id=${campaign.id}&store_id=${store_id ?? "none"}`
          }
          sortBy={{ id: "planned", desc: true }}
          empty={{ text: "No store has it in its plan so far, and none played it. Schedule one of its playlists." }}
        />
      </section>
    </Stack>
  );
}

function daysOf(from: string, to: string): string[] {
  const days: string[] = [];
  for (let day = from; day <= to; day = addDays(day, 1)) days.push(day);
  return days;
}

const COLUMNS: Column<PlannedRow>[] = [
  { id: "store", header: "Store", value: ({ store_name }) => store_name ?? "no store" },
  {
    id: "planned",
    header: "Planned",
    number: true,
    value: ({ planned_plays }) => planned_plays,
    cell: ({ planned_plays }) => (planned_plays === null ? "–" : count(planned_plays)),
  },
  {
    id: "played",
    header: "Played",
    number: true,
    value: ({ played_plays }) => played_plays,
    cell: ({ played_plays }) => count(played_plays),
  },
  {
    id: "billable",
    header: "Billable",
    number: true,
    value: ({ billable_plays }) => billable_plays,
    cell: ({ billable_plays }) => count(billable_plays),
  },
  {
    id: "delivery",
    header: "Played of planned",
    number: true,
    value: ({ delivery }) => delivery,
    // No judgement on it: today's plan counts whole, and its plays are still to come.
    cell: ({ delivery }) => (delivery === null ? "–" : percent(delivery)),
  },
];
