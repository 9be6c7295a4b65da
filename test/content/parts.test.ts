import { expect, test } from "vitest";
import { missingParts, partBytes, partsCount } from "../../src/content/parts.ts";

test("a file is cut into parts of one size, and the last has the rest", () => {
  const cut = { bytes: 25, part_bytes: 10 };
  expect(partsCount(cut)).toBe(3);
  expect([0, 1, 2, 3, 4, 1.5].map((number) => partBytes(cut, number))).toEqual([null, 10, 10, 5, null, null]);
  expect(missingParts(cut, [3, 1])).toEqual([2]);
  expect(missingParts(cut, [])).toEqual([1, 2, 3]);
  expect(missingParts(cut, [2, 3, 1])).toEqual([]);
});

test("a file of whole parts has no empty one behind them", () => {
  const cut = { bytes: 20, part_bytes: 10 };
  expect([partsCount(cut), partBytes(cut, 2), partBytes(cut, 3)]).toEqual([2, 10, null]);
});
