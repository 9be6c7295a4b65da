import { describe, expect, test } from "vitest";
import { explainPlan } from "../../src/plans/explain.ts";
import type { Daypart, PlanInput, PlanSchedule, ScheduleRules, Weekday } from "../../src/plans/input.ts";
import type { Plan } from "../../src/plans/plan.ts";
import { resolvePlan } from "../../src/plans/resolve.ts";
import { planWindow } from "../../src/plans/zone.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/platform/time.ts";
import fc from "../support/property.ts";
import { input, playlist } from "./fixture.ts";
import { playingAt, wallAt } from "./oracle.ts";

/** Instants just before a change of the clock, forward and back, and an ordinary one. */
const CHANGES: Record<string, string[]> = {
  "Europe/Berlin": ["2026-03-29T00:59:00Z", "2026-10-25T00:59:00Z", "2026-06-15T12:00:00Z"],
  "America/New_York": ["2026-03-08T06:59:00Z", "2026-11-01T05:59:00Z", "2026-07-04T12:00:00Z"],
  "Australia/Lord_Howe": ["2026-10-03T15:29:00Z", "2026-04-04T14:59:00Z", "2026-06-15T12:00:00Z"],
  "Asia/Kolkata": ["2026-12-31T18:29:00Z", "2028-02-28T18:29:00Z"],
  "Asia/Ho_Chi_Minh": ["2026-12-31T16:59:00Z", "2028-02-28T16:59:00Z"],
  "Pacific/Apia": ["2011-12-30T09:59:00Z", "2011-09-24T10:59:00Z", "2012-03-31T13:59:00Z", "2026-06-15T12:00:00Z"],
};
const ZONES = Object.keys(CHANGES);
const RUNS_PER_ZONE = 100;
const WEEK: Weekday[] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const STORE = "store";

const day = (at: number) => new Date(at).toISOString().slice(0, 10);

/** Dates from two days before to six days behind the start of a window. */
const date = (from: number) => fc.integer({ min: -2, max: 6 }).map((days) => day(from + days * DAY_MS));

/** Times of day, many of them near those that clocks skip or repeat. */
const minutes = fc.oneof(
  fc.integer({ min: 0, max: 24 * 60 - 1 }),
  fc.integer({ min: 0, max: 4 * 60 }),
  fc.constantFrom(0, 60, 120, 150, 180),
);
const clock = minutes.map((at) => `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`);

const daypart: fc.Arbitrary<Daypart> = fc.record(
  { days: fc.uniqueArray(fc.constantFrom(...WEEK), { minLength: 1 }), from: clock, to: fc.oneof(clock, fc.constant("24:00")) },
  { requiredKeys: ["from", "to"] },
);

function rulesFrom(from: number): fc.Arbitrary<ScheduleRules> {
  return fc.record(
    {
      priority: fc.integer({ min: -1, max: 1 }),
      start_date: fc.option(date(from)),
      end_date: fc.option(date(from)),
      dayparts: fc.array(daypart, { maxLength: 3 }),
      exclusions: fc.record(
        {
          dates: fc.array(date(from), { maxLength: 2 }),
          store_ids: fc.oneof({ weight: 4, arbitrary: fc.constant(["other"]) }, { weight: 1, arbitrary: fc.constant([STORE]) }),
        },
        { requiredKeys: [] },
      ),
      weight: fc.integer({ min: 1, max: 9 }),
      share_of_voice_s_per_hour: fc.oneof(
        { weight: 3, arbitrary: fc.constant(null) },
        { weight: 1, arbitrary: fc.integer({ min: 1, max: 3600 }) },
      ),
    },
    { requiredKeys: [] },
  );
}

interface Network {
  made: PlanInput;
  now: number;
}

/** A device in a zone, up to four days before a change of its clock, with up to six schedules, some by another zone's clock. */
function network(timezone: string): fc.Arbitrary<Network> {
  const instants = fc.tuple(fc.constantFrom(...(CHANGES[timezone] ?? [])), fc.integer({ min: 0, max: 4 * 24 }));
  return instants.chain(([change, hours]) => {
    const now = Date.parse(change) - hours * HOUR_MS;
    const one = fc.record({
      rules: rulesFrom(planWindow(timezone, now).from),
      timezone: fc.oneof({ weight: 3, arbitrary: fc.constant("store") }, { weight: 1, arbitrary: fc.constantFrom(...ZONES) }),
      archived: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
      versions: fc.array(fc.tuple(fc.constantFrom("a", "b", "c", "d"), fc.integer({ min: 1, max: 4 })), { maxLength: 4 }),
    });
    return fc.array(one, { maxLength: 6 }).map((shapes) => {
      const schedules: PlanSchedule[] = shapes.map(({ versions: _, ...shape }, index) => ({
        id: `s${index}`,
        playlist_id: `s${index}`,
        ...shape,
      }));
      const playlists = [...shapes.map(({ versions }, index) => playlist(`s${index}`, versions)), playlist("default", ["z"])];
      return { now, made: input({ store: { id: STORE, timezone }, schedules, playlists, default_playlist_id: "default" }) };
    });
  });
}

function expectNoHoles(plan: Plan) {
  const { segments } = plan;
  expect([segments[0]?.from, segments.at(-1)?.to]).toEqual([plan.valid_from, plan.valid_to]);
  for (const [index, { from, to, loop }] of segments.entries()) {
    expect(from < to).toBe(true);
    if (index > 0) expect(from).toBe(segments[index - 1]?.to);
    expect(loop.length).toBeGreaterThan(0);
  }
}

describe.each(ZONES)("plans in %s, through changes of the clock", (timezone) => {
  test(`what plays in each minute is what its rules say; no hole, no overlap (${RUNS_PER_ZONE} runs)`, { timeout: 300_000 }, () => {
    fc.assert(
      fc.property(network(timezone), ({ made, now }) => {
        const window = planWindow(timezone, now);
        const plan = resolvePlan(made, window);
        expectNoHoles(plan);
        let at = window.from;
        for (const { to, schedule_ids } of plan.segments) {
          for (; at < Date.parse(to); at += MINUTE_MS) {
            const expected = playingAt(made.schedules, STORE, (zone) => wallAt(zone === "store" ? timezone : zone, at));
            if (expected.join() !== schedule_ids.join())
              throw new Error(`${new Date(at).toISOString()}: ${schedule_ids}, but ${expected} are on`);
          }
        }
        expect(at).toBe(window.to);
      }),
      { numRuns: RUNS_PER_ZONE },
    );
  });

  test("a window starts with a local day, reaches 72 h from all of it, and is that of every instant of it (100 runs)", () => {
    const instants = fc.tuple(fc.constantFrom(...(CHANGES[timezone] ?? [])), fc.integer({ min: -96 * 60, max: 96 * 60 }));
    fc.assert(
      fc.property(instants, ([change, minutesOff]) => {
        const now = Date.parse(change) + minutesOff * MINUTE_MS;
        const { from, to } = planWindow(timezone, now);
        const { date } = wallAt(timezone, now);
        expect(wallAt(timezone, from).date).toBe(date);
        expect(wallAt(timezone, from - MINUTE_MS).date < date).toBe(true);
        expect(wallAt(timezone, to).date).not.toBe(wallAt(timezone, to - MINUTE_MS).date);
        let last = now;
        while (wallAt(timezone, last + MINUTE_MS).date === date) last += MINUTE_MS;
        expect(to - last).toBeGreaterThanOrEqual(72 * HOUR_MS);
        expect(planWindow(timezone, last)).toEqual({ from, to });
      }),
      { numRuns: 100 },
    );
  });

  test("the same inputs give the same bytes, in any order (100 runs)", () => {
    const shuffled = network(timezone).chain(({ made, now }) =>
      fc
        .record({
          schedules: fc.shuffledSubarray([...made.schedules], { minLength: made.schedules.length }),
          playlists: fc.shuffledSubarray([...made.playlists], { minLength: made.playlists.length }),
          versions: fc.shuffledSubarray([...made.versions], { minLength: made.versions.length }),
        })
        .map((lists) => ({ made, now, other: reordered({ ...made, ...lists }) })),
    );
    fc.assert(
      fc.property(shuffled, ({ made, now, other }) => {
        const window = planWindow(timezone, now);
        expect(JSON.stringify(resolvePlan(other, window))).toBe(JSON.stringify(resolvePlan(made, window)));
        expect(JSON.stringify(resolvePlan(made, planWindow(timezone, window.from)))).toBe(JSON.stringify(resolvePlan(made, window)));
      }),
      { numRuns: 100 },
    );
  });

  test("what is explained to play is what plays (100 runs)", () => {
    fc.assert(
      fc.property(network(timezone), fc.integer({ min: 0, max: 72 * 60 - 1 }), ({ made, now }, minute) => {
        const window = planWindow(timezone, now);
        const at = window.from + minute * MINUTE_MS;
        const { segment, schedules } = explainPlan(made, at);
        const plan = resolvePlan(made, planWindow(timezone, at));
        expect(plan.segments.find(({ from, to }) => Date.parse(from) <= at && at < Date.parse(to))).toEqual(segment);
        const on = schedules
          .filter(({ reason }) => ["plays", "empty_playlist", "no_time_left"].includes(reason))
          .map(({ schedule_id }) => schedule_id);
        expect(on).toEqual(segment.schedule_ids);
        const lower = schedules.filter(({ reason }) => reason === "lower_priority").map(({ schedule_id }) => schedule_id);
        const all = made.schedules.filter(({ id }) => [...on, ...lower].includes(id));
        const wall = (zone: string) => wallAt(zone === "store" ? timezone : zone, at);
        expect(playingAt(all, STORE, wall)).toEqual(on);
        for (const { id } of all)
          expect(
            playingAt(
              made.schedules.filter((each) => each.id === id),
              STORE,
              wall,
            ),
          ).toEqual([id]);
        const fillers = segment.loop.filter(({ playlist_id }) => playlist_id === "default").length;
        const playing = schedules.filter(({ reason }) => reason === "plays").map(({ playlist_id }) => playlist_id);
        expect(new Set(segment.loop.map(({ playlist_id }) => playlist_id))).toEqual(new Set([...playing, ...(fillers ? ["default"] : [])]));
      }),
      { numRuns: 100 },
    );
  });
});

/** The same with the keys of every object, and the items of every playlist, the other way round. */
function reordered(made: PlanInput): PlanInput {
  return turned({ ...made, playlists: made.playlists.map((list) => ({ ...list, items: [...list.items].reverse() })) });
}

function turned<T>(value: T): T {
  if (Array.isArray(value)) return value.map(turned) as T;
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).reverse();
  return Object.fromEntries(entries.map(([key, each]) => [key, turned(each)])) as T;
}
