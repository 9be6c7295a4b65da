import { env } from "cloudflare:workers";
import { CHUNK_VERSION, encodeChunk, encodeTelemetryBody } from "../../src/plays/chunk.ts";
import type { TelemetryRow } from "../../src/telemetry/event.ts";
import { Sketch } from "../../src/telemetry/sketch.ts";

/** A recorded event: a start, of no session, but for what is given. */
export function telemetryRow(given: Partial<TelemetryRow> & { content_id: string; at: number }): TelemetryRow {
  const plain = { type: "play_start", position_ms: null, played_ms: 0, session: "", correlation_id: "c", named: true } as const;
  return { ...plain, received_at: given.at, ...given };
}

let number = 0;
const INCARNATION = crypto.randomUUID();

/** A chunk of a player that holds telemetry alone, each of the lists from one request. */
export function telemetryChunk(deviceId: string, ...requests: TelemetryRow[][]): Uint8Array<ArrayBuffer> {
  number += 1;
  const header = { v: CHUNK_VERSION, device_id: deviceId, incarnation: INCARNATION, number, plays: 0, refusals: [] };
  return encodeChunk(header, requests.map(encodeTelemetryBody));
}

/** Empties everything that telemetry leaves in D1. */
export async function clearTelemetry(): Promise<void> {
  const tables = ["telemetry_commits", "telemetry_hourly", "telemetry_daily", "telemetry_devices_daily"];
  await env.DB.batch([
    ...tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)),
    env.DB.prepare("UPDATE telemetry_folded SET through = coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'telemetry_commits'), 0)"),
  ]);
}

/** The rows of an aggregate, its sketches as how many different things are in each. */
export async function aggregateRows(table: "telemetry_hourly" | "telemetry_daily" | "telemetry_devices_daily") {
  const { results } = await env.DB.prepare(`SELECT * FROM ${table} ORDER BY 1, 2`).all<Record<string, unknown>>();
  return results.map((row) => {
    const sketches = ["sessions", "devices", "contents"].filter((column) => column in row);
    return { ...row, ...Object.fromEntries(sketches.map((column) => [column, Sketch.parse(String(row[column])).distinct().count])) };
  });
}

/** Puts a content into the default playlist of a device's group, so that the device plays it. */
export async function playOnGroup({
  groupId,
  contentId,
  campaignId,
}: {
  groupId: string;
  contentId: string;
  campaignId: string;
}): Promise<void> {
  const playlist = crypto.randomUUID();
  const run = (sql: string, ...values: string[]) => env.DB.prepare(sql).bind(...values);
  await env.DB.batch([
    run("INSERT INTO playlists (id, name, campaign_id, created_at, updated_at) VALUES (?, 'Loop', ?, 0, 0)", playlist, campaignId),
    run(
      `INSERT INTO playlist_items (id, playlist_id, content_version_id, order_index)
       SELECT ?, ?, id, 0 FROM content_versions WHERE content_id = ?`,
      crypto.randomUUID(),
      playlist,
      contentId,
    ),
    run("UPDATE device_groups SET default_playlist_id = ? WHERE id = ?", playlist, groupId),
  ]);
}

/** An event as players send it: a start, now, but for what is given. */
export function sentEvent(trackId: string, given: Record<string, unknown> = {}): Record<string, unknown> {
  return { eventType: "play_start", trackId, clientTimestamp: new Date().toISOString(), eventId: crypto.randomUUID(), ...given };
}
