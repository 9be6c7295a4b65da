import { DAY_MS, utcDay } from "../platform/time.ts";

/** As far back as a report's range reaches. */
export const PLANNED_KEPT_DAYS = 400;
/** The campaigns of single devices go so much later than single plays, with which alone a report compares them. */
const CAMPAIGNS_SLACK_DAYS = 15;
/** Bounds of one run; the next one goes on. */
const DAYS_PER_RUN = 30;

/** SQL for a day's (`?1`) rows by campaign. Materialised: SQLite would otherwise write each entry out as text again for each value. */
const ENTRIES = `WITH entries AS MATERIALIZED (
    SELECT p.supplier_id, p.store_id, j.value AS entry FROM planned_daily p CROSS JOIN json_each(p.campaigns_json) j WHERE p.day = ?1)
  SELECT entry ->> 0 AS campaign_id, supplier_id, store_id, entry ->> 1 AS plays, entry ->> 2 AS ms FROM entries`;

/**
 * Sums up what devices were told to play, of the days whose rows have changed, each day in one transaction. Only sums that differ are
 * written. Safe twice, at once with itself, and while plans are made.
 * @throws what D1 throws; days that were summed up before that are, the rest goes with the next run.
 */
export async function sumPlanned(db: D1Database): Promise<{ days: string[] }> {
  const { results } = await db
    .prepare("SELECT day FROM planned_days WHERE dirty = 1 AND thinned = 0 ORDER BY day LIMIT ?")
    .bind(DAYS_PER_RUN)
    .all<{ day: string }>();
  for (const { day } of results) {
    await db.batch(
      [
        `DELETE FROM planned_sums_daily WHERE day = ?1
           AND (campaign_id, supplier_id, store_id) NOT IN (SELECT campaign_id, supplier_id, store_id FROM (${ENTRIES}))`,
        `INSERT INTO planned_sums_daily (day, campaign_id, supplier_id, store_id, planned_plays, planned_ms)
         SELECT ?1, campaign_id, supplier_id, store_id, sum(plays), sum(ms) FROM (${ENTRIES}) GROUP BY 2, 3, 4
         ON CONFLICT DO UPDATE SET planned_plays = excluded.planned_plays, planned_ms = excluded.planned_ms
         WHERE (planned_plays, planned_ms) <> (excluded.planned_plays, excluded.planned_ms)`,
        "UPDATE planned_days SET dirty = 0 WHERE day = ?1",
      ].map((sql) => db.prepare(sql).bind(day)),
    );
  }
  return { days: results.map(({ day }) => day) };
}

/**
 * Ends what is kept of plans for a while only: the campaigns of single devices 15 days after single plays (45 days at least), all of a
 * day after 400 days. Each day in one transaction; safe twice.
 * @param now ms since 1970
 */
export async function forgetPlanned(
  env: Pick<Env, "DB" | "EVENT_ROWS_DAYS">,
  now: number,
): Promise<{ thinned: number; forgotten: number }> {
  const thinDays = Math.max(30, Number(env.EVENT_ROWS_DAYS)) + CAMPAIGNS_SLACK_DAYS;
  const thin = await eachDay(env.DB, "day < ? AND dirty = 0 AND thinned = 0", utcDay(now - thinDays * DAY_MS), [
    "UPDATE planned_daily SET campaigns_json = '[]' WHERE day = ?1",
    "UPDATE planned_days SET thinned = 1 WHERE day = ?1",
  ]);
  const forgotten = await eachDay(env.DB, "day < ?", utcDay(now - PLANNED_KEPT_DAYS * DAY_MS), [
    "DELETE FROM planned_daily WHERE day = ?1",
    "DELETE FROM planned_sums_daily WHERE day = ?1",
    "DELETE FROM planned_days WHERE day = ?1",
  ]);
  return { thinned: thin, forgotten };
}

async function eachDay(db: D1Database, condition: string, day: string, statements: readonly string[]): Promise<number> {
  const { results } = await db
    .prepare(`SELECT day FROM planned_days WHERE ${condition} ORDER BY day LIMIT ${DAYS_PER_RUN}`)
    .bind(day)
    .all<{ day: string }>();
  for (const row of results) await db.batch(statements.map((sql) => db.prepare(sql).bind(row.day)));
  return results.length;
}
