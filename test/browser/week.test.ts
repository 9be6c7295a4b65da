import { describe, expect, test } from "bun:test";
import { daypartsOfWeek, emptyWeek, hoursOfWeek, paint, weekOfDayparts, weekOfHours } from "../../src/console/parts/week.ts";
import { readWeek, wordsOfWeek } from "../../src/console/parts/week-words.ts";

function wordsRead(text: string): string {
  const read = readWeek(text);
  return read.ok ? wordsOfWeek(read.value) : `FAULT ${read.fault}`;
}

describe("a week in words", () => {
  test.each([
    ["Mon–Fri 08:00–12:00 and 13:00–18:00, Sat 09:00–14:00", "Mon–Fri 08:00–12:00 and 13:00–18:00, Sat 09:00–14:00"],
    ["weekdays 8-18; weekend 9am-2pm", "Mon–Fri 08:00–18:00, Sat, Sun 09:00–14:00"],
    ["every day 22:00 to 02:00", "every day 22:00–02:00"],
    ["Fri-Mon all day", "Mon, Fri–Sun all day"],
    ["9-5pm", "every day 09:00–17:00"],
    ["daily 10:00-20:00, sunday closed", "Mon–Sat 10:00–20:00"],
    ["Tuesday and Thursday 07:15–07:45", "Tue, Thu 07:15–07:45"],
    ["closed", "closed"],
  ])("%p is read as %p", (text, words) => {
    expect(wordsRead(text)).toBe(words);
    // What is written is read as itself.
    expect(wordsRead(words)).toBe(words);
  });

  test("what is not understood is named", () => {
    expect(wordsRead("Mon–Fri 08:00–18:00, whenever, Sat")).toStartWith("FAULT “whenever” is not understood.");
    expect(wordsRead("Mon 25:00–26:00")).toBe("FAULT “25:00–26:00” is no span of time.");
    expect(wordsRead("Mon–Wed")).toBe("FAULT Say the hours of Mon–Wed, such as 08:00–18:00.");
  });
});

describe("a painted week", () => {
  test("sets and clears time, and keeps a night in one piece", () => {
    let week = paint(emptyWeek(), ["mon", "tue"], { from: 480, to: 1080 }, true);
    week = paint(week, ["tue"], { from: 720, to: 780 }, false);
    expect(wordsOfWeek(week)).toBe("Mon 08:00–18:00, Tue 08:00–12:00 and 13:00–18:00");
    week = paint(paint(emptyWeek(), ["sat"], { from: 1320, to: 1440 }, true), ["sun"], { from: 0, to: 120 }, true);
    expect(wordsOfWeek(week)).toBe("Sat 22:00–02:00");
    expect(wordsOfWeek(paint(week, ["sun"], { from: 60, to: 120 }, false))).toBe("Sat 22:00–01:00");
  });

  test("comes from and goes to the API's hours and dayparts unchanged", () => {
    const hours = { mon: [{ from: "08:00", to: "24:00" }], sat: [{ from: "22:00", to: "02:00" }] };
    expect(hoursOfWeek(weekOfHours(hours))).toEqual(hours);
    const dayparts = [
      { days: ["mon" as const, "tue" as const], from: "08:00", to: "12:00" },
      { from: "18:00", to: "20:00" },
    ];
    expect(daypartsOfWeek(weekOfDayparts(dayparts))).toEqual(dayparts);
    expect(daypartsOfWeek(weekOfDayparts(undefined))).toEqual([]);
  });
});
