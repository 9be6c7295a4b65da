import { describe, expect, test } from "vitest";
import { fieldErrors } from "../../src/platform/http.ts";
import { overlappingDayparts, WEEKDAYS } from "../../src/schedules/dayparts.ts";
import { checkRules, scheduleRulesSchema } from "../../src/schedules/rules.ts";
import vectors from "../vectors/plans.json";

/** Where a body of rules is refused, and why, as the API would say. */
function refusals(rules: unknown): { pointer: string; detail: string }[] {
  const parsed = scheduleRulesSchema.safeParse(rules);
  return parsed.success ? checkRules(parsed.data) : fieldErrors(parsed.error);
}

const UUID = "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5";
const WHOLE = {
  priority: 0,
  start_date: "2026-11-01",
  end_date: "2026-12-31",
  dayparts: [{ days: ["mon", "tue"], from: "08:00", to: "12:00" }],
  frequency_cap: { max_plays_per_hour: 6, max_plays_per_day: 100 },
  exclusions: { dates: ["2026-12-25"], store_ids: [] },
  weight: 1,
  share_of_voice_s_per_hour: null,
};

describe("rules that are taken as they are", () => {
  test.each(vectors.cases.flatMap(({ name, schedules }) => schedules.map(({ id, rules }) => [name, id, rules] as const)))(
    "%s, schedule %s",
    (_name, _id, rules) => {
      expect(refusals(rules)).toEqual([]);
      expect(scheduleRulesSchema.parse(rules)).toEqual(rules);
    },
  );

  test.each([
    ["none", {}],
    ["every field", WHOLE],
    ["nulls", { start_date: null, end_date: null, frequency_cap: null, exclusions: null, share_of_voice_s_per_hour: null }],
    ["one day", { start_date: "2026-12-24", end_date: "2026-12-24" }],
    ["no dayparts", { dayparts: [] }],
    ["the ranges' ends", { priority: -1000, weight: 100, share_of_voice_s_per_hour: 3600 }],
    ["priority at the top", { priority: 1000, weight: 1, share_of_voice_s_per_hour: 1 }],
  ])("%s", (_, rules) => {
    expect(refusals(rules)).toEqual([]);
    expect(scheduleRulesSchema.parse(rules)).toEqual(rules);
  });
});

describe("rules that are refused, and where", () => {
  test.each([
    ["a field that is not known", { ...WHOLE, prioritty: 1 }, "/prioritty"],
    ["one in a daypart", { dayparts: [{ from: "08:00", to: "09:00", day: "mon" }] }, "/dayparts/0/day"],
    ["one in the caps", { frequency_cap: { max_plays_per_week: 1 } }, "/frequency_cap/max_plays_per_week"],
    ["one in the exclusions", { exclusions: { stores: [] } }, "/exclusions/stores"],
    ["a priority that is no integer", { priority: 1.5 }, "/priority"],
    ["a priority too high", { priority: 1001 }, "/priority"],
    ["a weight of zero", { weight: 0 }, "/weight"],
    ["a weight too large", { weight: 101 }, "/weight"],
    ["a share of more than the hour", { share_of_voice_s_per_hour: 3601 }, "/share_of_voice_s_per_hour"],
    ["a share of nothing", { share_of_voice_s_per_hour: 0 }, "/share_of_voice_s_per_hour"],
    ["a cap of zero", { frequency_cap: { max_plays_per_hour: 0 } }, "/frequency_cap/max_plays_per_hour"],
    ["a cap above the day", { frequency_cap: { max_plays_per_day: 86_401 } }, "/frequency_cap/max_plays_per_day"],
    ["dates reversed", { start_date: "2026-12-02", end_date: "2026-12-01" }, "/end_date"],
    ["a date that no calendar has", { start_date: "2026-02-30" }, "/start_date"],
    ["an excluded date in another form", { exclusions: { dates: ["25.12.2026"] } }, "/exclusions/dates/0"],
    ["a date excluded twice", { exclusions: { dates: ["2026-12-25", "2026-12-25"] } }, "/exclusions/dates"],
    ["a store that is no id", { exclusions: { store_ids: ["d7"] } }, "/exclusions/store_ids/0"],
    ["a store excluded twice", { exclusions: { store_ids: [UUID, UUID.toUpperCase()] } }, "/exclusions/store_ids"],
    ["a weekday in words", { dayparts: [{ days: ["monday"], from: "08:00", to: "09:00" }] }, "/dayparts/0/days/0"],
    ["no weekday", { dayparts: [{ days: [], from: "08:00", to: "09:00" }] }, "/dayparts/0/days"],
    ["a weekday twice", { dayparts: [{ days: ["mon", "mon"], from: "08:00", to: "09:00" }] }, "/dayparts/0/days"],
    ["a daypart from 24:00", { dayparts: [{ from: "24:00", to: "01:00" }] }, "/dayparts/0/from"],
    ["a daypart to 24:01", { dayparts: [{ from: "23:00", to: "24:01" }] }, "/dayparts/0/to"],
    ["a daypart without an end", { dayparts: [{ from: "23:00" }] }, "/dayparts/0/to"],
    ["a time without a leading zero", { dayparts: [{ from: "8:00", to: "09:00" }] }, "/dayparts/0/from"],
    ["dayparts that are no list", { dayparts: {} }, "/dayparts"],
  ])("%s", (_, rules, pointer) => {
    expect(refusals(rules).map((refusal) => refusal.pointer)).toEqual([pointer]);
  });

  test("every unknown field is named", () => {
    expect(refusals({ one: 1, two: 2 })).toEqual([
      { pointer: "/one", detail: 'There is no field "one" here.' },
      { pointer: "/two", detail: 'There is no field "two" here.' },
    ]);
  });
});

describe("dayparts that overlap", () => {
  type Daypart = Parameters<typeof overlappingDayparts>[0][number];
  const cases: [string, Daypart[], { pointer: string; detail: string }[]][] = [
    [
      "on one day",
      [
        { days: ["mon", "tue"], from: "08:00", to: "12:00" },
        { days: ["tue", "wed"], from: "11:30", to: "14:00" },
      ],
      [{ pointer: "/dayparts/1", detail: "It overlaps dayparts/0 on Tuesday from 11:30 to 12:00." }],
    ],
    [
      "on every day, where days are left out",
      [
        { from: "08:00", to: "12:00" },
        { days: ["sun"], from: "11:59", to: "12:01" },
      ],
      [{ pointer: "/dayparts/1", detail: "It overlaps dayparts/0 on Sunday from 11:59 to 12:00." }],
    ],
    [
      "over midnight, on the day after",
      [
        { days: ["fri"], from: "22:00", to: "02:00" },
        { days: ["sat"], from: "01:00", to: "03:00" },
      ],
      [{ pointer: "/dayparts/1", detail: "It overlaps dayparts/0 on Saturday from 01:00 to 02:00." }],
    ],
    [
      "from Sunday over midnight to Monday",
      [
        { days: ["mon"], from: "00:00", to: "06:00" },
        { days: ["sun"], from: "23:00", to: "00:30" },
      ],
      [{ pointer: "/dayparts/1", detail: "It overlaps dayparts/0 on Monday from 00:00 to 00:30." }],
    ],
    [
      "the other way round",
      [
        { days: ["sun"], from: "23:00", to: "00:30" },
        { days: ["mon"], from: "00:00", to: "06:00" },
      ],
      [{ pointer: "/dayparts/1", detail: "It overlaps dayparts/0 on Monday from 00:00 to 00:30." }],
    ],
    [
      "a whole day that ends when it began, with the next one's morning",
      [
        { days: ["mon"], from: "08:00", to: "08:00" },
        { days: ["tue"], from: "07:59", to: "09:00" },
      ],
      [{ pointer: "/dayparts/1", detail: "It overlaps dayparts/0 on Tuesday from 07:59 to 08:00." }],
    ],
    [
      "the same twice, and a third with both",
      [
        { days: ["wed"], from: "10:00", to: "11:00" },
        { days: ["wed"], from: "10:00", to: "11:00" },
        { days: ["wed"], from: "10:30", to: "10:45" },
      ],
      [
        { pointer: "/dayparts/1", detail: "It overlaps dayparts/0 on Wednesday from 10:00 to 11:00." },
        { pointer: "/dayparts/2", detail: "It overlaps dayparts/0 on Wednesday from 10:30 to 10:45." },
      ],
    ],
  ];
  test.each(cases)("%s", (_, dayparts, errors) => {
    expect(overlappingDayparts(dayparts)).toEqual(errors);
  });

  const apart: [string, Daypart[]][] = [
    [
      "that touch",
      [
        { from: "08:00", to: "12:00" },
        { from: "12:00", to: "24:00" },
        { from: "00:00", to: "08:00" },
      ],
    ],
    [
      "at the same time of other days",
      [
        { days: ["mon"], from: "08:00", to: "12:00" },
        { days: ["tue"], from: "08:00", to: "12:00" },
      ],
    ],
    [
      "over midnight that touch",
      [
        { days: ["sun"], from: "22:00", to: "02:00" },
        { days: ["mon"], from: "02:00", to: "22:00" },
      ],
    ],
    ["that repeat every day round the clock", [{ from: "08:00", to: "08:00" }]],
    [
      "with 00:00 as an end",
      [
        { days: ["mon"], from: "22:00", to: "00:00" },
        { days: ["tue"], from: "00:00", to: "01:00" },
      ],
    ],
  ];
  test.each(apart)("are told from dayparts %s", (_, dayparts) => {
    expect(overlappingDayparts(dayparts)).toEqual([]);
  });

  test("are exactly those that share a minute of the week", () => {
    // Every pair of dayparts on a coarse grid, against a count of minutes by hand.
    const clocks = ["00:00", "06:00", "18:00"];
    const minutes = ({ days, from, to }: Daypart) => {
      const [start, end] = [from, to].map((clock) => Number(clock.slice(0, 2)) * 60);
      if (start === undefined || end === undefined) throw new Error("two clocks");
      const length = end > start ? end - start : end + 1440 - start;
      return new Set(
        (days ?? WEEKDAYS).flatMap((day) =>
          Array.from({ length: length / 60 }, (_, hour) => (WEEKDAYS.indexOf(day) * 1440 + start + hour * 60) % 10_080),
        ),
      );
    };
    const parts: Daypart[] = (["sun", "mon", "wed"] as const).flatMap((day) =>
      clocks.flatMap((from) => [...clocks, "24:00"].map((to) => ({ days: [day], from, to }))),
    );
    let overlaps = 0;
    for (const a of parts) {
      const mine = minutes(a);
      for (const b of parts) {
        const shared = [...minutes(b)].some((minute) => mine.has(minute));
        overlaps += Number(shared);
        expect(overlappingDayparts([a, b]).length, `${JSON.stringify(a)} ${JSON.stringify(b)}`).toBe(Number(shared));
      }
    }
    expect(overlaps).toBeGreaterThan(100);
    expect(overlaps).toBeLessThan(parts.length ** 2);
  });
});
