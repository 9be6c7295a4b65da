import { describe, expect, test } from "vitest";
import type { PlanInput } from "../../src/plans/input.ts";
import type { Plan } from "../../src/plans/plan.ts";
import { plannedOf } from "../../src/plans/planned.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../src/platform/time.ts";
import { NOON, planOf, playlist, schedule, version } from "./fixture.ts";

const ALWAYS = { from: -Infinity, to: Infinity };
/** 2026-11-20 in Ho Chi Minh City. */
const MIDNIGHT = NOON - 12 * HOUR_MS;

/** `[plays, ms]` by campaign, of a day. */
function dayOf(plan: Plan, day: string, span = ALWAYS): Record<string, [number, number]> {
  const campaigns = plannedOf(plan, span).get(day);
  if (!campaigns) throw new Error(`nothing is planned on ${day}`);
  return Object.fromEntries([...campaigns].map(([campaign, { plays, ms }]) => [campaign, [plays, ms]]));
}

function fridayOf(over: Partial<PlanInput>, span = ALWAYS) {
  return dayOf(planOf(over), "2026-11-20", span);
}

const lasting = (id: string, duration_ms: number | null) => version(id, { duration_ms });
const [HOURLY, DAILY] = [
  (n: number) => ({ frequency_cap: { max_plays_per_hour: n } }),
  (n: number) => ({ frequency_cap: { max_plays_per_day: n } }),
];
const eightToNine = { dayparts: [{ from: "08:00", to: "09:00" }] };

describe("what a plan says is played", () => {
  test("is each slot's part of the loop, by weight, over the whole day", () => {
    // A round of a, b, a, a lasts 60 s: 1,440 rounds a day.
    const over = {
      schedules: [schedule("p"), schedule("q", { weight: 3 })],
      playlists: [playlist("p", ["a"], "one"), playlist("q", ["b"], "two")],
    };
    expect(fridayOf(over)).toEqual({ "": [0, 0], one: [1440, 21_600_000], two: [4320, 64_800_000] });
    expect([...plannedOf(planOf(over), ALWAYS).keys()]).toEqual(["2026-11-20", "2026-11-21", "2026-11-22", "2026-11-23"]);
  });

  test("at a segment's end is the part of the loop that still begins", () => {
    // An hour of 26 s rounds: 138 rounds are 3,588 s, and of 139 the 7 s and the 8 s (at 3,595 s) begin, the 11 s (at 3,603 s) does not.
    const over = {
      schedules: [schedule("p", eightToNine)],
      playlists: [playlist("p", ["a", "b", "c"], "one")],
      versions: [lasting("a", 7000), lasting("b", 8000), lasting("c", 11_000)],
    };
    expect(fridayOf(over)).toEqual({ "": [0, 0], one: [139 + 139 + 138, (139 * 15 + 138 * 11) * SECOND_MS] });
  });

  test("begins anew with each segment, and a play that reaches over its end counts whole where it starts", () => {
    // 7 plays of 10 min from 08:00 until before 09:05; filler of 40 min from 00:00 (12 of them) and from 09:05 (23 in 14 h 55 min).
    const over = {
      schedules: [schedule("p", { dayparts: [{ from: "08:00", to: "09:05" }] })],
      playlists: [playlist("p", ["a"], "one"), playlist("d", ["d"])],
      versions: [lasting("a", 10 * MINUTE_MS), lasting("d", 40 * MINUTE_MS)],
      default_playlist_id: "d",
    };
    expect(fridayOf(over)).toEqual({ "": [12 + 23, 35 * 40 * MINUTE_MS], one: [7, 70 * MINUTE_MS] });
  });

  test("of a video of unknown length is taken as 10 s", () => {
    const over = { schedules: [schedule("p", eightToNine)], playlists: [playlist("p", ["a"], "one")], versions: [lasting("a", null)] };
    expect(fridayOf(over)).toMatchObject({ one: [360, HOUR_MS] });
  });

  test("is nothing where there is nothing to play; days behind the plan are not there", () => {
    expect(fridayOf({})).toEqual({ "": [0, 0] });
    expect(plannedOf(planOf({}), { from: MIDNIGHT + 4 * DAY_MS, to: MIDNIGHT + 9 * DAY_MS })).toEqual(new Map());
    expect(plannedOf(planOf({}), { from: NOON, to: NOON })).toEqual(new Map());
    expect([...plannedOf(planOf({}), { from: NOON, to: MIDNIGHT + DAY_MS }).keys()]).toEqual(["2026-11-20"]);
  });

  test("of a takeover is for nobody, and takes the others' time", () => {
    const over = {
      schedules: [schedule("p")],
      playlists: [playlist("p", ["a"], "one")],
      takeovers: [{ id: "fire", from: NOON, to: NOON + HOUR_MS, items: playlist("x", ["f"]).items }],
    };
    // 15 s each: 240 an hour.
    expect(fridayOf(over)).toEqual({ "": [240, HOUR_MS], one: [23 * 240, 23 * HOUR_MS] });
    const billed = planOf(over);
    for (const item of Object.values(billed.items)) item.campaign_id = "one";
    expect(dayOf(billed, "2026-11-20")).toEqual({ "": [240, HOUR_MS], one: [23 * 240, 23 * HOUR_MS] });
  });

  test("in a span is what starts in it, from its first instant until before its last", () => {
    const over = { schedules: [schedule("p")], playlists: [playlist("p", ["a"], "one")] };
    const plays = (from: number, to: number) => fridayOf(over, { from, to }).one?.[0] ?? 0;
    const start = MIDNIGHT + 8 * HOUR_MS;
    expect([
      plays(start, start + 15_000),
      plays(start, start + 15_001),
      plays(start + 1, start + 15_000),
      plays(start + 1, start + 15_001),
    ]).toEqual([1, 2, 0, 1]);
  });
});

describe("caps", () => {
  const filled = { playlists: [playlist("p", ["a"], "one"), playlist("d", ["d"])], default_playlist_id: "d" };

  test("by the hour pass over what is used up; the fallback plays where all is", () => {
    // Each hour: 6 × 15 s, then filler from 90 s on: 234 × 15 s.
    expect(fridayOf({ ...filled, schedules: [schedule("p", HOURLY(6))] })).toEqual({
      "": [24 * 234, 24 * 234 * 15_000],
      one: [144, 144 * 15_000],
    });
  });

  test("leave the time to the other slots of the loop", () => {
    const over = {
      schedules: [schedule("p", HOURLY(6)), schedule("q")],
      playlists: [playlist("p", ["a"], "one"), playlist("q", ["b"], "two")],
    };
    expect(fridayOf(over)).toEqual({ "": [0, 0], one: [144, 144 * 15_000], two: [24 * 234, 24 * 234 * 15_000] });
  });

  test("without a fallback leave the rest of the hour empty", () => {
    expect(fridayOf({ playlists: filled.playlists, schedules: [schedule("p", HOURLY(6))] })).toEqual({
      "": [0, 0],
      one: [144, 144 * 15_000],
    });
  });

  test("by the day hold over all segments of the day, and begin anew with the next", () => {
    const rules = {
      ...DAILY(300),
      dayparts: [
        { from: "08:00", to: "09:00" },
        { from: "12:00", to: "13:00" },
      ],
    };
    // 240 in the first hour, 60 in the second, and filler in what is left.
    const plan = planOf({ ...filled, schedules: [schedule("p", rules)] });
    const day = { "": [5760 - 300, (5760 - 300) * 15_000], one: [300, 300 * 15_000] };
    expect([dayOf(plan, "2026-11-20"), dayOf(plan, "2026-11-23")]).toEqual([day, day]);
  });

  test("hold for all slots of the playlist that has them, in the order of the loop", () => {
    const over = {
      schedules: [schedule("p", HOURLY(5))],
      playlists: [playlist("p", ["a", "b"], "one")],
      versions: [lasting("a", 10_000), lasting("b", 20_000)],
    };
    // a b a b a in the first hour, b a b a b in the next: three of the one and two of the other, in turn.
    expect(fridayOf(over)).toMatchObject({ one: [120, 12 * (3 * 10 + 2 * 20 + 2 * 10 + 3 * 20) * SECOND_MS] });
  });

  test("go by the clock hours of the store, in a zone of half an hour too", () => {
    const rules = { ...HOURLY(2), dayparts: [{ from: "08:30", to: "09:30" }] };
    const store = { id: "store", timezone: "Asia/Kolkata" };
    // 08:30 to 09:00 and 09:00 to 09:30 are of two hours: two plays in each. By UTC's hours it would be one.
    const plan = planOf({ store, schedules: [schedule("p", rules)], playlists: filled.playlists });
    expect(plan.valid_from).toBe("2026-11-19T18:30:00.000Z");
    expect(dayOf(plan, "2026-11-20")).toEqual({ "": [0, 0], one: [4, 60_000] });
  });

  test("count what was before a span, which they don't begin anew", () => {
    const over = { ...filled, schedules: [schedule("p", HOURLY(6))] };
    const half = MIDNIGHT + 8 * HOUR_MS + 45_000;
    expect(fridayOf(over, { from: half, to: MIDNIGHT + 9 * HOUR_MS })).toEqual({ "": [234, 234 * 15_000], one: [3, 45_000] });
  });
});

describe("clock changes", () => {
  const all = (timezone: string, now: string) =>
    planOf({ store: { id: "store", timezone }, schedules: [schedule("p")], playlists: [playlist("p", ["a"], "one")] }, Date.parse(now));

  test.each([
    ["Europe/Berlin", "2026-03-29", 23],
    ["Europe/Berlin", "2026-10-25", 25],
    ["America/New_York", "2026-11-01", 25],
    ["Australia/Lord_Howe", "2026-04-05", 24.5],
    ["Australia/Lord_Howe", "2026-10-04", 23.5],
    ["Asia/Kolkata", "2026-10-25", 24],
  ])("in %s %s has %d hours of plays", (timezone, day, hours) => {
    const plan = all(timezone, `${day}T12:00:00Z`);
    expect(dayOf(plan, day)).toEqual({ "": [0, 0], one: [240 * hours, hours * HOUR_MS] });
  });

  test("an hour that the clock shows twice has its cap twice", () => {
    const rules = { ...HOURLY(6), dayparts: [{ from: "02:00", to: "03:00" }] };
    const store = { id: "store", timezone: "Europe/Berlin" };
    const plan = planOf(
      { store, schedules: [schedule("p", rules)], playlists: [playlist("p", ["a"], "one")] },
      Date.parse("2026-10-25T12:00:00Z"),
    );
    expect([dayOf(plan, "2026-10-25").one, dayOf(plan, "2026-10-26").one]).toEqual([
      [12, 180_000],
      [6, 90_000],
    ]);
  });
});
