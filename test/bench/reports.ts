import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Stack, startStack } from "../stack/stack.ts";
import { fleetId } from "./fleet.ts";
import { ADMIN_HEADERS, reportAddress } from "./reports-address.ts";
import { csvRows } from "./reports-csv.ts";
import { fillReports, PLAYS_OF_A_DAY, REPORT_DAYS, REPORT_NETWORK } from "./reports-data.ts";
import { quantile, type Row } from "./stats.ts";

/** A report that people ask for, as the query of its URL. `days` is how far back it reads, `share` which part of all plays it counts. */
export interface ReportShape {
  name: string;
  days: number;
  query: string;
  share?: number;
}

const { stores, campaigns, contents } = REPORT_NETWORK;
const campaign = { query: `campaign_id=${fleetId("campaign", 3)}`, share: 1 / campaigns };
const store = { query: `store_id=${fleetId("store", 7)}`, share: 1 / stores };
const content = { query: `content_id=${fleetId("content", 5)}`, share: 1 / contents };

const device = () => fleetId("device", 0);
/** What the network's people ask for: each dimension, what an advertiser asks of a campaign, and a retailer of a store. */
const PLAIN: Omit<ReportShape, "days">[] = [
  { name: "by day", query: "group_by=day", share: 1 },
  { name: "by campaign, with totals", query: "group_by=campaign&totals=true", share: 1 },
  { name: "by store", query: "group_by=store&limit=1000", share: 1 },
  { name: "by supplier", query: "group_by=supplier", share: 1 },
  { name: "by content", query: "group_by=content", share: 1 },
  { name: "by status", query: "group_by=status", share: 1 },
  { name: "by day and campaign", query: "group_by=day,campaign&limit=1000", share: 1 },
  { name: "by day and store, first page", query: "group_by=day,store&limit=100" },
  { name: "one campaign by day", query: `group_by=day&${campaign.query}`, share: campaign.share },
  { name: "one campaign by store", query: `group_by=store&limit=1000&${campaign.query}`, share: campaign.share },
  { name: "one content by store", query: `group_by=store&limit=1000&${content.query}`, share: content.share },
  { name: "one content by day", query: `group_by=day&${content.query}`, share: content.share },
  { name: "one store by content", query: `group_by=content&${store.query}`, share: store.share },
  { name: "one store by day and campaign", query: `group_by=day,campaign&limit=1000&${store.query}`, share: store.share },
];
export const REPORT_SHAPES: ReportShape[] = [
  ...[30, 90].flatMap((days) => PLAIN.map((shape) => ({ ...shape, days }))),
  { name: "one device by day, single plays", days: 30, query: `group_by=day&device_id=${device()}` },
  { name: "one device by content, single plays", days: 30, query: `group_by=content&device_id=${device()}` },
  { name: "one device by day, beyond the hot window", days: 90, query: `group_by=day&device_id=${device()}` },
];
/** Questions across all campaigns and all stores: there is no smaller table for them, so every row of their days is read. */
export const CROSSING_SHAPES: ReportShape[] = [
  { name: "by campaign and store, first page", days: 30, query: "group_by=campaign,store&limit=1000" },
];

/** What the platform gives an isolate. */
const ISOLATE_MB = 128;

/**
 * Reports over a network of 5,000 devices whose aggregates hold 90 days, made by the product's own rollup. Two days are marked: by every
 * dimension they are known by their hourly rows alone. Requests come one after the other, the shapes in turn, so that no shape warms
 * the cache for itself.
 */
export async function reportRows(bundle: string, times: number, say: (text: string) => void): Promise<{ rows: Row[]; faults: string[] }> {
  const persistTo = mkdtempSync(join(tmpdir(), "alive-bench-reports-"));
  const now = Date.now();
  say(`making aggregates of ${REPORT_DAYS} days for ${REPORT_NETWORK.devices.toLocaleString("en")} devices`);
  const filling = await startStack(bundle, { persistTo, port: 0 });
  try {
    await fillReports(filling, now);
  } finally {
    await filling.kill();
  }
  const stack = await startStack(bundle, { persistTo, port: 0, isolateMb: ISOLATE_MB });
  try {
    const count = async (table: string) => (await stack.sql<{ n: number }>(`SELECT count(*) AS n FROM ${table}`))[0]?.n ?? 0;
    const dailyRows = await count("proof_of_play_aggregate_daily");
    const size = `${(REPORT_DAYS * PLAYS_OF_A_DAY).toLocaleString("en")} plays of ${REPORT_DAYS} days in ${dailyRows.toLocaleString("en")} daily rows`;
    say(`${size}; asking ${times} times for each of ${REPORT_SHAPES.length + CROSSING_SHAPES.length} reports`);
    const { latencies, faults } = await ask(stack, [...REPORT_SHAPES, ...CROSSING_SHAPES], times, now);
    const slowest = (days: number) =>
      latencies
        .filter(({ shape }) => shape.days === days && REPORT_SHAPES.includes(shape))
        .map(({ shape, ms }) => ({ shape, p95: quantile(ms, 0.95) }))
        .toSorted((a, b) => b.p95 - a.p95)[0];
    const rows = [30, 90].map((days): Row => {
      const found = slowest(days);
      return {
        id: `report-${days}-days`,
        what: `slowest report over ${days} days, p95`,
        value: found?.p95 ?? 0,
        unit: "ms",
        target: { atMost: 200 },
        note: `${found?.shape.name}; ${size}`,
      };
    });
    rows.push(...latencies.map(({ shape, ms }) => shapeRow(shape, ms)));
    return { rows: [...rows, ...(await csvRows(stack, now, faults))], faults };
  } finally {
    await stack.kill();
    rmSync(persistTo, { recursive: true, force: true });
  }
}

function shapeRow(shape: ReportShape, ms: number[]): Row {
  return {
    id: `report:${shape.days}:${shape.name}`,
    what: `report ${shape.name}, ${shape.days} days, p95`,
    value: quantile(ms, 0.95),
    unit: "ms",
    note: `p50 ${Math.round(quantile(ms, 0.5))} ms`,
  };
}

interface Latencies {
  shape: ReportShape;
  /** Ascending. */
  ms: number[];
}

/** Asks for each shape in turn, and adds up what was answered: a fast figure that is wrong is a fault. */
async function ask(stack: Stack, shapes: ReportShape[], times: number, now: number): Promise<{ latencies: Latencies[]; faults: string[] }> {
  const latencies = shapes.map((shape): Latencies => ({ shape, ms: [] }));
  const faults = new Set<string>();
  for (let turn = 0; turn <= times; turn++) {
    for (const { shape, ms } of latencies) {
      const started = performance.now();
      const answer = await fetch(reportAddress(stack, "proof-of-play", shape, now), { headers: ADMIN_HEADERS });
      const body = (await answer.json()) as { items?: { plays_count: number }[] };
      // The first turn is the first touch of a cold database: told by nobody who asks every day.
      if (turn > 0) ms.push(performance.now() - started);
      const plays = body.items?.reduce((sum, item) => sum + item.plays_count, 0);
      const expected = shape.share && Math.round(shape.days * PLAYS_OF_A_DAY * shape.share);
      if (answer.status !== 200 || !plays || (expected && plays !== expected))
        faults.add(`report ${shape.name}, ${shape.days} days: ${answer.status}, ${plays} plays${expected ? `, not ${expected}` : ""}`);
    }
  }
  for (const { ms } of latencies) ms.sort((a, b) => a - b);
  return { latencies, faults: [...faults] };
}
