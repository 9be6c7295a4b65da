import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { loadPlanInput } from "../../src/plans/load.ts";
import { readKeptPlan, servePlan } from "../../src/plans/serve.ts";
import { DAY_MS } from "../../src/platform/time.ts";
import { admin, create } from "../support/admin.ts";
import { makeDevice, type TestDevice } from "../support/device.ts";
import { contentWithVersion, playlistWithItems, scheduleOf } from "../support/media.ts";

/** Asks for the plan as a player does. */
async function fetchPlan(device: Pick<TestDevice, "token">, ifNoneMatch?: string) {
  const response = await exports.default.fetch("http://localhost/v1/device/plan", {
    headers: { Authorization: `Bearer ${device.token}`, ...(ifNoneMatch !== undefined && { "If-None-Match": ifNoneMatch }) },
  });
  const text = await response.text();
  return { status: response.status, etag: response.headers.get("ETag") ?? "", text };
}

/** A paired device whose group has a schedule all day, and a default playlist. */
async function planned() {
  const device = await makeDevice();
  const [main, filler] = await Promise.all([playlistWithItems(2), playlistWithItems()]);
  const schedule = await scheduleOf(main.id, "GROUP", device.groupId);
  const patched = await admin("PATCH", `/v1/admin/device-groups/${device.groupId}`, { default_playlist_id: filler.id });
  expect(patched.status).toBe(200);
  return { device, main, filler, schedule };
}

async function change(path: string, body: unknown): Promise<void> {
  const answer = await admin("PATCH", `/v1/admin/${path}`, body);
  expect(answer.status, JSON.stringify(answer.body)).toBe(200);
}

const kept = (deviceId: string) =>
  env.DB.prepare("SELECT etag, plan_json, stale FROM playout_plans WHERE device_id = ?")
    .bind(deviceId)
    .first<{ etag: string; plan_json: string; stale: number }>();

describe("GET /v1/device/plan", () => {
  test("gives the plan, made once and kept", async () => {
    const { device, main, schedule } = await planned();
    const first = await fetchPlan(device);
    expect(first.status).toBe(200);
    const plan = JSON.parse(first.text);
    expect(first.etag).toBe(`"${plan.etag}"`);
    expect(plan).toMatchObject({ device_id: device.id, store_id: device.storeId, timezone: "Asia/Ho_Chi_Minh" });
    expect(plan.segments.length).toBe(1);
    expect(plan.segments[0].schedule_ids).toEqual([schedule.id]);
    expect(plan.segments[0].loop.map(({ item, playlist_id }: Record<string, unknown>) => [item, playlist_id])).toEqual([
      [main.versionId, main.id],
      [main.versionId, main.id],
    ]);
    expect(plan.items[main.versionId]).toMatchObject({ content_id: main.contentId, type: "image", duration_ms: 10_000, campaign_id: null });
    expect(plan.items[main.versionId].url).toBe(`/v1/device/content/${plan.items[main.versionId].sha256}`);
    expect(await kept(device.id)).toEqual({ etag: plan.etag, plan_json: first.text, stale: 0 });
    expect(await fetchPlan(device)).toEqual(first);
  });

  test("answers 304 to any form of its ETag, without making the plan", async () => {
    const { device, schedule } = await planned();
    const { etag } = await fetchPlan(device);
    const bare = etag.slice(1, -1);
    // Whoever makes a plan of this fails.
    await env.DB.prepare("UPDATE schedules SET rules_json = 'broken' WHERE id = ?").bind(schedule.id).run();
    for (const form of [etag, bare, `W/${etag}`, `W/${bare}`, "*", `"other", ${etag}`]) {
      expect([form, await fetchPlan(device, form)]).toEqual([form, { status: 304, etag, text: "" }]);
    }
    for (const form of ['"other"', `"${bare}x"`, ""]) expect([form, (await fetchPlan(device, form)).status]).toEqual([form, 200]);
  });

  test("is another one after a change, and the same after one that changes nothing", async () => {
    const { device, schedule, main } = await planned();
    const first = await fetchPlan(device);
    await change(`schedules/${schedule.id}`, { name: "Another name" });
    expect((await fetchPlan(device, first.etag)).status).toBe(304);
    await change(`schedules/${schedule.id}`, { rules: { priority: 7 } });
    expect(await kept(device.id)).toMatchObject({ stale: 1 });
    const second = await fetchPlan(device, first.etag);
    expect(second.status).toBe(200);
    expect(second.etag).not.toBe(first.etag);
    expect(await kept(device.id)).toMatchObject({ stale: 0 });
    await change(`schedules/${schedule.id}`, { rules: {} });
    expect((await fetchPlan(device, first.etag)).status).toBe(304);
    const items = await admin("PUT", `/v1/admin/playlists/${main.id}/items`, {
      items: [{ content_version_id: main.versionId, weight: 3 }],
    });
    expect(items.status).toBe(200);
    const third = await fetchPlan(device, first.etag);
    expect(JSON.parse(third.text).segments[0].loop.length).toBe(3);
  });

  test("takes the device's own schedules, and none of other devices and groups, nor archived ones", async () => {
    const { device, schedule } = await planned();
    const other = await planned();
    const own = await playlistWithItems();
    const mine = await scheduleOf(own.id, "DEVICE", device.id, { rules: { priority: 1 } });
    const archived = await scheduleOf(own.id, "DEVICE", device.id, { rules: { priority: 2 } });
    await change(`schedules/${archived.id}`, { archived: true });
    expect(JSON.parse((await fetchPlan(device)).text).segments[0].schedule_ids).toEqual([mine.id]);
    expect(JSON.parse((await fetchPlan(other.device)).text).segments[0].schedule_ids).toEqual([other.schedule.id]);
    const loaded = await loadPlanInput(env.DB, device.id);
    expect(loaded?.input.schedules.map(({ id }) => id)).toEqual([schedule.id, mine.id].sort());
    expect(loaded?.input.playlists.length).toBe(3);
    expect((await loadPlanInput(env.DB, device.id, true))?.input.schedules.length).toBe(3);
  });

  test("fills up with the default playlist; without a store the days are UTC's", async () => {
    const { device, filler, schedule } = await planned();
    await change(`schedules/${schedule.id}`, { archived: true });
    await env.DB.batch([
      env.DB.prepare("UPDATE devices SET store_id = NULL WHERE id = ?").bind(device.id),
      env.DB.prepare("UPDATE playout_plans SET stale = 1 WHERE device_id = ?").bind(device.id),
    ]);
    const plan = JSON.parse((await fetchPlan(device)).text);
    expect([plan.store_id, plan.timezone, plan.valid_from.slice(10)]).toEqual([null, "UTC", "T00:00:00.000Z"]);
    expect(plan.segments.map(({ loop }: { loop: { playlist_id: string }[] }) => loop.map(({ playlist_id }) => playlist_id))).toEqual([
      [filler.id],
    ]);
  });

  test("is made anew on the next day", async () => {
    const { device } = await planned();
    const today = await fetchPlan(device);
    const row = await readKeptPlan(env.DB, device.id);
    if (!row) throw new Error("no plan");
    const bare = today.etag.slice(1, -1);
    const now = Date.now();
    expect(await servePlan(env.DB, device.id, row, (etag) => etag === bare, now)).toEqual({ etag: bare, json: null, made: null });
    const tomorrow = await servePlan(env.DB, device.id, row, (etag) => etag === bare, now + DAY_MS);
    expect(tomorrow?.etag).not.toBe(bare);
    expect(Date.parse(tomorrow?.made?.valid_from ?? "") - Date.parse(JSON.parse(today.text).valid_from)).toBe(DAY_MS);
  });

  test("is made anew where it was made by an earlier way of planning", async () => {
    const { device } = await planned();
    const { etag } = await fetchPlan(device);
    const earlier = etag.slice(1, -1).replace(/^1-/, "0-");
    await env.DB.prepare("UPDATE playout_plans SET etag = ? WHERE device_id = ?").bind(earlier, device.id).run();
    expect(await fetchPlan(device, `"${earlier}"`)).toMatchObject({ status: 200, etag });
    expect(await kept(device.id)).toMatchObject({ etag: etag.slice(1, -1), stale: 0 });
  });

  test("that was made while an input changed is kept as stale", async () => {
    const { device, schedule } = await planned();
    const row = await readKeptPlan(env.DB, device.id);
    if (!row) throw new Error("no device");
    // The real database; but right behind the reading of the inputs, somebody changes one.
    const db = new Proxy(env.DB, {
      get(target, name) {
        if (name !== "batch") return Reflect.get(target, name).bind(target);
        return async (statements: D1PreparedStatement[]) => {
          const results = await target.batch(statements);
          await change(`schedules/${schedule.id}`, { rules: { priority: 3 } });
          return results;
        };
      },
    });
    const served = await servePlan(db, device.id, row, () => false, Date.now());
    expect(await kept(device.id)).toMatchObject({ etag: served?.etag, stale: 1 });
    expect((await fetchPlan(device, `"${served?.etag}"`)).status).toBe(200);
    expect(await kept(device.id)).toMatchObject({ stale: 0 });
  });

  test("too large to be kept is sent all the same, and known by its ETag", async () => {
    const { device, main, schedule } = await planned();
    await env.DB.prepare("UPDATE playlist_items SET weight = 1000 WHERE playlist_id = ?").bind(main.id).run();
    const dayparts = Array.from({ length: 4 }, (_, index) => ({ from: `${10 + 2 * index}:00`, to: `${11 + 2 * index}:00` }));
    await change(`schedules/${schedule.id}`, { rules: { dayparts } });
    const plan = await fetchPlan(device);
    expect(plan.text.length).toBeGreaterThan(2_000_000);
    expect(await kept(device.id)).toMatchObject({ plan_json: "", stale: 0 });
    expect(await fetchPlan(device)).toEqual(plan);
    expect((await fetchPlan(device, plan.etag)).status).toBe(304);
  });

  test("is for the player that is paired now, of a device that is not revoked", async () => {
    const { device } = await planned();
    await env.DB.prepare("UPDATE devices SET token_family_id = 'other' WHERE id = ?").bind(device.id).run();
    const superseded = await fetchPlan(device);
    expect([superseded.status, JSON.parse(superseded.text).code]).toEqual([401, "TOKEN_SUPERSEDED"]);
    await env.DB.prepare("UPDATE devices SET status = 'revoked' WHERE id = ?").bind(device.id).run();
    const revoked = await fetchPlan(device);
    expect([revoked.status, JSON.parse(revoked.text).code]).toEqual([403, "DEVICE_REVOKED"]);
  });
});

describe("GET /v1/admin/devices/{id}/plan", () => {
  test("says what plays at an instant, and why not the other one", async () => {
    const { device, schedule } = await planned();
    const { versionId } = await contentWithVersion("video", 20_000);
    const weekend = await create("playlists", { name: "Weekend" });
    await admin("PUT", `/v1/admin/playlists/${weekend.id}/items`, { items: [{ content_version_id: versionId }] });
    const rules = { priority: 5, dayparts: [{ days: ["sat", "sun"], from: "10:00", to: "18:00" }] };
    const other = await scheduleOf(weekend.id, "DEVICE", device.id, { name: "Weekend", rules });
    const old = await scheduleOf(weekend.id, "DEVICE", device.id, { name: "Old" });
    await change(`schedules/${old.id}`, { archived: true });
    const reasonsAt = async (at: string) => {
      const answer = await admin("GET", `/v1/admin/devices/${device.id}/plan?at=${encodeURIComponent(at)}`);
      expect(answer.status).toBe(200);
      const { schedules, local, segment } = answer.body as {
        schedules: { schedule_id: string; reason: string }[];
        local: string;
        segment: { schedule_ids: string[] };
      };
      return {
        local,
        ids: segment.schedule_ids,
        reasons: Object.fromEntries(schedules.map(({ schedule_id, reason }) => [schedule_id, reason])),
      };
    };
    expect(await reasonsAt("2026-11-27T14:00:00+07:00")).toEqual({
      local: "2026-11-27T14:00:00.000",
      ids: [schedule.id],
      reasons: { [schedule.id]: "plays", [other.id]: "outside_dayparts", [old.id]: "archived" },
    });
    expect(await reasonsAt("2026-11-28T14:00:00+07:00")).toMatchObject({
      ids: [other.id],
      reasons: { [schedule.id]: "lower_priority", [other.id]: "plays" },
    });
  });

  test("refuses an instant that is none, and a device that is not there", async () => {
    const { device } = await planned();
    const bad = await admin("GET", `/v1/admin/devices/${device.id}/plan?at=friday`);
    expect([bad.status, bad.body.errors]).toEqual([
      400,
      [{ pointer: "/at", detail: "must be a date-time as of RFC 3339, with its offset" }],
    ]);
    expect((await admin("GET", `/v1/admin/devices/${crypto.randomUUID()}/plan`)).status).toBe(404);
    expect((await admin("GET", `/v1/admin/devices/${device.id}/plan`)).status).toBe(200);
  });
});
