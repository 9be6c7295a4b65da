import { z } from "zod";
import { packTelemetry, unpackTelemetry } from "../telemetry/body.ts";
import type { TelemetryRow } from "../telemetry/event.ts";
import { countPlays, joinPlays, type PlayColumns } from "./columns.ts";
import {
  type ColumnChecks,
  cell,
  isOneOf,
  isText,
  isWhole,
  isWholeOrNull,
  type PackedRows,
  packColumns,
  readColumns,
  repeated,
} from "./packed.ts";
import { openParcel } from "./parcel.ts";
import { PLAY_STATUSES, type PlayStatus } from "./play.ts";

/**
 * A chunk on the wire: a header as one line of JSON, then bodies, one for each request whose plays it carries.
 *
 *     {"v":2,"device_id":…,"incarnation":…,"number":…,"plays":200,"refusals":[[hour,door,code,count],…]} LF
 *     body: length of the parcel, length of the verdicts (4 bytes each, big-endian) · the parcel (`parcel.ts`) · the verdicts as JSON
 *     body of telemetry: 0, length of the events · nothing · the events as JSON (`telemetry/body.ts`)
 *
 * Messages outlive deploys: a reader takes every version that was ever deployed.
 */
export const CHUNK_VERSION = 2;

/** What became of so many logs that were refused: hour (ms), door, code, count. */
export type RefusalCount = [hour: number, door: string, code: string, count: number];

export interface ChunkHeader {
  /** The version under which its plays were written. */
  v: number;
  device_id: string;
  incarnation: string;
  number: number;
  /** Starts count here as well. */
  plays: number;
  refusals: RefusalCount[];
}

/** What the sequencer found of a play that it let in: what a parcel does not know. */
export interface Verdict {
  day: string;
  store_id: string;
  supplier_id: string;
  /** Device − server, ms: what is taken off the raw times. */
  offset_ms: number;
  expected_ms: number | null;
  /** `''` of a start: it is no play. */
  result: PlayStatus | "";
  billable: 0 | 1;
  quality: number;
  flags: string;
  policy_version: string;
  /** Of proof events, all or none of a body: what the sequencer pieced together, in place of what the parcel says. */
  pieced?: Pieced;
}

/** A play that was reported by its start and its end. In ms, by the device's clock. */
export interface Pieced {
  started_at_raw: number;
  duration_ms: number;
}

export interface Chunk {
  header: ChunkHeader;
  /** Plays, and starts of plays. */
  plays: PlayColumns;
  /** Events of telemetry: no plays, and counted as none. */
  telemetry: TelemetryRow[];
}

/** A chunk, but for what telemetry it carries. */
export type PlaysOfChunk = Pick<Chunk, "header" | "plays">;

/** A chunk's name everywhere: device, incarnation, number. */
export function chunkId(chunk: Pick<ChunkHeader, "device_id" | "incarnation" | "number">): string {
  return `${chunk.device_id}.${chunk.incarnation}.${chunk.number}`;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const LINE_FEED = 10;
const BODY_PREFIX_BYTES = 8;

const VERDICT_CHECKS: ColumnChecks<Omit<Verdict, "pieced">> = {
  day: (value) => typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value),
  store_id: isText,
  supplier_id: isText,
  offset_ms: isWhole,
  expected_ms: isWholeOrNull,
  result: isOneOf([...PLAY_STATUSES, ""]),
  billable: isOneOf([0, 1]),
  quality: isWhole,
  flags: isText,
  policy_version: isText,
};

const PIECED_CHECKS: ColumnChecks<Pieced> = { started_at_raw: isWhole, duration_ms: isWhole };

/** Puts a parcel and the verdicts on its logs together. `verdicts` has a place for each log: null where it was not accepted. */
export function encodeBody(parcel: Uint8Array, verdicts: (Verdict | null)[]): Uint8Array<ArrayBuffer> {
  const accepted = verdicts.filter((verdict) => verdict !== null);
  const packed = packColumns<Omit<Verdict, "pieced">>(accepted.length, {
    day: accepted.map(({ day }) => day),
    store_id: accepted.map(({ store_id }) => store_id),
    supplier_id: accepted.map(({ supplier_id }) => supplier_id),
    offset_ms: accepted.map(({ offset_ms }) => offset_ms),
    expected_ms: accepted.map(({ expected_ms }) => expected_ms),
    result: accepted.map(({ result }) => result),
    billable: accepted.map(({ billable }) => billable),
    quality: accepted.map(({ quality }) => quality),
    flags: accepted.map(({ flags }) => flags),
    policy_version: accepted.map(({ policy_version }) => policy_version),
  });
  const rows: PackedVerdicts = packed;
  if (accepted.length < verdicts.length) rows.of = verdicts.flatMap((verdict, index) => (verdict ? [index] : []));
  if (accepted[0]?.pieced) rows.pieced = packPieced(accepted.flatMap(({ pieced }) => pieced ?? []));
  return joinBody(parcel, JSON.stringify(rows));
}

const NO_PARCEL = new Uint8Array(0);

/** Puts the telemetry of one request together. A parcel is never empty, so a reader tells the two apart. */
export function encodeTelemetryBody(rows: TelemetryRow[]): Uint8Array<ArrayBuffer> {
  return joinBody(NO_PARCEL, packTelemetry(rows));
}

function joinBody(parcel: Uint8Array, json: string): Uint8Array<ArrayBuffer> {
  const text = encoder.encode(json);
  const bytes = new Uint8Array(BODY_PREFIX_BYTES + parcel.length + text.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, parcel.length);
  view.setUint32(4, text.length);
  bytes.set(parcel, BODY_PREFIX_BYTES);
  bytes.set(text, BODY_PREFIX_BYTES + parcel.length);
  return bytes;
}

interface PackedVerdicts extends PackedRows {
  /** The places of the accepted logs, where not all were. */
  of?: number[];
  pieced?: PackedRows;
}

function packPieced(rows: Pieced[]): PackedRows {
  return packColumns<Pieced>(rows.length, {
    started_at_raw: rows.map(({ started_at_raw }) => started_at_raw),
    duration_ms: rows.map(({ duration_ms }) => duration_ms),
  });
}

/** Puts a sealed chunk together: always the same bytes for the same header and bodies. */
export function encodeChunk(header: ChunkHeader, bodies: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const { v, device_id, incarnation, number, plays, refusals } = header;
  const first = encoder.encode(`${JSON.stringify({ v, device_id, incarnation, number, plays, refusals })}\n`);
  const bytes = new Uint8Array(first.length + bodies.reduce((sum, body) => sum + body.length, 0));
  bytes.set(first);
  let at = first.length;
  for (const body of bodies) {
    bytes.set(body, at);
    at += body.length;
  }
  return bytes;
}

const headerSchema = z.object({
  v: z.literal(CHUNK_VERSION),
  device_id: z.uuid(),
  incarnation: z.uuid(),
  number: z.int().min(1),
  plays: z.int().min(0),
  refusals: z.array(z.tuple([z.int(), z.string(), z.string(), z.int().min(1)])),
});

function parseHeader(bytes: Uint8Array): { header: ChunkHeader; end: number } {
  const end = bytes.indexOf(LINE_FEED);
  if (end < 0) throw new Error("the chunk has no header");
  return { header: headerSchema.parse(JSON.parse(decoder.decode(bytes.subarray(0, end)))), end: end + 1 };
}

/** The header of a chunk whose rest may be unreadable; null where it has none. */
export function readChunkHeader(bytes: Uint8Array): ChunkHeader | null {
  try {
    return parseHeader(bytes).header;
  } catch {
    return null;
  }
}

/**
 * Reads a chunk.
 * @throws Error where the bytes are no chunk of a version that is known: such a message can never be recorded as it is.
 */
export function decodeChunk(bytes: Uint8Array): Chunk {
  const { header, end } = parseHeader(bytes);
  const parts: PlayColumns[] = [];
  const telemetry: TelemetryRow[] = [];
  for (let at = end; at < bytes.length; ) {
    if (at + BODY_PREFIX_BYTES > bytes.length) throw new Error("the chunk is cut short");
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, BODY_PREFIX_BYTES);
    const parcelEnd = at + BODY_PREFIX_BYTES + view.getUint32(0);
    const bodyEnd = parcelEnd + view.getUint32(4);
    if (bodyEnd > bytes.length) throw new Error("the chunk is cut short");
    const parcel = bytes.subarray(at + BODY_PREFIX_BYTES, parcelEnd);
    const text = decoder.decode(bytes.subarray(parcelEnd, bodyEnd));
    if (parcel.length === 0) telemetry.push(...unpackTelemetry(text));
    else parts.push(decodeBody(parcel, text));
    at = bodyEnd;
  }
  const plays = joinPlays(parts);
  if (countPlays(plays) !== header.plays) throw new Error(`the chunk says ${header.plays} plays and holds ${countPlays(plays)}`);
  return { header, plays, telemetry };
}

function decodeBody(parcelBytes: Uint8Array, text: string): PlayColumns {
  const packed = JSON.parse(text) as PackedVerdicts;
  const { request, logs } = openParcel(parcelBytes, packed.of ?? null);
  const { count } = packed;
  if (logs.event_id.length !== count) throw new Error("a body has another number of verdicts than logs");
  const { offset_ms: offsets, ...verdicts } = readColumns<Omit<Verdict, "pieced">>(packed, VERDICT_CHECKS);
  const whole = packed.pieced ? { ...logs, ...readPieced(packed.pieced, count) } : logs;
  return {
    ...whole,
    ...verdicts,
    started_at: whole.started_at_raw.map((time, at) => time - cell(offsets, at)),
    ended_at: whole.ended_at_raw.map((time, at) => time - cell(offsets, at)),
    received_at: repeated(request.received_at, count),
    door: repeated(request.door, count),
    key_id: repeated(request.key_id, count),
    correlation_id: repeated(request.correlation_id, count),
    batch: whole.signed_by.map((signedBy) => (signedBy === "batch" ? request.batch : null)),
  };
}

function readPieced(packed: PackedRows, count: number) {
  if (packed.count !== count) throw new Error("a body has another number of pieced plays than verdicts");
  return readColumns<Pieced>(packed, PIECED_CHECKS);
}
