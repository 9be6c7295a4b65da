import { CHUNK_VERSION, type RefusalCount } from "../chunk.ts";
import {
  MAX_CHUNK_BYTES,
  MAX_CHUNKS_UNCONFIRMED,
  MAX_SEND_BYTES,
  MAX_SEND_MESSAGES,
  OWED_WRITE_MS,
  RESEND_BACKOFF_MAX_MS,
  SEAL_AT_ONCE_PLAYS,
} from "../limits.ts";

/** A chunk that was sealed and is not yet confirmed. Which arrivals it is made of, and its refusals, never change. */
export interface SealedChunk {
  number: number;
  /** Arrivals `first` to `last`, both included; none where `first` > `last` (a chunk of refusals only). */
  first: number;
  last: number;
  plays: number;
  bytes: number;
  refusals: RefusalCount[];
  /** The version of the lines that its arrivals were written in: it is sent again in that, whatever deploy sends it. */
  v: number;
  sends: number;
  nextSendAt: number;
}

/** What a sequencer knows of its chunks. Plain data, stored as JSON. */
export interface OutboxState {
  nextNumber: number;
  /** Arrivals up to this one are in chunks, or were confirmed. */
  sealedThrough: number;
  chunks: SealedChunk[];
}

export const EMPTY_OUTBOX: OutboxState = { nextNumber: 1, sealedThrough: 0, chunks: [] };

/** A request's plays, or a part of them, as they wait in storage. */
export interface Arrival {
  n: number;
  plays: number;
  bytes: number;
  /** The version of its lines. */
  v: number;
}

const MAX_REFUSALS_PER_CHUNK = 200;

/**
 * Seals what waits: arrivals in order, as many to a chunk as fit, until so many chunks are unconfirmed as may be.
 * Refusals travel with the first chunk, or in one of their own. Pure: returns the new state and the refusals that are left.
 */
export function seal(
  state: OutboxState,
  waiting: Arrival[],
  refusals: RefusalCount[],
  now: number,
  resendAfterMs: number,
): { state: OutboxState; left: RefusalCount[]; sealed: SealedChunk[] } {
  const sealed: SealedChunk[] = [];
  let left = refusals;
  let { nextNumber, sealedThrough } = state;
  let at = 0;
  while (state.chunks.length + sealed.length < MAX_CHUNKS_UNCONFIRMED && (at < waiting.length || left.length > 0)) {
    const first = sealedThrough + 1;
    let bytes = 0;
    let plays = 0;
    let v = CHUNK_VERSION;
    while (at < waiting.length) {
      const arrival = waiting[at];
      if (!arrival || (bytes > 0 && (bytes + arrival.bytes > MAX_CHUNK_BYTES || arrival.v !== v))) break;
      v = arrival.v;
      bytes += arrival.bytes;
      plays += arrival.plays;
      sealedThrough = arrival.n;
      at += 1;
    }
    sealed.push({
      number: nextNumber,
      first,
      last: sealedThrough,
      plays,
      bytes,
      refusals: left.slice(0, MAX_REFUSALS_PER_CHUNK),
      v,
      sends: 1,
      // It is sent at once, and counts as sent from here on, which saves a row. An object that dies before it has said so (`markSent`) sends it again soon.
      nextSendAt: now + Math.min(resendAfterMs, OWED_WRITE_MS),
    });
    left = left.slice(MAX_REFUSALS_PER_CHUNK);
    nextNumber += 1;
  }
  return { state: { nextNumber, sealedThrough, chunks: [...state.chunks, ...sealed] }, left, sealed };
}

/** Whether what just arrived is worth a chunk of its own, now: it is large enough, nothing waits before it, and there is room. */
export function sealsAtOnce(state: OutboxState, lastArrival: number, arrivals: Arrival[]): boolean {
  const plays = arrivals.reduce((sum, arrival) => sum + arrival.plays, 0);
  return plays >= SEAL_AT_ONCE_PLAYS && lastArrival === state.sealedThrough && state.chunks.length < MAX_CHUNKS_UNCONFIRMED / 2;
}

/** Notes which chunks were sent for the first time: they have until then to be confirmed. The same state where there are none. */
export function markSent(state: OutboxState, numbers: ReadonlySet<number>, until: number): OutboxState {
  const isNew = (chunk: SealedChunk) => numbers.has(chunk.number) && chunk.sends === 1;
  if (!state.chunks.some(isNew)) return state;
  return { ...state, chunks: state.chunks.map((chunk) => (isNew(chunk) ? { ...chunk, nextSendAt: until } : chunk)) };
}

/** Takes the chunks that stayed unconfirmed for too long, and puts off their next turn: ever more rarely. */
export function takeOverdue(state: OutboxState, now: number, resendAfterMs: number): { state: OutboxState; overdue: SealedChunk[] } {
  const overdue = state.chunks.filter((chunk) => chunk.nextSendAt <= now);
  if (overdue.length === 0) return { state, overdue };
  const chunks = state.chunks.map((chunk) =>
    chunk.nextSendAt > now
      ? chunk
      : {
          ...chunk,
          sends: chunk.sends + 1,
          nextSendAt: now + Math.min(resendAfterMs * 2 ** Math.min(chunk.sends, 20), RESEND_BACKOFF_MAX_MS),
        },
  );
  return { state: { ...state, chunks }, overdue };
}

/** Puts chunks whose sending failed on a turn of their own. What was not sent does not count as a sending. */
export function postpone(state: OutboxState, numbers: ReadonlySet<number>, until: number): OutboxState {
  return {
    ...state,
    chunks: state.chunks.map((chunk) =>
      numbers.has(chunk.number) ? { ...chunk, sends: Math.max(0, chunk.sends - 1), nextSendAt: until } : chunk,
    ),
  };
}

/** Drops confirmed chunks. Numbers that are not there were confirmed before. */
export function confirm(state: OutboxState, numbers: ReadonlySet<number>): { state: OutboxState; dropped: SealedChunk[] } {
  return {
    state: { ...state, chunks: state.chunks.filter((chunk) => !numbers.has(chunk.number)) },
    dropped: state.chunks.filter((chunk) => numbers.has(chunk.number)),
  };
}

/** The arrivals, as ranges, that are confirmed: all that is sealed and in no chunk any more. */
export function confirmedRanges(state: OutboxState): [first: number, last: number][] {
  const ranges: [number, number][] = [];
  let from = 1;
  for (const chunk of state.chunks.toSorted((a, b) => a.first - b.first)) {
    if (chunk.first > from) ranges.push([from, chunk.first - 1]);
    from = Math.max(from, chunk.last + 1);
  }
  if (from <= state.sealedThrough) ranges.push([from, state.sealedThrough]);
  return ranges;
}

/** Bytes of the arrivals that are not confirmed. */
export function unconfirmedBytes(arrivals: Pick<Arrival, "n" | "bytes">[], state: OutboxState): number {
  const confirmed = confirmedRanges(state);
  const isConfirmed = (n: number) => confirmed.some(([first, last]) => n >= first && n <= last);
  return arrivals.reduce((sum, { n, bytes }) => (isConfirmed(n) ? sum : sum + bytes), 0);
}

/** Groups chunks so that each group may be sent by one `sendBatch`. */
export function groupForSending<T extends { bytes: Uint8Array }>(messages: T[]): T[][] {
  const groups: T[][] = [];
  let size = 0;
  for (const message of messages) {
    const group = groups.at(-1);
    if (group && group.length < MAX_SEND_MESSAGES && size + message.bytes.length <= MAX_SEND_BYTES) {
      group.push(message);
      size += message.bytes.length;
    } else {
      groups.push([message]);
      size = message.bytes.length;
    }
  }
  return groups;
}
