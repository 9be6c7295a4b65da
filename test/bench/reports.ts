import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DAY_MS, utcDay } from "../../src/platform/time.ts";
import { ADMIN_TOKEN, type Stack, startStack } from "../stack/stack.ts";
import { fleetId } from "./fleet.ts";
import { memoryMb } from "./machine.ts";
import { aggregateSql, REPORT_NETWORK, reportNetworkSql } from "./reports-data.ts";
import { quantile, type Row } from "./stats.ts";

/** A report that people ask for, as the query of its URL. `days` is how far back it reads. */
export interface ReportShape {
  name: string;
  days: number;
  query: string;
}

const device = () => fleetId("device", 0);
export const REPORT_SHAPES: ReportShape[] = [
  { name: "by day", days: 30, query: "group_by=day" },
  { name: "by campaign, with totals", days: 30, query: "group_by=campaign&totals=true" },
  { name: "by store", days: 30, query: "group_by=store&limit=1000" },
  { name: "by supplier", days: 30, query: "group_by=supplier" },
  { name: "by content", days: 30, query: "group_by=content" },
  { name: "by status", days: 30, query: "group_by=status" },
  { name: "by day and campaign", days: 30, query: "group_by=day,campaign&limit=1000" },
  { name: "by day and store, first page", days: 30, query: "group_by=day,store&limit=100" },
  { name: "one campaign by day", days: 30, query: `group_by=day&campaign_id=${fleetId("campaign", 3)}` },
  { name: "one campaign by store", days: 30, query: `group_by=store&limit=1000&campaign_id=${fleetId("campaign", 3)}` },
  { name: "one store by content", days: 30, query: `group_by=content&store_id=${fleetId("store", 7)}` },
  { name: "one device by day, single plays", days: 30, query: `group_by=day&device_id=${device()}` },
  { name: "one device by content, single plays", days: 30, query: `group_by=content&device_id=${device()}` },
  { name: "one device by day, beyond the hot window", days: 90, query: `group_by=day&device_id=${device()}` },
  { name: "by campaign", days: 90, query: "group_by=campaign" },
  { name: "by store", days: 90, query: "group_by=store&limit=1000" },
];

/** A large download: every campaign, store and content of each day. */
const CSV = { days: 30, query: "group_by=day,campaign,store,content" };

/** Plays since a day: the generator leaves marked days without daily rows, so that none is counted twice. */
const playsSince = (day: string) =>
  `SELECT (SELECT sum(plays_count) FROM proof_of_play_aggregate_daily WHERE day >= '${day}') + (SELECT sum(plays_count) FROM plays_hourly) AS n`;

/**
 * Reports over a network of 5,000 devices whose aggregates hold 90 days, as generated. Two days are marked: they are read from their
 * hourly rows. Requests come one after the other, the shapes in turn, so that no shape warms the cache for itself.
 */
export async function reportRows(bundle: string, times: number, say: (text: string) => void): Promise<{ rows: Row[]; faults: string[] }> {
  const persistTo = mkdtempSync(join(tmpdir(), "alive-bench-reports-"));
  const stack = await startStack(bundle, { persistTo, port: 0, bindings: {} });
  try {
    const now = Date.now();
    say(`generating aggregates of 90 days for ${REPORT_NETWORK.devices.toLocaleString("en")} devices`);
    for (const statement of [...reportNetworkSql(now), ...aggregateSql(now)]) await stack.sql(statement);
    const plays = (await stack.sql<{ n: number }>(playsSince("")))[0]?.n ?? 0;
    const dailyRows = (await stack.sql<{ n: number }>("SELECT count(*) AS n FROM proof_of_play_aggregate_daily"))[0]?.n ?? 0;
    say(
      `${plays.toLocaleString("en")} plays in ${dailyRows.toLocaleString("en")} daily rows; asking ${times} times for each of ${REPORT_SHAPES.length} reports`,
    );
    const { latencies, faults } = await ask(stack, times, now);
    const rows = latencies.map(({ shape, ms }) => shapeRow(shape, ms));
    const of30 = latencies.filter(({ shape }) => shape.days === 30).map(({ shape, ms }) => ({ shape, p95: quantile(ms, 0.95) }));
    const slowest = of30.toSorted((a, b) => b.p95 - a.p95)[0];
    rows.unshift({
      id: "report-30-days",
      what: "slowest report over 30 days, p95",
      value: slowest?.p95 ?? 0,
      unit: "ms",
      target: { atMost: 200 },
      note: `${slowest?.shape.name}; ${plays.toLocaleString("en")} plays of 90 days in ${dailyRows.toLocaleString("en")} daily rows`,
    });
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

const authorization = { Authorization: `Bearer ${ADMIN_TOKEN}` };

function addressOf(stack: Stack, file: string, days: number, query: string, now: number): string {
  return `${stack.url}/v1/admin/reports/${file}?from=${utcDay(now - (days - 1) * DAY_MS)}&to=${utcDay(now)}&${query}`;
}

async function ask(
  stack: Stack,
  times: number,
  now: number,
): Promise<{ latencies: { shape: ReportShape; ms: number[] }[]; faults: string[] }> {
  const latencies = REPORT_SHAPES.map((shape) => ({ shape, ms: [] as number[] }));
  const faults: string[] = [];
  for (let turn = 0; turn <= times; turn++) {
    for (const { shape, ms } of latencies) {
      const started = performance.now();
      const answer = await fetch(addressOf(stack, "proof-of-play", shape.days, shape.query, now), { headers: authorization });
      const body = (await answer.json()) as { items?: unknown[] };
      // The first turn is the first touch of a cold database: told by nobody who asks every day.
      if (turn > 0) ms.push(performance.now() - started);
      if (answer.status !== 200 || !body.items?.length)
        faults.push(`report ${shape.name}: ${answer.status}, ${body.items?.length ?? 0} rows`);
    }
  }
  for (const { ms } of latencies) ms.sort((a, b) => a - b);
  return { latencies, faults };
}

/** Downloads the largest report, watches the memory of the whole local runtime meanwhile, and adds up what came. */
async function csvRows(stack: Stack, now: number, faults: string[]): Promise<Row[]> {
  const plays = (await stack.sql<{ n: number }>(playsSince(utcDay(now - (CSV.days - 1) * DAY_MS))))[0]?.n ?? 0;
  const before = memoryMb([stack.pid]);
  let most = before ?? 0;
  const watch = setInterval(() => {
    most = Math.max(most, memoryMb([stack.pid]) ?? 0);
  }, 100);
  const started = performance.now();
  const answer = await fetch(addressOf(stack, "proof-of-play.csv", CSV.days, CSV.query, now), { headers: authorization });
  let [bytes, lines, firstByteMs] = [0, 0, 0];
  let rest = "";
  let total = 0;
  const decoder = new TextDecoder();
  let column = -1;
  for await (const chunk of answer.body ?? []) {
    if (bytes === 0) firstByteMs = performance.now() - started;
    bytes += chunk.length;
    const parts = (rest + decoder.decode(chunk, { stream: true })).split("\r\n");
    rest = parts.pop() ?? "";
    for (const line of parts) {
      const cells = line.split(",");
      if (lines++ === 0) column = cells.indexOf("plays_count");
      else total += Number(cells[column]);
    }
  }
  const seconds = (performance.now() - started) / 1000;
  clearInterval(watch);
  if (total !== plays) faults.push(`the CSV's lines sum up to ${total} plays, not ${plays}`);
  const note = `${(lines - 1).toLocaleString("en")} lines, ${Math.round(bytes / 1e6)} MB, first byte after ${Math.round(firstByteMs)} ms`;
  return [
    {
      id: "csv-rows",
      what: "CSV of 30 days by day, campaign, store and content, streamed",
      value: (lines - 1) / seconds,
      unit: "lines/s",
      note,
    },
    {
      id: "csv-memory",
      what: "memory that the download added, at most",
      value: before === null ? 0 : most - before,
      unit: "MB",
      note: before === null ? "not known on this system" : `all processes of the local runtime, from ${Math.round(before)} MB`,
    },
  ];
}
