import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, utcDay } from "../../../src/platform/time.ts";
import { eventRowsKeptFrom, HOURLY_ROWS_KEPT_MS, retain } from "../../../src/plays/ledger/retain.ts";
import { rollUp } from "../../../src/plays/ledger/rollup.ts";
import { admin } from "../../support/admin.ts";
import { attached, clearArchive, recordMoved, sendChunks } from "../../support/archive.ts";
import { makeDevice, type TestDevice } from "../../support/device.ts";
import { type CaughtQueue, deliver, withFault } from "../../support/pipeline.ts";

const TODAY = utcDay(Date.now());
const day = (ago: number) => utcDay(Date.parse(TODAY) - ago * DAY_MS);
const NOON = Date.parse(TODAY) + 12 * HOUR_MS;

let device: TestDevice;
let queue: CaughtQueue;
beforeEach(async () => {
  await clearArchive();
  device = await makeDevice({ timezone: "UTC" });
  queue = await attached(device);
});

async function eventDays(): Promise<Record<string, number>> {
  const { results } = await env.DB.prepare("SELECT day, count(*) AS n FROM proof_of_play_events GROUP BY day ORDER BY day").all<{
    day: string;
    n: number;
  }>();
  return Object.fromEntries(results.map(({ day, n }) => [day, n]));
}

async function hourlyDays(): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT DISTINCT day FROM plays_hourly ORDER BY day").all<{ day: string }>();
  return results.map(({ day }) => day);
}

async function reported(): Promise<Record<string, number>> {
  const answer = await admin("GET", `/v1/admin/reports/proof-of-play?group_by=day&from=${day(60)}&to=${day(0)}`);
  return Object.fromEntries((answer.body.items as { day: string; plays_count: number }[]).map((item) => [item.day, item.plays_count]));
}

test("single plays go when their day is over 30 days ago, of every device; totals and ledger stay", async () => {
  const other = await makeDevice({ timezone: "UTC" });
  const otherQueue = await attached(other);
  await recordMoved(device, queue, 3, { day: day(31) });
  await recordMoved(device, queue, 2, { day: day(30) });
  await recordMoved(other, otherQueue, 4, { day: day(45) });
  await recordMoved(other, otherQueue, 1, { day: day(0) });
  const before = await reported();
  expect(await retain(env, NOON)).toEqual({ plays: 7, keptFrom: day(30), overSize: false, unfinished: false, hourlyDays: [] });
  expect(await eventDays()).toEqual({ [day(30)]: 2, [day(0)]: 1 });
  expect(await reported()).toEqual(before);
  expect(before).toEqual({ [day(45)]: 4, [day(31)]: 3, [day(30)]: 2, [day(0)]: 1 });
  expect(await eventRowsKeptFrom(env.DB)).toBe(day(30));
  expect(await retain(env, NOON)).toMatchObject({ plays: 0 });
});

test("a run deletes so many rows and no more, and the next one goes on", async () => {
  for (let chunk = 0; chunk < 5; chunk++) await recordMoved(device, queue, 3, { day: day(40) });
  expect(await retain(env, NOON, { rowsPerStatement: 2, maxStatements: 2 })).toMatchObject({ plays: 12, unfinished: true });
  expect(await retain(env, NOON, { rowsPerStatement: 2, maxStatements: 2 })).toMatchObject({ plays: 3, unfinished: false });
  expect(await eventDays()).toEqual({});
});

test("above the size, the oldest day goes first, one a run; the window says so before any row goes", async () => {
  for (const ago of [5, 4, 0]) await recordMoved(device, queue, 2, { day: day(ago) });
  expect(await retain(env, NOON, { maxDatabaseBytes: 1, maxStatements: 0 })).toMatchObject({
    plays: 0,
    keptFrom: day(4),
    overSize: true,
  });
  expect(await eventRowsKeptFrom(env.DB)).toBe(day(4));
  expect(await eventDays()).toEqual({ [day(5)]: 2, [day(4)]: 2, [day(0)]: 2 });
  expect(await retain(env, NOON)).toMatchObject({ plays: 2, keptFrom: day(4), overSize: false });
  expect(await retain(env, NOON, { maxDatabaseBytes: 1 })).toMatchObject({ plays: 2, keptFrom: day(5 - 2), overSize: true });
  expect(await retain(env, NOON, { maxDatabaseBytes: 1 })).toMatchObject({ plays: 0, overSize: false });
  expect(await eventDays()).toEqual({ [day(0)]: 2 });
});

test("a report of single plays does not reach into a day that went before its time", async () => {
  for (const ago of [5, 4]) await recordMoved(device, queue, 2, { day: day(ago) });
  const finer = (from: string) => admin("GET", `/v1/admin/reports/proof-of-play?group_by=device,content&from=${from}&to=${day(0)}`);
  expect((await finer(day(5))).body).toMatchObject({ source: "events", items: [{ device_id: device.id, plays_count: 4 }] });
  await retain(env, NOON, { maxDatabaseBytes: 1, maxStatements: 0 });
  expect((await finer(day(4))).body).toMatchObject({ source: "events", items: [{ device_id: device.id, plays_count: 2 }] });
  expect(await finer(day(5))).toMatchObject({ status: 422, body: { code: "BEYOND_HOT_WINDOW", hot_from: day(4) } });
  const coarser = await admin("GET", `/v1/admin/reports/proof-of-play?group_by=device,day&from=${day(5)}&to=${day(0)}`);
  expect(coarser.body).toMatchObject({ source: "device_activity", items: [{ plays_count: 2 }, { plays_count: 2 }] });
});

test("hourly rows go 45 days after their day was last touched, and reports stay the same", async () => {
  await recordMoved(device, queue, 3, { day: day(3) });
  await rollUp(env.DB, Date.now());
  const later = Date.now() + HOURLY_ROWS_KEPT_MS;
  expect((await retain(env, later - HOUR_MS)).hourlyDays).toEqual([]);
  expect((await retain(env, later)).hourlyDays).toEqual([day(3)]);
  expect(await hourlyDays()).toEqual([]);
  expect(await reported()).toEqual({ [day(3)]: 3 });
  await recordMoved(device, queue, 2, { day: day(3) });
  expect(await reported()).toEqual({ [day(3)]: 5 });
  await rollUp(env.DB, Date.now());
  expect(await reported()).toEqual({ [day(3)]: 5 });
  expect((await retain(env, later + HOURLY_ROWS_KEPT_MS)).hourlyDays).toEqual([]);
});

test("a marked day keeps its hourly rows, be it marked long ago or just before they would go", async () => {
  await recordMoved(device, queue, 3, { day: day(3) });
  const later = Date.now() + 2 * HOURLY_ROWS_KEPT_MS;
  expect((await retain(env, later)).hourlyDays).toEqual([]);
  await rollUp(env.DB, Date.now());
  const late = await sendChunks(device, queue, 2, { day: day(3) });
  let delivered = false;
  const racing = new Proxy(env.DB, {
    get: (target, name) => {
      const value = Reflect.get(target, name);
      if (name !== "batch") return value.bind(target);
      return async (...args: unknown[]) => {
        if (!delivered) await deliver(late);
        delivered = true;
        return await Reflect.apply(value, target, args);
      };
    },
  });
  await retain({ ...env, DB: racing }, later);
  expect(delivered).toBe(true);
  expect(await hourlyDays()).toEqual([day(3)]);
  expect(await reported()).toEqual({ [day(3)]: 5 });
});

test("retiring fails or its answer is lost: the next run ends it", async () => {
  await recordMoved(device, queue, 3, { day: day(3) });
  await rollUp(env.DB, Date.now());
  const later = Date.now() + HOURLY_ROWS_KEPT_MS;
  await expect(retain(withFault("DB.batch", "before", 1), later)).rejects.toThrow("injected");
  expect(await hourlyDays()).toEqual([day(3)]);
  await expect(retain(withFault("DB.batch", "after", 1), later)).rejects.toThrow("injected");
  await Promise.all([retain(env, later), retain(env, later)]);
  expect(await hourlyDays()).toEqual([]);
  expect(await reported()).toEqual({ [day(3)]: 3 });
});

test("finding and deleting old plays reads along keys only", async () => {
  const statements: string[] = [];
  const db = new Proxy(env.DB, {
    get: (target, name) => {
      const value = Reflect.get(target, name);
      if (name !== "prepare") return value.bind(target);
      return (sql: string) => {
        statements.push(sql);
        return target.prepare(sql);
      };
    },
  });
  await recordMoved(device, queue, 1, { day: day(40) });
  await retain({ ...env, DB: db }, NOON, { maxDatabaseBytes: 1 });
  const ofPlays = statements.filter((sql) => sql.includes("chunk_plays"));
  expect(ofPlays.length).toBeGreaterThan(1);
  for (const sql of ofPlays) {
    const values = sql.includes("?2") ? [day(30), 10] : [];
    const { results } = await env.DB.prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .bind(...values)
      .all<{ detail: string }>();
    const plan = results.map(({ detail }) => detail);
    expect(
      plan.filter((detail) => /SCAN (e|chunk_plays)\b/.test(detail)),
      sql,
    ).toEqual([]);
    expect(
      plan.some((detail) => /SEARCH e USING PRIMARY KEY \(device_id=\?/.test(detail)),
      plan.join("\n"),
    ).toBe(true);
  }
});
