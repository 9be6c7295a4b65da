import { addDays } from "../../parts/days.ts";
import { DAY_MINUTES, rangeOf, WEEKDAYS, type Weekday } from "../../parts/week.ts";
import { wordsOfDays, wordsOfRange } from "../../parts/week-words.ts";
import { type Schedule, STORE_ZONE } from "./rules-words.ts";

/** A week of a place's wall clock, in minutes since its Monday's midnight. Clock changes are not drawn: the server's plan has them. */
export const WEEK_MINUTES = 7 * DAY_MINUTES;
const DAY_MS = 86_400_000;

/** When a schedule's rules have it on. */
export interface Block {
  schedule: Schedule;
  from: number;
  to: number;
}

/** A stretch of the week in which the same schedules are on. */
export interface Stretch {
  from: number;
  to: number;
  /** Those of the highest priority: they share the loop. */
  plays: Schedule[];
  /** Those that are on, but below. */
  covered: Schedule[];
}

/** What a calendar draws as one box: schedules to which the same happens at the same time. */
export interface Piece {
  schedules: Schedule[];
  from: number;
  to: number;
  /** One plays alone, several share the loop, or they are covered. */
  state: "plays" | "shares" | "covered";
  /** Those that cover them. */
  above: Schedule[];
}

export function priorityOf({ rules }: Schedule): number {
  return rules.priority ?? 0;
}

/** The Monday of a day's week; both `YYYY-MM-DD`. */
export function mondayOf(date: string): string {
  const at = Date.parse(`${date}T00:00:00Z`);
  return isoDate(at - ((new Date(at).getUTCDay() + 6) % 7) * DAY_MS);
}

function isoDate(at: number): string {
  return new Date(at).toISOString().slice(0, 10);
}

/**
 * When schedules are on in the week that begins with `monday`, by the wall clock of `zone`; without a zone, what is scheduled in a zone of
 * its own is drawn by that. Stores that rules leave out have nothing of them.
 */
export function blocksOf(schedules: readonly Schedule[], monday: string, zone: string | null, storeId: string | null): Block[] {
  return schedules.flatMap((schedule) => {
    const { exclusions } = schedule.rules;
    if (storeId && exclusions?.store_ids?.includes(storeId)) return [];
    const other = schedule.timezone !== STORE_ZONE && zone !== null && schedule.timezone !== zone ? schedule.timezone : null;
    return blocksOfOne(schedule, monday, other ? (date) => offsetMinutes(zone ?? "UTC", date) - offsetMinutes(other, date) : () => 0);
  });
}

function blocksOfOne(schedule: Schedule, monday: string, shiftOn: (date: string) => number): Block[] {
  const { start_date, end_date, dayparts = [], exclusions } = schedule.rules;
  const parts = dayparts.length > 0 ? dayparts : [{ from: "00:00", to: "24:00" }];
  const blocks: Block[] = [];
  // From the days before, whose nights reach into this week, to those after, which another zone may draw into it.
  for (let day = -2; day <= 8; day++) {
    const date = addDays(monday, day);
    if ((start_date && date < start_date) || (end_date && date > end_date) || exclusions?.dates?.includes(date)) continue;
    const weekday = WEEKDAYS[(day + 14) % 7] ?? "mon";
    for (const part of parts) {
      if ("days" in part && part.days && !part.days.includes(weekday)) continue;
      const range = rangeOf(part);
      const shift = day * DAY_MINUTES + shiftOn(date);
      const block = { schedule, from: Math.max(0, range.from + shift), to: Math.min(WEEK_MINUTES, range.to + shift) };
      if (block.from < block.to) blocks.push(block);
    }
  }
  return joined(blocks.sort((a, b) => a.from - b.from));
}

function joined(blocks: Block[]): Block[] {
  const found: Block[] = [];
  for (const block of blocks) {
    const last = found.at(-1);
    if (last && block.from <= last.to) last.to = Math.max(last.to, block.to);
    else found.push(block);
  }
  return found;
}

/** By how many minutes a zone is ahead of UTC on a day, at noon. */
function offsetMinutes(zone: string, date: string): number {
  const at = Date.parse(`${date}T12:00:00Z`);
  const name = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" })
    .formatToParts(at)
    .find(({ type }) => type === "timeZoneName")?.value;
  const match = /GMT([+-])(\d{2}):(\d{2})/.exec(name ?? "");
  return match ? (match[1] === "-" ? -1 : 1) * (Number(match[2]) * 60 + Number(match[3])) : 0;
}

/** The week cut into stretches without holes. Pure. */
export function stretchesOf(blocks: readonly Block[]): Stretch[] {
  const edges = [...new Set([0, WEEK_MINUTES, ...blocks.flatMap(({ from, to }) => [from, to])])].sort((a, b) => a - b);
  const stretches: Stretch[] = [];
  for (const [at, from] of edges.entries()) {
    const to = edges[at + 1];
    if (to === undefined) break;
    const on = blocks.filter((block) => block.from <= from && to <= block.to).map(({ schedule }) => schedule);
    const highest = Math.max(...on.map(priorityOf));
    const plays = on.filter((schedule) => priorityOf(schedule) === highest);
    append(stretches, { from, to, plays, covered: on.filter((schedule) => priorityOf(schedule) < highest) });
  }
  return stretches;
}

function append(stretches: Stretch[], next: Stretch): void {
  const last = stretches.at(-1);
  const idsOf = ({ plays, covered }: Stretch) => JSON.stringify([plays.map(({ id }) => id), covered.map(({ id }) => id)]);
  if (last && idsOf(last) === idsOf(next)) last.to = next.to;
  else stretches.push(next);
}

/** A week's boxes: at most two at any time, beside each other, so that names have room. Pure. */
export function piecesOf(stretches: readonly Stretch[]): Piece[] {
  const pieces: Piece[] = [];
  for (const { from, to, plays, covered } of stretches) {
    if (plays.length > 0) pieces.push({ schedules: plays, from, to, state: plays.length > 1 ? "shares" : "plays", above: [] });
    if (covered.length > 0) pieces.push({ schedules: covered, from, to, state: "covered", above: plays });
  }
  return pieces;
}

/** Something of a week that somebody may not have meant, and all the times at which it is so. */
export interface Finding {
  kind: "covered" | "shared" | "gap";
  spans: { from: number; to: number }[];
  plays: Schedule[];
  covered: Schedule[];
}

/** What is covered by a higher priority, what shares a loop, and when nothing is scheduled: in that order. Pure. */
export function findingsOf(stretches: readonly Stretch[]): Finding[] {
  const found = new Map<string, Finding>();
  for (const { from, to, plays, covered } of stretches) {
    const kinds = [plays.length === 0 && "gap", covered.length > 0 && "covered", plays.length > 1 && "shared"] as const;
    for (const kind of kinds) {
      if (!kind) continue;
      const key = JSON.stringify([kind, plays.map(({ id }) => id), kind === "covered" && covered.map(({ id }) => id)]);
      const finding = found.get(key);
      if (finding) finding.spans.push({ from, to });
      else found.set(key, { kind, spans: [{ from, to }], plays, covered });
    }
  }
  return (["covered", "shared", "gap"] as const).flatMap((kind) => [...found.values()].filter((finding) => finding.kind === kind));
}

/** Spans in words, those at the same times of several days together: `Mon–Fri 10:00–11:00`, `Fri 20:00 – Mon 07:00`. Pure. */
export function wordsOfSpans(spans: readonly { from: number; to: number }[]): string {
  const days = new Map<string, Weekday[]>();
  const long: string[] = [];
  for (const { from, to } of spans) {
    const at = Math.floor(from / DAY_MINUTES);
    const day = WEEKDAYS[at];
    // A night ends on the morning after; what is longer names both its days.
    if (!day || to - from > DAY_MINUTES || to - at * DAY_MINUTES > DAY_MINUTES + NIGHT_ENDS_MINUTES) long.push(wordsOfSpan(from, to));
    else {
      const range = wordsOfRange({ from: from - at * DAY_MINUTES, to: to - at * DAY_MINUTES });
      days.set(range, [...(days.get(range) ?? []), day]);
    }
  }
  return [...[...days].map(([range, on]) => `${wordsOfDays(on)} ${range}`), ...long].join(", ");
}

const NIGHT_ENDS_MINUTES = 12 * 60;
const NAMES = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

/** `Fri 12:00–17:00`, `Fri 20:00 – Mon 07:00` */
function wordsOfSpan(from: number, to: number): string {
  const day = (minute: number) => NAMES[Math.floor(minute / DAY_MINUTES) % 7] ?? "Mon";
  const clock = (minute: number) => {
    const within = minute % DAY_MINUTES;
    return `${String(Math.floor(within / 60)).padStart(2, "0")}:${String(within % 60).padStart(2, "0")}`;
  };
  const last = to - 1;
  const isOneDay = Math.floor(from / DAY_MINUTES) === Math.floor(last / DAY_MINUTES);
  const end = to % DAY_MINUTES === 0 ? "24:00" : clock(to);
  return isOneDay ? `${day(from)} ${clock(from)}–${end}` : `${day(from)} ${clock(from)} – ${day(last)} ${end}`;
}
