import type { Item } from "../../api/client.ts";
import { daypartsOfWeek, emptyWeek, isEmptyWeek, paint, WEEKDAYS, type Week, weekOfDayparts } from "../../parts/week.ts";
import { type Read, readWeek, wordsOfWeek } from "../../parts/week-words.ts";

export type Schedule = Item<"GET /v1/admin/schedules">;
export type Rules = Schedule["rules"];

/** The zone that stands for the store's own. */
export const STORE_ZONE = "store";

/** When a schedule is on: what the week grid, the fields of dates and zone, and the words all say. */
export interface Timing {
  week: Week;
  timezone: string;
  start_date: string | null;
  end_date: string | null;
}

export function timingOf({ rules, timezone }: Pick<Schedule, "rules" | "timezone">): Timing {
  return { week: weekOfDayparts(rules.dayparts), timezone, start_date: rules.start_date ?? null, end_date: rules.end_date ?? null };
}

/** Rules with this timing in place of theirs. */
export function withTiming(rules: Rules, { week, start_date, end_date }: Timing): Rules {
  return { ...rules, dayparts: daypartsOfWeek(week), start_date, end_date };
}

const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** `1 Nov 2026`, so that it is read again whatever the reader's language. */
function wordsOfDate(date: string): string {
  return `${Number(date.slice(8, 10))} ${MONTHS[Number(date.slice(5, 7)) - 1] ?? "?"} ${date.slice(0, 4)}`;
}

/** `Mon–Fri 08:00–12:00, store time, from 1 Nov 2026` */
export function wordsOfTiming({ week, timezone, start_date, end_date }: Timing): string {
  return [
    wordsOfWeek(week, "never"),
    timezone === STORE_ZONE ? "store time" : timezone,
    start_date ? `from ${wordsOfDate(start_date)}` : null,
    end_date ? `until ${wordsOfDate(end_date)}` : null,
  ]
    .filter((part) => part !== null)
    .join(", ");
}

const DATE = "(\\d{4}-\\d{2}-\\d{2}|\\d{1,2}\\.? [a-z]{3,9}\\.?(?:,? \\d{4})?|[a-z]{3,9}\\.? \\d{1,2}(?:,? \\d{4})?)";
const FROM = new RegExp(`\\b(?:from|since|starting)\\s+${DATE}`, "i");
const UNTIL = new RegExp(`\\b(?:until|till|through|ending)\\s+${DATE}`, "i");
const STORE = /\bstore(?:'s)? time\b/i;
const ZONE = /\b(?:UTC|[A-Za-z]+\/[A-Za-z_]+(?:\/[A-Za-z_]+)?)\b/;

/** Reads what {@link wordsOfTiming} writes. A date without a year is the next one that is not long past. `today` is `YYYY-MM-DD`. */
export function readTiming(words: string, today: string): Read<Timing> {
  let rest = words;
  const take = (pattern: RegExp): RegExpExecArray | null => {
    const match = pattern.exec(rest);
    if (match) rest = `${rest.slice(0, match.index)} ${rest.slice(match.index + match[0].length)}`;
    return match;
  };
  const [from, until] = [take(FROM), take(UNTIL)];
  const isStore = take(STORE) !== null;
  const zone = isStore ? STORE_ZONE : (take(ZONE)?.[0] ?? STORE_ZONE);
  if (zone !== STORE_ZONE && !isZone(zone)) return { ok: false, fault: `There is no time zone ${zone}.` };
  const dates: (string | null)[] = [];
  for (const match of [from, until]) {
    const date = match ? dateIn(match[1] ?? "", today) : null;
    if (match && !date) return { ok: false, fault: `“${match[1]}” is no date.` };
    dates.push(date);
  }
  const [start_date = null, end_date = null] = dates;
  if (start_date && end_date && end_date < start_date) return { ok: false, fault: "It ends before it begins." };
  const read = /[a-z0-9]/i.test(rest)
    ? readWeek(rest)
    : { ok: true as const, value: paint(emptyWeek(), WEEKDAYS, { from: 0, to: 1440 }, true) };
  if (!read.ok) return read;
  if (isEmptyWeek(read.value)) return { ok: false, fault: "It must be on at some time of the week." };
  return { ok: true, value: { week: read.value, timezone: zone, start_date, end_date } };
}

function isZone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat("en", { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}

const LONG_PAST_MS = 180 * 86_400_000;

function dateIn(text: string, today: string): string | null {
  if (/^\d{4}-/.test(text)) return validDate(text);
  const day = /\b(\d{1,2})\b/.exec(text)?.[1];
  const month = MONTHS.findIndex((name) => new RegExp(`\\b${name}`, "i").test(text));
  const year = /\b(\d{4})\b/.exec(text)?.[1];
  if (!day || month < 0) return null;
  const dated = (in_: number) => validDate(`${in_}-${String(month + 1).padStart(2, "0")}-${day.padStart(2, "0")}`);
  if (year) return dated(Number(year));
  const thisYear = dated(Number(today.slice(0, 4)));
  const isPast = thisYear !== null && Date.parse(today) - Date.parse(thisYear) > LONG_PAST_MS;
  return isPast ? dated(Number(today.slice(0, 4)) + 1) : thisYear;
}

function validDate(date: string): string | null {
  const at = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(date) ? date : null;
}

/** All rules in words: when, and what else is said. */
export function wordsOfRules(rules: Rules, timezone: string): string {
  const cap = rules.frequency_cap;
  return [
    wordsOfTiming(timingOf({ rules, timezone })),
    rules.priority ? `priority ${rules.priority}` : null,
    rules.share_of_voice_s_per_hour ? `${rules.share_of_voice_s_per_hour} s of every hour` : null,
    rules.weight && rules.weight > 1 ? `weight ${rules.weight}` : null,
    cap?.max_plays_per_hour ? `at most ${cap.max_plays_per_hour} plays an hour` : null,
    cap?.max_plays_per_day ? `at most ${cap.max_plays_per_day} plays a day` : null,
    rules.exclusions?.dates?.length ? `not on ${rules.exclusions.dates.map(wordsOfDate).join(", ")}` : null,
    rules.exclusions?.store_ids?.length ? `not in ${rules.exclusions.store_ids.length} stores` : null,
  ]
    .filter((part) => part !== null)
    .join("; ");
}
