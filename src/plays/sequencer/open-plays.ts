import { createHash } from "node:crypto";
import { uuid8 } from "../../platform/encoding.ts";
import type { Verdict } from "../chunk.ts";
import { MAX_LOOSE_ENDS, MAX_OPEN_STARTS } from "../limits.ts";
import type { LogFacts, PlayEvent, PlayVerdict } from "../play.ts";
import { RULES } from "../policy.ts";
import type { RejectionCode } from "../rejection.ts";
import type { FindSeen, SeenEntry } from "./seen.ts";

// Plays that are reported by their start and their end (proof events). A start has one end, whichever comes first: an end, or the time-out.
// What ends a play takes the id that `endIdOf` derives from its start's, in the memory of all ids that were seen (`seen.ts`); so a second one
// finds it taken, also days later, and an end that comes before its start.

/** A start whose end has not come: with all that its play needs if it never does. Times in ms, by the device's clock; absent ids are `''`. */
export interface OpenStart {
  id: string;
  hash: string;
  campaignId: string;
  contentId: string;
  contentVersion: string;
  playlistId: string;
  epoch: string;
  startedAt: number;
  told: PlayVerdict;
  found: Verdict;
}

/** An accepted end that named no start and met none. */
interface LooseEnd {
  contentId: string;
  epoch: string;
  startedAt: number;
  endedAt: number;
}

/** What of a device's plays has only one half yet. Plain data, part of the sequencer's head: at most 500 starts and 64 ends. */
export interface OpenPlaysState {
  starts: OpenStart[];
  ends: LooseEnd[];
}

/** The id of whatever ends the play of a start, the time-out among them: derived from the start's, so that there is one. */
export function endIdOf(startId: string): string {
  return uuid8(createHash("sha256").update(`end of ${startId}`).digest());
}

/** A device's halves of plays while a request is judged; changed in place. The state that it was made of is not. */
export class OpenPlays {
  #starts: OpenStart[];
  #ends: LooseEnd[];
  /** The ids that were taken by ends, to be remembered with those of the logs. */
  readonly taken: SeenEntry[] = [];

  constructor(
    state: OpenPlaysState | undefined,
    private readonly findSeen: FindSeen,
  ) {
    this.#starts = [...(state?.starts ?? [])];
    this.#ends = [...(state?.ends ?? [])];
  }

  get state(): OpenPlaysState | undefined {
    return this.#starts.length + this.#ends.length > 0 ? { starts: this.#starts, ends: this.#ends } : undefined;
  }

  /**
   * The play that an end tells of. Of its start it takes the beginning, and the duration where it has none itself: that is the time since. An
   * end without a start tells both by itself, or is refused.
   */
  complete(end: LogFacts, event: PlayEvent & { kind: "end" }): LogFacts | RejectionCode {
    const start = this.#startOf(end, event);
    if (start) {
      const durationMs = event.timed ? end.durationMs : end.endedAt - start.startedAt;
      return { ...end, startedAt: start.startedAt, durationMs };
    }
    if (event.playId !== "" && this.#isEnded(event.playId)) return "ID_CONFLICT";
    return event.timed ? end : "VALIDATION_ERROR";
  }

  /** The start that an end names, else the nearest earlier one of its content and epoch. One of the same instant is, where no other is, of a play that did not last. */
  #startOf(end: LogFacts, { playId, timed }: PlayEvent & { kind: "end" }): OpenStart | null {
    if (playId !== "") return this.#starts.find((start) => start.id === playId) ?? null;
    const own = this.#starts.filter(({ contentId, epoch }) => contentId === end.contentId && epoch === end.epoch);
    const earlier = own.filter((start) => start.startedAt < end.endedAt);
    if (earlier.length > 0) return earlier.reduce((nearest, start) => (start.startedAt >= nearest.startedAt ? start : nearest));
    const lasted = timed && end.durationMs > RULES.duration.overSpanMs;
    return lasted ? null : (own.find((start) => start.startedAt === end.endedAt) ?? null);
  }

  #isEnded(startId: string): boolean {
    const id = endIdOf(startId);
    return this.findSeen(id) !== null || this.taken.some((entry) => entry.id === id);
  }

  /** Notes an accepted start, which is open unless its end came first. */
  noteStart(log: LogFacts, event: PlayEvent & { kind: "start" }, told: PlayVerdict, found: Verdict): void {
    if (this.#isEnded(log.id)) return;
    const { id, hash, campaignId, contentId, contentVersion, epoch, startedAt } = log;
    const end = this.#looseEndOf(log);
    if (end) {
      this.#ends = this.#ends.filter((other) => other !== end);
      this.taken.push({ id: endIdOf(id), hash, told });
      return;
    }
    this.#starts.push({ id, hash, campaignId, contentId, contentVersion, playlistId: event.playlistId, epoch, startedAt, told, found });
  }

  /** The end that a start met too late: of its content and epoch, not before it, and begun about when the start says. */
  #looseEndOf(start: LogFacts): LooseEnd | null {
    const off = (end: LooseEnd) => Math.abs(end.startedAt - start.startedAt);
    const { toleranceMs, toleranceShare } = RULES.duration;
    const fitting = this.#ends.filter(
      (end) =>
        end.contentId === start.contentId &&
        end.epoch === start.epoch &&
        end.endedAt >= start.startedAt &&
        off(end) <= Math.max(toleranceMs, (end.endedAt - end.startedAt) * toleranceShare),
    );
    return fitting.length === 0 ? null : fitting.reduce((nearest, end) => (off(end) < off(nearest) ? end : nearest));
  }

  /** Notes an accepted end. */
  noteEnd(end: LogFacts, event: PlayEvent & { kind: "end" }, told: PlayVerdict): void {
    const start = this.#startOf(end, event);
    if (start) this.#starts = this.#starts.filter((other) => other !== start);
    const startId = start?.id ?? event.playId;
    if (startId !== "") {
      this.taken.push({ id: endIdOf(startId), hash: end.hash, told });
      return;
    }
    const { contentId, epoch, startedAt, endedAt } = end;
    this.#ends = [...this.#ends, { contentId, epoch, startedAt, endedAt }].slice(-MAX_LOOSE_ENDS);
  }

  /** Takes the oldest starts beyond the bound. */
  takeOverdue(): OpenStart[] {
    return this.#starts.splice(0, Math.max(0, this.#starts.length - MAX_OPEN_STARTS));
  }
}

/** When no end of a start could be accepted any more, whatever the clock's offset is found to be: ms by the server's clock. `maxAgeMs`: the door's. */
function endableUntil(start: OpenStart, maxAgeMs: number): number {
  return start.startedAt + RULES.clock.maxSkewMs + maxAgeMs + RULES.duration.maxMs;
}

/** When the first open start times out; null where there is none. */
export function timesOutAt({ starts }: OpenPlaysState, maxAgeMs: number): number | null {
  return starts.length === 0 ? null : Math.min(...starts.map((start) => endableUntil(start, maxAgeMs))) + 1;
}

/** Parts the starts that timed out from what is left. */
export function takeTimedOut(
  state: OpenPlaysState | undefined,
  now: number,
  maxAgeMs: number,
): { timedOut: OpenStart[]; left: OpenPlaysState | undefined } {
  const timedOut = state?.starts.filter((start) => endableUntil(start, maxAgeMs) < now) ?? [];
  if (!state || timedOut.length === 0) return { timedOut, left: state };
  const starts = state.starts.filter((start) => !timedOut.includes(start));
  return { timedOut, left: starts.length + state.ends.length > 0 ? { ...state, starts } : undefined };
}
