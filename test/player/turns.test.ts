import { describe, expect, test } from "vitest";
import { type Due, retimed, turnAfter, turnAt } from "../../src/player/turns.ts";
import { HOUR_MS, planOf, segment, slot, T0 } from "../sdk/plan-fixture.ts";

const never = () => false;
const s = (at: number) => (at - T0) / 1000;

/** The slot, its times in seconds behind the plan's beginning, and how far in it begins. */
function told(due: Due): unknown {
  if (due.kind === "nothing") return [due.why, s(due.until)];
  const { slot, startsAt, endsAt, offsetMs, cut } = due.turn;
  return [slot.slot_id, s(startsAt), s(endsAt), ...(offsetMs > 0 ? [`from ${offsetMs / 1000}`] : []), ...(cut ? ["cut"] : [])];
}

/** What a screen shows from `at` on, turn by turn. */
function walk(plan: ReturnType<typeof planOf>, at: number, turns: number, pass: Parameters<typeof turnAt>[2] = never): unknown[] {
  const shown: unknown[] = [];
  let due = turnAt(plan, at, pass);
  for (let count = 0; count < turns; count++) {
    shown.push(told(due));
    if (due.kind === "nothing") break;
    due = turnAfter(plan, due.turn, due.turn.endsAt, pass);
  }
  return shown;
}

describe("a screen that comes in", () => {
  test("shows what the loop shows by the clock, from the middle of it if need be", () => {
    expect(told(turnAt(planOf(), T0 + 35_000, never))).toEqual(["k-0", 35, 45]);
    expect(told(turnAt(planOf(), T0 + 12_000, never))).toEqual(["k-1", 12, 30, "from 2"]);
  });

  test("waits out a slot of which less than a second is left: the next one is due behind it", () => {
    expect(told(turnAt(planOf(), T0 + 29_000, never))).toEqual(["k-1", 29, 30, "from 19"]);
    expect(told(turnAt(planOf(), T0 + 29_001, never))).toEqual(["k-2", 30, 35]);
  });

  test("hears until when nothing is due, and why", () => {
    expect(told(turnAt(planOf(), T0 - 1000, never))).toEqual(["before", 0]);
    expect(told(turnAt(planOf(), T0 + 9 * HOUR_MS, never))).toEqual(["empty", 12 * 3600]);
    expect(told(turnAt(planOf(), T0 + 96 * HOUR_MS, never))).toEqual(["over", 96 * 3600 + 5]);
    // A file may come any moment.
    expect(told(turnAt(planOf(), T0 + 12_000, () => true))).toEqual(["passed", 17]);
  });
});

describe("turn behind turn", () => {
  test("is the loop by the clock while nothing is passed over", () => {
    expect(walk(planOf(), T0, 5)).toEqual([
      ["k-0", 0, 10],
      ["k-1", 10, 30],
      ["k-2", 30, 35],
      ["k-0", 35, 45],
      ["k-1", 45, 65],
    ]);
  });

  test("gives every slot its turn, whole and in order, whichever are passed over", () => {
    const without = (id: string) => walk(planOf(), T0, 4, ({ slot_id }) => slot_id === id).map((turn) => (turn as unknown[])[0]);
    expect(without("k-0")).toEqual(["k-1", "k-2", "k-1", "k-2"]);
    expect(without("k-1")).toEqual(["k-0", "k-2", "k-0", "k-2"]);
    expect(walk(planOf(), T0, 3, ({ slot_id }) => slot_id === "k-0")).toEqual([
      ["k-1", 0, 20],
      ["k-2", 20, 25],
      ["k-1", 25, 45],
    ]);
  });

  test("is cut at the border of its segment, and goes on with the next segment's first", () => {
    const plan = planOf({ segments: [segment(0, 0.005, [slot("k", 0, "a")]), segment(0.005, 96, [slot("m", 0, "b"), slot("m", 1, "a")])] });
    expect(walk(plan, T0, 4)).toEqual([
      ["k-0", 0, 10],
      ["k-0", 10, 18, "cut"],
      ["m-0", 18, 38],
      ["m-1", 38, 48],
    ]);
  });

  test("falls back where the whole loop is passed over, and takes up either list where it was left", () => {
    const plan = planOf({
      segments: [segment(0, 96, [slot("k", 0, "a"), slot("k", 1, "b")], { fallback: [slot("f", 0, "a"), slot("f", 1, "a")] })],
    });
    // Used up in the second half of each minute.
    const pass = ({ slot_id }: { slot_id: string }, at: number) => slot_id.startsWith("k") && (at - T0) % 60_000 >= 30_000;
    expect(walk(plan, T0, 8, pass).map((turn) => (turn as unknown[]).slice(0, 2))).toEqual([
      ["k-0", 0],
      ["k-1", 10],
      ["f-0", 30],
      ["f-1", 40],
      ["f-0", 50],
      ["k-0", 60],
      ["k-1", 70],
      ["f-1", 90],
    ]);
  });

  test("comes in by the clock where another plan has another loop in its place", () => {
    const due = turnAt(planOf(), T0, never);
    const other = planOf({ segments: [segment(0, 96, [slot("n", 0, "b"), slot("n", 1, "a")])] });
    if (due.kind !== "turn") throw new Error("nothing is due");
    expect(told(turnAfter(other, due.turn, due.turn.endsAt, never))).toEqual(["n-0", 10, 20, "from 10"]);
  });
});

test("a turn that begins later ends later, but never behind its segment", () => {
  const plan = planOf({ segments: [segment(0, 0.005, [slot("k", 0, "a")]), segment(0.005, 96, [])] });
  const due = turnAt(plan, T0, never);
  if (due.kind !== "turn") throw new Error("nothing is due");
  expect(told({ kind: "turn", turn: retimed(due.turn, { startsAt: T0 + 5000 }) })).toEqual(["k-0", 5, 15]);
  expect(told({ kind: "turn", turn: retimed(due.turn, { startsAt: T0 + 12_000 }) })).toEqual(["k-0", 12, 18, "cut"]);
  expect(told({ kind: "turn", turn: retimed(due.turn, { lengthMs: 7000 }) })).toEqual(["k-0", 0, 7]);
});
