import { Temporal } from "temporal-polyfill";
import { utcDay } from "../../platform/time.ts";

interface Day {
  day: string;
  from: number;
  to: number;
}

/** The last day asked for, by zone: nearly every play of a device falls on the same one. Bounded by the number of zones. */
const lastDay = new Map<string, Day>();

/** The calendar day (`YYYY-MM-DD`) of an instant in a store's zone; in UTC without one. */
export function storeDay(ms: number, timezone: string | null): string {
  if (timezone === null) return utcDay(ms);
  const known = lastDay.get(timezone);
  if (known && ms >= known.from && ms < known.to) return known.day;
  const midnight = Temporal.Instant.fromEpochMilliseconds(ms).toZonedDateTimeISO(timezone).startOfDay();
  const day = {
    day: midnight.toPlainDate().toString(),
    from: midnight.epochMilliseconds,
    to: midnight.add({ days: 1 }).startOfDay().epochMilliseconds,
  };
  lastDay.set(timezone, day);
  return day.day;
}
