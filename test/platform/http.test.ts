import { describe, expect, test } from "vitest";
import { z } from "zod";
import { zoneField } from "../../src/platform/fields.ts";
import { correlationIdOf, fieldErrors, pointerOf } from "../../src/platform/http.ts";
import { decodeCursor, encodeCursor, pageOf } from "../../src/platform/paging.ts";
import { columnsOf, differences, presentRow } from "../../src/platform/rows.ts";

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";

describe("a request's correlation id", () => {
  test.each([
    [{ "X-Correlation-Id": "order-42.a_b" }, "order-42.a_b"],
    [{ "X-Correlation-Id": "order-42", traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }, "order-42"],
    [{ traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }, TRACE],
  ])("of %o is %s", (headers, id) => {
    expect(correlationIdOf(new Headers(headers))).toBe(id);
  });

  test.each([
    {},
    { "X-Correlation-Id": "short" },
    { "X-Correlation-Id": "x".repeat(65) },
    { "X-Correlation-Id": '{"a":"b", 1}' },
    { traceparent: "junk" },
  ])("is made anew for %o", (headers) => {
    expect(correlationIdOf(new Headers(headers as Record<string, string>))).toMatch(UUID_V7);
  });
});

describe("pointers (RFC 6901)", () => {
  test("escape tilde and slash", () => {
    expect(pointerOf(["a/b", 0, "m~n"])).toBe("/a~1b/0/m~0n");
    expect(pointerOf([])).toBe("");
  });

  test("lead to the unknown key itself", () => {
    const result = z.strictObject({ in: z.strictObject({}) }).safeParse({ in: { "x/y": 1 } });
    expect(result.error && fieldErrors(result.error)).toMatchObject([{ pointer: "/in/x~1y" }]);
  });
});

describe("rows", () => {
  const row = { id: "a", version: 1, tags_json: '["x"]', info_json: null, created_at: 0, archived_at: null, secret: "s" };

  test("are shown with times in RFC 3339, JSON parsed, and without what is hidden", () => {
    expect(presentRow(row, ["secret"])).toEqual({
      id: "a",
      version: 1,
      tags: ["x"],
      info: null,
      created_at: "1970-01-01T00:00:00.000Z",
      archived_at: null,
    });
  });

  test("take from a body what they have columns for", () => {
    const body = { tags: ["y"], info: null, archived: true, stranger: 1 };
    expect(columnsOf(body, Object.keys(row), 7)).toEqual({ tags_json: '["y"]', info_json: null, archived_at: 7 });
    expect(columnsOf({ archived: false }, Object.keys(row), 7)).toEqual({ archived_at: null });
    expect(columnsOf({}, Object.keys(row), 7)).toEqual({});
  });

  test("differ in the fields that differ", () => {
    expect(differences({ a: 1, b: [1], c: null }, { a: 1, b: [2], c: "x" })).toEqual({
      before: { b: [1], c: null },
      after: { b: [2], c: "x" },
    });
    expect(differences({ a: { x: 1 } }, { a: { x: 1 } })).toBeNull();
  });
});

describe("pages", () => {
  const key = (row: string) => row;

  test("have a next one where one row more was read than asked for", () => {
    expect(pageOf(["a", "b", "c"], 2, key)).toEqual({ items: ["a", "b"], next_cursor: encodeCursor("b") });
    expect(pageOf(["a", "b"], 2, key)).toEqual({ items: ["a", "b"], next_cursor: null });
    expect(pageOf([], 2, key)).toEqual({ items: [], next_cursor: null });
  });

  test("begin behind the key that their cursor holds, whatever its letters", () => {
    for (const text of ["a", "Sài Gòn", "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5"]) expect(decodeCursor(encodeCursor(text))).toBe(text);
    expect(decodeCursor(undefined)).toBeNull();
  });
});

test.each([
  ["UTC", true],
  ["Asia/Ho_Chi_Minh", true],
  ["Asia/Saigon", true],
  ["America/Argentina/Buenos_Aires", true],
  ["Etc/GMT+7", true],
  ["+07:00", false],
  ["GMT+7", false],
  ["Mars/Olympus", false],
  ["../etc/passwd", false],
  ["", false],
])("%j as a time zone: %s", (name, valid) => {
  expect(zoneField.safeParse(name).success).toBe(valid);
});
