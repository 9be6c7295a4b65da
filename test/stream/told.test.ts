import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test, vi } from "vitest";
import { MINUTE_MS } from "../../src/platform/time.ts";
import { tellPlans } from "../../src/stream/tell.ts";
import { DeviceSequencer } from "../../workers/index.ts";
import { admin, create } from "../support/admin.ts";
import { makeDevice, type TestDevice } from "../support/device.ts";
import { body, CaughtReports, deliverReports } from "../support/heartbeats.ts";
import { TestStream } from "../support/stream.ts";
import { askPlan, lift, liftAll, takeOver } from "../support/takeovers.ts";

const objectOf = (device: { id: string }) => env.SEQUENCER.getByName(device.id);

const noted = (device: { id: string }) =>
  env.DB.prepare("SELECT connected_at, told_plan_at FROM device_streams WHERE device_id = ?")
    .bind(device.id)
    .first<{ connected_at: number; told_plan_at: number | null }>();

/** A device with a plan, on its stream, of which D1 knows. */
async function withPlan(): Promise<{ device: TestDevice; stream: TestStream }> {
  const device = await makeDevice();
  await askPlan(device);
  const stream = await TestStream.open(device);
  await vi.waitFor(async () => expect(await noted(device)).toMatchObject({ told_plan_at: null }));
  return { device, stream };
}

describe("a device on its stream is told that its plan has changed", () => {
  test("by a takeover at once, and when it is lifted; its plan then shows it", async () => {
    const { device, stream } = await withPlan();
    const takeover = await takeOver("GROUP", device.groupId);
    expect(await stream.next()).toEqual({ type: "plan" });
    const { plan } = await askPlan(device);
    expect(plan?.segments.some(({ takeover_id }) => takeover_id === takeover.id)).toBe(true);
    await lift(takeover);
    expect(await stream.next()).toEqual({ type: "plan" });
    await liftAll();
  });

  test("by a change of its store's zone, out of memory too", async () => {
    const { device, stream } = await withPlan();
    await evictDurableObject(objectOf(device));
    await admin("PATCH", `/v1/admin/stores/${device.storeId}`, { timezone: "Asia/Tokyo" });
    expect(await stream.next()).toEqual({ type: "plan" });
  });

  test("once for each plan that it had, not again while it has not asked for the new one", async () => {
    const { device, stream } = await withPlan();
    await admin("PATCH", `/v1/admin/stores/${device.storeId}`, { timezone: "Asia/Tokyo" });
    expect(await stream.next()).toEqual({ type: "plan" });
    await vi.waitFor(async () => expect((await noted(device))?.told_plan_at).toBeGreaterThan(0));
    expect(await tellPlans(env)).toBe(0);
    await admin("PATCH", `/v1/admin/stores/${device.storeId}`, { timezone: "Asia/Seoul" });
    expect(await tellPlans(env)).toBe(0);
    expect(await stream.rest()).toEqual([]);
    await askPlan(device);
    await env.DB.prepare("UPDATE playout_plans SET stale = 1, generated_at = generated_at + 1 WHERE device_id = ?").bind(device.id).run();
    expect(await tellPlans(env)).toBe(1);
    expect(await stream.next()).toEqual({ type: "plan" });
  });

  test("and no other device is told or woken", async () => {
    const { device, stream } = await withPlan();
    const apart = await withPlan();
    const asleep = await makeDevice();
    await askPlan(asleep);
    const woken = vi.spyOn(DeviceSequencer.prototype, "tellPlan");
    await env.DB.prepare("UPDATE playout_plans SET stale = 1 WHERE device_id IN (?, ?)").bind(device.id, asleep.id).run();
    expect(await tellPlans(env)).toBe(1);
    expect(woken).toHaveBeenCalledTimes(1);
    woken.mockRestore();
    expect(await stream.next()).toEqual({ type: "plan" });
    expect(await apart.stream.rest()).toEqual([]);
  });

  test("by cron where its object did not answer before", async () => {
    const { device, stream } = await withPlan();
    await env.DB.prepare("UPDATE playout_plans SET stale = 1 WHERE device_id = ?").bind(device.id).run();
    const broken = vi.spyOn(DeviceSequencer.prototype, "tellPlan").mockRejectedValue(new Error("no answer"));
    expect(await tellPlans(env)).toBe(0);
    broken.mockRestore();
    expect(await tellPlans(env)).toBe(1);
    expect(await stream.next()).toEqual({ type: "plan" });
  });

  test("when it connects, where that happened before", async () => {
    const device = await makeDevice();
    await askPlan(device);
    await env.DB.prepare("UPDATE playout_plans SET stale = 1 WHERE device_id = ?").bind(device.id).run();
    const stream = await TestStream.open(device);
    expect(await stream.next()).toEqual({ type: "plan" });
    expect(await tellPlans(env)).toBe(0);
  });

  test("however many there are", async () => {
    const streams = await Promise.all(Array.from({ length: 40 }, withPlan));
    const takeover = await takeOver("ALL", null);
    for (const { stream } of streams) expect(await stream.next()).toEqual({ type: "plan" });
    await lift(takeover);
    await liftAll();
  });
});

describe("what D1 knows of a stream", () => {
  test("goes when it is closed, and stays when a newer one has taken its place", async () => {
    const { device, stream } = await withPlan();
    const first = await noted(device);
    const newer = await TestStream.open(device);
    await stream.closed;
    await vi.waitFor(async () => expect((await noted(device))?.connected_at).toBeGreaterThan(first?.connected_at ?? 0));
    newer.close();
    await newer.closed;
    await vi.waitFor(async () => expect(await noted(device)).toBeNull());
  });

  test("goes when the device is to be told something and is not there", async () => {
    const device = await makeDevice();
    await askPlan(device);
    await env.DB.batch([
      env.DB.prepare("INSERT INTO device_streams (device_id, connected_at) VALUES (?, 1)").bind(device.id),
      env.DB.prepare("UPDATE playout_plans SET stale = 1 WHERE device_id = ?").bind(device.id),
    ]);
    expect(await tellPlans(env)).toBe(0);
    expect(await noted(device)).toBeNull();
  });

  test("is noted with a heartbeat where D1 was away when it was opened", async () => {
    const device = await makeDevice();
    await objectOf(device).refreshProfile();
    const away = new Proxy(env.DB, {
      get: (db, name) => {
        if (name === "prepare") throw new Error("D1 is away");
        return Reflect.get(db, name);
      },
    });
    await runInDurableObject(objectOf(device), (instance) => Reflect.set(instance, "env", { ...env, DB: away }));
    const stream = await TestStream.open(device);
    expect(await noted(device)).toBeNull();
    await runInDurableObject(objectOf(device), (instance) => Reflect.set(instance, "env", env));
    await new CaughtReports().attach(device.id);
    expect((await stream.ask({ type: "heartbeat", id: 1, ...body() })).type).toBe("heartbeat_answer");
    await vi.waitFor(async () => expect(await noted(device)).not.toBeNull());
  });
});

describe("heartbeats and commands", () => {
  test("a heartbeat is taken and answered as over HTTP", async () => {
    const { device, stream } = await withPlan();
    const reports = await new CaughtReports().attach(device.id);
    const answer = await stream.ask({ type: "heartbeat", id: "h1", ...body() });
    expect(answer).toMatchObject({
      type: "heartbeat_answer",
      id: "h1",
      plan_etag: expect.stringMatching(/^[0-9a-f-]+/),
      epoch: "0",
      expected_sequence: 1,
      commands: [],
      policy: { heartbeat_interval_s: 60, signature: "required" },
      next_heartbeat_s: 60,
    });
    expect(reports.take()).toMatchObject([{ device_id: device.id, silent: false, heartbeat: { disk_used_bytes: 10 } }]);
  });

  test("a command is told when it is made, and once; its result ends it and reaches the administrator", async () => {
    const { device, stream } = await withPlan();
    const reports = await new CaughtReports().attach(device.id);
    await stream.ask({ type: "heartbeat", id: 0, ...body() });
    await deliverReports(reports.take());
    const command = await create(`devices/${device.id}/commands`, { type: "set_volume", params: { level: 40 } });
    const { id, created_at, expires_at } = command;
    const told = { type: "command", command: { id, type: "set_volume", params: { level: 40 }, created_at, expires_at } };
    expect(await stream.next()).toEqual(told);
    await objectOf(device).refreshProfile();
    expect(await stream.rest()).toEqual([]);
    const result = { type: "command_result", id: "r", command_id: id, status: "done", detail: { level: 40 } };
    expect(await stream.ask(result)).toEqual({ type: "command_result_answer", id: "r", command_id: id });
    expect((await stream.ask(result)).type).toBe("command_result_answer");
    expect((await stream.ask({ type: "heartbeat", id: 1, ...body() })).commands).toEqual([]);
    await runInDurableObject(objectOf(device), async (instance) => {
      const at = Date.now() + MINUTE_MS;
      const beat = { nowPlaying: null, itemMs: null, diskUsedBytes: 1, diskTotalBytes: 2, planEtag: null, lastError: null };
      const rest = { counters: {}, playerVersion: "1.0", results: [], familyId: device.familyId };
      await instance.heartbeat({ receivedAt: at, deviceTime: at, ...beat, ...rest });
    });
    await deliverReports(reports.take());
    const shown = await admin("GET", `/v1/admin/devices/${device.id}/commands/${id}`);
    expect(shown.body).toMatchObject({ status: "done", result: { level: 40 } });
  });

  test("a result before any heartbeat is to come again behind one", async () => {
    const { stream } = await withPlan();
    const result = { type: "command_result", id: 1, command_id: crypto.randomUUID(), status: "failed" };
    expect(await stream.ask(result)).toMatchObject({ type: "error", id: 1, problem: { status: 409, code: "HEARTBEAT_FIRST" } });
  });

  test("commands that wait are told when the device connects", async () => {
    const device = await makeDevice();
    const command = await create(`devices/${device.id}/commands`, { type: "reboot" });
    await objectOf(device).refreshProfile();
    const stream = await TestStream.open(device);
    expect(await stream.next()).toMatchObject({ type: "command", command: { id: command.id, type: "reboot" } });
  });
});
