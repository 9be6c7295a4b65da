import { ALL_DAY, clockText, DAY_MINUTES, emptyWeek, type Range, united, WEEKDAYS, type Week, type Weekday } from "./week.ts";

const SHORT: Record<Weekday, string> = { mon: "Mon", tue: "Tue", wed: "Wed", thu: "Thu", fri: "Fri", sat: "Sat", sun: "Sun" };

/** What was read of words, or why it could not be. */
export type Read<T> = { ok: true; value: T } | { ok: false; fault: string };

/** A week in words: `Mon–Fri 08:00–12:00 and 13:00–18:00, Sat 09:00–14:00`. Days without a range are not named. */
export function wordsOfWeek(week: Week, none = "closed"): string {
  const groups = new Map<string, Weekday[]>();
  for (const day of WEEKDAYS) {
    if (week[day].length === 0) continue;
    const text = week[day].map(wordsOfRange).join(" and ");
    groups.set(text, [...(groups.get(text) ?? []), day]);
  }
  if (groups.size === 0) return none;
  return [...groups].map(([text, days]) => `${wordsOfDays(days)} ${text}`).join(", ");
}

/** `08:00–12:00`, or `all day`. */
export function wordsOfRange({ from, to }: Range): string {
  return from === 0 && to === DAY_MINUTES ? "all day" : `${clockText(from)}–${clockText(to)}`;
}

/** `Mon–Fri`, `Mon, Wed`, `every day`. Runs of three days and more are drawn together. */
export function wordsOfDays(days: readonly Weekday[]): string {
  if (days.length === WEEKDAYS.length) return "every day";
  const runs: Weekday[][] = [];
  for (const day of days) {
    const last = runs.at(-1);
    const before = last?.at(-1);
    if (last && before && WEEKDAYS.indexOf(before) + 1 === WEEKDAYS.indexOf(day)) last.push(day);
    else runs.push([day]);
  }
  return runs
    .map((run) => (run.length > 2 ? `${SHORT[run[0] ?? "mon"]}–${SHORT[run.at(-1) ?? "sun"]}` : run.map((day) => SHORT[day]).join(", ")))
    .join(", ");
}

const DASH = "\\s*(?:-|–|—|to)\\s*";
const DAY = "(mon|tue|wed|thu|fri|sat|sun)[a-z]*\\.?";
const TIME = "(\\d{1,2})(?:[:.](\\d{2}))?\\s*(am|pm)?";
const FORMS = {
  gap: /^(?:[\s,;.&+]|and\b)+/,
  days: new RegExp(`^${DAY}${DASH}${DAY}(?![a-z])`),
  day: new RegExp(`^${DAY}(?![a-z])`),
  everyDay: /^(?:every\s?day|daily|all week|always)(?![a-z])/,
  weekdays: /^weekdays?(?![a-z])/,
  weekend: /^weekends?(?![a-z])/,
  range: new RegExp(`^${TIME}${DASH}${TIME}(?![\\d:a-z])`),
  allDay: /^(?:all day|24 ?hours?|24\/7|round the clock|open)(?![a-z])/,
  closed: /^(?:closed|off|never)(?![a-z])/,
} as const;

/** Reads what {@link wordsOfWeek} writes, and what people write instead: `weekdays 8-18, Sat 9am-2pm`. */
export function readWeek(words: string): Read<Week> {
  const week = emptyWeek();
  let rest = words.toLowerCase();
  let days: Weekday[] = [];
  let timed = false;
  const name = (more: readonly Weekday[]) => {
    days = timed ? [...more] : [...new Set([...days, ...more])];
    timed = false;
  };
  const set = (range: Range | null) => {
    for (const day of days.length > 0 ? days : WEEKDAYS) week[day] = range ? united([...week[day], range]) : [];
    timed = true;
  };
  while (rest !== "") {
    const found = nextForm(rest);
    if (!found)
      return {
        ok: false,
        fault: `“${rest.split(/[,;]/)[0]?.trim() ?? rest}” is not understood. Write it like “Mon–Fri 08:00–18:00, Sat 09:00–14:00”.`,
      };
    const [form, match] = found;
    rest = rest.slice(match[0].length);
    if (form === "days") name(daysBetween(match[1] as Weekday, match[2] as Weekday));
    else if (form === "day") name([match[1] as Weekday]);
    else if (form === "everyDay") name(WEEKDAYS);
    else if (form === "weekdays") name(WEEKDAYS.slice(0, 5));
    else if (form === "weekend") name(WEEKDAYS.slice(5));
    else if (form === "allDay") set(ALL_DAY);
    else if (form === "closed") set(null);
    else if (form === "range") {
      const range = rangeIn(match);
      if (!range) return { ok: false, fault: `“${match[0]}” is no span of time.` };
      set(range);
    }
  }
  if (days.length > 0 && !timed) return { ok: false, fault: `Say the hours of ${wordsOfDays(days)}, such as 08:00–18:00.` };
  return { ok: true, value: week };
}

function nextForm(text: string): [keyof typeof FORMS, RegExpExecArray] | null {
  for (const [form, pattern] of Object.entries(FORMS)) {
    const match = pattern.exec(text);
    if (match) return [form as keyof typeof FORMS, match];
  }
  return null;
}

function daysBetween(first: Weekday, last: Weekday): Weekday[] {
  const [from, to] = [WEEKDAYS.indexOf(first), WEEKDAYS.indexOf(last)];
  return to >= from ? WEEKDAYS.slice(from, to + 1) : [...WEEKDAYS.slice(from), ...WEEKDAYS.slice(0, to + 1)];
}

function rangeIn([, hours = "", minutes = "0", half, toHours = "", toMinutes = "0", toHalf]: RegExpExecArray): Range | null {
  const from = minuteIn(hours, minutes, half ?? (toHalf === undefined ? undefined : Number(hours) < Number(toHours) ? toHalf : "am"));
  const to = minuteIn(toHours, toMinutes, toHalf);
  if (from === null || to === null || from >= DAY_MINUTES) return null;
  return { from, to: to > from ? to : to + DAY_MINUTES };
}

function minuteIn(hours: string, minutes: string, half: string | undefined): number | null {
  const [hour, minute] = [Number(hours), Number(minutes)];
  if (minute > 59 || hour > (half ? 12 : 24) || (hour === 24 && minute > 0)) return null;
  return (half ? (hour % 12) + (half === "pm" ? 12 : 0) : hour) * 60 + minute;
}
