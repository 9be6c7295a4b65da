import { Button, Group, Progress, Text } from "@mantine/core";
import { IconArchive, IconArchiveOff, IconPencil, IconPlus, IconReportAnalytics } from "@tabler/icons-react";
import { useEffect, useMemo, useState } from "react";
import { useLocation } from "wouter";
import { Can, useMay } from "../../api/me.ts";
import { type Rows, useRows } from "../../api/query.ts";
import type { Campaign } from "../../api/schema.ts";
import { DataTable } from "../../parts/data-table.tsx";
import type { Column } from "../../parts/data-table-columns.ts";
import { addDays, latestDay, utcToday } from "../../parts/days.ts";
import { type Filter, FilterBar, useFilters } from "../../parts/filters.tsx";
import { count, percent } from "../../parts/format.ts";
import { later } from "../../parts/later.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { State } from "../../parts/state.tsx";
import { archiveCampaign } from "./archive.ts";
import { type Delivery, dates, elapsed, standing } from "./delivery.ts";
import { firstDayOfAll } from "./delivery-range.ts";
import { DeliveryShare } from "./delivery-share.tsx";

const CampaignForm = later(async () => (await import("./campaign-form.tsx")).CampaignForm);

/** `due` is its delivery without today, whose plan counts whole while its plays are still to come. */
type Row = Campaign & { delivery: Delivery | null; due: number | null };

const MOST = 2000;
const KEYS = ["q", "brand_name", "on", "archived"];

/** All campaigns, with how much of what was planned was played so far. */
export function CampaignList() {
  const filters = useFilters(KEYS);
  const today = utcToday();
  const mayOperate = useMay("operate");
  const [, navigate] = useLocation();
  const [form, setForm] = useState<{ campaign: Campaign | null } | null>(null);
  const [made, setMade] = useState<string | null>(null);
  // Once its form is gone: before, leaving would be asked about.
  useEffect(() => {
    if (made !== null && form === null) navigate(`/campaigns/${made}`);
  }, [made, form, navigate]);
  const { archived = "false", ...narrowed } = filters.values;
  const found = useRows(
    "GET /v1/admin/campaigns",
    { query: { ...narrowed, ...(archived === "all" ? {} : { archived: archived as "true" | "false" }) } },
    { all: MOST },
  );
  const source = useWithDelivery(found, today);
  const brands = [...new Set(found.rows.map(({ brand_name }) => brand_name))].sort();
  useShortcut({ keys: "n", label: "New campaign", group: "Campaigns" }, () => setForm({ campaign: null }), mayOperate);
  const isNarrowed = Object.keys(narrowed).length > 0 || archived !== "false";
  const make = (
    <Can do="operate">
      <Button leftSection={<IconPlus size={16} />} onClick={() => setForm({ campaign: null })}>
        New campaign
      </Button>
    </Can>
  );
  return (
    <>
      <PageHead title="Campaigns" line="What brands have booked, and how much of what was planned was played so far." action={make} />
      <FilterBar filters={filters} list={filterList(brands, today)} search="q" searchLabel="Search campaigns and brands" />
      <DataTable
        name="campaigns"
        noun={["campaign", "campaigns"]}
        source={source}
        columns={columnsOn(today)}
        rowId={({ id }) => id}
        href={({ id }) => `/campaigns/${id}`}
        actions={(campaign) => [
          { label: "Open in reports", icon: <IconReportAnalytics size={14} />, run: () => navigate(`/reports?campaign_id=${campaign.id}`) },
          ...(mayOperate
            ? [
                { label: "Edit", icon: <IconPencil size={14} />, run: () => setForm({ campaign }) },
                campaign.archived_at === null
                  ? {
                      label: "Archive",
                      icon: <IconArchive size={14} />,
                      run: () => void archiveCampaign(campaign, true),
                      destructive: true,
                    }
                  : { label: "Use again", icon: <IconArchiveOff size={14} />, run: () => void archiveCampaign(campaign, false) },
              ]
            : []),
        ]}
        empty={
          isNarrowed
            ? {
                text: "No campaign is like that.",
                action: (
                  <Button variant="default" onClick={filters.clear}>
                    Clear the filters
                  </Button>
                ),
              }
            : { text: "There is no campaign yet. A campaign is what plays are billed to: make one, then give it playlists.", action: make }
        }
      />
      {form !== null && <CampaignForm opened onClose={() => setForm(null)} campaign={form?.campaign ?? null} onMade={setMade} />}
    </>
  );
}

function filterList(brands: string[], today: string): Filter[] {
  return [
    { key: "brand_name", label: "Brand", options: brands.map((brand) => ({ value: brand, label: brand })) },
    { key: "on", label: "On", options: [{ value: today, label: "Running today" }] },
    {
      key: "archived",
      label: "Archived",
      options: [
        { value: "true", label: "Archived ones" },
        { value: "all", label: "All" },
      ],
    },
  ];
}

/** The campaigns with their delivery: one report for all of them, over the days that they have in common with it. */
function useWithDelivery(found: Rows<Campaign>, today: string): Rows<Row> {
  const latest = latestDay();
  const query = { group_by: "campaign", from: firstDayOfAll(found.rows, latest) };
  const report = useRows("GET /v1/admin/reports/planned", { query: { ...query, to: latest } }, { all: MOST });
  const before = useRows("GET /v1/admin/reports/planned", { query: { ...query, to: addDays(today, -1) } }, { all: MOST });
  const rows = useMemo(() => {
    const known = new Map(report.rows.map((row) => [row.campaign_id, row]));
    const due = new Map(before.rows.map((row) => [row.campaign_id, row.delivery]));
    return found.rows.map(
      (campaign): Row => ({
        ...campaign,
        delivery: report.pending ? null : (known.get(campaign.id) ?? NOTHING),
        due: due.get(campaign.id) ?? null,
      }),
    );
  }, [found.rows, report.rows, report.pending, before.rows]);
  return { ...found, rows, error: found.error ?? report.error };
}

const NOTHING: Delivery = { planned_plays: null, played_plays: 0, billable_plays: 0, delivery: null };

function columnsOn(today: string): Column<Row>[] {
  const figure = (id: string, header: string, of: (delivery: Delivery) => number | null): Column<Row> => ({
    id,
    header,
    number: true,
    value: ({ delivery }) => delivery && of(delivery),
    cell: ({ delivery }) => (delivery ? <Known value={of(delivery)} /> : "…"),
  });
  return [
    {
      id: "name",
      header: "Campaign",
      value: ({ name }) => name,
      cell: ({ name }) => (
        <span className="clip" title={name}>
          {name}
        </span>
      ),
    },
    { id: "brand", header: "Brand", value: ({ brand_name }) => brand_name },
    {
      id: "state",
      header: "State",
      value: (campaign) => standing(campaign, today).word,
      cell: (campaign) => <State value={standing(campaign, today).state}>{standing(campaign, today).word}</State>,
    },
    { id: "dates", header: "Dates", value: ({ start_date }) => start_date, cell: (campaign) => dates(campaign) },
    {
      id: "elapsed",
      header: "Time gone",
      value: (campaign) => elapsed(campaign, today)?.fraction ?? null,
      cell: (campaign) => <Elapsed campaign={campaign} today={today} />,
    },
    {
      id: "delivery",
      header: "Delivered to yesterday",
      value: ({ due }) => due,
      cell: ({ due }) => <DeliveryShare delivery={due} />,
    },
    figure("planned", "Planned", ({ planned_plays }) => planned_plays),
    figure("played", "Played", ({ played_plays }) => played_plays),
    figure("billable", "Billable", ({ billable_plays }) => billable_plays),
    { id: "tags", header: "Tags", value: ({ tags }) => tags.join(", "), hidden: true },
  ];
}

function Known({ value }: { value: number | null }) {
  if (value !== null) return count(value);
  return (
    <Text component="span" inherit c="dimmed" title="No plan stood, so nothing is known">
      –
    </Text>
  );
}

function Elapsed({ campaign, today }: { campaign: Campaign; today: string }) {
  const time = elapsed(campaign, today);
  if (!time)
    return (
      <Text component="span" inherit c="dimmed">
        no end
      </Text>
    );
  return (
    <Group gap="xs" wrap="nowrap" title={`${time.gone} of ${time.all} days`}>
      <Progress value={time.fraction * 100} w={64} size="sm" color="gray" aria-label={`${time.gone} of ${time.all} days have gone`} />
      {percent(time.fraction, 0)}
    </Group>
  );
}
