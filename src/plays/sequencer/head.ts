import { HOUR_MS } from "../../platform/time.ts";
import type { RefusalCount } from "../chunk.ts";
import type { HeartbeatClock } from "./clock.ts";
import type { OpenPlaysState } from "./open-plays.ts";
import type { RateWindow } from "./rate.ts";
import type { EpochState } from "./sequence.ts";

/** What a sequencer keeps between requests besides what it has seen and what it still has to send. Plain data, stored as JSON. */
export interface SequencerHead {
  rate: RateWindow;
  epochs: EpochState[];
  heartbeat: HeartbeatClock | null;
  /** Refused logs that no chunk has carried yet, by `hour|door|code`. */
  refusals: Record<string, number>;
  /** Logs ever accepted; with the ledger it tells whether one is missing. */
  accepted: number;
  /** Of a device that reports starts and ends: what waits for the other half. Bounded (`open-plays.ts`). */
  plays?: OpenPlaysState | undefined;
}

export const EMPTY_HEAD: SequencerHead = { rate: [], epochs: [], heartbeat: null, refusals: {}, accepted: 0 };

/** Counts a refused log, or event of telemetry, by hour, door and reason. */
export function countRefusal(refusals: Record<string, number>, now: number, door: string, code: string): void {
  const key = `${Math.floor(now / HOUR_MS) * HOUR_MS}|${door}|${code}`;
  refusals[key] = (refusals[key] ?? 0) + 1;
}

/** The refusals of a head, as chunks carry them. */
export function refusalCounts(refusals: SequencerHead["refusals"]): RefusalCount[] {
  return Object.entries(refusals).map(([key, count]) => {
    const [hour = "0", door = "", code = ""] = key.split("|");
    return [Number(hour), door, code, count];
  });
}

/** And back: those that no chunk has carried yet. */
export function refusalsOf(counts: RefusalCount[]): SequencerHead["refusals"] {
  return Object.fromEntries(counts.map(([hour, door, code, count]) => [`${hour}|${door}|${code}`, count]));
}
