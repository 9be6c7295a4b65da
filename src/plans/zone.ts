import { Temporal } from "temporal-polyfill";
import { HOUR_MS } from "../platform/time.ts";
import type { Span } from "./plan.ts";

/** What a plan reaches at least, from any instant of its first day on. */
const PLAN_REACH_MS = 72 * HOUR_MS;
/** Today, and three days more. */
const PLAN_DAYS = 4;

/** A stretch of time in which a zone's clock runs on steadily: wall clock = UTC + `offsetMs`. */
export interface Steady extends Span {
  offsetMs: number;
}

/**
 * The window of a plan that is asked for at `now`: from the first instant of the local day to that of another, as many days
 * later as reach 72 h even from the end of the first day. So it depends on the day alone; it is one day longer where the
 * clocks go forward.
 */
export function planWindow(timezone: string, now: number): Span {
  const today = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(timezone).toPlainDate();
  const startOf = (days: number) => today.add({ days }).toZonedDateTime(timezone).epochMilliseconds;
  const tomorrow = startOf(1);
  let days = PLAN_DAYS;
  while (startOf(days) - tomorrow < PLAN_REACH_MS) days++;
  return { from: startOf(0), to: startOf(days) };
}

/** A span cut where a zone's clock is changed. @throws RangeError for a zone that there is not. */
export function steadyStretches(timezone: string, { from, to }: Span): Steady[] {
  const stretches: Steady[] = [];
  let begin = Temporal.Instant.fromEpochMilliseconds(from).toZonedDateTimeISO(timezone);
  for (;;) {
    const change = begin.getTimeZoneTransition("next");
    const end = Math.min(to, change?.epochMilliseconds ?? to);
    // No zone has had offsets finer than a second for a century.
    stretches.push({ from: begin.epochMilliseconds, to: end, offsetMs: Math.round(begin.offsetNanoseconds / 1e6) });
    if (!change || end === to) return stretches;
    begin = change;
  }
}

/** A calendar day of a zone: 23 or 25 hours long where a clock is changed. */
export interface LocalDay extends Span {
  /** `YYYY-MM-DD` */
  day: string;
}

/** The calendar days of a zone that a span touches, whole and in order. @throws RangeError for a zone that there is not. */
export function localDays(timezone: string, { from, to }: Span): LocalDay[] {
  const days: LocalDay[] = [];
  for (let at = from; at < to; ) {
    const midnight = Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timezone).startOfDay();
    const end = midnight.add({ days: 1 }).startOfDay().epochMilliseconds;
    days.push({ day: midnight.toPlainDate().toString(), from: midnight.epochMilliseconds, to: end });
    at = end;
  }
  return days;
}

/** The clocks of all zones over one span, each looked up once. */
export function zoneClocks(span: Span): (timezone: string) => Steady[] {
  const known = new Map<string, Steady[]>();
  return (timezone) => {
    let stretches = known.get(timezone);
    if (!stretches) {
      stretches = steadyStretches(timezone, span);
      known.set(timezone, stretches);
    }
    return stretches;
  };
}
