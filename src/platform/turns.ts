/** A turn that comes back sooner found nobody waiting. */
const IDLE_MS = 3;
/** One turn lets a request take its next step; a few let it through. */
const MOST_TURNS = 4;

/**
 * Where nobody has begun to ask for so long, turns would mostly be waited for in vain. Whoever asks then has its turn when the work next waits
 * for something, which it does between its larger steps, and is noted for those that follow.
 */
const QUIET_MS = 1000;

let lastRequestAt = 0;

/** Notes that this isolate is asked something. @param now ms since 1970 */
export function noteRequest(now: number): void {
  lastRequestAt = now;
}

/** Whether nobody has begun to ask this isolate something for a second. @param now ms since 1970 */
export function isQuiet(now: number): boolean {
  return now - lastRequestAt > QUIET_MS;
}

/** How long work lets others go first between its steps. */
export type GiveWay = () => Promise<void>;

/** Not at all: for work that is late. */
export const keepOn: GiveWay = async () => {};

/**
 * Lets what else waits for this isolate's thread go first, but not for ever. For long work that nobody waits for: requests are answered by
 * the same thread. It does nothing where {@link isQuiet}, or outside the Workers runtime.
 */
export async function takeTurns(): Promise<void> {
  if (typeof scheduler === "undefined" || isQuiet(Date.now())) return;
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const before = Date.now();
    await scheduler.wait(1);
    if (Date.now() - before <= IDLE_MS) return;
  }
}
