import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/platform/time.ts";
import { foldTelemetry, foldWhenDue } from "../../src/telemetry/fold.ts";
import { forgetTelemetry } from "../../src/telemetry/retain.ts";
import { deliver, withFault } from "../support/pipeline.ts";
import { aggregateRows, clearTelemetry, telemetryChunk, telemetryRow } from "../support/telemetry.ts";

const HOUR = Date.parse("2026-11-21T10:00:00Z");
const NOW = HOUR + 30 * MINUTE_MS;
const [DEVICE, OTHER] = [crypto.randomUUID(), crypto.randomUUID()];
const [SPOT, CLIP] = ["c1000000-0000-4000-8000-000000000001", "c2000000-0000-4000-8000-000000000002"];
const row = (content_id: string, at = HOUR) => telemetryRow({ content_id, at });
const commits = async () => (await env.DB.prepare("SELECT count(*) AS n FROM telemetry_commits").first<{ n: number }>())?.n;
const through = async () => (await env.DB.prepare("SELECT through FROM telemetry_folded").first<{ through: number }>())?.through;

beforeEach(clearTelemetry);

describe("the consumer and the fold", () => {
  test("sum up events by hour, day and content, and by player", async () => {
    const first = telemetryChunk(
      DEVICE,
      [
        telemetryRow({ content_id: SPOT, at: HOUR, session: "a".repeat(16) }),
        telemetryRow({ content_id: SPOT, at: HOUR + 1, type: "play_progress", played_ms: 5000, session: "a".repeat(16) }),
      ],
      [
        telemetryRow({ content_id: SPOT, at: HOUR + HOUR_MS, type: "play_complete", played_ms: 10_000, session: "a".repeat(16) }),
        telemetryRow({ content_id: CLIP, at: HOUR - 11 * HOUR_MS, type: "play_stop", played_ms: 1, session: "b".repeat(16) }),
      ],
    );
    const second = telemetryChunk(OTHER, [
      telemetryRow({ content_id: SPOT, at: HOUR + 2, session: "c".repeat(16) }),
      telemetryRow({ content_id: SPOT, at: HOUR + 3, type: "seek", position_ms: 7, named: false }),
    ]);
    expect(await deliver([first, second])).toEqual({ acked: 2, retried: 0 });
    expect(await commits()).toBe(1);
    expect(await foldTelemetry(env.DB, NOW)).toEqual({ commits: 1, rows: 8 });

    const none = { starts_count: 0, completed_count: 0, stops_count: 0, progress_count: 0, seeks_count: 0, played_ms: 0 };
    expect(await aggregateRows("telemetry_hourly")).toEqual([
      { hour: HOUR - 11 * HOUR_MS, content_id: CLIP, ...none, stops_count: 1, played_ms: 1, sessions: 1, devices: 1 },
      {
        hour: HOUR,
        content_id: SPOT,
        ...none,
        starts_count: 2,
        progress_count: 1,
        seeks_count: 1,
        played_ms: 5000,
        sessions: 2,
        devices: 2,
      },
      { hour: HOUR + HOUR_MS, content_id: SPOT, ...none, completed_count: 1, played_ms: 10_000, sessions: 1, devices: 1 },
    ]);
    const spot = { starts_count: 2, completed_count: 1, progress_count: 1, seeks_count: 1, played_ms: 15_000 };
    expect(await aggregateRows("telemetry_daily")).toEqual([
      { day: "2026-11-20", content_id: CLIP, ...none, stops_count: 1, played_ms: 1, sessions: 1, devices: 1 },
      { day: "2026-11-21", content_id: SPOT, ...none, ...spot, sessions: 2, devices: 2 },
    ]);
    const players = [
      {
        day: "2026-11-20",
        device_id: DEVICE,
        starts_count: 0,
        completed_count: 0,
        played_ms: 1,
        last_activity_at: HOUR - 11 * HOUR_MS,
        contents: 1,
      },
      {
        day: "2026-11-21",
        device_id: DEVICE,
        starts_count: 1,
        completed_count: 1,
        played_ms: 15_000,
        last_activity_at: HOUR + HOUR_MS,
        contents: 1,
      },
      { day: "2026-11-21", device_id: OTHER, starts_count: 1, completed_count: 0, played_ms: 0, last_activity_at: HOUR + 2, contents: 1 },
    ];
    expect(await aggregateRows("telemetry_devices_daily")).toEqual(
      players.sort((a, b) => (a.day + a.device_id < b.day + b.device_id ? -1 : 1)),
    );
  });

  test("bill and report nothing: telemetry leaves no play, no segment and no sum of plays", async () => {
    const count = async (table: string) => (await env.DB.prepare(`SELECT count(*) AS n FROM ${table}`).first<{ n: number }>())?.n;
    const tables = ["segments", "chunk_plays", "plays_hourly", "plays_daily_pending", "device_activity_daily", "aggregate_days"];
    const before = await Promise.all(tables.map(count));
    await deliver([telemetryChunk(DEVICE, [row(SPOT)])]);
    expect(await Promise.all(tables.map(count))).toEqual(before);
  });

  test("count a chunk once that comes again, in the same batch or later", async () => {
    const chunk = telemetryChunk(DEVICE, [row(SPOT)]);
    await deliver([chunk, chunk]);
    await deliver([chunk]);
    await foldTelemetry(env.DB, NOW);
    expect(await aggregateRows("telemetry_daily")).toMatchObject([{ starts_count: 1 }]);
  });

  test("count a chunk once whose commit's answer was lost, and leave nothing of a commit that failed", async () => {
    const chunk = telemetryChunk(DEVICE, [row(SPOT)]);
    expect(await deliver([chunk], withFault("DB.batch", "before", 1))).toEqual({ acked: 0, retried: 1 });
    expect(await commits()).toBe(0);
    expect(await deliver([chunk], withFault("DB.batch", "after", 1))).toEqual({ acked: 0, retried: 1 });
    expect(await deliver([chunk])).toEqual({ acked: 1, retried: 0 });
    await foldTelemetry(env.DB, NOW);
    expect(await aggregateRows("telemetry_daily")).toMatchObject([{ starts_count: 1 }]);
  });

  test("add to what is there, and fold each commit once, also when many fold at once", async () => {
    for (let turn = 0; turn < 3; turn++) {
      await deliver([telemetryChunk(DEVICE, [row(SPOT), row(CLIP)])]);
      await deliver([telemetryChunk(OTHER, [row(SPOT)])]);
      const results = await Promise.all(Array.from({ length: 4 }, () => foldTelemetry(env.DB, NOW)));
      expect(results.reduce((sum, { commits }) => sum + commits, 0)).toBe(2);
    }
    expect(await aggregateRows("telemetry_daily")).toMatchObject([
      { content_id: SPOT, starts_count: 6, devices: 2 },
      { content_id: CLIP, starts_count: 3, devices: 1 },
    ]);
  });

  test("fold however many contents and hours wait: what a transaction asks of D1 stays under its limits", async () => {
    // The smallest sums that there are, as many of them as commits of the largest size hold.
    const sums = (commit: number) =>
      JSON.stringify({
        contents: Array.from({ length: 20_000 }, (_, n) => [
          HOUR,
          `00000000-0000-4000-8000-${String(commit * 20_000 + n).padStart(12, "0")}`,
          ...[1, 0, 0, 0, 0, 0],
          "x",
          "x",
        ]),
        players: [],
      });
    const insert = "INSERT INTO telemetry_commits (recorded_at, sums_json, events_json) VALUES (?, ?, '[]')";
    for (let commit = 0; commit < 3; commit++) await env.DB.prepare(insert).bind(NOW, sums(commit)).run();
    let largest = 0;
    const measured = new Proxy(env.DB, {
      get(db, property) {
        if (property !== "prepare") return typeof Reflect.get(db, property) === "function" ? Reflect.get(db, property).bind(db) : undefined;
        return (sql: string) => {
          const statement = db.prepare(sql);
          const bind = statement.bind.bind(statement);
          const noting = (...values: unknown[]) => {
            largest = Math.max(largest, ...values.map((value) => String(value).length));
            return bind(...values);
          };
          return Object.assign(statement, { bind: noting });
        };
      },
    });
    expect((await foldTelemetry(measured, NOW)).commits).toBe(3);
    // A parameter may have 2 MB, though the simulator takes more.
    expect(largest).toBeGreaterThan(1_000_000);
    expect(largest).toBeLessThan(2_000_000);
    const row = await env.DB.prepare("SELECT count(*) AS contents, sum(starts_count) AS starts FROM telemetry_daily").first();
    expect(row).toEqual({ contents: 60_000, starts: 60_000 });
  }, 60_000);

  test("know a content by its id where only its external id was reported", async () => {
    const [id, external] = [crypto.randomUUID(), "01ARZ3NDEKTSV4RRFFQ69G5FAV"];
    const sql = "INSERT INTO content (id, external_id, name, type, created_at, updated_at) VALUES (?, ?, 'Spot', 'video', 0, 0)";
    await env.DB.prepare(sql).bind(id, external).run();
    await deliver([telemetryChunk(DEVICE, [row(external), row(id)])]);
    await foldTelemetry(env.DB, NOW);
    expect(await aggregateRows("telemetry_daily")).toMatchObject([{ content_id: id, starts_count: 2 }]);
    expect(await aggregateRows("telemetry_devices_daily")).toMatchObject([{ contents: 1 }]);
  });

  test("a message whose telemetry cannot be read fails alone", async () => {
    const [good, bad] = [telemetryChunk(DEVICE, [row(SPOT)]), telemetryChunk(DEVICE, [{ ...row(SPOT), played_ms: 0.5 }])];
    expect(await deliver([bad, good])).toEqual({ acked: 1, retried: 1 });
  });
});

describe("cron", () => {
  test("folds when a commit has waited for 15 min, and not before", async () => {
    await deliver([telemetryChunk(DEVICE, [row(SPOT)])]);
    const recordedAt = (await env.DB.prepare("SELECT recorded_at AS at FROM telemetry_commits").first<{ at: number }>())?.at ?? 0;
    expect(await foldWhenDue(env.DB, recordedAt + 15 * MINUTE_MS - 1)).toEqual({ commits: 0, rows: 0 });
    expect(await foldWhenDue(env.DB, recordedAt + 15 * MINUTE_MS)).toEqual({ commits: 1, rows: 3 });
    expect(await foldWhenDue(env.DB, recordedAt + DAY_MS)).toEqual({ commits: 0, rows: 0 });
  });

  test("or when 500 commits wait", async () => {
    await deliver([telemetryChunk(DEVICE, [row(SPOT)])]);
    await env.DB.prepare(
      `INSERT INTO telemetry_commits (recorded_at, sums_json, events_json)
       SELECT c.recorded_at, c.sums_json, '[]' FROM telemetry_commits c, (WITH RECURSIVE n(i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT i FROM n)`,
    ).run();
    expect(await foldWhenDue(env.DB, 0)).toMatchObject({ commits: 500 });
    expect(await aggregateRows("telemetry_daily")).toMatchObject([{ starts_count: 500, devices: 1 }]);
  });

  test("forgets aggregates of days that are too old, and commits that the feed needs no more", async () => {
    const days = [0, 29, 30, 31].map((age) => NOW - age * DAY_MS);
    await deliver([
      telemetryChunk(
        DEVICE,
        days.map((at) => row(SPOT, at)),
      ),
    ]);
    await foldTelemetry(env.DB, NOW);
    expect(await forgetTelemetry({ ...env, TELEMETRY_DAYS: "30" }, NOW)).toEqual({ hourly: 2, daily: 2, devices: 2, commits: 0 });
    expect((await aggregateRows("telemetry_daily")).map((kept) => "day" in kept && kept.day)).toEqual(["2026-10-23", "2026-11-21"]);
    expect(await forgetTelemetry({ ...env, TELEMETRY_DAYS: "1" }, NOW)).toMatchObject({ hourly: 1, daily: 1 });
    await expect(forgetTelemetry({ ...env, TELEMETRY_DAYS: "a month" as "30" }, NOW)).rejects.toThrow("TELEMETRY_DAYS");
  });

  test("keeps commits that are not folded, and the newest 200", async () => {
    const old = Array.from({ length: 202 }, () =>
      env.DB.prepare(
        "INSERT INTO telemetry_commits (recorded_at, sums_json, events_json) VALUES (0, '{\"contents\":[],\"players\":[]}', '[]')",
      ),
    );
    await env.DB.batch(old);
    expect((await forgetTelemetry(env, NOW)).commits).toBe(0);
    await foldTelemetry(env.DB, NOW);
    expect((await forgetTelemetry(env, NOW)).commits).toBe(2);
    expect(await commits()).toBe(200);
    expect(await through()).toBe((await env.DB.prepare("SELECT max(id) AS id FROM telemetry_commits").first<{ id: number }>())?.id);
  });
});
