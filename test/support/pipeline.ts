import { createExecutionContext, createMessageBatch, getQueueResult, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { parquetReadObjects } from "hyparquet";
import { expect } from "vitest";
import type { PlayQueueBinding } from "../../src/plays/queues.ts";
import { consumeQueue } from "../../workers/queue.ts";
import { asyncBufferFrom, compressors } from "./parquet.ts";

/** One queue in place of all queues of plays. */
export function playQueueBindings(queue: Queue): Pick<Env, PlayQueueBinding> {
  return { PLAY_EVENTS_0: queue, PLAY_EVENTS_1: queue, PLAY_EVENTS_2: queue, PLAY_EVENTS_3: queue };
}

type Fault = () => Promise<void> | void;

/**
 * Stands between a sequencer and the queue, so that a test decides what is delivered, how often and when. The messages are
 * the sequencer's own; the consumer that they are delivered to is the real one with the real bindings.
 */
export class CaughtQueue {
  /** Every message that the sequencer sent, in order, re-sends too. */
  readonly bodies: Uint8Array[] = [];
  /** Runs before a message is taken: throws, or never returns. */
  before: Fault | null = null;
  /** Takes messages and loses them. */
  swallow = false;

  /** Puts itself into the device's object in place of its queue. Again after the object was evicted or aborted. */
  async attach(deviceId: string, vars: Partial<Pick<Env, "OUTBOX_RESEND_AFTER_MS" | "OUTBOX_MAX_MB">> = {}): Promise<void> {
    const take = async (sent: Uint8Array[]) => {
      const bodies = sent.map((body) => body.slice());
      await this.before?.();
      if (!this.swallow) this.bodies.push(...bodies);
    };
    const queue = {
      // The runtime takes the bytes away from whoever sends them.
      send: (body: Uint8Array<ArrayBuffer>) => take([new Uint8Array(body.buffer.transfer())]),
      sendBatch: (messages: Iterable<MessageSendRequest<Uint8Array>>) => take(Array.from(messages, ({ body }) => body)),
    };
    await runInDurableObject(env.SEQUENCER.getByName(deviceId), (instance, state) => {
      // An alarm is set as the object wants it, but for a time when no test runs any more: tests run it by hand.
      const setAlarm = state.storage.setAlarm.bind(state.storage);
      Reflect.set(state.storage, "setAlarm", (at: number) => setAlarm(at + 3_600_000));
      const own: Env = { ...env, OUTBOX_RESEND_AFTER_MS: "0", ...vars, ...playQueueBindings(queue as unknown as Queue) };
      Reflect.set(instance, "env", own);
    });
  }

  /** Hands over what was caught, and forgets it. */
  take(): Uint8Array[] {
    return this.bodies.splice(0);
  }
}

/** Runs the device's alarm now, if one is set. */
export async function runAlarm(deviceId: string): Promise<boolean> {
  return await runDurableObjectAlarm(env.SEQUENCER.getByName(deviceId));
}

export async function statusOf(deviceId: string) {
  return await env.SEQUENCER.getByName(deviceId).status();
}

/** Delivers messages to the real consumer. Returns what it did with each: acknowledged or to be retried. */
export async function deliver(
  bodies: Uint8Array[],
  bindings: Env = env,
  attempts = 1,
  ids: string[] = [],
  queue = "play-events-0",
  timestamp = new Date(),
): Promise<{ acked: number; retried: number }> {
  const batch = createMessageBatch(
    queue,
    bodies.map((body, index) => ({ id: ids[index] ?? crypto.randomUUID(), timestamp, attempts, body: body.slice() })),
  );
  const ctx = createExecutionContext();
  await consumeQueue(batch, bindings, ctx);
  const result = await getQueueResult(batch, ctx);
  expect(result.ackAll).toBe(false);
  return { acked: result.explicitAcks.length, retried: result.retryMessages.length };
}

/** Bindings of which one call fails: before the real call, or after it (its answer is lost). */
export function withFault(
  binding: "DB.batch" | "BUCKET.put" | "SEQUENCER.confirm",
  when: "before" | "after",
  times = Number.POSITIVE_INFINITY,
): Env {
  let left = times;
  const failing = async <T>(call: () => Promise<T>): Promise<T> => {
    if (left <= 0) return await call();
    left -= 1;
    if (when === "after") await call();
    throw new Error(`injected: ${binding} fails ${when} the real call`);
  };
  const [name, method] = binding.split(".") as ["DB" | "BUCKET" | "SEQUENCER", string];
  const target = env[name];
  if (name === "SEQUENCER") {
    const getByName = (id: string) => ({
      confirm: (incarnation: string, numbers: number[]) => failing(() => env.SEQUENCER.getByName(id).confirm(incarnation, numbers)),
    });
    return { ...env, SEQUENCER: { getByName } as unknown as Env["SEQUENCER"] };
  }
  const wrapped = new Proxy(target, {
    get(object, property) {
      const value = Reflect.get(object, property);
      if (typeof value !== "function") return value;
      if (property !== method) return value.bind(object);
      return (...args: unknown[]) => failing(async () => await Reflect.apply(value, object, args));
    },
  });
  return { ...env, [name]: wrapped };
}

/** What every store of the pipeline says of one device. */
export interface Books {
  accepted: number;
  ledger: number;
  events: number;
  hourly: number;
  activity: number;
  archived: number;
  waiting: number;
  unconfirmed: number;
  deadLetters: number;
}

/** Counts a device's plays wherever they are kept; the archive by reading the segments that the ledger names. */
export async function booksOf(device: { id: string; storeId: string }): Promise<Books> {
  const status = await statusOf(device.id);
  const number = async (sql: string, id: string) => (await env.DB.prepare(sql).bind(id).first<{ n: number }>())?.n ?? 0;
  return {
    accepted: status.accepted,
    ledger: await number("SELECT coalesce(sum(plays_count), 0) AS n FROM chunk_ledger WHERE device_id = ?", device.id),
    events: await number("SELECT count(*) AS n FROM proof_of_play_events WHERE device_id = ?", device.id),
    hourly: await number(
      "SELECT coalesce(sum(plays_count), 0) AS n FROM plays_hourly WHERE generation = 1 AND store_id = ?",
      device.storeId,
    ),
    activity: await number(
      "SELECT coalesce(sum(plays_count), 0) AS n FROM device_activity_daily WHERE generation = 1 AND device_id = ?",
      device.id,
    ),
    archived: await archivedPlays(device.id),
    waiting: status.waiting_plays,
    unconfirmed: status.unconfirmed_plays,
    deadLetters: await number("SELECT coalesce(sum(plays_count), 0) AS n FROM dead_letters WHERE device_id = ?", device.id),
  };
}

/** The rows of a device's chunks in the segments that the ledger names for them: an extra segment of a redelivery does not count. */
async function archivedPlays(deviceId: string): Promise<number> {
  const { results } = await env.DB.prepare(
    `SELECT l.device_id || '.' || l.incarnation || '.' || l.number AS chunk, s.r2_key FROM chunk_ledger l JOIN segments s ON s.id = l.segment_id WHERE l.device_id = ?`,
  )
    .bind(deviceId)
    .all<{ chunk: string; r2_key: string }>();
  const chunksByKey = Map.groupBy(results, (row) => row.r2_key);
  let plays = 0;
  for (const [key, rows] of chunksByKey) {
    const object = await env.BUCKET.get(key);
    if (!object) throw new Error(`the ledger names ${key}, and R2 does not have it`);
    const chunks = new Set(rows.map((row) => row.chunk));
    const read = await parquetReadObjects({ file: asyncBufferFrom(await object.arrayBuffer()), compressors, columns: ["chunk_id"] });
    plays += read.filter((row) => chunks.has(String(row.chunk_id))).length;
  }
  return plays;
}

/** All that was accepted is recorded once, everywhere, and nothing waits. */
export async function expectDrained(device: { id: string; storeId: string }, accepted: number): Promise<void> {
  expect(await booksOf(device)).toEqual({
    accepted,
    ledger: accepted,
    events: accepted,
    hourly: accepted,
    activity: accepted,
    archived: accepted,
    waiting: 0,
    unconfirmed: 0,
    deadLetters: 0,
  });
}

/** Runs alarms and deliveries until nothing is sent any more. */
export async function drain(deviceId: string, queue: CaughtQueue, rounds = 20): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    const ran = await runAlarm(deviceId);
    const bodies = queue.take();
    if (bodies.length > 0) await deliver(bodies);
    const status = await statusOf(deviceId);
    if (!ran && bodies.length === 0) return;
    if (status.waiting_plays === 0 && status.unconfirmed_chunks === 0 && status.uncounted_refusals === 0) return;
  }
  throw new Error(`not drained after ${rounds} rounds`);
}
