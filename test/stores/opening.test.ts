import { expect, test } from "vitest";
import type { OperatingHours } from "../../src/stores/hours.ts";
import { isOpenAt } from "../../src/stores/opening.ts";

const SHOP: OperatingHours = {
  mon: [
    { from: "08:00", to: "12:00" },
    { from: "13:00", to: "20:00" },
  ],
  fri: [{ from: "18:00", to: "02:00" }],
  sat: [{ from: "00:00", to: "24:00" }],
  holidays: [
    { date: "2026-12-24", hours: [{ from: "08:00", to: "12:00" }] },
    { date: "2026-12-25", hours: [] },
    { date: "2026-12-31", hours: [{ from: "20:00", to: "04:00" }] },
  ],
};
const DAILY: OperatingHours = Object.fromEntries(
  ["mon", "tue", "wed", "thu", "fri", "sat", "sun"].map((day) => [day, [{ from: "02:00", to: "03:00" }]]),
);

// 2026-11-23 is a Monday, 2026-12-25 a Friday.
test.each<[string, OperatingHours | null, string, string, boolean]>([
  ["before it opens", SHOP, "Asia/Ho_Chi_Minh", "2026-11-23T00:59:59.999Z", false],
  ["when it opens", SHOP, "Asia/Ho_Chi_Minh", "2026-11-23T01:00:00Z", true],
  ["at noon, when it closes", SHOP, "Asia/Ho_Chi_Minh", "2026-11-23T05:00:00Z", false],
  ["after noon", SHOP, "Asia/Ho_Chi_Minh", "2026-11-23T06:00:00Z", true],
  ["at the same instant in another zone", SHOP, "America/New_York", "2026-11-23T06:00:00Z", false],
  ["on a weekday without hours", SHOP, "UTC", "2026-11-24T10:00:00Z", false],
  ["on Friday night", SHOP, "UTC", "2026-11-27T23:30:00Z", true],
  ["behind the midnight of Friday night, on Saturday's own hours", SHOP, "UTC", "2026-11-28T02:30:00Z", true],
  ["on Sunday, just after Saturday's 24:00", SHOP, "UTC", "2026-11-29T00:00:00Z", false],
  ["on a holiday within its hours", SHOP, "UTC", "2026-12-24T09:00:00Z", true],
  ["on a holiday behind its hours", SHOP, "UTC", "2026-12-24T12:00:00Z", false],
  ["on a Friday that is a holiday without hours", SHOP, "UTC", "2026-12-25T19:00:00Z", false],
  ["on the Saturday behind that holiday", SHOP, "UTC", "2026-12-26T01:00:00Z", true],
  ["on a holiday's night, which runs over midnight", SHOP, "UTC", "2027-01-01T03:59:00Z", true],
  ["behind that night", SHOP, "UTC", "2027-01-01T04:00:00Z", false],
  ["that never said its hours", null, "UTC", "2026-11-24T10:00:00Z", true],
  ["that said it has none", {}, "UTC", "2026-11-24T10:00:00Z", false],
  ["in an hour that the clock change skips", DAILY, "Europe/Berlin", "2026-03-29T01:00:00Z", false],
  ["in the first of two hours that the clock change repeats", DAILY, "Europe/Berlin", "2026-10-25T00:30:00Z", true],
  ["in the second of them", DAILY, "Europe/Berlin", "2026-10-25T01:30:00Z", true],
  ["behind both", DAILY, "Europe/Berlin", "2026-10-25T02:00:00Z", false],
])("a store %s", (_, hours, timezone, at, open) => {
  expect(isOpenAt(hours, timezone, Date.parse(at))).toBe(open);
});

test("hours that end when they begin last for a day", () => {
  const hours: OperatingHours = { mon: [{ from: "06:00", to: "06:00" }] };
  const at = (text: string) => isOpenAt(hours, "UTC", Date.parse(text));
  expect([at("2026-11-23T05:59:00Z"), at("2026-11-23T06:00:00Z"), at("2026-11-24T05:59:00Z"), at("2026-11-24T06:00:00Z")]).toEqual([
    false,
    true,
    true,
    false,
  ]);
});
