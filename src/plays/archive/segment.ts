import { brotliCompressSync, constants } from "node:zlib";
import { ByteWriter, type ColumnSource, parquetWrite } from "hyparquet-writer";
import { uuidv7 } from "uuidv7";
import { decodeBase64, sha256, TextBuffer } from "../../platform/encoding.ts";
import { utcDay } from "../../platform/time.ts";
import { type GiveWay, takeTurns } from "../../platform/turns.ts";
import { chunkId, type PlaysOfChunk } from "../chunk.ts";
import { countPlays, joinPlays, type PlayColumns, type PlayRow, playColumns } from "../columns.ts";
import { cell, repeated } from "../packed.ts";

/** A Parquet file of plays, as the consumer writes it once and nobody changes it. */
export interface Segment {
  id: string;
  key: string;
  /** UTC day of writing. */
  dt: string;
  bytes: Uint8Array<ArrayBuffer>;
  sha256: Uint8Array;
  plays: number;
}

/** One row of the archive: a play, with its chunk and place in it. */
export interface ArchiveRow extends PlayRow {
  chunk: string;
  index: number;
  deviceId: string;
}

/** Rows of the archive, column by column: each play's chunk, place in it, and device besides the play itself. */
export interface ArchiveColumns {
  chunk: readonly string[];
  index: readonly number[];
  deviceId: readonly string[];
  plays: PlayColumns;
}

export function columnsOfRows(rows: readonly ArchiveRow[]): ArchiveColumns {
  return {
    chunk: rows.map(({ chunk }) => chunk),
    index: rows.map(({ index }) => index),
    deviceId: rows.map(({ deviceId }) => deviceId),
    plays: playColumns(rows),
  };
}

/** Columns of numbers, null where there is none. */
export const NUMBERS = new Set<string>(["duration_ms", "expected_ms", "sequence"]);
/** Of a column whose values are nearly all different: a dictionary would be work for nothing. */
const PLAIN = { encoding: "PLAIN" } as const;
/** Of text that is different in each row: bounds would be as useless. */
const UNIQUE = { ...PLAIN, statistics: false } as const;
/** Of one whose bytes are random besides: hardly anything makes them smaller. */
const RANDOM = { ...UNIQUE, codec: "UNCOMPRESSED" } as const;
/**
 * How a file is written. A segment is written while plays wait for it, read whole or not at all, and compacted soon: bounds of its columns
 * would take longer than all else of it, but Brotli, next to its fastest, pays for itself, since less is copied. A part stays for good: Snappy, which
 * every reader has, and which finds nothing in ids and hashes (`hex`). `room`: about what a row takes, in bytes; with room made at once, the
 * file need not be copied as it grows.
 */
const ARCHIVE_FILES = {
  segment: { codec: "BROTLI", hex: "BROTLI", statistics: false, rowGroupSize: 2500, pageSize: 0, room: 450 },
  part: { codec: "SNAPPY", hex: "UNCOMPRESSED", statistics: true, rowGroupSize: 100_000, room: 600 },
} as const;

/** The runtime's own, fast and not far behind. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
const compressors = { BROTLI: (page: Uint8Array) => brotliCompressSync(page, BROTLI) };

/**
 * Builds the segment of some chunks: a row a play, with its chunk and place in it, all that was decided, and the proof: the record
 * as received (JCS, without signature), its signature as bytes, and for a batch that was signed as a whole the lines that were.
 * Absent ids are null here.
 */
export async function buildSegment(chunks: PlaysOfChunk[], now: number, giveWay: GiveWay = takeTurns): Promise<Segment> {
  const columns = columnsOfChunks(chunks);
  const bytes = await writeParquet(columns, "segment", giveWay);
  const id = uuidv7();
  const dt = utcDay(now);
  return { id, key: `segments/dt=${dt}/${id}.parquet`, dt, bytes, sha256: await sha256(bytes), plays: countPlays(columns.plays) };
}

function columnsOfChunks(chunks: PlaysOfChunk[]): ArchiveColumns {
  return {
    chunk: chunks.flatMap(({ header, plays }) => repeated(chunkId(header), countPlays(plays))),
    index: chunks.flatMap(({ plays }) => [...plays.event_id.keys()]),
    deviceId: chunks.flatMap(({ header, plays }) => repeated(header.device_id, countPlays(plays))),
    plays: joinPlays(chunks.map(({ plays }) => plays)),
  };
}

/** Rows of the archive as a Parquet file: the columns of {@link buildSegment}. */
export async function writeParquet(
  archive: ArchiveColumns,
  file: keyof typeof ARCHIVE_FILES,
  giveWay: GiveWay = takeTurns,
): Promise<Uint8Array<ArrayBuffer>> {
  const { hex, room, ...options } = ARCHIVE_FILES[file];
  // Between groups of rows, whoever else waits for this thread has a turn.
  const writer = Object.assign(new ByteWriter(countPlays(archive.plays) * room), { flush: giveWay });
  await parquetWrite({ writer, columnData: parquetColumns(archive, hex), ...options, compressors, createdBy: "alive-signage" });
  return writer.getBytes() as Uint8Array<ArrayBuffer>;
}

function parquetColumns({ chunk, index, deviceId, plays }: ArchiveColumns, hex: "BROTLI" | "UNCOMPRESSED"): ColumnSource[] {
  // Texts that are different in each row are encoded here, many into one buffer: the writer would make a buffer for each.
  const texts = new TextBuffer();
  const bytesOf = (values: readonly string[]) => values.map((value) => texts.encode(value));
  return [
    { name: "chunk_id", type: "STRING", data: chunk.slice() },
    { name: "chunk_index", type: "INT32", data: index.slice(), ...PLAIN },
    { name: "device_id", type: "STRING", data: deviceId.slice() },
    { name: "event_id", type: "STRING", data: bytesOf(plays.event_id), ...UNIQUE, codec: hex },
    text("day", plays.day),
    text("store_id", plays.store_id),
    text("supplier_id", plays.supplier_id),
    text("campaign_id", plays.campaign_id),
    text("ad_group_id", plays.ad_group_id),
    text("playlist_id", plays.playlist_id),
    text("content_id", plays.content_id),
    text("content_version", plays.content_version),
    text("slot_id", plays.slot_id),
    text("type", plays.type),
    time("started_at_raw", plays.started_at_raw),
    time("ended_at_raw", plays.ended_at_raw),
    time("started_at", plays.started_at),
    time("ended_at", plays.ended_at),
    time("received_at", plays.received_at),
    // Four hours and a day at most, in milliseconds.
    { name: "duration_ms", type: "INT32", data: plays.duration_ms.slice(), ...PLAIN },
    { name: "expected_ms", type: "INT32", data: plays.expected_ms.slice(), ...PLAIN },
    text("result", plays.result),
    { name: "billable", type: "BOOLEAN", data: plays.billable.map((billable) => billable === 1) },
    { name: "quality", type: "INT32", data: plays.quality.slice(), ...PLAIN },
    text("flags", plays.flags),
    text("door", plays.door),
    text("epoch", plays.epoch),
    { name: "sequence", type: "INT64", data: plays.sequence.map((number) => (number === null ? null : BigInt(number))), ...PLAIN },
    { name: "record_hash", type: "STRING", data: bytesOf(plays.record_hash), ...UNIQUE, codec: hex },
    text("key_id", plays.key_id),
    text("policy_version", plays.policy_version),
    text("correlation_id", plays.correlation_id),
    text("signed_by", plays.signed_by),
    { name: "signature", type: "BYTE_ARRAY", data: plays.signature.map((own, at) => own ?? batchSignature(plays, at)), ...RANDOM },
    { name: "batch_lines", type: "STRING", data: plays.batch.map((batch) => batch?.lines ?? null) },
    { name: "record", type: "STRING", data: bytesOf(plays.record), ...UNIQUE },
  ];
}

/** Absent ids are null here. */
function text(name: keyof PlayColumns, values: readonly string[]): ColumnSource {
  return { name, type: "STRING", data: values.map((value) => value || null) };
}

function time(name: keyof PlayColumns, values: readonly number[]): ColumnSource {
  return { name, type: "TIMESTAMP", data: values.map(BigInt), ...PLAIN };
}

function batchSignature({ batch }: PlayColumns, at: number): Uint8Array | null {
  const proof = cell(batch, at);
  return proof && decodeBase64(proof.signature);
}

/** Puts a segment or a part into R2, which checks the hash. */
export async function putSegment(bucket: R2Bucket, segment: Pick<Segment, "key" | "bytes" | "sha256" | "plays">): Promise<void> {
  await bucket.put(segment.key, segment.bytes, {
    sha256: segment.sha256,
    httpMetadata: { contentType: "application/vnd.apache.parquet" },
    customMetadata: { plays: String(segment.plays) },
  });
}
