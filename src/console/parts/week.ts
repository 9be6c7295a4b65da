/** Times of a week by the wall clock, as pages draw and word them. Everything here is pure. */

export const WEEKDAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;
export type Weekday = (typeof WEEKDAYS)[number];

export const DAY_MINUTES = 24 * 60;
/** What ends no later than this, after a day that runs to midnight, is that day's night. */
const NIGHT_ENDS_MINUTES = 6 * 60;

/** [`from`, `to`) in minutes since the midnight that the day begins with; `to` is over 1,440 where it runs over the next one. */
export interface Range {
  from: number;
  to: number;
}

export type Week = Record<Weekday, Range[]>;

/** A range as the API has it: `to` at or before `from` runs over midnight. */
export interface ClockRange {
  from: string;
  to: string;
}

export const ALL_DAY: Range = { from: 0, to: DAY_MINUTES };

export function emptyWeek(): Week {
  return { mon: [], tue: [], wed: [], thu: [], fri: [], sat: [], sun: [] };
}

export function isEmptyWeek(week: Week): boolean {
  return WEEKDAYS.every((day) => week[day].length === 0);
}

/** `08:30`; `24:00` for the end of a day. */
export function clockText(minute: number): string {
  const within = minute > DAY_MINUTES ? minute - DAY_MINUTES : minute;
  return `${String(Math.floor(within / 60)).padStart(2, "0")}:${String(within % 60).padStart(2, "0")}`;
}

export function minuteOf(clock: string): number {
  return Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5));
}

export function rangeOf({ from, to }: ClockRange): Range {
  const [start, end] = [minuteOf(from), minuteOf(to)];
  return { from: start, to: end > start ? end : end + DAY_MINUTES };
}

export function clockRangeOf({ from, to }: Range): ClockRange {
  return { from: clockText(from), to: clockText(Math.min(to, from + DAY_MINUTES)) };
}

/** The week of a store's hours, whose days are keys. */
export function weekOfHours(hours: { [day in Weekday]?: ClockRange[] | undefined }): Week {
  const week = emptyWeek();
  for (const day of WEEKDAYS) week[day] = (hours[day] ?? []).map(rangeOf);
  return week;
}

/** The same, the other way round; days without a range are left out. */
export function hoursOfWeek(week: Week): { [day in Weekday]?: ClockRange[] } {
  return Object.fromEntries(WEEKDAYS.filter((day) => week[day].length > 0).map((day) => [day, week[day].map(clockRangeOf)]));
}

/** A schedule's part of the day. Without days: every day. */
export interface Daypart extends ClockRange {
  days?: Weekday[];
}

/** The week of a schedule's dayparts; none means all day, every day. */
export function weekOfDayparts(dayparts: readonly Daypart[] | undefined): Week {
  const week = emptyWeek();
  const parts: readonly Daypart[] = dayparts && dayparts.length > 0 ? dayparts : [{ from: "00:00", to: "24:00" }];
  for (const part of parts) for (const day of part.days ?? WEEKDAYS) week[day].push(rangeOf(part));
  for (const day of WEEKDAYS) week[day].sort((a, b) => a.from - b.from);
  return week;
}

/** The fewest dayparts that say a week: days of the same range together. All of the week is none at all. */
export function daypartsOfWeek(week: Week): Daypart[] {
  const days = new Map<string, Weekday[]>();
  for (const day of WEEKDAYS) {
    for (const range of week[day]) {
      const { from, to } = clockRangeOf(range);
      days.set(`${from} ${to}`, [...(days.get(`${from} ${to}`) ?? []), day]);
    }
  }
  const parts = [...days].map(([key, on]): Daypart => {
    const [from = "", to = ""] = key.split(" ");
    return { ...(on.length === WEEKDAYS.length ? {} : { days: on }), from, to };
  });
  return parts.length === 1 && !parts[0]?.days && parts[0]?.from === "00:00" && parts[0].to === "24:00" ? [] : parts;
}

/** Ranges in order, with those joined that touch or overlap. */
export function united(ranges: readonly Range[]): Range[] {
  const joined: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.from - b.from)) {
    const last = joined.at(-1);
    if (last && range.from <= last.to) last.to = Math.max(last.to, range.to);
    else joined.push({ ...range });
  }
  return joined;
}

/** What each day shows from its own midnight to the next: what runs over midnight is cut there. */
export function byDay(week: Week): Week {
  const shown = emptyWeek();
  for (const [at, day] of WEEKDAYS.entries()) {
    const next = WEEKDAYS[(at + 1) % WEEKDAYS.length] ?? "mon";
    for (const { from, to } of week[day]) {
      shown[day].push({ from, to: Math.min(to, DAY_MINUTES) });
      if (to > DAY_MINUTES) shown[next].push({ from: 0, to: to - DAY_MINUTES });
    }
  }
  for (const day of WEEKDAYS) shown[day] = united(shown[day]);
  return shown;
}

/** Sets or clears [`from`, `to`) of some days. What then runs to midnight and on into the night is one range again. */
export function paint(week: Week, days: readonly Weekday[], { from, to }: Range, on: boolean): Week {
  const shown = byDay(week);
  for (const day of days) {
    shown[day] = on
      ? united([...shown[day], { from, to }])
      : shown[day].flatMap((range) =>
          [
            { from: range.from, to: Math.min(range.to, from) },
            { from: Math.max(range.from, to), to: range.to },
          ].filter((rest) => rest.from < rest.to),
        );
  }
  return joinNights(shown);
}

function joinNights(shown: Week): Week {
  const week = emptyWeek();
  for (const day of WEEKDAYS) week[day] = shown[day].map((range) => ({ ...range }));
  for (const [at, day] of WEEKDAYS.entries()) {
    const next = WEEKDAYS[(at + 1) % WEEKDAYS.length] ?? "mon";
    const evening = week[day].find(({ from, to }) => from > 0 && to === DAY_MINUTES);
    const [night] = week[next];
    if (!evening || !night || night.from !== 0 || night.to > NIGHT_ENDS_MINUTES) continue;
    evening.to = DAY_MINUTES + night.to;
    week[next] = week[next].slice(1);
  }
  return week;
}

/** How many minutes of a week are set. */
export function minutesOf(week: Week): number {
  return WEEKDAYS.reduce((sum, day) => sum + byDay(week)[day].reduce((part, { from, to }) => part + to - from, 0), 0);
}
