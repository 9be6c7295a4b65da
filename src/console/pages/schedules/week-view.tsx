import { ActionIcon, Button, Grid, Group, Select, Skeleton, Stack, Text } from "@mantine/core";
import { IconChevronLeft, IconChevronRight } from "@tabler/icons-react";
import { lazy, Suspense, useMemo, useState } from "react";
import { Link } from "wouter";
import { useRows } from "../../api/query.ts";
import { addDays } from "../../parts/days.ts";
import { Empty } from "../../parts/empty.tsx";
import { Fault } from "../../parts/fault.tsx";
import type { Filters } from "../../parts/filters.tsx";
import { day, plural } from "../../parts/format.ts";
import { Panel } from "../../parts/panel.tsx";
import { useShortcut } from "../../parts/shortcuts.ts";
import { localTime } from "../stores/stores.ts";
import { blocksOf, type Finding, findingsOf, mondayOf, piecesOf, priorityOf, stretchesOf, wordsOfSpans } from "./calendar.ts";
import { devicesOf, type Network, targetName, type Where, whereOf } from "./places.ts";
import type { Schedule } from "./rules-words.ts";
import { WhatPlays } from "./what-plays.tsx";

const WeekCalendar = lazy(() => import("./week-calendar.tsx"));
const MOST_FINDINGS = 10;

/** The week of a group or device: what plays when, what is covered, what is left empty, and what plays at an instant. */
export function WeekView({ network, filters }: { network: Network; filters: Filters }) {
  const first = network.targets.flatMap(({ items }) => items)[0]?.value;
  const whereText = filters.values.where ?? first;
  const where = whereOf(whereText);
  if (network.error) return <Fault error={network.error} />;
  if (network.pending) return <Skeleton h={560} />;
  if (!where || !whereText) {
    return (
      <Empty
        action={
          <Button component={Link} href="/devices">
            Go to devices
          </Button>
        }
      >
        Schedules play on devices and their groups. Pair a device first.
      </Empty>
    );
  }
  return <WeekOf key={whereText} network={network} filters={filters} where={where} whereText={whereText} />;
}

function WeekOf({ network, filters, where, whereText }: { network: Network; filters: Filters; where: Where; whereText: string }) {
  const devices = useMemo(() => devicesOf(network, where), [network, where]);
  const shown = devices.find(({ store_id }) => store_id !== null) ?? devices[0];
  const store = shown?.store_id ? network.stores.get(shown.store_id) : undefined;
  const zone = store?.timezone ?? null;
  const today = localTime(Date.now(), zone ?? "UTC").date;
  const monday = mondayOf(filters.values.week ?? today);
  const [at, setAt] = useState<string | null>(null);
  const schedules = useRows(
    "GET /v1/admin/schedules",
    { query: { archived: "false", ...(where.type === "DEVICE" ? { device_id: where.id } : { target_id: where.id }) } },
    { all: 2000 },
  );
  const stretches = useMemo(
    () => stretchesOf(blocksOf(schedules.rows, monday, zone, where.type === "DEVICE" ? (store?.id ?? null) : null)),
    [schedules.rows, monday, zone, store, where],
  );
  const pieces = useMemo(() => piecesOf(stretches), [stretches]);
  const go = (week: string) => filters.set("week", week === mondayOf(today) ? null : week);
  useShortcut({ keys: "[", label: "The week before", group: "Schedules" }, () => go(addDays(monday, -7)));
  useShortcut({ keys: "]", label: "The week after", group: "Schedules" }, () => go(addDays(monday, 7)));
  const name = targetName(network, where.type, where.id);

  return (
    <>
      <Group gap="xs" mb="sm">
        <Select
          size="xs"
          w={280}
          aria-label="Group or device"
          data={network.targets}
          value={whereText}
          onChange={(value) => value && filters.set("where", value)}
          searchable
          limit={80}
          allowDeselect={false}
          nothingFoundMessage="No group or device of that name"
        />
        <ActionIcon variant="default" aria-label="The week before" onClick={() => go(addDays(monday, -7))}>
          <IconChevronLeft size={16} />
        </ActionIcon>
        <Button size="xs" variant="default" onClick={() => go(mondayOf(today))} disabled={monday === mondayOf(today)}>
          This week
        </Button>
        <ActionIcon variant="default" aria-label="The week after" onClick={() => go(addDays(monday, 7))}>
          <IconChevronRight size={16} />
        </ActionIcon>
        <Text size="sm" fw={500}>
          {day(monday)} – {day(addDays(monday, 6))}
        </Text>
        <Text size="xs" c="dimmed">
          {zone ? `by the clock of ${store?.name} (${zone.replaceAll("_", " ")})` : "by each store's own clock"}
        </Text>
      </Group>
      {schedules.error && <Fault error={schedules.error} retry={schedules.refresh} />}
      <Grid gap="md">
        <Grid.Col span={{ base: 12, lg: 9 }}>
          <Suspense fallback={<Skeleton h={620} />}>
            {schedules.pending ? (
              <Skeleton h={620} />
            ) : (
              <WeekCalendar
                monday={monday}
                pieces={pieces}
                gaps={stretches.filter(({ plays }) => plays.length === 0)}
                playlists={network.playlists}
                now={zone ? wallClock(zone) : null}
                onPick={setAt}
              />
            )}
          </Suspense>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 3 }}>
          <Stack gap="md">
            <WhatPlays network={network} devices={devices} at={at} onAt={setAt} schedules={schedules.rows} />
            <Findings findings={findingsOf(stretches)} fallback={fallbackOf(network, where)} schedules={schedules.rows} name={name} />
          </Stack>
        </Grid.Col>
      </Grid>
    </>
  );
}

/** What a zone's clock shows now, as `YYYY-MM-DDTHH:MM`. */
function wallClock(zone: string): string {
  const { date, minute } = localTime(Date.now(), zone);
  return `${date}T${String(Math.floor(minute / 60)).padStart(2, "0")}:${String(minute % 60).padStart(2, "0")}`;
}

/** What plays where no schedule is on. */
function fallbackOf(network: Network, where: Where): string {
  const groupId = where.type === "GROUP" ? where.id : network.devices.get(where.id)?.group_id;
  const playlist = groupId ? network.groups.get(groupId)?.default_playlist_id : null;
  return playlist ? `the default playlist, ${network.playlists.get(playlist) ?? "…"}, plays` : "nothing plays";
}

function Findings({ findings, fallback, schedules, name }: { findings: Finding[]; fallback: string; schedules: Schedule[]; name: string }) {
  const [all, setAll] = useState(false);
  const shown = all ? findings : findings.slice(0, MOST_FINDINGS);
  return (
    <Panel title="Conflicts and gaps">
      {schedules.length === 0 ? (
        <Text size="sm" c="dimmed">
          No schedule names {name}: {fallback} all week.
        </Text>
      ) : findings.length === 0 ? (
        <Text size="sm" c="dimmed">
          None: one schedule at a time, all week.
        </Text>
      ) : (
        <Stack gap="xs" component="ul" className="findings">
          {shown.map((finding) => (
            <li key={`${finding.kind} ${finding.spans[0]?.from}`}>
              <Text size="xs" fw={500}>
                {wordsOfSpans(finding.spans)}
              </Text>
              <Text size="xs" c="dimmed">
                {wordsOfFinding(finding, fallback)}
              </Text>
            </li>
          ))}
        </Stack>
      )}
      {findings.length > MOST_FINDINGS && (
        <Button mt="xs" size="compact-xs" variant="subtle" onClick={() => setAll(!all)}>
          {all ? "Show fewer" : `Show ${plural(findings.length - MOST_FINDINGS, "more", "more")}`}
        </Button>
      )}
    </Panel>
  );
}

const names = (list: Schedule[]) => list.map(({ name }) => name).join(", ");

function wordsOfFinding({ kind, plays, covered }: Finding, fallback: string): string {
  if (kind === "gap") return `Nothing scheduled: ${fallback}.`;
  if (kind === "shared") return `${plays.length} share the loop by weight: ${names(plays)}.`;
  const [first] = plays;
  return `${names(plays)} (priority ${first ? priorityOf(first) : 0}) stands before ${names(covered)}.`;
}
