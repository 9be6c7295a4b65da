import type { PlayingSlot, WhatPlays } from "../../sdk/what-plays.ts";
import { CUT, type Ending } from "./decisions.ts";

/** Where a screen whose time is `at` goes next, and what it shows on the way there. Null: the plan does not say. Pure. */
export function nextStep(playing: WhatPlays, at: number): { to: number; play: PlayingSlot | null } | null {
  switch (playing.kind) {
    case "slot":
      // Whoever comes in the middle of a slot waits for the next one.
      return { to: playing.endsAt, play: playing.startsAt === at ? playing : null };
    case "nothing":
      return { to: playing.until, play: null };
    case "before":
      return { to: playing.from, play: null };
    case "over":
      return null;
  }
}

/** How a slot's play ends for a drawn ending, how long it lasts, and whether it is billed. Pure. */
export function outcomeOf(playing: PlayingSlot, drawn: Ending): { ending: Ending; durationMs: number; billable: boolean } {
  const { terms } = playing;
  const slotMs = playing.endsAt - playing.startsAt;
  const ending = slotMs < (terms.duration_ms ?? 0) ? CUT : drawn;
  return {
    ending,
    durationMs: Math.round(slotMs * ending.share),
    // Nobody knows when a play of unknown length is complete.
    billable: ending.status === "COMPLETED" && terms.campaign_id !== null && terms.duration_ms !== null,
  };
}
