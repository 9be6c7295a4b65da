import type { Plan, PlanItem, PlanSegment, PlanSlot, SlotTerms } from "../plans/plan.ts";
import { termsOf, whatPlays } from "../sdk/what-plays.ts";

type List = "loop" | "fallback";
const LISTS = ["loop", "fallback"] as const;

/** Where a turn stands: its segment, which of its lists, and the last place in either; −1 before the first. */
export interface Place extends Record<List, number> {
  /** When the segment begins, as the plan writes it. */
  segment: string;
  list: List;
}

/** One showing of a slot's item, due. Times in ms since 1970 by the server. */
export interface Turn {
  slot: PlanSlot;
  item: PlanItem;
  terms: SlotTerms;
  place: Place;
  /** The message that this turn belongs to; null for the ordinary programme. */
  takeoverId: string | null;
  startsAt: number;
  endsAt: number;
  /** How far into the item it begins: over 0 where the screen came in the middle of a slot. */
  offsetMs: number;
  /** How long the whole item is shown. */
  lengthMs: number;
  /** When its segment ends, at which nothing of it is shown any more. */
  borderAt: number;
  /** Whether that is before its item ends. */
  cut: boolean;
}

/** Whether a slot cannot be shown at an instant (ms by the server): its file is not here, its cap is used up. */
export type Pass = (slot: PlanSlot, at: number) => boolean;

export type Due =
  | { kind: "turn"; turn: Turn }
  /** Nothing is due; to be asked again at `until`. */
  | { kind: "nothing"; until: number; why: "empty" | "passed" | "before" | "over" };

/** What a video of unknown length counts for: as much as in the plan itself. */
const UNKNOWN_LENGTH_MS = 10_000;
/** Less than this of a slot is not worth showing: the next one begins instead. */
const SHORTEST_JOIN_MS = 1000;
/** How long nothing is asked of a plan that has ended, or of slots that are all passed over. */
const ASK_AGAIN_MS = 5000;

/**
 * What is due on a screen that shows nothing yet: it comes in where the loop stands by the clock, in the middle of a slot if
 * need be, as {@link whatPlays} reckons it, so that all screens of a plan show the same. A slot of which less than a second
 * is left is waited out. Pure.
 */
export function turnAt(plan: Plan, at: number, pass: Pass): Due {
  const playing = whatPlays(plan, at, (slot) => pass(slot, at));
  switch (playing.kind) {
    case "before":
      return { kind: "nothing", until: playing.from, why: "before" };
    case "over":
      return { kind: "nothing", until: at + ASK_AGAIN_MS, why: "over" };
    case "nothing":
      return nothingIn(segmentAt(plan, at), at, playing.until);
    case "slot": {
      const segment = segmentAt(plan, at);
      const place = segment && placeOf(segment, playing.slot);
      if (!segment || !place) return nothingIn(segment, at, at + ASK_AGAIN_MS);
      if (playing.endsAt - at < SHORTEST_JOIN_MS && playing.startsAt < at) return turnFrom(plan, place, playing.endsAt, pass);
      return { kind: "turn", turn: turnOf(segment, place, playing.slot, playing.item, playing.startsAt, at) };
    }
  }
}

/**
 * What is due behind a turn, at `at`: the next slot of its loop that is not passed over, from its beginning; in another
 * segment that one's first. So every slot gets its turn, whichever others are passed over, as the plan is counted
 * (planned against played). Where the turn's place is not in the plan any more, the loop is joined by the clock. Pure.
 */
export function turnAfter(plan: Plan, turn: Turn, at: number, pass: Pass): Due {
  const segment = segmentAt(plan, at);
  if (segment?.from !== turn.place.segment) return turnAt(plan, at, pass);
  if (slotsOf(segment, turn.place.list)[turn.place[turn.place.list]]?.slot_id !== turn.slot.slot_id) return turnAt(plan, at, pass);
  return turnFrom(plan, turn.place, at, pass);
}

/** The message that stands in place of all schedules at an instant; null where none does. */
export function takeoverAt(plan: Plan, at: number): string | null {
  return segmentAt(plan, at)?.takeover_id ?? null;
}

/** The segment of an instant; undefined outside of the plan. */
export function segmentAt(plan: Plan, at: number): PlanSegment | undefined {
  if (at < Date.parse(plan.valid_from)) return undefined;
  return plan.segments.find(({ to }) => at < Date.parse(to));
}

/** The first slot behind a place that is not passed over: of the loop, else of the fallback. */
function turnFrom(plan: Plan, behind: Place, at: number, pass: Pass): Due {
  const segment = segmentAt(plan, at);
  if (segment?.from !== behind.segment) return turnAt(plan, at, pass);
  for (const list of LISTS) {
    const slots = slotsOf(segment, list);
    for (let step = 1; step <= slots.length; step++) {
      const index = (behind[list] + step) % slots.length;
      const slot = slots[index];
      const item = slot && plan.items[slot.item];
      if (!slot || !item || pass(slot, at)) continue;
      return { kind: "turn", turn: turnOf(segment, { ...behind, list, [list]: index }, slot, item, at, at) };
    }
  }
  return nothingIn(segment, at, at + ASK_AGAIN_MS);
}

function turnOf(segment: PlanSegment, place: Place, slot: PlanSlot, item: PlanItem, startsAt: number, at: number): Turn {
  const terms = termsOf(slot, item);
  const times = {
    startsAt: at,
    offsetMs: at - startsAt,
    lengthMs: terms.duration_ms ?? UNKNOWN_LENGTH_MS,
    borderAt: Date.parse(segment.to),
  };
  return { slot, item, terms, place, takeoverId: segment.takeover_id ?? null, ...times, ...endOf(times) };
}

/** A turn with other times: when it begins, or how long the item is, where only its file says so. Its border stays. Pure. */
export function retimed(turn: Turn, changes: Partial<Pick<Turn, "startsAt" | "offsetMs" | "lengthMs">>): Turn {
  const times = { ...turn, ...changes };
  return { ...times, ...endOf(times) };
}

function endOf({ startsAt, offsetMs, lengthMs, borderAt }: Pick<Turn, "startsAt" | "offsetMs" | "lengthMs" | "borderAt">) {
  const whole = startsAt - offsetMs + lengthMs;
  return { endsAt: Math.min(whole, borderAt), cut: borderAt < whole };
}

function placeOf(segment: PlanSegment, slot: PlanSlot): Place | null {
  for (const list of LISTS) {
    const index = slotsOf(segment, list).indexOf(slot);
    if (index >= 0) return { segment: segment.from, list, loop: -1, fallback: -1, [list]: index };
  }
  return null;
}

function slotsOf(segment: PlanSegment, list: List): readonly PlanSlot[] {
  return (list === "loop" ? segment.loop : segment.fallback) ?? [];
}

function nothingIn(segment: PlanSegment | undefined, at: number, until: number): Due {
  if (!segment) return { kind: "nothing", until: at + ASK_AGAIN_MS, why: "over" };
  const empty = segment.loop.length === 0 && (segment.fallback ?? []).length === 0;
  // What was passed over may be to be had any moment: a cap's hour ends, a file comes.
  return empty
    ? { kind: "nothing", until: Date.parse(segment.to), why: "empty" }
    : { kind: "nothing", until: Math.min(until, at + ASK_AGAIN_MS, Date.parse(segment.to)), why: "passed" };
}
