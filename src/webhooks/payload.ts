import { toIso } from "../platform/time.ts";
import { DECIDED_COLUMNS, readSegments, SEGMENT_REF_COLUMNS, type SegmentRef } from "../plays/archive/read.ts";
import type { ArchiveRow } from "../plays/archive/segment.ts";
import { PLAYS_PER_MESSAGE } from "./limits.ts";
import type { MessageRow } from "./tables.ts";

/** What of a message makes its body. */
export type Telling = Pick<MessageRow, "type" | "created_at" | "data_json" | "segment_id" | "part">;

/**
 * The body of a message (Standard Webhooks: type, timestamp, data). The same bytes at every attempt: of an event its data were written
 * with it, and a segment's plays never change.
 * @param plays of the message's segment, all of them as {@link readPlays} gives them; none where the message is of no segment
 */
export function bodyOf({ type, created_at, data_json, segment_id, part }: Telling, plays: ArchiveRow[]): string {
  const data = segment_id === null ? (JSON.parse(data_json ?? "{}") as unknown) : playsData(segment_id, part ?? 1, plays);
  return JSON.stringify({ type, timestamp: toIso(created_at), data });
}

function playsData(segmentId: string, part: number, plays: ArchiveRow[]): Record<string, unknown> {
  const rows = plays.slice((part - 1) * PLAYS_PER_MESSAGE, part * PLAYS_PER_MESSAGE);
  // A reported start is archived with the plays, and is none: who counts what is told here must not count it.
  const own = rows.filter(({ play }) => play.type !== "PLAY_START");
  return { segment_id: segmentId, part, parts: Math.ceil(plays.length / PLAYS_PER_MESSAGE), plays: own.map(presentPlay) };
}

/** A play as a billing system gets it: what was decided of it. Absent ids are null. */
function presentPlay({ deviceId, chunk, index, play }: ArchiveRow): Record<string, unknown> {
  return {
    event_id: play.event_id,
    device_id: deviceId,
    store_id: play.store_id || null,
    supplier_id: play.supplier_id || null,
    campaign_id: play.campaign_id || null,
    ad_group_id: play.ad_group_id || null,
    playlist_id: play.playlist_id || null,
    content_id: play.content_id || null,
    content_version: play.content_version || null,
    slot_id: play.slot_id || null,
    day: play.day,
    started_at: toIso(play.started_at),
    ended_at: toIso(play.ended_at),
    received_at: toIso(play.received_at),
    duration_ms: play.duration_ms,
    expected_ms: play.expected_ms,
    status: play.result,
    billable: play.billable === 1,
    quality: play.quality,
    flags: play.flags === "" ? [] : play.flags.split(","),
    door: play.door,
    record_hash: play.record_hash,
    chunk_id: chunk,
    chunk_index: index,
  };
}

export type PlaysRead = { ok: true; plays: ArchiveRow[] } | { ok: false; reason: string };

/**
 * All plays of a segment, wherever they lie by now, by chunk and place in it: compaction sorts a segment's rows by the day received, and
 * a message must hold the same plays before and after.
 * @throws what D1 or R2 throw: an outage is no damage.
 */
export async function readPlays(env: Pick<Env, "DB" | "BUCKET">, segmentId: string): Promise<PlaysRead> {
  const ref = await env.DB.prepare(`SELECT ${SEGMENT_REF_COLUMNS} FROM segments WHERE id = ?`).bind(segmentId).first<SegmentRef>();
  if (!ref) return { ok: false, reason: "There is no such segment." };
  const { rows, damaged } = await readSegments(env, [ref], DECIDED_COLUMNS);
  const plays = rows.get(segmentId);
  const [damage] = damaged;
  if (!plays) return { ok: false, reason: damage ? `${damage.r2_key} is ${damage.problem}.` : "The segment has no plays." };
  return { ok: true, plays: plays.toSorted((a, b) => (a.chunk === b.chunk ? a.index - b.index : a.chunk < b.chunk ? -1 : 1)) };
}
