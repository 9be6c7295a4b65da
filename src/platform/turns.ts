/** A turn that comes back sooner found nobody waiting. */
const IDLE_MS = 3;
/** One turn lets a request take its next step; a few let it through. */
const MOST_TURNS = 4;

/** After a second without a request, there is nobody to let go first: each turn would only be waited for. */
const QUIET_MS = 1000;

let lastRequestAt = 0;

/** Notes that this isolate is asked something. @param now ms since 1970 */
export function noteRequest(now: number): void {
  lastRequestAt = now;
}

/** How long work lets others go first between its steps. */
export type GiveWay = () => Promise<void>;

/** Not at all: for work that is late. */
export const keepOn: GiveWay = async () => {};

/**
 * Lets what else waits for this isolate's thread go first, but not for ever. For long work that nobody waits for: requests are answered by
 * the same thread. It does nothing where no request came of late, or outside the Workers runtime.
 */
export async function takeTurns(): Promise<void> {
  if (typeof scheduler === "undefined" || Date.now() - lastRequestAt > QUIET_MS) return;
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const before = Date.now();
    await scheduler.wait(1);
    if (Date.now() - before <= IDLE_MS) return;
  }
}
