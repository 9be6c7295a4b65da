/** Long enough for a request that waits to get through all of its steps, not only its next. */
const TURN_MS = 15;

/**
 * Lets everything else that waits for this isolate's thread go first. For long work that nobody waits for: requests are answered by the same
 * thread. Waiting costs no CPU. Outside the Workers runtime it does nothing.
 */
export async function takeTurns(): Promise<void> {
  if (typeof scheduler !== "undefined") await scheduler.wait(TURN_MS);
}
