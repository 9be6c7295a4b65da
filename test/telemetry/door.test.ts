import { evictDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/platform/time.ts";
import { forgetAccess } from "../../src/telemetry/access.ts";
import { factsOf, readEvent } from "../../src/telemetry/dialect.ts";
import { foldTelemetry } from "../../src/telemetry/fold.ts";
import { playerId } from "../../src/telemetry/players.ts";
import { isThinned } from "../../src/telemetry/thinning.ts";
import { admin } from "../support/admin.ts";
import { makeDevice, post, postBatch, signedLogs, type TestDevice } from "../support/device.ts";
import { CaughtQueue, deliver, drain, expectDrained, runAlarm, statusOf } from "../support/pipeline.ts";
import { aggregateRows, clearTelemetry, playOnGroup, sentEvent } from "../support/telemetry.ts";
import { makeToken } from "../support/tokens.ts";

const ONE = "/telemetry/playback";
const BATCH = "/telemetry/playback/batch";
type Sender = Pick<TestDevice, "token">;

let device: TestDevice;
let queue: CaughtQueue;
beforeEach(async () => {
  forgetAccess();
  await clearTelemetry();
  device = await makeDevice();
  await playOnGroup(device);
  queue = new CaughtQueue();
  await queue.attach(device.id);
});

const ago = (ms: number) => ({ clientTimestamp: new Date(Date.now() - ms).toISOString() });
const event = (given: Record<string, unknown> = {}) => sentEvent(device.contentId, given);

async function one(sender: Sender, body: unknown): Promise<Record<string, unknown>> {
  const answer = await post(sender, ONE, body);
  return { http: answer.status, ...(await answer.json<Record<string, unknown>>()) };
}

async function batch(sender: Sender, events: unknown[]): Promise<Record<string, unknown> & { errors: Record<string, unknown>[] }> {
  const answer = await post(sender, BATCH, { events });
  return { http: answer.status, ...(await answer.json<Record<string, unknown> & { errors: Record<string, unknown>[] }>()) };
}

async function daily(): Promise<Record<string, unknown>[]> {
  await foldTelemetry(env.DB, Date.now());
  return await aggregateRows("telemetry_daily");
}

describe("a single event", () => {
  test("is accepted, with the rate's headers, and a retry is accepted without being counted again", async () => {
    const sent = event();
    const answer = await post(device, ONE, sent, { "X-Correlation-Id": "correlated-1" });
    expect(answer.status).toBe(202);
    expect(await answer.json()).toEqual({ accepted: true, correlationId: "correlated-1" });
    expect(answer.headers.get("RateLimit-Policy")).toBe('"device";q=120;w=60');
    expect(answer.headers.get("RateLimit")).toMatch(/^"device";r=119;t=\d+$/);
    expect(await one(device, sent)).toMatchObject({ http: 202, accepted: true });
    await drain(device.id, queue);
    expect(await daily()).toMatchObject([{ content_id: device.contentId, starts_count: 1, devices: 1 }]);
  });

  test.each<[string, () => Record<string, unknown>, string]>([
    ["INVALID_EVENT_TYPE", () => event({ eventType: "pause" }), "/eventType"],
    ["INVALID_TRACK_ID", () => event({ trackId: "not-an-id" }), "/trackId"],
    ["INVALID_TIMESTAMP", () => event(ago(DAY_MS + MINUTE_MS)), "/clientTimestamp"],
    ["INVALID_TIMESTAMP", () => event(ago(-6 * MINUTE_MS)), "/clientTimestamp"],
    ["INVALID_POSITION", () => event({ positionSeconds: -1 }), "/positionSeconds"],
    ["INVALID_DURATION", () => event({ durationPlayedSeconds: -1 }), "/durationPlayedSeconds"],
    ["INVALID_SESSION_ID", () => event({ sessionId: "s".repeat(65) }), "/sessionId"],
    ["INVALID_DEVICE_ID", () => event({ deviceId: "d".repeat(65) }), "/deviceId"],
  ])("is refused with %s", async (code, given, pointer) => {
    const answer = await post(device, ONE, given());
    expect(answer.headers.get("Content-Type")).toBe("application/problem+json");
    expect(answer.headers.get("RateLimit")).toMatch(/r=119/);
    expect(await answer.json()).toMatchObject({ type: "/docs/errors/validation-error", status: 400, code, errors: [{ pointer }] });
    expect((await statusOf(device.id)).uncounted_refusals).toBe(1);
  });

  test("of another record under an id that was used is a conflict", async () => {
    const sent = event();
    await one(device, sent);
    const other = { ...sent, positionSeconds: 3 };
    expect(await one(device, other)).toMatchObject({ http: 409, code: "ID_CONFLICT" });
    const { items } = (await admin("GET", `/v1/admin/devices/${device.id}/refused`)).body;
    expect(items).toMatchObject([{ door: "telemetry", code: "ID_CONFLICT", log_id: sent.eventId, record: JSON.stringify(other) }]);
  });

  test.each([
    ["no JSON", "{", 400, "INVALID_JSON"],
    ["no object", "[]", 400, "VALIDATION_ERROR"],
    ["too large", JSON.stringify({ x: "x".repeat(300_000) }), 413, "PAYLOAD_TOO_LARGE"],
  ])("that is %s is refused", async (_, body, http, code) => {
    expect(await one(device, body)).toMatchObject({ http, code });
  });

  test("of a revoked device is refused", async () => {
    await env.DB.prepare("UPDATE devices SET status = 'revoked' WHERE id = ?").bind(device.id).run();
    await env.SEQUENCER.getByName(device.id).refreshProfile();
    expect(await one(device, event())).toMatchObject({ http: 403, type: "/docs/errors/device-revoked" });
  });
});

describe("a batch", () => {
  test("tells what became of each: mixed ones spoil no neighbour", async () => {
    const good = event();
    const answer = await batch(device, [
      good,
      event({ eventType: "rewind", eventId: "wrong" }),
      good,
      event(ago(6 * DAY_MS)),
      event(ago(8 * DAY_MS)),
      sentEvent(crypto.randomUUID()),
      "event",
    ]);
    expect(answer).toMatchObject({ http: 202, accepted: 2, rejected: 4, duplicates: 1 });
    expect(answer.errors.map(({ index, eventId, code, retryable }) => [index, eventId === "wrong", code, retryable])).toEqual([
      [1, true, "INVALID_EVENT_TYPE", false],
      [4, false, "INVALID_TIMESTAMP", false],
      [5, false, "TRACK_ACCESS_DENIED", false],
      [6, false, "VALIDATION_ERROR", false],
    ]);
    await drain(device.id, queue);
    const { results } = await env.DB.prepare(
      "SELECT code, count FROM refusals_hourly WHERE device_id = ? AND door = 'telemetry' ORDER BY code",
    )
      .bind(device.id)
      .all();
    expect(results.map(({ code, count }) => `${code} ${count}`)).toEqual([
      "INVALID_EVENT_TYPE 1",
      "INVALID_TIMESTAMP 1",
      "TRACK_ACCESS_DENIED 1",
      "VALIDATION_ERROR 1",
    ]);
  });

  test.each<[string, unknown, string]>([
    ["none", { events: [] }, "VALIDATION_ERROR"],
    ["no list", { events: {} }, "VALIDATION_ERROR"],
    ["51", { events: new Array(51).fill({}) }, "BATCH_TOO_LARGE"],
  ])("of %s is refused as a whole", async (_, body, code) => {
    expect(await (await post(device, BATCH, body)).json()).toMatchObject({ status: 400, code });
  });

  test("adds of a session's time what it has grown by, over requests and out of order", async () => {
    const played = (durationPlayedSeconds: number, eventType = "play_progress", sessionId = "s1") =>
      event({ eventType, sessionId, durationPlayedSeconds });
    await batch(device, [played(5), played(10)]);
    await batch(device, [played(8), played(15, "play_complete"), played(4, "play_stop", "s2")]);
    await drain(device.id, queue);
    expect(await daily()).toMatchObject([{ played_ms: 19_000, sessions: 2, progress_count: 3, completed_count: 1, stops_count: 1 }]);
  });

  test("500 events in 10 s pass by batches", async () => {
    for (let request = 0; request < 10; request++) {
      expect(
        await batch(
          device,
          Array.from({ length: 50 }, () => event()),
        ),
      ).toMatchObject({ http: 202, accepted: 50 });
    }
    await drain(device.id, queue);
    expect(await daily()).toMatchObject([{ starts_count: 500 }]);
  });
});

describe("telemetry and plays", () => {
  test("travel together, and telemetry is in no bill, no report and no count of plays", async () => {
    const ids = [crypto.randomUUID(), crypto.randomUUID()];
    // The same ids: telemetry has a space of its own.
    const logs = await signedLogs(device, 2, (index) => ({ log_id: ids[index] }));
    await batch(device, [...ids.map((eventId) => event({ eventId })), event({ eventType: "play_complete", durationPlayedSeconds: 15 })]);
    expect(await (await postBatch(device, logs)).json()).toMatchObject({ processed: 2, duplicates: 0, failed: 0 });
    await drain(device.id, queue);
    await expectDrained(device, 2);
    const { body } = await admin("GET", `/v1/admin/reports/proof-of-play?content_id=${device.contentId}&totals=true`);
    expect(body.totals).toMatchObject({ plays_count: 2, billable_count: 2, starts_count: 0, total_duration_ms: 30_000 });
    expect(await daily()).toMatchObject([{ starts_count: 2, completed_count: 1, played_ms: 15_000 }]);
  });

  test("share one rate: 120 requests a minute pass, the 121st is told to wait, and passes then", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      for (let request = 0; request < 119; request++) await one(device, event());
      expect(await (await postBatch(device, await signedLogs(device, 1))).json()).toMatchObject({ processed: 1 });
      const refused = await post(device, ONE, event());
      expect(refused.status).toBe(429);
      const waitS = Number(refused.headers.get("Retry-After"));
      expect(waitS).toBeGreaterThan(0);
      expect(await refused.json()).toMatchObject({ type: "/docs/errors/rate-limit-exceeded" });
      vi.setSystemTime(Date.now() + waitS * 1000);
      expect(await one(device, event())).toMatchObject({ http: 202 });
    } finally {
      vi.useRealTimers();
    }
  });

  test("a session's state and what was seen survive the object's end", async () => {
    const sent = event({ eventType: "play_progress", sessionId: "s", durationPlayedSeconds: 10 });
    await one(device, sent);
    await evictDurableObject(env.SEQUENCER.getByName(device.id));
    await queue.attach(device.id);
    expect(await batch(device, [sent, event({ eventType: "play_progress", sessionId: "s", durationPlayedSeconds: 12 })])).toMatchObject({
      accepted: 1,
      duplicates: 1,
    });
    await drain(device.id, queue);
    expect(await daily()).toMatchObject([{ played_ms: 12_000, progress_count: 2 }]);
  });
});

describe("a pipeline that lags", () => {
  test("thins play_progress alone, says so, counts it, and recovers by itself", async () => {
    await queue.attach(device.id, { OUTBOX_RESEND_AFTER_MS: "900000" });
    for (let chunk = 0; chunk < 48; chunk++) {
      await one(device, event());
      await runAlarm(device.id);
    }
    expect((await statusOf(device.id)).unconfirmed_chunks).toBe(48);
    const sent = Array.from({ length: 40 }, () => event({ eventType: "play_progress" }));
    const isLeftOut = (record: unknown) => {
      const read = readEvent(record);
      return read.ok && isThinned(factsOf(read.event, device.id, device.contentId).id, 0.5);
    };
    const leftOut = sent.filter(isLeftOut);
    expect(leftOut.length).toBeGreaterThan(5);
    expect(await batch(device, [...sent, event({ eventType: "seek" })])).toMatchObject({
      accepted: 41,
      rejected: 0,
      sampled: true,
      sampledCount: leftOut.length,
    });
    expect(await one(device, leftOut[0])).toEqual({ http: 202, accepted: true, sampled: true, correlationId: expect.any(String) });

    await deliver(queue.take());
    await drain(device.id, queue);
    expect(await daily()).toMatchObject([{ starts_count: 48, progress_count: 40 - leftOut.length, seeks_count: 1 }]);
    expect(
      await env.DB.prepare("SELECT sum(count) AS n FROM refusals_hourly WHERE device_id = ? AND code = 'SAMPLED'")
        .bind(device.id)
        .first("n"),
    ).toBe(leftOut.length + 1);
    expect(await one(device, leftOut[0])).toEqual({ http: 202, accepted: true, correlationId: expect.any(String) });
  });

  test("and comes back: nothing that was accepted is lost or counted twice", async () => {
    queue.swallow = true;
    await batch(device, [event(), event()]);
    await runAlarm(device.id);
    queue.swallow = false;
    await batch(device, [event()]);
    await drain(device.id, queue);
    expect(await daily()).toMatchObject([{ starts_count: 3 }]);
  });
});

describe("a device's tracks", () => {
  const denied = { http: 403, type: "/docs/errors/track-access-denied", code: "TRACK_ACCESS_DENIED" };

  test("are those of its playlists, by id or external id; the same content either way", async () => {
    const external = "01BX5ZZKBKACTAV9WEVGEMMVRZ";
    await env.DB.prepare("UPDATE content SET external_id = ? WHERE id = ?").bind(external, device.contentId).run();
    expect(await batch(device, [event(), sentEvent(external.toLowerCase())])).toMatchObject({ accepted: 2 });
    await drain(device.id, queue);
    expect(await daily()).toMatchObject([{ content_id: device.contentId, starts_count: 2 }]);
  });

  test("are no others, be they there or not", async () => {
    const other = await makeDevice();
    expect(await one(device, sentEvent(other.contentId))).toMatchObject(denied);
    expect(await one(device, sentEvent(crypto.randomUUID()))).toMatchObject(denied);
    expect(await one(device, sentEvent("01BX5ZZKBKACTAV9WEVGEMMVR0"))).toMatchObject(denied);
  });

  test("are those of the plan that it was last given, when the playlist is gone", async () => {
    await env.DB.prepare("UPDATE device_groups SET default_playlist_id = NULL WHERE id = ?").bind(device.groupId).run();
    expect(await one(device, event())).toMatchObject(denied);
    await env.DB.prepare(
      `INSERT OR REPLACE INTO playout_plans (id, device_id, etag, plan_json, valid_from, valid_to, generated_at) VALUES (?, ?, 'e', ?, 0, 0, 0)`,
    )
      .bind(crypto.randomUUID(), device.id, JSON.stringify({ items: { v: { content_id: device.contentId } } }))
      .run();
    expect(await one(device, event())).toMatchObject({ http: 202 });
  });
});

describe("a reporter", () => {
  const reporter = async (scope?: unknown): Promise<Sender & { id: string }> => await makeToken("reporter", scope);

  async function drainPlayer(token: { id: string }, deviceId: string): Promise<void> {
    const player = playerId(token.id, deviceId);
    const own = new CaughtQueue();
    await own.attach(player);
    await drain(player, own);
  }

  test("reports for players by name, each sequenced by itself, and for those without one", async () => {
    const token = await reporter();
    const sent = ["p1", "p2", "p1", undefined].map((deviceId) => event({ deviceId, sessionId: "s" }));
    expect(await batch(token, sent)).toMatchObject({ http: 202, accepted: 4 });
    expect(await batch(token, sent)).toMatchObject({ http: 202, duplicates: 4 });
    for (const player of ["p1", "p2", ""]) await drainPlayer(token, player);
    expect(await daily()).toMatchObject([{ starts_count: 4, devices: 2, sessions: 3 }]);
    expect((await aggregateRows("telemetry_devices_daily")).length).toBe(2);
  });

  test("has each player's rate apart, and half of it for those without a name", async () => {
    const token = await reporter();
    const [first] = [await post(token, ONE, event({ deviceId: "p1" }))];
    expect(first?.headers.get("RateLimit")).toMatch(/r=119/);
    expect((await post(token, ONE, event({ deviceId: "p2" }))).headers.get("RateLimit")).toMatch(/r=119/);
    for (let request = 0; request < 60; request++) await one(token, event());
    expect(await one(token, event())).toMatchObject({ http: 429 });
    const mixed = await batch(token, [event(), event({ deviceId: "p1" })]);
    expect(mixed).toMatchObject({ http: 202, accepted: 1, rejected: 1 });
    expect(mixed.errors).toMatchObject([{ index: 0, code: "RATE_LIMIT_EXCEEDED", retryable: true }]);
  });

  test("may report on what its token names: content, and that of campaigns", async () => {
    const other = await makeDevice();
    await playOnGroup(other);
    const byContent = await reporter({ content_ids: [device.contentId] });
    const byCampaign = await reporter({ campaign_ids: [other.campaignId] });
    const both = () => [event(), sentEvent(other.contentId)];
    expect((await batch(byContent, both())).errors).toMatchObject([{ index: 1, code: "TRACK_ACCESS_DENIED" }]);
    expect((await batch(byCampaign, both())).errors).toMatchObject([{ index: 0, code: "TRACK_ACCESS_DENIED" }]);
    expect(await batch(await reporter(), [...both(), sentEvent(crypto.randomUUID())])).toMatchObject({ accepted: 2, rejected: 1 });
  });

  test("has 1,000 players at most, and those it has go on", async () => {
    const token = await reporter();
    expect(await one(token, event({ deviceId: "old" }))).toMatchObject({ http: 202 });
    await env.DB.prepare(
      `INSERT INTO telemetry_players (token_id, player_id, created_at)
       WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 998) SELECT ?, 'player ' || i, 0 FROM n`,
    )
      .bind(token.id)
      .run();
    expect(await one(token, event({ deviceId: "the thousandth" }))).toMatchObject({ http: 202 });
    expect(await one(token, event({ deviceId: "one too many" }))).toMatchObject({ http: 403, code: "PLAYER_LIMIT" });
    expect(await batch(token, [event({ deviceId: "one too many" }), event({ deviceId: "old" }), event()])).toMatchObject({
      accepted: 2,
      errors: [{ index: 0, code: "PLAYER_LIMIT" }],
    });
  });

  test.each(["admin", "operator", "viewer"])("is no token of role %s", async (role) => {
    expect(await one(await makeToken(role), event())).toMatchObject({ http: 403, type: "/docs/errors/forbidden" });
  });

  test("whose token was revoked is refused", async () => {
    const token = await reporter();
    await admin("POST", `/v1/admin/tokens/${token.id}/revoke`);
    expect(await one(token, event())).toMatchObject({ http: 401, code: "TOKEN_REVOKED" });
  });
});

test("an event of hours ago counts in its own hour", async () => {
  await one(device, event(ago(5 * HOUR_MS)));
  await drain(device.id, queue);
  await foldTelemetry(env.DB, Date.now());
  const [row] = await aggregateRows("telemetry_hourly");
  expect(row && "hour" in row && row.hour).toBe(Math.floor((Date.now() - 5 * HOUR_MS) / HOUR_MS) * HOUR_MS);
});
