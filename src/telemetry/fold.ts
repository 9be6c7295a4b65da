import { log } from "../platform/log.ts";
import { utcDay } from "../platform/time.ts";
import { MAX_D1_PARAMETER_BYTES } from "../plays/limits.ts";
import { readSums } from "./commit.ts";
import { isExternalId } from "./dialect.ts";
import { FOLD_AFTER_MS, FOLD_BYTES, FOLD_FROM_COMMITS, FOLD_TURNS_PER_RUN } from "./limits.ts";
import { Sketch } from "./sketch.ts";
import { NO_COUNTS, sketchHash, TELEMETRY_COUNTS, type TelemetryCounts } from "./sums.ts";

/** What a run did, for its log line. */
export interface FoldResult {
  /** Commits that were folded. */
  commits: number;
  /** Rows of aggregates written. */
  rows: number;
}

/** Folds what waits where it is worth it: each fold writes every row that it touches. For cron, each minute. */
export async function foldWhenDue(db: D1Database, now: number): Promise<FoldResult> {
  const waiting = await db
    .prepare(
      `SELECT count(*) AS commits, min(recorded_at) AS since FROM telemetry_commits WHERE id > (SELECT through FROM telemetry_folded)`,
    )
    .first<{ commits: number; since: number | null }>();
  const due = waiting && waiting.since !== null && (waiting.commits >= FOLD_FROM_COMMITS || waiting.since <= now - FOLD_AFTER_MS);
  return due ? await foldTelemetry(db, now) : { commits: 0, rows: 0 };
}

/**
 * Adds what commits have left to the hourly and daily aggregates, each commit once: who folds moves `through` from where it was read, in the
 * transaction of the rows, and where somebody else was quicker all of it rolls back. Safe at once with itself and with commits.
 * @param now ms since 1970
 * @throws what D1 throws; what was folded before that is folded.
 */
export async function foldTelemetry(db: D1Database, now: number): Promise<FoldResult> {
  const result: FoldResult = { commits: 0, rows: 0 };
  for (let turn = 0; turn < FOLD_TURNS_PER_RUN; turn++) {
    const { through, commits } = await readCommits(db);
    const last = commits.at(-1);
    if (!last) break;
    const tables = await mergeCommits(db, commits);
    const moved = db
      .prepare("UPDATE telemetry_folded SET through = CASE WHEN through = ?1 THEN ?2 END, folded_at = ?3 WHERE id = 1")
      .bind(through, last.id, now);
    try {
      await db.batch([moved, ...tables.flatMap((table) => writeStatements(db, table))]);
    } catch (error) {
      if (!/NOT NULL constraint failed: telemetry_folded/.test(String(error))) throw error;
      // Another one folded these: what waits now is read anew.
      continue;
    }
    result.commits += commits.length;
    for (const { name, rows } of tables) {
      result.rows += rows.length;
      log("debug", "aggregate updated", { type: name, buckets: rows.length });
    }
  }
  return result;
}

interface CommitRow {
  id: number;
  sums_json: string;
}

/** The oldest commits that wait, as many as one transaction may read, and through which one others are folded: of one state. */
async function readCommits(db: D1Database): Promise<{ through: number; commits: CommitRow[] }> {
  const [state, commits] = await db.batch([
    db.prepare("SELECT through FROM telemetry_folded"),
    db
      .prepare(
        `SELECT id, sums_json FROM (
           SELECT id, sums_json, sum(length(sums_json)) OVER (ORDER BY id) - length(sums_json) AS before
           FROM telemetry_commits WHERE id > (SELECT through FROM telemetry_folded))
         WHERE before < ? ORDER BY id`,
      )
      .bind(FOLD_BYTES),
  ]);
  const [row] = (state?.results ?? []) as { through: number }[];
  return { through: row?.through ?? 0, commits: (commits?.results ?? []) as unknown as CommitRow[] };
}

/** Rows to write into a table, each with its values in the order of the columns. */
interface Table {
  name: string;
  columns: readonly string[];
  rows: (string | number)[][];
}

interface Bucket extends TelemetryCounts {
  at: number | string;
  content_id: string;
  sessions: Sketch;
  devices: Sketch;
}

interface PlayerDay {
  day: string;
  device_id: string;
  starts_count: number;
  completed_count: number;
  played_ms: number;
  last_activity_at: number;
  contents: Sketch;
}

/** What commits add, merged with what the aggregates have. */
async function mergeCommits(db: D1Database, commits: CommitRow[]): Promise<Table[]> {
  const sums = commits.map(({ sums_json }) => readSums(sums_json));
  const contents = sums.flatMap((one) => one.contents);
  const known = await contentIds(
    db,
    contents.map(({ content_id }) => content_id),
  );
  const idOf = (id: string) => known.get(id) ?? id;
  const hourly = new Map<string, Bucket>();
  const daily = new Map<string, Bucket>();
  const players = new Map<string, PlayerDay>();
  for (const { hour, ...sum } of contents) {
    const added = { ...sum, content_id: idOf(sum.content_id) };
    addBucket(hourly, { at: hour, ...added });
    addBucket(daily, { at: utcDay(hour), ...added });
  }
  for (const { contents: ids, ...player } of sums.flatMap((one) => one.players)) {
    const sketch = new Sketch();
    for (const id of ids) sketch.add(sketchHash(idOf(id)));
    addPlayer(players, { ...player, contents: sketch });
  }
  return await Promise.all([
    withKept(db, "telemetry_hourly", "hour", hourly),
    withKept(db, "telemetry_daily", "day", daily),
    withKeptPlayers(db, players),
  ]);
}

/** The contents that external ids name: D1 did not answer when the events came. */
async function contentIds(db: D1Database, ids: string[]): Promise<Map<string, string>> {
  const external = [...new Set(ids.filter(isExternalId))];
  if (external.length === 0) return new Map();
  const { results } = await db
    .prepare("SELECT id, external_id FROM content WHERE external_id IN (SELECT value FROM json_each(?))")
    .bind(JSON.stringify(external))
    .all<{ id: string; external_id: string }>();
  return new Map(results.map(({ id, external_id }) => [external_id, id]));
}

/** Adds to a bucket. What is added is not changed: sums go into two buckets. */
function addBucket(buckets: Map<string, Bucket>, added: Bucket): void {
  const key = `${added.at}|${added.content_id}`;
  const bucket = buckets.get(key) ?? { ...added, ...NO_COUNTS, sessions: new Sketch(), devices: new Sketch() };
  for (const count of TELEMETRY_COUNTS) bucket[count] += added[count];
  bucket.sessions.merge(added.sessions);
  bucket.devices.merge(added.devices);
  buckets.set(key, bucket);
}

function addPlayer(players: Map<string, PlayerDay>, added: PlayerDay): void {
  const key = `${added.day}|${added.device_id}`;
  const player = players.get(key);
  if (!player) players.set(key, added);
  else {
    player.starts_count += added.starts_count;
    player.completed_count += added.completed_count;
    player.played_ms += added.played_ms;
    player.last_activity_at = Math.max(player.last_activity_at, added.last_activity_at);
    player.contents.merge(added.contents);
  }
}

type KeptBucket = Omit<Bucket, "sessions" | "devices"> & { sessions: string; devices: string };

async function withKept(db: D1Database, name: string, time: "hour" | "day", buckets: Map<string, Bucket>): Promise<Table> {
  const keys = [...buckets.values()].map(({ at, content_id }) => [at, content_id]);
  const { results } = await db
    .prepare(
      `SELECT t.${time} AS at, t.* FROM json_each(?) k CROSS JOIN ${name} t ON t.${time} = k.value ->> 0 AND t.content_id = k.value ->> 1`,
    )
    .bind(JSON.stringify(keys))
    .all<KeptBucket>();
  for (const row of results) addBucket(buckets, { ...row, sessions: Sketch.parse(row.sessions), devices: Sketch.parse(row.devices) });
  const columns = [time, "content_id", ...TELEMETRY_COUNTS, "sessions", "devices"];
  const rows = [...buckets.values()].map((bucket) => [
    bucket.at,
    bucket.content_id,
    ...TELEMETRY_COUNTS.map((count) => bucket[count]),
    bucket.sessions.toString(),
    bucket.devices.toString(),
  ]);
  return { name, columns, rows };
}

const PLAYER_COLUMNS = ["day", "device_id", "starts_count", "completed_count", "played_ms", "last_activity_at", "contents"] as const;

async function withKeptPlayers(db: D1Database, players: Map<string, PlayerDay>): Promise<Table> {
  const keys = [...players.values()].map(({ day, device_id }) => [day, device_id]);
  const { results } = await db
    .prepare(`SELECT t.* FROM json_each(?) k CROSS JOIN telemetry_devices_daily t ON t.day = k.value ->> 0 AND t.device_id = k.value ->> 1`)
    .bind(JSON.stringify(keys))
    .all<Omit<PlayerDay, "contents"> & { contents: string }>();
  for (const row of results) addPlayer(players, { ...row, contents: Sketch.parse(row.contents) });
  const rows = [...players.values()].map((player) =>
    PLAYER_COLUMNS.map((column) => (column === "contents" ? player.contents.toString() : player[column])),
  );
  return { name: "telemetry_devices_daily", columns: PLAYER_COLUMNS, rows };
}

/** Statements that put whole rows in the place of those with their keys. */
function writeStatements(db: D1Database, { name, columns, rows }: Table): D1PreparedStatement[] {
  const values = columns.map((_, index) => `j.value ->> ${index}`).join(", ");
  return inParts(rows).map((part) =>
    db
      .prepare(
        `WITH j AS MATERIALIZED (SELECT value FROM json_each(?1)) INSERT OR REPLACE INTO ${name} (${columns.join(", ")}) SELECT ${values} FROM j`,
      )
      .bind(part),
  );
}

/** Rows as texts that D1 takes; they are ASCII. */
function inParts(rows: (string | number)[][]): string[] {
  if (rows.length === 0) return [];
  const text = JSON.stringify(rows);
  if (text.length <= MAX_D1_PARAMETER_BYTES || rows.length === 1) return [text];
  const half = rows.length >> 1;
  return [...inParts(rows.slice(0, half)), ...inParts(rows.slice(half))];
}
