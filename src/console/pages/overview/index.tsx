import { Anchor, Grid, Group, SimpleGrid, Skeleton, Stack, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { useMe } from "../../api/me.ts";
import { useRead } from "../../api/query.ts";
import type { Overview } from "../../api/schema.ts";
import { Fault } from "../../parts/fault.tsx";
import { count, percent, plural } from "../../parts/format.ts";
import { PageHead } from "../../parts/page-head.tsx";
import { Panel } from "../../parts/panel.tsx";
import { State, type StateValue } from "../../parts/state.tsx";
import { When } from "../../parts/when.tsx";
import { REFUSALS } from "../../parts/words.ts";
import { IncidentsPanel } from "./incidents-panel.tsx";
import { LivePlays } from "./live-plays.tsx";
import { PipelinePanel } from "./pipeline-panel.tsx";

const EVERY_MS = 5000;

/** What the network does now, and what needs you. */
export default function OverviewPage() {
  const me = useMe();
  const brand = typeof me.scope?.brand_name === "string" ? me.scope.brand_name : null;
  const overview = useRead("GET /v1/admin/overview", {}, { refetchInterval: EVERY_MS, enabled: brand === null });
  if (brand !== null) return <BrandOverview brand={brand} />;
  const { data } = overview;
  return (
    <>
      <PageHead
        title="Overview"
        line={
          <Group gap={6}>
            What the network does now, and what needs you.
            {data && (
              <Text size="xs" c="dimmed" span>
                Refreshed <When at={overview.dataUpdatedAt} />
              </Text>
            )}
          </Group>
        }
      />
      {overview.error && !data && <Fault error={overview.error} retry={() => void overview.refetch()} />}
      <Stack gap="md">
        <SimpleGrid cols={{ base: 2, sm: 4 }} spacing="md">
          {data && <Figures of={data} mayLook={me.scope === null} />}
          {!data && !overview.error && [0, 1, 2, 3].map((key) => <Skeleton key={key} height={102} />)}
        </SimpleGrid>
        {!data && !overview.error && <Skeleton height={252} />}
        {data?.minutes && <LivePlays minutes={data.minutes} />}
        <Grid gap="md">
          <Grid.Col span={{ base: 12, md: 6 }}>
            <IncidentsPanel />
          </Grid.Col>
          <Grid.Col span={{ base: 12, md: 6 }}>
            <Stack gap="md">
              {!data && !overview.error && <Skeleton height={120} />}
              {data && <RefusedPanel refused={data.refused} />}
              {me.scope === null && <PipelinePanel />}
            </Stack>
          </Grid.Col>
        </Grid>
      </Stack>
    </>
  );
}

function Figures({ of: { devices, minutes, refused, incidents }, mayLook }: { of: Overview; mayLook: boolean }) {
  const paired = devices.online + devices.offline + devices.never_seen;
  const open = incidents.high + incidents.medium + incidents.low;
  const refusedCount = refused.reduce((sum, row) => sum + row.count, 0);
  const last = minutes?.at(-1)?.plays_count;
  return (
    <>
      <Figure
        title="Devices online"
        to="/devices?status=active"
        value={`${count(devices.online)} of ${count(paired)}`}
        state={
          devices.offline > 0
            ? ["warn", `${count(devices.offline)} offline`]
            : paired > 0
              ? ["ok", "None is offline"]
              : ["unknown", "None is paired"]
        }
      />
      {last !== undefined && (
        <Figure
          title="Plays in the last minute"
          to="/reports"
          value={count(last)}
          state={last > 0 ? ["ok", "Recorded"] : ["unknown", "None was recorded"]}
        />
      )}
      <Figure
        title="Refused in 24 hours"
        to={mayLook ? "/pipeline?tab=refused" : "/reports"}
        value={count(refusedCount)}
        state={refusedCount > 0 ? ["warn", plural(refused.length, "reason")] : ["ok", "Nothing was refused"]}
      />
      <Figure
        title="Open incidents"
        to="/incidents"
        value={count(open)}
        state={
          incidents.high > 0
            ? ["bad", `${count(incidents.high)} high`]
            : open > 0
              ? ["warn", `${count(incidents.unacknowledged)} not acknowledged`]
              : ["ok", "Nothing is wrong"]
        }
      />
    </>
  );
}

function Figure({ title, value, state: [state, words], to }: { title: string; value: string; state: [StateValue, string]; to: string }) {
  return (
    <section className="panel" aria-label={title}>
      <Anchor component={Link} href={to} size="sm" c="dimmed" underline="hover">
        {title}
      </Anchor>
      <div className="figure">{value}</div>
      <Text size="xs" component="div">
        <State value={state} size={13}>
          {words}
        </State>
      </Text>
    </section>
  );
}

function RefusedPanel({ refused }: { refused: Overview["refused"] }) {
  const all = refused.reduce((sum, row) => sum + row.count, 0);
  return (
    <Panel title="Why was anything refused in the last 24 hours?">
      {refused.length === 0 ? (
        <Text size="sm" c="dimmed">
          Nothing was refused.
        </Text>
      ) : (
        <Stack gap={10}>
          {refused.map(({ code, count: times, devices }) => (
            <div key={code}>
              <Group justify="space-between" wrap="nowrap" gap="sm">
                <Text size="sm" truncate>
                  {REFUSALS[code] ?? code}
                </Text>
                <Text size="sm" style={{ flex: "none" }}>
                  {count(times)}
                </Text>
              </Group>
              <Text size="xs" c="dimmed">
                <code className="mono">{code}</code> · {plural(devices, "device")} · {percent(times / all)}
              </Text>
            </div>
          ))}
        </Stack>
      )}
    </Panel>
  );
}

/** What one brand sees: its own campaigns. Devices, refusals and incidents are the network's own. */
function BrandOverview({ brand }: { brand: string }): ReactNode {
  return (
    <>
      <PageHead title="Overview" line={`What is booked and shown for ${brand}.`} />
      <SimpleGrid cols={{ base: 1, sm: 3 }}>
        {[
          ["/campaigns", "Campaigns", "What is booked, and how much of it has been delivered."],
          ["/reports", "Reports", "Every play, by day, store and content."],
          ["/content", "Content", "What is shown."],
        ].map(([to = "", title, words]) => (
          <section key={to} className="panel" aria-label={title}>
            <Anchor component={Link} href={to} fw={600}>
              {title}
            </Anchor>
            <Text size="sm" c="dimmed">
              {words}
            </Text>
          </section>
        ))}
      </SimpleGrid>
    </>
  );
}
