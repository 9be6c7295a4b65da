import { DAY_MS, utcDay } from "../../platform/time.ts";

/** Above this size of the database the oldest day of single plays goes first: D1 ends at 10 GB, and nothing lifts that. */
export const MAX_DATABASE_BYTES = 6_000_000_000;
/** Hourly rows go so long after their day was last touched. */
export const HOURLY_ROWS_KEPT_MS = 45 * DAY_MS;
/** Bounds of one run; the next one goes on. A statement of D1 may take 30 s, an invocation make 1,000 queries. */
const ROWS_PER_STATEMENT = 1000;
const STATEMENTS_PER_RUN = 150;
const RETIRED_DAYS_PER_RUN = 100;

export interface RetainOptions {
  maxDatabaseBytes?: number;
  rowsPerStatement?: number;
  maxStatements?: number;
}

/** What a run did, for its log line. */
export interface RetainResult {
  /** Single plays that went. */
  plays: number;
  /** The first day of which all single plays are kept. */
  keptFrom: string;
  /** Whether the database is too large, so that a day inside the window went. */
  overSize: boolean;
  /** Whether rows are left for the next run. */
  unfinished: boolean;
  hourlyDays: string[];
}

/**
 * Ends what is kept for a while only: single plays older than `EVENT_ROWS_DAYS` days (and, above 6 GB, the oldest day that is
 * left), and hourly rows 45 days after their day was last touched. The day from which all single plays are there moves on before any
 * of them goes, so that a report never takes a day for whole that is not. Safe twice, at once with itself, and while plays are recorded.
 * @param now ms since 1970
 * @throws what D1 throws; what went before that is gone, the rest goes with the next run.
 */
export async function retain(env: Pick<Env, "DB" | "EVENT_ROWS_DAYS">, now: number, options: RetainOptions = {}): Promise<RetainResult> {
  const { maxDatabaseBytes = MAX_DATABASE_BYTES, rowsPerStatement = ROWS_PER_STATEMENT, maxStatements = STATEMENTS_PER_RUN } = options;
  const byAge = utcDay(now - Number(env.EVENT_ROWS_DAYS) * DAY_MS);
  const bySize = (await databaseBytes(env.DB)) > maxDatabaseBytes ? await behindOldestDay(env.DB, now) : null;
  const keptFrom = await moveWindow(env.DB, bySize && bySize > byAge ? bySize : byAge);
  let plays = 0;
  let unfinished = true;
  for (let statement = 0; statement < maxStatements && unfinished; statement++) {
    const deleted = await deleteEventRows(env.DB, keptFrom, rowsPerStatement);
    plays += deleted.plays;
    unfinished = deleted.chunks === rowsPerStatement;
  }
  return { plays, keptFrom, overSize: bySize !== null, unfinished, hourlyDays: await retireHourlyRows(env.DB, now) };
}

/** The first day of which all single plays are in D1; null where none ever went. Reports of single plays must not reach behind it. */
export async function eventRowsKeptFrom(db: D1Database): Promise<string | null> {
  return (await db.prepare("SELECT kept_from FROM event_rows_window WHERE id = 1").first<{ kept_from: string }>())?.kept_from ?? null;
}

/** The database's size, which comes with the answer to any query. */
async function databaseBytes(db: D1Database): Promise<number> {
  return (await db.prepare("SELECT 1").run()).meta.size_after;
}

/** The day behind the oldest one that single plays are left of; null where only today's and yesterday's are. */
async function behindOldestDay(db: D1Database, now: number): Promise<string | null> {
  // By the key of each device, not by a scan of all plays.
  const row = await db
    .prepare(
      `SELECT min((SELECT e.last_day FROM chunk_plays e WHERE e.device_id = d.id ORDER BY e.last_day LIMIT 1)) AS oldest FROM devices d`,
    )
    .first<{ oldest: string | null }>();
  return row?.oldest && row.oldest < utcDay(now - DAY_MS) ? utcDay(Date.parse(row.oldest) + DAY_MS) : null;
}

async function moveWindow(db: D1Database, keptFrom: string): Promise<string> {
  const row = await db
    .prepare(
      `INSERT INTO event_rows_window (id, kept_from) VALUES (1, ?)
       ON CONFLICT DO UPDATE SET kept_from = max(kept_from, excluded.kept_from) RETURNING kept_from`,
    )
    .bind(keptFrom)
    .first<{ kept_from: string }>();
  return row?.kept_from ?? keptFrom;
}

/** Deletes some chunks' single plays that are all from before a day, device by device along the key. */
async function deleteEventRows(db: D1Database, keptFrom: string, rows: number): Promise<{ chunks: number; plays: number }> {
  const { results } = await db
    .prepare(
      `DELETE FROM chunk_plays WHERE (device_id, last_day, incarnation, number) IN (
         SELECT e.device_id, e.last_day, e.incarnation, e.number FROM devices d CROSS JOIN chunk_plays e ON e.device_id = d.id AND e.last_day < ?1
         LIMIT ?2) RETURNING plays_count`,
    )
    .bind(keptFrom, rows)
    .all<{ plays_count: number }>();
  return { chunks: results.length, plays: results.reduce((sum, { plays_count }) => sum + plays_count, 0) };
}

/**
 * Retires the hourly rows of days that were not touched for long, each in one transaction. Only where the daily rows equal them (the day
 * is not marked): a play that is recorded meanwhile falls before it, and keeps the day, or behind it, and adds to the daily row.
 */
async function retireHourlyRows(db: D1Database, now: number): Promise<string[]> {
  const ripe =
    "dirty = 0 AND hourly_retired_at IS NULL AND touched_at <= ?1 AND generation = (SELECT id FROM aggregate_generations WHERE live = 1)";
  const touchedUntil = now - HOURLY_ROWS_KEPT_MS;
  const { results } = await db
    .prepare(`SELECT day FROM aggregate_days WHERE ${ripe} ORDER BY day LIMIT ${RETIRED_DAYS_PER_RUN}`)
    .bind(touchedUntil)
    .all<{ day: string }>();
  for (const { day } of results) {
    await db.batch([
      db
        .prepare(
          `DELETE FROM plays_hourly WHERE generation = (SELECT id FROM aggregate_generations WHERE live = 1) AND day = ?2
             AND EXISTS (SELECT 1 FROM aggregate_days WHERE day = ?2 AND ${ripe})`,
        )
        .bind(touchedUntil, day),
      db.prepare(`UPDATE aggregate_days SET hourly_retired_at = ?3 WHERE day = ?2 AND ${ripe}`).bind(touchedUntil, day, now),
    ]);
  }
  return results.map(({ day }) => day);
}
