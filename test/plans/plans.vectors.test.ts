import { describe, expect, test } from "vitest";
import type { ScheduleRules } from "../../src/plans/input.ts";
import { resolvePlan } from "../../src/plans/resolve.ts";
import vectors from "../vectors/plans.json";
import { input, schedule } from "./fixture.ts";

interface Case {
  name: string;
  store: { id: string; timezone: string };
  valid_from: string;
  valid_to: string;
  schedules: { id: string; timezone: string; rules: ScheduleRules }[];
  expect: { from: string; to: string; schedule_ids: string[] }[];
}

const iso = (time: string) => new Date(time).toISOString();

describe("which schedules play (vectors made outside the project)", () => {
  test("there are 12 cases", () => expect(vectors.cases.length).toBe(12));

  test.each(vectors.cases as Case[])("$name", (vector) => {
    const schedules = vector.schedules.map(({ id, timezone, rules }) => schedule(id, rules, { timezone }));
    const plan = resolvePlan(input({ store: vector.store, schedules }), {
      from: Date.parse(vector.valid_from),
      to: Date.parse(vector.valid_to),
    });
    const expected = vector.expect.map(({ from, to, schedule_ids }) => ({ from: iso(from), to: iso(to), schedule_ids }));
    expect(plan.segments.map(({ from, to, schedule_ids }) => ({ from, to, schedule_ids }))).toEqual(expected);
    expect([plan.valid_from, plan.valid_to]).toEqual([iso(vector.valid_from), iso(vector.valid_to)]);
  });
});
