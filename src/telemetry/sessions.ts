import type { TelemetryFacts } from "./event.ts";
import { MAX_SESSIONS } from "./limits.ts";

/** The longest time played that each session has reported of each track (ms), by `run`; the one heard of last is the last. */
export type Sessions = Map<string, number>;

/** Sessions as they are stored. @throws Error where the text is none. */
export function readSessions(text: string | null): Sessions {
  return new Map(text === null ? [] : (JSON.parse(text) as [string, number][]));
}

export function writeSessions(sessions: Sessions): string {
  return JSON.stringify([...sessions]);
}

/**
 * What an event adds to the time played, in ms, and notes it in `sessions` (changed in place): the growth of its session over the longest
 * that was reported before. So events may come late, twice or not at all. An event without a session counts whole where it ends a showing,
 * and else nothing. Only the sessions heard of last are kept: one that comes back after `most` others counts anew.
 */
export function growthOf(
  { type, run, playedMs }: Pick<TelemetryFacts, "type" | "run" | "playedMs">,
  sessions: Sessions,
  most = MAX_SESSIONS,
): number {
  if (playedMs === null) return 0;
  if (run === "") return type === "play_stop" || type === "play_complete" ? playedMs : 0;
  const before = sessions.get(run) ?? 0;
  sessions.delete(run);
  sessions.set(run, Math.max(before, playedMs));
  if (sessions.size > most) {
    const oldest = sessions.keys().next().value;
    if (oldest !== undefined) sessions.delete(oldest);
  }
  return Math.max(0, playedMs - before);
}
