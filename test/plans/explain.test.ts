import { describe, expect, test } from "vitest";
import { explainPlan } from "../../src/plans/explain.ts";
import type { PlanInput, ScheduleRules } from "../../src/plans/input.ts";
import { input, items, NOON, playlist, schedule, shown, version } from "./fixture.ts";

/** Friday 27 November 2026, 14:00 in Ho Chi Minh City. */
const FRIDAY = Date.parse("2026-11-27T07:00:00Z");

function reasonFor(rules: ScheduleRules, over: Partial<PlanInput> = {}, at = FRIDAY) {
  const made = input({ schedules: [schedule("p", rules)], playlists: [playlist("p", ["a"])], ...over });
  const found = explainPlan(made, at).schedules.find(({ schedule_id }) => schedule_id === "p");
  if (!found) throw new Error("not explained");
  const { schedule_id: _, name: __, playlist_id: ___, priority: ____, next_at: _____, ...reason } = found;
  return reason;
}

describe("why a schedule plays or not", () => {
  test("it plays", () => expect(reasonFor({})).toEqual({ reason: "plays" }));

  test("its dates", () => {
    expect(reasonFor({ start_date: "2026-11-28" })).toEqual({ reason: "not_yet", start_date: "2026-11-28" });
    expect(reasonFor({ start_date: "2026-11-27", end_date: "2026-11-27" })).toEqual({ reason: "plays" });
    expect(reasonFor({ end_date: "2026-11-26" })).toEqual({ reason: "ended", end_date: "2026-11-26" });
    expect(reasonFor({ exclusions: { dates: ["2026-11-27"] } })).toEqual({ reason: "excluded_date", date: "2026-11-27" });
  });

  test("its dayparts, which end before their end", () => {
    const from = (from: string, to: string) => reasonFor({ dayparts: [{ days: ["fri"], from, to }] });
    expect(from("14:00", "15:00")).toEqual({ reason: "plays" });
    expect(from("13:00", "14:00")).toEqual({ reason: "outside_dayparts" });
    expect(reasonFor({ dayparts: [{ days: ["thu", "sat"], from: "13:00", to: "15:00" }] })).toEqual({ reason: "outside_dayparts" });
  });

  test("after midnight, the dates of the evening before", () => {
    const night = { dayparts: [{ from: "22:00", to: "02:00" }] };
    const oneInTheMorning = Date.parse("2026-11-26T18:00:00Z");
    expect(reasonFor({ ...night, end_date: "2026-11-26" }, {}, oneInTheMorning)).toEqual({ reason: "plays" });
    expect(reasonFor({ ...night, end_date: "2026-11-25" }, {}, oneInTheMorning)).toEqual({ reason: "ended", end_date: "2026-11-25" });
    expect(reasonFor({ ...night, start_date: "2026-11-27" }, {}, oneInTheMorning)).toEqual({ reason: "not_yet", start_date: "2026-11-27" });
  });

  test("the store, the archive, another zone", () => {
    expect(reasonFor({ exclusions: { store_ids: ["store"] } })).toEqual({ reason: "excluded_store", store_id: "store" });
    expect(reasonFor({}, { schedules: [schedule("p", {}, { archived: true })] })).toEqual({ reason: "archived" });
    // In New York it is 02:00.
    const morning = schedule("p", { dayparts: [{ from: "01:00", to: "03:00" }] }, { timezone: "America/New_York" });
    expect(reasonFor({}, { schedules: [morning] })).toEqual({ reason: "plays" });
  });

  test("one of higher priority", () => {
    const schedules = [
      schedule("p", { priority: 1 }),
      schedule("q", { priority: 3 }),
      schedule("r", { priority: 3 }),
      schedule("s", { priority: 2 }),
    ];
    expect(reasonFor({}, { schedules })).toEqual({ reason: "lower_priority", than: ["q", "r"], their_priority: 3 });
  });

  test("a takeover, but only of what is on", () => {
    const takeovers = [{ id: "t", from: NOON, to: null, items: items(["fire"]) }];
    const versions = [version("a"), version("fire")];
    expect(reasonFor({}, { takeovers, versions })).toEqual({ reason: "takeover", takeover_id: "t" });
    expect(reasonFor({ end_date: "2026-11-26" }, { takeovers, versions })).toEqual({ reason: "ended", end_date: "2026-11-26" });
  });

  test("nothing to play, and no time to play it in", () => {
    expect(reasonFor({}, { playlists: [] })).toEqual({ reason: "empty_playlist" });
    const schedules = [schedule("p"), schedule("v", { share_of_voice_s_per_hour: 3600 })];
    expect(reasonFor({}, { schedules, playlists: [playlist("p", ["a"]), playlist("v", ["v"])] })).toEqual({ reason: "no_time_left" });
    expect(reasonFor({}, { schedules })).toEqual({ reason: "plays" });
  });
});

test("what plays on Friday at 14:00, and why not the other one", () => {
  const explained = explainPlan(
    input({
      schedules: [
        schedule("weekend", { priority: 5, dayparts: [{ days: ["sat", "sun"], from: "10:00", to: "18:00" }] }, { name: "Weekend" }),
        schedule("week", {}, { name: "Week" }),
      ],
      playlists: [playlist("weekend", ["w"], "campaign"), playlist("week", ["a", "b"])],
    }),
    FRIDAY,
  );
  expect([explained.at, explained.local, explained.timezone]).toEqual([
    "2026-11-27T07:00:00.000Z",
    "2026-11-27T14:00:00.000",
    "Asia/Ho_Chi_Minh",
  ]);
  expect([explained.segment.from, explained.segment.to, shown(explained.segment)]).toEqual([
    "2026-11-26T17:00:00.000Z",
    "2026-11-28T03:00:00.000Z",
    "a b",
  ]);
  expect(Object.keys(explained.items)).toEqual(["a", "b"]);
  expect(explained.schedules).toEqual([
    { schedule_id: "week", name: "Week", playlist_id: "week", priority: 0, next_at: null, reason: "plays" },
    {
      schedule_id: "weekend",
      name: "Weekend",
      playlist_id: "weekend",
      priority: 5,
      next_at: "2026-11-28T03:00:00.000Z",
      reason: "outside_dayparts",
    },
  ]);
});
