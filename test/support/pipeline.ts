import { createExecutionContext, createMessageBatch, getQueueResult, runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { consumeQueue } from "../../workers/queue.ts";

/**
 * Takes the place of the queue between sequencer and consumer, so that a test decides what is delivered, how often and when.
 * The sequencer's `sendBatch` is wrapped: what it sends is caught here (and, where asked, fails on the way).
 */
export class CaughtQueue {
  readonly bodies: Uint8Array[] = [];
  readonly env: Env;
  fail: (() => Promise<void> | void) | null = null;

  constructor() {
    const caught = this;
    const queue = {
      async sendBatch(messages: Iterable<MessageSendRequest<Uint8Array>>) {
        const bodies = [...messages].map((message) => message.body.slice());
        await caught.fail?.();
        caught.bodies.push(...bodies);
        return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
      },
    };
    this.env = { ...env, PLAY_EVENTS: queue as unknown as Queue };
  }
}

/** Runs the device's alarm, if one is set. */
export async function runAlarm(deviceId: string): Promise<boolean> {
  return await runDurableObjectAlarm(env.SEQUENCER.getByName(deviceId));
}

/** Delivers messages to the real consumer, with the bindings given. */
export async function deliver(bodies: Uint8Array[], bindings: Env = env, attempts = 1) {
  const batch = createMessageBatch(
    "play-events",
    bodies.map((body, index) => ({ id: `m${index}-${crypto.randomUUID()}`, timestamp: new Date(), attempts, body: body.slice() })),
  );
  const ctx = createExecutionContext();
  await consumeQueue(batch, bindings, ctx);
  return await getQueueResult(batch, ctx);
}
