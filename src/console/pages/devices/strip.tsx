import { Group, Skeleton, Text, Tooltip } from "@mantine/core";
import { useRead } from "../../api/query.ts";
import type { Device, DeviceActivity } from "../../api/schema.ts";
import { clock, count, HOUR_MS, plural, span } from "../../parts/format.ts";
import { Panel } from "../../parts/panel.tsx";
import { incidentTitle } from "../../parts/words.ts";
import { onlineSpans, type StripSpan } from "./strip-spans.ts";

const HEIGHT = 74;
const ONLINE_TOP = 4;
const PLAYS_TOP = 20;
const PLAYS_HEIGHT = 34;
const INCIDENTS_TOP = 62;

/** The last 24 hours in one timeline: online or silent, plays and refusals by the hour, incidents. */
export function DayStrip({ device, activity, zone }: { device: Device; activity: DeviceActivity | undefined; zone: string | undefined }) {
  const incidents = useRead("GET /v1/admin/incidents", { query: { device_id: device.id, limit: 50 } });
  if (!activity) return <Skeleton height={HEIGHT + 76} />;
  const [from, to] = [Date.parse(activity.from), Date.parse(activity.to)];
  const place = (at: number) => (1000 * (Math.max(from, Math.min(to, at)) - from)) / (to - from);
  const most = Math.max(1, ...activity.hours.map(({ plays_count }) => plays_count));
  const online = onlineSpans(activity, from, to);
  const lasting = (incidents.data?.items ?? []).filter(({ resolved_at }) => resolved_at === null || Date.parse(resolved_at) > from);
  const plays = activity.hours.reduce((sum, hour) => sum + hour.plays_count, 0);
  const refused = activity.hours.reduce((sum, hour) => sum + hour.refused_count, 0);
  const words = `${plural(plays, "play")}, ${count(refused)} refused, online for ${span(wholeSeconds(onlineMs(online)))}, ${plural(lasting.length, "incident")}`;
  return (
    <Panel
      title="The last 24 hours"
      aside={
        <Text size="xs" c="dimmed">
          {words}
        </Text>
      }
    >
      <svg
        width="100%"
        height={HEIGHT}
        viewBox={`0 0 1000 ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`The last 24 hours: ${words}`}
      >
        <rect x={0} y={ONLINE_TOP} width={1000} height={8} fill="var(--ground-hover)" />
        {online.map((one) => (
          <Bar
            key={`${one.state}${one.from}`}
            x={place(one.from)}
            to={place(one.to)}
            y={ONLINE_TOP}
            height={8}
            colour={one.state === "online" ? "--ok" : "--line-strong"}
            title={spanWords(one, zone)}
          />
        ))}
        {activity.hours.map((hour) => {
          const at = Date.parse(hour.at);
          const height = (PLAYS_HEIGHT * hour.plays_count) / most;
          const title = `${clock(at, zone)}: ${plural(hour.plays_count, "play")}, ${count(hour.billable_count)} billable, ${count(hour.refused_count)} refused`;
          return (
            <g key={hour.at}>
              <Bar
                x={place(at) + 2}
                to={place(at + HOUR_MS) - 2}
                y={PLAYS_TOP + PLAYS_HEIGHT - height}
                height={height}
                colour="--accent"
                title={title}
              />
              {hour.refused_count > 0 && (
                <Bar
                  x={place(at) + 2}
                  to={place(at + HOUR_MS) - 2}
                  y={PLAYS_TOP + PLAYS_HEIGHT + 1}
                  height={3}
                  colour="--warn"
                  title={title}
                />
              )}
            </g>
          );
        })}
        {lasting.map((incident) => (
          <Bar
            key={incident.id}
            x={place(Date.parse(incident.created_at))}
            to={Math.max(place(incident.resolved_at ? Date.parse(incident.resolved_at) : to), place(Date.parse(incident.created_at)) + 4)}
            y={INCIDENTS_TOP}
            height={6}
            colour="--bad"
            title={incidentTitle(incident.type)}
          />
        ))}
      </svg>
      <div className="strip-hours">
        {[0, 6, 12, 18].map((hours) => (
          <span key={hours} style={{ left: `${place(from + hours * HOUR_MS) / 10}%` }}>
            {clock(from + hours * HOUR_MS, zone)}
          </span>
        ))}
        <span style={{ right: 0 }}>now</span>
      </div>
      <Key />
    </Panel>
  );
}

const wholeSeconds = (ms: number) => Math.round(ms / 1000) * 1000;
const onlineMs = (spans: StripSpan[]) => spans.filter(({ state }) => state === "online").reduce((sum, one) => sum + one.to - one.from, 0);

function spanWords({ state, from, to }: StripSpan, zone: string | undefined): string {
  const what = state === "online" ? "Online" : "Silent";
  return `${what} ${clock(from, zone)}–${clock(to, zone)}, ${span(to - from)}`;
}

function Bar({ x, to, y, height, colour, title }: { x: number; to: number; y: number; height: number; colour: string; title: string }) {
  if (height <= 0) return null;
  return (
    <Tooltip.Floating label={title}>
      <rect x={x} y={y} width={Math.max(1, to - x)} height={height} rx={1} fill={`var(${colour})`} />
    </Tooltip.Floating>
  );
}

function Key() {
  return (
    <Group gap="md" mt={4}>
      {[
        ["--ok", "online"],
        ["--line-strong", "silent"],
        ["--accent", "plays by the hour"],
        ["--warn", "refused"],
        ["--bad", "incident"],
      ].map(([colour, words]) => (
        <Group key={words} gap={5} wrap="nowrap">
          <svg width="10" height="10" aria-hidden>
            <rect width="10" height="10" rx="2" fill={`var(${colour})`} />
          </svg>
          <Text size="xs" c="dimmed">
            {words}
          </Text>
        </Group>
      ))}
    </Group>
  );
}
