import { AGGREGATE_COUNTERS, type AGGREGATE_KEYS, type AggregateCounter, countersOf, DAILY_SUMS, type DailySums } from "../tables.ts";

/** Figures of a day and a set of dimensions, of an hour of it or of all. */
export type KeyedSum = { day: string } & Record<(typeof AGGREGATE_KEYS)[number], string> & Record<AggregateCounter, number>;

/** Sums that one pending row takes: a value of D1 ends at 2 MB. */
const SUMS_PER_PENDING_ROW = 4000;
/** So many pending sums are merged at once; fewer wait for more, since a merge writes each content and store that it touches. */
export const MERGED_FROM_SUMS = 5000;
/** A statement of D1 may take 30 s, and an invocation make 1,000 queries. */
const ROWS_PER_MERGE = 50;
const MERGES_PER_RUN = 60;

/**
 * Notes sums for the tables of {@link DAILY_SUMS}, for every generation that is being written and takes their day: one row written for
 * each generation. They count from then on: whoever reads the tables reads what is pending too.
 * @param sums of any hours: what is equal but for the hour is added up
 * @param only the one generation to note them for, where it is being written; null: all
 */
export function pendingStatements(db: D1Database, sums: KeyedSum[], only: number | null = null): D1PreparedStatement[] {
  const statements: D1PreparedStatement[] = [];
  for (let from = 0; from < sums.length; from += SUMS_PER_PENDING_ROW) {
    const part = sums.slice(from, from + SUMS_PER_PENDING_ROW);
    statements.push(
      db
        .prepare(
          `INSERT INTO plays_daily_pending (generation, id, ${DAILY_SUMS.map(({ pending }) => pending).join(", ")})
           SELECT g.id, 1 + coalesce((SELECT max(id) FROM plays_daily_pending WHERE generation = g.id), 0),
             ${DAILY_SUMS.map((_, index) => ofRange(`?${index + 1}`)).join(", ")}
           FROM aggregate_generations g WHERE g.writing = 1${only === null ? "" : ` AND g.id = ${only}`}`,
        )
        .bind(...DAILY_SUMS.map((kind) => JSON.stringify(fold(part, kind)))),
    );
  }
  return statements;
}

/** What of a JSON array of sums a generation takes: those of its days. */
function ofRange(json: string): string {
  return `CASE WHEN g.from_day IS NULL THEN ${json} ELSE
    (SELECT json_group_array(json(j.value)) FROM json_each(${json}) j WHERE j.value ->> 0 BETWEEN g.from_day AND g.to_day) END`;
}

/** What identifies a sum in each table: its day and the table's keys. */
const IDS_OF: Record<DailySums["table"], (sum: KeyedSum) => string[]> = {
  plays_daily_by_content: (sum) => [sum.day, sum.campaign_id, sum.ad_group_id, sum.content_id],
  plays_daily_by_store: (sum) => [sum.day, sum.supplier_id, sum.store_id],
};

/** Sums by day and the table's keys, as rows: day, keys, figures. */
function fold(sums: KeyedSum[], { table }: DailySums): (string | number)[][] {
  const idsOf = IDS_OF[table];
  const rows = new Map<string, { ids: string[]; counters: number[] }>();
  for (const sum of sums) {
    const ids = idsOf(sum);
    const counters = countersOf(sum);
    const key = ids.join("|");
    const known = rows.get(key)?.counters;
    if (known) for (let at = 0; at < counters.length; at++) known[at] = (known[at] ?? 0) + (counters[at] ?? 0);
    else rows.set(key, { ids, counters });
  }
  return [...rows.values()].map(({ ids, counters }) => [...ids, ...counters]);
}

/**
 * SQL for what is pending for a table, as rows with its columns, and `id`. Not summed up: a row a commit. Materialised: SQLite would
 * otherwise write each of them out as text again for each of its columns.
 * @param terms which rows of `plays_daily_pending` (`p`) are read
 */
export function pendingRows({ pending, keys }: DailySums, terms = "true"): string {
  const columns = ["day", ...keys, ...AGGREGATE_COUNTERS].map((column, index) => `sums ->> ${index} AS ${column}`);
  return `WITH pending AS MATERIALIZED (
      SELECT p.generation, p.id, j.value AS sums FROM plays_daily_pending p CROSS JOIN json_each(p.${pending}) j WHERE ${terms})
    SELECT generation, id, ${columns.join(", ")} FROM pending`;
}

/**
 * Adds what is pending to the tables; the statements belong into one transaction. Whoever is to read or to change the tables alone
 * begins with them. What was noted for a generation that is no more is dropped.
 * @param rows the most pending rows, the oldest first; -1: all
 */
export function mergeStatements(db: D1Database, rows = -1): D1PreparedStatement[] {
  const oldest = `SELECT generation, id FROM plays_daily_pending ORDER BY generation, id LIMIT ${rows}`;
  const counters = AGGREGATE_COUNTERS.join(", ");
  const sums = AGGREGATE_COUNTERS.map((counter) => `sum(${counter})`).join(", ");
  return [
    ...DAILY_SUMS.map((kind) => {
      const key = ["generation", "day", ...kind.keys].join(", ");
      return db.prepare(
        `INSERT INTO ${kind.table} (${key}, ${counters})
         SELECT ${key}, ${sums} FROM (${pendingRows(kind, `(p.generation, p.id) IN (${oldest})`)})
         WHERE generation IN (SELECT id FROM aggregate_generations) GROUP BY ${key}
         ON CONFLICT DO UPDATE SET ${AGGREGATE_COUNTERS.map((counter) => `${counter} = ${counter} + excluded.${counter}`).join(", ")}`,
      );
    }),
    db.prepare(`DELETE FROM plays_daily_pending WHERE (generation, id) IN (${oldest})`),
  ];
}

/** What a run did, for its log line. */
export interface MergeResult {
  /** Pending rows that were merged. */
  rows: number;
}

/**
 * Merges what is pending, once it is worth it, some rows a transaction. Safe twice, at once with itself, and while plays are recorded.
 * @param least how many sums must be pending
 * @throws what D1 throws; what was merged before that is merged.
 */
export async function mergePending(db: D1Database, least = MERGED_FROM_SUMS): Promise<MergeResult> {
  const lengths = DAILY_SUMS.map(({ pending }) => `json_array_length(${pending})`).join(" + ");
  const waiting = await db
    .prepare(`SELECT coalesce(sum(${lengths}), 0) AS sums, count(*) AS n FROM plays_daily_pending`)
    .first<{ sums: number; n: number }>();
  let rows = 0;
  if (!waiting || waiting.n === 0 || waiting.sums < least) return { rows };
  for (let merge = 0; merge < MERGES_PER_RUN; merge++) {
    const results = await db.batch(mergeStatements(db, ROWS_PER_MERGE));
    const merged = results.at(-1)?.meta.changes ?? 0;
    rows += merged;
    if (merged < ROWS_PER_MERGE) break;
  }
  return { rows };
}

/**
 * Makes a day's rows equal to the daily rows of the aggregates, where `condition` holds inside the transaction (`?1`: generation,
 * `?2`: day). Nothing may be pending for the day then: {@link mergeStatements} come before. Rewrites only rows that differ.
 */
export function equalizeSql(condition: string): string[] {
  const counters = AGGREGATE_COUNTERS.join(", ");
  const sums = AGGREGATE_COUNTERS.map((counter) => `sum(${counter})`).join(", ");
  return DAILY_SUMS.flatMap(({ table, keys: columns }) => {
    const keys = columns.join(", ");
    return [
      `DELETE FROM ${table} WHERE generation = ?1 AND day = ?2 AND ${condition}
         AND (${keys}) NOT IN (SELECT ${keys} FROM proof_of_play_aggregate_daily WHERE generation = ?1 AND day = ?2)`,
      `INSERT INTO ${table} (generation, day, ${keys}, ${counters})
       SELECT generation, day, ${keys}, ${sums} FROM proof_of_play_aggregate_daily
       WHERE generation = ?1 AND day = ?2 AND ${condition} GROUP BY generation, day, ${keys}
       ON CONFLICT DO UPDATE SET ${AGGREGATE_COUNTERS.map((counter) => `${counter} = excluded.${counter}`).join(", ")}
       WHERE (${counters}) <> (${AGGREGATE_COUNTERS.map((counter) => `excluded.${counter}`).join(", ")})`,
    ];
  });
}
