import { brotliCompressSync, brotliDecompressSync, constants } from "node:zlib";
import { z } from "zod";
import { MAX_PARCEL_BYTES, MAX_PARCEL_TEXT_BYTES } from "./limits.ts";
import {
  type ColumnChecks,
  type Columns,
  isOneOf,
  isText,
  isWhole,
  isWholeOrNull,
  type PackedRows,
  packColumns,
  readColumns,
} from "./packed.ts";
import type { BatchProof, SignedBy, VerifiedLog } from "./play.ts";
import { DOORS, type Door } from "./policy.ts";

/** What all logs of a request have in common, as the Worker knows it. */
export interface ParcelRequest {
  door: Door;
  /** ms since 1970. */
  received_at: number;
  key_id: string;
  correlation_id: string;
  /** The proof of the whole batch, where one holds. */
  batch: BatchProof | null;
}

/** A log as it travels: what its device reported of the play, under the names of `proof_of_play_events`. Times in ms. */
export interface ParcelLog {
  event_id: string;
  campaign_id: string;
  ad_group_id: string;
  playlist_id: string;
  content_id: string;
  content_version: string;
  slot_id: string;
  type: string;
  started_at_raw: number;
  ended_at_raw: number;
  duration_ms: number;
  epoch: string;
  sequence: number | null;
  record_hash: string;
}

/** The verified logs of one request, or a part of them, sealed by the Worker: nothing on the way opens it but to read. */
export interface Parcel {
  logs: number;
  bytes: Uint8Array<ArrayBuffer>;
}

/** A line of a parcel before it is packed. */
interface Line extends ParcelLog {
  signed_by: SignedBy;
}

/** A log out of a parcel, with its proof: the text that was signed, and the signature, null where it has none of its own. */
export interface OpenedLog extends Line {
  record: string;
  signature: Uint8Array | null;
}

export interface OpenedParcel {
  request: ParcelRequest;
  logs: Columns<OpenedLog>;
}

const LINE_CHECKS: ColumnChecks<Line> = {
  event_id: isText,
  campaign_id: isText,
  ad_group_id: isText,
  playlist_id: isText,
  content_id: isText,
  content_version: isText,
  slot_id: isText,
  type: isText,
  started_at_raw: isWhole,
  ended_at_raw: isWhole,
  duration_ms: isWhole,
  epoch: isText,
  sequence: isWholeOrNull,
  record_hash: isText,
  signed_by: isOneOf(["record", "batch", "nobody"] satisfies SignedBy[]),
};

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** The length of the text as it is stored stands in front, big-endian; its highest bit says that it is not compressed. */
const PREFIX_BYTES = 4;
const PLAIN_TEXT = 0x8000_0000;
/** Of a few logs: compressing them takes far longer than it saves. */
const PLAIN_TEXT_MAX_BYTES = 4096;
// Next to the fastest: records of one device differ in little, and become a sixth of their size even so. Zstandard would be faster and smaller,
// but the runtime's fails on results over 40 KB (seen in workerd 1.20261102).
const COMPRESSION = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

/**
 * Seals a request's logs, in order: a text, compressed where it is not small, and behind it the signatures as bytes, which no compression
 * makes smaller. Where that is too large for a queue's message, the logs are split over several parcels.
 *
 * The text, line by line: the request, with the lengths of the signatures and the logs' values, column by column; then each log's record
 * as JCS, without the signature: what was signed. JCS and JSON.stringify write no raw line feed.
 */
export function sealParcels(request: ParcelRequest, logs: VerifiedLog[]): Parcel[] {
  if (logs.length === 0) return [];
  const bytes = seal(request, logs);
  if (bytes.length <= MAX_PARCEL_BYTES || logs.length === 1) return [{ logs: logs.length, bytes }];
  const middle = Math.ceil(logs.length / 2);
  return [...sealParcels(request, logs.slice(0, middle)), ...sealParcels(request, logs.slice(middle))];
}

function seal(request: ParcelRequest, logs: VerifiedLog[]): Uint8Array<ArrayBuffer> {
  const signatures = logs.map(({ proof }) => proof.signature?.length ?? 0);
  const lines = [JSON.stringify({ ...request, signatures, ...packLines(logs) }), ...logs.map(({ proof }) => proof.record)];
  const plain = encoder.encode(lines.join("\n"));
  const isPlain = plain.length <= PLAIN_TEXT_MAX_BYTES;
  const text = isPlain ? plain : brotliCompressSync(plain, COMPRESSION);
  const bytes = new Uint8Array(signatures.reduce((sum, length) => sum + length, PREFIX_BYTES + text.length));
  new DataView(bytes.buffer).setUint32(0, isPlain ? text.length + PLAIN_TEXT : text.length);
  bytes.set(text, PREFIX_BYTES);
  let at = PREFIX_BYTES + text.length;
  for (const { proof } of logs) {
    if (proof.signature === null) continue;
    bytes.set(proof.signature, at);
    at += proof.signature.length;
  }
  return bytes;
}

function packLines(logs: VerifiedLog[]): PackedRows {
  return packColumns<Line>(logs.length, {
    event_id: logs.map(({ log }) => log.id),
    campaign_id: logs.map(({ log }) => log.campaignId),
    ad_group_id: logs.map(({ log }) => log.adGroupId),
    playlist_id: logs.map(({ log }) => log.playlistId),
    content_id: logs.map(({ log }) => log.contentId),
    content_version: logs.map(({ log }) => log.contentVersion),
    slot_id: logs.map(({ log }) => log.slotId),
    type: logs.map(({ log }) => log.type),
    started_at_raw: logs.map(({ log }) => log.startedAt),
    ended_at_raw: logs.map(({ log }) => log.endedAt),
    duration_ms: logs.map(({ log }) => log.durationMs),
    epoch: logs.map(({ log }) => log.epoch),
    sequence: logs.map(({ log }) => log.sequence),
    record_hash: logs.map(({ proof }) => proof.recordHash),
    signed_by: logs.map(({ proof }) => proof.signedBy),
  });
}

/**
 * Reads logs of a parcel: those at the places of `of`, or all. The others are not looked at: what the sequencer refused may hold what no
 * play can. Signatures are views of `bytes`.
 * @throws Error where the bytes are no parcel, or a log is none.
 */
export function openParcel(bytes: Uint8Array, of: number[] | null = null): OpenedParcel {
  const { head, lines, textEnd } = readText(bytes);
  const places = of ?? Array.from({ length: head.count }, (_, index) => index);
  // No log twice: each is counted once.
  if (of?.some((place, at) => !Number.isInteger(place) || place >= head.count || place <= (of[at - 1] ?? -1)))
    throw new Error("the places of a parcel's logs do not ascend within it");
  let end = textEnd;
  const ends = head.signatures.map((length) => {
    end += length;
    return end;
  });
  if (end !== bytes.length) throw new Error("the parcel's signatures are cut short");
  const columns = readColumns<Line>(head, LINE_CHECKS, of);
  if (head.request.batch === null && columns.signed_by.includes("batch"))
    throw new Error("a log says that its batch was signed, and no batch's proof is there");
  const record = places.map((place) => {
    const text = lines[1 + place] ?? "";
    if (!text.startsWith("{")) throw new Error("a log's record is missing");
    return text;
  });
  const signature = places.map((place) => {
    const length = head.signatures[place] ?? 0;
    const signatureEnd = ends[place] ?? textEnd;
    return length === 0 ? null : bytes.subarray(signatureEnd - length, signatureEnd);
  });
  return { request: head.request, logs: { ...columns, record, signature } };
}

/** The records of all logs in a parcel, in order. */
export function recordsOf(bytes: Uint8Array): string[] {
  return readText(bytes).lines.slice(1);
}

interface Head extends PackedRows {
  request: ParcelRequest;
  /** The length of each log's signature; 0 where it has none. */
  signatures: number[];
}

function readText(bytes: Uint8Array): { head: Head; lines: string[]; textEnd: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const prefix = view.getUint32(0);
  const isPlain = prefix >= PLAIN_TEXT;
  const textEnd = PREFIX_BYTES + (isPlain ? prefix - PLAIN_TEXT : prefix);
  if (textEnd > bytes.length) throw new Error("the parcel is cut short");
  const stored = bytes.subarray(PREFIX_BYTES, textEnd);
  const text = isPlain ? stored : brotliDecompressSync(stored, { maxOutputLength: MAX_PARCEL_TEXT_BYTES });
  const lines = decoder.decode(text).split("\n");
  const head = readHead(JSON.parse(lines[0] ?? ""));
  if (lines.length !== 1 + head.count) throw new Error("the parcel holds another number of logs than it says");
  return { head, lines, textEnd };
}

const headSchema = z.object({
  door: z.enum(DOORS),
  received_at: z.int(),
  key_id: z.string(),
  correlation_id: z.string(),
  batch: z.object({ lines: z.string(), signature: z.string() }).nullable(),
  signatures: z.array(z.int().min(0)),
  count: z.int().min(1),
  same: z.record(z.string(), z.unknown()),
  columns: z.record(z.string(), z.custom<unknown[]>(Array.isArray)),
});

function readHead(value: unknown): Head {
  const { signatures, count, same, columns, ...request } = headSchema.parse(value);
  if (Object.values(columns).some((values) => values.length !== count))
    throw new Error("a column has another number of values than of logs");
  if (signatures.length !== count) throw new Error("the parcel has another number of signatures than of logs");
  return { request, signatures, count, same, columns };
}
