import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { forgetPlanned, PLANNED_KEPT_DAYS, sumPlanned } from "../../src/plans/planned-upkeep.ts";
import { DAY_MS, utcDay } from "../../src/platform/time.ts";
import { testId } from "../support/aggregates.ts";
import { clearPlanned, notePlans } from "../support/planned.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");
const daysAgo = (days: number) => utcDay(NOW - days * DAY_MS);

beforeEach(async () => await clearPlanned(env.DB));

async function rows(sql: string): Promise<unknown[][]> {
  return await env.DB.prepare(sql).raw<unknown[]>();
}

const sums = () => rows("SELECT day, campaign_id, store_id, planned_plays, planned_ms FROM planned_sums_daily");
const campaign = testId("campaign", 1);
const [storeOne, storeTwo] = [testId("store", 1), testId("store", 2)];

test("sums leave the devices out; the campaign '' is there wherever a plan stood", async () => {
  const day = daysAgo(1);
  await notePlans(env.DB, [
    {
      day,
      device: 1,
      campaigns: [
        [1, 10],
        [null, 2],
      ],
    },
    { day, device: 2, campaigns: [[1, 5]] },
    { day, device: 3, store: 2, campaigns: [] },
  ]);
  expect(await sumPlanned(env.DB)).toEqual({ days: [day] });
  expect(await sums()).toEqual([
    [day, "", storeOne, 2, 20_000],
    [day, "", storeTwo, 0, 0],
    [day, campaign, storeOne, 15, 150_000],
  ]);
  expect(await sumPlanned(env.DB)).toEqual({ days: [] });
});

test("sums follow their rows: what is no longer planned goes, and what did not change is not written", async () => {
  const day = daysAgo(1);
  await notePlans(env.DB, [
    { day, device: 1, campaigns: [[1, 10]] },
    { day, device: 2, store: 2, campaigns: [[1, 5]] },
  ]);
  await sumPlanned(env.DB);
  await env.DB.batch([
    env.DB.prepare("DELETE FROM planned_daily WHERE device_id = ?").bind(testId("device", 2)),
    env.DB.prepare("UPDATE planned_days SET dirty = 1"),
    env.DB.prepare("CREATE TRIGGER written AFTER UPDATE ON planned_sums_daily BEGIN SELECT RAISE(ABORT, 'written again'); END"),
  ]);
  await sumPlanned(env.DB);
  expect(await sums()).toEqual([
    [day, "", storeOne, 0, 0],
    [day, campaign, storeOne, 10, 100_000],
  ]);
  await env.DB.prepare("DROP TRIGGER written").run();
});

test("the campaigns of devices go 15 days after single plays, their totals and the sums stay 400 days", async () => {
  const kept = Number(env.EVENT_ROWS_DAYS) + 15;
  expect(kept).toBe(45);
  const days = [PLANNED_KEPT_DAYS + 1, PLANNED_KEPT_DAYS, kept + 1, kept, 0].map(daysAgo);
  await notePlans(
    env.DB,
    days.map((day) => ({ day, campaigns: [[1, 10]] })),
  );
  expect(await forgetPlanned(env, NOW)).toEqual({ thinned: 0, forgotten: 1 });
  await sumPlanned(env.DB);
  expect(await forgetPlanned(env, NOW)).toEqual({ thinned: 2, forgotten: 0 });
  const entries = [
    ["", 0, 0],
    [campaign, 10, 100_000],
  ];
  const stored = await rows("SELECT day, planned_plays, campaigns_json FROM planned_daily");
  expect(stored.map(([day, plays, json]) => [day, plays, JSON.parse(String(json))])).toEqual([
    [days[1], 10, []],
    [days[2], 10, []],
    [days[3], 10, entries],
    [days[4], 10, entries],
  ]);
  const before = await sums();
  expect(before.length).toBe(8);
  // What is thin is never summed up again.
  await env.DB.prepare("UPDATE planned_days SET dirty = 1").run();
  expect(await sumPlanned(env.DB)).toEqual({ days: [days[3], days[4]] });
  expect(await sums()).toEqual(before);
  expect(await forgetPlanned(env, NOW + DAY_MS)).toEqual({ thinned: 1, forgotten: 1 });
  expect((await sums()).length).toBe(6);
});
