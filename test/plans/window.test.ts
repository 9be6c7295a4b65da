import { describe, expect, test } from "vitest";
import { planWindow, steadyStretches } from "../../src/plans/zone.ts";

const at = (time: string) => Date.parse(time);
const windowOf = (timezone: string, now: string) => {
  const { from, to } = planWindow(timezone, at(now));
  return [new Date(from).toISOString(), new Date(to).toISOString()];
};

describe("a plan's window", () => {
  test("is four local days, and the same all day long", () => {
    const day = ["2026-11-19T17:00:00.000Z", "2026-11-23T17:00:00.000Z"];
    expect(windowOf("Asia/Ho_Chi_Minh", "2026-11-19T17:00:00Z")).toEqual(day);
    expect(windowOf("Asia/Ho_Chi_Minh", "2026-11-20T16:59:59.999Z")).toEqual(day);
    expect(windowOf("Asia/Ho_Chi_Minh", "2026-11-20T17:00:00Z")).toEqual(["2026-11-20T17:00:00.000Z", "2026-11-24T17:00:00.000Z"]);
  });

  test("is a day longer where the clocks go forward, so that the evening of its first day has 72 h too", () => {
    expect(windowOf("Europe/Berlin", "2026-03-27T22:59:59Z")).toEqual(["2026-03-26T23:00:00.000Z", "2026-03-31T22:00:00.000Z"]);
  });

  test("an hour longer where they go back", () => {
    expect(windowOf("America/New_York", "2026-10-31T12:00:00Z")).toEqual(["2026-10-31T04:00:00.000Z", "2026-11-04T05:00:00.000Z"]);
  });

  test("reaches 72 h where the calendar skips a day", () => {
    // Samoa went from 29 December 2011 (UTC-10) straight to the 31st (UTC+14).
    expect(windowOf("Pacific/Apia", "2011-12-29T20:00:00Z")).toEqual(["2011-12-29T10:00:00.000Z", "2012-01-02T10:00:00.000Z"]);
    expect(windowOf("Pacific/Apia", "2011-12-30T10:00:00Z")).toEqual(["2011-12-30T10:00:00.000Z", "2012-01-03T10:00:00.000Z"]);
  });

  test("starts with the day's first instant where midnight is skipped", () => {
    // Beirut's clocks went from 24:00 on 28 March 2026 to 01:00 on the 29th.
    expect(windowOf("Asia/Beirut", "2026-03-29T09:00:00Z")[0]).toBe("2026-03-28T22:00:00.000Z");
  });
});

describe("a zone's clock", () => {
  test("is cut where it is changed", () => {
    const span = { from: at("2026-10-03T00:00:00Z"), to: at("2026-10-05T00:00:00Z") };
    const change = at("2026-10-03T15:30:00Z");
    expect(steadyStretches("Australia/Lord_Howe", span)).toEqual([
      { from: span.from, to: change, offsetMs: 10.5 * 3_600_000 },
      { from: change, to: span.to, offsetMs: 11 * 3_600_000 },
    ]);
  });

  test("that nobody knows is refused", () => {
    expect(() => planWindow("Mars/Olympus", 0)).toThrow(RangeError);
  });
});
