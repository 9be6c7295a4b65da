import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { loadPlanInput } from "../../src/plans/load.ts";
import type { Plan } from "../../src/plans/plan.ts";
import { resolvePlan } from "../../src/plans/resolve.ts";
import { slotsOf } from "../../src/plans/slots.ts";
import { planWindow } from "../../src/plans/zone.ts";
import { HOUR_MS, MINUTE_MS } from "../../src/platform/time.ts";
import { admin, create } from "../support/admin.ts";
import { makeDevice, postOne, type TestDevice } from "../support/device.ts";
import { playlistWithItems, scheduleOf } from "../support/media.ts";
import { CaughtQueue, drain } from "../support/pipeline.ts";
import { FINE, give as giveTo, IMAGE_MS, OUTSIDE, signedPlay, UNPLANNED, verdictOf } from "../support/plans.ts";

/** The device's store is in Ho Chi Minh City: UTC+7, no clock changes. */
const OFFSET_MS = 7 * HOUR_MS;

let device: TestDevice;
let now: number;
beforeEach(async () => {
  device = await makeDevice();
  now = Math.floor(Date.now() / MINUTE_MS) * MINUTE_MS;
});

/** HH:MM by the store's clock. */
const wall = (ms: number) => new Date(ms + OFFSET_MS).toISOString().slice(11, 16);
const bookedImage = () => playlistWithItems(1, { campaign_id: device.campaignId });
const daypart = (from: number, to: number) => ({ rules: { dayparts: [{ from: wall(from), to: wall(to) }] } });

const give = (at: number) => giveTo(device, at);
const signed = (contentId: string, startedAt: number, changes?: Record<string, unknown>, lastedMs?: number) =>
  signedPlay(device, contentId, startedAt, changes, lastedMs);
const send = (log: Record<string, unknown>) => verdictOf(device, log);
/** Reports a play of an image. */
const report = async (contentId: string, startedAt: number, changes?: Record<string, unknown>) =>
  await send(await signed(contentId, startedAt, changes));

describe("a play of a plan that the device was given", () => {
  const [from, to] = [() => now - HOUR_MS, () => now - 30 * MINUTE_MS];
  let contentId: string;
  let plan: Plan;
  beforeEach(async () => {
    const list = await bookedImage();
    contentId = list.contentId;
    await scheduleOf(list.id, "GROUP", device.groupId, daypart(from(), to()));
    plan = await give(now - 2 * HOUR_MS);
  });

  test("lasts as long as its slot, is billed by it, and keeps the slot that the device cites", async () => {
    const queue = new CaughtQueue();
    await queue.attach(device.id);
    const slotId = plan.segments.flatMap(({ loop }) => loop)[0]?.slot_id;
    expect(await report(contentId, from() + MINUTE_MS, { slot_id: slotId, duration_expected: 10 })).toEqual(FINE);
    expect(await report(contentId, from() + 2 * MINUTE_MS, { slot_id: "strange" })).toEqual(FINE);
    expect(await report(contentId, from() + 3 * MINUTE_MS)).toEqual(FINE);
    expect(await report(contentId, from() + 4 * MINUTE_MS, { slot_id: slotId, duration_expected: 13 })).toEqual({
      ...FINE,
      flags: ["EXPECTED_MISMATCH"],
      billable: false,
    });
    expect(await send(await signed(contentId, from() + 5 * MINUTE_MS, { slot_id: slotId }, 7999))).toEqual({
      ...FINE,
      flags: ["STATUS_CHANGED"],
      quality: 90,
      billable: false,
    });
    await drain(device.id, queue);
    const { results } = await env.DB.prepare(
      "SELECT slot_id, expected_ms, result, policy_version FROM proof_of_play_events WHERE device_id = ? ORDER BY started_at",
    )
      .bind(device.id)
      .all();
    const recorded = { expected_ms: IMAGE_MS, result: "COMPLETED", policy_version: "2026-11-2" };
    expect(results).toEqual([
      { ...recorded, slot_id: slotId },
      { ...recorded, slot_id: "strange" },
      { ...recorded, slot_id: "" },
      { ...recorded, slot_id: slotId },
      { ...recorded, slot_id: slotId, result: "PARTIAL" },
    ]);
  });

  test("may start a minute before its slot or after it, exactly a minute included, by the corrected clock", async () => {
    expect(await report(contentId, from() - MINUTE_MS)).toEqual(FINE);
    expect(await report(contentId, from() - MINUTE_MS - 1)).toEqual(OUTSIDE);
    expect(await report(contentId, to() + MINUTE_MS)).toEqual(FINE);
    expect(await report(contentId, to() + MINUTE_MS + 1)).toEqual(OUTSIDE);
    // A clock that is five minutes ahead: by it the play started six minutes after its slot.
    const ahead = await signed(contentId, to() + 6 * MINUTE_MS);
    const answer = await postOne(device, ahead, { "Sent-At": new Date(Date.now() + 4.9 * MINUTE_MS).toISOString() });
    expect(await answer.json()).toMatchObject({ flags: ["EXPECTED_UNKNOWN", "NOT_SCHEDULED"], quality_score: 80 });
    const inside = await signed(contentId, to() + 6 * MINUTE_MS);
    const later = await postOne(device, inside, { "Sent-At": new Date(Date.now() + 5.1 * MINUTE_MS).toISOString() });
    expect(await later.json()).toMatchObject({ flags: [], quality_score: 100, billable: true });
  });

  test("of something else is flagged, and billed by its version's duration", async () => {
    expect(await send(await signed(device.contentId, from() + MINUTE_MS, {}, 15_000))).toEqual({
      ...FINE,
      flags: ["NOT_SCHEDULED"],
      quality: 80,
    });
  });

  test("is known after the object was evicted, and after it was aborted", async () => {
    await evictDurableObject(env.SEQUENCER.getByName(device.id));
    expect(await report(contentId, from() + MINUTE_MS)).toEqual(FINE);
    await abortAllDurableObjects();
    expect(await report(contentId, from() + 2 * MINUTE_MS)).toEqual(FINE);
    expect(await report(contentId, to() + 2 * MINUTE_MS)).toEqual(OUTSIDE);
  });

  test("that comes again gets its first verdict, whatever the plans have become since", async () => {
    const late = await signed(contentId, to() + 10 * MINUTE_MS);
    const early = await signed(contentId, from() + MINUTE_MS);
    expect([await send(late), await send(early)]).toEqual([OUTSIDE, FINE]);
    // As if the plan had always been another one.
    const always = {
      ...plan,
      segments: [{ ...plan.segments[0], from: plan.valid_from, to: plan.valid_to, loop: plan.segments.flatMap(({ loop }) => loop) }],
    };
    await env.SEQUENCER.getByName(device.id).keepSlots(slotsOf(always as Plan), now - 2 * HOUR_MS);
    expect(await report(contentId, to() + 11 * MINUTE_MS)).toEqual(FINE);
    expect(await send(late)).toEqual({ ...OUTSIDE, status: "duplicate" });
    expect(await send(early)).toEqual({ ...FINE, status: "duplicate" });
  });

  test("is let in unflagged where the slots cannot be read any more, until the next plan", async () => {
    await runInDurableObject(env.SEQUENCER.getByName(device.id), (_, state) => {
      state.storage.sql.exec("UPDATE meta SET value = '\"broken\"' WHERE key = 'slots'");
    });
    await evictDurableObject(env.SEQUENCER.getByName(device.id));
    expect(await report(contentId, from() + MINUTE_MS)).toEqual(UNPLANNED);
    await env.SEQUENCER.getByName(device.id).keepSlots(slotsOf(plan), now - 2 * HOUR_MS);
    expect(await report(contentId, from() + 2 * MINUTE_MS)).toEqual(FINE);
  });
});

describe("a plan that was replaced", () => {
  test("still counts for the time before, and for a player that plays it on; what was in neither is flagged", async () => {
    const [old, fresh, never] = await Promise.all([bookedImage(), bookedImage(), bookedImage()]);
    const schedule = await scheduleOf(old.id, "GROUP", device.groupId);
    await give(now - 2 * HOUR_MS);
    expect((await admin("PATCH", `/v1/admin/schedules/${schedule.id}`, { playlist_id: fresh.id })).status).toBe(200);
    const plan = await give(now - HOUR_MS);
    expect(plan.items[fresh.versionId]?.content_id).toBe(fresh.contentId);
    const [before, after] = [now - 90 * MINUTE_MS, now - 30 * MINUTE_MS];
    expect(await report(old.contentId, before)).toEqual(FINE);
    expect(await report(fresh.contentId, after)).toEqual(FINE);
    expect(await report(old.contentId, after)).toEqual(FINE);
    expect(await report(never.contentId, before)).toEqual(OUTSIDE);
    expect(await report(never.contentId, after)).toEqual(OUTSIDE);
  });

  test("by one in which the content lasts longer, judges no play of its own time by that", async () => {
    const list = await bookedImage();
    await scheduleOf(list.id, "GROUP", device.groupId);
    await give(now - 2 * HOUR_MS);
    const items = await admin("PUT", `/v1/admin/playlists/${list.id}/items`, {
      items: [{ content_version_id: list.versionId, duration_ms: 30_000 }],
    });
    expect(items.status).toBe(200);
    await give(now - HOUR_MS);
    const partial = { ...FINE, flags: ["STATUS_CHANGED"], quality: 90, billable: false };
    expect(await report(list.contentId, now - 90 * MINUTE_MS)).toEqual(FINE);
    expect(await report(list.contentId, now - 30 * MINUTE_MS)).toEqual(partial);
  });
});

describe("where no plan is known", () => {
  test("no play is flagged: neither of a device that was never given one, nor from before the first", async () => {
    const { contentId, id } = await bookedImage();
    expect(await report(contentId, now - 10 * MINUTE_MS)).toEqual(UNPLANNED);
    expect(await send(await signed(device.contentId, now - 10 * MINUTE_MS, {}, 15_000))).toEqual(FINE);
    await scheduleOf(id, "GROUP", device.groupId, daypart(now + 2 * HOUR_MS, now + 3 * HOUR_MS));
    await give(now - 8 * MINUTE_MS);
    expect(await report(contentId, now - 9 * MINUTE_MS)).toEqual(UNPLANNED);
    expect(await report(contentId, now - 7 * MINUTE_MS - 1)).toEqual(UNPLANNED);
    expect(await report(contentId, now - 7 * MINUTE_MS)).toEqual(OUTSIDE);
  });
});

test("a play of a takeover is billed to nobody, though it cites a campaign; that of the campaign's own slot is, as long as it plays on", async () => {
  const [booked, message] = await Promise.all([bookedImage(), bookedImage()]);
  await scheduleOf(booked.id, "GROUP", device.groupId);
  const versions = await loadPlanInput(env.DB, device.id);
  const loaded = await env.DB.prepare("SELECT id, content_id, sha256, url, bytes, duration_ms FROM content_versions WHERE id = ?")
    .bind(message.versionId)
    .first<{ id: string; content_id: string; sha256: string; url: string | null; bytes: number | null; duration_ms: number | null }>();
  if (!versions || !loaded) throw new Error("no input");
  await give(now - 2 * HOUR_MS);
  const items = [{ id: "item", content_version_id: message.versionId, order_index: 0, weight: 1, duration_ms: null }];
  const input = {
    ...versions.input,
    versions: [...versions.input.versions, { ...loaded, type: "image" as const }],
    takeovers: [{ id: "takeover", from: now - HOUR_MS, to: null, items }],
  };
  const plan = resolvePlan(input, planWindow("Asia/Ho_Chi_Minh", now - HOUR_MS));
  await env.SEQUENCER.getByName(device.id).keepSlots(slotsOf(plan), now - HOUR_MS);
  const slotId = plan.segments.find(({ takeover_id }) => takeover_id !== undefined)?.loop[0]?.slot_id;
  const unbilled = { ...FINE, billable: false };
  expect(await report(message.contentId, now - 30 * MINUTE_MS, { slot_id: slotId })).toEqual(unbilled);
  expect(await report(message.contentId, now - 29 * MINUTE_MS)).toEqual(unbilled);
  expect(await report(booked.contentId, now - 28 * MINUTE_MS)).toEqual(FINE);
});

test("a takeover that an administrator starts is billed to nobody, also for plays that come after it was lifted", async () => {
  const [booked, message] = await Promise.all([bookedImage(), bookedImage()]);
  await scheduleOf(booked.id, "GROUP", device.groupId);
  await give(now - HOUR_MS);
  const takeover = await create("takeovers", { name: "Fire", target_type: "GROUP", target_id: device.groupId, playlist_id: message.id });
  const plan = await give(Date.now());
  const slotId = plan.segments.find(({ takeover_id }) => takeover_id === takeover.id)?.loop[0]?.slot_id;
  expect(slotId).toMatch(/-0$/);
  const unbilled = { ...FINE, billable: false };
  const ago = (seconds: number) => Date.now() - seconds * 1000;
  expect(await report(message.contentId, ago(20), { slot_id: slotId })).toEqual(unbilled);
  expect((await admin("POST", `/v1/admin/takeovers/${takeover.id}/lift`)).status).toBe(200);
  expect((await give(Date.now())).segments.some(({ takeover_id }) => takeover_id !== undefined)).toBe(false);
  expect(await report(message.contentId, ago(21), { slot_id: slotId })).toEqual(unbilled);
  expect(await report(message.contentId, ago(22))).toEqual(unbilled);
  expect(await report(booked.contentId, ago(23))).toEqual(FINE);
});
