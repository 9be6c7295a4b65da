import { sha256Hex } from "../platform/encoding.ts";
import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { buildSegment, putSegment } from "./archive.ts";
import { type Chunk, chunkId, decodeChunk } from "./chunk.ts";
import { commitChunks, type HashedChunk, LedgerConflict, readLedger } from "./commit.ts";
import { buryMessage, type DeadLetterReason } from "./dead-letters.ts";
import { MAX_COMMIT_ROUNDS, MAX_UNREADABLE_DELIVERIES, RETRY_DELAY_FIRST_S, RETRY_DELAY_MAX_S } from "./limits.ts";

/** A queue message with its chunk. */
interface Delivery {
  message: Message<unknown>;
  bytes: Uint8Array<ArrayBuffer>;
  chunk: HashedChunk;
}

/**
 * The consumer of `play-events`. In order: read each message · ask the ledger which chunks are new · put their segment into R2 · record
 * them in one D1 transaction · confirm to the sequencers · acknowledge. Whatever dies in between is delivered again and meets the ledger.
 * Each message is acknowledged or retried by itself, and never before its chunk is in D1.
 */
export async function recordPlays(batch: MessageBatch<unknown>, env: Env): Promise<void> {
  const now = Date.now();
  const deliveries = await readMessages(batch.messages, env, now);
  try {
    const recorded = await recordNew(deliveries, env, now);
    await confirmAll(recorded, env);
    for (const { message } of recorded) message.ack();
    log("info", "batch processed", {
      chunks: recorded.length,
      plays: recorded.reduce((sum, { chunk }) => sum + chunk.plays.length, 0),
      correlation_ids: correlationIds(recorded.map(({ chunk }) => chunk)),
    });
  } catch (error) {
    // An outage is no bad message: everything comes again, ever more rarely.
    log("error", "consumer failed", { messages: deliveries.length, error: describeError(error) });
    for (const { message } of deliveries) message.retry({ delaySeconds: retryDelayS(message.attempts) });
  }
}

/** Seconds before a message is delivered again: doubling from 2 s to 10 min. */
export function retryDelayS(attempts: number): number {
  return Math.min(RETRY_DELAY_FIRST_S * 2 ** Math.max(0, attempts - 1), RETRY_DELAY_MAX_S);
}

/** Messages outlive deploys, so each is parsed anew. What is no chunk is tried a few times, then put where people can look at it. */
async function readMessages(messages: readonly Message<unknown>[], env: Env, now: number): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  for (const message of messages) {
    const bytes = bodyBytes(message.body);
    try {
      if (!bytes) throw new Error("the message's body is not bytes");
      deliveries.push({ message, bytes, chunk: { ...decodeChunk(bytes), hash: await sha256Hex(bytes) } });
    } catch (error) {
      log("error", "message cannot be read", { id: message.id, attempts: message.attempts, error: describeError(error) });
      if (message.attempts < MAX_UNREADABLE_DELIVERIES) message.retry({ delaySeconds: retryDelayS(message.attempts) });
      else await bury(message, { bytes: bytes ?? new Uint8Array(0), chunk: null }, "UNREADABLE", env, now);
    }
  }
  return deliveries;
}

function bodyBytes(body: unknown): Uint8Array<ArrayBuffer> | null {
  if (body instanceof Uint8Array) return body as Uint8Array<ArrayBuffer>;
  return body instanceof ArrayBuffer ? new Uint8Array(body) : null;
}

/** Records what the ledger does not have. Returns the deliveries whose chunks are recorded now, new or not. */
async function recordNew(deliveries: Delivery[], env: Env, now: number): Promise<Delivery[]> {
  for (let round = 1; ; round++) {
    const { fresh, known, conflicting } = await sortByLedger(deliveries, env);
    for (const delivery of conflicting) await bury(delivery.message, delivery, "CHUNK_CONFLICT", env, now);
    await confirmAll(conflicting, env);
    if (fresh.length === 0) return known;
    const chunks = fresh.map(({ chunk }) => chunk);
    const segment = chunks.some((chunk) => chunk.plays.length > 0) ? await buildSegment(chunks, now) : null;
    if (segment) await putSegment(env.BUCKET, segment);
    try {
      await commitChunks(env.DB, chunks, segment, now, env.EVENT_ROWS !== "off");
      return deliveries.filter((delivery) => !conflicting.includes(delivery));
    } catch (error) {
      if (!(error instanceof LedgerConflict) || round >= MAX_COMMIT_ROUNDS) throw error;
    }
  }
}

interface SortedDeliveries {
  /** One delivery for each chunk that is new. */
  fresh: Delivery[];
  known: Delivery[];
  /** Same id, other bytes: somebody is wrong, and neither is trusted blindly. */
  conflicting: Delivery[];
}

async function sortByLedger(deliveries: Delivery[], env: Env): Promise<SortedDeliveries> {
  const sorted: SortedDeliveries = { fresh: [], known: [], conflicting: [] };
  if (deliveries.length === 0) return sorted;
  const ledger = await readLedger(
    env.DB,
    deliveries.map(({ chunk }) => chunk),
  );
  const inBatch = new Map<string, string>();
  for (const delivery of deliveries) {
    const id = chunkId(delivery.chunk.header);
    const hash = ledger.get(id)?.hash ?? inBatch.get(id);
    if (hash === undefined) {
      inBatch.set(id, delivery.chunk.hash);
      sorted.fresh.push(delivery);
    } else if (hash !== delivery.chunk.hash) sorted.conflicting.push(delivery);
    else if (ledger.has(id)) sorted.known.push(delivery);
  }
  return sorted;
}

/** Tells the sequencers what is recorded. One that cannot be told sends again, meets the ledger, and is told then. */
async function confirmAll(deliveries: Delivery[], env: Env): Promise<void> {
  const byDevice = new Map<string, { deviceId: string; incarnation: string; numbers: number[] }>();
  for (const { chunk } of deliveries) {
    const { device_id, incarnation, number } = chunk.header;
    const key = `${device_id}.${incarnation}`;
    const entry = byDevice.get(key) ?? { deviceId: device_id, incarnation, numbers: [] };
    entry.numbers.push(number);
    byDevice.set(key, entry);
  }
  const outcomes = await Promise.allSettled(
    [...byDevice.values()].map(({ deviceId, incarnation, numbers }) => env.SEQUENCER.getByName(deviceId).confirm(incarnation, numbers)),
  );
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") log("warn", "chunks not confirmed", { error: describeError(outcome.reason) });
  }
}

async function bury(
  message: Message<unknown>,
  letter: { bytes: Uint8Array<ArrayBuffer>; chunk: HashedChunk | null },
  reason: DeadLetterReason,
  env: Env,
  now: number,
): Promise<void> {
  try {
    await buryMessage(env, { id: message.id, bytes: letter.bytes, header: letter.chunk?.header ?? null }, reason, now);
    message.ack();
  } catch (error) {
    log("error", "dead letter not written", { id: message.id, error: describeError(error) });
    message.retry({ delaySeconds: retryDelayS(message.attempts) });
  }
}

const MAX_LOGGED_CORRELATION_IDS = 20;

function correlationIds(chunks: Chunk[]): string[] {
  const ids = new Set(chunks.flatMap((chunk) => chunk.plays.map(({ play }) => play.correlation_id)));
  return [...ids].slice(0, MAX_LOGGED_CORRELATION_IDS);
}
