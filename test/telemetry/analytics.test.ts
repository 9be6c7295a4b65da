import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, utcDay } from "../../src/platform/time.ts";
import { liveFeed } from "../../src/reports/analytics-live.ts";
import { newestCommit } from "../../src/reports/analytics-read.ts";
import { admin, call } from "../support/admin.ts";
import { makeDevice, type TestDevice } from "../support/device.ts";
import { deliver } from "../support/pipeline.ts";
import { clearTelemetry, playOnGroup, telemetryChunk, telemetryRow } from "../support/telemetry.ts";
import { bearer, makeToken } from "../support/tokens.ts";

let device: TestDevice;
let other: TestDevice;
const now = Date.now();
const day = (ago: number) => utcDay(now - ago * DAY_MS);
/** An instant of a day, so many days ago. */
const at = (ago: number) => Date.parse(day(ago)) + HOUR_MS;

beforeEach(async () => {
  await clearTelemetry();
  device = await makeDevice();
  other = await makeDevice();
});

const get = async (path: string) => (await admin("GET", `/v1/admin/analytics/${path}`)).body;
const session = (n: number) => n.toString(16).padStart(16, "0");
const exactly = (count: number) => ({ count, standard_error: 0 });

/** Three events of two days and two devices. */
async function record(): Promise<void> {
  await deliver([
    telemetryChunk(device.id, [
      telemetryRow({ content_id: device.contentId, at: at(2), session: session(1) }),
      telemetryRow({ content_id: device.contentId, at: at(1), type: "play_complete", played_ms: 12_500, session: session(1) }),
    ]),
    telemetryChunk(other.id, [telemetryRow({ content_id: device.contentId, at: at(1), session: session(2) })]),
  ]);
}

describe("analytics of a content", () => {
  test("show the range, each day of it, and unique sessions and devices over all days", async () => {
    await record();
    const first = { starts_count: 1, completed_count: 0, played_seconds: 0, unique_sessions: exactly(1), unique_devices: exactly(1) };
    const second = { starts_count: 1, completed_count: 1, played_seconds: 12.5, unique_sessions: exactly(2), unique_devices: exactly(2) };
    expect(await get(`content/${device.contentId}`)).toEqual({
      content_id: device.contentId,
      title: "Spot",
      from: day(6),
      to: day(0),
      kept_from: day(29),
      starts_count: 2,
      completed_count: 1,
      played_seconds: 12.5,
      unique_sessions: exactly(2),
      unique_devices: exactly(2),
      days: [
        { day: day(2), ...first },
        { day: day(1), ...second },
      ],
    });
    expect(await get(`content/${device.contentId}?from=${day(2)}&to=${day(2)}`)).toMatchObject({ ...first, days: [{ day: day(2) }] });
  });

  test("say the error of what is only estimated", async () => {
    const rows = Array.from({ length: 600 }, (_, n) =>
      telemetryRow({ content_id: device.contentId, at: at(1), session: session(n * 2 ** 40) }),
    );
    await deliver([telemetryChunk(device.id, rows)]);
    expect((await get(`content/${device.contentId}`)).unique_sessions).toMatchObject({ standard_error: 0.0163 });
  });

  test("of a content without telemetry are empty, and of none at all 404", async () => {
    expect(await get(`content/${device.contentId}`)).toMatchObject({ starts_count: 0, unique_sessions: exactly(0), days: [] });
    expect(await get(`content/${crypto.randomUUID()}`)).toMatchObject({ status: 404 });
  });

  test.each([
    ["from after to", "from=2026-11-02&to=2026-11-01", "/from"],
    ["no day", "from=yesterday", "/from"],
    ["a day that no calendar has", "to=2026-02-30", "/to"],
    ["over 400 days", "from=2025-01-01&to=2026-11-01", "/from"],
    ["a parameter that there is none of", "form=2026-11-01", "/form"],
  ])("refuse %s", async (_, query, pointer) => {
    for (const path of [`content/${device.contentId}`, `devices/${device.id}`]) {
      expect(await get(`${path}?${query}`)).toMatchObject({ type: "/docs/errors/validation-error", status: 400, errors: [{ pointer }] });
    }
  });
});

describe("top content", () => {
  test("is by starts, with titles, since an hour", async () => {
    await record();
    const start = telemetryRow({ content_id: other.contentId, at: now - HOUR_MS });
    await deliver([telemetryChunk(other.id, [start, start, start])]);
    const [spot, clip] = [
      { content_id: device.contentId, title: "Spot", starts_count: 2, completed_count: 1, played_seconds: 12.5 },
      { content_id: other.contentId, title: "Spot", starts_count: 3, completed_count: 0, played_seconds: 0 },
    ];
    expect((await get(`top-content?since=${day(3)}`)).items).toEqual([clip, spot]);
    expect((await get(`top-content?since=${day(3)}&count=1`)).items).toEqual([clip]);
    expect((await get(`top-content?since=${new Date(now - 2 * HOUR_MS).toISOString()}`)).items).toEqual([clip]);
    const byDefault = Date.parse(String((await get("top-content")).since));
    expect(byDefault).toBeGreaterThanOrEqual(now - DAY_MS);
    expect(byDefault).toBeLessThanOrEqual(Date.now() - DAY_MS);
  });

  test.each(["count=0", "count=101", "count=many", "since=yesterday", "since=2999-01-01", "limit=3"])("refuses %s", async (query) => {
    expect(await get(`top-content?${query}`)).toMatchObject({ type: "/docs/errors/validation-error", status: 400 });
  });
});

describe("analytics of a device", () => {
  test("show distinct contents, plays, time and last activity", async () => {
    await record();
    await deliver([telemetryChunk(device.id, [telemetryRow({ content_id: other.contentId, at: at(0) })])]);
    expect(await get(`devices/${device.id}`)).toEqual({
      device_id: device.id,
      from: day(6),
      to: day(0),
      kept_from: day(29),
      plays_count: 2,
      completed_count: 1,
      played_seconds: 12.5,
      distinct_contents: exactly(2),
      last_activity_at: new Date(at(0)).toISOString(),
    });
    expect(await get(`devices/${device.id}?from=${day(5)}&to=${day(4)}`)).toMatchObject({ plays_count: 0, last_activity_at: null });
  });

  test("know a reporter's player, and nobody else", async () => {
    const player = crypto.randomUUID();
    await env.DB.prepare("INSERT INTO telemetry_players (token_id, player_id, created_at) VALUES ('t', ?, 0)").bind(player).run();
    expect(await get(`devices/${player}`)).toMatchObject({ device_id: player, plays_count: 0 });
    expect(await get(`devices/${crypto.randomUUID()}`)).toMatchObject({ status: 404 });
  });
});

describe("the feed", () => {
  test("has the newest events first, with titles and devices", async () => {
    await record();
    await deliver([telemetryChunk(other.id, [telemetryRow({ content_id: other.contentId, at: now, position_ms: 1500, named: false })])]);
    const items = (await get("recent?count=3")).items as Record<string, unknown>[];
    expect(items[0]).toEqual({
      type: "play_start",
      content_id: other.contentId,
      title: "Spot",
      device_id: null,
      at: new Date(now).toISOString(),
      received_at: new Date(now).toISOString(),
      position_seconds: 1.5,
    });
    expect(items.length).toBe(3);
    expect(items.slice(1).map(({ device_id }) => device_id)).toEqual(expect.arrayContaining([device.id]));
    expect(await get("recent?count=201")).toMatchObject({ status: 400 });
  });

  const decoder = new TextDecoder();
  async function take(stream: ReadableStream<Uint8Array>, wanted: number): Promise<string> {
    const reader = stream.getReader();
    let text = "";
    for (let part = 0; part < wanted; part++) text += decoder.decode((await reader.read()).value);
    await reader.cancel();
    return text;
  }

  test("is live: it begins with what is new, or behind the last event that was seen", async () => {
    await record();
    const before = await newestCommit(env.DB);
    const fresh = liveFeed(env.DB, { after: null, scope: null, pollMs: 1 });
    const reader = fresh.getReader();
    expect(decoder.decode((await reader.read()).value)).toBe("retry: 1\n\n");
    expect(decoder.decode((await reader.read()).value)).toBe(":\n\n");
    await deliver([telemetryChunk(other.id, [telemetryRow({ content_id: other.contentId, at: now })])]);
    let text = ":\n\n";
    while (text === ":\n\n") text = decoder.decode((await reader.read()).value);
    await reader.cancel();
    expect(text).toMatch(new RegExp(`^id: ${before + 1}\nevent: telemetry\ndata: \\[\\{.*"content_id":"${other.contentId}".*\\}\\]\n\n$`));

    const resumed = await take(liveFeed(env.DB, { after: before - 1, scope: null, pollMs: 1 }), 2);
    expect([...resumed.matchAll(/^id: (\d+)$/gm)].map((match) => Number(match[1]))).toEqual([before, before + 1]);
  });

  test("is served as an event stream that nobody stores, and ends by itself", async () => {
    await record();
    const answer = await exports.default.fetch("http://localhost/v1/admin/analytics/live", {
      headers: { ...bearer("test-admin-token"), "Last-Event-ID": "0" },
    });
    expect([answer.status, answer.headers.get("Content-Type"), answer.headers.get("Cache-Control")]).toEqual([
      200,
      "text/event-stream",
      "no-store",
    ]);
    expect(answer.body && (await take(answer.body, 2))).toContain(device.contentId);
    const ended = liveFeed(env.DB, { after: 0, scope: null, pollMs: 1, lastsMs: 0 });
    expect(await new Response(ended).text()).toContain("event: telemetry");
    expect((await call("GET", "/v1/admin/analytics/live", undefined, { ...bearer("test-admin-token"), "Last-Event-ID": "x" })).status).toBe(
      400,
    );
  });
});

describe("a viewer", () => {
  test("of a brand sees the telemetry of its content alone", async () => {
    await playOnGroup(device);
    const brand = `Brand ${crypto.randomUUID()}`;
    await env.DB.prepare("UPDATE campaigns SET brand_name = ? WHERE id = ?").bind(brand, device.campaignId).run();
    await record();
    await deliver([telemetryChunk(other.id, [telemetryRow({ content_id: other.contentId, at: at(1) })])]);
    const viewer = bearer((await makeToken("viewer", { brand_name: brand })).token);
    const see = async (path: string) => (await call("GET", `/v1/admin/analytics/${path}`, undefined, viewer)).body;
    expect(await see(`content/${device.contentId}`)).toMatchObject({ starts_count: 2 });
    expect(await see(`content/${other.contentId}`)).toMatchObject({ status: 404 });
    const contents = (body: Record<string, unknown>) => (body.items as { content_id: string }[]).map(({ content_id }) => content_id);
    expect(contents(await see(`top-content?since=${day(3)}`))).toEqual([device.contentId]);
    expect(new Set(contents(await see("recent")))).toEqual(new Set([device.contentId]));
    // However many came of others since.
    expect(contents(await see("recent?count=1"))).toEqual([device.contentId]);
    const live = await new Response(liveFeed(env.DB, { after: 0, scope: { brand_name: brand }, lastsMs: 0 })).text();
    expect(live).toContain(device.contentId);
    expect(live).not.toContain(other.contentId);
    expect(await see(`devices/${device.id}`)).toMatchObject({ status: 403 });
  });

  test("of a supplier sees its own devices alone", async () => {
    await record();
    const viewer = bearer((await makeToken("viewer", { supplier_id: device.supplierId })).token);
    const see = async (path: string) => (await call("GET", `/v1/admin/analytics/${path}`, undefined, viewer)).body;
    expect(await see(`devices/${device.id}`)).toMatchObject({ plays_count: 1 });
    expect(await see(`devices/${other.id}`)).toMatchObject({ status: 404 });
    expect(await see(`content/${device.contentId}`)).toMatchObject({ status: 403 });
  });
});
