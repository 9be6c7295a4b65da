import { expect, test } from "vitest";
import type { Plan, PlanSlot } from "../../src/plans/plan.ts";
import { plannedOf } from "../../src/plans/planned.ts";
import { type Turn, turnAfter, turnAt } from "../../src/player/turns.ts";
import { type CapUses, capKey, isUsedUp, wallTimeOf, withUse } from "../../src/sdk/caps.ts";
import { termsOf } from "../../src/sdk/what-plays.ts";
import { HOUR_MS, planOf, segment, T0 } from "../sdk/plan-fixture.ts";
import fc from "../support/property.ts";

// What the player shows and what the report calls planned are two pieces of code for one rule: they must come to the same.

const campaigns = ["", "acme", "brand"];

/** Lengths in steps of what is waited where everything is used up, so that hours begin on a step. */
const slotArbitrary = fc.record({
  seconds: fc.constantFrom(5, 10, 15, 30, 60),
  campaign: fc.constantFrom(...campaigns),
  playlist: fc.constantFrom("p", "q", "r"),
  caps: fc.constantFrom(
    {},
    {},
    { max_plays_per_hour: 1 },
    { max_plays_per_hour: 7 },
    { max_plays_per_day: 40 },
    { max_plays_per_hour: 5, max_plays_per_day: 9 },
  ),
});

const planArbitrary = fc
  .record({
    timezone: fc.constantFrom("UTC", "Asia/Kolkata", "America/New_York"),
    segments: fc.array(
      fc.record({
        hours: fc.integer({ min: 1, max: 9 }),
        loop: fc.array(slotArbitrary, { maxLength: 5 }),
        fallback: fc.array(slotArbitrary, { maxLength: 2 }),
      }),
      { minLength: 1, maxLength: 4 },
    ),
  })
  .map(({ timezone, segments }): Plan => {
    let hour = 0;
    const slots = (
      list: string,
      drawn: { seconds: number; campaign: string; playlist: string; caps: object }[],
      fixed: object,
    ): PlanSlot[] =>
      drawn.map(({ seconds, campaign, playlist, caps }, place) => ({
        ...{
          slot_id: `${list}-${place}`,
          item: "a",
          playlist_id: playlist,
          duration_ms: seconds * 1000,
          campaign_id: campaign || null,
          caps,
        },
        ...fixed,
      }));
    const made = segments.map(({ hours, loop, fallback }, index) => {
      const from = hour;
      hour += hours;
      return segment(from, hour, slots(`s${index}`, loop, {}), {
        ...(fallback.length > 0 ? { fallback: slots(`f${index}`, fallback, { playlist_id: "house", caps: {} }) } : {}),
      });
    });
    return planOf({ timezone, segments: made, valid_to: new Date(T0 + hour * HOUR_MS).toISOString() });
  });

/** What a player shows from the plan's beginning to its end, by campaign, if every play lasts as long as it is planned. */
function shown(plan: Plan): Record<string, number> {
  const counts: Record<string, number> = {};
  let uses: CapUses = {};
  const termsOfSlot = (slot: PlanSlot) => termsOf(slot, plan.items.a ?? Object.values(plan.items)[0] ?? raise());
  const pass = (slot: PlanSlot, at: number) => isUsedUp(uses, slot, termsOfSlot(slot), wallTimeOf(at, plan.timezone));
  let due = turnAt(plan, T0, pass);
  let last: Turn | null = null;
  for (let at = T0; at < Date.parse(plan.valid_to); ) {
    if (due.kind === "nothing") {
      at = due.until;
      due = last ? turnAfter(plan, last, at, pass) : turnAt(plan, at, pass);
      continue;
    }
    const { slot, terms, endsAt } = due.turn;
    const key = capKey(slot, terms);
    if (key !== null) uses = withUse(uses, key, wallTimeOf(at, plan.timezone));
    counts[terms.campaign_id ?? ""] = (counts[terms.campaign_id ?? ""] ?? 0) + 1;
    at = endsAt;
    last = due.turn;
    due = turnAfter(plan, last, at, pass);
  }
  return counts;
}

function raise(): never {
  throw new Error("The plan has no items.");
}

/** What the report calls planned, by campaign. */
function planned(plan: Plan): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const day of plannedOf(plan, { from: T0, to: Date.parse(plan.valid_to) }).values())
    for (const [campaign, { plays }] of day) if (plays > 0) counts[campaign] = (counts[campaign] ?? 0) + plays;
  return counts;
}

test("a player that is on all day shows what the report calls planned", () => {
  fc.assert(
    fc.property(planArbitrary, (plan) => {
      const bare = { ...plan, segments: plan.segments.map((one) => ({ ...one, loop: one.loop.map((slot) => ({ ...slot, caps: {} })) })) };
      expect(shown(bare)).toEqual(planned(bare));
    }),
    { numRuns: 25 },
  );
});

test("where caps are used up, what is left has as many turns as the report says, but for one where an hour begins", () => {
  fc.assert(
    fc.property(planArbitrary, (plan) => {
      const [seen, told] = [shown(plan), planned(plan)];
      // The report takes whole rounds at once, so it may begin an hour at another place of the loop.
      const hours = (Date.parse(plan.valid_to) - T0) / HOUR_MS + 1;
      for (const campaign of campaigns) expect(Math.abs((seen[campaign] ?? 0) - (told[campaign] ?? 0))).toBeLessThanOrEqual(hours);
    }),
    { numRuns: 30 },
  );
});
