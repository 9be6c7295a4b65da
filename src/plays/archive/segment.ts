import { brotliCompressSync, constants } from "node:zlib";
import { ByteWriter, type ColumnSource, parquetWrite } from "hyparquet-writer";
import { uuidv7 } from "uuidv7";
import { decodeBase64, sha256, TextBuffer } from "../../platform/encoding.ts";
import { utcDay } from "../../platform/time.ts";
import { type GiveWay, takeTurns } from "../../platform/turns.ts";
import { type Chunk, type ChunkPlay, chunkId } from "../chunk.ts";
import type { AcceptedPlay } from "../play.ts";

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
export interface ArchiveRow extends ChunkPlay {
  chunk: string;
  index: number;
  deviceId: string;
}

/** Columns of numbers, null where there is none. */
export const NUMBERS = new Set<string>(["duration_ms", "expected_ms", "sequence"]);
/** Of a column whose values are nearly all different: a dictionary would be work for nothing. */
const PLAIN = { encoding: "PLAIN" } as const;
/** Of text that is different in each row: bounds would be as useless. */
const UNIQUE = { ...PLAIN, statistics: false } as const;
/** Of one whose bytes look random besides: compressing them would only cost time. */
const RANDOM = { ...UNIQUE, codec: "UNCOMPRESSED" } as const;
/**
 * How a file is written. A segment is written while plays wait for it, read whole or not at all, and compacted soon: compression and bounds of
 * its columns would take longer than all else of it, but for the records, which are half of it and much alike. A part stays for good: Snappy,
 * which every reader has.
 */
const ARCHIVE_FILES = {
  segment: { codec: "UNCOMPRESSED", records: "BROTLI", statistics: false, rowGroupSize: 2500, pageSize: 0 },
  part: { codec: "SNAPPY", records: "SNAPPY", statistics: true, rowGroupSize: 100_000 },
} as const;

/** The runtime's own, fast and not far behind. */
const BROTLI = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };
const compressors = { BROTLI: (page: Uint8Array) => brotliCompressSync(page, BROTLI) };

/**
 * Builds the segment of some chunks: a row a play, with its chunk and place in it, all that was decided, and the proof: the record
 * as received (JCS, without signature), its signature as bytes, and for a batch that was signed as a whole the lines that were.
 * Absent ids are null here.
 */
export async function buildSegment(chunks: Chunk[], now: number, giveWay: GiveWay = takeTurns): Promise<Segment> {
  const rows = chunks.flatMap((chunk) => {
    const name = chunkId(chunk.header);
    return chunk.plays.map(
      ({ play, proof, batch }, index): ArchiveRow => ({ play, proof, batch, chunk: name, index, deviceId: chunk.header.device_id }),
    );
  });
  const bytes = await writeParquet(rows, "segment", giveWay);
  const id = uuidv7();
  const dt = utcDay(now);
  return { id, key: `segments/dt=${dt}/${id}.parquet`, dt, bytes, sha256: await sha256(bytes), plays: rows.length };
}

/** About what a row has besides its record: with room made at once, the file need not be copied as it grows. */
const BYTES_BESIDE_RECORD = 600;

/** Rows of the archive as a Parquet file: the columns of {@link buildSegment}. */
export async function writeParquet(
  rows: ArchiveRow[],
  file: keyof typeof ARCHIVE_FILES,
  giveWay: GiveWay = takeTurns,
): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = rows.reduce((sum, { proof }) => sum + proof.record.length, rows.length * BYTES_BESIDE_RECORD);
  // Between groups of rows, whoever else waits for this thread has a turn.
  const writer = Object.assign(new ByteWriter(bytes), { flush: giveWay });
  const { records, ...options } = ARCHIVE_FILES[file];
  await parquetWrite({ writer, columnData: columns(rows, records), ...options, compressors, createdBy: "alive-signage" });
  return writer.getBytes() as Uint8Array<ArrayBuffer>;
}

function columns(rows: ArchiveRow[], records: "BROTLI" | "SNAPPY"): ColumnSource[] {
  // A function for each column, not a name: reading properties by changing names is what most of the time would go to.
  const text = (name: keyof AcceptedPlay, of: (play: AcceptedPlay) => string): ColumnSource => ({
    name,
    type: "STRING",
    data: rows.map(({ play }) => of(play) || null),
  });
  // Texts that are different in each row are encoded here, many into one buffer: the writer would make a buffer for each.
  const texts = new TextBuffer();
  const different = (name: string, of: (row: ArchiveRow) => string): ColumnSource => ({
    name,
    type: "STRING",
    data: rows.map((row) => texts.encode(of(row))),
  });
  const time = (name: keyof AcceptedPlay, of: (play: AcceptedPlay) => number): ColumnSource => ({
    name,
    type: "TIMESTAMP",
    data: rows.map(({ play }) => BigInt(of(play))),
    ...PLAIN,
  });
  return [
    { name: "chunk_id", type: "STRING", data: rows.map((row) => row.chunk) },
    { name: "chunk_index", type: "INT32", data: rows.map((row) => row.index), ...PLAIN },
    { name: "device_id", type: "STRING", data: rows.map((row) => row.deviceId) },
    { ...different("event_id", ({ play }) => play.event_id), ...RANDOM },
    text("day", (play) => play.day),
    text("store_id", (play) => play.store_id),
    text("supplier_id", (play) => play.supplier_id),
    text("campaign_id", (play) => play.campaign_id),
    text("ad_group_id", (play) => play.ad_group_id),
    text("playlist_id", (play) => play.playlist_id),
    text("content_id", (play) => play.content_id),
    text("content_version", (play) => play.content_version),
    text("slot_id", (play) => play.slot_id),
    text("type", (play) => play.type),
    time("started_at_raw", (play) => play.started_at_raw),
    time("ended_at_raw", (play) => play.ended_at_raw),
    time("started_at", (play) => play.started_at),
    time("ended_at", (play) => play.ended_at),
    time("received_at", (play) => play.received_at),
    // Four hours and a day at most, in milliseconds.
    { name: "duration_ms", type: "INT32", data: rows.map(({ play }) => play.duration_ms), ...PLAIN },
    { name: "expected_ms", type: "INT32", data: rows.map(({ play }) => play.expected_ms), ...PLAIN },
    text("result", (play) => play.result),
    { name: "billable", type: "BOOLEAN", data: rows.map(({ play }) => play.billable === 1) },
    { name: "quality", type: "INT32", data: rows.map(({ play }) => play.quality), ...PLAIN },
    text("flags", (play) => play.flags),
    text("door", (play) => play.door),
    text("epoch", (play) => play.epoch),
    {
      name: "sequence",
      type: "INT64",
      data: rows.map(({ play }) => (play.sequence === null ? null : BigInt(play.sequence))),
      ...PLAIN,
    },
    { ...different("record_hash", ({ play }) => play.record_hash), ...RANDOM },
    text("key_id", (play) => play.key_id),
    text("policy_version", (play) => play.policy_version),
    text("correlation_id", (play) => play.correlation_id),
    { name: "signed_by", type: "STRING", data: rows.map((row) => row.proof.signedBy) },
    { name: "signature", type: "BYTE_ARRAY", data: rows.map(signatureBytes), ...RANDOM },
    { name: "batch_lines", type: "STRING", data: rows.map((row) => row.batch?.lines ?? null) },
    { ...different("record", ({ proof }) => proof.record), ...UNIQUE, codec: records },
  ];
}

/** A play's own signature, or that of its batch. */
function signatureBytes({ proof, batch }: ArchiveRow): Uint8Array | null {
  return proof.signature ?? (batch ? decodeBase64(batch.signature) : null);
}

/** Puts a segment or a part into R2, which checks the hash. */
export async function putSegment(bucket: R2Bucket, segment: Pick<Segment, "key" | "bytes" | "sha256" | "plays">): Promise<void> {
  await bucket.put(segment.key, segment.bytes, {
    sha256: segment.sha256,
    httpMetadata: { contentType: "application/vnd.apache.parquet" },
    customMetadata: { plays: String(segment.plays) },
  });
}
