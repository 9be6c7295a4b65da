import {
  type Damage,
  DECIDED_COLUMNS,
  firstSegmentId,
  readSegments,
  SEGMENT_REF_COLUMNS,
  type SegmentRef,
  takeSegments,
} from "../plays/archive/read.ts";
import type { ArchiveRow } from "../plays/archive/segment.ts";
import { type AcceptedPlay, PLAY_COLUMNS } from "../plays/play.ts";
import { isAskedFor, type PlaysQuery } from "./plays-query.ts";
import { filterTerms, Values } from "./reading.ts";

/** A play and where it is from: its chunk, and, where it was read in the archive, the segment. */
export interface FoundPlay {
  play: AcceptedPlay;
  deviceId: string;
  chunk: string;
  segmentId: string | null;
}

export interface FoundPlays {
  plays: FoundPlay[];
  /** Behind which the next page begins; null: there are no more. */
  next: string | null;
  damaged: Damage[];
}

const EVENT_COLUMNS = [...PLAY_COLUMNS, "device_id", "chunk"].map((column) => `p.${column}`).join(", ");

/**
 * Single plays of some devices from the database, newest first, along the key: the devices' chunks of the day.
 * @param query names devices
 * @param after a position that this gave as `next`
 */
export async function readEventPlays(db: D1Database, query: PlaysQuery, limit: number, after: string | null): Promise<FoundPlays> {
  const values = new Values();
  const { device_id = [], ...others } = query.filters;
  const day = values.add(query.day);
  const terms = [`p.last_day >= ${day} AND p.first_day <= ${day} AND p.day = ${day} AND p.type <> 'PLAY_START'`];
  if (query.status !== null) terms.push(`p.result = ${values.add(query.status)}`);
  if (query.billable !== null) terms.push(`p.billable = ${values.add(query.billable ? 1 : 0)}`);
  const [startedAt = "", eventId = "", deviceId = ""] = after?.split("|") ?? [];
  if (after !== null) {
    const position = [Number(startedAt) || 0, eventId, deviceId].map((value) => values.add(value));
    terms.push(`(p.started_at, p.event_id, p.device_id) < (${position.join(", ")})`);
  }
  const { results } = await db
    .prepare(
      `SELECT ${EVENT_COLUMNS} FROM (SELECT DISTINCT value AS id FROM json_each(${values.add(JSON.stringify(device_id))})) d
       CROSS JOIN proof_of_play_events p ON p.device_id = d.id
       WHERE ${terms.join(" AND ")}${filterTerms(others, values)}
       ORDER BY p.started_at DESC, p.event_id DESC, p.device_id DESC LIMIT ${limit + 1}`,
    )
    .bind(...values.list)
    .all<AcceptedPlay & { device_id: string; chunk: string }>();
  const plays = results
    .slice(0, limit)
    .map(({ device_id: id, chunk, ...play }): FoundPlay => ({ play, deviceId: id, chunk, segmentId: null }));
  const last = plays.at(-1);
  const next = results.length > limit && last ? `${last.play.started_at}|${last.play.event_id}|${last.deviceId}` : null;
  return { plays, next, damaged: [] };
}

/** What is in memory at a time, and what one request reads of a large network's day. */
const MAX_GROUP_PLAYS = 20_000;
const MAX_REQUEST_PLAYS = 60_000;
const MAX_GROUP_SEGMENTS = 200;

/**
 * Plays of a day from the archive, in the order in which they were recorded. A request reads so much of it and no more: a page may have fewer
 * plays than asked for, even none, while there are more.
 * @param after a position that this gave as `next`: the segment, and how many of its rows were read
 * @throws what R2 or D1 throw: an outage is no damage.
 */
export async function readArchivedPlays(
  env: Pick<Env, "DB" | "BUCKET">,
  query: PlaysQuery,
  limit: number,
  after: string | null,
): Promise<FoundPlays> {
  const found: FoundPlays = { plays: [], next: after, damaged: [] };
  let left = MAX_REQUEST_PLAYS;
  do {
    const position = positionOf(found.next, query.day);
    const refs = await segmentsOf(env.DB, query.day, position.segmentId);
    const group = takeSegments(refs, Math.min(left, MAX_GROUP_PLAYS));
    const { rows, damaged } = await readSegments(env, group, DECIDED_COLUMNS);
    for (const ref of group) {
      const damage = damaged.find(({ segment_id }) => segment_id === ref.id);
      if (damage) found.damaged.push(damage);
      const begin = ref.id === position.segmentId ? position.row : 0;
      const stop = collect(found.plays, rows.get(ref.id) ?? [], begin, query, limit, ref.id);
      if (stop !== null) return { ...found, next: `${ref.id}|${stop}` };
    }
    left -= group.reduce((sum, { plays_count }) => sum + plays_count, 0);
    const nextRef = refs[group.length];
    const last = group.at(-1);
    // The list of segments was cut: what stands behind its last one is asked for anew.
    const behind = refs.length === MAX_GROUP_SEGMENTS && last ? `${last.id}|${last.plays_count}` : null;
    found.next = nextRef ? `${nextRef.id}|0` : behind;
  } while (found.next !== null && left > 0);
  return found;
}

/** Takes what is asked for of a segment's rows; where the page is full, the row at which the next one begins. */
function collect(
  plays: FoundPlay[],
  rows: ArchiveRow[],
  begin: number,
  query: PlaysQuery,
  limit: number,
  segmentId: string,
): number | null {
  for (let at = begin; at < rows.length; at++) {
    const row = rows[at];
    if (!row || !isAskedFor(query, row)) continue;
    if (plays.length === limit) return at;
    plays.push({ play: row.play, deviceId: row.deviceId, chunk: row.chunk, segmentId });
  }
  return null;
}

function positionOf(text: string | null, day: string): { segmentId: string; row: number } {
  const [segmentId = "", row = ""] = text?.split("|") ?? [];
  return text === null ? { segmentId: firstSegmentId(day), row: 0 } : { segmentId, row: Math.max(0, Math.trunc(Number(row)) || 0) };
}

async function segmentsOf(db: D1Database, day: string, from: string): Promise<SegmentRef[]> {
  const { results } = await db
    .prepare(
      `SELECT ${SEGMENT_REF_COLUMNS} FROM segments WHERE id >= ?1 AND id >= ?2 AND first_day <= ?3 AND last_day >= ?3
       ORDER BY id LIMIT ${MAX_GROUP_SEGMENTS}`,
    )
    .bind(from, firstSegmentId(day), day)
    .all<SegmentRef>();
  return results;
}
