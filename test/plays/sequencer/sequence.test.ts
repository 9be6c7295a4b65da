import { describe, expect, test } from "vitest";
import { MAX_EPOCHS, MAX_RANGES_PER_EPOCH } from "../../../src/plays/limits.ts";
import {
  type EpochState,
  expectedSequence,
  findSequence,
  noteAccepted,
  noteRefused,
  useEpoch,
} from "../../../src/plays/sequencer/sequence.ts";
import fc from "../../support/property.ts";

const fresh = (): EpochState => ({ epoch: "0", highest: 0, missing: [], refused: [] });

function accept(state: EpochState, ...numbers: number[]): string[] {
  return numbers.map((number) => {
    const finding = findSequence(state, number);
    noteAccepted(state, number);
    return finding;
  });
}

describe("sequence numbers in an epoch", () => {
  test("start at 1 and go up by one", () => {
    const state = fresh();
    expect(accept(state, 1, 2, 3)).toEqual(["in-order", "in-order", "in-order"]);
    expect(expectedSequence(state)).toBe(4);
    expect(state.missing).toEqual([]);
  });

  test("a leap is a gap, kept as a range, and closes as its numbers come late", () => {
    const state = fresh();
    expect(accept(state, 1, 6)).toEqual(["in-order", "gap"]);
    expect(state.missing).toEqual([[2, 5]]);
    expect(accept(state, 3)).toEqual(["out-of-order"]);
    expect(state.missing).toEqual([
      [2, 2],
      [4, 5],
    ]);
    expect(accept(state, 2, 4, 5)).toEqual(["out-of-order", "out-of-order", "out-of-order"]);
    expect(state.missing).toEqual([]);
    expect(expectedSequence(state)).toBe(7);
  });

  test("the number of another accepted log is a conflict", () => {
    const state = fresh();
    expect(accept(state, 1, 2, 2, 1)).toEqual(["in-order", "in-order", "conflict", "conflict"]);
  });

  test("a refused log uses up its number, and that is no conflict for an accepted one later", () => {
    const state = fresh();
    accept(state, 1);
    noteRefused(state, 2);
    expect(expectedSequence(state)).toBe(3);
    expect(accept(state, 2)).toEqual(["in-order"]);
    noteRefused(state, 3);
    expect(accept(state, 4, 3, 3)).toEqual(["in-order", "out-of-order", "conflict"]);
  });

  test("a refused log with the number of an accepted one frees nothing", () => {
    const state = fresh();
    accept(state, 1, 2);
    noteRefused(state, 2);
    expect(findSequence(state, 2)).toBe("conflict");
  });

  test("whatever comes in whatever order: each number is accepted once without conflict, and the gaps are the numbers that did not come", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.integer({ min: 1, max: 60 }), fc.boolean()), { maxLength: 80 }), (steps) => {
        const state = fresh();
        const accepted = new Set<number>();
        const seen = new Set<number>();
        for (const [number, ok] of steps) {
          seen.add(number);
          if (!ok) noteRefused(state, number);
          else {
            expect(findSequence(state, number) === "conflict").toBe(accepted.has(number));
            noteAccepted(state, number);
            accepted.add(number);
          }
        }
        const highest = Math.max(0, ...seen);
        expect(state.highest).toBe(highest);
        const missing = Array.from({ length: highest }, (_, index) => index + 1).filter((number) => !seen.has(number));
        expect(state.missing.flatMap(([first, last]) => Array.from({ length: last - first + 1 }, (_, index) => first + index))).toEqual(
          missing,
        );
      }),
    );
  });

  test("memory stays bounded, and a late log is then let in rather than called a conflict", () => {
    const state = fresh();
    for (let number = 2; number <= 2 * (MAX_RANGES_PER_EPOCH + 10); number += 2) accept(state, number);
    expect(state.missing.length).toBe(MAX_RANGES_PER_EPOCH);
    expect(findSequence(state, 1)).toBe("out-of-order");
    const downwards = fresh();
    accept(downwards, 1_000_000);
    for (let number = 999_998; number > 990_000; number -= 2) accept(downwards, number);
    expect(downwards.missing.length).toBe(MAX_RANGES_PER_EPOCH);
    expect(findSequence(downwards, 5)).toBe("out-of-order");
    const epochs: EpochState[] = [];
    for (let n = 0; n < MAX_EPOCHS + 5; n++) useEpoch(epochs, `e${n}`);
    expect(epochs.length).toBe(MAX_EPOCHS);
    expect(epochs.at(-1)?.epoch).toBe(`e${MAX_EPOCHS + 4}`);
  });
});
