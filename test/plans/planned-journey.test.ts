import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { sumPlanned } from "../../src/plans/planned-upkeep.ts";
import { readKeptPlan, servePlan } from "../../src/plans/serve.ts";
import { localDays } from "../../src/plans/zone.ts";
import { DAY_MS, HOUR_MS } from "../../src/platform/time.ts";
import { storeDay } from "../../src/plays/sequencer/store-day.ts";
import { addDays } from "../../src/reports/query.ts";
import { admin, create } from "../support/admin.ts";
import { makeDevice, playLog, postBatch, type TestDevice } from "../support/device.ts";
import { playlistWithItems, scheduleOf } from "../support/media.ts";
import { CaughtQueue, drain } from "../support/pipeline.ts";

const ZONE = "Asia/Ho_Chi_Minh";

/** Asks for the device's plan at an instant. */
async function askPlan(device: TestDevice, at: number): Promise<void> {
  const kept = await readKeptPlan(env.DB, device.id);
  if (!kept) throw new Error("no such device");
  await servePlan(env.DB, device.id, kept, () => false, at);
}

async function change(path: string, body: unknown): Promise<void> {
  const answer = await admin("PATCH", `/v1/admin/${path}`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
}

async function report(query: string) {
  const answer = await admin("GET", `/v1/admin/reports/planned?${query}`);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  return answer.body as { source: string; items: Record<string, string | number | null>[] };
}

/** A device of a campaign whose images of 10 s play all day, and another campaign's playlist. */
async function network() {
  const device = await makeDevice({ timezone: ZONE });
  const other = await create("campaigns", { brand_name: "Brand", name: "Other" });
  const [mine, others] = await Promise.all([
    playlistWithItems(1, { campaign_id: device.campaignId }),
    playlistWithItems(1, { campaign_id: other.id }),
  ]);
  const schedule = await scheduleOf(mine.id, "GROUP", device.groupId);
  return { device, other: other.id, mine, others, schedule };
}

function dayAt(ms: number): { day: string; midnight: number } {
  const [day] = localDays(ZONE, { from: ms, to: ms + 1 });
  if (!day) throw new Error("no day");
  return { day: day.day, midnight: day.from };
}

test("a plan that is changed at 14:00 counts until then, the new one from then on; and plays stand against both", async () => {
  const { device, other, others, schedule } = await network();
  const log = playLog(device);
  // The day of the plays, whenever this runs.
  const { day, midnight } = dayAt(Date.parse(String(log.started_at)));
  await askPlan(device, midnight + 6 * HOUR_MS);
  await askPlan(device, midnight + 9 * HOUR_MS);
  await change(`schedules/${schedule.id}`, { playlist_id: others.id });
  await askPlan(device, midnight + 14 * HOUR_MS);

  const queue = new CaughtQueue();
  await env.SEQUENCER.getByName(device.id).refreshProfile();
  await queue.attach(device.id);
  const { started_at, ended_at } = log;
  const changes = [{}, { status: "SKIPPED" }, { campaign_id: other }, { campaign_id: undefined }];
  const logs = await Promise.all(
    changes.map((fields) => {
      const plain = JSON.parse(JSON.stringify(playLog(device, { started_at, ended_at, ...fields }))) as Record<string, unknown>;
      return device.sign(plain);
    }),
  );
  const answer = await postBatch(device, logs);
  expect(await answer.json()).toMatchObject({ processed: 4, failed: 0 });
  await drain(device.id, queue);

  // 360 an hour: eight hours of the one, ten of the other.
  const row = (campaign_id: string | null, planned: number, completed: number, played = completed) => ({
    day,
    campaign_id,
    planned_plays: planned,
    planned_ms: planned * 10_000,
    played_plays: played,
    completed,
    billable_plays: campaign_id === null ? 0 : completed,
    played_ms: played * 15_000,
    delivery: planned === 0 ? null : Math.round((played / planned) * 10_000) / 10_000,
  });
  const expected = [row(null, 0, 1), row(device.campaignId, 8 * 360, 1, 2), row(other, 10 * 360, 1)].sort((a, b) =>
    (a.campaign_id ?? "") < (b.campaign_id ?? "") ? -1 : 1,
  );
  const range = `from=${day}&to=${day}`;
  const byDevice = await report(`${range}&group_by=device,campaign,day&device_id=${device.id}`);
  expect(byDevice.source).toBe("events");
  expect(byDevice.items).toMatchObject(expected.map((one) => ({ ...one, device_id: device.id, device_name: "Screen" })));
  const byStore = () => report(`${range}&group_by=campaign,day&store_id=${device.storeId}`);
  expect((await byStore()).items).toMatchObject(expected);
  await sumPlanned(env.DB);
  expect(await byStore()).toMatchObject({ source: "aggregates", items: expected });
  const tomorrow = addDays(day, 1);
  const next = await report(`from=${tomorrow}&to=${tomorrow}&group_by=device,campaign&device_id=${device.id}`);
  expect(next.items).toMatchObject([{ campaign_id: other, planned_plays: 8640, played_plays: 0, delivery: 0 }]);
});

test("a device that asks no more is planned for as long as its plan reaches, and then for nothing until it is back", async () => {
  const { device } = await network();
  const { day, midnight } = dayAt(Date.now() - 10 * DAY_MS);
  await askPlan(device, midnight + 8 * HOUR_MS);
  await askPlan(device, midnight + 6 * DAY_MS + 23 * HOUR_MS);
  const { items } = await report(`from=${day}&to=${addDays(day, 8)}&group_by=device,day&device_id=${device.id}`);
  expect(items.map((row) => [row.day, row.planned_plays, row.delivery])).toEqual(
    [16, 24, 24, 24, null, null, 1, 24, 24].flatMap((hours, index) => (hours === null ? [] : [[addDays(day, index), hours * 360, 0]])),
  );
});

test("what is noted is written in one batch with the plan, at most a row a day; the same plan writes nothing", async () => {
  const { device, others, schedule } = await network();
  const now = Date.now();
  const noted = () =>
    env.DB.prepare("SELECT day, store_id, supplier_id, planned_plays, planned_ms FROM planned_daily WHERE device_id = ? ORDER BY day")
      .bind(device.id)
      .all();
  const written: number[] = [];
  const db = new Proxy(env.DB, {
    get(target, name) {
      if (name !== "batch") return Reflect.get(target, name).bind(target);
      return async (statements: D1PreparedStatement[]) => {
        const results = await target.batch(statements);
        written.push(results.reduce((sum, { meta }) => sum + meta.rows_written, 0));
        return results;
      };
    },
  });
  const ask = async (at: number) => {
    const kept = await readKeptPlan(env.DB, device.id);
    if (!kept) throw new Error("no such device");
    written.length = 0;
    await servePlan(db, device.id, kept, () => false, at);
    // The inputs are one batch, the plan another.
    return written.slice(1);
  };
  await ask(now);
  const before = (await noted()).results;
  expect(before.map(({ day }) => day)).toEqual([0, 1, 2, 3].map((index) => addDays(storeDay(now, ZONE), index)));
  expect(before[0]).toMatchObject({ store_id: device.storeId, supplier_id: device.supplierId });
  await change(`schedules/${schedule.id}`, { name: "Renamed", playlist_id: others.id });
  const [rows = 0] = await ask(now + 1000);
  // Four days, and the plan in its table and its index.
  expect(rows).toBeLessThanOrEqual(6);
  // Made once more, as a plan is that is too large to be kept.
  await env.DB.prepare("UPDATE playout_plans SET stale = 1, plan_json = '' WHERE device_id = ?").bind(device.id).run();
  const after = (await noted()).results;
  const [again = 0] = await ask(now + 2000);
  expect(again).toBeLessThanOrEqual(2);
  expect((await noted()).results).toEqual(after);
});

test("a device that moves at noon is planned for in both stores, each for its time", async () => {
  const { device } = await network();
  const { day, midnight } = dayAt(Date.now());
  const store = await create("stores", { supplier_id: device.supplierId, name: "Elsewhere", timezone: ZONE });
  await askPlan(device, midnight + 6 * HOUR_MS);
  await change(`devices/${device.id}`, { store_id: store.id });
  await askPlan(device, midnight + 12 * HOUR_MS);
  const { items } = await report(`from=${day}&to=${addDays(day, 1)}&group_by=day,store&store_id=${device.storeId}&store_id=${store.id}`);
  expect(items.map((row) => [row.day, row.store_name, row.planned_plays])).toEqual(
    expect.arrayContaining([
      [day, "Store", 6 * 360],
      [day, "Elsewhere", 12 * 360],
      [addDays(day, 1), "Elsewhere", 8640],
    ]),
  );
  expect(items.length).toBe(3);
});
