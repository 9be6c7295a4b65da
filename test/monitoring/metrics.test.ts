import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { METRICS, MetricDeltas, Observations, readMetrics, renderMetrics } from "../../src/platform/metrics.ts";
import { commitMetrics } from "../../src/plays/ledger/metrics.ts";
import { consumerBreaker } from "../../src/plays/ledger/record.ts";
import { runCron } from "../../workers/cron.ts";
import { app } from "../../workers/http.ts";
import { makeDevice, playLog, postBatch, postOne, signedLogs } from "../support/device.ts";
import { CaughtQueue, deliver, drain, runAlarm, withFault } from "../support/pipeline.ts";
import { type Family, parseMetrics, sampleOf } from "../support/prometheus.ts";
import { makeToken } from "../support/tokens.ts";

const ADMIN = { Authorization: "Bearer test-admin-token" };

async function scrape(): Promise<Map<string, Family>> {
  const answer = await exports.default.fetch("http://localhost/metrics", { headers: ADMIN });
  expect(answer.status).toBe(200);
  expect(answer.headers.get("Content-Type")).toBe("text/plain; version=0.0.4; charset=utf-8");
  expect(answer.headers.get("Cache-Control")).toBe("no-store");
  return parseMetrics(await answer.text());
}

beforeEach(async () => {
  await env.DB.prepare("UPDATE metrics SET values_json = '{}'").run();
  await env.DB.prepare("DELETE FROM dead_letters").run();
  consumerBreaker.succeeded();
});

/** A device whose chunks a test delivers by hand. */
async function caughtDevice() {
  const device = await makeDevice();
  const queue = new CaughtQueue();
  await queue.attach(device.id);
  const send = async () => {
    for (let round = 0; round < 10 && queue.bodies.length === 0; round++) await runAlarm(device.id);
    return queue.take();
  };
  return { device, queue, send };
}

describe("/metrics", () => {
  test("shows every metric in a form that Prometheus reads, before anything has happened too", async () => {
    const families = await scrape();
    expect([...families.keys()]).toEqual(Object.keys(METRICS));
    for (const [name, { type, help }] of families) {
      expect(type).toBe(METRICS[name as keyof typeof METRICS].type);
      expect(help.length).toBeGreaterThan(20);
    }
    const lag = families.get("telemetry_worker_lag_messages")?.samples.map(({ labels }) => labels.partition);
    expect(lag).toEqual(["play-events-0", "play-events-1", "play-events-2", "play-events-3"]);
  });

  test("counts plays by what became of them, their age, their requests and how long all took", async () => {
    const { device, queue, send } = await caughtDevice();
    const logs = await signedLogs(device, 30, (index) => (index < 3 ? { duration_actual: -1 } : {}));
    expect((await postBatch(device, logs)).status).toBe(202);
    expect((await postOne(device, await device.sign(playLog(device, {}, 20 * 60_000)))).status).toBe(202);
    // A duplicate is no new event.
    expect((await postBatch(device, logs.slice(3, 10))).status).toBe(202);
    const bodies = await send();
    expect(await deliver(bodies)).toEqual({ acked: bodies.length, retried: 0 });
    // What comes a second time counts no second time.
    expect(await deliver(bodies)).toEqual({ acked: bodies.length, retried: 0 });
    await drain(device.id, queue);

    const families = await scrape();
    const value = (sample: string, labels: Record<string, string> = {}) => sampleOf(families, sample, labels);
    expect(value("telemetry_events_ingested_total", { event_type: "play", status: "accepted" })).toBe(28);
    expect(value("telemetry_events_ingested_total", { event_type: "play", status: "rejected" })).toBe(3);
    expect(value("telemetry_events_processed_total", { event_type: "play", status: "success" })).toBe(28);
    expect(value("telemetry_events_processed_total", { event_type: "play", status: "failure" })).toBe(0);
    expect(value("telemetry_batch_size_count")).toBe(2);
    expect(value("telemetry_batch_size_sum")).toBe(28);
    expect(value("telemetry_batch_size_bucket", { le: "1" })).toBe(1);
    expect(value("telemetry_batch_size_bucket", { le: "20" })).toBe(1);
    expect(value("telemetry_batch_size_bucket", { le: "50" })).toBe(2);
    expect(value("telemetry_event_age_seconds_bucket", { le: "30" })).toBe(0);
    expect(value("telemetry_event_age_seconds_bucket", { le: "300" })).toBe(27);
    expect(value("telemetry_event_age_seconds_bucket", { le: "3600" })).toBe(28);
    const sum = value("telemetry_event_age_seconds_sum");
    expect(sum).toBeGreaterThanOrEqual(27 * 60 + 20 * 60);
    expect(sum).toBeLessThan(27 * 60 + 20 * 60 + 28 * 30);
    for (const [name, labels] of [
      ["telemetry_worker_processing_duration_ms", { event_type: "play" }],
      ["telemetry_aggregation_duration_ms", { aggregate_type: "hourly" }],
    ] as const) {
      expect(value(`${name}_count`, labels)).toBeGreaterThanOrEqual(1);
      // The Worker's clock and the database's are the machine's: a duration of hours would mean that they are not compared rightly.
      expect(value(`${name}_sum`, labels)).toBeLessThan(60_000);
    }
  });

  test("what was rolled back does not count, and counts once when it holds", async () => {
    const { device, send } = await caughtDevice();
    await postBatch(device, await signedLogs(device, 25));
    const bodies = await send();
    expect(await deliver(bodies, withFault("DB.batch", "before"))).toEqual({ acked: 0, retried: bodies.length });
    expect(sampleOf(await scrape(), "telemetry_events_processed_total", { event_type: "play", status: "success" })).toBeNull();
    // Committed, but the answer is lost.
    expect(await deliver(bodies, withFault("DB.batch", "after"))).toEqual({ acked: 0, retried: bodies.length });
    await deliver(bodies);
    const families = await scrape();
    expect(sampleOf(families, "telemetry_events_processed_total", { event_type: "play", status: "success" })).toBe(25);
    expect(sampleOf(families, "telemetry_batch_size_count", {})).toBe(1);
    expect(sampleOf(families, "telemetry_worker_processing_duration_ms_count", { event_type: "play" })).toBe(1);
  });

  test("plays among the dead letters are failures, for good", async () => {
    const letter = (id: string, plays: number, redrivenAt: number | null) =>
      env.DB.prepare(
        "INSERT INTO dead_letters (id, r2_key, device_id, chunk_id, reason, plays_count, created_at, redriven_at) VALUES (?, ?, '', '', 'UNRECORDABLE', ?, 0, ?)",
      ).bind(id, id, plays, redrivenAt);
    await env.DB.batch([letter("one", 40, null), letter("two", 2, 5)]);
    expect(sampleOf(await scrape(), "telemetry_events_processed_total", { event_type: "play", status: "failure" })).toBe(42);
  });

  test("tells how much waits in each queue, and of one that cannot tell nothing", async () => {
    const queue = (count: number) => ({ metrics: async () => ({ backlogCount: count, backlogBytes: 0 }) }) as unknown as Queue;
    const broken = { metrics: () => Promise.reject(new Error("away")) } as unknown as Queue;
    const own = { ...env, PLAY_EVENTS_0: queue(7), PLAY_EVENTS_1: queue(0), PLAY_EVENTS_2: broken, PLAY_EVENTS_3: queue(12) };
    const families = parseMetrics(await (await app.request("/metrics", { headers: ADMIN }, own)).text());
    expect(families.get("telemetry_worker_lag_messages")?.samples).toEqual([
      { name: "telemetry_worker_lag_messages", labels: { partition: "play-events-0" }, value: 7 },
      { name: "telemetry_worker_lag_messages", labels: { partition: "play-events-1" }, value: 0 },
      { name: "telemetry_worker_lag_messages", labels: { partition: "play-events-3" }, value: 12 },
    ]);
  });

  test("measures reports that are answered, and jobs that sum up", async () => {
    const report = (query: string) => exports.default.fetch(`http://localhost/v1/admin/reports/proof-of-play?${query}`, { headers: ADMIN });
    expect((await report("from=2026-11-01&to=2026-11-02")).status).toBe(200);
    expect((await report("from=never")).status).toBe(400);
    await runCron({ cron: "7 * * * *", scheduledTime: Date.now(), noRetry() {} } as ScheduledController, env, {} as ExecutionContext);
    let families = await scrape();
    // It is written behind the answer.
    while (sampleOf(families, "analytics_query_duration_ms_count", { query_type: "proof_of_play" }) === null) families = await scrape();
    expect(sampleOf(families, "analytics_query_duration_ms_count", { query_type: "proof_of_play" })).toBe(1);
    expect(sampleOf(families, "telemetry_aggregation_duration_ms_count", { aggregate_type: "daily" })).toBe(1);
  });
});

test("a commit counts each kind of event by its own type; what the platform made of an open start came from nobody", async () => {
  const header = { v: 2, device_id: "device", incarnation: "one", number: 1, plays: 3, refusals: [] };
  const request = { received_at: 1_000_000, correlation_id: "request" };
  const plays = {
    type: ["PLAY_START", "PLAY_END", "PLAY_TIMEOUT"],
    ended_at_raw: [990_000, 1_002_000, 0],
    received_at: Array(3).fill(request.received_at),
    correlation_id: Array(3).fill(request.correlation_id),
  };
  const telemetry = [
    { type: "seek", at: 999_000, ...request },
    { type: "seek", at: 999_000, ...request, correlation_id: "another" },
  ];
  const refusals = [
    { hour: 0, device_id: "device", door: "telemetry", code: "SAMPLED", count: 7 },
    { hour: 0, device_id: "device", door: "telemetry", code: "INVALID_TRACK_ID", count: 2 },
    { hour: 0, device_id: "device", door: "stream", code: "TOO_OLD", count: 4 },
  ];
  const deltas = commitMetrics([{ header, plays, telemetry }], { refusals }, { takenAt: Date.now(), summingFrom: Date.now() });
  await env.DB.batch(deltas.statements(env.DB));
  const stored = Object.entries(await readMetrics(env.DB)).filter(([series]) => !series.includes("duration"));
  expect(Object.fromEntries(stored)).toEqual({
    "telemetry_events_ingested_total|play_start|accepted": 1,
    "telemetry_events_ingested_total|play_end|accepted": 1,
    "telemetry_events_ingested_total|seek|accepted": 2,
    "telemetry_events_ingested_total|play_progress|sampled": 7,
    "telemetry_events_ingested_total|telemetry|rejected": 2,
    "telemetry_events_ingested_total|play|rejected": 4,
    "telemetry_events_processed_total|play_start|success": 1,
    "telemetry_events_processed_total|play_end|success": 1,
    "telemetry_events_processed_total|play_timeout|success": 1,
    "telemetry_events_processed_total|seek|success": 2,
    "telemetry_batch_size|1": 1,
    "telemetry_batch_size|5": 1,
    "telemetry_batch_size|sum": 4,
    "telemetry_event_age_seconds|1": 3,
    "telemetry_event_age_seconds|10": 1,
    "telemetry_event_age_seconds|sum": 12_000,
  });
});

describe("who may read /metrics", () => {
  const get = async (token: string | null, bindings: Partial<Env> = {}) => {
    const headers: Record<string, string> = token === null ? {} : { Authorization: `Bearer ${token}` };
    return (await app.request("/metrics", { headers }, { ...env, ...bindings })).status;
  };

  test("METRICS_TOKEN, where it is set; it opens nothing else", async () => {
    expect(await get("scraper", { METRICS_TOKEN: "scraper" })).toBe(200);
    expect(await get("scraped", { METRICS_TOKEN: "scraper" })).toBe(401);
    expect(await get("scraper")).toBe(401);
    expect(await get("", { METRICS_TOKEN: "" })).toBe(401);
    expect(await get(null, { METRICS_TOKEN: "scraper" })).toBe(401);
    const elsewhere = await app.request(
      "/v1/admin/stores",
      { headers: { Authorization: "Bearer scraper" } },
      { ...env, METRICS_TOKEN: "scraper" },
    );
    expect(elsewhere.status).toBe(401);
  });

  test("tokens that may read the whole network", async () => {
    expect(await get((await makeToken("viewer")).token)).toBe(200);
    expect(await get((await makeToken("operator")).token)).toBe(200);
    expect(await get((await makeToken("viewer", { brand_name: "Brand" })).token)).toBe(403);
    expect(await get((await makeToken("reporter")).token)).toBe(403);
  });
});

describe("stored metrics", () => {
  const observed = (name: ConstructorParameters<typeof Observations>[0], values: number[]) => {
    const observations = new Observations(name);
    for (const value of values) observations.add(value);
    return observations;
  };

  test("add up over commits, whoever writes them, and a value on a bound is in its bucket", async () => {
    const write = async (values: number[], times: number) => {
      const deltas = new MetricDeltas();
      deltas.observe(observed("analytics_query_duration_ms", values), ["top content"]);
      deltas.count("telemetry_events_ingested_total", ["PLAY_PROGRESS", "sampled"], times);
      await env.DB.batch(deltas.statements(env.DB));
    };
    await Promise.all([write([1, 5, 6], 2), write([40_000], 3), write([], 1)]);
    expect(await readMetrics(env.DB)).toEqual({
      "analytics_query_duration_ms|top_content|1": 1,
      "analytics_query_duration_ms|top_content|5": 1,
      "analytics_query_duration_ms|top_content|10": 1,
      "analytics_query_duration_ms|top_content|inf": 1,
      "analytics_query_duration_ms|top_content|sum": 40_012,
      "telemetry_events_ingested_total|play_progress|sampled": 6,
    });
    const families = parseMetrics(renderMetrics(await readMetrics(env.DB), {}));
    const at = (le: string) => sampleOf(families, "analytics_query_duration_ms_bucket", { query_type: "top_content", le });
    expect([at("1"), at("2"), at("5"), at("10"), at("30000"), at("+Inf")]).toEqual([1, 1, 2, 3, 3, 4]);
  });

  test("a duration by the database's clock falls into its bucket, and one that began in the future into the first", async () => {
    const deltas = new MetricDeltas();
    deltas.timeUntilWritten("telemetry_aggregation_duration_ms", ["hourly"], Date.now() - 3_600_000);
    deltas.timeUntilWritten("telemetry_aggregation_duration_ms", ["hourly"], Date.now() + 3_600_000);
    await env.DB.batch(deltas.statements(env.DB));
    const stored = await readMetrics(env.DB);
    expect(stored).toMatchObject({ "telemetry_aggregation_duration_ms|hourly|inf": 1, "telemetry_aggregation_duration_ms|hourly|1": 1 });
    const sum = stored["telemetry_aggregation_duration_ms|hourly|sum"] ?? 0;
    expect(Math.abs(sum - 3_600_000)).toBeLessThan(60_000);
  });

  test("nothing that happened is no statement", () => {
    expect(new MetricDeltas().statements(env.DB)).toEqual([]);
  });

  test("cost a commit one row, however many series it adds to", async () => {
    const deltas = new MetricDeltas();
    for (let type = 0; type < 20; type++) deltas.count("telemetry_events_ingested_total", [`type${type}`, "accepted"]);
    deltas.observe(observed("telemetry_event_age_seconds", [5, 500, 50_000, 5_000_000]), []);
    const [result] = await env.DB.batch(deltas.statements(env.DB));
    expect(result?.meta.rows_written).toBe(1);
  });
});
