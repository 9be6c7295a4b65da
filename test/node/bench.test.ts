import { describe, expect, test } from "bun:test";
import { checkRules, scheduleRulesSchema } from "../../src/schedules/rules.ts";
import { contentOf, fleetId, lastEndOf, playOf } from "../bench/fleet.ts";
import { faultsOf } from "../bench/intake.ts";
import type { LoadResult } from "../bench/load.ts";
import { arrivals, placeOf, requestCount } from "../bench/order.ts";
import { faultsOf as planFaults } from "../bench/plans.ts";
import { planNetworkRows } from "../bench/plans-data.ts";
import { costPerMillion } from "../bench/prices.ts";
import { insertStatements } from "../bench/seed.ts";
import { median, mergeRuns, quantile, reached, rowForPeople } from "../bench/stats.ts";
import { lineChart } from "../bench/svg.ts";

describe("requests of a set of logs", () => {
  const set = { devices: 3, rounds: 2, block: 10 };

  test("turn from device to device, and take each log once, a device's in their order", () => {
    expect(requestCount(set, 5)).toBe(12);
    const places = Array.from({ length: 12 }, (_, n) => placeOf(set, 5, n));
    expect(places.slice(0, 4)).toEqual([
      { device: 0, blockIndex: 0, from: 0 },
      { device: 1, blockIndex: 1, from: 0 },
      { device: 2, blockIndex: 2, from: 0 },
      { device: 0, blockIndex: 0, from: 5 },
    ]);
    expect(places[6]).toEqual({ device: 0, blockIndex: 3, from: 0 });
    expect(new Set(places.map(({ blockIndex, from }) => blockIndex * 10 + from)).size).toBe(12);
  });

  test("are due at the rate that is asked for, one after the other, and the same each time", () => {
    const due = arrivals(50, 10_000);
    expect(due.at(-1)).toBeGreaterThan(190_000);
    expect(due.at(-1)).toBeLessThan(210_000);
    expect([...due].every((at, n) => n === 0 || at >= (due[n - 1] ?? 0))).toBe(true);
    expect([...arrivals(50, 10_000)]).toEqual([...due]);
  });
});

test("a screen's block of plays fills 25 minutes without a gap, and straddles an hour", () => {
  const now = Date.parse("2026-11-21T10:40:00.000Z");
  const shape = { devices: 4, stores: 2, contents: 40, campaigns: 5 };
  const lastEndsAt = lastEndOf(now);
  expect(new Date(lastEndsAt).toISOString()).toBe("2026-11-21T10:12:00.000Z");
  expect(new Date(lastEndOf(Date.parse("2026-11-21T10:12:30.000Z"))).toISOString()).toBe("2026-11-21T09:12:00.000Z");
  const plays = Array.from({ length: 100 }, (_, index) =>
    playOf(shape, 0, { sequence: index + 1, after: 99 - index, plays: 100, lastEndsAt, id: "x" }),
  );
  expect(plays[0]?.started_at).toBe("2026-11-21T09:47:00.000Z");
  expect(plays[99]?.ended_at).toBe("2026-11-21T10:12:00.000Z");
  expect(plays.every((play, n) => n === 0 || play.started_at === plays[n - 1]?.ended_at)).toBe(true);
  expect(contentOf(shape, 1, 3)).toEqual({ content: 10, campaign: 0 });
  expect(fleetId("device", 1)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-8[0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("rows become INSERT statements that D1 takes, quotes and nulls in their place", () => {
  expect(insertStatements({ stores: [{ id: "a", name: "O'Neill", lat: null, n: 3 }] })).toEqual([
    "INSERT INTO stores (id, name, lat, n) VALUES ('a', 'O''Neill', NULL, 3)",
  ]);
  const many = insertStatements({ t: Array.from({ length: 5000 }, (_, n) => ({ id: String(n).padStart(40, "0") })) });
  expect(many.length).toBe(3);
  expect(many.every((statement) => statement.length <= 90_000)).toBe(true);
});

test("dollars a million logs: each amount at its list price", () => {
  const none = {
    workerRequests: 0,
    consumerRequests: 0,
    cpuMs: 0,
    objectRequests: 0,
    alarmsRun: 0,
    alarmsSet: 0,
    objectRowsWritten: 0,
    objectRowsRead: 0,
    queueOperations: 0,
    d1RowsWritten: 0,
    d1RowsRead: 0,
    bucketPuts: 0,
  };
  expect(costPerMillion(none)).toEqual({ worker: 0, objects: 0, queue: 0, d1: 0, bucket: 0, total: 0 });
  const one = (use: Partial<typeof none>) => costPerMillion({ ...none, ...use }).total;
  expect(one({ workerRequests: 1 })).toBeCloseTo(0.3, 9);
  expect(one({ consumerRequests: 1 })).toBeCloseTo(0.3, 9);
  expect(one({ cpuMs: 1 })).toBeCloseTo(0.02, 9);
  expect(one({ objectRowsWritten: 1 })).toBeCloseTo(1, 9);
  expect(one({ alarmsSet: 1 })).toBeCloseTo(1, 9);
  expect(one({ d1RowsWritten: 1.2 })).toBeCloseTo(1.2, 9);
  expect(one({ d1RowsRead: 1, objectRowsRead: 1 })).toBeCloseTo(0.002, 9);
  expect(one({ queueOperations: 0.03 })).toBeCloseTo(0.012, 9);
  expect(one({ bucketPuts: 1 })).toBeCloseTo(4.5, 9);
  // A call: $0.15 a million, and 10 ms of 128 MB at $12.50 a GB-second, a million times.
  expect(one({ objectRequests: 1 })).toBeCloseTo(0.15 + 0.01 * 0.128 * 12.5, 9);
  expect(one({ alarmsRun: 1 })).toBeCloseTo(0.15 + 0.1 * 0.128 * 12.5, 9);
});

describe("counting", () => {
  const load: LoadResult = {
    requests: 2,
    sent: 200,
    processed: 200,
    duplicates: 0,
    refused: 0,
    turnedAway: {},
    errors: {},
    latencies: [],
    elapsedMs: 1,
    senderLateMs: 0,
    startedAt: 0,
  };
  const recorded = { plays: { ledger: 205, "single plays": null, "hourly sums": 205 }, refused: 0 };

  test("is content where all that was sent is recorded in every place", () => {
    expect(faultsOf(load, recorded, 5)).toEqual([]);
  });

  test("names what is lost, doubled, refused, turned away or not told", () => {
    expect(faultsOf(load, { ...recorded, plays: { ...recorded.plays, "hourly sums": 206 } }, 5)).toEqual([
      "205 accepted, but 206 in: hourly sums",
    ]);
    expect(faultsOf({ ...load, processed: 199 }, { ...recorded, plays: { ledger: 204 } }, 5)).toEqual([
      "sent 200, but 199 taken + 0 refused + 0 turned away",
    ]);
    expect(faultsOf({ ...load, processed: 100, turnedAway: { "503": 100 } }, { ...recorded, plays: { ledger: 105 } }, 5)).toEqual([
      'turned away, by status: {"503":100}',
    ]);
    expect(faultsOf({ ...load, processed: 199, refused: 1, errors: { TOO_OLD: 1 } }, { plays: { ledger: 204 }, refused: 0 }, 5)).toEqual([
      'refused though they are good: {"TOO_OLD":1}',
      "1 refused, but 0 counted",
    ]);
    expect(faultsOf({ ...load, duplicates: 10 }, { ...recorded, plays: { ledger: 195 } }, 5)).toEqual(["10 were called duplicates"]);
  });
});

describe("the network whose plans are measured", () => {
  const rows = planNetworkRows([{ kid: "k", jwk: { kty: "RSA", n: "n", e: "AQAB", alg: "RS256" }, privateKey: "" }], 1_800_000_000_000);

  test("has 5,000 devices in 50 groups with four schedules each, as the product would take them", () => {
    const devicesOf = Map.groupBy(rows.devices ?? [], ({ group_id }) => group_id);
    const schedulesOf = Map.groupBy(rows.schedules ?? [], ({ target_id }) => target_id);
    expect([rows.device_groups?.length, devicesOf.size, schedulesOf.size]).toEqual([50, 50, 50]);
    expect(new Set([...devicesOf.values()].map(({ length }) => length))).toEqual(new Set([100]));
    expect(new Set([...schedulesOf.values()].map(({ length }) => length))).toEqual(new Set([4]));
    for (const { rules_json } of rows.schedules ?? []) {
      const rules = scheduleRulesSchema.parse(JSON.parse(String(rules_json)));
      expect(checkRules(rules)).toEqual([]);
    }
    const versions = new Set(rows.content_versions?.map(({ id }) => id));
    expect(rows.playlist_items?.length).toBe(1600);
    expect(rows.playlist_items?.every(({ content_version_id }) => versions.has(content_version_id ?? null))).toBe(true);
  });

  test("an answer that is not the plan is a fault", () => {
    const plan = { ms: 1, status: 200, etag: "e", text: '{"slot_id":1}' };
    const same = { ms: 1, status: 304, etag: "e", text: "" };
    expect(planFaults([plan], [plan], [same])).toEqual([]);
    expect(planFaults([{ ...plan, text: "{}" }], [plan], [{ ...same, status: 200 }])).toEqual([
      "plans: 1 were not made",
      "plans: 1 were not kept as they were made",
      "plans: 1 were not known by their ETag",
    ]);
  });
});

describe("figures", () => {
  test("quantiles are by nearest rank, medians in the middle", () => {
    const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
    expect([0.5, 0.95, 0.99, 1].map((share) => quantile(hundred, share))).toEqual([50, 95, 99, 100]);
    expect(quantile([], 0.5)).toBe(0);
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
  });

  test("runs merge into medians that tell their spread", () => {
    const row = (value: number) => [{ id: "a", what: "A", value, unit: "x" }];
    expect(mergeRuns([row(1), row(9), row(2)])).toEqual([{ id: "a", what: "A", value: 2, unit: "x", note: "3 runs, 1 to 9" }]);
    expect(mergeRuns([row(1)])).toEqual(row(1));
  });

  test("a row says whether it reaches its target, and what it was before", () => {
    const slow = { id: "a", what: "A", value: 9000, unit: "logs/s", target: { atLeast: 10_000 } };
    expect(reached(slow)).toBe(false);
    expect(reached({ ...slow, target: { atMost: 9000 } })).toBe(true);
    expect(rowForPeople(slow, { ...slow, value: 6000 })).toEqual({
      what: "A",
      value: "9,000 logs/s",
      target: ">= 10,000",
      reached: "NO",
      before: "6,000",
      change: "50 %",
      note: "",
    });
  });
});

test("a chart holds a line for each series and no text that could break it", () => {
  const svg = lineChart({
    title: "logs/s <b>",
    x: "devices",
    y: "logs/s",
    logX: true,
    series: [
      {
        name: "on & off",
        points: [
          [10, 1],
          [100, 3],
          [1000, 2],
        ],
      },
      {
        name: "off",
        points: [
          [10, 4],
          [1000, 4],
        ],
      },
    ],
  });
  expect(svg.startsWith("<svg ")).toBe(true);
  expect(svg.match(/<polyline /g)?.length).toBe(2);
  expect(svg).toContain("logs/s &lt;b&gt;");
  expect(svg).toContain("on &amp; off");
  expect(svg).not.toContain("NaN");
});
