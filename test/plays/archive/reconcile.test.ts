import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, utcDay } from "../../../src/platform/time.ts";
import { compact } from "../../../src/plays/archive/compact.ts";
import { reconcile } from "../../../src/plays/archive/reconcile.ts";
import { startReplay } from "../../../src/plays/archive/replay.ts";
import { stepReplay } from "../../../src/plays/archive/replay-step.ts";
import { mergePending } from "../../../src/plays/ledger/daily-sums.ts";
import { rollUp } from "../../../src/plays/ledger/rollup.ts";
import { attached, clearArchive, damageObject, openMismatch, recordMoved, segments, sendChunks } from "../../support/archive.ts";
import { makeDevice, type TestDevice } from "../../support/device.ts";
import { type CaughtQueue, deliver, withFault } from "../../support/pipeline.ts";

const TODAY = utcDay(Date.now());
const day = (ago: number) => utcDay(Date.parse(TODAY) - ago * DAY_MS);
/** A night on which the day before yesterday is over everywhere, and so is every day before it. */
const NIGHT = () => Date.parse(TODAY) + 3.4 * HOUR_MS;

let device: TestDevice;
let queue: CaughtQueue;
beforeEach(async () => {
  await clearArchive();
  device = await makeDevice({ timezone: "UTC" });
  queue = await attached(device);
  await recordMoved(device, queue, 3, { day: day(2) });
  await recordMoved(device, queue, 2, { day: day(3) });
  await compact(env, Date.now() + 2 * HOUR_MS);
  await recordMoved(device, queue, 1, { day: day(2) });
  await recordMoved(device, queue, 5, { day: day(1) });
});

const run = (sql: string, ...values: unknown[]) =>
  env.DB.prepare(sql)
    .bind(...values)
    .run();

interface Findings {
  aggregates?: { count: number; findings: Record<string, unknown>[] };
  manifests?: { count: number; findings: unknown[] };
}
const incident = async () => (await openMismatch()) as Findings | null;

test("days that are over and agree are compared once, before and after their rollup, from segments and parts", async () => {
  expect(await reconcile(env, NIGHT())).toEqual({ days: [day(2), day(3)], different: [], manifests: [], left: 0, too_large: [] });
  expect(await incident()).toBeNull();
  expect(await reconcile(env, NIGHT())).toMatchObject({ days: [], left: 0 });
  await rollUp(env.DB, NIGHT());
  await run("DELETE FROM archive_checks");
  expect(await reconcile(env, NIGHT())).toMatchObject({ days: [day(2), day(3)], different: [] });
});

test("a day that late plays were added to is compared again, that one alone", async () => {
  await reconcile(env, NIGHT());
  await recordMoved(device, queue, 1, { day: day(3) });
  expect(await reconcile(env, NIGHT())).toMatchObject({ days: [day(3)], different: [] });
});

/** Puts the plays of the day into one row, wherever the hour ended while they were made. */
async function inOneHour(): Promise<void> {
  const columns = "generation, day, 0, campaign_id, ad_group_id, supplier_id, store_id, content_id";
  const sums = ["plays", "completed", "partial", "skipped", "interrupted", "error", "billable", "starts"].map(
    (name) => `sum(${name}_count)`,
  );
  await env.DB.batch([
    env.DB.prepare(
      `INSERT INTO plays_hourly SELECT ${columns}, ${sums.join(", ")}, sum(total_duration_ms) FROM plays_hourly WHERE day = ? GROUP BY campaign_id`,
    ).bind(day(2)),
    env.DB.prepare("DELETE FROM plays_hourly WHERE day = ? AND hour > 0").bind(day(2)),
  ]);
}

test.each([
  ["a play too many in an hour", "UPDATE plays_hourly SET plays_count = plays_count + 1 WHERE day = ?", 1, 0, 5],
  ["an hour lost", "DELETE FROM plays_hourly WHERE day = ?", 1, 0, 0],
  ["a billable play too few", "UPDATE plays_hourly SET billable_count = billable_count - 1 WHERE day = ?", 1, 0, 4],
  ["a content mixed up", "UPDATE plays_hourly SET content_id = 'other' WHERE day = ?", 2, 0, 4],
  ["a device's day wrong", "UPDATE device_activity_daily SET total_duration_ms = 1 WHERE day = ?", 0, 1, 4],
  ["a content's day wrong", "UPDATE plays_daily_by_content SET plays_count = plays_count + 1 WHERE day = ?", 0, 0, 4, 1],
  ["a store's day lost", "DELETE FROM plays_daily_by_store WHERE day = ?", 0, 0, 4, 1],
] as [string, string, number, number, number, number?][])(
  "%s opens an incident with the day and its figures",
  async (_, sql, rows, devices, plays, narrow = 0) => {
    await mergePending(env.DB, 0);
    await inOneHour();
    await run(sql, day(2));
    expect(await reconcile(env, NIGHT())).toMatchObject({ different: [day(2)] });
    const found = await incident();
    expect(found?.aggregates?.count).toBe(1);
    expect(found?.aggregates?.findings[0]).toMatchObject({
      day: day(2),
      differs: {
        rows_different: rows,
        devices_different: devices,
        narrow_different: narrow,
        archive: { plays_count: 4 },
        aggregates: { plays_count: plays },
      },
    });
    expect(found?.manifests).toBeUndefined();
  },
);

test("aggregates of a day that D1 forgot altogether are missed", async () => {
  for (const table of ["plays_hourly", "device_activity_daily", "aggregate_days"]) await run(`DELETE FROM ${table} WHERE day = ?`, day(3));
  expect(await reconcile(env, NIGHT())).toMatchObject({ different: [day(3)] });
  expect((await incident())?.aggregates?.findings[0]).toMatchObject({
    day: day(3),
    differs: { archive: { plays_count: 2 }, aggregates: { plays_count: 0 }, rows_different: 1, devices_different: 1 },
  });
});

test("the incident resolves itself when a replay has made the day equal", async () => {
  await run("UPDATE plays_hourly SET plays_count = plays_count + 1 WHERE day = ?", day(2));
  await reconcile(env, NIGHT());
  await reconcile(env, NIGHT());
  expect((await env.DB.prepare("SELECT count(*) AS n FROM incidents").first<{ n: number }>())?.n).toBe(1);
  await startReplay(env.DB, { from: day(3), to: day(1) }, { actor: "tester", idempotency: null }, Date.now());
  expect(await stepReplay(env, Date.now())).toBe("done");
  expect(await reconcile(env, NIGHT())).toMatchObject({ different: [] });
  expect(await incident()).toBeNull();
  expect((await env.DB.prepare("SELECT resolved_at FROM incidents").first<{ resolved_at: number }>())?.resolved_at).toBe(NIGHT());
});

test("a damaged part is named with its segments, and so is a chunk of which the ledger says something else", async () => {
  const [segment] = await segments();
  const part = await env.DB.prepare("SELECT r2_key FROM archive_parts").first<{ r2_key: string }>();
  await run("UPDATE chunk_ledger SET plays_count = 9 WHERE segment_id = ?", (await segments())[2]?.id);
  await damageObject(part?.r2_key ?? "");
  await reconcile(env, NIGHT());
  expect((await incident())?.aggregates?.findings).toMatchObject([
    { day: day(3), unreadable: [{ r2_key: part?.r2_key, problem: "damaged" }], differs: { archive: { plays_count: 0 } } },
    {
      day: day(2),
      unreadable: [{ segment_id: segment?.id, r2_key: part?.r2_key, problem: "damaged" }],
      ledger: [{ archive_plays: 1, ledger_plays: 9 }],
      differs: { archive: { plays_count: 1 }, aggregates: { plays_count: 4 } },
    },
  ]);
});

test("a chunk that the ledger does not have is named, one that was folded is not", async () => {
  const of = (await segments())[0]?.id;
  await run("DELETE FROM chunk_ledger WHERE segment_id = ?", of);
  await reconcile(env, NIGHT());
  expect((await incident())?.aggregates?.findings).toEqual([
    {
      day: day(2),
      ledger: [{ chunk_id: expect.stringContaining(device.id), archive_plays: 3, ledger_plays: null, ledger_segment_id: null }],
    },
  ]);
  await run(
    "INSERT INTO chunk_ledger_folds SELECT device_id, incarnation, 1, 3 FROM sequencer_incarnations WHERE device_id = ?",
    device.id,
  );
  expect(await reconcile(env, NIGHT())).toMatchObject({ days: [day(2)], different: [] });
  expect(await incident()).toBeNull();
});

test("a manifest that says something else is told and written again, and the next night is quiet", async () => {
  const key = `plays/dt=${TODAY}/manifest.json`;
  const right = await (await env.BUCKET.get(key))?.text();
  await env.BUCKET.put(key, "{}");
  await reconcile(env, NIGHT());
  expect((await incident())?.manifests).toEqual({ count: 1, findings: [{ dt: TODAY, problem: "different" }] });
  expect(await (await env.BUCKET.get(key))?.text()).toBe(right);
  await reconcile(env, NIGHT());
  expect(await incident()).toBeNull();
});

test("plays that are recorded while the archive is read are no difference", async () => {
  const late = await sendChunks(device, queue, 2, { day: day(2) });
  let delivered = false;
  const bucket = new Proxy(env.BUCKET, {
    get: (target, name) => {
      const value = Reflect.get(target, name);
      if (name !== "get") return value.bind(target);
      return async (...args: unknown[]) => {
        if (!delivered) await deliver(late);
        delivered = true;
        return await Reflect.apply(value, target, args);
      };
    },
  });
  expect(await reconcile({ ...env, BUCKET: bucket }, NIGHT())).toMatchObject({ days: [day(2), day(3)], different: [] });
  expect(delivered).toBe(true);
  expect(await reconcile(env, NIGHT())).toMatchObject({ days: [day(2)], different: [] });
});

test("an outage in the middle leaves what was compared, and the next run does the rest", async () => {
  await expect(reconcile(withFault("DB.batch", "before", 1), NIGHT())).rejects.toThrow("injected");
  expect(await incident()).toBeNull();
  expect(await reconcile(env, NIGHT(), { maxDays: 1 })).toMatchObject({ days: [day(2)], left: 1 });
  expect(await reconcile(env, NIGHT(), { maxPlays: 1 })).toMatchObject({ days: [], left: 1, too_large: [day(3)] });
  expect(await reconcile(env, NIGHT())).toMatchObject({ days: [day(3)], left: 0 });
});
