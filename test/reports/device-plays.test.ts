import { env } from "cloudflare:workers";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, utcDay } from "../../src/platform/time.ts";
import { admin, call, create } from "../support/admin.ts";
import { clearPlays, commitPlays, type RecordedPlay, recordedPlay } from "../support/aggregates.ts";
import { makeDevice, type TestDevice } from "../support/device.ts";
import { beat } from "../support/heartbeats.ts";
import { bearer, makeToken } from "../support/tokens.ts";

const DAY = utcDay(Date.now() - 2 * DAY_MS);
const NOON = Date.parse(`${DAY}T12:00:00Z`);

let device: TestDevice;
beforeAll(async () => {
  device = await makeDevice();
});
beforeEach(async () => await clearPlays(env.DB));

const play = (changes: Partial<RecordedPlay>) =>
  recordedPlay({ device_id: device.id, supplier_id: device.supplierId, store_id: device.storeId, day: DAY, started_at: NOON, ...changes });

async function plays(query = "", headers: Record<string, string> = {}) {
  const answer = await admin("GET", `/v1/admin/devices/${device.id}/plays?${query}`, undefined, headers);
  return { ...answer, items: (answer.body.items ?? []) as Record<string, unknown>[] };
}

describe("a device's plays", () => {
  test("they come newest first, page by page, with what they are called", async () => {
    const rows = [0, 1, 2].map((hour) =>
      play({ started_at: NOON + hour * HOUR_MS, campaign_id: device.campaignId, content_id: device.contentId }),
    );
    await commitPlays(env.DB, rows, 1);
    const first = await plays("limit=2");
    const second = await plays(`limit=2&cursor=${first.body.next_cursor}`);
    expect([...first.items, ...second.items].map(({ event_id }) => event_id)).toEqual(rows.map(({ event_id }) => event_id).reverse());
    expect(second.body.next_cursor).toBeNull();
    expect(first.items[0]).toMatchObject({
      day: DAY,
      started_at: new Date(NOON + 2 * HOUR_MS).toISOString(),
      duration_ms: 10_000,
      result: "COMPLETED",
      billable: true,
      content_id: device.contentId,
      campaign_id: device.campaignId,
    });
    expect(typeof first.items[0]?.campaign_name).toBe("string");
  });

  test("they are narrowed by day, campaign, content, result and billing; starts are no plays", async () => {
    await commitPlays(
      env.DB,
      [
        play({ result: "PARTIAL", billable: 0 }),
        play({ campaign_id: device.campaignId }),
        play({ content_id: device.contentId, campaign_id: "" }),
        play({ type: "PLAY_START", result: "" }),
        play({ day: utcDay(NOON - DAY_MS), started_at: NOON - DAY_MS }),
      ],
      1,
    );
    const count = async (query: string) => (await plays(query)).items.length;
    expect(await count("")).toBe(3);
    expect(await count(`day=${utcDay(NOON - DAY_MS)}`)).toBe(1);
    expect(await count("result=PARTIAL")).toBe(1);
    expect(await count("billable=true")).toBe(2);
    expect(await count(`campaign_id=${device.campaignId}`)).toBe(1);
    expect((await plays(`content_id=${device.contentId}`)).items).toMatchObject([{ campaign_id: null, campaign_name: null }]);
  });

  test("a day that is kept no more is in the archive, and the answer says where", async () => {
    const answer = await plays("day=2025-01-01");
    expect([answer.status, answer.body.code]).toEqual([422, "IN_ARCHIVE"]);
    expect(answer.body.detail).toContain("plays/dt=");
  });

  test("a supplier's viewer sees of its device the plays that were its own", async () => {
    const before = await create("suppliers", { name: "Had it before" });
    await commitPlays(env.DB, [play({}), play({ supplier_id: before.id })], 1);
    const { token } = await makeToken("viewer", { supplier_id: device.supplierId });
    const answer = await call("GET", `/v1/admin/devices/${device.id}/plays`, undefined, bearer(token));
    expect(answer.body.items).toHaveLength(1);
    const other = await makeToken("viewer", { supplier_id: before.id });
    expect((await call("GET", `/v1/admin/devices/${device.id}/plays`, undefined, bearer(other.token))).status).toBe(404);
  });
});

describe("a device's last day", () => {
  test("it has every hour, with plays and refusals, and what the heartbeats said", async () => {
    const now = Date.now();
    const hour = now - (now % HOUR_MS);
    await commitPlays(
      env.DB,
      [play({ day: utcDay(hour), started_at: hour }), play({ day: utcDay(hour), started_at: hour, billable: 0 })],
      1,
    );
    await env.DB.prepare("INSERT INTO refusals_hourly (hour, device_id, door, code, count) VALUES (?, ?, 'playback-log', 'TOO_OLD', 4)")
      .bind(hour - HOUR_MS, device.id)
      .run();
    await beat(device, { disk_used_bytes: 30 });
    const { status, body } = await admin("GET", `/v1/admin/devices/${device.id}/activity`);
    expect(status).toBe(200);
    const hours = body.hours as { at: string; plays_count: number; billable_count: number; refused_count: number }[];
    expect(hours).toHaveLength(24);
    expect(hours.at(-1)).toEqual({ at: new Date(hour).toISOString(), plays_count: 2, billable_count: 1, refused_count: 0 });
    expect(hours.at(-2)).toMatchObject({ plays_count: 0, refused_count: 4 });
    expect(body.heartbeats).toMatchObject({
      silent: false,
      interval_s: 60,
      samples: [{ disk_used_bytes: 30, disk_total_bytes: 100 }],
      silences: [],
    });
  });

  test("a device that was never heard of has no heartbeats", async () => {
    const silent = await create("devices", { external_name: "Still in its box" });
    const { status, body } = await admin("GET", `/v1/admin/devices/${silent.id}/activity`);
    expect([status, body.heartbeats]).toEqual([200, null]);
    expect((await admin("GET", `/v1/admin/devices/${crypto.randomUUID()}/activity`)).status).toBe(404);
  });
});

test("the timeline of a plan covers 72 hours without a hole", async () => {
  const { status, body } = await admin("GET", `/v1/admin/devices/${device.id}/plan/timeline`);
  expect(status).toBe(200);
  const segments = body.segments as { from: string; to: string }[];
  expect([segments[0]?.from, segments.at(-1)?.to]).toEqual([body.valid_from, body.valid_to]);
  expect(segments.slice(1).map(({ from }) => from)).toEqual(segments.slice(0, -1).map(({ to }) => to));
  expect(Date.parse(String(body.valid_to)) - Date.now()).toBeGreaterThanOrEqual(72 * HOUR_MS);
});
