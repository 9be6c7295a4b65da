import { DAY_MS, utcDay } from "../platform/time.ts";
import type { ReportQuery } from "./query.ts";

/**
 * Where a report's rows come from: sums by campaign, ad group, supplier, store and content (`aggregates`), single plays
 * (`events`), or sums by device and day (`device_activity`).
 */
export type ReportSource = "aggregates" | "events" | "device_activity";

export type SourceChoice = { ok: true; source: ReportSource } | { ok: false; hotFrom: string | null };

/**
 * Which source can answer. The aggregates know no devices. Single plays do, but only inside the hot window; what is older is
 * known by device and day alone, and a finer question has no answer in the database.
 * @param keptFrom the first day of which single plays were not deleted, where some were
 */
export function chooseSource(query: ReportQuery, now: number, eventRowsDays: number, keptFrom: string | null = null): SourceChoice {
  if (!query.groupBy.includes("device") && !query.filters.device_id) return { ok: true, source: "aggregates" };
  const windowFrom = hotWindowStart(now, eventRowsDays);
  const hotFrom = windowFrom !== null && keptFrom !== null && keptFrom > windowFrom ? keptFrom : windowFrom;
  if (hotFrom !== null && query.from >= hotFrom) return { ok: true, source: "events" };
  return byDeviceAndDay(query) ? { ok: true, source: "device_activity" } : { ok: false, hotFrom };
}

/** Whether a question by device needs no more than sums by device and day. */
export function byDeviceAndDay({ groupBy, filters }: Pick<ReportQuery, "groupBy" | "filters">): boolean {
  const coarse = groupBy.every((key) => key === "device" || key === "day");
  return coarse && Object.keys(filters).every((column) => column === "device_id");
}

/** The first day of which single plays are kept: `days` days, today (UTC) included. Null where none are kept. */
export function hotWindowStart(now: number, days: number): string | null {
  return days < 1 ? null : utcDay(now - (days - 1) * DAY_MS);
}
