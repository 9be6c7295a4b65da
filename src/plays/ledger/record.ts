import { Breaker } from "../../platform/breaker.ts";
import { sha256Hex } from "../../platform/encoding.ts";
import { describeError } from "../../platform/http.ts";
import { log, logs } from "../../platform/log.ts";
import { Outage, reaching } from "../../platform/outage.ts";
import { withTimeout } from "../../platform/retry.ts";
import { inSpan } from "../../platform/spans.ts";
import { type GiveWay, keepOn, takeTurns } from "../../platform/turns.ts";
import { buildSegment, putSegment } from "../archive/segment.ts";
import { type Chunk, type ChunkHeader, chunkId, decodeChunk, readChunkHeader } from "../chunk.ts";
import { countPlays } from "../columns.ts";
import {
  BREAKER_FAILURES,
  BREAKER_OPEN_MS,
  MAX_COMMIT_ROUNDS,
  MAX_LONE_FAILURES,
  PATIENT_RETRIES,
  R2_TIMEOUT_MS,
  RECORDING_LATE_MS,
  RETRY_DELAY_FIRST_S,
  RETRY_DELAY_MAX_S,
  RETRY_DELAY_PATIENT_MAX_S,
  SEQUENCER_TIMEOUT_MS,
} from "../limits.ts";
import { commitChunks, type HashedChunk, LedgerConflict, readLedger } from "./commit.ts";
import { buryMessage, countLoneFailure, type DeadLetter, type DeadLetterReason } from "./dead-letters.ts";

/** A queue message with its chunk. */
interface Delivery {
  message: Message<unknown>;
  bytes: Uint8Array<ArrayBuffer>;
  chunk: HashedChunk;
}

/** Spares D1 and R2 while they are away; of this isolate. */
export const consumerBreaker = new Breaker(BREAKER_FAILURES, BREAKER_OPEN_MS);

/**
 * The consumer of `play-events`. In order: read each message · ask the ledger which chunks are new · put their segment into R2 · record
 * them in one D1 transaction · confirm to the sequencers · acknowledge. Whatever dies in between is delivered again and meets the ledger.
 * Each message is acknowledged or retried by itself, and never acknowledged before its chunk is in D1 or among the dead letters.
 */
export async function recordPlays(batch: MessageBatch<unknown>, env: Env): Promise<void> {
  const now = Date.now();
  if (!consumerBreaker.allows(now)) {
    const closedS = Math.ceil((consumerBreaker.openUntil - now) / 1000);
    // Each turning away is one of the hundred tries, so the delays grow here too.
    for (const message of batch.messages) message.retry({ delaySeconds: Math.max(closedS, retryDelayS(message.attempts)) });
    return;
  }
  const work: Work = { env, now, giveWay: isLate(batch.messages, now) ? keepOn : takeTurns };
  await settle(await readMessages(batch.messages, work), work);
}

/** What the steps of one batch share. */
interface Work {
  env: Env;
  now: number;
  giveWay: GiveWay;
}

/** Whether plays have waited for long. Requests go first, but not for as long as a rush lasts. */
function isLate(messages: readonly Message<unknown>[], now: number): boolean {
  return messages.some(({ timestamp }) => now - timestamp.getTime() > RECORDING_LATE_MS);
}

/**
 * Records deliveries, and gives each its due. An outage is no bad message: all of them come again, ever more rarely. Whatever else fails is
 * narrowed down by halving, so that only the message that is to blame fails alone.
 */
async function settle(deliveries: Delivery[], work: Work): Promise<void> {
  if (deliveries.length === 0) return;
  const { env, now } = work;
  try {
    const recorded = await inSpan("telemetry.aggregate", () => recordNew(deliveries, work));
    consumerBreaker.succeeded();
    await confirmAll(recorded, env);
    for (const { message } of recorded) message.ack();
    logRecorded(recorded);
  } catch (error) {
    if (error instanceof Outage || error instanceof LedgerConflict) {
      if (error instanceof Outage) consumerBreaker.failed(now);
      log("error", "consumer failed", {
        messages: deliveries.length,
        failures: consumerBreaker.failures,
        error: describeError(error.cause ?? error),
      });
      for (const { message } of deliveries) retryLater(message);
    } else if (deliveries.length > 1) {
      log("warn", "batch halved", { messages: deliveries.length, error: describeError(error) });
      const middle = Math.ceil(deliveries.length / 2);
      await settle(deliveries.slice(0, middle), work);
      await settle(deliveries.slice(middle), work);
    } else {
      const [delivery] = deliveries;
      if (delivery) await failAlone(delivery.message, delivery, "UNRECORDABLE", error, env, now);
    }
  }
}

/** Seconds before a message is delivered again: doubling from 2 s to 10 min, and to 3 h after forty tries, so that a hundred last for a week. */
export function retryDelayS(attempts: number): number {
  const doubled = RETRY_DELAY_FIRST_S * 2 ** Math.max(0, Math.min(attempts, 30) - 1);
  return Math.min(doubled, attempts <= PATIENT_RETRIES ? RETRY_DELAY_MAX_S : RETRY_DELAY_PATIENT_MAX_S);
}

function retryLater(message: Message<unknown>): void {
  message.retry({ delaySeconds: retryDelayS(message.attempts) });
}

const MESSAGES_PER_TURN = 10;

/** Messages outlive deploys, so each is parsed anew. What is no chunk fails alone, and spoils no neighbour. */
async function readMessages(messages: readonly Message<unknown>[], { env, now, giveWay }: Work): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  for (const message of messages) {
    const bytes = bodyBytes(message.body);
    if (deliveries.length % MESSAGES_PER_TURN === MESSAGES_PER_TURN - 1) await giveWay();
    try {
      if (!bytes) throw new Error("the message's body is not bytes");
      deliveries.push({ message, bytes, chunk: { ...decodeChunk(bytes), hash: await sha256Hex(bytes) } });
    } catch (error) {
      await failAlone(message, await unreadable(bytes), "UNREADABLE", error, env, now);
    }
  }
  return deliveries;
}

/** What is known of a message that is no chunk as a whole: its header, where that can be read, so that its sequencer can be told. */
async function unreadable(bytes: Uint8Array<ArrayBuffer> | null): Promise<Letter> {
  if (!bytes) return { bytes: new Uint8Array(0), chunk: null };
  const header = readChunkHeader(bytes);
  return { bytes, chunk: header && { header, hash: await sha256Hex(bytes) } };
}

function bodyBytes(body: unknown): Uint8Array<ArrayBuffer> | null {
  if (body instanceof Uint8Array) return body as Uint8Array<ArrayBuffer>;
  return body instanceof ArrayBuffer ? new Uint8Array(body) : null;
}

/** Records what the ledger does not have. Returns the deliveries whose chunks are recorded now, new or not. */
async function recordNew(deliveries: Delivery[], { env, now, giveWay }: Work): Promise<Delivery[]> {
  for (let round = 1; ; round++) {
    const { fresh, known, conflicting } = await sortByLedger(deliveries, env);
    for (const delivery of conflicting) await bury(delivery.message, delivery, "CHUNK_CONFLICT", env, now);
    if (fresh.length === 0) return known;
    const chunks = fresh.map(({ chunk }) => chunk);
    const segment = chunks.some(({ plays }) => countPlays(plays) > 0) ? await buildSegment(chunks, now, giveWay) : null;
    if (segment) await reaching("R2", () => withTimeout(putSegment(env.BUCKET, segment), R2_TIMEOUT_MS, "R2 put"));
    try {
      await commitChunks(env.DB, { chunks, segment, now, eventRows: env.EVENT_ROWS !== "off" }, giveWay);
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
  const chunks = deliveries.map(({ chunk }) => chunk);
  const ledger = await inSpan("db.load_aggregate", () => readLedger(env.DB, chunks));
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
async function confirmAll(deliveries: { chunk: { header: ChunkHeader } }[], env: Env): Promise<void> {
  const byDevice = new Map<string, { deviceId: string; incarnation: string; numbers: number[] }>();
  for (const { chunk } of deliveries) {
    const { device_id, incarnation, number } = chunk.header;
    const key = `${device_id}.${incarnation}`;
    const entry = byDevice.get(key) ?? { deviceId: device_id, incarnation, numbers: [] };
    entry.numbers.push(number);
    byDevice.set(key, entry);
  }
  const failed = (error: unknown) => log("warn", "chunks not confirmed", { error: describeError(error) });
  const calls = [...byDevice.values()].map(({ deviceId, incarnation, numbers }) =>
    env.SEQUENCER.getByName(deviceId).confirm(incarnation, numbers).catch(failed),
  );
  // One timer for all: they begin at once, and a timer costs half of what a call does.
  await withTimeout(Promise.all(calls), SEQUENCER_TIMEOUT_MS, "confirm").catch(failed);
}

type Letter = Pick<DeadLetter, "bytes" | "chunk">;

/** A message that failed with no neighbour to blame: tried again a few times, then put where people can look at it. */
async function failAlone(
  message: Message<unknown>,
  letter: Letter,
  reason: DeadLetterReason,
  error: unknown,
  env: Env,
  now: number,
): Promise<void> {
  const text = describeError(error);
  log("error", "message failed alone", { id: message.id, attempts: message.attempts, reason, error: text });
  try {
    const failures = await countLoneFailure(env.DB, message.id, text, now);
    if (failures >= MAX_LONE_FAILURES) await bury(message, letter, reason, env, now);
    else retryLater(message);
  } catch (cause) {
    log("error", "lone failure not counted", { id: message.id, error: describeError(cause) });
    retryLater(message);
  }
}

/** Writes the message to the dead letters, has its sequencer drop it, and acknowledges: in this order. */
async function bury(message: Message<unknown>, letter: Letter, reason: DeadLetterReason, env: Env, now: number): Promise<void> {
  try {
    await buryMessage(env, { messageId: message.id, ...letter }, reason, now);
    if (letter.chunk) await confirmAll([{ chunk: letter.chunk }], env);
    message.ack();
  } catch (error) {
    log("error", "dead letter not written", { id: message.id, error: describeError(error) });
    retryLater(message);
  }
}

const MAX_LOGGED_CORRELATION_IDS = 20;

function logRecorded(recorded: Delivery[]): void {
  if (!logs("debug")) return;
  const chunks: Chunk[] = recorded.map(({ chunk }) => chunk);
  const events = chunks.flatMap(({ telemetry }) => telemetry);
  const ids = new Set([...chunks.flatMap(({ plays }) => plays.correlation_id), ...events.map((event) => event.correlation_id)]);
  log("debug", "consumer processed", {
    chunks: chunks.length,
    plays: chunks.reduce((sum, { plays }) => sum + countPlays(plays), 0),
    ...(events.length > 0 ? { telemetry_events: events.length } : {}),
    correlation_ids: [...ids].slice(0, MAX_LOGGED_CORRELATION_IDS),
  });
}
