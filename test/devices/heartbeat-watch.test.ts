import { describe, expect, test } from "vitest";
import { type Counter, findWrong, followCounter, followGaps, type Vitals } from "../../src/devices/heartbeat-watch.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../src/platform/time.ts";

const NOW = Date.parse("2026-11-21T10:00:00Z");

const WELL: Vitals = {
  now: NOW,
  offsetMs: 0,
  diskUsedBytes: 50,
  diskTotalBytes: 100,
  storageCapBytes: null,
  downloads: { value: 9, grown: [] },
  restarts: { value: 9, grown: [] },
  activeAt: NOW,
  itemMs: null,
  gaps: [],
  before: [],
};
const grown = (...by: number[]): Counter => ({ value: 9, grown: by.map((one, index) => [NOW - index, one]) });
const gap = (ageMs: number) => ({ epoch: "0", first: 3, last: 4, since: NOW - ageMs });

test.each<[string, Partial<Vitals>, string[]]>([
  ["a device that is well", {}, []],
  ["nothing new for 15 min", { activeAt: NOW - 15 * MINUTE_MS }, []],
  ["nothing new for over 15 min", { activeAt: NOW - 15 * MINUTE_MS - 1 }, ["PLAYBACK_STUCK"]],
  ["nothing new for 30 min, in an item of 10 min", { activeAt: NOW - 30 * MINUTE_MS, itemMs: 10 * MINUTE_MS }, []],
  ["nothing new for over 30 min, in an item of 10 min", { activeAt: NOW - 30 * MINUTE_MS - 1, itemMs: 10 * MINUTE_MS }, ["PLAYBACK_STUCK"]],
  ["nothing new for over 15 min, in an item of 10 s", { activeAt: NOW - 15 * MINUTE_MS - 1, itemMs: 10 * SECOND_MS }, ["PLAYBACK_STUCK"]],
  ["two failed downloads", { downloads: grown(2) }, []],
  ["three failed downloads", { downloads: grown(1, 2) }, ["DOWNLOAD_FAIL"]],
  ["a player that counts none", { downloads: null, restarts: null }, []],
  ["two restarts", { restarts: grown(1, 1) }, []],
  ["three restarts", { restarts: grown(3) }, ["CRASH_LOOP"]],
  ["a disk at 90 %", { diskUsedBytes: 90 }, []],
  ["a disk over 90 %", { diskUsedBytes: 91 }, ["LOW_STORAGE"]],
  ["a full disk of unknown size", { diskUsedBytes: 91, diskTotalBytes: null }, []],
  ["a disk at the policy's cap", { storageCapBytes: 50 }, []],
  ["a disk over the policy's cap", { storageCapBytes: 49 }, ["LOW_STORAGE"]],
  ["a disk of unknown size over the policy's cap", { diskTotalBytes: null, storageCapBytes: 49 }, ["LOW_STORAGE"]],
  ["a disk a little under 90 % that was over it", { diskUsedBytes: 89, before: ["LOW_STORAGE"] }, ["LOW_STORAGE"]],
  ["a disk at 88 % that was over 90 %", { diskUsedBytes: 88, before: ["LOW_STORAGE"] }, []],
  ["a clock ahead by 10 min", { offsetMs: 10 * MINUTE_MS }, []],
  ["a clock ahead by over 10 min", { offsetMs: 10 * MINUTE_MS + 1 }, ["CLOCK_DRIFT"]],
  ["a clock behind by over 10 min", { offsetMs: -10 * MINUTE_MS - 1 }, ["CLOCK_DRIFT"]],
  ["numbers missing for an hour", { gaps: [gap(HOUR_MS)] }, []],
  ["numbers missing for over an hour", { gaps: [gap(HOUR_MS + 1)] }, ["SEQUENCE_GAP"]],
  ["numbers that no door would let in any more", { gaps: [gap(8 * DAY_MS + 1)] }, []],
  [
    "all at once, in order",
    { activeAt: 0, downloads: grown(3), diskUsedBytes: 99, restarts: grown(3), offsetMs: DAY_MS, gaps: [gap(2 * HOUR_MS)] },
    ["PLAYBACK_STUCK", "DOWNLOAD_FAIL", "LOW_STORAGE", "CRASH_LOOP", "CLOCK_DRIFT", "SEQUENCE_GAP"],
  ],
])("%s", (_, changes, types) => {
  expect(findWrong({ ...WELL, ...changes }).map(({ type }) => type)).toEqual(types);
});

test("a gap's details name its oldest age and the numbers", () => {
  expect(findWrong({ ...WELL, gaps: [gap(2 * HOUR_MS), gap(MINUTE_MS)] })).toEqual([
    { type: "SEQUENCE_GAP", details: { since: "2026-11-21T08:00:00.000Z", missing: [{ epoch: "0", first: 3, last: 4 }] } },
  ]);
});

describe("a counter", () => {
  const follow = (values: [minute: number, value: number][]) =>
    values.reduce<Counter | null>((counter, [minute, value]) => followCounter(counter, value, NOW + minute * MINUTE_MS, HOUR_MS), null);
  const sum = (counter: Counter | null) => counter?.grown.reduce((total, [, by]) => total + by, 0);

  test("that is first heard of has not grown", () => expect(sum(follow([[0, 7]]))).toBe(0));
  test("grows by the difference", () =>
    expect(
      sum(
        follow([
          [0, 7],
          [1, 8],
          [2, 8],
          [3, 10],
        ]),
      ),
    ).toBe(3));
  test("that begins anew has grown from 0", () =>
    expect(
      sum(
        follow([
          [0, 7],
          [1, 2],
        ]),
      ),
    ).toBe(2));
  test("forgets growth after its window", () => {
    const values: [number, number][] = [
      [0, 0],
      [1, 5],
      [30, 6],
    ];
    expect(sum(follow([...values, [60, 6]]))).toBe(6);
    expect(sum(follow([...values, [61, 6]]))).toBe(1);
  });
  test("that grows all the time stays short, and does not sum up over its window", () => {
    const counter = follow(Array.from({ length: 600 }, (_, minute) => [minute, minute]));
    expect(counter?.grown.length).toBeLessThanOrEqual(13);
    expect(sum(counter)).toBeGreaterThanOrEqual(56);
    expect(sum(counter)).toBeLessThanOrEqual(65);
  });
});

describe("gaps", () => {
  const missing = (first: number, last: number, epoch = "0") => ({ epoch, first, last });

  test("keep the time when they were first seen, also what is left of them", () => {
    const first = followGaps([], [missing(3, 9)], NOW);
    const second = followGaps(first, [missing(3, 4), missing(8, 9), missing(12, 12)], NOW + MINUTE_MS);
    expect(second.map(({ first, since }) => [first, since - NOW])).toEqual([
      [3, 0],
      [8, 0],
      [12, MINUTE_MS],
    ]);
    expect(followGaps(second, [missing(12, 12)], NOW + HOUR_MS)).toEqual([{ ...missing(12, 12), since: NOW + MINUTE_MS }]);
  });

  test("of another epoch are others", () => {
    const first = followGaps([], [missing(3, 9)], NOW);
    expect(followGaps(first, [missing(3, 9, "e")], NOW + 5)).toEqual([{ ...missing(3, 9, "e"), since: NOW + 5 }]);
  });

  test("are followed up to a number, the oldest first", () => {
    const first = followGaps([], [missing(500, 500)], NOW);
    const many = Array.from({ length: 100 }, (_, index) => missing(index * 2, index * 2));
    const followed = followGaps(first, [...many, missing(500, 500)], NOW + 1);
    expect(followed).toHaveLength(32);
    expect(followed[0]).toEqual({ ...missing(500, 500), since: NOW });
  });
});
