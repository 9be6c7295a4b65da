import { type DeviceJwk, importDeviceKey, verifySignature } from "../../devices/keys.ts";
import { decodeBase64, sha256Hex } from "../../platform/encoding.ts";
import { canonicalRecord } from "../verify.ts";
import { type Damage, readSegments, SEGMENT_REF_COLUMNS, type SegmentRef } from "./read.ts";
import type { ArchiveRow } from "./segment.ts";

/** What proves a play: checked anew, from what the archive holds and the key that is registered. */
export interface PlayProof {
  /** The hash of the archived record, computed now; `recordHolds`: it is the one that was recorded with the play. */
  recordHash: string;
  recordHolds: boolean;
  /** Base64; null where nobody signed. */
  signature: string | null;
  /** Whether the signature holds for the archived record and the device's key. Null where there is none. */
  signatureHolds: boolean | null;
  key: { kid: string; jwk: DeviceJwk } | null;
}

/** Checks an archived play: its record's hash, and its signature or its batch's. */
export async function proveArchived(db: D1Database, { play, proof, batch, deviceId }: ArchiveRow): Promise<PlayProof> {
  const recordHash = await bareHash(proof.record);
  const key = await registeredKey(db, deviceId, play.key_id);
  const signature = proof.signature?.toBase64() ?? batch?.signature ?? null;
  const signed = batch ? batch.lines : proof.record;
  const covered =
    batch === null ||
    batch.lines
      .split("\n")
      .slice(3)
      .includes(await sha256Hex(new TextEncoder().encode(proof.record)));
  return {
    recordHash: recordHash ?? "",
    recordHolds: recordHash === play.record_hash,
    signature,
    signatureHolds: signature === null ? null : covered && key !== null && (await holds(key.jwk, signature, signed)),
    key,
  };
}

/** SHA-256 of the record without `signature` and `checksum` as JCS; null where the text is no record. */
async function bareHash(text: string): Promise<string | null> {
  try {
    const record = canonicalRecord(JSON.parse(text) as Record<string, unknown>);
    return "code" in record ? null : await sha256Hex(record.bareBytes);
  } catch {
    return null;
  }
}

async function holds(jwk: DeviceJwk, signature: string, text: string): Promise<boolean> {
  const bytes = decodeBase64(signature);
  return bytes !== null && (await verifySignature(jwk.alg, await importDeviceKey(jwk), bytes, new TextEncoder().encode(text)));
}

async function registeredKey(db: D1Database, deviceId: string, kid: string): Promise<PlayProof["key"]> {
  if (kid === "") return null;
  const row = await db
    .prepare("SELECT jwk_json FROM device_keys WHERE device_id = ? AND kid = ?")
    .bind(deviceId, kid)
    .first<{ jwk_json: string }>();
  return row ? { kid, jwk: JSON.parse(row.jwk_json) as DeviceJwk } : null;
}

/** A play in the archive, whole; or why it cannot be shown. */
export type ArchivedPlay =
  | { status: "ok"; row: ArchiveRow; segment: SegmentRef }
  | { status: "unknown" }
  | { status: "unreadable"; damage: Damage };

/** Reads one play with its proof from the segment that holds it. @throws what R2 or D1 throw */
export async function readArchivedPlay(
  env: Pick<Env, "DB" | "BUCKET">,
  segmentId: string,
  deviceId: string,
  eventId: string,
): Promise<ArchivedPlay> {
  const segment = await env.DB.prepare(`SELECT ${SEGMENT_REF_COLUMNS} FROM segments WHERE id = ?`).bind(segmentId).first<SegmentRef>();
  if (!segment) return { status: "unknown" };
  const { rows, damaged } = await readSegments(env, [segment]);
  const [damage] = damaged;
  if (damage) return { status: "unreadable", damage };
  const row = rows
    .get(segmentId)
    ?.find(({ play, deviceId: id }) => id === deviceId && play.event_id === eventId && play.type !== "PLAY_START");
  return row ? { status: "ok", row, segment } : { status: "unknown" };
}

/** The segment that a chunk was recorded with; null where the ledger's row of it was folded, or never was. */
export async function segmentOfChunk(db: D1Database, chunk: string): Promise<string | null> {
  const [deviceId = "", incarnation = "", number = ""] = chunk.split(".");
  const segmentId = await db
    .prepare("SELECT segment_id FROM chunk_ledger WHERE device_id = ? AND incarnation = ? AND number = ?")
    .bind(deviceId, incarnation, Number(number))
    .first<string>("segment_id");
  return segmentId || null;
}
