/** Plays that D1 counts and the archive does not have: replacing sums by the archive's would lose them. */
export type Unarchived =
  | { day: string; problem: "no archive"; plays_count: number }
  | { chunk_id: string; problem: "no segment"; plays_count: number };

const LISTED_CHUNKS = 20;
/** The ledger is looked through in parts, by the first digit of the device's id: it may be large. */
const FIRST_DIGITS = "0123456789abcdef";

/**
 * SQL for the plays of each day in `?2` to `?3` as a report counts them: from the hourly rows of marked days, from the daily rows of
 * all others. Columns `day`, `plays_count`.
 * @param generation SQL for the generation's id
 */
export function sumsByDay(generation: string): string {
  const marked = `SELECT day FROM aggregate_days WHERE generation = ${generation} AND day BETWEEN ?2 AND ?3 AND dirty = 1 AND hourly_retired_at IS NULL`;
  return `SELECT day, sum(plays_count) AS plays_count FROM (
    SELECT day, plays_count FROM proof_of_play_aggregate_daily
      WHERE generation = ${generation} AND day BETWEEN ?2 AND ?3 AND day NOT IN (${marked})
    UNION ALL SELECT day, plays_count FROM plays_hourly WHERE generation = ${generation} AND day IN (${marked})) GROUP BY day`;
}

/**
 * What a rebuilt generation lacks although D1 has it: days with plays of which the archive has none at all, and, where a day has fewer
 * plays than the live aggregates say, recorded chunks that no segment holds. Fewer plays alone are no loss: the archive is right,
 * and that is what a replay is for. Days that another run lets change over meanwhile are not looked at.
 */
export async function findUnarchived(db: D1Database, generation: number, from: string, to: string): Promise<Unarchived[]> {
  const { results: fewer } = await db
    .prepare(
      `SELECT live.day, live.plays_count, coalesce(built.plays_count, 0) AS built_count
       FROM (${sumsByDay("(SELECT id FROM aggregate_generations WHERE live = 1)")}) live
       LEFT JOIN (${sumsByDay("?1")}) built ON built.day = live.day
       WHERE live.plays_count > coalesce(built.plays_count, 0) AND live.day >= (SELECT from_day FROM aggregate_generations WHERE id = ?1)
       ORDER BY live.day`,
    )
    .bind(generation, from, to)
    .all<{ day: string; plays_count: number; built_count: number }>();
  if (fewer.length === 0) return [];
  const days = fewer
    .filter(({ built_count }) => built_count === 0)
    .map(({ day, plays_count }): Unarchived => ({ day, problem: "no archive", plays_count }));
  return [...days, ...(await chunksWithoutSegment(db))];
}

async function chunksWithoutSegment(db: D1Database): Promise<Unarchived[]> {
  const found: Unarchived[] = [];
  for (const digit of FIRST_DIGITS) {
    const { results } = await db
      .prepare(
        `SELECT l.device_id || '.' || l.incarnation || '.' || l.number AS chunk_id, l.plays_count
         FROM chunk_ledger l LEFT JOIN segments s ON s.id = l.segment_id
         WHERE l.device_id >= ?1 AND l.device_id < ?1 || 'g' AND l.plays_count > 0 AND s.id IS NULL LIMIT ${LISTED_CHUNKS}`,
      )
      .bind(digit)
      .all<{ chunk_id: string; plays_count: number }>();
    found.push(...results.map((row): Unarchived => ({ ...row, problem: "no segment" })));
    if (found.length >= LISTED_CHUNKS) break;
  }
  return found;
}
