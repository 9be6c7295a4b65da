import { sha256Now } from "../platform/hash.ts";
import { HOUR_MS, utcDay } from "../platform/time.ts";
import type { Chunk } from "../plays/chunk.ts";
import type { TelemetryRow, TelemetryType } from "./event.ts";
import { FEED_EVENTS_PER_COMMIT } from "./limits.ts";
import { Sketch } from "./sketch.ts";

/** The figures of a content's hour or day. */
export const TELEMETRY_COUNTS = ["starts_count", "completed_count", "stops_count", "progress_count", "seeks_count", "played_ms"] as const;
export type TelemetryCounts = Record<(typeof TELEMETRY_COUNTS)[number], number>;

/** One hour of one content: what a commit adds. `content_id` may still be an external id. */
export interface ContentSum extends TelemetryCounts {
  hour: number;
  content_id: string;
  sessions: Sketch;
  devices: Sketch;
}

/** One day of one player. */
export interface PlayerSum {
  day: string;
  device_id: string;
  starts_count: number;
  completed_count: number;
  played_ms: number;
  last_activity_at: number;
  contents: Set<string>;
}

/** An event as the feed shows it. `device_id` is `''` where nobody gave one. */
export interface FeedEvent {
  type: TelemetryType;
  content_id: string;
  device_id: string;
  at: number;
  received_at: number;
  position_ms: number | null;
  played_ms: number;
}

export interface TelemetrySums {
  contents: ContentSum[];
  players: PlayerSum[];
  /** The newest ones, oldest first. */
  events: FeedEvent[];
}

const COUNT_OF = {
  play_start: "starts_count",
  play_complete: "completed_count",
  play_stop: "stops_count",
  play_progress: "progress_count",
  seek: "seeks_count",
} as const satisfies Record<TelemetryType, keyof TelemetryCounts>;

export const NO_COUNTS: TelemetryCounts = {
  starts_count: 0,
  completed_count: 0,
  stops_count: 0,
  progress_count: 0,
  seeks_count: 0,
  played_ms: 0,
};

/** Something's place in a sketch. */
export function sketchHash(id: string): string {
  return sha256Now(id).slice(0, 16);
}

/** Sums up the telemetry of chunks, so that a commit writes one row, not one for each event. Pure. */
export function sumTelemetry(chunks: Pick<Chunk, "header" | "telemetry">[]): TelemetrySums {
  const contents = new Map<string, ContentSum>();
  const players = new Map<string, PlayerSum>();
  const events: FeedEvent[] = [];
  for (const { header, telemetry } of chunks) {
    const device = telemetry.length === 0 ? "" : sketchHash(header.device_id);
    for (const row of telemetry) {
      addToContent(contentOf(contents, row), row, device);
      if (row.named) addToPlayer(playerOf(players, header.device_id, utcDay(row.at)), row);
      events.push(feedEvent(row, header.device_id));
    }
  }
  events.sort((a, b) => a.received_at - b.received_at || a.at - b.at);
  return { contents: [...contents.values()], players: [...players.values()], events: events.slice(-FEED_EVENTS_PER_COMMIT) };
}

function contentOf(sums: Map<string, ContentSum>, { at, content_id }: TelemetryRow): ContentSum {
  const hour = Math.floor(at / HOUR_MS) * HOUR_MS;
  const key = `${hour}|${content_id}`;
  const sum = sums.get(key) ?? { hour, content_id, ...NO_COUNTS, sessions: new Sketch(), devices: new Sketch() };
  sums.set(key, sum);
  return sum;
}

function addToContent(sum: ContentSum, row: TelemetryRow, device: string): void {
  sum[COUNT_OF[row.type]] += 1;
  sum.played_ms += row.played_ms;
  if (row.session !== "") sum.sessions.add(row.session);
  if (row.named) sum.devices.add(device);
}

function playerOf(sums: Map<string, PlayerSum>, device_id: string, day: string): PlayerSum {
  const key = `${day}|${device_id}`;
  const none = { starts_count: 0, completed_count: 0, played_ms: 0, last_activity_at: 0 };
  const sum = sums.get(key) ?? { day, device_id, ...none, contents: new Set<string>() };
  sums.set(key, sum);
  return sum;
}

function addToPlayer(sum: PlayerSum, row: TelemetryRow): void {
  if (row.type === "play_start") sum.starts_count += 1;
  if (row.type === "play_complete") sum.completed_count += 1;
  sum.played_ms += row.played_ms;
  sum.last_activity_at = Math.max(sum.last_activity_at, row.at);
  sum.contents.add(row.content_id);
}

function feedEvent({ type, content_id, at, received_at, position_ms, played_ms, named }: TelemetryRow, deviceId: string): FeedEvent {
  return { type, content_id, device_id: named ? deviceId : "", at, received_at, position_ms, played_ms };
}
