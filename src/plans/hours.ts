import { DAY_MS, MINUTE_MS, utcDay } from "../platform/time.ts";
import type { Daypart, ScheduleRules, Weekday } from "./input.ts";
import type { Span } from "./plan.ts";
import type { Steady } from "./zone.ts";

const WEEK: readonly Weekday[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/** 1970-01-01 was a Thursday. */
const EPOCH_WEEKDAY = 3;

/** Rules, read once. Days are numbered from 1970-01-01; times are milliseconds of wall clock since the start of their day. */
export interface Hours {
  firstDay: number;
  lastDay: number;
  excludedDays: ReadonlySet<number>;
  dayparts: readonly { weekdays: ReadonlySet<number>; from: number; to: number }[];
}

const EVERY_DAY = new Set(WEEK.keys());
const ALL_DAY = [{ weekdays: EVERY_DAY, from: 0, to: DAY_MS }];

/** Reads the rules that say when a schedule is on. */
export function readHours(rules: ScheduleRules): Hours {
  return {
    firstDay: rules.start_date ? dayNumber(rules.start_date) : -Infinity,
    lastDay: rules.end_date ? dayNumber(rules.end_date) : Infinity,
    excludedDays: new Set((rules.exclusions?.dates ?? []).map(dayNumber)),
    dayparts: rules.dayparts?.length ? rules.dayparts.map(readDaypart) : ALL_DAY,
  };
}

function readDaypart({ days, from, to }: Daypart): Hours["dayparts"][number] {
  const [start, end] = [clockMs(from), clockMs(to)];
  return {
    weekdays: days?.length ? new Set(days.map((day) => WEEK.indexOf(day))) : EVERY_DAY,
    from: start,
    to: end > start ? end : end + DAY_MS,
  };
}

/**
 * When the wall clock of a zone shows a time of these hours: in order, apart from each other. A daypart that crosses
 * midnight belongs to the day that it starts on. What the clock skips is not there; what it shows twice is there twice.
 */
export function timesOn(hours: Hours, clock: readonly Steady[]): Span[] {
  const spans: Span[] = [];
  for (const { from, to, offsetMs } of clock) {
    // In this stretch, wall clock and time differ by a constant: so the rules are looked for on the wall.
    const [wallFrom, wallTo] = [from + offsetMs, to + offsetMs];
    // From the day before, whose night may reach into this one.
    const firstDay = Math.max(Math.floor(wallFrom / DAY_MS) - 1, hours.firstDay);
    const lastDay = Math.min(Math.floor((wallTo - 1) / DAY_MS), hours.lastDay);
    for (let day = firstDay; day <= lastDay; day++) {
      if (hours.excludedDays.has(day)) continue;
      for (const daypart of hours.dayparts) {
        if (!daypart.weekdays.has(weekdayOf(day))) continue;
        const begin = Math.max(wallFrom, day * DAY_MS + daypart.from);
        const end = Math.min(wallTo, day * DAY_MS + daypart.to);
        if (begin < end) spans.push({ from: begin - offsetMs, to: end - offsetMs });
      }
    }
  }
  return united(spans);
}

/** Spans in order, with those joined that touch or overlap. */
function united(spans: Span[]): Span[] {
  const joined: Span[] = [];
  for (const span of spans.sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && span.from <= last.to) last.to = Math.max(last.to, span.to);
    else joined.push(span);
  }
  return joined;
}

/** A calendar date (`YYYY-MM-DD`) as the number of days since 1970-01-01. */
export function dayNumber(date: string): number {
  return Date.parse(`${date}T00:00:00Z`) / DAY_MS;
}

/** The calendar date of a day number. */
export function isoDate(day: number): string {
  return utcDay(day * DAY_MS);
}

/** 0 for Monday. */
export function weekdayOf(day: number): number {
  return (((day + EPOCH_WEEKDAY) % WEEK.length) + WEEK.length) % WEEK.length;
}

function clockMs(clock: string): number {
  return (Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5))) * MINUTE_MS;
}
