import { BACKLOG_FRESH_MS } from "./limits.ts";

/** What the platform last said of the queues, to this isolate. */
let known: { messages: number | null; at: number } = { messages: null, at: Number.NEGATIVE_INFINITY };

/**
 * How many messages wait in the fullest of the queues, as of half a minute ago at most; null where the platform does not say (locally it
 * never does). No request waits for it: what is stale is asked for behind the answer.
 */
export function queueBacklog(queues: readonly Queue[], now: number, waitUntil: (work: Promise<void>) => void): number | null {
  if (Math.abs(now - known.at) >= BACKLOG_FRESH_MS) {
    known = { messages: known.messages, at: now };
    waitUntil(askQueues(queues, now));
  }
  return known.messages;
}

async function askQueues(queues: readonly Queue[], now: number): Promise<void> {
  try {
    const metrics = await Promise.all(queues.map((queue) => queue.metrics()));
    known = { messages: Math.max(...metrics.map(({ backlogCount }) => backlogCount)), at: now };
  } catch {
    known = { messages: null, at: now };
  }
}
