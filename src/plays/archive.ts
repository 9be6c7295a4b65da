import { ByteWriter, type ColumnSource, parquetWrite } from "hyparquet-writer";
import { uuidv7 } from "uuidv7";
import { decodeBase64, sha256 } from "../platform/encoding.ts";
import { utcDay } from "../platform/time.ts";
import { takeTurns } from "../platform/turns.ts";
import { type Chunk, type ChunkPlay, chunkId } from "./chunk.ts";
import { type AcceptedPlay, PLAY_COLUMNS } from "./play.ts";

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

const TIMES = new Set<string>(["started_at_raw", "ended_at_raw", "started_at", "ended_at", "received_at"]);
/** Columns of numbers, null where there is none. */
export const NUMBERS = new Set<string>(["duration_ms", "expected_ms", "sequence"]);
/** Of a column whose values are all different: a dictionary or bounds would be work for nothing. */
const UNIQUE = { encoding: "PLAIN", statistics: false } as const;
/** Of one whose bytes look random besides: compressing them would only cost time. */
const RANDOM = { ...UNIQUE, codec: "UNCOMPRESSED" } as const;
/**
 * How a file is written. A segment is written while plays wait for it, read whole or not at all, and compacted soon: compression and bounds of
 * columns would take longer than all else of it. A part stays for good: Snappy, which every reader has.
 */
const ARCHIVE_FILES = {
  segment: { codec: "UNCOMPRESSED", statistics: false, rowGroupSize: 2000 },
  part: { codec: "SNAPPY", statistics: true, rowGroupSize: 100_000 },
} as const;

/**
 * Builds the segment of some chunks: a row a play, with its chunk and place in it, all that was decided, and the proof: the record
 * as received (JCS, without signature), its signature as bytes, and for a batch that was signed as a whole the lines that were.
 * Absent ids are null here.
 */
export async function buildSegment(chunks: Chunk[], now: number): Promise<Segment> {
  const rows = chunks.flatMap((chunk) => {
    const name = chunkId(chunk.header);
    return chunk.plays.map(
      ({ play, proof, batch }, index): ArchiveRow => ({ play, proof, batch, chunk: name, index, deviceId: chunk.header.device_id }),
    );
  });
  const bytes = await writeParquet(rows, "segment");
  const id = uuidv7();
  const dt = utcDay(now);
  return { id, key: `segments/dt=${dt}/${id}.parquet`, dt, bytes, sha256: await sha256(bytes), plays: rows.length };
}

/** Rows of the archive as a Parquet file: the columns of {@link buildSegment}. */
export async function writeParquet(rows: ArchiveRow[], file: keyof typeof ARCHIVE_FILES): Promise<Uint8Array<ArrayBuffer>> {
  // Between groups of rows, whoever else waits for this thread has a turn.
  const writer = Object.assign(new ByteWriter(), { flush: takeTurns });
  await parquetWrite({ writer, columnData: columns(rows), ...ARCHIVE_FILES[file], createdBy: "alive-signage" });
  return writer.getBytes() as Uint8Array<ArrayBuffer>;
}

function columns(rows: ArchiveRow[]): ColumnSource[] {
  return [
    { name: "chunk_id", type: "STRING", data: rows.map((row) => row.chunk) },
    { name: "chunk_index", type: "INT32", data: rows.map((row) => row.index) },
    { name: "device_id", type: "STRING", data: rows.map((row) => row.deviceId) },
    ...PLAY_COLUMNS.map((column) => playColumn(column, rows)),
    { name: "signed_by", type: "STRING", data: rows.map((row) => row.proof.signedBy) },
    { name: "signature", type: "BYTE_ARRAY", data: rows.map(signatureBytes), ...RANDOM },
    { name: "batch_lines", type: "STRING", data: rows.map((row) => row.batch?.lines ?? null) },
    { name: "record", type: "STRING", data: rows.map((row) => row.proof.record), ...UNIQUE },
  ];
}

function playColumn(name: keyof AcceptedPlay, rows: ArchiveRow[]): ColumnSource {
  if (TIMES.has(name) || NUMBERS.has(name)) {
    const data = rows.map((row) => (row.play[name] === null ? null : BigInt(row.play[name])));
    return { name, type: TIMES.has(name) ? "TIMESTAMP" : "INT64", data };
  }
  if (name === "quality") return { name, type: "INT32", data: rows.map((row) => row.play.quality) };
  if (name === "billable") return { name, type: "BOOLEAN", data: rows.map((row) => row.play.billable === 1) };
  const data = rows.map((row) => row.play[name] || null);
  return name === "event_id" || name === "record_hash" ? { name, type: "STRING", data, ...RANDOM } : { name, type: "STRING", data };
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
