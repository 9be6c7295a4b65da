import { Temporal } from "temporal-polyfill";
import type { OperatingHours } from "./hours.ts";

const MINUTES_PER_DAY = 24 * 60;
const WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/**
 * Whether a store is open at an instant (ms since 1970): whether its own clock shows a time within its hours then. What runs over
 * midnight belongs to the day it starts on, a holiday's hours among it. A store that has not said its hours counts as open.
 * @throws RangeError for a zone that there is not
 */
export function isOpenAt(hours: OperatingHours | null, timezone: string, at: number): boolean {
  if (hours === null) return true;
  const local = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone);
  const minute = local.hour * 60 + local.minute;
  const today = local.toPlainDate();
  return (
    hoursOn(hours, today).some(({ from, to }) => minute >= from && minute < to) ||
    hoursOn(hours, today.subtract({ days: 1 })).some(({ to }) => minute + MINUTES_PER_DAY < to)
  );
}

/** The hours that start on a day, in minutes since its midnight; over 1,440 where they run over the next one. */
function hoursOn(hours: OperatingHours, day: Temporal.PlainDate): { from: number; to: number }[] {
  const date = day.toString();
  const holiday = hours.holidays?.find((one) => one.date === date);
  const weekday = WEEK[day.dayOfWeek - 1];
  const ranges = holiday?.hours ?? (weekday && hours[weekday]) ?? [];
  return ranges.map((range) => {
    const [from, to] = [minuteOf(range.from), minuteOf(range.to)];
    return { from, to: to > from ? to : to + MINUTES_PER_DAY };
  });
}

function minuteOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
}
