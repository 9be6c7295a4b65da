import type { Chunk } from "../plays/chunk.ts";
import { MAX_D1_PARAMETER_BYTES } from "../plays/limits.ts";
import { Sketch } from "./sketch.ts";
import { type ContentSum, type PlayerSum, sumTelemetry, TELEMETRY_COUNTS } from "./sums.ts";

/** Sums as a commit keeps them, by column. */
interface KeptSums {
  contents: (number | string)[][];
  players: (number | string | string[])[][];
}

/**
 * What a commit writes for the telemetry in its chunks: one row, whatever the chunks hold (more where it is very large), and none where they
 * hold none. It belongs into the transaction of the ledger, so that an event counts once.
 */
export function telemetryStatements(db: D1Database, chunks: Pick<Chunk, "header" | "telemetry">[], now: number): D1PreparedStatement[] {
  if (chunks.every(({ telemetry }) => telemetry.length === 0)) return [];
  const { contents, players, events } = sumTelemetry(chunks);
  const parts = inParts({ contents: contents.map(contentValues), players: players.map(playerValues) });
  return parts.map((sums, index) =>
    db
      .prepare("INSERT INTO telemetry_commits (recorded_at, sums_json, events_json) VALUES (?, ?, ?)")
      .bind(now, sums, JSON.stringify(index === parts.length - 1 ? events : [])),
  );
}

function contentValues(sum: ContentSum): (number | string)[] {
  return [sum.hour, sum.content_id, ...TELEMETRY_COUNTS.map((count) => sum[count]), sum.sessions.toString(), sum.devices.toString()];
}

function playerValues(sum: PlayerSum): (number | string | string[])[] {
  const { day, device_id, starts_count, completed_count, played_ms, last_activity_at, contents } = sum;
  return [day, device_id, starts_count, completed_count, played_ms, last_activity_at, [...contents]];
}

/** As texts that D1 takes. They are ASCII: as many bytes as characters. */
function inParts({ contents, players }: KeptSums): string[] {
  const text = JSON.stringify({ contents, players });
  if (text.length <= MAX_D1_PARAMETER_BYTES || contents.length + players.length <= 1) return [text];
  const [half, halfPlayers] = [contents.length >> 1, players.length >> 1];
  return [
    ...inParts({ contents: contents.slice(0, half), players: players.slice(0, halfPlayers) }),
    ...inParts({ contents: contents.slice(half), players: players.slice(halfPlayers) }),
  ];
}

/** Sums as a commit has kept them. */
export function readSums(text: string): { contents: ContentSum[]; players: PlayerSum[] } {
  const { contents, players } = JSON.parse(text) as KeptSums;
  return { contents: contents.map(readContent), players: players.map(readPlayer) };
}

function readContent(values: (number | string)[]): ContentSum {
  const number = (at: number) => Number(values[at]);
  return {
    hour: number(0),
    content_id: String(values[1]),
    starts_count: number(2),
    completed_count: number(3),
    stops_count: number(4),
    progress_count: number(5),
    seeks_count: number(6),
    played_ms: number(7),
    sessions: Sketch.parse(String(values[8])),
    devices: Sketch.parse(String(values[9])),
  };
}

function readPlayer([day, device_id, starts, completed, played_ms, last, contents]: (number | string | string[])[]): PlayerSum {
  return {
    day: String(day),
    device_id: String(device_id),
    starts_count: Number(starts),
    completed_count: Number(completed),
    played_ms: Number(played_ms),
    last_activity_at: Number(last),
    contents: new Set(Array.isArray(contents) ? contents : []),
  };
}
