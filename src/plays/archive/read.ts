import { brotliDecompressSync } from "node:zlib";
import { parquetReadObjects } from "hyparquet";
import { sha256Hex } from "../../platform/encoding.ts";
import { DAY_MS } from "../../platform/time.ts";
import { CHUNK_VERSION, type Chunk } from "../chunk.ts";
import { playColumns } from "../columns.ts";
import { type AcceptedPlay, PLAY_COLUMNS, type SignedBy } from "../play.ts";
import { type ArchiveRow, NUMBERS } from "./segment.ts";

/** A Parquet file of the archive as D1 knows it. */
export interface ArchiveObject {
  r2_key: string;
  sha256: string;
  plays_count: number;
}

/** A segment that counts. Once it is compacted, its plays lie in parts and its own object may be gone. */
export interface SegmentRef extends ArchiveObject {
  id: string;
  compacted_at: number | null;
}

export type ArchiveProblem = "missing" | "damaged";

/** What could not be read: the segment, and the object where its plays should have been. */
export interface Damage {
  segment_id: string;
  r2_key: string;
  problem: ArchiveProblem;
}

export type ArchiveRead = { status: "ok"; rows: ArchiveRow[] } | { status: ArchiveProblem };

/** The columns that {@link SegmentRef} has. */
export const SEGMENT_REF_COLUMNS = "id, r2_key, sha256, plays_count, compacted_at";

/** The columns that say where a play stands and what was decided of it; the proof is left out, which is most of the bytes. */
export const DECIDED_COLUMNS: string[] = ["chunk_id", "chunk_index", "device_id", ...PLAY_COLUMNS];

/**
 * Reads a segment or part, after its SHA-256 was found to be the one that D1 has. `missing`: R2 has no such object;
 * `damaged`: other bytes, or another number of plays.
 * @param columns only these; what is left out is empty in the rows
 * @throws what R2 throws: an outage is no damage.
 */
export async function readArchive(bucket: R2Bucket, object: ArchiveObject, columns?: string[]): Promise<ArchiveRead> {
  const stored = await bucket.get(object.r2_key);
  if (!stored) return { status: "missing" };
  const buffer = await stored.arrayBuffer();
  if ((await sha256Hex(new Uint8Array(buffer))) !== object.sha256) return { status: "damaged" };
  const rows = await parquetRows(buffer, columns);
  return rows.length === object.plays_count ? { status: "ok", rows } : { status: "damaged" };
}

/** The runtime makes room in steps, and counts it all. */
const DECOMPRESSION_ROOM = 64 * 1024;
/** Beside those that the reader has by itself. A page holds what it says, and takes no more memory than that. */
const compressors = {
  BROTLI: (page: Uint8Array, bytes: number): Uint8Array => brotliDecompressSync(page, { maxOutputLength: bytes + DECOMPRESSION_ROOM }),
};

/** The rows of a Parquet file of the archive, as `segment.ts` wrote them: absent ids are `''` again, times are ms. */
export async function parquetRows(buffer: ArrayBuffer, columns?: string[]): Promise<ArchiveRow[]> {
  const file = { byteLength: buffer.byteLength, slice: (start: number, end?: number) => buffer.slice(start, end) };
  // Without `utf8: false`, the bytes of a signature would be read as text.
  return (await parquetReadObjects({ file, utf8: false, compressors, ...(columns ? { columns } : {}) })).map(archiveRow);
}

function archiveRow(row: Record<string, unknown>): ArchiveRow {
  const signature = row.signature instanceof Uint8Array ? new Uint8Array(row.signature) : null;
  const signedBy = text(row.signed_by) as SignedBy;
  const batch = signedBy === "batch" ? { lines: text(row.batch_lines), signature: signature?.toBase64() ?? "" } : null;
  return {
    chunk: text(row.chunk_id),
    index: Number(row.chunk_index),
    deviceId: text(row.device_id),
    play: Object.fromEntries(PLAY_COLUMNS.map((column) => [column, playValue(column, row[column])])) as unknown as AcceptedPlay,
    proof: { record: text(row.record), signedBy, signature: batch ? null : signature },
    batch,
  };
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function playValue(column: keyof AcceptedPlay, value: unknown): string | number | null {
  if (value === null || value === undefined) return NUMBERS.has(column) ? null : "";
  if (value instanceof Date) return value.getTime();
  return typeof value === "string" ? value : Number(value);
}

/** Rows as the chunks that they came in; of a chunk that is not wholly among them, the plays that are. */
export function chunksOf(rows: ArchiveRow[]): Chunk[] {
  return [...Map.groupBy(rows, (row) => row.chunk)].map(([name, plays]) => {
    const [device_id = "", incarnation = "", number = ""] = name.split(".");
    const header = { v: CHUNK_VERSION, device_id, incarnation, number: Number(number), plays: plays.length, refusals: [] };
    return { header, plays: playColumns(plays), telemetry: [] };
  });
}

/** What segments hold: rows by segment, and what could not be read. Every segment asked for is in one of the two. */
export interface SegmentsRead {
  rows: Map<string, ArchiveRow[]>;
  damaged: Damage[];
}

/**
 * Reads segments, wherever their plays lie: in their own objects, or in parts once they are compacted. Each part is read once.
 * All their plays are in memory at a time: ask for as many segments as {@link takeSegments} gives.
 * @param columns only these; what is left out is empty in the rows
 * @throws what R2 or D1 throw: an outage is no damage.
 */
export async function readSegments(env: Pick<Env, "DB" | "BUCKET">, refs: SegmentRef[], columns?: string[]): Promise<SegmentsRead> {
  const read: SegmentsRead = { rows: new Map(), damaged: [] };
  for (const ref of refs.filter(({ compacted_at }) => compacted_at === null)) {
    const found = await readArchive(env.BUCKET, ref, columns);
    if (found.status === "ok") read.rows.set(ref.id, found.rows);
    else read.damaged.push({ segment_id: ref.id, r2_key: ref.r2_key, problem: found.status });
  }
  const compacted = refs.filter(({ compacted_at }) => compacted_at !== null);
  if (compacted.length > 0) await readFromParts(env, compacted, read, columns);
  return read;
}

/** A segment's run of rows in a part. */
interface PartRun extends ArchiveObject {
  segment_id: string;
  first_row: number;
  rows_count: number;
}

async function readFromParts(env: Pick<Env, "DB" | "BUCKET">, refs: SegmentRef[], read: SegmentsRead, columns?: string[]): Promise<void> {
  const { results } = await env.DB.prepare(
    `SELECT r.segment_id, r.first_row, r.plays_count AS rows_count, p.r2_key, p.sha256, p.plays_count
     FROM json_each(?) j JOIN segment_parts r ON r.segment_id = j.value JOIN archive_parts p ON p.id = r.part_id ORDER BY p.id`,
  )
    .bind(JSON.stringify(refs.map(({ id }) => id)))
    .all<PartRun>();
  const found = new Map<string, ArchiveRow[]>(refs.map(({ id }) => [id, []]));
  const damage = new Map<string, Damage>();
  for (const [r2_key, runs] of Map.groupBy(results, (run) => run.r2_key)) {
    const [part] = runs;
    if (!part) continue;
    const content = await readArchive(env.BUCKET, part, columns);
    for (const { segment_id, first_row, rows_count } of runs) {
      if (content.status === "ok") found.get(segment_id)?.push(...content.rows.slice(first_row, first_row + rows_count));
      else damage.set(segment_id, { segment_id, r2_key, problem: content.status });
    }
  }
  for (const { id, r2_key, plays_count } of refs) {
    const rows = found.get(id) ?? [];
    const bad = damage.get(id) ?? (rows.length === plays_count ? null : { segment_id: id, r2_key, problem: "missing" as const });
    if (bad) read.damaged.push(bad);
    else read.rows.set(id, rows);
  }
}

/** The first of some segments that together have at most so many plays; one at least, where there is any. */
export function takeSegments<T extends Pick<SegmentRef, "plays_count">>(refs: T[], maxPlays: number): T[] {
  let plays = 0;
  const end = refs.findIndex((ref, index) => {
    plays += ref.plays_count;
    return index > 0 && plays > maxPlays;
  });
  return end === -1 ? refs : refs.slice(0, end);
}

/**
 * The least id (UUID v7, which begins with its time) that a segment with plays of a day can have: a play is never from the future,
 * so no segment is older than the day, which begins up to 14 hours before UTC's. Lets days be found by the table's key.
 */
export function firstSegmentId(day: string): string {
  const hex = Math.max(0, Date.parse(day) - DAY_MS)
    .toString(16)
    .padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
