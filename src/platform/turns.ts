/**
 * Lets everything else that waits for this isolate's thread go first. For long work that nobody waits for: requests are answered by the same
 * thread. Outside the Workers runtime it does nothing.
 */
export async function takeTurns(): Promise<void> {
  if (typeof scheduler !== "undefined") await scheduler.wait(0);
}
