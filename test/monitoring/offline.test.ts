import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { CHANGES_PER_RUN, isOfflineDuringHours, type OfflineDevice, watchOffline } from "../../src/monitoring/offline.ts";
import { HOUR_MS, MINUTE_MS } from "../../src/platform/time.ts";
import { admin } from "../support/admin.ts";
import { makeDevice, type TestDevice } from "../support/device.ts";
import { CaughtReports, deliverReports, heartbeat, incidentsOf, report } from "../support/heartbeats.ts";
import { runAlarm } from "../support/pipeline.ts";

// A Saturday, 10:00 in UTC.
const T = Date.parse("2026-11-21T10:00:00Z");
const HOURS = { sat: [{ from: "08:00", to: "20:00" }] };

beforeEach(async () => {
  // What other tests left is not watched here.
  await env.DB.batch([
    env.DB.prepare("UPDATE devices SET offline_at = NULL, last_seen_at = NULL"),
    env.DB.prepare("DELETE FROM incidents"),
  ]);
});

describe("who is offline during hours", () => {
  const DEVICE: OfflineDevice = {
    ...{ id: "d", store_id: "s", timezone: "UTC", interval_s: 60, paired_at: 0 },
    offline_at: T - HOUR_MS,
    operating_hours: HOURS,
  };
  test.each<[string, Partial<OfflineDevice>, string, boolean]>([
    ["in the middle of the day", {}, "2026-11-21T10:00:00Z", true],
    ["before the store opens", {}, "2026-11-21T07:59:59Z", false],
    ["at the minute when it opens", {}, "2026-11-21T08:00:00Z", false],
    ["three heartbeats after it opened", {}, "2026-11-21T08:03:00Z", true],
    ["at the last minute", {}, "2026-11-21T19:59:59Z", true],
    ["when it closes", {}, "2026-11-21T20:00:00Z", false],
    ["on a day on which it is closed", {}, "2026-11-22T10:00:00Z", false],
    ["by the store's clock", { timezone: "Asia/Tokyo" }, "2026-11-21T10:59:00Z", true],
    ["by the store's clock, when it has closed there", { timezone: "Asia/Tokyo" }, "2026-11-21T11:00:00Z", false],
    ["on a holiday", { operating_hours: { ...HOURS, holidays: [{ date: "2026-11-21", hours: [] }] } }, "2026-11-21T10:00:00Z", false],
    ["where nobody said the hours", { operating_hours: null }, "2026-11-22T03:00:00Z", true],
    ["for less than three heartbeats", { offline_at: T - 3 * MINUTE_MS + 1 }, "2026-11-21T10:00:00Z", false],
    ["for three heartbeats", { offline_at: T - 3 * MINUTE_MS }, "2026-11-21T10:00:00Z", true],
    ["with a player that was paired a minute ago", { paired_at: T - MINUTE_MS }, "2026-11-21T10:00:00Z", false],
    ["with heartbeats every ten minutes", { interval_s: 600 }, "2026-11-21T08:29:00Z", false],
  ])("%s", (_, changes, now, offline) => {
    const at = Date.parse(now);
    const device = { ...DEVICE, offline_at: Math.min(DEVICE.offline_at, at - HOUR_MS), ...changes };
    expect(isOfflineDuringHours(device, at)).toBe(offline);
  });
});

async function deviceInStore(timezone = "UTC"): Promise<TestDevice> {
  const device = await makeDevice({ timezone });
  await env.DB.prepare("UPDATE stores SET operating_hours_json = ? WHERE id = ?").bind(JSON.stringify(HOURS), device.storeId).run();
  return device;
}

const silence = (id: string, at: number) => deliverReports([report(id, { at, silent: true, heartbeat: null })]);
const OFFLINE = "OFFLINE_DURING_HOURS";

describe("each minute, cron", () => {
  test("opens an incident while the store is open, once, and the device's return resolves it", async () => {
    const { id, storeId } = await deviceInStore();
    await silence(id, T);
    expect(await watchOffline(env, T + 2 * MINUTE_MS)).toMatchObject({ opened: 0 });
    expect(await watchOffline(env, T + 5 * MINUTE_MS)).toEqual({ asked: 0, silent: 0, opened: 1, resolved: 0 });
    expect(await watchOffline(env, T + 6 * MINUTE_MS)).toMatchObject({ opened: 0, resolved: 0 });
    expect(await incidentsOf(id)).toEqual([{ type: OFFLINE, open: true }]);
    const [row] = (await env.DB.prepare("SELECT severity, details_json FROM incidents WHERE device_id = ?").bind(id).all()).results;
    expect(row).toEqual({
      severity: "high",
      details_json: JSON.stringify({ last_seen_at: "2026-11-21T10:00:00.000Z", store_id: storeId }),
    });
    await deliverReports([report(id, { at: T + 7 * MINUTE_MS })]);
    expect(await incidentsOf(id)).toEqual([{ type: OFFLINE, open: false }]);
  });

  test("opens none while the store is closed, opens one in the morning, and keeps it through the next night", async () => {
    const { id } = await deviceInStore();
    const night = Date.parse("2026-11-21T01:00:00Z");
    await silence(id, night);
    for (const now of ["2026-11-21T02:00:00Z", "2026-11-21T08:01:00Z"]) await watchOffline(env, Date.parse(now));
    expect(await incidentsOf(id)).toEqual([]);
    for (const now of ["2026-11-21T08:03:00Z", "2026-11-21T21:00:00Z", "2026-11-22T09:00:00Z"]) await watchOffline(env, Date.parse(now));
    expect(await incidentsOf(id)).toEqual([{ type: OFFLINE, open: true }]);
  });

  test("resolves what is open of a revoked device, and forgets its silence", async () => {
    const { id } = await deviceInStore();
    await deliverReports([report(id, { at: T - 1, findings: [{ type: "LOW_STORAGE", details: {} }] })]);
    await silence(id, T);
    await watchOffline(env, T + 5 * MINUTE_MS);
    await admin("POST", `/v1/admin/devices/${id}/revoke`);
    expect(await watchOffline(env, T + 6 * MINUTE_MS)).toMatchObject({ opened: 0, resolved: 2 });
    expect(await incidentsOf(id)).toEqual([
      { type: "LOW_STORAGE", open: false },
      { type: OFFLINE, open: false },
    ]);
    expect(await env.DB.prepare("SELECT offline_at FROM devices WHERE id = ?").bind(id).first()).toEqual({ offline_at: null });
  });

  test("resolves it where the device is taken out of its store", async () => {
    const { id } = await deviceInStore();
    await silence(id, T);
    await watchOffline(env, T + 5 * MINUTE_MS);
    await env.DB.prepare("UPDATE devices SET store_id = NULL WHERE id = ?").bind(id).run();
    expect(await watchOffline(env, T + 6 * MINUTE_MS)).toMatchObject({ resolved: 1 });
  });

  test("resolves a reused token when the device is paired anew", async () => {
    const { id, familyId } = await makeDevice();
    const open = async () => (await incidentsOf(id)).map(({ open }) => open);
    await env.DB.batch([
      env.DB.prepare(
        "INSERT INTO incidents (id, device_id, type, severity, details_json, created_at) VALUES (?, ?, 'TOKEN_REUSE', 'high', ?, 1)",
      ).bind(crypto.randomUUID(), id, JSON.stringify({ family_id: familyId })),
      env.DB.prepare("UPDATE devices SET token_family_id = NULL WHERE id = ?").bind(id),
    ]);
    await watchOffline(env, T);
    expect(await open()).toEqual([true]);
    await env.DB.prepare("UPDATE devices SET token_family_id = ? WHERE id = ?").bind(crypto.randomUUID(), id).run();
    await watchOffline(env, T);
    expect(await open()).toEqual([false]);
  });

  test("two runs at once open one", async () => {
    const { id } = await deviceInStore();
    await silence(id, T);
    await Promise.all(Array.from({ length: 4 }, () => watchOffline(env, T + 5 * MINUTE_MS)));
    expect(await incidentsOf(id)).toEqual([{ type: OFFLINE, open: true }]);
  });

  test("500 devices that go silent at once are a few statements in two runs", async () => {
    const { id, storeId } = await deviceInStore();
    await env.DB.prepare(
      `INSERT INTO devices (id, external_name, store_id, status, last_seen_at, offline_at, created_at, updated_at)
       SELECT ?1 || value, 'd', ?2, 'active', ?3, ?3, 0, 0 FROM json_each(?4)`,
    )
      .bind(id, storeId, T, JSON.stringify([...Array(500).keys()]))
      .run();
    let calls = 0;
    const counting = new Proxy(env.DB, {
      get: (target, name) => {
        if (name === "prepare" || name === "batch") calls += 1;
        return Reflect.get(target, name).bind(target);
      },
    });
    expect(await watchOffline({ ...env, DB: counting }, T + HOUR_MS)).toMatchObject({ opened: CHANGES_PER_RUN });
    expect(calls).toBeLessThan(10);
    expect(await watchOffline(env, T + HOUR_MS + MINUTE_MS)).toMatchObject({ opened: 500 - CHANGES_PER_RUN, resolved: 0 });
    await env.DB.batch([
      env.DB.prepare("DELETE FROM incidents"),
      env.DB.prepare("DELETE FROM devices WHERE id <> ?1 AND id LIKE ?1 || '%'").bind(id),
    ]);
  });

  test("finds the offline by an index", async () => {
    const { results } = await env.DB.prepare(
      "EXPLAIN QUERY PLAN SELECT d.id FROM devices d JOIN stores s ON s.id = d.store_id WHERE d.offline_at IS NOT NULL AND d.status = 'active'",
    ).all<{ detail: string }>();
    expect(results.map(({ detail }) => detail).join("\n")).toMatch(/d USING (COVERING )?INDEX devices_offline/);
  });
});

describe("a device that nobody reported on for too long", () => {
  const now = Date.now();

  async function heardOf(device: TestDevice, at: number): Promise<CaughtReports> {
    await env.SEQUENCER.getByName(device.id).refreshProfile();
    const reports = await new CaughtReports().attach(device.id);
    const request = { ...heartbeat({ receivedAt: at }), familyId: device.familyId };
    await runInDurableObject(env.SEQUENCER.getByName(device.id), (instance) => instance.heartbeat(request));
    return reports;
  }
  const seenInD1 = (id: string, at: number) => env.DB.prepare("UPDATE devices SET last_seen_at = ? WHERE id = ?").bind(at, id).run();
  const rowOf = (id: string) => env.DB.prepare("SELECT last_seen_at, offline_at FROM devices WHERE id = ?").bind(id).first();

  test("is asked for, and is not offline where its object hears of it", async () => {
    const device = await deviceInStore();
    await heardOf(device, now - MINUTE_MS);
    await seenInD1(device.id, now - HOUR_MS);
    expect(await watchOffline(env, now)).toMatchObject({ asked: 1, silent: 0, opened: 0 });
    expect(await rowOf(device.id)).toEqual({ last_seen_at: now - MINUTE_MS, offline_at: null });
  });

  test("is offline where its object does not; the object reports its return at once", async () => {
    const device = await deviceInStore();
    const reports = await heardOf(device, now - HOUR_MS);
    reports.take();
    await seenInD1(device.id, now - HOUR_MS);
    expect(await watchOffline(env, now)).toMatchObject({ asked: 1, silent: 1 });
    expect(await rowOf(device.id)).toEqual({ last_seen_at: now - HOUR_MS, offline_at: now - HOUR_MS });
    await runAlarm(device.id);
    expect(reports.take()).toEqual([]);
    const request = { ...heartbeat({ receivedAt: now }), familyId: device.familyId };
    await runInDurableObject(env.SEQUENCER.getByName(device.id), (instance) => instance.heartbeat(request));
    expect(reports.take()).toMatchObject([{ silent: false, at: now }]);
  });

  test("is offline where its object lost its storage", async () => {
    const device = await deviceInStore();
    await seenInD1(device.id, now - HOUR_MS);
    expect(await watchOffline(env, now)).toMatchObject({ asked: 1, silent: 1 });
    expect(await rowOf(device.id)).toEqual({ last_seen_at: now - HOUR_MS, offline_at: now - HOUR_MS });
  });

  test("is not asked for before its report is overdue, nor one that was never heard of", async () => {
    const device = await deviceInStore();
    await seenInD1(device.id, now - 17 * MINUTE_MS);
    expect(await watchOffline(env, now)).toMatchObject({ asked: 0 });
    expect(await watchOffline(env, now + 1)).toMatchObject({ asked: 1 });
  });

  test("one that cannot be asked is left as it is", async () => {
    const device = await deviceInStore();
    await seenInD1(device.id, now - HOUR_MS);
    const broken = { getByName: () => ({ lastHeard: () => Promise.reject(new Error("overloaded")) }) } as unknown as Env["SEQUENCER"];
    expect(await watchOffline({ ...env, SEQUENCER: broken }, now)).toMatchObject({ asked: 1, silent: 0, opened: 0 });
    expect(await rowOf(device.id)).toEqual({ last_seen_at: now - HOUR_MS, offline_at: null });
  });
});
