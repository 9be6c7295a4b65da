import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { readOverview } from "../../src/monitoring/overview.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/platform/time.ts";
import { create } from "../support/admin.ts";

const NOW = Date.parse("2026-11-21T10:00:30Z");
const HOUR = Date.parse("2026-11-21T10:00:00Z");

let own: string;
let ofOther: string;
let supplierId: string;
beforeEach(async () => {
  await env.DB.batch(["incidents", "refusals_hourly", "segments"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
  const place = async () => {
    const supplier = await create("suppliers", { name: "Chain" });
    const store = await create("stores", { supplier_id: supplier.id, name: "Store", timezone: "UTC" });
    return { supplier, device: await create("devices", { external_name: "Screen", store_id: store.id }) };
  };
  const [mine, theirs] = [await place(), await place()];
  [own, ofOther, supplierId] = [mine.device.id, theirs.device.id, mine.supplier.id];
});

const run = (sql: string, ...values: unknown[]) =>
  env.DB.prepare(sql)
    .bind(...values)
    .run();

test("devices are counted by how they stand", async () => {
  const before = (await readOverview(env.DB, null, NOW)).devices;
  await run("UPDATE devices SET status = 'active', last_seen_at = 1 WHERE id = ?", own);
  await run("UPDATE devices SET status = 'active', last_seen_at = 1, offline_at = 1 WHERE id = ?", ofOther);
  const after = (await readOverview(env.DB, null, NOW)).devices;
  expect(after).toEqual({ ...before, online: before.online + 1, offline: before.offline + 1, unpaired: before.unpaired - 2 });
  await run("UPDATE devices SET last_seen_at = NULL WHERE id = ?", own);
  await run("UPDATE devices SET status = 'revoked' WHERE id = ?", ofOther);
  const later = (await readOverview(env.DB, null, NOW)).devices;
  expect(later).toEqual({
    ...before,
    never_seen: before.never_seen + 1,
    revoked: before.revoked + 1,
    unpaired: before.unpaired - 2,
  });
});

test("plays stand in the minute in which they were recorded; the one that runs is left out", async () => {
  const segment = async (at: number, plays: number) => {
    const id = `${at
      .toString(16)
      .padStart(12, "0")
      .replace(/^(.{8})/, "$1-")}-7000-8000-${crypto.randomUUID().slice(24)}`;
    await run(
      "INSERT INTO segments (id, r2_key, sha256, bytes, plays_count, chunks_count, dt, recorded_at) VALUES (?, '', '', 0, ?, 1, '', ?)",
      id,
      plays,
      at,
    );
  };
  await segment(HOUR - 90_000, 5);
  await segment(HOUR - 61_000, 7);
  await segment(HOUR - 60 * MINUTE_MS, 3);
  await segment(HOUR - 61 * MINUTE_MS, 100);
  await segment(HOUR + 1, 100);
  const { minutes } = await readOverview(env.DB, null, NOW);
  expect(minutes).toHaveLength(60);
  expect(minutes?.filter(({ plays_count }) => plays_count > 0)).toEqual([
    { at: "2026-11-21T09:00:00.000Z", plays_count: 3 },
    { at: "2026-11-21T09:58:00.000Z", plays_count: 12 },
  ]);
});

test("refusals of a day are summed by code, incidents by severity; a supplier's viewer is told of its own devices", async () => {
  const refuse = (hour: number, device: string, code: string, count: number) =>
    run("INSERT INTO refusals_hourly (hour, device_id, door, code, count) VALUES (?, ?, 'playback-log', ?, ?)", hour, device, code, count);
  await refuse(HOUR, own, "TOO_OLD", 2);
  await refuse(HOUR - 23 * HOUR_MS, ofOther, "TOO_OLD", 3);
  await refuse(HOUR, ofOther, "INVALID_SIGNATURE", 9);
  await refuse(HOUR - DAY_MS - HOUR_MS, own, "CLOCK_SKEW", 50);
  const incident = (device: string, severity: string, acknowledged: number | null, resolved: number | null) =>
    run(
      "INSERT INTO incidents (id, device_id, type, severity, created_at, acknowledged_at, resolved_at) VALUES (?, ?, ?, ?, 1, ?, ?)",
      crypto.randomUUID(),
      device,
      crypto.randomUUID(),
      severity,
      acknowledged,
      resolved,
    );
  await incident(own, "high", null, null);
  await incident(ofOther, "high", 1, null);
  await incident("", "low", null, null);
  await incident(own, "medium", null, 1);
  const all = await readOverview(env.DB, null, NOW);
  expect(all.refused).toEqual([
    { code: "INVALID_SIGNATURE", count: 9, devices: 1 },
    { code: "TOO_OLD", count: 5, devices: 2 },
  ]);
  expect(all.incidents).toEqual({ high: 2, medium: 0, low: 1, unacknowledged: 2 });
  const narrowed = await readOverview(env.DB, { supplier_id: supplierId }, NOW);
  expect(narrowed).toMatchObject({
    devices: { unpaired: 1 },
    minutes: null,
    refused: [{ code: "TOO_OLD", count: 2, devices: 1 }],
    incidents: { high: 1, medium: 0, low: 0, unacknowledged: 1 },
  });
});
