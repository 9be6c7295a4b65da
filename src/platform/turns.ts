/** A turn that comes back sooner found nobody waiting. */
const IDLE_MS = 3;
/** One turn lets a request take its next step; a few let it through. */
const MOST_TURNS = 4;

/** How long work lets others go first between its steps. */
export type GiveWay = () => Promise<void>;

/** Not at all: for work that is late. */
export const keepOn: GiveWay = async () => {};

/**
 * Lets what else waits for this isolate's thread go first, but not for ever. For long work that nobody waits for: requests are answered by
 * the same thread. Outside the Workers runtime it does nothing.
 */
export async function takeTurns(): Promise<void> {
  if (typeof scheduler === "undefined") return;
  for (let turn = 0; turn < MOST_TURNS; turn++) {
    const before = Date.now();
    await scheduler.wait(1);
    if (Date.now() - before <= IDLE_MS) return;
  }
}
