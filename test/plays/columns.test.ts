import { expect, test } from "vitest";
import type { PlayColumns } from "../../src/plays/columns.ts";
import { isText, isWholeOrNull, packColumns, readColumns } from "../../src/plays/packed.ts";
import { AGGREGATE_COUNTERS, type AggregateCounter, CONTEXT_VALUES, countersOf, PLAY_VALUES, storedPlays } from "../../src/plays/tables.ts";

test("plays are stored as their contexts, equal ones once, and what is their own, in the order of the table's view", () => {
  const column = (name: string) => [`${name}-0`, `${name}-1`, `${name}-2`];
  const same = (name: string) => Array(3).fill(`same ${name}`);
  const plays = {
    ...Object.fromEntries(PLAY_VALUES.map((name) => [name, column(name)])),
    ...Object.fromEntries(CONTEXT_VALUES.map((name) => [name, same(name)])),
    result: ["COMPLETED", "PARTIAL", "COMPLETED"],
    started_at: [1000, 2000, 3000],
    ended_at: [1015, 2005, 3020],
    started_at_raw: [1500, 2500, 3500],
    ended_at_raw: [1515, 2505, 3520],
  } as unknown as PlayColumns;
  const context = (result: string) => [...CONTEXT_VALUES.map((name) => (name === "result" ? result : `same ${name}`)), 500, 500];
  const row = (place: number, at: number, startedAt: number, lasted: number) => [
    place,
    ...PLAY_VALUES.map((name) => (name === "started_at" ? startedAt : `${name}-${at}`)),
    lasted,
  ];
  expect(storedPlays(plays)).toEqual({
    contexts: [context("COMPLETED"), context("PARTIAL")],
    rows: [row(0, 0, 1000, 15), row(1, 1, 2000, 5), row(0, 2, 3000, 20)],
  });
});

test("a sum's figures are written out in the order of the tables", () => {
  const sum = Object.fromEntries(AGGREGATE_COUNTERS.map((counter, index) => [counter, index])) as Record<AggregateCounter, number>;
  expect(countersOf(sum)).toEqual([...AGGREGATE_COUNTERS.keys()]);
});

interface Row {
  id: string;
  note: string;
  number: number | null;
}

const CHECKS = { id: isText, note: isText, number: isWholeOrNull };
const packed = packColumns<Row>(3, { id: ["a", "b", "c"], note: ["x", "x", "x"], number: [1, null, 3] });
const rowsOf = (count: number, of?: number[]) => {
  const row = readColumns<Row>(JSON.parse(JSON.stringify(packed)), CHECKS, of);
  return Array.from({ length: count }, (_, at) => [row.id[at], row.note[at], row.number[at]]);
};

test("what is the same in all rows travels once", () => {
  expect(packed).toEqual({ count: 3, same: { note: "x" }, columns: { id: ["a", "b", "c"], number: [1, null, 3] } });
  expect(packColumns<Row>(0, { id: [], note: [], number: [] })).toEqual({ count: 0, same: {}, columns: {} });
});

test("rows are read back, all of them or those at some places", () => {
  expect(rowsOf(3)).toEqual([
    ["a", "x", 1],
    ["b", "x", null],
    ["c", "x", 3],
  ]);
  expect(rowsOf(2, [2, 0])).toEqual([
    ["c", "x", 3],
    ["a", "x", 1],
  ]);
});

test("a value that a column cannot have is refused, and not looked at where its row is not asked for", () => {
  const broken = { ...packed, columns: { ...packed.columns, number: [1, 2.5, 3] } };
  expect(() => readColumns<Row>(broken, CHECKS)).toThrow("number cannot be 2.5");
  expect(readColumns<Row>(broken, CHECKS, [0, 2]).number).toEqual([1, 3]);
  expect(() => readColumns<Row>({ ...packed, same: {} }, CHECKS)).toThrow("note cannot be undefined");
  expect(() => readColumns<Row>({ ...packed, count: 4 }, CHECKS)).toThrow("id has 3 values for 4 rows");
  expect(() => readColumns<Row>({ ...packed, count: 2 }, CHECKS)).toThrow("id has 3 values for 2 rows");
  for (const list of ["abc", { length: 3, 0: "a", 1: "b", 2: "c" }, null]) {
    const columns = { ...packed.columns, id: list as unknown as unknown[] };
    expect(() => readColumns<Row>({ ...packed, columns }, CHECKS)).toThrow("id is no list");
  }
  expect(() => readColumns<Row>(packed, CHECKS, [3])).toThrow("id cannot be undefined");
});
