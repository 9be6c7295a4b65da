import canonicalize from "canonicalize";
import { base64, sha256Hex, utf8 } from "./encoding.ts";
import { type Identity, sign } from "./identity.ts";

export type PlayStatus = "COMPLETED" | "PARTIAL" | "SKIPPED" | "INTERRUPTED" | "ERROR";

/** What a device says of one play, before it is signed. Times are RFC 3339 in UTC by the device's clock, durations seconds. */
export interface PlayLog {
  log_id: string;
  device_id: string;
  campaign_id?: string;
  ad_group_id?: string;
  content_id: string;
  content_version?: string;
  playlist_id?: string;
  slot_id?: string;
  started_at: string;
  ended_at: string;
  duration_actual: number;
  duration_expected?: number;
  status: PlayStatus;
  sequence?: number;
  epoch?: string;
  location?: { lat: number; lng: number };
  screenshot_hash?: string;
  metadata?: Record<string, unknown>;
}

export interface SignedPlayLog extends PlayLog {
  checksum: string;
  /** Base64. */
  signature: string;
}

/** The canonical JSON (JCS, RFC 8785) of a value. Throws for what JSON cannot say. */
export function canonicalJson(value: unknown): string {
  const text = canonicalize(value);
  if (text === undefined) throw new TypeError("The value has no JSON form.");
  return text;
}

/** The bytes that a record's signature is over: the record without `signature`, as canonical JSON in UTF-8. */
export function signedBytes(record: object): Uint8Array<ArrayBuffer> {
  return utf8(canonicalJson(without(record, ["signature"])));
}

/** A record's checksum: lower-case hex SHA-256 of the record without `signature` and `checksum`, as canonical JSON. */
export async function checksumOf(record: object): Promise<string> {
  return await sha256Hex(canonicalJson(without(record, ["signature", "checksum"])));
}

/** The log with its checksum and, over both, its signature. */
export async function signPlayLog(identity: Identity, log: PlayLog): Promise<SignedPlayLog> {
  const summed = { ...log, checksum: await checksumOf(log) };
  return { ...summed, signature: base64(await sign(identity, signedBytes(summed))) };
}

function without(record: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}
