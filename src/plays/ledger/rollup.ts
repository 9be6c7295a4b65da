import { DAY_MS, MINUTE_MS, utcDay } from "../../platform/time.ts";
import { AGGREGATE_COUNTERS, AGGREGATE_KEYS } from "../tables.ts";
import { equalizeSql, mergePending, mergeStatements } from "./daily-sums.ts";

/** Days that one run rolls up; the next run takes the others. A batch of ten a day, 1,000 queries an invocation at most. */
const ROLLUP_DAYS_PER_RUN = 40;
/** A day that still runs and that plays keep coming for is read from its hourly rows anyway: rolling it up would only cost rows. */
export const ROLLUP_QUIET_MS = 10 * MINUTE_MS;
/** The last zone enters a day 12 hours after UTC does (UTC−12), so a day is over everywhere a day and a half after it began. */
const DAY_OVER_AFTER_MS = 1.5 * DAY_MS;

export interface RollupOptions {
  /** Leaves days alone that are not over everywhere and were touched less than this ago. Default 0: no day is left alone. */
  quietMs?: number;
  /** The most days in this run. */
  maxDays?: number;
}

/** What a run did, for its log line. */
export interface RollupResult {
  /** (generation, day) pairs whose daily rows now equal their hourly rows. */
  days: { generation: number; day: string }[];
  /** Daily rows that were added, changed or removed. */
  rowsWritten: number;
  /** Marked days left for a later run. */
  left: number;
}

interface MarkedDay {
  generation: number;
  day: string;
}

/**
 * Replaces the daily rows of every marked (generation, day) by the sums of its hourly rows, makes the tables that leave dimensions
 * out equal to them, and clears the mark, one transaction a day. It is right run twice, late, or while plays are being recorded: each
 * statement reads and writes inside the transaction, so a commit falls wholly before it (and is in the sums) or wholly behind it (and
 * marks the day again).
 * A day whose hourly rows have gone (`hourly_retired_at`) keeps its daily rows as they are; only its mark is cleared.
 * @param now ms since 1970
 * @throws what D1 throws; days done before that stay done, the others stay marked.
 */
export async function rollUp(db: D1Database, now: number, options: RollupOptions = {}): Promise<RollupResult> {
  const { quietMs = 0, maxDays = ROLLUP_DAYS_PER_RUN } = options;
  const { results: marked } = await db
    .prepare(
      `SELECT generation, day FROM aggregate_days
       WHERE dirty = 1 AND (day <= ?1 OR touched_at <= ?2) ORDER BY day, generation`,
    )
    .bind(lastDayOver(now), quietMs > 0 ? now - quietMs : Number.MAX_SAFE_INTEGER)
    .all<MarkedDay>();
  const days = marked.slice(0, maxDays);
  // Each day merges what is pending in its own transaction: this leaves it little to do.
  await mergePending(db, 0);
  let rowsWritten = 0;
  for (const day of days) rowsWritten += await rollUpDay(db, day);
  return { days, rowsWritten, left: marked.length - days.length };
}

/** The latest calendar day that is over in every time zone at `now` (ms). */
export function lastDayOver(now: number): string {
  return utcDay(now - DAY_OVER_AFTER_MS);
}

/** True inside the transaction for as long as the day's hourly rows are the truth. */
const MARKED = `EXISTS (SELECT 1 FROM aggregate_days
  WHERE generation = ?1 AND day = ?2 AND dirty = 1 AND hourly_retired_at IS NULL)`;

/** Rewrites only rows that differ: a day is rolled up again for a handful of late plays, and rows written are what costs money. */
async function rollUpDay(db: D1Database, { generation, day }: MarkedDay): Promise<number> {
  const keys = AGGREGATE_KEYS.join(", ");
  const counters = AGGREGATE_COUNTERS.join(", ");
  const daily = [
    `DELETE FROM proof_of_play_aggregate_daily WHERE generation = ?1 AND day = ?2 AND ${MARKED}
       AND (${keys}) NOT IN (SELECT ${keys} FROM plays_hourly WHERE generation = ?1 AND day = ?2)`,
    `INSERT INTO proof_of_play_aggregate_daily (generation, day, ${keys}, ${counters})
     SELECT generation, day, ${keys}, ${AGGREGATE_COUNTERS.map((counter) => `sum(${counter})`).join(", ")}
     FROM plays_hourly WHERE generation = ?1 AND day = ?2 AND ${MARKED} GROUP BY generation, day, ${keys}
     ON CONFLICT (generation, day, ${keys}) DO UPDATE
     SET ${AGGREGATE_COUNTERS.map((counter) => `${counter} = excluded.${counter}`).join(", ")}
     WHERE (${counters}) <> (${AGGREGATE_COUNTERS.map((counter) => `excluded.${counter}`).join(", ")})`,
  ];
  const narrower = [...equalizeSql(MARKED), "UPDATE aggregate_days SET dirty = 0 WHERE generation = ?1 AND day = ?2 AND dirty = 1"];
  const bound = (sql: string) => db.prepare(sql).bind(generation, day);
  const [removed, written] = await db.batch([...daily.map(bound), ...mergeStatements(db), ...narrower.map(bound)]);
  return (removed?.meta.changes ?? 0) + (written?.meta.changes ?? 0);
}
