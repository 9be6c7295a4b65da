import { DAY_MS, HOUR_MS } from "./format.ts";

/** The calendar day (`YYYY-MM-DD`) `count` days later. Pure. */
export function addDays(day: string, count: number): string {
  return new Date(Date.parse(day) + count * DAY_MS).toISOString().slice(0, 10);
}

/** Today by UTC. */
export function utcToday(): string {
  return new Date().toISOString().slice(0, 10);
}

/** The latest day that has begun in any store: where clocks are furthest ahead, it begins fourteen hours before UTC's. */
export function latestDay(): string {
  return new Date(Date.now() + 14 * HOUR_MS).toISOString().slice(0, 10);
}
