import { DAY_MS } from "../../platform/time.ts";

/** Ledger rows stay a day longer than any message can: the queue keeps messages for 14 days. */
export const FOLD_AFTER_MS = 15 * DAY_MS;
/** Incarnations that one transaction folds, and rows of each. */
const INCARNATIONS_PER_BATCH = 50;
const ROWS_PER_INCARNATION = 2000;
const BATCHES_PER_RUN = 300;

export interface FoldOptions {
  incarnationsPerBatch?: number;
  rowsPerIncarnation?: number;
  maxBatches?: number;
}

/** What a run did, for its log line. */
export interface FoldResult {
  rows: number;
  /** Whether incarnations are left that this run did not look at. */
  unfinished: boolean;
}

/**
 * The rows that may fold now, of the incarnations behind (`?1`, `?2`): from the fold's end on without a hole, older than `?3`, and only
 * behind segments whose plays lie in parts. It stops at a gap, which is a dead letter that may still be redriven.
 */
const FOLDABLE = `WITH some AS (
    SELECT i.device_id, i.incarnation, coalesce(f.recorded_through, 0) AS through FROM sequencer_incarnations i
    LEFT JOIN chunk_ledger_folds f ON f.device_id = i.device_id AND f.incarnation = i.incarnation
    WHERE (i.device_id, i.incarnation) > (?1, ?2) ORDER BY i.device_id, i.incarnation LIMIT ?4),
  numbered AS (
    SELECT s.device_id, s.incarnation, s.through, l.number, l.plays_count,
      row_number() OVER along AS place,
      sum(NOT (l.recorded_at <= ?3 AND (l.segment_id = '' AND l.plays_count = 0 OR coalesce(g.compacted_at, 0) > 0))) OVER along AS blocked
    FROM some s
    JOIN chunk_ledger l ON l.device_id = s.device_id AND l.incarnation = s.incarnation AND l.number BETWEEN s.through + 1 AND s.through + ?5
    LEFT JOIN segments g ON g.id = l.segment_id
    WINDOW along AS (PARTITION BY s.device_id, s.incarnation ORDER BY l.number)),
  foldable AS (SELECT * FROM numbered WHERE blocked = 0 AND number = through + place)`;

/**
 * Folds old rows of the ledger into one row an incarnation, which says: all chunks up to here are recorded. Reads and writes stand in the
 * same transaction, so it is right run twice or at once with itself: who comes second finds the rows folded.
 * @param now ms since 1970
 * @throws what D1 throws; what was folded before that stays folded.
 */
export async function foldLedger(db: D1Database, now: number, options: FoldOptions = {}): Promise<FoldResult> {
  const {
    incarnationsPerBatch = INCARNATIONS_PER_BATCH,
    rowsPerIncarnation = ROWS_PER_INCARNATION,
    maxBatches = BATCHES_PER_RUN,
  } = options;
  let rows = 0;
  let after = { device_id: "", incarnation: "" };
  for (let batch = 0; batch < maxBatches; batch++) {
    const [next, , deleted] = await db.batch<{ device_id: string; incarnation: string }>([
      db
        .prepare(
          `SELECT device_id, incarnation FROM sequencer_incarnations WHERE (device_id, incarnation) > (?1, ?2)
           ORDER BY device_id, incarnation LIMIT ?3`,
        )
        .bind(after.device_id, after.incarnation, incarnationsPerBatch),
      db
        .prepare(
          `INSERT INTO chunk_ledger_folds (device_id, incarnation, recorded_through, plays_count)
           ${FOLDABLE} SELECT device_id, incarnation, max(number), sum(plays_count) FROM foldable WHERE true GROUP BY device_id, incarnation
           ON CONFLICT DO UPDATE SET recorded_through = excluded.recorded_through, plays_count = plays_count + excluded.plays_count`,
        )
        .bind(after.device_id, after.incarnation, now - FOLD_AFTER_MS, incarnationsPerBatch, rowsPerIncarnation),
      // What stands at or before the fold's end is in the fold: it went in just now.
      db
        .prepare(
          `DELETE FROM chunk_ledger WHERE (device_id, incarnation, number) IN (
             SELECT l.device_id, l.incarnation, l.number FROM
               (SELECT device_id, incarnation FROM sequencer_incarnations WHERE (device_id, incarnation) > (?1, ?2)
                ORDER BY device_id, incarnation LIMIT ?3) i
             JOIN chunk_ledger_folds f ON f.device_id = i.device_id AND f.incarnation = i.incarnation
             JOIN chunk_ledger l ON l.device_id = f.device_id AND l.incarnation = f.incarnation AND l.number <= f.recorded_through)`,
        )
        .bind(after.device_id, after.incarnation, incarnationsPerBatch),
    ]);
    const looked = next?.results ?? [];
    const folded = deleted?.meta.changes ?? 0;
    rows += folded;
    // Where a device had more rows than one transaction takes, the same incarnations come again.
    if (folded >= rowsPerIncarnation) continue;
    const last = looked.at(-1);
    if (!last || looked.length < incarnationsPerBatch) return { rows, unfinished: false };
    after = last;
  }
  return { rows, unfinished: true };
}
