import { DAY_MS } from "../platform/time.ts";
import { type Hours, isoDate, readHours, weekdayOf } from "./hours.ts";
import { byId, type PlanInput, type PlanSchedule, planZone, scheduleZone } from "./input.ts";
import { hasShare, LoopMaker, sharesFillTheHour } from "./loop.ts";
import type { Plan, PlanSegment, Span } from "./plan.ts";
import { resolvePlan } from "./resolve.ts";
import { excludesStore, priorityOf, scheduleTimes } from "./timeline.ts";
import { planWindow, steadyStretches } from "./zone.ts";

/** Why a schedule plays at an instant, or why it doesn't. Dates and times of day are those of its own zone. */
export type Reason =
  | { reason: "plays" }
  | { reason: "archived" }
  | { reason: "excluded_store"; store_id: string }
  | { reason: "not_yet"; start_date: string }
  | { reason: "ended"; end_date: string }
  | { reason: "excluded_date"; date: string }
  | { reason: "outside_dayparts" }
  | { reason: "takeover"; takeover_id: string }
  | { reason: "lower_priority"; than: string[]; their_priority: number }
  /** It is on, but its playlist has nothing to play. */
  | { reason: "empty_playlist" }
  /** It is on, but shares of voice of the same priority take the whole hour. */
  | { reason: "no_time_left" };

export type ExplainedSchedule = Reason & {
  schedule_id: string;
  name: string | null;
  playlist_id: string;
  priority: number;
  /** When it is on next, as far as the plan of that day reaches; RFC 3339 in UTC. */
  next_at: string | null;
};

export interface Explanation {
  /** The instant asked for, and what the store's clock shows then. */
  at: string;
  local: string;
  timezone: string;
  segment: PlanSegment;
  /** Those that the segment plays. */
  items: Plan["items"];
  /** Every schedule of the device and its group, by id. */
  schedules: ExplainedSchedule[];
}

/** What plays on a device at an instant, and for each of its schedules why, or why not. */
export function explainPlan(input: PlanInput, at: number): Explanation {
  const timezone = planZone(input);
  const window = planWindow(timezone, at);
  const plan = resolvePlan(input, window);
  const segment = plan.segments.find(({ from, to }) => Date.parse(from) <= at && at < Date.parse(to));
  if (!segment) throw new Error("a plan has a hole");
  const times = new Map(scheduleTimes(input, window).map(({ what, spans }) => [what.id, spans]));
  const reasonOf = reasons(input, segment, times, at);
  const shown = new Set([...segment.loop, ...(segment.fallback ?? [])].map(({ item }) => item));
  return {
    at: new Date(at).toISOString(),
    local: localTime(timezone, at),
    timezone,
    segment,
    items: Object.fromEntries(Object.entries(plan.items).filter(([id]) => shown.has(id))),
    schedules: [...input.schedules].sort(byId).map((schedule) => ({
      schedule_id: schedule.id,
      name: schedule.name ?? null,
      playlist_id: schedule.playlist_id,
      priority: priorityOf(schedule),
      next_at: nextStart(times.get(schedule.id) ?? [], at),
      ...reasonOf(schedule),
    })),
  };
}

function reasons(
  input: PlanInput,
  segment: PlanSegment,
  times: ReadonlyMap<string, Span[]>,
  at: number,
): (schedule: PlanSchedule) => Reason {
  const playing = input.schedules.filter(({ id }) => segment.schedule_ids.includes(id));
  const maker = new LoopMaker(input);
  const filled = playing.filter((schedule) => maker.ofSchedule(schedule).length > 0);
  return (schedule) => {
    if (schedule.archived) return { reason: "archived" };
    if (input.store && excludesStore(schedule, input)) return { reason: "excluded_store", store_id: input.store.id };
    const isOn = times.get(schedule.id)?.some(({ from, to }) => from <= at && at < to);
    if (!isOn) return whyOff(schedule, wallClock(scheduleZone(schedule, input), at));
    if (segment.takeover_id !== undefined) return { reason: "takeover", takeover_id: segment.takeover_id };
    const [highest] = playing;
    if (highest && !playing.includes(schedule)) {
      return { reason: "lower_priority", than: segment.schedule_ids, their_priority: priorityOf(highest) };
    }
    if (!filled.includes(schedule)) return { reason: "empty_playlist" };
    return !hasShare(schedule) && sharesFillTheHour(filled) ? { reason: "no_time_left" } : { reason: "plays" };
  };
}

/** Why the rules say that a schedule is off at a time of its wall clock. */
function whyOff({ rules }: PlanSchedule, wallMs: number): Reason {
  const hours = readHours(rules);
  const today = Math.floor(wallMs / DAY_MS);
  // The day whose daypart it would be: after midnight, that may be yesterday's.
  const day = [today, today - 1].find((candidate) => hasDaypart(hours, candidate, wallMs)) ?? today;
  if (day < hours.firstDay) return { reason: "not_yet", start_date: isoDate(hours.firstDay) };
  if (day > hours.lastDay) return { reason: "ended", end_date: isoDate(hours.lastDay) };
  if (hours.excludedDays.has(day)) return { reason: "excluded_date", date: isoDate(day) };
  return { reason: "outside_dayparts" };
}

/** Whether a daypart that starts on a day covers a time, were that day's date right. */
function hasDaypart({ dayparts }: Hours, day: number, wallMs: number): boolean {
  const time = wallMs - day * DAY_MS;
  return dayparts.some(({ weekdays, from, to }) => weekdays.has(weekdayOf(day)) && from <= time && time < to);
}

function nextStart(spans: readonly Span[], at: number): string | null {
  const next = spans.find(({ from }) => from > at);
  return next ? new Date(next.from).toISOString() : null;
}

function wallClock(timezone: string, at: number): number {
  return at + (steadyStretches(timezone, { from: at, to: at + 1 })[0]?.offsetMs ?? 0);
}

function localTime(timezone: string, at: number): string {
  return new Date(wallClock(timezone, at)).toISOString().replace("Z", "");
}
