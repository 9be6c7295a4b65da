import { afterAll, describe, expect, test } from "bun:test";
import { failureText, Totals } from "./report.ts";
import { runSeed } from "./run.ts";
import { FAULTS } from "./world.ts";

const SEEDS = 120;
const SEEDS_PER_TEST = 20;
const OPERATIONS = 100;
const totals = new Totals();

describe("the way of a play, under faults by chance", () => {
  for (let first = 1; first <= SEEDS; first += SEEDS_PER_TEST) {
    test(`seeds ${first} to ${first + SEEDS_PER_TEST - 1}: every invariant holds at every look, and at the end`, async () => {
      for (let seed = first; seed < first + SEEDS_PER_TEST; seed++) {
        const run = await runSeed(seed, OPERATIONS);
        totals.add(run);
        if (run.error) throw new Error(failureText(run, OPERATIONS));
      }
    }, 300_000);
  }

  test("every kind of fault was fired, and plays were recorded all the same", () => {
    expect(FAULTS.filter((kind) => !totals.fired.get(kind))).toEqual([]);
    expect(totals.plays).toBeGreaterThan(SEEDS);
  });

  test("a seed runs the same each time", async () => {
    const [first, second] = [await runSeed(7, OPERATIONS, true), await runSeed(7, OPERATIONS, true)];
    expect(first.trace.length).toBeGreaterThan(100);
    expect(second.trace).toEqual(first.trace);
  });
});

afterAll(() => console.log(totals.text()));
