import { storeDay } from "../plays/sequencer/store-day.ts";
import { dayNumber, isoDate } from "./hours.ts";
import type { Plan } from "./plan.ts";
import { type PlannedCampaigns, plannedOf } from "./planned.ts";
import { localDays } from "./zone.ts";

/** Days from the day of a change on that rows may be of: a plan reaches five, and another zone's today may be a day off. */
const REACHED_DAYS = 8;

/** `planned_daily.campaigns_json`: [campaign, plays, ms], by campaign, `''` always among them. */
export type CampaignEntry = [campaign: string, plays: number, ms: number];

/** What a device was told to play on a day of its store. */
export interface PlannedRow {
  day: string;
  /** `''`: no store. */
  store_id: string;
  campaigns: CampaignEntry[];
}

/** The plan that stood until now: `"unknown"` where it was too large to be kept, null where there was none. */
export type ReplacedPlan = Plan | "unknown" | null;

/** The days that a change at `now` may concern. */
export function daysReached(replaced: ReplacedPlan, plan: Plan, now: number): string[] {
  const zones = [plan, replaced].flatMap((known) => (known && known !== "unknown" ? [known.timezone] : []));
  const first = Math.min(...zones.map((zone) => dayNumber(storeDay(now, zone))));
  return Array.from({ length: REACHED_DAYS }, (_, index) => isoDate(first + index));
}

/**
 * A device's rows of `daysReached` once a plan takes another's place at `now`: the old one counts for what was before, the new one from
 * now on. Rows that aren't returned go. Pure.
 * @param rows as they are
 */
export function rowsAfter(rows: readonly PlannedRow[], replaced: ReplacedPlan, plan: Plan, now: number): PlannedRow[] {
  const kept = new Map<string, PlannedRow>();
  for (const row of rows) {
    const before = rowUntil(row, replaced, plan, now);
    if (before) kept.set(keyOf(before), before);
  }
  for (const [day, planned] of plannedOf(plan, { from: now, to: Infinity })) {
    const row = { day, store_id: plan.store_id ?? "", campaigns: [] };
    const before = kept.get(keyOf(row));
    kept.set(keyOf(row), { ...row, campaigns: combined(before?.campaigns ?? [], planned, 1) });
  }
  return [...kept.values()];
}

export function keyOf({ day, store_id }: PlannedRow): string {
  return `${day} ${store_id}`;
}

/** What of a row is over at `now`; null: nothing, it was all to come. */
function rowUntil(row: PlannedRow, replaced: ReplacedPlan, plan: Plan, now: number): PlannedRow | null {
  if (replaced === null) return row;
  if (replaced === "unknown") return proRata(row, plan.timezone, now);
  // Of another store, where the device stood earlier that day: that was settled when it left.
  if (row.store_id !== (replaced.store_id ?? "")) return row;
  if (row.day > storeDay(now, replaced.timezone)) return null;
  const rest = plannedOf(replaced, { from: now, to: Infinity }).get(row.day);
  return rest ? { ...row, campaigns: combined(row.campaigns, rest, -1) } : row;
}

/** Where nobody knows when in its day a row's plays were to come, they are taken as evenly spread. */
function proRata(row: PlannedRow, timezone: string, now: number): PlannedRow | null {
  const [day] = localDays(timezone, { from: now, to: now + 1 });
  if (!day || row.day > day.day) return null;
  if (row.day < day.day) return row;
  const part = (now - day.from) / (day.to - day.from);
  return { ...row, campaigns: row.campaigns.map(([campaign, plays, ms]) => [campaign, Math.round(plays * part), Math.round(ms * part)]) };
}

/** Adds plays or takes them away; campaigns without any go, but for `''`. */
function combined(entries: readonly CampaignEntry[], planned: PlannedCampaigns, sign: 1 | -1): CampaignEntry[] {
  const sums = new Map(entries.map(([campaign, plays, ms]) => [campaign, { plays, ms }]));
  for (const [campaign, { plays, ms }] of planned) {
    const sum = sums.get(campaign) ?? { plays: 0, ms: 0 };
    sums.set(campaign, { plays: Math.max(0, sum.plays + sign * plays), ms: Math.max(0, sum.ms + sign * ms) });
  }
  return [...sums]
    .filter(([campaign, { plays }]) => campaign === "" || plays > 0)
    .map(([campaign, { plays, ms }]): CampaignEntry => [campaign, plays, ms])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
