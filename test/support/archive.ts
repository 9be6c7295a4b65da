import { env } from "cloudflare:workers";
import { DAILY_SUMS } from "../../src/plays/tables.ts";
import { alteredChunk } from "./chunks.ts";
import { postBatch, signedLogs, type TestDevice } from "./device.ts";
import { CaughtQueue, deliver, drain, runAlarm } from "./pipeline.ts";

/** A segment's row in D1. */
export interface SegmentRow {
  id: string;
  r2_key: string;
  sha256: string;
  plays_count: number;
  compacted_at: number | null;
  generation: number;
  first_day: string;
  last_day: string;
}

export async function segments(): Promise<SegmentRow[]> {
  return (await env.DB.prepare("SELECT * FROM segments ORDER BY id").all<SegmentRow>()).results;
}

/** Sends plays all the way: from the device into one segment and D1. */
export async function recordSegment(device: TestDevice, queue: CaughtQueue, count: number, changes?: Changes): Promise<void> {
  const answer = await (await postBatch(device, await signedLogs(device, count, changes))).json<{ processed: number }>();
  if (answer.processed !== count) throw new Error(JSON.stringify(answer));
  await drain(device.id, queue);
}

/** What of plays is changed on their way, so that they are of another time. */
export interface Moved {
  day?: string;
  receivedAt?: number;
}

type Changes = (index: number) => Record<string, unknown>;

/** Sends plays up to the queue. Returns the messages, to be delivered later, again, or never. */
export async function sendChunks(
  device: TestDevice,
  queue: CaughtQueue,
  count: number,
  moved: Moved = {},
  changes?: Changes,
): Promise<Uint8Array[]> {
  await postBatch(device, await signedLogs(device, count, changes));
  await runAlarm(device.id);
  return queue.take().map((body) => movedChunk(body, moved));
}

/** Records plays of another time or day as the queue would bring them, in one segment: messages of the device's own, changed. */
export async function recordMoved(device: TestDevice, queue: CaughtQueue, count: number, moved: Moved, changes?: Changes): Promise<void> {
  await deliver(await sendChunks(device, queue, count, moved, changes));
}

/** A chunk whose plays fall on another day or were received at another time; all else stays. */
function movedChunk(body: Uint8Array, { day, receivedAt }: Moved): Uint8Array {
  return alteredChunk(body, (play) => ({ day: day ?? play.day, received_at: receivedAt ?? play.received_at }));
}

/** A device whose messages the test delivers. */
export async function attached(device: TestDevice): Promise<CaughtQueue> {
  const queue = new CaughtQueue();
  await queue.attach(device.id);
  return queue;
}

/** Overwrites one byte in the middle of an object. */
export async function damageObject(key: string): Promise<void> {
  const object = await env.BUCKET.get(key);
  if (!object) throw new Error(`there is no ${key}`);
  const bytes = new Uint8Array(await object.arrayBuffer());
  bytes[bytes.length >> 1] = (bytes[bytes.length >> 1] ?? 0) ^ 0xff;
  await env.BUCKET.put(key, bytes);
}

/** Empties the archive and all that plays leave in D1. */
export async function clearArchive(): Promise<void> {
  const tables = [
    "chunk_plays",
    "plays_hourly",
    "proof_of_play_aggregate_daily",
    "device_activity_daily",
    ...DAILY_SUMS.map(({ table }) => table),
    "plays_daily_pending",
    "aggregate_days",
    "aggregate_generations",
    "chunk_ledger",
    "chunk_ledger_folds",
    "segments",
    "segment_parts",
    "archive_parts",
    "archive_manifests",
    "archive_checks",
    "event_rows_window",
    "replays",
    "replay_segments",
    "incidents",
    "dead_letters",
  ];
  await env.DB.batch([
    ...tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)),
    env.DB.prepare("INSERT INTO aggregate_generations (id, live, writing, created_at) VALUES (1, 1, 1, 0)"),
  ]);
  for (const prefix of ["segments/", "plays/"]) {
    const { objects } = await env.BUCKET.list({ prefix });
    await env.BUCKET.delete(objects.map(({ key }) => key));
  }
}

/** The details of the open incident about the archive; null where there is none. */
export async function openMismatch(): Promise<Record<string, unknown> | null> {
  const row = await env.DB.prepare(
    "SELECT details_json FROM incidents WHERE type = 'ARCHIVE_MISMATCH' AND device_id = '' AND resolved_at IS NULL",
  ).first<{ details_json: string }>();
  return row ? (JSON.parse(row.details_json) as Record<string, unknown>) : null;
}

export async function keysUnder(prefix: string): Promise<string[]> {
  return (await env.BUCKET.list({ prefix })).objects.map(({ key }) => key);
}
