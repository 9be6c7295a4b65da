import { uuidv7 } from "uuidv7";
import { auditStatement } from "../../audit/audit.ts";
import { Problem } from "../../platform/errors.ts";
import { type FirstAnswer, findFirstAnswer, type IdempotentRequest, rememberStatements } from "../../platform/idempotency.ts";
import { decodeCursor, type Page, pageOf } from "../../platform/paging.ts";
import { DAY_MS, toIso } from "../../platform/time.ts";
import { DAILY_SUMS } from "../tables.ts";
import { firstSegmentId } from "./read.ts";

/** The longest range that one replay rebuilds. */
export const MAX_REPLAY_DAYS = 92;

/**
 * A replay rebuilds the aggregates of a range of days from the archive, while plays keep coming:
 *
 * 1. One transaction makes a new generation of the aggregates for these days. From then on every commit writes both, the live one and
 *    the new one, and its segment says so (`segments.generation`).
 * 2. The segments that are older than the generation are added to it from the archive, each in one transaction with its row in
 *    `replay_segments`: a segment that is there already violates the key, so none is added twice, whoever dies or runs twice.
 * 3. When all of them are in and none was damaged, the days change over, each in one transaction: the live generation's rows of the day go,
 *    the new one's become the live ones (hours, days, devices, and the day's mark). Until a day changes over, reports show it as it was.
 *
 * A day whose hourly rows were retired gets hourly rows again; it is read from them while it is marked, from its daily rows
 * after the next rollup, and its hours are retired anew 45 days later. So its sums are exact at every moment.
 */
export interface Replay {
  id: string;
  generation: number;
  from_day: string;
  to_day: string;
  status: "filling" | "done" | "incomplete" | "abandoned";
  segments_total: number;
  segments_filled: number;
  damaged_json: string;
  requested_by: string;
  created_at: number;
  ended_at: number | null;
}

export interface ReplayRange {
  from: string;
  to: string;
}

/** Who asks for something, and under which Idempotency-Key. */
export interface ReplayAsker {
  actor: string;
  idempotency: IdempotentRequest | null;
}

/** The new replay, as the API answers: nothing of its progress. */
export interface StartedReplay {
  id: string;
  status: "filling";
  from_day: string;
  to_day: string;
  requested_by: string;
  created_at: string;
}

/** The segments of a range of days (`?1` to `?2`) that may count, found by the table's key (`?3`: see {@link firstSegmentId}). */
const OF_RANGE = "id >= ?3 AND first_day <= ?2 AND last_day >= ?1";

/**
 * Begins a replay: a new generation, the replay and its audit row in one transaction.
 * @param now ms since 1970
 * @throws Problem `validation-error` for a range that is none or too long, `unprocessable` (code `NO_ARCHIVE`) where no segment
 *   has plays of it, `conflict` (code `REPLAY_RUNNING`) while another replay runs.
 */
export async function startReplay(
  db: D1Database,
  range: ReplayRange,
  asker: ReplayAsker,
  now: number,
): Promise<{ replay: StartedReplay; replayed: boolean }> {
  const first = asker.idempotency && (await findFirstAnswer(db, asker.idempotency, now));
  if (first) return { replay: JSON.parse(first.body) as StartedReplay, replayed: true };
  requireRange(range);
  const { from, to } = range;
  const bound = [from, to, firstSegmentId(from)] as const;
  const archived = await db
    .prepare(`SELECT 1 FROM segments WHERE ${OF_RANGE} LIMIT 1`)
    .bind(...bound)
    .first();
  if (!archived) throw new Problem("unprocessable", `The archive has no plays of ${from} to ${to}.`, { code: "NO_ARCHIVE" });
  const id = uuidv7();
  const replay: StartedReplay = {
    id,
    status: "filling",
    from_day: from,
    to_day: to,
    requested_by: asker.actor,
    created_at: toIso(now) ?? "",
  };
  const answer: FirstAnswer = { status: 202, body: JSON.stringify(replay) };
  const entry = { actor: asker.actor, action: "replay.start", targetType: "replay", targetId: id, details: { from, to } };
  try {
    await db.batch([
      // An id is never used again: segments of an older replay would be taken for its own.
      db
        .prepare(
          `INSERT INTO aggregate_generations (id, live, writing, created_at, from_day, to_day)
           SELECT 1 + max((SELECT max(id) FROM aggregate_generations), coalesce((SELECT max(generation) FROM replays), 0)), 0, 1, ?3, ?1, ?2`,
        )
        .bind(from, to, now),
      db
        .prepare(
          `INSERT INTO replays (id, generation, from_day, to_day, status, segments_total, requested_by, created_at)
           SELECT ?4, g.id, ?1, ?2, 'filling', (SELECT count(*) FROM segments WHERE ${OF_RANGE} AND generation < g.id), ?5, ?6
           FROM (SELECT max(id) AS id FROM aggregate_generations) g`,
        )
        .bind(...bound, id, asker.actor, now),
      auditStatement(db, entry, now),
      ...(asker.idempotency ? rememberStatements(db, asker.idempotency, answer, now) : []),
    ]);
  } catch (error) {
    if (!/UNIQUE constraint failed/.test(String(error))) throw error;
    const settled = asker.idempotency && (await findFirstAnswer(db, asker.idempotency, now));
    if (settled) return { replay: JSON.parse(settled.body) as StartedReplay, replayed: true };
    throw new Problem("conflict", "Another replay is running; wait for its end, or abandon it.", { code: "REPLAY_RUNNING" });
  }
  return { replay, replayed: false };
}

function requireRange({ from, to }: ReplayRange): void {
  const problem = (pointer: string, detail: string) =>
    new Problem("validation-error", `${pointer}: ${detail}`, { errors: [{ pointer, detail }] });
  if (from > to) throw problem("/to", "must not be before from");
  if ((Date.parse(to) - Date.parse(from)) / DAY_MS >= MAX_REPLAY_DAYS) {
    throw problem("/to", `must be at most ${MAX_REPLAY_DAYS} days from from on, both included`);
  }
}

/** The columns of {@link Replay}; while it runs, what is filled is counted. */
const REPLAY_COLUMNS = `id, generation, from_day, to_day, status, segments_total, damaged_json, requested_by, created_at, ended_at,
  CASE status WHEN 'filling' THEN (SELECT count(*) FROM replay_segments s WHERE s.generation = replays.generation) ELSE segments_filled END
    AS segments_filled`;

/** A replay by its id. @throws Problem `not-found` */
export async function readReplay(db: D1Database, id: string): Promise<Replay> {
  const row = await db.prepare(`SELECT ${REPLAY_COLUMNS} FROM replays WHERE id = ?`).bind(id).first<Replay>();
  if (!row) throw new Problem("not-found", `There is no replay ${id}.`);
  return row;
}

/** Replays, the newest first. */
export async function listReplays(db: D1Database, page: { limit: number; cursor: string | undefined }): Promise<Page<Replay>> {
  const { results } = await db
    .prepare(`SELECT ${REPLAY_COLUMNS} FROM replays WHERE id < ? ORDER BY id DESC LIMIT ?`)
    .bind(decodeCursor(page.cursor) ?? "~", page.limit + 1)
    .all<Replay>();
  return pageOf(results, page.limit, ({ id }) => id);
}

/**
 * Ends a replay that is running. Days that changed over already are exact and stay; the others stay as they were.
 * @throws Problem `not-found`, or `conflict` (code `REPLAY_ENDED`) where it has ended.
 */
export async function abandonReplay(db: D1Database, id: string, actor: string, now: number): Promise<Replay> {
  const { generation } = await readReplay(db, id);
  const entry = { actor, action: "replay.abandon", targetType: "replay", targetId: id, details: {} };
  try {
    await db.batch([
      // Fails the transaction, the audit row with it, where the replay ended meanwhile.
      db.prepare("UPDATE replays SET status = CASE status WHEN 'filling' THEN 'filling' END WHERE id = ?").bind(id),
      ...endStatements(db, generation, "abandoned", now),
      auditStatement(db, entry, now),
    ]);
  } catch (error) {
    if (!/NOT NULL constraint failed: replays/.test(String(error))) throw error;
    throw new Problem("conflict", "The replay has ended.", { code: "REPLAY_ENDED" });
  }
  return await readReplay(db, id);
}

/** Ends a replay, if it is still running, and with it its generation: no commit writes it any more. */
export function endStatements(
  db: D1Database,
  generation: number,
  status: Exclude<Replay["status"], "filling">,
  now: number,
): D1PreparedStatement[] {
  return [
    db
      .prepare(
        `UPDATE replays SET status = ?2, ended_at = ?3, segments_filled = (SELECT count(*) FROM replay_segments WHERE generation = ?1)
         WHERE generation = ?1 AND status = 'filling'`,
      )
      .bind(generation, status, now),
    db
      .prepare(
        `DELETE FROM aggregate_generations WHERE id = ? AND live = 0
         AND NOT EXISTS (SELECT 1 FROM replays WHERE generation = aggregate_generations.id AND status = 'filling')`,
      )
      .bind(generation),
  ];
}

const TIDIED_DAYS_PER_RUN = 50;
const TIDIED_SEGMENTS_PER_RUN = 5000;
/** The tables of the aggregates: rows of a generation and a day. The marks last: by them it is found which days there are. */
export const GENERATION_TABLES = [
  "plays_hourly",
  "proof_of_play_aggregate_daily",
  "device_activity_daily",
  ...DAILY_SUMS.map(({ table }) => table),
  "aggregate_days",
] as const;

/** Deletes what replays that have ended left behind: rows of generations that are no more, day by day. Safe at any time. */
export async function tidyReplays(db: D1Database): Promise<number> {
  const { results } = await db
    .prepare(
      `SELECT generation, day FROM aggregate_days WHERE generation NOT IN (SELECT id FROM aggregate_generations) LIMIT ${TIDIED_DAYS_PER_RUN}`,
    )
    .all<{ generation: number; day: string }>();
  for (const { generation, day } of results) {
    await db.batch(
      GENERATION_TABLES.map((table) => db.prepare(`DELETE FROM ${table} WHERE generation = ? AND day = ?`).bind(generation, day)),
    );
  }
  await db
    .prepare(
      `DELETE FROM replay_segments WHERE (generation, segment_id) IN
         (SELECT generation, segment_id FROM replay_segments WHERE generation IN (SELECT generation FROM replays WHERE status <> 'filling')
          LIMIT ${TIDIED_SEGMENTS_PER_RUN})`,
    )
    .run();
  return results.length;
}
