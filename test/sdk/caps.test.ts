import { describe, expect, test } from "vitest";
import { CapCounter, type CapUses, isUsedUp, wallTimeOf, withUse } from "../../src/sdk/caps.ts";
import { termsOf } from "../../src/sdk/what-plays.ts";
import { Disk } from "./paired.ts";
import { item, SHA, slot } from "./plan-fixture.ts";

const at = (text: string) => Date.parse(text);
const capped = (caps: { max_plays_per_hour?: number; max_plays_per_day?: number }, playlist = "p") => {
  const one = slot("k", 0, "a", { caps, playlist_id: playlist });
  return [one, termsOf(one, item(SHA.a))] as const;
};

describe("the clock of a zone", () => {
  test.each([
    ["2026-11-20T23:59:59.999Z", "UTC", "2026-11-20", "2026-11-20 23 GMT+00:00"],
    ["2026-11-20T23:30:00Z", "Asia/Kolkata", "2026-11-21", "2026-11-21 05 GMT+05:30"],
    ["2026-11-20T23:30:00Z", "Nowhere/Land", "2026-11-20", "2026-11-20 23 GMT+00:00"],
    ["2026-11-20T05:00:00Z", "America/New_York", "2026-11-20", "2026-11-20 00 GMT-05:00"],
  ])("%s in %s", (instant, zone, day, hour) => {
    expect(wallTimeOf(at(instant), zone)).toEqual({ day, hour });
  });

  test("has the hour that summer time's end repeats as two", () => {
    const hours = ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z"].map((instant) => wallTimeOf(at(instant), "Europe/Berlin").hour);
    expect(hours).toEqual(["2026-10-25 02 GMT+02:00", "2026-10-25 02 GMT+01:00"]);
  });
});

describe("a cap", () => {
  const noon = { hour: "h12", day: "d1" };

  test("an hour is used up by as many plays, and is free in the next", () => {
    const [one, terms] = capped({ max_plays_per_hour: 2 });
    let uses: CapUses = {};
    const key = '["p",2,null]';
    for (const expected of [false, false, true]) {
      expect(isUsedUp(uses, one, terms, noon)).toBe(expected);
      uses = withUse(uses, key, noon);
    }
    expect(isUsedUp(uses, one, terms, { hour: "h13", day: "d1" })).toBe(false);
  });

  test("a day is used up over its hours, and is free on the next", () => {
    const [one, terms] = capped({ max_plays_per_hour: 9, max_plays_per_day: 2 });
    let uses: CapUses = {};
    for (const hour of ["h1", "h2"]) uses = withUse(uses, '["p",9,2]', { hour, day: "d1" });
    expect(isUsedUp(uses, one, terms, { hour: "h3", day: "d1" })).toBe(true);
    expect(isUsedUp(uses, one, terms, { hour: "h3", day: "d2" })).toBe(false);
  });

  test("holds for all slots of its playlist that have it, over restarts, and for no other playlist", async () => {
    const disk = new Disk<CapUses>();
    const counter = await CapCounter.open(disk);
    const [one, terms] = capped({ max_plays_per_hour: 1 });
    const other = slot("k", 5, "b", { caps: { max_plays_per_hour: 1 }, playlist_id: "p" });
    const [elsewhere, theirs] = capped({ max_plays_per_hour: 1 }, "q");
    const now = at("2026-11-20T12:10:00Z");
    counter.use(one, terms, now, "UTC");
    await Promise.resolve();
    for (const later of [counter, await CapCounter.open(disk)]) {
      expect(later.isUsedUp(one, terms, now, "UTC")).toBe(true);
      expect(later.isUsedUp(other, terms, now, "UTC")).toBe(true);
      expect(later.isUsedUp(elsewhere, theirs, now, "UTC")).toBe(false);
      expect(later.isUsedUp(one, terms, at("2026-11-20T13:00:00Z"), "UTC")).toBe(false);
    }
  });

  test("that is none counts nothing", async () => {
    const disk = new Disk<CapUses>();
    const counter = await CapCounter.open(disk);
    const [one, terms] = capped({});
    counter.use(one, terms, 0, "UTC");
    expect([counter.isUsedUp(one, terms, 0, "UTC"), disk.saves]).toEqual([false, 0]);
  });
});
