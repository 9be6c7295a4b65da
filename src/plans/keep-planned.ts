import type { Plan } from "./plan.ts";
import { type CampaignEntry, daysReached, keyOf, type PlannedRow, type ReplacedPlan, rowsAfter } from "./planned-rows.ts";

interface StoredRow {
  day: string;
  store_id: string;
  campaigns_json: string;
}

/**
 * The statements that note what a device is told to play once a plan is given to it at `now`, for the `batch()` that keeps the plan. None
 * where it is the plan that the device had. They write what differs: a row for each day that the plan covers, at most.
 *
 * The rows are settled as a whole by whoever writes last: of two that make plans for one device at once, the other's rows go. Two reads.
 */
export async function plannedStatements(db: D1Database, plan: Plan, now: number): Promise<D1PreparedStatement[]> {
  const kept = await db
    .prepare("SELECT etag, plan_json FROM playout_plans WHERE device_id = ?")
    .bind(plan.device_id)
    .first<{ etag: string; plan_json: string }>();
  if (kept?.etag === plan.etag) return [];
  const replaced: ReplacedPlan = kept && (kept.plan_json === "" ? "unknown" : (JSON.parse(kept.plan_json) as Plan));
  const days = JSON.stringify(daysReached(replaced, plan, now));
  const { results } = await db
    .prepare(
      "SELECT day, store_id, campaigns_json FROM planned_daily WHERE day IN (SELECT value FROM json_each(?1)) AND device_id = ?2 ORDER BY day, store_id",
    )
    .bind(days, plan.device_id)
    .all<StoredRow>();
  const before = results.map(({ day, store_id, campaigns_json }): PlannedRow => {
    return { day, store_id, campaigns: JSON.parse(campaigns_json) as CampaignEntry[] };
  });
  return writeStatements(db, plan.device_id, days, before, rowsAfter(before, replaced, plan, now));
}

function writeStatements(
  db: D1Database,
  deviceId: string,
  days: string,
  before: readonly PlannedRow[],
  after: readonly PlannedRow[],
): D1PreparedStatement[] {
  const known = new Map(before.map((row) => [keyOf(row), JSON.stringify(row.campaigns)]));
  const changed = after.filter((row) => known.get(keyOf(row)) !== JSON.stringify(row.campaigns));
  const left = new Set(after.map(keyOf));
  const gone = before.filter((row) => !left.has(keyOf(row)));
  const touched = [...new Set([...changed, ...gone].map(({ day }) => day))];
  return [
    db
      .prepare(
        `DELETE FROM planned_daily WHERE day IN (SELECT value FROM json_each(?1)) AND device_id = ?2
           AND (day, store_id) NOT IN (SELECT value ->> 0, value ->> 1 FROM json_each(?3))`,
      )
      .bind(days, deviceId, JSON.stringify(after.map(({ day, store_id }) => [day, store_id]))),
    db
      .prepare(
        `INSERT INTO planned_daily (day, device_id, store_id, supplier_id, planned_plays, planned_ms, campaigns_json)
         SELECT value ->> 0, ?1, value ->> 1, coalesce((SELECT supplier_id FROM stores WHERE id = value ->> 1), ''), value ->> 2, value ->> 3, value -> 4
         FROM json_each(?2) WHERE true
         ON CONFLICT DO UPDATE SET supplier_id = excluded.supplier_id, planned_plays = excluded.planned_plays, planned_ms = excluded.planned_ms,
           campaigns_json = excluded.campaigns_json`,
      )
      .bind(deviceId, JSON.stringify(changed.map(storedValues))),
    db
      .prepare(
        `INSERT INTO planned_days (day, dirty) SELECT value, 1 FROM json_each(?) WHERE true
         ON CONFLICT DO UPDATE SET dirty = 1 WHERE dirty = 0`,
      )
      .bind(JSON.stringify(touched)),
  ];
}

function storedValues({ day, store_id, campaigns }: PlannedRow): unknown[] {
  const sumOf = (place: 1 | 2) => campaigns.reduce((sum, entry) => sum + entry[place], 0);
  return [day, store_id, sumOf(1), sumOf(2), campaigns];
}
