import { expect, test } from "vitest";
import { z } from "zod";
import { fieldErrors } from "../../src/platform/http.ts";

const schema = z.strictObject({
  name: z.string().min(2).max(4),
  type: z.enum(["DEVICE", "GROUP"]),
  count: z.int().min(1).max(9).optional(),
  share: z.number().gt(0).lt(1).optional(),
  days: z.array(z.string()).min(1).optional(),
  day: z.iso.date().optional(),
  id: z.uuid().optional(),
  url: z.url({ error: "must be an https URL" }).optional(),
  line: z.string().min(1).optional(),
});

test.each<[Record<string, unknown>, string, string]>([
  [{}, "/name", "is missing"],
  [{}, "/type", 'is missing; it must be one of "DEVICE", "GROUP"'],
  [{ name: 7 }, "/name", "must be a string"],
  [{ name: null }, "/name", "must be a string"],
  [{ name: "a" }, "/name", "must have at least 2 characters"],
  [{ name: "abcde" }, "/name", "must have at most 4 characters"],
  [{ type: "group" }, "/type", 'must be one of "DEVICE", "GROUP"'],
  [{ count: "1" }, "/count", "must be a number"],
  [{ count: 1.5 }, "/count", "must be a whole number"],
  [{ count: 0 }, "/count", "must be at least 1"],
  [{ count: 10 }, "/count", "must be at most 9"],
  [{ share: 0 }, "/share", "must be over 0"],
  [{ share: 1 }, "/share", "must be less than 1"],
  [{ days: [] }, "/days", "must have at least one entry"],
  [{ days: "mon" }, "/days", "must be a list"],
  [{ day: "2026-02-30" }, "/day", "must be a day such as 2026-12-24"],
  [{ id: "7" }, "/id", "must be a UUID"],
  [{ id: "" }, "/id", "is missing"],
  [{ line: "" }, "/line", "must not be empty"],
  [{ url: "x" }, "/url", "must be an https URL"],
  [{ nmae: "x" }, "/nmae", 'There is no field "nmae" here.'],
])("%o: %s %s", (body, pointer, detail) => {
  const { error } = schema.safeParse(body);
  expect(error && fieldErrors(error)).toContainEqual({ pointer, detail });
});
