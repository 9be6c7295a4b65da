import { type ChunkHeader, decodeChunk, encodeBody, encodeChunk, type Verdict } from "../../src/plays/chunk.ts";
import { type PlayRow, playRows } from "../../src/plays/columns.ts";
import { sealParcels } from "../../src/plays/parcel.ts";
import type { VerifiedLog } from "../../src/plays/play.ts";

/** The bodies of plays that came in one request: what a sequencer keeps of them. All have the first one's request and batch. */
export function bodiesOf(plays: PlayRow[]): Uint8Array<ArrayBuffer>[] {
  const [first] = plays;
  if (!first) return [];
  const { door, received_at, key_id, correlation_id } = first.play;
  const parcels = sealParcels({ door, received_at, key_id, correlation_id, batch: first.batch }, plays.map(verifiedOf));
  let at = 0;
  return parcels.map((parcel) => {
    const own = plays.slice(at, at + parcel.logs);
    at += parcel.logs;
    return encodeBody(parcel.bytes, own.map(verdictOf));
  });
}

/** The chunk that holds these plays, all of one request. */
export function chunkOf(header: Omit<ChunkHeader, "plays">, plays: PlayRow[]): Uint8Array<ArrayBuffer> {
  return encodeChunk({ ...header, plays: plays.length }, bodiesOf(plays));
}

/** A chunk with its plays changed, and everything else as it was; of one request. */
export function alteredChunk(
  body: Uint8Array,
  change: (play: PlayRow["play"], index: number) => Partial<PlayRow["play"]>,
): Uint8Array<ArrayBuffer> {
  const { header, plays } = decodeChunk(body);
  return chunkOf(
    header,
    playRows(plays).map((given, index) => ({ ...given, play: { ...given.play, ...change(given.play, index) } })),
  );
}

/** Puts a row where this chunk's single plays belong: readable as it is, it cannot be recorded. Returns what to call when the cause is gone. */
export async function blockChunk(db: D1Database, body: Uint8Array): Promise<() => Promise<void>> {
  const { header, plays } = decodeChunk(body);
  const day = [...plays.day].sort().at(-1);
  await db
    .prepare("INSERT INTO chunk_plays VALUES (?, ?, ?, ?, '', 0, '[]', '[]')")
    .bind(header.device_id, day, header.incarnation, header.number)
    .run();
  return async () => {
    await db.prepare("DELETE FROM chunk_plays WHERE device_id = ? AND rows_json = '[]'").bind(header.device_id).run();
  };
}

function verifiedOf({ play, proof }: PlayRow): VerifiedLog {
  return {
    log: {
      id: play.event_id,
      campaignId: play.campaign_id,
      adGroupId: play.ad_group_id,
      contentId: play.content_id,
      contentVersion: play.content_version,
      playlistId: play.playlist_id,
      slotId: play.slot_id,
      type: "PLAY",
      startedAt: play.started_at_raw,
      endedAt: play.ended_at_raw,
      durationMs: play.duration_ms,
      deviceExpectedMs: null,
      status: play.result || "INTERRUPTED",
      epoch: play.epoch,
      sequence: play.sequence,
      location: null,
    },
    proof: { ...proof, recordHash: play.record_hash },
  };
}

function verdictOf({ play }: PlayRow): Verdict {
  return {
    day: play.day,
    store_id: play.store_id,
    supplier_id: play.supplier_id,
    offset_ms: play.started_at_raw - play.started_at,
    expected_ms: play.expected_ms,
    result: play.result,
    billable: play.billable,
    quality: play.quality,
    flags: play.flags,
    policy_version: play.policy_version,
  };
}
