import { reaching } from "../../platform/outage.ts";
import { withTimeout } from "../../platform/retry.ts";
import { inSpan } from "../../platform/spans.ts";
import type { GiveWay } from "../../platform/turns.ts";
import { telemetryStatements } from "../../telemetry/commit.ts";
import { playsLoggedStatements } from "../../webhooks/events.ts";
import type { Segment } from "../archive/segment.ts";
import { type Chunk, chunkId } from "../chunk.ts";
import { countPlays } from "../columns.ts";
import { D1_READ_TIMEOUT_MS, D1_WRITE_TIMEOUT_MS, MAX_D1_PARAMETER_BYTES } from "../limits.ts";
import { AGGREGATE_COUNTERS, AGGREGATE_KEYS, countersOf, storedPlays } from "../tables.ts";
import { pendingStatements } from "./daily-sums.ts";
import { commitMetrics, logAggregates } from "./metrics.ts";
import { type HourlySum, type Sums, sumChunks } from "./sums.ts";

/** A chunk as it arrived: with the hash of its bytes, which the ledger keeps. */
export interface HashedChunk extends Chunk {
  hash: string;
}

/** What the ledger says of a chunk: its hash where it is recorded. */
export type Ledger = Map<string, { hash: string }>;

type ChunkKey = [deviceId: string, incarnation: string, number: number];

/**
 * Which of these chunks are recorded. One read. Of a chunk whose row was folded no hash is known any more: it counts as the same chunk,
 * since folded rows are older than any message can be.
 */
export async function readLedger(db: D1Database, chunks: HashedChunk[]): Promise<Ledger> {
  const keys = chunks.map(({ header }): ChunkKey => [header.device_id, header.incarnation, header.number]);
  const { results } = await readTwice(() =>
    db
      .prepare(
        `SELECT k.key AS at, l.hash, f.recorded_through FROM json_each(?) k
         LEFT JOIN chunk_ledger l ON l.device_id = k.value ->> 0 AND l.incarnation = k.value ->> 1 AND l.number = k.value ->> 2
         LEFT JOIN chunk_ledger_folds f
           ON f.device_id = k.value ->> 0 AND f.incarnation = k.value ->> 1 AND f.recorded_through >= k.value ->> 2`,
      )
      .bind(JSON.stringify(keys))
      .all<{ at: number; hash: string | null; recorded_through: number | null }>(),
  );
  const ledger: Ledger = new Map();
  for (const { at, hash, recorded_through } of results) {
    const chunk = chunks[at];
    if (chunk && (hash !== null || recorded_through !== null)) ledger.set(chunkId(chunk.header), { hash: hash ?? chunk.hash });
  }
  return ledger;
}

/** A read may be done twice: once more where the first try fails or takes over two seconds. */
async function readTwice<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await withTimeout(read(), D1_READ_TIMEOUT_MS, "D1 read");
  } catch {
    return await reaching("D1", () => withTimeout(read(), D1_READ_TIMEOUT_MS, "D1 read"));
  }
}

/** Another consumer recorded one of these chunks first: nothing was written, begin again with the ledger. */
export class LedgerConflict extends Error {
  override readonly name = "LedgerConflict";
}

/**
 * Records chunks: ledger, segment, aggregates, plays and refusals in ONE transaction that begins with the plain insert into the ledger,
 * so that either all of it is there, once, or none. `segment` is null where the chunks hold no plays.
 * @throws LedgerConflict where a chunk is recorded already; Outage where D1 is away, and then it is open whether it was committed; anything
 * else where the data cannot be written.
 */
export async function commitChunks(
  db: D1Database,
  { chunks, segment, now, eventRows }: { chunks: HashedChunk[]; segment: Segment | null; now: number; eventRows: boolean },
  giveWay: GiveWay,
): Promise<void> {
  const summingFrom = Date.now();
  const sums = sumChunks(chunks);
  await giveWay();
  const aggregates = aggregateStatements(db, sums, now);
  await giveWay();
  const events = eventRows ? eventStatements(db, chunks) : [];
  await giveWay();
  const statements = [
    ledgerStatement(db, chunks, segment, now),
    ...(segment ? [segmentStatement(db, chunks.length, segment, sums.days, now)] : []),
    ...aggregates,
    ...refusalStatements(db, sums),
    ...events,
    ...playsLoggedStatements(db, segment, now),
    ...telemetryStatements(db, chunks, now),
    // Last: it reads the clock for the timings.
    ...commitMetrics(chunks, sums, { takenAt: now, summingFrom }).statements(db),
  ];
  try {
    await inSpan("db.save_changes", () => reaching("D1", () => withTimeout(db.batch(statements), D1_WRITE_TIMEOUT_MS, "D1 commit")));
    logAggregates(sums);
  } catch (error) {
    if (/UNIQUE constraint failed: chunk_ledger/.test(String(error)))
      throw new LedgerConflict("a chunk is recorded already", { cause: error });
    throw error;
  }
}

function ledgerStatement(db: D1Database, chunks: HashedChunk[], segment: Segment | null, now: number): D1PreparedStatement {
  const rows = chunks.map(({ header, hash, plays }) => [header.device_id, header.incarnation, header.number, hash, countPlays(plays)]);
  return db
    .prepare(
      `INSERT INTO chunk_ledger (device_id, incarnation, number, hash, plays_count, segment_id, recorded_at)
       SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, ?2, ?3 FROM json_each(?1)`,
    )
    .bind(JSON.stringify(rows), segment?.id ?? "", now);
}

function segmentStatement(db: D1Database, chunks: number, segment: Segment, days: string[], now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO segments (id, r2_key, sha256, bytes, plays_count, chunks_count, dt, recorded_at, first_day, last_day, generation)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, (SELECT max(id) FROM aggregate_generations WHERE writing = 1))`,
    )
    .bind(
      segment.id,
      segment.key,
      segment.sha256.toHex(),
      segment.bytes.length,
      segment.plays,
      chunks,
      segment.dt,
      now,
      days[0] ?? "",
      days.at(-1) ?? "",
    );
}

const DAILY_KEY = ["day", ...AGGREGATE_KEYS] as const;
const HOURLY_KEY = ["day", "hour", ...AGGREGATE_KEYS] as const;
const ACTIVITY_KEY = ["day", "device_id"] as const;
const ACTIVITY_COUNTS = ["plays_count", "billable_count", "total_duration_ms"] as const;
const REFUSAL_KEY = ["hour", "device_id", "door", "code"] as const;

/** The generations that take a day (`j.value ->> 0` is the day): those being written, whose range covers it. */
const WRITING = `JOIN aggregate_generations g ON g.writing = 1
  AND (g.from_day IS NULL OR j.value ->> 0 BETWEEN g.from_day AND g.to_day)`;
/** Whether a day's hourly rows are gone: what comes later adds to the daily row. */
const RETIRED = `EXISTS (SELECT 1 FROM aggregate_days d WHERE d.generation = g.id AND d.day = j.value ->> 0 AND d.hourly_retired_at IS NOT NULL)`;

/**
 * Adds sums of plays to the aggregates of every generation that is being written; the joins decide inside the transaction which those
 * are. Rows of `hourly` and `activity` are keyed by day first. One row written for each hour and set of dimensions, and one for all that
 * the sums by day take.
 * @param only the one generation to add to, where it is being written; null: all
 */
export function aggregateStatements(
  db: D1Database,
  sums: Pick<Sums, "hourly" | "activity" | "days">,
  now: number,
  only: number | null = null,
): D1PreparedStatement[] {
  const writing = only === null ? WRITING : `${WRITING} AND g.id = ${only}`;
  const hourlyParts = inParts(sums.hourly, hourlyRow);
  return [
    ...hourlyParts.map((part) =>
      db
        .prepare(
          `${ROWS} INSERT INTO plays_hourly (generation, ${[...HOURLY_KEY, ...AGGREGATE_COUNTERS].join(", ")})
           SELECT g.id, ${fields(HOURLY_KEY.length + AGGREGATE_COUNTERS.length)} FROM j ${writing} WHERE NOT ${RETIRED}
           ON CONFLICT DO UPDATE SET ${adding(AGGREGATE_COUNTERS)}`,
        )
        .bind(part),
    ),
    ...hourlyParts.map((part) =>
      db
        .prepare(
          `${ROWS} INSERT INTO proof_of_play_aggregate_daily (generation, ${[...DAILY_KEY, ...AGGREGATE_COUNTERS].join(", ")})
           SELECT g.id, ${DAILY_KEY.map((column) => `j.value ->> ${HOURLY_KEY.indexOf(column)}`).join(", ")},
             ${AGGREGATE_COUNTERS.map((_, index) => `sum(j.value ->> ${HOURLY_KEY.length + index})`).join(", ")}
           FROM j ${writing} WHERE ${RETIRED} GROUP BY ${DAILY_KEY.map((_, index) => index + 1).join(", ")}, ${DAILY_KEY.length + 1}
           ON CONFLICT DO UPDATE SET ${adding(AGGREGATE_COUNTERS)}`,
        )
        .bind(part),
    ),
    ...inParts(sums.activity, (row) => [...[...ACTIVITY_KEY, ...ACTIVITY_COUNTS].map((column) => row[column]), row.last_activity_at]).map(
      (part) =>
        db
          .prepare(
            `${ROWS} INSERT INTO device_activity_daily (generation, ${[...ACTIVITY_KEY, ...ACTIVITY_COUNTS].join(", ")}, last_activity_at)
           SELECT g.id, ${fields(ACTIVITY_KEY.length + ACTIVITY_COUNTS.length + 1)} FROM j ${writing} WHERE true
           ON CONFLICT DO UPDATE SET ${adding(ACTIVITY_COUNTS)}, last_activity_at = max(last_activity_at, excluded.last_activity_at)`,
          )
          .bind(part),
    ),
    ...pendingStatements(db, sums.hourly, only),
    db
      .prepare(
        `INSERT INTO aggregate_days (generation, day, dirty, touched_at)
         SELECT g.id, j.value ->> 0, 1, ?2 FROM json_each(?1) j ${writing} WHERE true
         ON CONFLICT DO UPDATE SET dirty = hourly_retired_at IS NULL, touched_at = excluded.touched_at`,
      )
      .bind(JSON.stringify(sums.days.map((day) => [day])), now),
  ];
}

/** A row of `plays_hourly`: its {@link HOURLY_KEY}, then its figures. */
function hourlyRow(sum: HourlySum): (string | number)[] {
  const { day, hour, campaign_id, ad_group_id, supplier_id, store_id, content_id } = sum;
  return [day, hour, campaign_id, ad_group_id, supplier_id, store_id, content_id, ...countersOf(sum)];
}

function refusalStatements(db: D1Database, sums: Sums): D1PreparedStatement[] {
  return inParts(sums.refusals, (row) => [...REFUSAL_KEY.map((column) => row[column]), row.count]).map((part) =>
    db
      .prepare(
        `${ROWS} INSERT INTO refusals_hourly (${REFUSAL_KEY.join(", ")}, count) SELECT ${fields(REFUSAL_KEY.length + 1)} FROM j WHERE true
         ON CONFLICT DO UPDATE SET ${adding(["count"])}`,
      )
      .bind(part),
  );
}

/** Rows of eight values; a statement binds a hundred at most. */
const CHUNK_ROWS_PER_STATEMENT = 12;

/** The single plays, a row a chunk: a plain insert, since the ledger has said that these chunks are new. */
function eventStatements(db: D1Database, chunks: HashedChunk[]): D1PreparedStatement[] {
  const rows = chunks.filter(({ plays }) => countPlays(plays) > 0).map(chunkRow);
  return Array.from({ length: Math.ceil(rows.length / CHUNK_ROWS_PER_STATEMENT) }, (_, at) => {
    const part = rows.slice(at * CHUNK_ROWS_PER_STATEMENT, (at + 1) * CHUNK_ROWS_PER_STATEMENT);
    return db
      .prepare(
        `INSERT INTO chunk_plays (device_id, last_day, incarnation, number, first_day, plays_count, contexts_json, rows_json)
         VALUES ${part.map(() => "(?, ?, ?, ?, ?, ?, ?, ?)").join(", ")}`,
      )
      .bind(...part.flat());
  });
}

function chunkRow({ header, plays }: HashedChunk): (string | number)[] {
  const { contexts, rows } = storedPlays(plays);
  const days = [...new Set(plays.day)].sort();
  const { device_id, incarnation, number } = header;
  const texts = [JSON.stringify(contexts), JSON.stringify(rows)] as const;
  return [device_id, days.at(-1) ?? "", incarnation, number, days[0] ?? "", rows.length, ...texts];
}

/** Rows that come as one JSON array of arrays. Materialised: SQLite would otherwise write each row out as text again for each of its columns. */
const ROWS = "WITH j AS MATERIALIZED (SELECT value FROM json_each(?1))";

/** The columns of a JSON array's rows, as SQL. */
function fields(count: number): string {
  return Array.from({ length: count }, (_, index) => `j.value ->> ${index}`).join(", ");
}

function adding(columns: readonly string[]): string {
  return columns.map((column) => `${column} = ${column} + excluded.${column}`).join(", ");
}

/** Rows as JSON arrays of arrays, each under the size that D1 takes, unless a single row is over it. */
function inParts<T>(rows: T[], values: (row: T) => unknown[]): string[] {
  if (rows.length === 0) return [];
  const text = JSON.stringify(rows.map(values));
  // Most rows are ASCII: only where the text's length alone does not settle it are its bytes counted.
  const fits = text.length * 3 <= MAX_D1_PARAMETER_BYTES || Buffer.byteLength(text) <= MAX_D1_PARAMETER_BYTES;
  if (fits || rows.length === 1) return [text];
  const parts = Math.max(2, Math.ceil(Buffer.byteLength(text) / MAX_D1_PARAMETER_BYTES));
  const each = Math.ceil(rows.length / parts);
  return Array.from({ length: Math.ceil(rows.length / each) }, (_, at) => rows.slice(at * each, (at + 1) * each)).flatMap((part) =>
    inParts(part, values),
  );
}
