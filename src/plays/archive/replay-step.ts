import { DAY_MS, utcDay } from "../../platform/time.ts";
import { aggregateStatements } from "../ledger/commit.ts";
import { mergeStatements } from "../ledger/daily-sums.ts";
import { sumChunks } from "../ledger/sums.ts";
import { chunksOf, type Damage, firstSegmentId, readSegments, SEGMENT_REF_COLUMNS, type SegmentRef, takeSegments } from "./read.ts";
import { endStatements, GENERATION_TABLES, tidyReplays } from "./replay.ts";
import { findUnarchived, type Unarchived } from "./replay-coverage.ts";
import type { ArchiveRow } from "./segment.ts";

/** What is in memory at a time. */
const MAX_GROUP_PLAYS = 20_000;
const MAX_GROUP_SEGMENTS = 500;
/** A run ends after so many groups: cron's runs of a minute may use 30 s of CPU. */
const GROUPS_PER_RUN = 15;
const DAYS_PER_RUN = 20;
/** So much damage ends a replay before it has looked at everything. */
const MAX_DAMAGED = 100;

export interface ReplayOptions {
  /** Plays that are added in one transaction; one segment at least. */
  maxGroupPlays?: number;
  maxGroups?: number;
  /** Days that change over in this run. */
  maxDays?: number;
}

/** A replay that runs, with what is left of its range: days that changed over are behind it. */
interface Running {
  generation: number;
  from_day: string;
  to_day: string;
  next_day: string;
  damaged: number;
}

export type ReplayStep = "nothing to do" | "filling" | "changing over" | "done" | "incomplete";

/**
 * Takes the running replay a step further, if there is one: see {@link Replay}. It is right run twice, at once with itself, or after it
 * died anywhere: what was done is in D1, each piece in one transaction.
 * @param now ms since 1970
 * @throws what R2 or D1 throw in an outage: the next run goes on.
 */
export async function stepReplay(env: Pick<Env, "DB" | "BUCKET">, now: number, options: ReplayOptions = {}): Promise<ReplayStep> {
  const { maxGroupPlays = MAX_GROUP_PLAYS, maxGroups = GROUPS_PER_RUN, maxDays = DAYS_PER_RUN } = options;
  await tidyReplays(env.DB);
  for (let group = 0; group <= maxGroups; group++) {
    const replay = await readRunning(env.DB);
    if (!replay) return "nothing to do";
    if (replay.damaged >= MAX_DAMAGED) return await end(env.DB, replay, "incomplete", now);
    const pending = await pendingSegments(env.DB, replay);
    if (pending.length === 0) return await conclude(env.DB, replay, maxDays, now);
    if (group < maxGroups) await fill(env, replay, takeSegments(pending, maxGroupPlays), now);
  }
  return "filling";
}

async function readRunning(db: D1Database): Promise<Running | null> {
  return await db
    .prepare(
      `SELECT r.generation, r.from_day, r.to_day, g.from_day AS next_day, json_array_length(r.damaged_json) AS damaged
       FROM replays r JOIN aggregate_generations g ON g.id = r.generation WHERE r.status = 'filling'`,
    )
    .first<Running>();
}

/**
 * The next segments that the generation lacks, in the order of their ids, but for those that are damaged. They are filled in that
 * order, so what is left lies behind the last one that is filled; only when that finds none are all of them looked at.
 */
async function pendingSegments(db: D1Database, replay: Running): Promise<SegmentRef[]> {
  const last = await db
    .prepare("SELECT max(segment_id) AS id FROM replay_segments WHERE generation = ?")
    .bind(replay.generation)
    .first<{ id: string | null }>();
  const start = firstSegmentId(replay.from_day);
  const behind = last?.id && last.id > start ? await pendingFrom(db, replay, last.id) : [];
  return behind.length > 0 ? behind : await pendingFrom(db, replay, start);
}

async function pendingFrom(db: D1Database, { generation, from_day, to_day }: Running, start: string): Promise<SegmentRef[]> {
  const { results } = await db
    .prepare(
      `SELECT ${SEGMENT_REF_COLUMNS} FROM segments
       WHERE id >= ?4 AND first_day <= ?3 AND last_day >= ?2 AND generation < ?1
         AND NOT EXISTS (SELECT 1 FROM replay_segments f WHERE f.generation = ?1 AND f.segment_id = segments.id)
         AND id NOT IN (SELECT j.value ->> 'segment_id' FROM replays r, json_each(r.damaged_json) j WHERE r.generation = ?1)
       ORDER BY id LIMIT ${MAX_GROUP_SEGMENTS}`,
    )
    .bind(generation, from_day, to_day, start)
    .all<SegmentRef>();
  return results;
}

/** Adds segments to the generation, and names those that cannot be read. */
async function fill(env: Pick<Env, "DB" | "BUCKET">, { generation }: Running, segments: SegmentRef[], now: number): Promise<void> {
  const read = await readSegments(env, segments);
  if (read.rows.size > 0) {
    const rows: ArchiveRow[] = [...read.rows.values()].flat();
    const filled = [...read.rows].map(([id, plays]) => [id, plays.length]);
    try {
      await env.DB.batch([
        env.DB.prepare(
          "INSERT INTO replay_segments (generation, segment_id, plays_count) SELECT ?2, value ->> 0, value ->> 1 FROM json_each(?1)",
        ).bind(JSON.stringify(filled), generation),
        ...aggregateStatements(env.DB, sumChunks(chunksOf(rows)), now, generation),
      ]);
    } catch (error) {
      // Another run was faster with one of these: nothing was written, and the caller looks anew at what is left.
      if (!/UNIQUE constraint failed: replay_segments/.test(String(error))) throw error;
    }
  }
  if (read.damaged.length > 0) await env.DB.batch(read.damaged.map((damage) => nameDamage(env.DB, generation, damage)));
}

/** Adds to the list of what is damaged, once for each segment. */
function nameDamage(db: D1Database, generation: number, damage: Damage): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE replays SET damaged_json = json_insert(damaged_json, '$[#]', json(?2)) WHERE generation = ?1 AND status = 'filling'
         AND NOT EXISTS (SELECT 1 FROM json_each(damaged_json) WHERE value ->> 'segment_id' = ?3)`,
    )
    .bind(generation, JSON.stringify(damage), damage.segment_id);
}

/** All is filled that can be: ends the replay where something is missing, else lets the days change over. */
async function conclude(db: D1Database, replay: Running, maxDays: number, now: number): Promise<ReplayStep> {
  if (replay.damaged > 0) return await end(db, replay, "incomplete", now);
  if (replay.next_day > replay.to_day) return await end(db, replay, "done", now);
  const missing = await findUnarchived(db, replay.generation, replay.next_day, replay.to_day);
  if (missing.length > 0) {
    await db.batch(missing.slice(0, MAX_DAMAGED).map((one) => nameMissing(db, replay.generation, one)));
    return await end(db, replay, "incomplete", now);
  }
  let day = replay.next_day;
  for (let done = 0; done < maxDays && day <= replay.to_day; done++) {
    await changeOver(db, replay.generation, day);
    day = nextDay(day);
  }
  return day > replay.to_day ? await end(db, replay, "done", now) : "changing over";
}

function nameMissing(db: D1Database, generation: number, missing: Unarchived): D1PreparedStatement {
  return db
    .prepare("UPDATE replays SET damaged_json = json_insert(damaged_json, '$[#]', json(?2)) WHERE generation = ?1 AND status = 'filling'")
    .bind(generation, JSON.stringify(missing));
}

async function end(db: D1Database, { generation }: Running, status: "done" | "incomplete", now: number): Promise<ReplayStep> {
  await db.batch(endStatements(db, generation, status, now));
  return status;
}

/**
 * Puts the generation's rows of a day in the place of the live ones and moves its range on, in one transaction: a commit falls
 * wholly before it (and is in both) or wholly behind it (and is in the live one). Does nothing where the day has changed over
 * already or the replay has ended.
 */
async function changeOver(db: D1Database, generation: number, day: string): Promise<void> {
  const turn = "EXISTS (SELECT 1 FROM aggregate_generations WHERE id = ?1 AND from_day = ?2 AND writing = 1)";
  const live = "(SELECT id FROM aggregate_generations WHERE live = 1)";
  await db.batch([
    // What is pending is of many days: only when it is in the tables can one day be moved.
    ...mergeStatements(db),
    ...GENERATION_TABLES.flatMap((table) => [
      db.prepare(`DELETE FROM ${table} WHERE generation = ${live} AND day = ?2 AND ${turn}`).bind(generation, day),
      db.prepare(`UPDATE ${table} SET generation = ${live} WHERE generation = ?1 AND day = ?2 AND ${turn}`).bind(generation, day),
    ]),
    db.prepare("UPDATE aggregate_generations SET from_day = ?3 WHERE id = ?1 AND from_day = ?2").bind(generation, day, nextDay(day)),
  ]);
}

function nextDay(day: string): string {
  return utcDay(Date.parse(day) + DAY_MS);
}
