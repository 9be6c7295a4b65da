import { DAY_MS } from "../../platform/time.ts";
import { pendingRows } from "../ledger/daily-sums.ts";
import { lastDayOver } from "../ledger/rollup.ts";
import { AGGREGATE_COUNTERS, AGGREGATE_KEYS, DAILY_SUMS } from "../tables.ts";
import { noteArchiveFindings } from "./incident.ts";
import { checkManifests, type ManifestFinding } from "./manifest.ts";
import { chunksOf, type Damage, firstSegmentId, readSegments, SEGMENT_REF_COLUMNS, type SegmentRef, takeSegments } from "./read.ts";
import { compareDay, type DayDifference, DaySums, type LedgerDifference, readLedgerDifferences } from "./reconcile-day.ts";

/** What is in memory at a time. */
const MAX_GROUP_PLAYS = 20_000;
const MAX_GROUP_SEGMENTS = 500;
/** Days that one run compares: the one that is over, and those that late plays were added to. */
const DAYS_PER_RUN = 10;
/** What one invocation can read, by its CPU time and its 1,000 queries: days that would take a run over it wait for the next one. */
const PLAYS_PER_RUN = 6_000_000;
/** Manifests of days from so long ago on are looked at each night. */
const MANIFESTS_SINCE_MS = 10 * DAY_MS;
/** Segments recorded since are asked which days they have plays of, in case D1 forgot the day altogether. */
const RECORDED_SINCE_MS = 3 * DAY_MS;
const LISTED_FINDINGS = 20;

export interface ReconcileOptions {
  maxDays?: number;
  maxPlays?: number;
}

/** What a day's comparison found: nothing of it where archive and D1 agree. */
export interface DayFinding {
  day: string;
  /** Sums of the archive and of D1, where they differ. */
  differs?: DayDifference;
  unreadable?: Damage[];
  ledger?: LedgerDifference[];
}

/** What a run did, for its log line. */
export interface ReconcileResult {
  days: string[];
  different: string[];
  manifests: ManifestFinding[];
  /** Days left for a later run. */
  left: number;
  /** Of these, days whose segments have more plays than one run can read: they are not compared. */
  too_large: string[];
}

/**
 * Compares the archive with D1: for each day that is over everywhere and that was touched since it was last compared (or found different
 * then), the sums of its plays in the archive against the aggregates that reports read, and the chunks of its segments against
 * the ledger; and the manifests with the parts. What differs is told in the incident `ARCHIVE_MISMATCH`, which resolves itself when a
 * later run finds it equal. Nothing is corrected but manifests: that is for a replay, which a person decides on.
 * @param now ms since 1970
 * @throws what R2 or D1 throw in an outage; days compared before that stay compared.
 */
export async function reconcile(env: Pick<Env, "DB" | "BUCKET">, now: number, options: ReconcileOptions = {}): Promise<ReconcileResult> {
  const { maxDays = DAYS_PER_RUN, maxPlays = PLAYS_PER_RUN } = options;
  const due = await dueDays(env.DB, now);
  const result: ReconcileResult = { days: [], different: [], manifests: [], left: 0, too_large: [] };
  let plays = 0;
  for (const day of due.slice(0, maxDays)) {
    const state = await readState(env.DB, day);
    const size = state.segments.reduce((sum, segment) => sum + segment.plays_count, 0);
    if (size > maxPlays) result.too_large.push(day);
    if (plays + size > maxPlays) continue;
    plays += size;
    await noteCheck(env.DB, await checkDay(env, day, state), state.touchedAt, now);
    result.days.push(day);
  }
  result.left = due.length - result.days.length;
  const { results: open } = await env.DB.prepare("SELECT day, findings_json FROM archive_checks WHERE matches = 0 ORDER BY day").all<{
    day: string;
    findings_json: string;
  }>();
  result.different = open.map(({ day }) => day);
  result.manifests = await checkManifests(env, now - MANIFESTS_SINCE_MS, now);
  const findings = open.map(({ findings_json }) => JSON.parse(findings_json) as DayFinding);
  await noteArchiveFindings(env.DB, { aggregates: findings, manifests: result.manifests }, now);
  return result;
}

/** Days to compare: those never compared first, the latest first; then those that were touched since, or were found different. */
async function dueDays(db: D1Database, now: number): Promise<string[]> {
  const { results } = await db
    .prepare(
      `WITH touched AS (
         SELECT day, touched_at FROM aggregate_days WHERE generation = (SELECT id FROM aggregate_generations WHERE live = 1)),
       known AS (
         SELECT day FROM touched UNION SELECT day FROM archive_checks
         UNION SELECT first_day FROM segments WHERE id >= ?2 UNION SELECT last_day FROM segments WHERE id >= ?2)
       SELECT k.day FROM known k LEFT JOIN touched t ON t.day = k.day LEFT JOIN archive_checks c ON c.day = k.day
       WHERE k.day <= ?1 AND (c.day IS NULL OR c.matches = 0 OR c.touched_at <> coalesce(t.touched_at, 0))
       ORDER BY c.day IS NOT NULL, k.day DESC`,
    )
    .bind(lastDayOver(now), firstSegmentId(new Date(now - RECORDED_SINCE_MS).toISOString().slice(0, 10)))
    .all<{ day: string }>();
  return results.map(({ day }) => day);
}

/** One day of the archive and of D1, compared. */
async function checkDay(env: Pick<Env, "DB" | "BUCKET">, day: string, state: DayState): Promise<DayFinding> {
  const sums = new DaySums(day);
  const finding: DayFinding = { day };
  const unreadable: Damage[] = [];
  const ledger: LedgerDifference[] = [];
  for (let rest = state.segments; rest.length > 0; ) {
    const group = takeSegments(rest.slice(0, MAX_GROUP_SEGMENTS), MAX_GROUP_PLAYS);
    rest = rest.slice(group.length);
    const read = await readSegments(env, group);
    unreadable.push(...read.damaged);
    sums.add(chunksOf([...read.rows.values()].flat()));
    ledger.push(...(await readLedgerDifferences(env.DB, read.rows)));
  }
  const differs = compareDay(sums, state.aggregates, state.activity, state.narrow);
  if (differs) finding.differs = differs;
  if (unreadable.length > 0) finding.unreadable = unreadable.slice(0, LISTED_FINDINGS);
  if (ledger.length > 0) finding.ledger = ledger.slice(0, LISTED_FINDINGS);
  return finding;
}

type SumRow = Record<string, string | number>;

interface DayState {
  segments: SegmentRef[];
  aggregates: SumRow[];
  activity: SumRow[];
  /** Of each table that leaves dimensions out. */
  narrow: SumRow[][];
  touchedAt: number;
}

/** What D1 says of a day, all of one moment: plays that are recorded while the archive is read are in none of it. */
async function readState(db: D1Database, day: string): Promise<DayState> {
  const live = "(SELECT id FROM aggregate_generations WHERE live = 1)";
  const marked = `(SELECT dirty = 1 AND hourly_retired_at IS NULL FROM aggregate_days WHERE generation = ${live} AND day = ?1)`;
  const keys = AGGREGATE_KEYS.join(", ");
  const [segments, daily, hourly, activity, mark, ...narrow] = await db.batch<SumRow>([
    db
      .prepare(`SELECT ${SEGMENT_REF_COLUMNS} FROM segments WHERE id >= ?2 AND first_day <= ?1 AND last_day >= ?1 ORDER BY id`)
      .bind(day, firstSegmentId(day)),
    db
      .prepare(
        `SELECT ${[keys, ...AGGREGATE_COUNTERS].join(", ")} FROM proof_of_play_aggregate_daily
         WHERE generation = ${live} AND day = ?1 AND NOT coalesce(${marked}, 0)`,
      )
      .bind(day),
    db
      .prepare(
        `SELECT ${[keys, ...AGGREGATE_COUNTERS.map((counter) => `sum(${counter}) AS ${counter}`)].join(", ")} FROM plays_hourly
         WHERE generation = ${live} AND day = ?1 AND coalesce(${marked}, 0) GROUP BY ${keys}`,
      )
      .bind(day),
    db
      .prepare(
        `SELECT device_id, plays_count, billable_count, total_duration_ms FROM device_activity_daily WHERE generation = ${live} AND day = ?`,
      )
      .bind(day),
    db.prepare(`SELECT touched_at FROM aggregate_days WHERE generation = ${live} AND day = ?`).bind(day),
    ...DAILY_SUMS.map((kind) => {
      const columns = [...kind.keys, ...AGGREGATE_COUNTERS].join(", ");
      return db
        .prepare(
          `SELECT ${columns} FROM ${kind.table} WHERE generation = ${live} AND day = ?1
           UNION ALL SELECT ${columns} FROM (${pendingRows(kind, `p.generation = ${live}`)}) WHERE day = ?1`,
        )
        .bind(day);
    }),
  ]);
  return {
    segments: (segments?.results ?? []) as unknown as SegmentRef[],
    aggregates: [...(daily?.results ?? []), ...(hourly?.results ?? [])],
    activity: activity?.results ?? [],
    narrow: narrow.map(({ results }) => results),
    touchedAt: Number(mark?.results[0]?.touched_at ?? 0),
  };
}

async function noteCheck(db: D1Database, finding: DayFinding, touchedAt: number, now: number): Promise<void> {
  const matches = Object.keys(finding).length === 1;
  await db
    .prepare(
      `INSERT INTO archive_checks (day, touched_at, checked_at, matches, findings_json) VALUES (?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET touched_at = excluded.touched_at, checked_at = excluded.checked_at, matches = excluded.matches,
         findings_json = excluded.findings_json`,
    )
    .bind(finding.day, touchedAt, now, matches ? 1 : 0, matches ? "{}" : JSON.stringify(finding))
    .run();
}
