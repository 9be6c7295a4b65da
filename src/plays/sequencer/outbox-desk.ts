import { describeError } from "../../platform/http.ts";
import { log } from "../../platform/log.ts";
import { CHUNK_VERSION, type ChunkHeader, encodeChunk } from "../chunk.ts";
import {
  DRAIN_AFTER_MS,
  DRAIN_EVERY_MS,
  MAX_ARRIVALS_PER_ALARM,
  MAX_CHUNKS_UNCONFIRMED,
  OWED_WRITE_MS,
  REFUSALS_WAIT_MS,
} from "../limits.ts";
import { ChunkSender } from "./chunk-sender.ts";
import { EMPTY_HEAD, refusalCounts, refusalsOf, type SequencerHead } from "./head.ts";
import {
  type Arrival,
  confirm,
  confirmedRanges,
  EMPTY_OUTBOX,
  groupForSending,
  markSent,
  type OutboxState,
  postpone,
  type SealedChunk,
  seal,
  sealsAtOnce,
  takeOverdue,
  unconfirmedBytes,
} from "./outbox.ts";
import type { KeptArrival, SequencerStore } from "./store.ts";

/** What every request of plays changes: one row. */
export interface KeptState {
  head: SequencerHead;
  outbox: OutboxState;
}

/** What the desk needs of the object that it stands in. */
export interface DeskHost {
  queue: () => Queue;
  /** Null before the object is known to D1: it has nothing to send then. */
  chunkHeader: () => Pick<ChunkHeader, "device_id" | "incarnation"> | null;
  hashedId: () => Promise<string>;
  resendAfterMs: () => number;
  /** Sets the alarm for the next turn. */
  arm: (now: number) => void;
  /** Keeps the object alive while something goes on that no answer waits for. */
  waitUntil: (work: Promise<unknown>) => void;
}

/** What an admitted request leaves to be kept. */
export interface Kept {
  head: SequencerHead;
  /** Its parcels with what was found of their logs. */
  bodies: { bytes: Uint8Array; plays: number }[];
  /** Its logs as they are remembered (`seen.ts`). */
  packed: Uint8Array<ArrayBuffer>;
  receivedAt: number;
}

/** What the outbox holds. */
export interface OutboxStatus {
  waiting_plays: number;
  unconfirmed_chunks: number;
  unconfirmed_plays: number;
  outbox_bytes: number;
  uncounted_refusals: number;
}

/**
 * Where plays wait in a device's object until they are recorded: arrivals, sealed into chunks, sent, sent again, confirmed. What happens to a
 * chunk is decided in `outbox.ts`; here are storage and queue.
 *
 * What was sent or confirmed changes in memory first, and is owed to storage: the next write takes it along, at the latest by alarm. Where
 * the object dies before, a chunk is sent once more than it need be, and the ledger meets it.
 */
export class OutboxDesk {
  #head: SequencerHead;
  #outbox: OutboxState;
  #lastArrival: number;
  /** Of plays that are not confirmed. */
  #bytes: number;
  /** When something last changed in memory only; null where storage has all. */
  #owedSince: number | null = null;
  /** Chunks that were confirmed, and whose arrivals are still stored. */
  #confirmed: SealedChunk[] = [];
  #sealedAt = 0;
  readonly #sender: ChunkSender;

  constructor(
    kept: KeptState | undefined,
    arrivals: KeptArrival[],
    private readonly store: SequencerStore,
    private readonly host: DeskHost,
  ) {
    const { head, outbox } = kept ?? { head: structuredClone(EMPTY_HEAD), outbox: EMPTY_OUTBOX };
    this.#head = head;
    this.#outbox = outbox;
    this.#lastArrival = Math.max(arrivals.at(-1)?.n ?? 0, outbox.sealedThrough);
    this.#bytes = unconfirmedBytes(arrivals, outbox);
    this.#sender = new ChunkSender(host.queue);
  }

  get head(): SequencerHead {
    return this.#head;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes the clock of a heartbeat, which storage has elsewhere. */
  noteClock(heartbeat: SequencerHead["heartbeat"]): void {
    this.#head = { ...this.#head, heartbeat };
  }

  /**
   * Writes down what was admitted, and `more`; a request that is large enough is a chunk at once, and on its way when the answer is.
   * @throws what storage throws: then nothing was kept.
   */
  keep({ head, bodies, receivedAt, packed }: Kept, more: () => void): void {
    const now = Date.now();
    const before = this.#lastArrival;
    const arrivals = bodies.map(({ bytes, plays }, index) => ({ n: before + 1 + index, plays, bytes: bytes.length, v: CHUNK_VERSION }));
    const sealsNow = this.#sender.allows(now) && now - this.#sealedAt >= DRAIN_AFTER_MS && sealsAtOnce(this.#outbox, before, arrivals);
    const next = sealsNow ? this.#seal(this.#outbox, head, arrivals, now) : { head, outbox: this.#outbox, sealed: [] };
    this.#write(next, () => {
      bodies.forEach(({ bytes, plays }, index) => {
        const seen = index === 0 ? packed : null;
        this.store.addArrival({ n: before + 1 + index, at: receivedAt, plays, v: CHUNK_VERSION, seen, body: bytes });
      });
      more();
    });
    this.#lastArrival += arrivals.length;
    this.#bytes += arrivals.reduce((sum, { bytes }) => sum + bytes, 0);
    if (next.sealed.length > 0) {
      this.#sealedAt = now;
      const bodiesOf = ({ first, last }: SealedChunk) => bodies.slice(first - before - 1, last - before).map(({ bytes }) => bytes);
      const sending = this.#send(next.sealed, bodiesOf);
      this.host.waitUntil(sending.catch((error: unknown) => log("error", "chunks not sent", { error: describeError(error) })));
    }
    this.host.arm(now);
  }

  /** Writes the state, and what goes with it: one synchronous transaction. Memory follows only when it held. */
  #write<T>({ head, outbox }: KeptState, more: () => T): T {
    const result = this.store.transaction(() => {
      const done = more();
      this.store.write("state", { head, outbox });
      for (const { first, last } of this.#confirmed) this.store.dropPacked(first, last);
      return done;
    });
    this.#head = head;
    this.#outbox = outbox;
    this.#confirmed = [];
    this.#owedSince = null;
    return result;
  }

  /** Writes what is owed, and `more` with it. What deletes arrivals comes by here: storage must not list what it no longer has. */
  writeWith<T>(more: (confirmed: [first: number, last: number][]) => T): T {
    return this.#write({ head: this.#head, outbox: this.#outbox }, () => more(confirmedRanges(this.#outbox)));
  }

  /** Takes a change that may wait for the next write. */
  #owe(outbox: OutboxState, now: number): void {
    this.#outbox = outbox;
    this.#owedSince ??= now;
  }

  /** Drops confirmed chunks. Those that were confirmed before change nothing. `alarmAt`: when the alarm is set to. */
  confirm(numbers: ReadonlySet<number>, alarmAt: number | null, now: number): void {
    const { state, dropped } = confirm(this.#outbox, numbers);
    if (dropped.length === 0) return;
    this.#confirmed.push(...dropped);
    this.#bytes -= dropped.reduce((sum, chunk) => sum + chunk.bytes, 0);
    // In memory first, whether the write holds or not: what was confirmed is recorded.
    this.#owe(state, now);
    const writesSoon = alarmAt !== null && alarmAt <= now + OWED_WRITE_MS;
    if (!writesSoon) this.#write({ head: this.#head, outbox: state }, () => {});
    this.host.arm(now);
  }

  /** Seals and sends what waits, sends again what stayed unconfirmed, writes what is owed. What the alarm does. */
  async drain(now: number): Promise<void> {
    const due = this.#sender.allows(now) && this.host.chunkHeader() ? this.#sealAndTakeDue(now) : [];
    if (this.#owedSince !== null && this.#owedSince + OWED_WRITE_MS <= now)
      this.#write({ head: this.#head, outbox: this.#outbox }, () => {});
    if (due.length > 0) await this.#send(due, ({ first, last }) => (first <= last ? this.store.bodies(first, last) : []));
  }

  /** Seals what waits, and takes what is overdue: one row written where there is either. */
  #sealAndTakeDue(now: number): SealedChunk[] {
    const { state: sentAgain, overdue } = takeOverdue(this.#outbox, now, this.host.resendAfterMs());
    // Most alarms find nothing: a large request was sealed as it came.
    const waits = this.#lastArrival > sentAgain.sealedThrough;
    const waiting = waits ? this.store.arrivalsAfter(sentAgain.sealedThrough, MAX_ARRIVALS_PER_ALARM) : [];
    const { sealed, ...next } = this.#seal(sentAgain, this.#head, waiting, now);
    if (sealed.length === 0 && overdue.length === 0) return [];
    this.#write(next, () => {});
    if (sealed.length > 0) this.#sealedAt = now;
    // Now, not when all is sent: so the next turn's alarm is written together with the above.
    this.host.arm(now);
    return [...overdue, ...sealed];
  }

  /** Seals arrivals, and the refusals that wait with them. Changes nothing: what it returns is to be written. */
  #seal(from: OutboxState, head: SequencerHead, waiting: Arrival[], now: number): KeptState & { sealed: SealedChunk[] } {
    const { state: outbox, left, sealed } = seal(from, waiting, refusalCounts(head.refusals), now, this.host.resendAfterMs());
    const carried = sealed.some((chunk) => chunk.refusals.length > 0);
    return { outbox, head: carried ? { ...head, refusals: refusalsOf(left) } : head, sealed };
  }

  /** Sends chunks. What arrived is owed to storage; what fails is put off. */
  async #send(chunks: SealedChunk[], bodiesOf: (chunk: SealedChunk) => Uint8Array[]): Promise<void> {
    const from = this.host.chunkHeader();
    if (!from) return;
    const messages = chunks.map((chunk) => {
      const { v, number, plays, refusals } = chunk;
      return { number, bytes: encodeChunk({ ...from, v, number, plays, refusals }, bodiesOf(chunk)) };
    });
    for (const group of groupForSending(messages)) {
      const numbers = new Set(group.map(({ number }) => number));
      const outcome = await this.#sender.send(group.map(({ bytes }) => bytes));
      const now = Date.now();
      if (outcome.sent) {
        const marked = markSent(this.#outbox, numbers, now + this.host.resendAfterMs());
        if (marked !== this.#outbox) this.#owe(marked, now);
      } else {
        const { retryAt, failures, error } = outcome;
        log("warn", "chunks not sent", { device: await this.host.hashedId(), chunks: group.length, failures, error });
        this.#write({ head: this.#head, outbox: postpone(this.#outbox, numbers, retryAt) }, () => {});
      }
      this.host.arm(now);
    }
  }

  /** When the desk has something to do, and before when it must not; null where it has nothing. */
  nextTurn(now: number): number | null {
    const turns = this.#outbox.chunks.map((chunk) => chunk.nextSendAt);
    if (this.#outbox.chunks.length < MAX_CHUNKS_UNCONFIRMED) {
      if (this.#lastArrival > this.#outbox.sealedThrough) turns.push(Math.max(now + DRAIN_AFTER_MS, this.#sealedAt + DRAIN_EVERY_MS));
      else if (Object.keys(this.#head.refusals).length > 0) turns.push(now + REFUSALS_WAIT_MS);
    }
    if (this.#owedSince !== null) turns.push(this.#owedSince + OWED_WRITE_MS);
    return turns.length === 0 ? null : Math.min(...turns);
  }

  /** Chunks that were sealed and that nobody has confirmed. */
  get unconfirmedChunks(): number {
    return this.#outbox.chunks.length;
  }

  /** Until when the queue is left alone. */
  get closedUntil(): number {
    return this.#sender.openUntil;
  }

  status(): OutboxStatus {
    return {
      waiting_plays: this.store.playsAfter(this.#outbox.sealedThrough),
      unconfirmed_chunks: this.#outbox.chunks.length,
      unconfirmed_plays: this.#outbox.chunks.reduce((sum, chunk) => sum + chunk.plays, 0),
      outbox_bytes: this.#bytes,
      uncounted_refusals: Object.values(this.#head.refusals).reduce((sum, count) => sum + count, 0),
    };
  }
}
