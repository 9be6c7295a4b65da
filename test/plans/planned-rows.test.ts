import { describe, expect, test } from "vitest";
import type { PlanInput } from "../../src/plans/input.ts";
import { daysReached, type PlannedRow, rowsAfter } from "../../src/plans/planned-rows.ts";
import { DAY_MS, HOUR_MS, SECOND_MS } from "../../src/platform/time.ts";
import { NOON, planOf, playlist, schedule } from "./fixture.ts";

const playing = (campaign: string, over: Partial<PlanInput> = {}, now = NOON) =>
  planOf({ schedules: [schedule("p")], playlists: [playlist("p", ["a"], campaign)], ...over }, now);
const [first, second] = [playing("one"), playing("two")];
const MORNING = NOON - 4 * HOUR_MS;
const AFTERNOON = NOON + 2 * HOUR_MS;
const TOMORROW = ["2026-11-21", "2026-11-22", "2026-11-23"];
/** 15 s a play. */
const hours = (n: number): [number, number] => [n * 240, n * HOUR_MS];

/** Rows as `day store` → entries. */
function shown(rows: readonly PlannedRow[]) {
  return Object.fromEntries(rows.map(({ day, store_id, campaigns }) => [`${day} ${store_id}`, campaigns]));
}

const wholeDays = (campaign: string, days = TOMORROW) =>
  Object.fromEntries(
    days.map((day) => [
      `${day} store`,
      [
        ["", 0, 0],
        [campaign, ...hours(24)],
      ],
    ]),
  );

describe("a device's rows", () => {
  const morning = rowsAfter([], null, first, MORNING);

  test("of its first plan begin when it was given", () => {
    expect(shown(morning)).toEqual({
      "2026-11-20 store": [
        ["", 0, 0],
        ["one", ...hours(16)],
      ],
      ...wholeDays("one"),
    });
  });

  test("count the old plan until it is replaced, and the new one from then on", () => {
    const afternoon = rowsAfter(morning, first, second, AFTERNOON);
    expect(shown(afternoon)).toEqual({
      "2026-11-20 store": [
        ["", 0, 0],
        ["one", ...hours(6)],
        ["two", ...hours(10)],
      ],
      ...wholeDays("two"),
    });
    // And a third one, in the evening, of the first campaign again.
    expect(shown(rowsAfter(afternoon, second, first, AFTERNOON + 4 * HOUR_MS))).toEqual({
      "2026-11-20 store": [
        ["", 0, 0],
        ["one", ...hours(6 + 6)],
        ["two", ...hours(4)],
      ],
      ...wholeDays("one"),
    });
  });

  test("count a play that has begun for the plan that began it", () => {
    const [today] = rowsAfter(morning, first, second, AFTERNOON + 7 * SECOND_MS);
    expect(today?.campaigns).toEqual([
      ["", 0, 0],
      ["one", 6 * 240 + 1, 6 * HOUR_MS + 15_000],
      ["two", 10 * 240 - 1, 10 * HOUR_MS - 15_000],
    ]);
  });

  test("are the same when the same plan is made again, and gain a day on the next one", () => {
    expect(rowsAfter(morning, first, first, AFTERNOON)).toEqual(morning);
    const next = rowsAfter(morning.slice(1), first, playing("one", {}, NOON + DAY_MS), NOON + DAY_MS);
    expect(shown(next)).toEqual(wholeDays("one", [...TOMORROW, "2026-11-24"]));
  });

  test("of a device that was away for long begin anew, with nothing for the days between", () => {
    const back = AFTERNOON + 6 * DAY_MS;
    const plan = playing("one", {}, back);
    expect(daysReached(first, plan, back)[0]).toBe("2026-11-26");
    expect(shown(rowsAfter([], first, plan, back))).toEqual({
      "2026-11-26 store": [
        ["", 0, 0],
        ["one", ...hours(10)],
      ],
      ...wholeDays("one", ["2026-11-27", "2026-11-28", "2026-11-29"]),
    });
  });

  test("stay with the store in which the device was, as far as it was there, by the days of each store", () => {
    // 14:00 in Ho Chi Minh City is 08:00 in Berlin.
    const moved = playing("two", { store: { id: "berlin", timezone: "Europe/Berlin" } });
    const rows = rowsAfter(morning, first, moved, AFTERNOON);
    expect(shown(rows.slice(0, 2))).toEqual({
      "2026-11-20 store": [
        ["", 0, 0],
        ["one", ...hours(6)],
      ],
      "2026-11-20 berlin": [
        ["", 0, 0],
        ["two", ...hours(16)],
      ],
    });
    expect(rows.slice(2).map(({ day, store_id }) => `${day} ${store_id}`)).toEqual(TOMORROW.map((day) => `${day} berlin`));
    // What it had in the first store is settled, whatever comes.
    const back = rowsAfter(rows, moved, first, AFTERNOON + HOUR_MS);
    expect(shown(back)).toMatchObject({
      "2026-11-20 store": [
        ["", 0, 0],
        ["one", ...hours(6 + 9)],
      ],
      "2026-11-20 berlin": [
        ["", 0, 0],
        ["two", ...hours(1)],
      ],
    });
    expect(back.length).toBe(5);
  });

  test("of a plan that was too large to be kept are taken as evenly spread over the day", () => {
    const row = {
      day: "2026-11-20",
      store_id: "store",
      campaigns: [
        ["", 0, 0],
        ["one", 2400, 2400],
      ],
    } satisfies PlannedRow;
    const rows = rowsAfter([row, { ...row, day: "2026-11-21" }], "unknown", second, NOON);
    expect(shown(rows)).toEqual({
      "2026-11-20 store": [
        ["", 0, 0],
        ["one", 1200, 1200],
        ["two", ...hours(12)],
      ],
      ...wholeDays("two"),
    });
  });
});

test("the days that a change may concern begin with the earlier of both stores' today", () => {
  // 02:00 on the 21st in Ho Chi Minh City is 20:00 on the 20th in Berlin.
  const night = NOON + 14 * HOUR_MS;
  const berlin = playing("two", { store: { id: "berlin", timezone: "Europe/Berlin" } }, night);
  const days = daysReached(playing("one", {}, night), berlin, night);
  expect([days[0], days.length]).toEqual(["2026-11-20", 8]);
});
