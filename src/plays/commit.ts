import { withTimeout } from "../platform/retry.ts";
import type { Segment } from "./archive.ts";
import { type Chunk, chunkId } from "./chunk.ts";
import { D1_READ_TIMEOUT_MS, D1_WRITE_TIMEOUT_MS, MAX_D1_PARAMETER_BYTES } from "./limits.ts";
import { PLAY_COLUMNS } from "./play.ts";
import { type Sums, sumChunks } from "./sums.ts";

/** A chunk as it arrived: with the hash of its bytes, which the ledger keeps. */
export interface HashedChunk extends Chunk {
  hash: string;
}

/** What the ledger says of a chunk: its hash where it is recorded. */
export type Ledger = Map<string, { hash: string }>;

type ChunkKey = [deviceId: string, incarnation: string, number: number];

/** Which of these chunks are recorded. One read. */
export async function readLedger(db: D1Database, chunks: HashedChunk[]): Promise<Ledger> {
  const keys = chunks.map(({ header }): ChunkKey => [header.device_id, header.incarnation, header.number]);
  const { results } = await readTwice(() =>
    db
      .prepare(
        `SELECT l.device_id, l.incarnation, l.number, l.hash FROM json_each(?) k JOIN chunk_ledger l
         ON l.device_id = k.value ->> 0 AND l.incarnation = k.value ->> 1 AND l.number = k.value ->> 2`,
      )
      .bind(JSON.stringify(keys))
      .all<{ device_id: string; incarnation: string; number: number; hash: string }>(),
  );
  return new Map(results.map((row) => [chunkId(row), { hash: row.hash }]));
}

/** A read may be done twice: once more where the first try fails or takes over two seconds. */
async function readTwice<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await withTimeout(read(), D1_READ_TIMEOUT_MS, "D1 read");
  } catch {
    return await withTimeout(read(), D1_READ_TIMEOUT_MS, "D1 read");
  }
}

/** Another consumer recorded one of these chunks first: nothing was written, begin again with the ledger. */
export class LedgerConflict extends Error {
  override readonly name = "LedgerConflict";
}

/**
 * Records chunks: ledger, segment, aggregates, plays and refusals in ONE transaction that begins with the plain insert into the ledger,
 * so that either all of it is there, once, or none. `segment` is null where the chunks hold no plays.
 * @throws LedgerConflict where a chunk is recorded already. Any other error leaves open whether it was committed.
 */
export async function commitChunks(
  db: D1Database,
  chunks: HashedChunk[],
  segment: Segment | null,
  now: number,
  eventRows: boolean,
): Promise<void> {
  const sums = sumChunks(chunks);
  const statements = [
    ledgerStatement(db, chunks, segment, now),
    ...(segment ? [segmentStatement(db, chunks.length, segment, now)] : []),
    ...aggregateStatements(db, sums, now),
    ...(eventRows ? eventStatements(db, chunks) : []),
  ];
  try {
    await withTimeout(db.batch(statements), D1_WRITE_TIMEOUT_MS, "D1 commit");
  } catch (error) {
    if (/UNIQUE constraint failed: chunk_ledger/.test(String(error)))
      throw new LedgerConflict("a chunk is recorded already", { cause: error });
    throw error;
  }
}

function ledgerStatement(db: D1Database, chunks: HashedChunk[], segment: Segment | null, now: number): D1PreparedStatement {
  const rows = chunks.map(({ header, hash, plays }) => [header.device_id, header.incarnation, header.number, hash, plays.length]);
  return db
    .prepare(
      `INSERT INTO chunk_ledger (device_id, incarnation, number, hash, plays_count, segment_id, recorded_at)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?2, ?3 FROM json_each(?1)`,
    )
    .bind(JSON.stringify(rows), segment?.id ?? "", now);
}

function segmentStatement(db: D1Database, chunks: number, segment: Segment, now: number): D1PreparedStatement {
  return db
    .prepare("INSERT INTO segments (id, r2_key, sha256, bytes, plays_count, chunks_count, dt, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
    .bind(segment.id, segment.key, segment.sha256.toHex(), segment.bytes.length, segment.plays, chunks, segment.dt, now);
}

const HOURLY_KEY = ["day", "hour", "campaign_id", "ad_group_id", "supplier_id", "store_id", "content_id"] as const;
const HOURLY_COUNTS = [
  "plays_count",
  "completed_count",
  "partial_count",
  "skipped_count",
  "interrupted_count",
  "error_count",
  "billable_count",
  "starts_count",
  "total_duration_ms",
] as const;
const ACTIVITY_KEY = ["day", "device_id"] as const;
const ACTIVITY_COUNTS = ["plays_count", "billable_count", "total_duration_ms"] as const;
const REFUSAL_KEY = ["hour", "device_id", "door", "code"] as const;

/** Adds to the aggregates of every generation that is being written; the join decides inside the transaction which those are. */
function aggregateStatements(db: D1Database, sums: Sums, now: number): D1PreparedStatement[] {
  return [
    ...inParts(sums.hourly, (row) => [...HOURLY_KEY, ...HOURLY_COUNTS].map((column) => row[column])).map((part) =>
      db
        .prepare(
          `INSERT INTO plays_hourly (generation, ${[...HOURLY_KEY, ...HOURLY_COUNTS].join(", ")})
           SELECT g.id, ${fields(HOURLY_KEY.length + HOURLY_COUNTS.length)} FROM json_each(?) j JOIN aggregate_generations g WHERE g.writing = 1
           ON CONFLICT DO UPDATE SET ${adding(HOURLY_COUNTS)}`,
        )
        .bind(part),
    ),
    ...inParts(sums.activity, (row) => [...[...ACTIVITY_KEY, ...ACTIVITY_COUNTS].map((column) => row[column]), row.last_activity_at]).map(
      (part) =>
        db
          .prepare(
            `INSERT INTO device_activity_daily (generation, ${[...ACTIVITY_KEY, ...ACTIVITY_COUNTS].join(", ")}, last_activity_at)
           SELECT g.id, ${fields(ACTIVITY_KEY.length + ACTIVITY_COUNTS.length + 1)} FROM json_each(?) j JOIN aggregate_generations g WHERE g.writing = 1
           ON CONFLICT DO UPDATE SET ${adding(ACTIVITY_COUNTS)}, last_activity_at = max(last_activity_at, excluded.last_activity_at)`,
          )
          .bind(part),
    ),
    ...inParts(sums.refusals, (row) => [...REFUSAL_KEY.map((column) => row[column]), row.count]).map((part) =>
      db
        .prepare(
          `INSERT INTO refusals_hourly (${REFUSAL_KEY.join(", ")}, count) SELECT ${fields(REFUSAL_KEY.length + 1)} FROM json_each(?) j WHERE true
           ON CONFLICT DO UPDATE SET ${adding(["count"])}`,
        )
        .bind(part),
    ),
    db
      .prepare(
        `INSERT INTO aggregate_days (generation, day, dirty, touched_at)
         SELECT g.id, j.value, 1, ?2 FROM json_each(?1) j JOIN aggregate_generations g WHERE g.writing = 1
         ON CONFLICT DO UPDATE SET dirty = 1, touched_at = excluded.touched_at`,
      )
      .bind(JSON.stringify(sums.days), now),
  ];
}

/** A plain insert: the ledger has said that these plays are new, and the key catches what it should have. */
function eventStatements(db: D1Database, chunks: HashedChunk[]): D1PreparedStatement[] {
  const rows = chunks.flatMap((chunk) =>
    chunk.plays.map(({ play }) => [chunk.header.device_id, chunkId(chunk.header), ...PLAY_COLUMNS.map((column) => play[column])]),
  );
  return inParts(rows, (row) => row).map((part) =>
    db
      .prepare(
        `INSERT INTO proof_of_play_events (device_id, chunk, ${PLAY_COLUMNS.join(", ")})
         SELECT ${fields(PLAY_COLUMNS.length + 2)} FROM json_each(?) j`,
      )
      .bind(part),
  );
}

/** The columns of a JSON array's rows, as SQL. */
function fields(count: number): string {
  return Array.from({ length: count }, (_, index) => `j.value ->> ${index}`).join(", ");
}

function adding(columns: readonly string[]): string {
  return columns.map((column) => `${column} = ${column} + excluded.${column}`).join(", ");
}

/** Rows as JSON arrays of arrays, each under the size that D1 takes. */
function inParts<T>(rows: T[], values: (row: T) => unknown[]): string[] {
  const parts: string[] = [];
  let part: string[] = [];
  let bytes = 2;
  for (const row of rows) {
    const text = JSON.stringify(values(row));
    const size = Buffer.byteLength(text) + 1;
    if (part.length > 0 && bytes + size > MAX_D1_PARAMETER_BYTES) {
      parts.push(`[${part.join(",")}]`);
      part = [];
      bytes = 2;
    }
    part.push(text);
    bytes += size;
  }
  if (part.length > 0) parts.push(`[${part.join(",")}]`);
  return parts;
}
