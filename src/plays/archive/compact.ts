import { uuidv7 } from "uuidv7";
import { sha256 } from "../../platform/encoding.ts";
import { HOUR_MS, utcDay } from "../../platform/time.ts";
import { noteArchiveFindings } from "./incident.ts";
import { writeStaleManifests } from "./manifest.ts";
import { type Damage, readArchive, SEGMENT_REF_COLUMNS, type SegmentRef } from "./read.ts";
import { type ArchiveRow, columnsOfRows, putSegment, writeParquet } from "./segment.ts";

/** Segments are compacted an hour after they were recorded, so that a part holds many. */
export const COMPACT_AFTER_MS = HOUR_MS;
/** What is in memory at a time, so that the Worker's 128 MB do for the largest records: whichever limit is met first. */
const MAX_GROUP_PLAYS = 20_000;
const MAX_GROUP_RECORD_CHARS = 12_000_000;
const MAX_GROUP_SEGMENTS = 500;
/** A run ends after so many groups or segments: an invocation has 5 min of CPU (a full group takes about 1 s), 1,000 queries, 10,000 reads. */
const GROUPS_PER_RUN = 100;
const SEGMENTS_PER_RUN = 5000;

/** Of what is damaged, so many are told in the log line; the incident has the number. */
const LISTED_DAMAGE = 20;

export interface CompactOptions {
  /** Plays that a group, and so a part, may have; one segment at least. */
  maxGroupPlays?: number;
  maxGroups?: number;
}

/** What a run did, for its log line. */
export interface CompactResult {
  segments: number;
  parts: number;
  plays: number;
  damaged: Damage[];
  /** Days whose manifest was written. */
  manifests: string[];
}

/**
 * Writes the plays of segments older than an hour into parts by UTC day received, and the manifests of these days. Whatever dies in
 * between, the next run repairs: parts count only with their rows in D1, which are written in one transaction with the segments'
 * marks; days stay stale until their manifest is written. A segment that cannot be read is told in an incident and tried
 * again by the next run; the rest goes on.
 * @param now ms since 1970
 * @throws what R2 or D1 throw in an outage.
 */
export async function compact(env: Pick<Env, "DB" | "BUCKET">, now: number, options: CompactOptions = {}): Promise<CompactResult> {
  const { maxGroupPlays = MAX_GROUP_PLAYS, maxGroups = GROUPS_PER_RUN } = options;
  const result: CompactResult = { segments: 0, parts: 0, plays: 0, damaged: [], manifests: [] };
  // Those of a run that was cut off.
  result.manifests = await writeStaleManifests(env, now);
  let after = "";
  let looked = 0;
  for (let round = 0; round < maxGroups && looked < SEGMENTS_PER_RUN; round++) {
    const open = await openSegments(env.DB, after, now - COMPACT_AFTER_MS);
    if (open.length === 0) break;
    const group = await readGroup(env.BUCKET, open, maxGroupPlays);
    after = group.last;
    looked += group.segments.length + group.damaged.length;
    result.damaged.push(...group.damaged);
    const parts = await makeParts(group.segments);
    for (const part of parts) await putSegment(env.BUCKET, part);
    if (parts.length === 0 || !(await publish(env.DB, group.segments, parts, now))) continue;
    result.segments += group.segments.length;
    result.parts += parts.length;
    result.plays += parts.reduce((sum, part) => sum + part.plays, 0);
  }
  await noteArchiveFindings(env.DB, { compaction: result.damaged }, now);
  result.damaged = result.damaged.slice(0, LISTED_DAMAGE);
  result.manifests.push(...(await writeStaleManifests(env, now)));
  return result;
}

async function openSegments(db: D1Database, after: string, recordedUntil: number): Promise<SegmentRef[]> {
  const { results } = await db
    .prepare(
      `SELECT ${SEGMENT_REF_COLUMNS} FROM segments WHERE compacted_at IS NULL AND id > ? AND recorded_at <= ? ORDER BY id LIMIT ${MAX_GROUP_SEGMENTS}`,
    )
    .bind(after, recordedUntil)
    .all<SegmentRef>();
  return results;
}

interface ReadSegment {
  id: string;
  rows: ArchiveRow[];
}

interface Group {
  segments: ReadSegment[];
  damaged: Damage[];
  /** The id of the last segment that was looked at. */
  last: string;
}

/** Reads segments one by one until the group is full. */
async function readGroup(bucket: R2Bucket, open: SegmentRef[], maxPlays: number): Promise<Group> {
  const group: Group = { segments: [], damaged: [], last: "" };
  let plays = 0;
  let chars = 0;
  for (const segment of open) {
    if (plays > 0 && (plays + segment.plays_count > maxPlays || chars > MAX_GROUP_RECORD_CHARS)) break;
    const read = await readArchive(bucket, segment);
    group.last = segment.id;
    if (read.status !== "ok") {
      group.damaged.push({ segment_id: segment.id, r2_key: segment.r2_key, problem: read.status });
      continue;
    }
    group.segments.push({ id: segment.id, rows: read.rows });
    plays += read.rows.length;
    chars += read.rows.reduce((sum, row) => sum + row.proof.record.length, 0);
  }
  return group;
}

/** A segment's run of rows in a part. */
interface Run {
  segmentId: string;
  firstRow: number;
  plays: number;
}

interface Part {
  id: string;
  dt: string;
  key: string;
  bytes: Uint8Array<ArrayBuffer>;
  sha256: Uint8Array;
  plays: number;
  runs: Run[];
}

/** One part for each UTC day received; a segment's rows stay together, in order. */
async function makeParts(segments: ReadSegment[]): Promise<Part[]> {
  const rowsByDay = new Map<string, { rows: ArchiveRow[]; runs: Run[] }>();
  for (const { id, rows } of segments) {
    for (const [dt, received] of Map.groupBy(rows, (row) => utcDay(row.play.received_at))) {
      const day = rowsByDay.get(dt) ?? { rows: [], runs: [] };
      rowsByDay.set(dt, day);
      day.runs.push({ segmentId: id, firstRow: day.rows.length, plays: received.length });
      day.rows.push(...received);
    }
  }
  const parts: Part[] = [];
  for (const [dt, { rows, runs }] of rowsByDay) {
    const id = uuidv7();
    const bytes = await writeParquet(columnsOfRows(rows), "part");
    parts.push({ id, dt, key: `plays/dt=${dt}/${id}.parquet`, bytes, sha256: await sha256(bytes), plays: rows.length, runs });
  }
  return parts;
}

/**
 * Makes parts count: where each segment's rows lie, the parts, the segments' marks and the days' stale manifests, in one transaction.
 * False where another compactor was faster with one of the segments: nothing was written, and these parts count nothing.
 */
async function publish(db: D1Database, segments: ReadSegment[], parts: Part[], now: number): Promise<boolean> {
  const runs = parts.flatMap(({ id, dt, runs }) => runs.map((run) => [run.segmentId, dt, id, run.firstRow, run.plays]));
  const rows = parts.map(({ id, dt, key, bytes, sha256, plays, runs }) => [
    id,
    dt,
    key,
    sha256.toHex(),
    bytes.length,
    plays,
    JSON.stringify(runs.map((run) => run.segmentId)),
  ]);
  try {
    await db.batch([
      db
        .prepare(
          `INSERT INTO segment_parts (segment_id, dt, part_id, first_row, plays_count)
           SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4 FROM json_each(?)`,
        )
        .bind(JSON.stringify(runs)),
      db
        .prepare(
          `INSERT INTO archive_parts (id, dt, r2_key, sha256, bytes, plays_count, segments_json, created_at)
           SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5, value ->> 6, ?2 FROM json_each(?1)`,
        )
        .bind(JSON.stringify(rows), now),
      db
        .prepare("UPDATE segments SET compacted_at = ?2 WHERE id IN (SELECT value FROM json_each(?1))")
        .bind(JSON.stringify(segments.map(({ id }) => id)), now),
      db
        .prepare(
          "INSERT INTO archive_manifests (dt, stale) SELECT value, 1 FROM json_each(?) WHERE true ON CONFLICT DO UPDATE SET stale = 1",
        )
        .bind(JSON.stringify(parts.map(({ dt }) => dt))),
    ]);
    return true;
  } catch (error) {
    if (/UNIQUE constraint failed: segment_parts/.test(String(error))) return false;
    throw error;
  }
}
