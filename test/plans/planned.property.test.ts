import { expect, test } from "vitest";
import type { PlanInput } from "../../src/plans/input.ts";
import type { Plan, PlanSegment, PlanSlot } from "../../src/plans/plan.ts";
import { plannedOf } from "../../src/plans/planned.ts";
import { HOUR_MS } from "../../src/platform/time.ts";
import { storeDay } from "../../src/plays/sequencer/store-day.ts";
import fc from "../support/property.ts";
import { NOON, planOf, playlist, schedule, version } from "./fixture.ts";

type Sums = Record<string, number>;

/** The plain way: one play after the other, with caps by clock hour and day of a zone without clock changes. */
function stepThrough(plan: Plan, offsetMs: number, from: number, to: number): Sums {
  const sums: Sums = {};
  const used = new Map<string, number>();
  const termsOf = (slot: PlanSlot) => ({ ...plan.items[slot.item], ...slot });
  const openAt = (slot: PlanSlot, at: number): boolean =>
    keysAt(slot, at).every(([key, most]) => most === undefined || (used.get(key) ?? 0) < most);
  const keysAt = (slot: PlanSlot, at: number): [string, number | undefined][] => {
    const { caps = {} } = termsOf(slot);
    const name = JSON.stringify([slot.playlist_id, caps]);
    return [
      [`${name} hour ${Math.floor((at + offsetMs) / HOUR_MS)}`, caps.max_plays_per_hour],
      [`${name} day ${Math.floor((at + offsetMs) / (24 * HOUR_MS))}`, caps.max_plays_per_day],
    ];
  };
  const play = (slot: PlanSlot, at: number): number => {
    for (const [key] of keysAt(slot, at)) used.set(key, (used.get(key) ?? 0) + 1);
    const { campaign_id, duration_ms } = termsOf(slot);
    if (at >= from && at < to) {
      const key = `${storeDay(at, plan.timezone)} ${campaign_id ?? ""}`;
      sums[key] = (sums[key] ?? 0) + 1;
    }
    return at + (duration_ms ?? 10_000);
  };
  const through = ({ from: begin, to: end, loop, fallback = [] }: PlanSegment) => {
    let [at, place, fallbackPlace] = [Date.parse(begin), 0, 0];
    while (at < Date.parse(end)) {
      const next = loop.findIndex((_, index) => openAt(loop[(place + index) % loop.length] as PlanSlot, at));
      if (next >= 0) {
        at = play(loop[(place + next) % loop.length] as PlanSlot, at);
        place = (place + next + 1) % loop.length;
      } else if (fallback.length > 0) at = play(fallback[fallbackPlace++ % fallback.length] as PlanSlot, at);
      else at = (Math.floor((at + offsetMs) / HOUR_MS) + 1) * HOUR_MS - offsetMs;
    }
  };
  plan.segments.forEach(through);
  return sums;
}

const daypart = fc
  .tuple(fc.integer({ min: 0, max: 22 }), fc.integer({ min: 0, max: 59 }), fc.integer({ min: 1, max: 60 }))
  .map(([hour, minute, length]) => {
    const end = hour * 60 + minute + length;
    const clock = (at: number) => `${String(Math.floor(at / 60)).padStart(2, "0")}:${String(at % 60).padStart(2, "0")}`;
    return { from: clock(hour * 60 + minute), to: clock(end) };
  });
const cap = fc.constantFrom(
  undefined,
  { max_plays_per_hour: 1 },
  { max_plays_per_hour: 7 },
  { max_plays_per_day: 20 },
  { max_plays_per_hour: 3, max_plays_per_day: 50 },
);
const rules = fc.record({
  dayparts: fc.array(daypart, { maxLength: 2 }),
  priority: fc.constantFrom(0, 0, 1),
  weight: fc.integer({ min: 1, max: 3 }),
  frequency_cap: cap,
});
const ids = ["a", "b", "c", "d"];
const inputs = fc
  .record({
    schedules: fc.array(fc.tuple(fc.constantFrom("p", "q", "r"), rules), { maxLength: 4 }),
    durations: fc.array(fc.constantFrom(null, 4999, 15_000, 61_000, 700_000), { minLength: 4, maxLength: 4 }),
    filler: fc.boolean(),
    timezone: fc.constantFrom("Asia/Ho_Chi_Minh", "Asia/Kolkata"),
  })
  .map(
    ({ schedules, durations, filler, timezone }): Partial<PlanInput> => ({
      store: { id: "store", timezone },
      schedules: schedules.map(([playlist_id, rule], index) => {
        const { frequency_cap, ...others } = rule;
        return schedule(`s${index}`, { ...others, ...(frequency_cap && { frequency_cap }) }, { playlist_id });
      }),
      playlists: [playlist("p", ["a", ["b", 2]], "one"), playlist("q", ["c"], "two"), playlist("r", ["a", "c"]), playlist("d", ["d"])],
      versions: ids.map((id, index) => version(id, { duration_ms: durations[index] ?? null })),
      default_playlist_id: filler ? "d" : null,
    }),
  );

test("counts what playing slot by slot gives, whatever the loops, caps and spans; and spans add up", () => {
  let plays = 0;
  fc.assert(
    fc.property(inputs, fc.integer({ min: 0, max: 96 * HOUR_MS }), fc.integer({ min: 0, max: 96 * HOUR_MS }), (input, a, b) => {
      const plan = planOf(input, NOON);
      const [from, to] = [Date.parse(plan.valid_from) + Math.min(a, b), Date.parse(plan.valid_from) + Math.max(a, b)];
      const sumsOf = (begin: number, end: number) => {
        const sums: Sums = {};
        for (const [day, campaigns] of plannedOf(plan, { from: begin, to: end }))
          for (const [campaign, sum] of campaigns) if (sum.plays > 0) sums[`${day} ${campaign}`] = sum.plays;
        return sums;
      };
      const sorted = (sums: Sums) => Object.entries(sums).sort();
      const planned = sumsOf(from, to);
      expect(sorted(planned)).toEqual(
        sorted(stepThrough(plan, input.store?.timezone === "Asia/Kolkata" ? 5.5 * HOUR_MS : 7 * HOUR_MS, from, to)),
      );
      plays += Object.values(planned).reduce((sum, count) => sum + count, 0);
      const added: Sums = {};
      for (const part of [sumsOf(-Infinity, from), planned, sumsOf(to, Infinity)])
        for (const [key, count] of Object.entries(part)) added[key] = (added[key] ?? 0) + count;
      expect(sorted(added)).toEqual(sorted(sumsOf(-Infinity, Infinity)));
    }),
    { numRuns: 150 },
  );
  expect(plays).toBeGreaterThan(10_000);
});

test("behind whole rounds that pass over what is used up, a loop goes on behind what it played last", () => {
  // From 00:36 on p has used up its hour, and rounds of q alone fill the hour to its end: what is next is p's, as the loop has it.
  const plan = planOf(
    {
      store: { id: "store", timezone: "Asia/Ho_Chi_Minh" },
      schedules: [
        schedule("s0", { dayparts: [{ from: "00:36", to: "01:01" }] }, { playlist_id: "q" }),
        schedule("s1", { frequency_cap: { max_plays_per_hour: 7 } }, { playlist_id: "p" }),
      ],
      playlists: [playlist("p", ["a", ["b", 2]], "one"), playlist("q", ["c"], "two")],
      versions: [version("a", { duration_ms: null }), version("b", { duration_ms: 61_000 }), version("c", { duration_ms: 15_000 })],
      default_playlist_id: null,
    },
    NOON,
  );
  const [from, to] = [Date.parse(plan.valid_from), Date.parse(plan.valid_to)];
  const planned: Sums = {};
  for (const [day, campaigns] of plannedOf(plan, { from, to }))
    for (const [campaign, { plays }] of campaigns) if (plays > 0) planned[`${day} ${campaign}`] = plays;
  expect(planned).toEqual(stepThrough(plan, 7 * HOUR_MS, from, to));
});
