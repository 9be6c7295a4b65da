import { expect, test } from "vitest";
import { joined, type Times, within, without } from "../../src/plans/times.ts";

const times: Times = [
  [10, 20],
  [30, 40],
];

test("stretches that touch or overlap are one", () => {
  expect(
    joined([
      [30, 40],
      [10, 15],
      [15, 20],
      [12, 18],
    ]),
  ).toEqual(times);
  expect(joined([])).toEqual([]);
});

test("what lies within a window is cut to it", () => {
  expect(within(times, 15, 35)).toEqual([
    [15, 20],
    [30, 35],
  ]);
  expect(within(times, 20, 30)).toEqual([]);
  expect(within(times, -Infinity, Infinity)).toEqual(times);
});

test("what is taken leaves the rest", () => {
  expect(without(times, [])).toEqual(times);
  expect(without(times, [[0, 100]])).toEqual([]);
  expect(
    without(times, [
      [12, 14],
      [18, 32],
    ]),
  ).toEqual([
    [10, 12],
    [14, 18],
    [32, 40],
  ]);
});

test("every instant is where it belongs", () => {
  const has = (list: Times, at: number) => list.some(([from, to]) => from <= at && at < to);
  for (let seed = 0; seed < 100; seed++) {
    const pick = (salt: number) => (Math.imul(seed * 31 + salt, 2_654_435_761) >>> 8) % 24;
    const some = (salt: number) =>
      Array.from({ length: 3 }, (_, index): [number, number] => [
        pick(salt + 2 * index),
        pick(salt + 2 * index) + 1 + (pick(salt + 2 * index + 1) % 6),
      ]);
    const [a, b] = [joined(some(0)), joined(some(10))];
    for (let at = 0; at < 32; at++) {
      const wrong = [
        has(a, at) !== some(0).some(([from, to]) => from <= at && at < to),
        has(without(a, b), at) !== (has(a, at) && !has(b, at)),
      ];
      expect([seed, at, ...wrong]).toEqual([seed, at, false, false]);
    }
  }
});
