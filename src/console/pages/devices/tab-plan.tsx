import { Anchor, Button, Group, Skeleton, Stack, Table, Text } from "@mantine/core";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import { useRead } from "../../api/query.ts";
import type { Plan, PlanSegment } from "../../api/schema.ts";
import { Empty } from "../../parts/empty.tsx";
import { Fault } from "../../parts/fault.tsx";
import { clock, DAY_MS, exact, moment, plural, span, weekday } from "../../parts/format.ts";
import { Panel } from "../../parts/panel.tsx";
import { State } from "../../parts/state.tsx";
import type { TabProps } from "./one.tsx";

/** What the device plays in the next three days, and why at a chosen hour. */
export default function PlanTab({ device }: TabProps) {
  const { data: plan, error, refetch } = useRead("GET /v1/admin/devices/{id}/plan/timeline", { path: { id: device.id } });
  const [chosen, setChosen] = useState<PlanSegment | null>(null);
  if (error) return <Fault error={error} retry={() => void refetch()} />;
  if (!plan) return <Skeleton height={260} />;
  const now = Date.now();
  const at = chosen ?? plan.segments.find(({ from, to }) => Date.parse(from) <= now && now < Date.parse(to)) ?? plan.segments[0] ?? null;
  const told = typeof device.heartbeat?.plan_etag === "string" ? device.heartbeat.plan_etag.replaceAll('"', "") : null;
  return (
    <Stack gap="md">
      <Panel
        title="What does it play, hour by hour?"
        aside={
          <Text size="xs" component="div">
            {told === null ? (
              <State value="unknown">It has not told which plan it has</State>
            ) : told === plan.etag ? (
              <State value="ok">It has this plan</State>
            ) : (
              <State value="warn">It has another plan still</State>
            )}
          </Text>
        }
      >
        <Timeline plan={plan} chosen={at} onChoose={setChosen} />
      </Panel>
      {at && <SegmentPanel deviceId={device.id} plan={plan} segment={at} onNow={chosen ? () => setChosen(null) : null} />}
    </Stack>
  );
}

const SHADES = ["--accent", "--text-quiet", "--unknown", "--line-strong"];

function kindOf({ takeover_id, schedule_ids, loop }: PlanSegment): "takeover" | "schedules" | "default" | "nothing" {
  if (loop.length === 0) return "nothing";
  if (takeover_id) return "takeover";
  return schedule_ids.length > 0 ? "schedules" : "default";
}

/** One line for each day; a box for each segment, chosen by click or keyboard. */
function Timeline({ plan, chosen, onChoose }: { plan: Plan; chosen: PlanSegment | null; onChoose: (segment: PlanSegment) => void }) {
  const shadeOf = useMemo(() => {
    const seen = [...new Set(plan.segments.map((segment) => segment.schedule_ids.join()))].filter(Boolean);
    return (segment: PlanSegment) => SHADES[Math.max(0, seen.indexOf(segment.schedule_ids.join())) % SHADES.length] ?? "--accent";
  }, [plan]);
  const [start, end] = [Date.parse(plan.valid_from), Date.parse(plan.valid_to)];
  const days = Array.from({ length: Math.ceil((end - start) / DAY_MS) }, (_, index) => start + index * DAY_MS);
  return (
    <Stack gap={6}>
      {days.map((from) => (
        <div key={from}>
          <Text size="xs" c="dimmed">
            {weekday(from, plan.timezone)}
          </Text>
          <div style={{ position: "relative", height: 30 }}>
            {plan.segments
              .filter((segment) => Date.parse(segment.to) > from && Date.parse(segment.from) < from + DAY_MS)
              .map((segment) => {
                const left = Math.max(0, (Date.parse(segment.from) - from) / DAY_MS);
                const right = Math.min(1, (Date.parse(segment.to) - from) / DAY_MS);
                const kind = kindOf(segment);
                const words = `${clock(Date.parse(segment.from), plan.timezone)}–${clock(Date.parse(segment.to), plan.timezone)}: ${wordsOf(segment)}`;
                return (
                  <button
                    key={segment.from}
                    type="button"
                    className="plan-box"
                    aria-pressed={segment === chosen}
                    aria-label={words}
                    title={words}
                    onClick={() => onChoose(segment)}
                    style={{
                      left: `${left * 100}%`,
                      width: `${(right - left) * 100}%`,
                      background:
                        kind === "takeover"
                          ? "var(--warn)"
                          : kind === "schedules"
                            ? `var(${shadeOf(segment)})`
                            : kind === "default"
                              ? "var(--line-strong)"
                              : "transparent",
                    }}
                  />
                );
              })}
          </div>
        </div>
      ))}
      <Group justify="space-between" aria-hidden>
        {["00:00", "06:00", "12:00", "18:00", "24:00"].map((hour) => (
          <Text key={hour} size="xs" c="dimmed">
            {hour}
          </Text>
        ))}
      </Group>
      <Text size="xs" c="dimmed">
        Strong: schedules. Faint: the group's default playlist. Empty: nothing. Times of {plan.timezone}.
      </Text>
    </Stack>
  );
}

function wordsOf(segment: PlanSegment): string {
  const items = plural(segment.loop.length, "place in the loop", "places in the loop");
  return {
    takeover: `an emergency message, ${items}`,
    schedules: `${plural(segment.schedule_ids.length, "schedule")}, ${items}`,
    default: `the default playlist, ${items}`,
    nothing: "nothing to play",
  }[kindOf(segment)];
}

const MAX_SHOWN = 40;

function SegmentPanel({
  deviceId,
  plan,
  segment,
  onNow,
}: {
  deviceId: string;
  plan: Plan;
  segment: PlanSegment;
  onNow: (() => void) | null;
}) {
  const explained = useRead("GET /v1/admin/devices/{id}/plan", { path: { id: deviceId }, query: { at: segment.from } });
  const [from, to] = [Date.parse(segment.from), Date.parse(segment.to)];
  const isNow = from <= Date.now() && Date.now() < to;
  return (
    <Panel
      title={
        isNow ? "What plays now, and why?" : `What plays from ${moment(from, plan.timezone)} to ${moment(to, plan.timezone)}, and why?`
      }
      aside={
        onNow && (
          <Button size="compact-xs" variant="default" onClick={onNow}>
            Now
          </Button>
        )
      }
    >
      <Stack gap="sm">
        <Text size="sm">
          {wordsOf(segment)}, until {exact(to, plan.timezone)}
        </Text>
        {segment.loop.length > 0 && <Loop plan={plan} segment={segment} />}
        {explained.data && explained.data.schedules.length > 0 ? (
          <Table fz="sm" aria-label="Schedules and why they play or not">
            <Table.Thead>
              <Table.Tr>
                <Table.Th>Schedule</Table.Th>
                <Table.Th>At this time</Table.Th>
                <Table.Th ta="right">Priority</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {explained.data.schedules.map((schedule) => (
                <Table.Tr key={schedule.schedule_id}>
                  <Table.Td>
                    <Anchor component={Link} href={`/schedules/${schedule.schedule_id}`} inherit>
                      {schedule.name ?? "Without a name"}
                    </Anchor>
                  </Table.Td>
                  <Table.Td>
                    <State value={schedule.reason === "plays" ? "ok" : "unknown"}>{REASONS[schedule.reason] ?? schedule.reason}</State>
                  </Table.Td>
                  <Table.Td ta="right">{schedule.priority}</Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        ) : (
          explained.data && <Empty>No schedule names this device or its group.</Empty>
        )}
      </Stack>
    </Panel>
  );
}

const REASONS: Record<string, string> = {
  plays: "Plays",
  archived: "Is archived",
  excluded_store: "Leaves this store out",
  not_yet: "Has not begun",
  ended: "Has ended",
  excluded_date: "Leaves this day out",
  outside_dayparts: "Is for other hours",
  takeover: "Gives way to an emergency message",
  lower_priority: "Gives way to a higher priority",
  empty_playlist: "Has an empty playlist",
  no_time_left: "Finds no time left in the hour",
};

function Loop({ plan, segment }: { plan: Plan; segment: PlanSegment }) {
  const totalMs = segment.loop.reduce((sum, slot) => sum + (slot.duration_ms ?? plan.items[slot.item]?.duration_ms ?? 0), 0);
  return (
    <div>
      <Text size="xs" c="dimmed" mb={4}>
        The loop, {span(totalMs)} and over again
      </Text>
      <Group gap={6}>
        {segment.loop.slice(0, MAX_SHOWN).map((slot) => (
          <LoopItem key={slot.slot_id} plan={plan} slot={slot} />
        ))}
        {segment.loop.length > MAX_SHOWN && <Text size="xs">and {segment.loop.length - MAX_SHOWN} more</Text>}
      </Group>
    </div>
  );
}

function LoopItem({ plan, slot }: { plan: Plan; slot: PlanSegment["loop"][number] }) {
  const item = plan.items[slot.item];
  const content = useRead(
    "GET /v1/admin/content/{id}",
    { path: { id: item?.content_id ?? "" } },
    { enabled: item !== undefined, staleTime: 60_000 },
  );
  const ms = slot.duration_ms ?? item?.duration_ms ?? null;
  return (
    <Anchor component={Link} href={`/content/${item?.content_id ?? ""}`} size="xs" className="loop-item">
      {content.data?.name ?? item?.type ?? "item"}
      {ms === null ? "" : ` · ${span(ms)}`}
    </Anchor>
  );
}
