import { describe, expect, test } from "vitest";
import { MAX_CHUNK_BYTES, MAX_CHUNKS_UNCONFIRMED, MAX_SEND_BYTES, OWED_WRITE_MS } from "../../../src/plays/limits.ts";
import {
  confirm,
  confirmedRanges,
  EMPTY_OUTBOX,
  groupForSending,
  markSent,
  type OutboxState,
  postpone,
  seal,
  sealsAtOnce,
  takeOverdue,
} from "../../../src/plays/sequencer/outbox.ts";
import fc from "../../support/property.ts";

const arrivals = (count: number, bytes: number, from = 1) =>
  Array.from({ length: count }, (_, index) => ({ n: from + index, plays: 1, bytes, v: 1 }));

describe("sealing", () => {
  test("puts arrivals into chunks in order, as many as fit", () => {
    const { state, sealed } = seal(EMPTY_OUTBOX, arrivals(10, 30_000), [], 1000, 500);
    expect(sealed.map(({ number, first, last, plays }) => [number, first, last, plays])).toEqual([
      [1, 1, 3, 3],
      [2, 4, 6, 3],
      [3, 7, 9, 3],
      [4, 10, 10, 1],
    ]);
    expect(sealed.every(({ bytes }) => bytes <= MAX_CHUNK_BYTES)).toBe(true);
    expect(state).toMatchObject({ nextNumber: 5, sealedThrough: 10 });
  });

  test("refusals travel with the first chunk, and alone where no play waits", () => {
    const refusals: [number, string, string, number][] = [[0, "playback-log", "TOO_OLD", 2]];
    expect(seal(EMPTY_OUTBOX, arrivals(1, 10), refusals, 0, 0).sealed).toMatchObject([{ plays: 1, refusals }]);
    const alone = seal(EMPTY_OUTBOX, [], refusals, 0, 0);
    expect(alone.sealed).toMatchObject([{ number: 1, first: 1, last: 0, plays: 0, refusals }]);
    expect(seal(alone.state, arrivals(1, 10), [], 0, 0).sealed).toMatchObject([{ number: 2, first: 1, last: 1, refusals: [] }]);
  });

  test("stops when so many chunks are unconfirmed as may be, and goes on when some are confirmed", () => {
    const full = seal(EMPTY_OUTBOX, arrivals(100, MAX_CHUNK_BYTES), [], 0, 0);
    expect(full.sealed.length).toBe(MAX_CHUNKS_UNCONFIRMED);
    expect(seal(full.state, arrivals(36, MAX_CHUNK_BYTES, 65), [], 0, 0).sealed).toEqual([]);
    const { state } = confirm(full.state, new Set([1, 2]));
    expect(seal(state, arrivals(36, MAX_CHUNK_BYTES, 65), [], 0, 0).sealed.map(({ number, first }) => [number, first])).toEqual([
      [65, 65],
      [66, 66],
    ]);
  });
});

test("arrivals written in another version of the lines go into a chunk of their own, which says so", () => {
  const waiting = arrivals(4, 10).map((arrival) => ({ ...arrival, v: arrival.n <= 2 ? 1 : 2 }));
  expect(seal(EMPTY_OUTBOX, waiting, [], 0, 0).sealed.map(({ v, first, last }) => [v, first, last])).toEqual([
    [1, 1, 2],
    [2, 3, 4],
  ]);
});

describe("sealing at once", () => {
  const request = (plays: number) => [{ n: 1, plays, bytes: 100, v: 1 }];

  test("is for a request of twenty plays or more that nothing waits before", () => {
    expect(sealsAtOnce(EMPTY_OUTBOX, 0, request(19))).toBe(false);
    expect(sealsAtOnce(EMPTY_OUTBOX, 0, request(20))).toBe(true);
    expect(sealsAtOnce(EMPTY_OUTBOX, 1, request(20))).toBe(false);
    expect(sealsAtOnce({ ...EMPTY_OUTBOX, sealedThrough: 1 }, 1, request(20))).toBe(true);
  });

  test("stops where half of the chunks that may be unconfirmed are", () => {
    const { state } = seal(EMPTY_OUTBOX, arrivals(MAX_CHUNKS_UNCONFIRMED / 2, MAX_CHUNK_BYTES), [], 0, 0);
    expect(sealsAtOnce(state, state.sealedThrough, request(100))).toBe(false);
    expect(sealsAtOnce(confirm(state, new Set([1])).state, state.sealedThrough, request(100))).toBe(true);
  });
});

describe("sending again", () => {
  test("takes what was not confirmed in time, ever more rarely", () => {
    let { state } = seal(EMPTY_OUTBOX, arrivals(1, 10), [], 0, 1000);
    expect(takeOverdue(state, 999, 1000).overdue).toEqual([]);
    const turns: number[] = [];
    for (let now = 0; now <= 16_000; now += 500) {
      const taken = takeOverdue(state, now, 1000);
      if (taken.overdue.length > 0) turns.push(now);
      state = taken.state;
    }
    expect(turns).toEqual([1000, 3000, 7000, 15_000]);
  });

  test("a chunk whose sending failed gets a turn of its own", () => {
    const { state } = seal(EMPTY_OUTBOX, arrivals(2, MAX_CHUNK_BYTES), [], 0, 900_000);
    expect(postpone(state, new Set([2]), 2000).chunks.map((chunk) => [chunk.sends, chunk.nextSendAt])).toEqual([
      [1, OWED_WRITE_MS],
      [0, 2000],
    ]);
  });

  test("a chunk that was sent for the first time has the whole time to be confirmed; one that was not is sent again soon", () => {
    const { state } = seal(EMPTY_OUTBOX, arrivals(2, MAX_CHUNK_BYTES), [], 0, 900_000);
    const marked = markSent(state, new Set([1]), 900_500);
    expect(marked.chunks.map((chunk) => chunk.nextSendAt)).toEqual([900_500, OWED_WRITE_MS]);
    const again = takeOverdue(marked, OWED_WRITE_MS, 900_000);
    expect(again.overdue.map(({ number }) => number)).toEqual([2]);
    expect(markSent(again.state, new Set([2]), 1)).toBe(again.state);
  });
});

test("the confirmed arrivals are exactly those that are sealed and in no chunk any more", () => {
  const steps = fc.array(
    fc.oneof(
      fc.record({ seal: fc.array(fc.integer({ min: 1, max: 99_000 }), { maxLength: 6 }) }),
      fc.record({ confirm: fc.integer({ min: 1, max: 30 }) }),
    ),
  );
  fc.assert(
    fc.property(steps, (list) => {
      let state: OutboxState = EMPTY_OUTBOX;
      const confirmed = new Set<number>();
      for (const step of list) {
        if ("seal" in step) {
          const waiting = step.seal.map((bytes, index) => ({ n: state.sealedThrough + 1 + index, plays: 1, bytes, v: 1 }));
          state = seal(state, waiting, step.seal.length === 0 ? [[0, "d", "c", 1]] : [], 0, 0).state;
        } else {
          const result = confirm(state, new Set([step.confirm]));
          for (const chunk of result.dropped) for (let n = chunk.first; n <= chunk.last; n++) confirmed.add(n);
          state = result.state;
        }
      }
      const listed = confirmedRanges(state).flatMap(([first, last]) =>
        Array.from({ length: last - first + 1 }, (_, index) => first + index),
      );
      expect(listed).toEqual([...confirmed].sort((a, b) => a - b));
    }),
  );
});

test("messages are grouped so that none is over what one send may carry", () => {
  const groups = groupForSending(Array.from({ length: 250 }, (_, index) => ({ bytes: new Uint8Array(index % 3 === 0 ? 100_000 : 10) })));
  expect(groups.flat().length).toBe(250);
  for (const group of groups) {
    expect(group.length).toBeLessThanOrEqual(100);
    expect(group.reduce((sum, { bytes }) => sum + bytes.length, 0)).toBeLessThanOrEqual(MAX_SEND_BYTES);
  }
});
