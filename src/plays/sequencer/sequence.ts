import { MAX_EPOCHS, MAX_RANGES_PER_EPOCH } from "../limits.ts";

/** Numbers from `first` to `last`, both included. */
export type Range = [first: number, last: number];

/** What is known of one epoch of a device's sequence numbers. */
export interface EpochState {
  epoch: string;
  /** The highest number seen; 0 before the first. */
  highest: number;
  /** Numbers below the highest that never came: the gaps. Ascending, apart. */
  missing: Range[];
  /** Numbers that came with logs that were refused, and are free for an accepted one. Ascending, apart. */
  refused: Range[];
}

export type SequenceFinding = "in-order" | "gap" | "out-of-order" | "conflict";

/**
 * What an epoch says of the number of a log that is about to be accepted. Numbers are strictly increasing and start at 1.
 * A conflict is the number of another accepted log.
 */
export function findSequence(state: EpochState, number: number): SequenceFinding {
  if (number > state.highest) return number === state.highest + 1 ? "in-order" : "gap";
  if (inRanges(state.missing, number)) return "out-of-order";
  if (inRanges(state.refused, number)) return number === state.highest ? "in-order" : "out-of-order";
  return "conflict";
}

/** Notes the number of an accepted log. */
export function noteAccepted(state: EpochState, number: number): void {
  advance(state, number);
  state.missing = bounded(withoutNumber(state.missing, number));
  state.refused = bounded(withoutNumber(state.refused, number));
}

/** Notes the number of a log that was refused after its signature held: used up, but no conflict for a later accepted one. */
export function noteRefused(state: EpochState, number: number): void {
  const fresh = number > state.highest || inRanges(state.missing, number);
  advance(state, number);
  state.missing = bounded(withoutNumber(state.missing, number));
  if (fresh) state.refused = bounded(withNumber(state.refused, number));
}

/** Moves the highest number up to `number`; what it leaps over is missing. */
function advance(state: EpochState, number: number): void {
  if (number <= state.highest) return;
  if (number > state.highest + 1) state.missing = bounded([...state.missing, [state.highest + 1, number - 1]]);
  state.highest = number;
}

/** The epoch's state, moved to the end of the list (latest used last); made where it is new. The oldest beyond the limit is forgotten. */
export function useEpoch(epochs: EpochState[], epoch: string): EpochState {
  const at = epochs.findIndex((state) => state.epoch === epoch);
  const state = at < 0 ? { epoch, highest: 0, missing: [], refused: [] } : epochs[at];
  if (!state) throw new Error("unreachable: the index was found");
  if (at >= 0) epochs.splice(at, 1);
  epochs.push(state);
  if (epochs.length > MAX_EPOCHS) epochs.shift();
  return state;
}

/** The number that the device's next log should carry. */
export function expectedSequence(state: EpochState): number {
  return state.highest + 1;
}

function inRanges(ranges: Range[], number: number): boolean {
  return ranges.some(([first, last]) => number >= first && number <= last);
}

function withoutNumber(ranges: Range[], number: number): Range[] {
  if (!inRanges(ranges, number)) return ranges;
  return ranges.flatMap(([first, last]): Range[] => {
    if (number < first || number > last) return [[first, last]];
    const parts: Range[] = [
      [first, number - 1],
      [number + 1, last],
    ];
    return parts.filter(([from, to]) => from <= to);
  });
}

function withNumber(ranges: Range[], number: number): Range[] {
  const sorted = [...ranges, [number, number] as Range].sort((a, b) => a[0] - b[0]);
  const joined: Range[] = [];
  for (const [first, last] of sorted) {
    const before = joined.at(-1);
    if (before && first <= before[1] + 1) before[1] = Math.max(before[1], last);
    else joined.push([first, last]);
  }
  return joined;
}

/**
 * Keeps a list of ranges bounded by joining its oldest: the numbers between them then count as free. That is the lenient side: a late
 * log is never called a conflict for want of memory.
 */
function bounded(ranges: Range[]): Range[] {
  const over = ranges.length - MAX_RANGES_PER_EPOCH;
  const [first] = ranges;
  const last = ranges[over];
  return over > 0 && first && last ? [[first[0], last[1]], ...ranges.slice(over + 1)] : ranges;
}
