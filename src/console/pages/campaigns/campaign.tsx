import { Anchor, Button, Group, Skeleton, Stack, Tabs } from "@mantine/core";
import { lazy, Suspense, useState } from "react";
import { Link } from "wouter";
import { Can } from "../../api/me.ts";
import { useRead } from "../../api/query.ts";
import type { Campaign, PlannedReport } from "../../api/schema.ts";
import { latestDay, utcToday } from "../../parts/days.ts";
import { Fault } from "../../parts/fault.tsx";
import { useFilters } from "../../parts/filters.tsx";
import { count, percent } from "../../parts/format.ts";
import { later } from "../../parts/later.tsx";
import { PageHead } from "../../parts/page-head.tsx";
import { State } from "../../parts/state.tsx";
import { archiveCampaign } from "./archive.ts";
import { dates, deliveryState, elapsed, standing } from "./delivery.ts";
import { deliveryRange } from "./delivery-range.ts";
import { DeliveryTab } from "./delivery-tab.tsx";

const AdGroupsTab = lazy(async () => ({ default: (await import("./ad-groups.tsx")).AdGroupsTab }));
const ContentTab = lazy(async () => ({ default: (await import("./content.tsx")).ContentTab }));
const CampaignForm = later(async () => (await import("./campaign-form.tsx")).CampaignForm);

const CRUMBS = [{ label: "Campaigns", to: "/campaigns" }];
const TABS = ["delivery", "ad-groups", "content"];

/** One campaign: how it stands, what was planned and played, its ad groups and its content. */
export function CampaignPage({ id }: { id: string }) {
  const { data, error, refetch } = useRead("GET /v1/admin/campaigns/{id}", { path: { id } });
  if (!data)
    return (
      <>
        <PageHead title="Campaign" crumbs={CRUMBS} />
        {error ? <Fault error={error} retry={() => void refetch()} /> : <Skeleton height={320} />}
      </>
    );
  return <Shown campaign={data} />;
}

function Shown({ campaign }: { campaign: Campaign }) {
  const filters = useFilters(["tab"]);
  const [editing, setEditing] = useState(false);
  const today = utcToday();
  const { from, to } = deliveryRange(campaign, latestDay());
  const report = useRead("GET /v1/admin/reports/planned", {
    query: { group_by: "day", from, to, campaign_id: [campaign.id], totals: "true", limit: 500 },
  });
  const tab = TABS.find((one) => one === filters.values.tab) ?? "delivery";
  return (
    <>
      <PageHead
        title={campaign.name}
        crumbs={CRUMBS}
        line={<Sentence campaign={campaign} report={report.data} today={today} />}
        action={
          <Group gap="xs" wrap="nowrap">
            <Button component={Link} href={`/reports?campaign_id=${campaign.id}&from=${from}&to=${to}`} variant="default">
              Open in reports
            </Button>
            <Can do="operate">
              {campaign.archived_at === null ? (
                <Button variant="default" onClick={() => void archiveCampaign(campaign, true)}>
                  Archive
                </Button>
              ) : (
                <Button variant="default" onClick={() => void archiveCampaign(campaign, false)}>
                  Use again
                </Button>
              )}
              <Button onClick={() => setEditing(true)}>Edit</Button>
            </Can>
          </Group>
        }
      />
      <Tabs value={tab} onChange={(next) => filters.set("tab", next === "delivery" ? null : next)} keepMounted={false}>
        <Tabs.List mb="md">
          <Tabs.Tab value="delivery">Delivery</Tabs.Tab>
          <Tabs.Tab value="ad-groups">Ad groups</Tabs.Tab>
          <Tabs.Tab value="content">Content and playlists</Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="delivery">
          <DeliveryTab campaign={campaign} report={report} from={from} to={to} />
        </Tabs.Panel>
        <Tabs.Panel value="ad-groups">
          <Suspense fallback={<Skeleton height={240} />}>
            <AdGroupsTab campaign={campaign} from={from} to={to} />
          </Suspense>
        </Tabs.Panel>
        <Tabs.Panel value="content">
          <Suspense fallback={<Skeleton height={240} />}>
            <ContentTab campaign={campaign} from={from} to={to} />
          </Suspense>
        </Tabs.Panel>
      </Tabs>
      {editing && <CampaignForm opened onClose={() => setEditing(false)} campaign={campaign} />}
    </>
  );
}

function Sentence({ campaign, report, today }: { campaign: Campaign; report: PlannedReport | undefined; today: string }) {
  const time = elapsed(campaign, today);
  const { word } = standing(campaign, today);
  const span = time && word === "Running" ? `, day ${count(time.gone)} of ${count(time.all)}` : "";
  const due = report ? dueOf(report.items, today) : null;
  return (
    <Stack gap={2}>
      <span>
        <Anchor component={Link} href={`/campaigns?brand_name=${encodeURIComponent(campaign.brand_name)}`} inherit underline="always">
          {campaign.brand_name}
        </Anchor>{" "}
        · {dates(campaign)}
      </span>
      <span className="wraps">
        <State value={word === "Running" ? deliveryState(due) : "unknown"}>
          {word}
          {span}.{report?.totals ? deliveredWords(report.totals, due) : ""}
        </State>
      </span>
    </Stack>
  );
}

/** Played of planned without today, whose plays are still to come; null where nothing was planned before. */
function dueOf(days: PlannedReport["items"], today: string): number | null {
  const before = days.filter(({ day = "" }) => day < today);
  const planned = before.reduce((sum, { planned_plays }) => sum + (planned_plays ?? 0), 0);
  return planned === 0 ? null : before.reduce((sum, { played_plays }) => sum + played_plays, 0) / planned;
}

function deliveredWords({ planned_plays, played_plays, billable_plays }: NonNullable<PlannedReport["totals"]>, due: number | null): string {
  const played = `${count(played_plays)} played, ${count(billable_plays)} billable`;
  if (!planned_plays) return ` ${played}; no plan had it so far.`;
  const share = due === null ? "" : ` ${percent(due)} delivered to the end of yesterday.`;
  return `${share} With today ${played}, of ${count(planned_plays)} planned.`;
}
