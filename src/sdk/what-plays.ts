import type { Plan, PlanItem, PlanSegment, PlanSlot, SlotTerms } from "../plans/plan.ts";

/** A slot on the screen. Times in ms since 1970 by the server. */
export interface PlayingSlot {
  kind: "slot";
  slot: PlanSlot;
  item: PlanItem;
  /** The slot's own terms, else its item's. `duration_ms` null: a video, to its end. */
  terms: SlotTerms;
  startsAt: number;
  /** When the next one begins. A slot that its segment cuts ends with the segment. */
  endsAt: number;
}

export type WhatPlays =
  | PlayingSlot
  /** Nothing can be shown; to be asked again at `until`. */
  | { kind: "nothing"; until: number }
  /** The plan does not say. */
  | { kind: "before"; from: number }
  | { kind: "over" };

/** What a video of unknown length counts for in a loop: as much as in the plan itself. */
const UNKNOWN_LENGTH_MS = 10_000;

/**
 * What plays at an instant (ms since 1970 by the server). A segment's loop begins with the segment and goes round without a
 * pause, so where it stands is arithmetic: players that start at any time agree. A slot for which `pass` says so (its caps
 * are used up, its file is not here) is passed over: the next one that may play is shown in its place from `at` on, and
 * where there is none, the segment's fallback. Pure.
 */
export function whatPlays(plan: Plan, at: number, pass: (slot: PlanSlot) => boolean = () => false): WhatPlays {
  const [from, to] = [Date.parse(plan.valid_from), Date.parse(plan.valid_to)];
  if (at < from) return { kind: "before", from };
  if (at >= to) return { kind: "over" };
  const segment = plan.segments.find((one) => at < Date.parse(one.to));
  if (!segment) return { kind: "over" };
  const found = inLoop(plan, segment, segment.loop, at, pass);
  if (found.kind === "slot" || !segment.fallback) return found;
  return inLoop(plan, segment, segment.fallback, at, pass);
}

/** A slot's terms: its own, else its item's. */
export function termsOf(slot: PlanSlot, item: PlanItem): SlotTerms {
  const { duration_ms, campaign_id, ad_group_id, caps } = { ...item, ...slot };
  return { duration_ms, campaign_id, ad_group_id, caps };
}

interface Placed {
  slot: PlanSlot;
  item: PlanItem;
  terms: SlotTerms;
  lengthMs: number;
}

function inLoop(
  plan: Plan,
  segment: PlanSegment,
  loop: readonly PlanSlot[],
  at: number,
  pass: (slot: PlanSlot) => boolean,
): PlayingSlot | { kind: "nothing"; until: number } {
  const end = Date.parse(segment.to);
  const slots = loop.flatMap((slot): Placed[] => {
    const item = plan.items[slot.item];
    if (!item) return [];
    const terms = termsOf(slot, item);
    return [{ slot, item, terms, lengthMs: terms.duration_ms ?? UNKNOWN_LENGTH_MS }];
  });
  const roundMs = slots.reduce((sum, { lengthMs }) => sum + lengthMs, 0);
  if (roundMs === 0) return { kind: "nothing", until: end };
  const from = Date.parse(segment.from);
  let startsAt = at - ((at - from) % roundMs);
  let place = 0;
  for (const { lengthMs } of slots) {
    if (at < startsAt + lengthMs) break;
    startsAt += lengthMs;
    place += 1;
  }
  for (let passed = 0; passed < slots.length; passed++) {
    const placed = slots[(place + passed) % slots.length];
    if (!placed || pass(placed.slot)) continue;
    const { lengthMs, ...shown } = placed;
    const begins = passed === 0 ? startsAt : at;
    return { kind: "slot", ...shown, startsAt: begins, endsAt: Math.min(end, begins + lengthMs) };
  }
  return { kind: "nothing", until: Math.min(end, startsAt + (slots[place]?.lengthMs ?? roundMs)) };
}
