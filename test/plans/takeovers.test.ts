import { env, exports } from "cloudflare:workers";
import { afterEach, describe, expect, test } from "vitest";
import { findAccess } from "../../src/content/access.ts";
import { holdingEtag, readKeptPlan, servePlan } from "../../src/plans/serve.ts";
import { HOUR_MS } from "../../src/platform/time.ts";
import { admin, create } from "../support/admin.ts";
import { makeDevice } from "../support/device.ts";
import { fileOf, hashOf, upload } from "../support/files.ts";
import { beat } from "../support/heartbeats.ts";
import { contentWithVersion, playlistWithItems, scheduleOf } from "../support/media.ts";
import { askPlan, lift, liftAll, outline, segmentAt, shownTo, takeOver } from "../support/takeovers.ts";

afterEach(liftAll);

/** A paired device with a schedule all day, which knows its plan. */
async function playing() {
  const device = await makeDevice();
  const main = await playlistWithItems(2, { campaign_id: device.campaignId });
  const schedule = await scheduleOf(main.id, "GROUP", device.groupId, { rules: { priority: 1000 } });
  const before = await askPlan(device);
  return { device, main, schedule, before };
}

const etagOfHeartbeat = async (device: { token: string }) => (await beat(device)).body.plan_etag;

/** How far ahead an end is set: beyond any test, and within the plan. */
const anHourAhead = () => new Date(Date.now() + HOUR_MS).toISOString();

describe("a takeover", () => {
  test("is told by the next heartbeat, plays alone from then on, and is gone by the next heartbeat after it is lifted", async () => {
    const { device, main, before } = await playing();
    expect(await etagOfHeartbeat(device)).toBe(before.etag);
    const message = await playlistWithItems(1, { campaign_id: device.campaignId });
    const takeover = await takeOver("GROUP", device.groupId, { playlist_id: message.id });

    expect(await etagOfHeartbeat(device)).toBeNull();
    const during = await askPlan(device, before.etag);
    expect(during.status).toBe(200);
    expect(during.etag).not.toBe(before.etag);
    expect(outline(during.plan)).toEqual([
      [before.plan?.valid_from, takeover.started_at, null, [main.versionId, main.versionId]],
      [takeover.started_at, before.plan?.valid_to, takeover.id, [message.versionId]],
    ]);
    expect(await etagOfHeartbeat(device)).toBe(during.etag);
    expect((await askPlan(device, during.etag)).status).toBe(304);

    await lift(takeover);
    expect(await etagOfHeartbeat(device)).toBeNull();
    const after = await askPlan(device, during.etag);
    expect(after).toEqual({ status: 200, etag: before.etag, plan: before.plan });
    expect(await etagOfHeartbeat(device)).toBe(before.etag);
    // A player that was away all the time has missed nothing.
    expect((await askPlan(device, before.etag)).status).toBe(304);
  });

  test("is nobody's account, though its playlist is a campaign's and its file plays for one too", async () => {
    const { device, main } = await playing();
    const takeover = await takeOver("STORE", device.storeId, { playlist_id: main.id });
    const { plan } = await askPlan(device);
    const segment = segmentAt(plan, takeover.started_at);
    expect(segment?.loop).toEqual([
      { slot_id: expect.any(String), item: main.versionId, playlist_id: null },
      { slot_id: expect.any(String), item: main.versionId, playlist_id: null },
    ]);
    expect(segment?.schedule_ids).toEqual([]);
    expect(plan?.items[main.versionId]).toMatchObject({ campaign_id: null, ad_group_id: null, caps: {} });
    // Before it began, the same file played for the campaign, in other slots.
    const slots = segmentAt(plan, plan?.valid_from)?.loop ?? [];
    expect(slots).toMatchObject([{ campaign_id: device.campaignId }, { campaign_id: device.campaignId }]);
    expect(slots.map(({ slot_id }) => slot_id)).not.toContain(segment?.loop[0]?.slot_id);
  });

  test("with an end ends in the plan itself, which holds unasked", async () => {
    const { device, main } = await playing();
    const ends_at = anHourAhead();
    const { versionId } = await contentWithVersion("video", 20_000);
    const takeover = await takeOver("GROUP", device.groupId, { content_version_id: versionId, ends_at });
    expect(takeover).toMatchObject({ ends_at, active: true });
    const { plan, etag } = await askPlan(device);
    expect(outline(plan)).toEqual([
      [plan?.valid_from, takeover.started_at, null, [main.versionId, main.versionId]],
      [takeover.started_at, ends_at, takeover.id, [versionId]],
      [ends_at, plan?.valid_to, null, [main.versionId, main.versionId]],
    ]);
    expect(plan?.items[versionId]).toMatchObject({ type: "video", duration_ms: 20_000, campaign_id: null });
    const kept = await readKeptPlan(env.DB, device.id);
    if (!kept) throw new Error("no device");
    // As of the plan's day: any other day's plan is made anew whether or not there was a takeover.
    expect(holdingEtag(kept, Date.parse(plan?.valid_from ?? ""))).toBe(etag);
  });

  test("of the whole network, a group or a store reaches these devices, and no others", async () => {
    const [one, other] = [await makeDevice(), await makeDevice()];
    const all = await takeOver("ALL", null);
    expect([await shownTo(one, all.started_at), await shownTo(other, all.started_at)]).toEqual([all.id, all.id]);
    await lift(all);
    const group = await takeOver("GROUP", one.groupId);
    expect([await shownTo(one, group.started_at), await shownTo(other, group.started_at)]).toEqual([group.id, null]);
    await lift(group);
    const store = await takeOver("STORE", other.storeId);
    expect([await shownTo(one, store.started_at), await shownTo(other, store.started_at)]).toEqual([null, store.id]);
  });

  test("reaches a device without store and group where it is for all", async () => {
    const device = await makeDevice();
    await env.DB.prepare("UPDATE devices SET store_id = NULL, group_id = NULL WHERE id = ?").bind(device.id).run();
    const [group, all] = [await takeOver("GROUP", device.groupId), await takeOver("ALL", null)];
    expect(await shownTo(device, all.started_at)).toBe(all.id);
    await lift(all);
    expect(await shownTo(device, group.started_at)).toBeNull();
  });

  test("reaches a device that moves in while it stands, and lets go of one that moves out", async () => {
    const { device, before } = await playing();
    const group = await create("device-groups", { name: "g" });
    const takeover = await takeOver("GROUP", group.id);
    expect((await askPlan(device, before.etag)).status).toBe(304);
    await admin("PATCH", `/v1/admin/devices/${device.id}`, { group_id: group.id });
    expect(await shownTo(device, takeover.started_at)).toBe(takeover.id);
    await admin("PATCH", `/v1/admin/devices/${device.id}`, { group_id: device.groupId });
    expect(await shownTo(device, takeover.started_at)).toBeNull();
  });

  test("shows its playlist as it is: a corrected message is a new plan", async () => {
    const { device } = await playing();
    const message = await playlistWithItems();
    const takeover = await takeOver("ALL", null, { playlist_id: message.id });
    const { etag } = await askPlan(device);
    const { versionId } = await contentWithVersion();
    await admin("PUT", `/v1/admin/playlists/${message.id}/items`, { items: [{ content_version_id: versionId, duration_ms: 30_000 }] });
    const corrected = await askPlan(device, etag);
    expect(corrected.status).toBe(200);
    expect(segmentAt(corrected.plan, takeover.started_at)?.loop.map(({ item }) => item)).toEqual([versionId]);
    expect(corrected.plan?.items[versionId]?.duration_ms).toBe(30_000);
  });
});

describe("of several takeovers", () => {
  test("the one that was started last is shown, whatever its target; behind it the one before", async () => {
    const device = await makeDevice();
    const at = new Date(Date.now() + HOUR_MS).toISOString();
    let startedAt = Date.now() - HOUR_MS;
    // Two may begin in the same millisecond, and then the id decides; here each begins after the one before.
    const started = async (target: "ALL" | "GROUP" | "STORE", id: string | null) => {
      const takeover = await takeOver(target, id);
      startedAt += 1;
      await env.DB.prepare("UPDATE takeovers SET started_at = ? WHERE id = ?").bind(startedAt, takeover.id).run();
      return takeover;
    };
    const store = await started("STORE", device.storeId);
    const group = await started("GROUP", device.groupId);
    const all = await started("ALL", null);
    const again = await started("STORE", device.storeId);
    expect(await shownTo(device, at)).toBe(again.id);
    await lift(again);
    expect(await shownTo(device, at)).toBe(all.id);
    await lift(group);
    expect(await shownTo(device, at)).toBe(all.id);
    await lift(all);
    expect(await shownTo(device, at)).toBe(store.id);
    await lift(store);
    expect(await shownTo(device, at)).toBeNull();
  });

  test("that began in the same millisecond, the one made last is shown", async () => {
    const device = await makeDevice();
    const [first, second] = [await takeOver("ALL", null), await takeOver("GROUP", device.groupId)];
    await env.DB.prepare("UPDATE takeovers SET started_at = ? WHERE lifted_at IS NULL").bind(Date.now()).run();
    expect(String(first.id) < String(second.id)).toBe(true);
    expect(await shownTo(device, anHourAhead())).toBe(second.id);
  });

  test("an end brings back the one before in the same plan", async () => {
    const device = await makeDevice();
    const ends_at = anHourAhead();
    const [standing, short] = [await takeOver("GROUP", device.groupId), await takeOver("ALL", null, { ends_at })];
    await env.DB.prepare("UPDATE takeovers SET started_at = started_at - 1000 WHERE id = ?").bind(standing.id).run();
    const { plan } = await askPlan(device);
    expect(outline(plan).map(([from, , takeover]) => [from, takeover])).toEqual([
      [plan?.valid_from, null],
      [new Date(Date.parse(String(standing.started_at)) - 1000).toISOString(), standing.id],
      [short.started_at, short.id],
      [ends_at, standing.id],
    ]);
  });
});

describe("while a plan is made", () => {
  /** The real database; but right behind the reading of a plan's inputs, something happens. */
  const interrupted = (act: () => Promise<unknown>) => {
    let happened = false;
    return new Proxy(env.DB, {
      get(target, name) {
        if (name !== "batch") return Reflect.get(target, name).bind(target);
        return async (statements: D1PreparedStatement[]) => {
          const results = await target.batch(statements);
          if (!happened) {
            happened = true;
            await act();
          }
          return results;
        };
      },
    });
  };

  test.each(["GROUP", "STORE", "ALL"] as const)("a takeover (%s) that begins makes it stale at once", async (type) => {
    const { device, before, schedule } = await playing();
    await admin("PATCH", `/v1/admin/schedules/${schedule.id}`, { rules: { priority: 7 } });
    const row = await readKeptPlan(env.DB, device.id);
    if (!row) throw new Error("no device");
    let takeover: { id: string; started_at?: unknown } = { id: "" };
    const target = { GROUP: device.groupId, STORE: device.storeId, ALL: null }[type];
    const db = interrupted(async () => (takeover = await takeOver(type, target)));
    const served = await servePlan(db, device.id, row, () => false, Date.now());
    expect(served?.made?.segments.map(({ takeover_id }) => takeover_id)).toEqual([undefined]);
    expect(await etagOfHeartbeat(device)).toBeNull();
    const next = await askPlan(device, served?.etag);
    expect([next.status, segmentAt(next.plan, takeover.started_at)?.takeover_id]).toEqual([200, takeover.id]);
    expect(next.etag).not.toBe(before.etag);
  });

  test("a takeover that is lifted makes it stale at once", async () => {
    const { device, before } = await playing();
    const takeover = await takeOver("ALL", null);
    const row = await readKeptPlan(env.DB, device.id);
    if (!row) throw new Error("no device");
    const served = await servePlan(
      interrupted(() => lift(takeover)),
      device.id,
      row,
      () => false,
      Date.now(),
    );
    expect(served?.made?.segments.at(-1)?.takeover_id).toBe(takeover.id);
    expect(await etagOfHeartbeat(device)).toBeNull();
    expect(await askPlan(device, served?.etag)).toEqual({ status: 200, etag: before.etag, plan: before.plan });
  });
});

describe("its files", () => {
  async function uploaded() {
    const { id } = await create("content", { name: "c", type: "image" });
    const file = fileOf("png", 500);
    const { hex } = await hashOf(file);
    const version = await upload(id, file, {}, `?sha256=${hex}`);
    return { sha256: hex, versionId: String(version.body.id) };
  }
  const download = async (device: { token: string }, sha256: string) => {
    const headers = { Authorization: `Bearer ${device.token}` };
    const response = await exports.default.fetch(`http://localhost/v1/device/content/${sha256}`, { headers });
    const bytes = new Uint8Array(await response.arrayBuffer());
    return response.status === 200 ? (await hashOf(bytes)).hex : response.status;
  };

  test.each(["GROUP", "STORE", "ALL"] as const)(
    "may be had by the devices that it reaches (%s), and once it is lifted not",
    async (type) => {
      const [device, other] = [await makeDevice(), await makeDevice()];
      const [single, listed] = [await uploaded(), await uploaded()];
      const playlist = await create("playlists", { name: "p" });
      await admin("PUT", `/v1/admin/playlists/${playlist.id}/items`, { items: [{ content_version_id: listed.versionId }] });
      const target = { GROUP: device.groupId, STORE: device.storeId, ALL: null }[type];
      for (const { sha256 } of [single, listed]) expect(await download(device, sha256)).toBe(404);
      const takeovers = [
        await takeOver(type, target, { content_version_id: single.versionId }),
        await takeOver(type, target, { playlist_id: playlist.id }),
      ];
      for (const { sha256 } of [single, listed]) {
        expect(await download(device, sha256)).toBe(sha256);
        expect(await download(other, sha256)).toBe(type === "ALL" ? sha256 : 404);
      }
      for (const takeover of takeovers) await lift(takeover);
      for (const { sha256 } of [single, listed]) expect(await download(device, sha256)).toBe(404);
    },
  );

  test("may be had as long as the plan that the device was given names them", async () => {
    const device = await makeDevice();
    const { sha256, versionId } = await uploaded();
    const takeover = await takeOver("ALL", null, { content_version_id: versionId });
    const { plan } = await askPlan(device);
    expect(plan?.items[versionId]?.url).toBe(`/v1/device/content/${sha256}`);
    await lift(takeover);
    expect(await download(device, sha256)).toBe(sha256);
    await askPlan(device);
    expect(await findAccess(env.DB, device.id, sha256)).toMatchObject({ allowed: 0 });
  });
});

test("an explanation says that a takeover overrides, and none before it and behind it", async () => {
  const { device, schedule } = await playing();
  const ends_at = anHourAhead();
  const takeover = await takeOver("STORE", device.storeId, { ends_at });
  const explainedAt = async (at: unknown) => {
    const { body } = await admin("GET", `/v1/admin/devices/${device.id}/plan?at=${encodeURIComponent(String(at))}`);
    const { segment, schedules } = body as { segment: { takeover_id?: string }; schedules: Record<string, unknown>[] };
    return [segment.takeover_id, schedules.map(({ schedule_id, reason, takeover_id }) => [schedule_id, reason, takeover_id])];
  };
  expect(await explainedAt(takeover.started_at)).toEqual([takeover.id, [[schedule.id, "takeover", takeover.id]]]);
  const plays = [undefined, [[schedule.id, "plays", undefined]]];
  expect(await explainedAt(new Date(Date.parse(String(takeover.started_at)) - 1).toISOString())).toEqual(plays);
  expect(await explainedAt(ends_at)).toEqual(plays);
});
