import type { EndOfPlay } from "./stage.ts";

/** How far a play's picture really ran. */
export interface Ran {
  /** Ms of the video; null for what does not run. */
  ranMs: number | null;
  /** How many there were. */
  toRunMs: number | null;
}

/** What a play log is to say of a play's end. */
export type Verdict = "finish" | "interrupt" | "fail";

/** A video that ran less than this of the time for which it was on the screen stood still. */
const RAN_SHARE = 0.8;

/**
 * How a play is recorded. A video that stood still for a good part of its time was not shown to its end, whatever the clock
 * says: nothing is billed that nobody saw move. `shownMs`: how long it was on the screen. Pure.
 */
export function verdictOf(how: EndOfPlay, { ranMs, toRunMs }: Ran, shownMs: number): Verdict {
  if (how.kind !== "finish") return how.kind;
  if (ranMs === null) return "finish";
  const due = Math.min(shownMs, toRunMs ?? shownMs);
  return ranMs >= due * RAN_SHARE ? "finish" : "interrupt";
}
