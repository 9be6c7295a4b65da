import { readHours, timesOn } from "./hours.ts";
import { liveSchedules, type PlanInput, type PlanSchedule, type PlanTakeover, scheduleZone } from "./input.ts";
import type { Span } from "./plan.ts";
import { zoneClocks } from "./zone.ts";

/** A stretch of time in which the same plays. */
export interface Stretch extends Span {
  /** Those that are on with the highest priority, by id. */
  schedules: PlanSchedule[];
  takeover: PlanTakeover | null;
}

/** A thing that is on at times. */
interface Timed<T> {
  what: T;
  spans: Span[];
}

/** When each schedule that can play is on within a window, by id of the schedule. */
export function scheduleTimes(input: PlanInput, window: Span): Timed<PlanSchedule>[] {
  const clockOf = zoneClocks(window);
  return liveSchedules(input)
    .filter((schedule) => !excludesStore(schedule, input))
    .map((what) => ({ what, spans: timesOn(readHours(what.rules), clockOf(scheduleZone(what, input))) }));
}

/** Whether a schedule leaves out the device's store. */
export function excludesStore({ rules }: PlanSchedule, { store }: PlanInput): boolean {
  return store !== null && (rules.exclusions?.store_ids ?? []).includes(store.id);
}

/**
 * The window cut into stretches without holes. Takeovers that stand hide all schedules; of several, the one that began last
 * stands, and of those that began together the last by id.
 */
export function timeline(times: readonly Timed<PlanSchedule>[], takeovers: readonly PlanTakeover[], window: Span): Stretch[] {
  const overrides = takeovers
    .map((what) => ({ what, spans: within({ from: what.from, to: what.to ?? window.to }, window) }))
    .sort((a, b) => b.what.from - a.what.from || (a.what.id < b.what.id ? 1 : -1));
  const edges = [...edgesOf(times), ...edgesOf(overrides)].sort((a, b) => a.at - b.at);
  const on = new Set<PlanSchedule | PlanTakeover>();
  const stretches: Stretch[] = [];
  let at = window.from;
  for (const { what, begins, at: until } of edges) {
    if (until > at) append(stretches, { from: at, to: until, ...playing(on, times, overrides) });
    at = Math.max(at, until);
    if (begins) on.add(what);
    else on.delete(what);
  }
  if (at < window.to) append(stretches, { from: at, to: window.to, ...playing(on, times, overrides) });
  return stretches;
}

function within({ from, to }: Span, window: Span): Span[] {
  const cut = { from: Math.max(from, window.from), to: Math.min(to, window.to) };
  return cut.from < cut.to ? [cut] : [];
}

function edgesOf<T>(timed: readonly Timed<T>[]): { at: number; what: T; begins: boolean }[] {
  return timed.flatMap(({ what, spans }) =>
    spans.flatMap(({ from, to }) => [
      { at: from, what, begins: true },
      { at: to, what, begins: false },
    ]),
  );
}

/** Of all that is on, what plays. The lists are in the order that decides between equals. */
function playing(
  on: ReadonlySet<PlanSchedule | PlanTakeover>,
  times: readonly Timed<PlanSchedule>[],
  overrides: readonly Timed<PlanTakeover>[],
): Omit<Stretch, keyof Span> {
  const takeover = overrides.find(({ what }) => on.has(what))?.what ?? null;
  if (takeover) return { schedules: [], takeover };
  let highest = -Infinity;
  let schedules: PlanSchedule[] = [];
  for (const { what } of times) {
    const priority = priorityOf(what);
    if (priority < highest || !on.has(what)) continue;
    if (priority > highest) schedules = [];
    highest = priority;
    schedules.push(what);
  }
  return { schedules, takeover };
}

export function priorityOf({ rules }: PlanSchedule): number {
  return rules.priority ?? 0;
}

/** Adds a stretch; the last one is made longer where the same plays on. */
function append(stretches: Stretch[], next: Stretch): void {
  const last = stretches.at(-1);
  const same =
    last?.takeover === next.takeover &&
    last.schedules.length === next.schedules.length &&
    last.schedules.every((schedule, index) => schedule === next.schedules[index]);
  if (same) last.to = next.to;
  else stretches.push(next);
}
