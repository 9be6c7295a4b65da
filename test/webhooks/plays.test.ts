import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { sha256Hex } from "../../src/platform/encoding.ts";
import { DAY_MS, HOUR_MS } from "../../src/platform/time.ts";
import { compact } from "../../src/plays/archive/compact.ts";
import { playsLoggedStatements } from "../../src/webhooks/events.ts";
import { recoverMessages } from "../../src/webhooks/resend.ts";
import { admin } from "../support/admin.ts";
import { attached, clearArchive, keysUnder, recordSegment, segments, sendChunks } from "../support/archive.ts";
import { makeDevice, postBatch, signedLogs, type TestDevice } from "../support/device.ts";
import { endEvent, sendEvents, startEvent } from "../support/events.ts";
import { type CaughtQueue, deliver, runAlarm, withFault } from "../support/pipeline.ts";
import { attemptsOf, deliverAt, makeWebhook, messagesOf, receivedBy, shown, type TestWebhook, verified } from "../support/webhooks.ts";

interface Play extends Record<string, unknown> {
  event_id: string;
}
interface PlaysData {
  segment_id: string;
  part: number;
  parts: number;
  plays: Play[];
}

let device: TestDevice;
let queue: CaughtQueue;
beforeEach(async () => {
  await clearArchive();
  await env.DB.batch(["webhook_outbox", "webhooks"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  device = await makeDevice();
  queue = await attached(device);
});

const soon = () => Date.now() + 1000;
const outbox = async () => (await env.DB.prepare("SELECT * FROM webhook_outbox").all()).results;

/** All that a receiver was told of plays, each message once. */
async function toldTo(webhook: TestWebhook, now: number): Promise<{ id: string; data: PlaysData }[]> {
  const all = await receivedBy(webhook);
  return all.map((message) => ({
    id: message.headers["webhook-id"] ?? "",
    data: verified(webhook.secret, message, now).data as unknown as PlaysData,
  }));
}

async function acceptedIds(): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT event_id FROM proof_of_play_events WHERE device_id = ? ORDER BY event_id")
    .bind(device.id)
    .all<{ event_id: string }>();
  return results.map(({ event_id }) => event_id);
}

describe("what telling costs the commit", () => {
  test("no row where nobody subscribes, one for a batch whoever does", async () => {
    const written = async (id: string) => (await playsLoggedStatements(env.DB, { id, plays: 7 }, 1)[0]?.run())?.meta.rows_written;
    await makeWebhook(["device.paired"]);
    expect(await written(crypto.randomUUID())).toBe(0);
    await makeWebhook(["playback.logged"]);
    await makeWebhook(["playback.logged", "incident.opened"]);
    expect(await written(crypto.randomUUID())).toBe(1);
    expect(playsLoggedStatements(env.DB, null, 1)).toEqual([]);
    expect(playsLoggedStatements(env.DB, { id: "x", plays: 0 }, 1)).toEqual([]);
  });

  test("nothing is written where all that came is refused or known", async () => {
    await makeWebhook(["playback.logged"]);
    const [chunk] = await sendChunks(device, queue, 2);
    if (!chunk) throw new Error("nothing was sent");
    await deliver([chunk]);
    await deliver([chunk]);
    expect(await outbox()).toHaveLength(1);
  });
});

test("a start that was reported by itself is archived, and not told as a play", async () => {
  const webhook = await makeWebhook(["playback.logged"]);
  const at = Date.now() - 60_000;
  const start = startEvent(device, at);
  const end = endEvent(device, at + 15_000, { play_id: start.event_id });
  expect(await sendEvents(device, [start, end])).toMatchObject({ accepted: 2 });
  await runAlarm(device.id);
  await deliver(queue.take());
  const now = soon();
  expect(await deliverAt(webhook, now)).toBeNull();
  const told = await toldTo(webhook, now);
  expect(told.map(({ data }) => data)).toMatchObject([{ part: 1, parts: 1, plays: [{ event_id: end.event_id, status: "COMPLETED" }] }]);
  expect(told[0]?.data.plays).toHaveLength(1);
});

test("each accepted play is told once, with store, supplier, status, billing and flags, under an id that names its segment", async () => {
  const webhook = await makeWebhook(["playback.logged"]);
  const other = await makeWebhook(["playback.logged"]);
  await recordSegment(device, queue, 3, (index) => (index === 1 ? { status: "SKIPPED", duration_actual: 2, campaign_id: null } : {}));
  const now = soon();
  expect(await deliverAt(webhook, now)).toBeNull();
  const [segment] = await segments();
  const [message, ...more] = await toldTo(webhook, now);
  if (!message || !segment) throw new Error("nothing came");
  expect(more).toEqual([]);
  expect(message.id).toBe(`msg_${segment.id}_001`);
  expect(message.data).toMatchObject({ segment_id: segment.id, part: 1, parts: 1 });
  expect(message.data.plays.map(({ event_id }) => event_id).sort()).toEqual(await acceptedIds());
  const { results } = await env.DB.prepare("SELECT * FROM proof_of_play_events WHERE device_id = ?")
    .bind(device.id)
    .all<Record<string, unknown>>();
  for (const row of results) {
    const iso = (column: string) => new Date(Number(row[column])).toISOString();
    const flags = String(row.flags);
    expect(message.data.plays.find(({ event_id }) => event_id === row.event_id)).toEqual({
      event_id: row.event_id,
      device_id: device.id,
      store_id: device.storeId,
      supplier_id: device.supplierId,
      campaign_id: row.campaign_id || null,
      ad_group_id: null,
      playlist_id: null,
      content_id: device.contentId,
      content_version: row.content_version || null,
      slot_id: null,
      day: row.day,
      started_at: iso("started_at"),
      ended_at: iso("ended_at"),
      received_at: iso("received_at"),
      duration_ms: row.duration_ms,
      expected_ms: row.expected_ms,
      status: row.result,
      billable: row.billable === 1,
      quality: row.quality,
      flags: flags === "" ? [] : flags.split(","),
      door: row.door,
      record_hash: row.record_hash,
      chunk_id: row.chunk,
      chunk_index: expect.any(Number),
    });
  }
  expect(results.map(({ billable }) => billable).sort()).toEqual([0, 1, 1]);

  await deliverAt(other, now);
  expect((await toldTo(other, now)).map(({ id, data }) => [id, data])).toEqual([[message.id, message.data]]);
});

test("a commit that fails tells nothing, and its retry tells each play once", async () => {
  const webhook = await makeWebhook(["playback.logged"]);
  const chunks = await sendChunks(device, queue, 4);
  expect(await deliver(chunks, withFault("DB.batch", "before"))).toEqual({ acked: 0, retried: 1 });
  expect(await outbox()).toEqual([]);
  expect(await deliver(chunks, withFault("DB.batch", "after"))).toEqual({ acked: 0, retried: 1 });
  await deliver(chunks);
  const now = soon();
  await deliverAt(webhook, now);
  const told = await toldTo(webhook, now);
  expect(told.flatMap(({ data }) => data.plays.map(({ event_id }) => event_id)).sort()).toEqual(await acceptedIds());
  expect(await acceptedIds()).toHaveLength(4);
});

test("a segment of more than 500 plays goes in parts, and nothing is left out or told twice", async () => {
  const webhook = await makeWebhook(["playback.logged"]);
  for (let batch = 0; batch < 6; batch += 1) await postBatch(device, await signedLogs(device, 100));
  await runAlarm(device.id);
  await deliver(queue.take());
  expect(await segments()).toMatchObject([{ plays_count: 600 }]);
  const now = soon();
  await deliverAt(webhook, now);
  const told = (await toldTo(webhook, now)).sort((a, b) => a.data.part - b.data.part);
  expect(told.map(({ id, data }) => [id.slice(-4), data.part, data.parts, data.plays.length])).toEqual([
    ["_001", 1, 2, 500],
    ["_002", 2, 2, 100],
  ]);
  expect(told.flatMap(({ data }) => data.plays.map(({ event_id }) => event_id)).sort()).toEqual(await acceptedIds());
});

test("a message is the same, byte for byte, after its segment was compacted into several days", async () => {
  const webhook = await makeWebhook(["playback.logged"], [{ status: 500 }, { status: 204 }]);
  // Received on two days by turns: compaction then puts the first and the third together.
  await queue.attach(device.id, { OUTBOX_RESEND_AFTER_MS: "900000" });
  const chunks = [];
  for (const days of [2, 1, 2]) chunks.push(...(await sendChunks(device, queue, 2, { receivedAt: Date.now() - days * DAY_MS })));
  expect(chunks).toHaveLength(3);
  await deliver(chunks);
  expect(await segments()).toHaveLength(1);
  const now = soon();
  await deliverAt(webhook, now);
  await compact(env, now + 2 * HOUR_MS);
  expect((await keysUnder("plays/")).filter((key) => key.endsWith(".parquet"))).toHaveLength(2);
  for (const key of await keysUnder("segments/")) await env.BUCKET.delete(key);
  await deliverAt(webhook, now + 5000);
  const [first, second] = await receivedBy(webhook);
  expect(second?.headers["webhook-id"]).toBe(first?.headers["webhook-id"]);
  expect(second?.body).toBe(first?.body);
  const attempts = await attemptsOf(webhook);
  expect(attempts.map(({ outcome }) => outcome)).toEqual(["refused", "delivered"]);
  expect(new Set(attempts.map(({ body_sha256 }) => body_sha256))).toEqual(new Set([await sha256Hex(first?.body ?? "")]));

  const [message] = await messagesOf(webhook);
  const body = await admin("GET", `/v1/admin/webhooks/${webhook.id}/messages/${message?.id}/body`);
  expect(JSON.stringify(body.body)).toBe(first?.body);
});

test("plays that cannot be read are tried again, and not held against the receiver", async () => {
  const webhook = await makeWebhook(["playback.logged"]);
  await recordSegment(device, queue, 2);
  const [segment] = await segments();
  const object = await env.BUCKET.get(segment?.r2_key ?? "");
  const bytes = await object?.arrayBuffer();
  await env.BUCKET.delete(segment?.r2_key ?? "");
  const now = soon();
  expect(await deliverAt(webhook, now)).toBe(now + 5000);
  expect(await receivedBy(webhook)).toEqual([]);
  expect(await attemptsOf(webhook)).toMatchObject([{ outcome: "unreadable", error: `${segment?.r2_key} is missing.`, body_sha256: null }]);
  expect(await shown(webhook)).toMatchObject({ failing_since_at: null });
  await env.BUCKET.put(segment?.r2_key ?? "", bytes ?? "");
  await deliverAt(webhook, now + 5000);
  expect((await toldTo(webhook, now))[0]?.data.plays).toHaveLength(2);
});

test("what was missed while it was off or not there is told on demand, under the ids that it would have had", async () => {
  const from = new Date(Date.now() - HOUR_MS).toISOString();
  await recordSegment(device, queue, 1);
  const webhook = await makeWebhook(["playback.logged"]);
  await recordSegment(device, queue, 2);
  await deliverAt(webhook, soon());
  await admin("PATCH", `/v1/admin/webhooks/${webhook.id}`, { status: "disabled" });
  await recordSegment(device, queue, 3);
  const recover = () => admin("POST", `/v1/admin/webhooks/${webhook.id}/recover`, { from });
  expect((await recover()).body).toMatchObject({ code: "WEBHOOK_DISABLED" });
  await admin("PATCH", `/v1/admin/webhooks/${webhook.id}`, { status: "active" });
  expect(await recover()).toMatchObject({ status: 202, body: { messages: 2 } });
  const now = soon();
  await deliverAt(webhook, now);
  const told = await toldTo(webhook, now);
  const expected = (await segments()).map(({ id, plays_count }) => [`msg_${id}_001`, plays_count]);
  expect(told.map(({ id, data }) => [id, data.plays.length]).sort()).toEqual(expected.sort());
  const change = { db: env.DB, actor: "test", now };
  await expect(recoverMessages(change, webhook.id, Date.parse(from), now, [], 2)).rejects.toMatchObject({ code: "PERIOD_TOO_LARGE" });
  // All of it was delivered: nothing is sent twice.
  expect((await recover()).body).toEqual({ messages: 0 });
});
