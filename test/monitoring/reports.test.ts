import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { playsThroughout } from "../../src/monitoring/plan-loops.ts";
import { currentReports } from "../../src/monitoring/reports.ts";
import { HOUR_MS, MINUTE_MS } from "../../src/platform/time.ts";
import { makeDevice } from "../support/device.ts";
import { deliverReports, incidentsOf, report } from "../support/heartbeats.ts";
import { withFault } from "../support/pipeline.ts";

const T = Date.parse("2026-11-21T10:00:00Z");
const finding = (type: "LOW_STORAGE" | "PLAYBACK_STUCK" | "CLOCK_DRIFT", details: Record<string, unknown> = {}) => ({ type, details });

async function device(id: string) {
  return await env.DB.prepare("SELECT last_seen_at, offline_at, player_version, heartbeat_json FROM devices WHERE id = ?").bind(id).first();
}

describe("which reports count", () => {
  const known = { id: "a", status: "active", last_seen_at: T };

  test("of each device the newest, and none that is older than what D1 knows", () => {
    const times = (reports: Parameters<typeof currentReports>[0], ...devices: (typeof known)[]) =>
      currentReports(reports, devices).map(({ device_id, at }) => [device_id, at - T]);
    const at = (ms: number, id = "a") => report(id, { at: T + ms });
    expect(times([at(1), at(3), at(2), at(0, "b")], known, { ...known, id: "b" })).toEqual([
      ["a", 3],
      ["b", 0],
    ]);
    expect(times([at(-1)], known)).toEqual([]);
    expect(times([at(1)])).toEqual([]);
    expect(times([at(1)], { ...known, status: "revoked" })).toEqual([]);
  });

  test("of one instant the silence, which came after", () => {
    const both = [report("a", { at: T, silent: true }), report("a", { at: T })];
    expect(currentReports(both, [known])).toMatchObject([{ silent: true }]);
    expect(currentReports(both.toReversed(), [known])).toMatchObject([{ silent: true }]);
  });
});

describe("the consumer", () => {
  test("opens what is wrong, once, and resolves it when it is gone", async () => {
    const { id } = await makeDevice();
    const wrong = { findings: [finding("LOW_STORAGE", { disk_used_bytes: 95 }), finding("CLOCK_DRIFT")] };
    await deliverReports([report(id, { at: T, ...wrong })]);
    await deliverReports([report(id, { at: T + 1, ...wrong })]);
    expect(await incidentsOf(id)).toEqual([
      { type: "LOW_STORAGE", open: true },
      { type: "CLOCK_DRIFT", open: true },
    ]);
    const [row] = (await env.DB.prepare("SELECT severity, details_json FROM incidents WHERE device_id = ? ORDER BY id").bind(id).all())
      .results;
    expect(row).toEqual({ severity: "medium", details_json: '{"disk_used_bytes":95}' });
    await deliverReports([report(id, { at: T + 2, findings: [finding("CLOCK_DRIFT")] })]);
    expect(await incidentsOf(id)).toEqual([
      { type: "LOW_STORAGE", open: false },
      { type: "CLOCK_DRIFT", open: true },
    ]);
  });

  test("a report that comes late, or again, changes nothing", async () => {
    const { id } = await makeDevice();
    await deliverReports([report(id, { at: T, findings: [finding("LOW_STORAGE")] })]);
    await deliverReports([report(id, { at: T + 1 })]);
    await deliverReports([report(id, { at: T, findings: [finding("LOW_STORAGE")] })]);
    expect(await incidentsOf(id)).toEqual([{ type: "LOW_STORAGE", open: false }]);
    await deliverReports([report(id, { at: T - 1, silent: true, heartbeat: null })]);
    expect(await device(id)).toMatchObject({ last_seen_at: T + 1, offline_at: null });
  });

  test("silence makes a device offline, keeps what else is known, and resolves nothing; its return ends it", async () => {
    const { id } = await makeDevice();
    await deliverReports([report(id, { at: T, findings: [finding("LOW_STORAGE")] })]);
    await deliverReports([report(id, { at: T, silent: true, heartbeat: null, player_version: null })]);
    expect(await device(id)).toEqual({ last_seen_at: T, offline_at: T, player_version: "1.0", heartbeat_json: '{"disk_used_bytes":1}' });
    expect(await incidentsOf(id)).toEqual([{ type: "LOW_STORAGE", open: true }]);
    await deliverReports([report(id, { at: T + HOUR_MS })]);
    expect(await device(id)).toMatchObject({ last_seen_at: T + HOUR_MS, offline_at: null });
    expect(await incidentsOf(id)).toEqual([{ type: "LOW_STORAGE", open: false }]);
  });

  test("incidents that heartbeats do not tell of stay open", async () => {
    const { id } = await makeDevice();
    await env.DB.prepare("INSERT INTO incidents (id, device_id, type, severity, created_at) VALUES (?, ?, 'TOKEN_REUSE', 'high', 1)")
      .bind(crypto.randomUUID(), id)
      .run();
    await deliverReports([report(id)]);
    expect(await incidentsOf(id)).toEqual([{ type: "TOKEN_REUSE", open: true }]);
  });

  test("a hundred reports full of results are recorded, and hold up no other device", async () => {
    const [hostile, well] = [await makeDevice(), await makeDevice()];
    const results = () =>
      Array.from({ length: 40 }, () => ({
        id: crypto.randomUUID(),
        status: "failed" as const,
        detail: { error: "x".repeat(1900) },
        at: T,
      }));
    const reports = Array.from({ length: 99 }, (_, n) => report(hostile.id, { at: T + n, results: results() }));
    let largest = 0;
    const prepare = (sql: string) => {
      const statement = env.DB.prepare(sql);
      const bind = (...values: unknown[]) => {
        largest = Math.max(largest, ...values.map((value) => String(value).length));
        return statement.bind(...values);
      };
      return new Proxy(statement, { get: (target, name) => (name === "bind" ? bind : Reflect.get(target, name).bind(target)) });
    };
    const DB = new Proxy(env.DB, { get: (target, name) => (name === "prepare" ? prepare : Reflect.get(target, name).bind(target)) });
    expect(await deliverReports([...reports, report(well.id, { at: T })], { ...env, DB })).toEqual({ acked: 100, retried: 0 });
    // D1 takes no parameter over 2 MB; the simulator does.
    expect(largest).toBeLessThan(1_000_000);
    expect(await device(well.id)).toMatchObject({ last_seen_at: T });
    expect(await device(hostile.id)).toMatchObject({ last_seen_at: T + 98 });
  });

  test("what is no report is dropped, and spoils no neighbour", async () => {
    const { id } = await makeDevice();
    expect(await deliverReports([{ v: 2 }, report(id), "rubbish"])).toEqual({ acked: 3, retried: 0 });
    expect(await device(id)).toMatchObject({ last_seen_at: T });
  });

  test("while D1 is away all of it comes again; where its answer was lost too, and nothing is opened twice", async () => {
    const { id } = await makeDevice();
    const told = [report(id, { findings: [finding("LOW_STORAGE")] })];
    expect(await deliverReports(told, withFault("DB.batch", "before"))).toEqual({ acked: 0, retried: 1 });
    expect(await incidentsOf(id)).toEqual([]);
    expect(await deliverReports(told, withFault("DB.batch", "after"))).toEqual({ acked: 0, retried: 1 });
    expect(await deliverReports(told)).toEqual({ acked: 1, retried: 0 });
    expect(await incidentsOf(id)).toEqual([{ type: "LOW_STORAGE", open: true }]);
  });

  test("two consumers at once open one incident, and record both", async () => {
    const { id } = await makeDevice();
    const outcomes = await Promise.all(
      Array.from({ length: 6 }, (_, n) => deliverReports([report(id, { at: T + n, findings: [finding("LOW_STORAGE")] })])),
    );
    expect(outcomes).toEqual(Array(6).fill({ acked: 1, retried: 0 }));
    expect(await incidentsOf(id)).toEqual([{ type: "LOW_STORAGE", open: true }]);
  });

  test("a hundred devices that are well are one row each in one transaction, no index is written, and no other device is read", async () => {
    const devices = await Promise.all(Array.from({ length: 100 }, () => makeDevice()));
    const { id: prefix } = await makeDevice();
    await env.DB.prepare(
      `INSERT INTO devices (id, external_name, status, created_at, updated_at) SELECT ?1 || value, 'd', 'active', 0, 0 FROM json_each(?2)`,
    )
      .bind(prefix, JSON.stringify([...Array(2000).keys()]))
      .run();
    const batches: { written: number; read: number }[] = [];
    const db = new Proxy(env.DB, {
      get: (target, name) => {
        if (name !== "batch") return Reflect.get(target, name).bind(target);
        return async (statements: D1PreparedStatement[]) => {
          const results = await target.batch(statements);
          const sum = (of: "rows_written" | "rows_read") => results.reduce((total, { meta }) => total + meta[of], 0);
          batches.push({ written: sum("rows_written"), read: sum("rows_read") });
          return results;
        };
      },
    });
    await deliverReports(
      devices.map(({ id }) => report(id)),
      { ...env, DB: db },
    );
    expect(batches.map(({ written }) => written)).toEqual([100]);
    expect(batches[0]?.read).toBeLessThan(1000);
  });
});

describe("playing is stuck only where there was something to play", () => {
  const LIMIT_S = 900;
  const stuck = (id: string, at = T) => report(id, { at, findings: [finding("PLAYBACK_STUCK", { limit_s: LIMIT_S })] });

  async function planOf(deviceId: string, ...segments: [fromMin: number, toMin: number, slots: number][]): Promise<void> {
    const iso = (minute: number) => new Date(T + minute * MINUTE_MS).toISOString();
    const plan = { segments: segments.map(([from, to, slots]) => ({ from: iso(from), to: iso(to), loop: Array(slots).fill({}) })) };
    await env.DB.prepare(
      "INSERT INTO playout_plans (id, device_id, etag, plan_json, valid_from, valid_to, generated_at) VALUES (?1, ?1, 'e', ?2, 0, 0, 0)",
    )
      .bind(deviceId, JSON.stringify(plan))
      .run();
  }

  test.each<[string, Parameters<typeof planOf>[1][], boolean]>([
    ["no plan", [], false],
    ["a plan with a loop all the time", [[-60, 60, 2]], true],
    [
      "a plan with loops one after the other",
      [
        [-60, -10, 2],
        [-10, 60, 1],
      ],
      true,
    ],
    ["an empty plan", [[-60, 60, 0]], false],
    [
      "a loop that began ten minutes ago",
      [
        [-60, -10, 0],
        [-10, 60, 1],
      ],
      false,
    ],
    [
      "a loop that has ended",
      [
        [-60, -1, 1],
        [-1, 60, 0],
      ],
      false,
    ],
    ["a plan that began ten minutes ago", [[-10, 60, 1]], false],
  ])("%s", async (_, segments, open) => {
    const { id } = await makeDevice();
    if (segments.length > 0) await planOf(id, ...segments);
    await deliverReports([stuck(id)]);
    expect(await incidentsOf(id)).toEqual(open ? [{ type: "PLAYBACK_STUCK", open: true }] : []);
  });

  test("a plan too large to be kept has something to play", async () => {
    const { id } = await makeDevice();
    await planOf(id);
    await env.DB.prepare("UPDATE playout_plans SET plan_json = '' WHERE device_id = ?").bind(id).run();
    await deliverReports([stuck(id)]);
    expect(await incidentsOf(id)).toEqual([{ type: "PLAYBACK_STUCK", open: true }]);
  });

  test("once open, it stays until the device plays", async () => {
    const { id } = await makeDevice();
    await planOf(id, [-60, 60, 1]);
    await deliverReports([stuck(id)]);
    await env.DB.prepare("DELETE FROM playout_plans WHERE device_id = ?").bind(id).run();
    await deliverReports([stuck(id, T + 1)]);
    expect(await incidentsOf(id)).toEqual([{ type: "PLAYBACK_STUCK", open: true }]);
    await deliverReports([report(id, { at: T + 2 })]);
    expect(await incidentsOf(id)).toEqual([{ type: "PLAYBACK_STUCK", open: false }]);
  });

  test("stretches may come in any order", () => {
    const stretches = [
      { from: 10, to: 20, slots: 1 },
      { from: 0, to: 10, slots: 1 },
    ];
    expect([playsThroughout(stretches, 0, 19), playsThroughout(stretches, 0, 20), playsThroughout([], 0, 0)]).toEqual([true, false, false]);
  });
});
