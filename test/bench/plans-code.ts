/** What planning costs without HTTP and database, by hand: `bun test/bench/plans-code.ts`. Over HTTP: `bun run bench --only plans`. */
import { planEtag } from "../../src/plans/etag.ts";
import { explainPlan } from "../../src/plans/explain.ts";
import { findSlot, indexSlots } from "../../src/plans/find-slot.ts";
import type { PlanInput } from "../../src/plans/input.ts";
import type { Plan, Span } from "../../src/plans/plan.ts";
import { resolvePlan } from "../../src/plans/resolve.ts";
import { slotsOf } from "../../src/plans/slots.ts";
import { planWindow } from "../../src/plans/zone.ts";
import { GROUP_SCHEDULES, inputOf, PLAN_NETWORK } from "./plans-data.ts";
import { quantile } from "./stats.ts";

const ROUNDS = 200;

function timed(what: string, run: () => unknown): void {
  run();
  const times = Array.from({ length: ROUNDS }, () => {
    const start = performance.now();
    run();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  console.log(`  ${what.padEnd(28)} p50 ${quantile(times, 0.5).toFixed(2)} ms   p99 ${quantile(times, 0.99).toFixed(2)} ms`);
}

function bench(name: string, input: PlanInput, window: Span, now: number): void {
  const start = performance.now();
  const plan: Plan = resolvePlan(input, window);
  const first = performance.now() - start;
  const slots = plan.segments.reduce((sum, { loop }) => sum + loop.length, 0);
  const book = slotsOf(plan);
  const kb = (data: unknown) => `${(JSON.stringify(data).length / 1000).toFixed(1)} KB`;
  console.log(
    `${name}: ${plan.segments.length} segments, ${slots} slots, plan ${kb(plan)}, slot book ${kb(book)}; the first took ${first.toFixed(1)} ms`,
  );
  timed("resolve", () => resolvePlan(input, window));
  timed("resolve, and write as JSON", () => JSON.stringify(resolvePlan(input, window)));
  timed("window and ETag (a 304)", () => planEtag(input, planWindow("Europe/Berlin", now).from));
  timed("explain an instant", () => explainPlan(input, now));
  timed("slots of the plan", () => slotsOf(plan));
  const index = indexSlots(book);
  const slotId = plan.segments.at(-1)?.loop[0]?.slot_id ?? null;
  const item = plan.items[plan.segments.at(-1)?.loop[0]?.item ?? ""];
  const play = { slotId, contentId: item?.content_id ?? "", contentVersion: item?.sha256 ?? null, startedAt: window.to - 1 };
  timed("1,000 plays' slots, cited", () => {
    for (let n = 0; n < 1000; n++) findSlot(index, play);
  });
  timed("1,000 plays' slots, by content", () => {
    for (let n = 0; n < 1000; n++) findSlot(index, { ...play, slotId: null });
  });
}

const now = Date.now();
const window = planWindow("Europe/Berlin", now);
const { groups, schedules } = PLAN_NETWORK;
bench(`one device of ${schedules} schedules in ${groups} groups`, inputOf(GROUP_SCHEDULES.filter(({ group }) => group === 7)), window, now);
bench(`one device with all ${schedules} schedules`, inputOf(GROUP_SCHEDULES), window, now);
