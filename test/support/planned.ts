import { testId } from "./aggregates.ts";

/** What a device was told to play on a day, as it is noted. */
export interface NotedPlan {
  day: string;
  device?: number;
  store?: number;
  /** [campaign or null, plays]; 10 s each. */
  campaigns: [campaign: number | null, plays: number][];
}

/** Notes what devices were told to play, the way a plan that is kept does. */
export async function notePlans(db: D1Database, plans: NotedPlan[]): Promise<void> {
  const rows = plans.map(({ day, device = 1, store = 1, campaigns }) => {
    const entries = [[null, 0] as const, ...campaigns].map(
      ([campaign, plays]) => [campaign === null ? "" : testId("campaign", campaign), plays] as const,
    );
    const sums = new Map<string, number>();
    for (const [campaign, plays] of entries) sums.set(campaign, (sums.get(campaign) ?? 0) + plays);
    const plays = [...sums.values()].reduce((sum, count) => sum + count, 0);
    const stored = [...sums].map(([campaign, count]) => [campaign, count, count * 10_000]);
    return [day, testId("device", device), testId("store", store), testId("supplier", store), plays, plays * 10_000, stored];
  });
  const value = (place: number) => `value ->> ${place}`;
  await db.batch([
    db
      .prepare(`INSERT INTO planned_daily SELECT ${[0, 1, 2, 3, 4, 5].map(value).join(", ")}, value -> 6 FROM json_each(?)`)
      .bind(JSON.stringify(rows)),
    db
      .prepare(
        "INSERT INTO planned_days (day, dirty) SELECT DISTINCT value ->> 0, 1 FROM json_each(?) WHERE true ON CONFLICT DO UPDATE SET dirty = 1",
      )
      .bind(JSON.stringify(rows)),
  ]);
}

/** Forgets all that devices were told to play. */
export async function clearPlanned(db: D1Database): Promise<void> {
  await db.batch(["planned_daily", "planned_sums_daily", "planned_days"].map((table) => db.prepare(`DELETE FROM ${table}`)));
}
