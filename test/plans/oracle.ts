import type { PlanSchedule } from "../../src/plans/input.ts";
import { DAY_MS } from "../../src/platform/time.ts";

/** What a clock on the wall shows. */
export interface Wall {
  date: string;
  yesterday: string;
  weekday: string;
  weekdayYesterday: string;
  /** HH:MM */
  time: string;
}

const formats = new Map<string, Intl.DateTimeFormat>();

const seen = new Map<string, Map<number, Wall>>();

/** What a zone's clock shows, straight from the zone data of the runtime: no arithmetic on offsets. Each minute is looked up once. */
export function wallAt(timezone: string, at: number): Wall {
  const inZone = seen.get(timezone) ?? new Map<number, Wall>();
  seen.set(timezone, inZone);
  const known = inZone.get(at) ?? lookUp(timezone, at);
  inZone.set(at, known);
  return known;
}

function lookUp(timezone: string, at: number): Wall {
  const format =
    formats.get(timezone) ??
    new Intl.DateTimeFormat("en-GB", {
      timeZone: timezone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
  formats.set(timezone, format);
  const match = /^(\d\d)\/(\d\d)\/(\d{4}), (\d\d:\d\d)$/.exec(format.format(at));
  if (!match) throw new Error(`not a time: ${format.format(at)}`);
  const [, day, month, year, time = ""] = match;
  const date = `${year}-${month}-${day}`;
  const yesterday = new Date(Date.parse(`${date}T00:00:00Z`) - DAY_MS).toISOString().slice(0, 10);
  return { date, yesterday, weekday: weekday(date), weekdayYesterday: weekday(yesterday), time };
}

const weekdays = new Map<string, string>();

function weekday(date: string): string {
  const known =
    weekdays.get(date) ?? new Date(`${date}T00:00:00Z`).toLocaleDateString("en-US", { weekday: "short", timeZone: "UTC" }).toLowerCase();
  weekdays.set(date, known);
  return known;
}

/** Whether a schedule is on when the wall clock of its zone shows this: read off the rules, as a person would. */
export function isOn({ rules, archived }: PlanSchedule, storeId: string, wall: Wall): boolean {
  if (archived || rules.exclusions?.store_ids?.includes(storeId)) return false;
  const counts = (date: string) =>
    !(rules.start_date && date < rules.start_date) &&
    !(rules.end_date && date > rules.end_date) &&
    !rules.exclusions?.dates?.includes(date);
  if (!rules.dayparts?.length) return counts(wall.date);
  return rules.dayparts.some(({ days, from, to }) => {
    const today = counts(wall.date) && (!days || (days as readonly string[]).includes(wall.weekday));
    if (to > from) return today && wall.time >= from && wall.time < to;
    const evening = today && wall.time >= from;
    const night = counts(wall.yesterday) && (!days || (days as readonly string[]).includes(wall.weekdayYesterday)) && wall.time < to;
    return evening || night;
  });
}

/** The schedules that play: of those that are on, the ids of those of the highest priority, sorted. */
export function playingAt(schedules: readonly PlanSchedule[], storeId: string, wallIn: (timezone: string) => Wall): string[] {
  const on = schedules.filter((schedule) => isOn(schedule, storeId, wallIn(schedule.timezone)));
  const highest = Math.max(...on.map(({ rules }) => rules.priority ?? 0));
  return on
    .filter(({ rules }) => (rules.priority ?? 0) === highest)
    .map(({ id }) => id)
    .sort();
}
