/**
 * How throughput and latency change with the number of devices and the size of batches, and whether memory stays flat.
 *
 *     bun test/bench/sweep.ts                       sweeps, and writes src/docs/performance-*.svg
 *     bun test/bench/sweep.ts --only batches        one of the two: devices, batches
 *     bun test/bench/sweep.ts --soak 10             ten minutes at a steady rate, the runtime's memory each ten seconds
 *     bun test/bench/sweep.ts --logs 5000 --dry     a quick try that writes nothing
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { main, ROOT } from "../../src/cli/tools.ts";
import { buildBundle } from "../stack/stack.ts";
import type { FleetShape } from "./fleet.ts";
import { type IntakeResult, measureIntake } from "./intake.ts";
import { type BenchKey, benchKeys } from "./keys.ts";
import { signedLogs } from "./logset.ts";
import { memoryMb } from "./machine.ts";
import { figure } from "./stats.ts";
import { lineChart } from "./svg.ts";
import { startWorker } from "./target.ts";

const DEVICES = [10, 50, 200, 500, 1000, 5000];
const BATCHES = [1, 5, 10, 20, 50, 100];
/** Small enough that 5,000 devices have one each without half a million signatures. */
const DEVICES_BATCH = 20;
const BATCHES_DEVICES = 500;
const SECONDS = 30;
const SOAK_LOGS_PER_SECOND = 1000;
const SOAK_EVERY_MS = 10_000;

const { values } = parseArgs({
  options: {
    logs: { type: "string", default: "100000" },
    only: { type: "string" },
    soak: { type: "string" },
    dry: { type: "boolean", default: false },
  },
});

await main(async () => {
  const keys = await benchKeys(console.error);
  const bundle = await buildBundle();
  if (values.soak) return await soak(bundle, keys, Number(values.soak));
  const logs = Number(values.logs);
  const faults: string[] = [];
  const points = async (xs: number[], plan: (x: number) => [devices: number, batch: number, block: number], eventRows: boolean) => {
    const results: Point[] = [];
    for (const x of xs) {
      const [devices, batch, block] = plan(x);
      const result = await measure(bundle, keys, { devices, batch, block, logs, eventRows });
      faults.push(...result.faults);
      results.push(pointOf(x, result));
      console.log(`${devices} devices, batches of ${batch}, event rows ${eventRows ? "on" : "off"}: ${tell(result)}`);
    }
    return results;
  };
  const byDevices = (eventRows: boolean) => points(DEVICES, (devices) => [devices, DEVICES_BATCH, DEVICES_BATCH], eventRows);
  const byBatch = (eventRows: boolean) => points(BATCHES, (batch) => [BATCHES_DEVICES, batch, 100], eventRows);
  if (values.only !== "batches")
    draw("devices", "devices", `batches of ${DEVICES_BATCH}`, await byDevices(true), await byDevices(false), true);
  if (values.only !== "devices")
    draw("batches", "logs per batch", `${BATCHES_DEVICES} devices`, await byBatch(true), await byBatch(false), false);
  console.log(faults.length === 0 ? "sent = recorded + refused, in every run" : faults.join("\n"));
  return faults.length === 0 ? 0 : 1;
});

interface Point {
  x: number;
  perSecond: number;
  p99: number;
}

function pointOf(x: number, { load, committedMs, p99 }: IntakeResult): Point {
  return { x, perSecond: (load.processed / committedMs) * 1000, p99 };
}

function tell({ load, committedMs, p99, drainMs }: IntakeResult): string {
  return `${figure((load.processed / committedMs) * 1000)} logs/s committed, p99 ${figure(p99)} ms, drained in ${figure(drainMs / 1000)} s`;
}

interface Cell {
  devices: number;
  batch: number;
  block: number;
  logs: number;
  eventRows: boolean;
}

function shapeOf(devices: number): FleetShape {
  return { devices, stores: Math.max(1, Math.floor(devices / 10)), contents: 40, campaigns: 5 };
}

async function measure(bundle: string, keys: BenchKey[], { devices, batch, block, logs, eventRows }: Cell): Promise<IntakeResult> {
  const shape = shapeOf(devices);
  const set = await signedLogs({ shape, logs, block, checksum: true }, console.error);
  const target = await startWorker(bundle, shape, keys, { eventRows });
  try {
    return await measureIntake(target, shape, keys, set, { batch, logsPerSecond: 0, seconds: SECONDS, connections: 16 });
  } finally {
    await target.stop();
  }
}

function draw(name: string, x: string, of: string, on: Point[], off: Point[], logX: boolean): void {
  if (values.dry) return;
  const series = (y: (point: Point) => number) => [
    { name: "with event rows", points: on.map((point): [number, number] => [point.x, y(point)]) },
    { name: "without", points: off.map((point): [number, number] => [point.x, y(point)]) },
  ];
  const charts = [
    {
      file: `performance-${name}.svg`,
      title: `Logs a second, from request to committed (${of})`,
      y: "logs/s",
      of: (point: Point) => point.perSecond,
    },
    {
      file: `performance-${name}-p99.svg`,
      title: `p99 of a request over 16 connections (${of})`,
      y: "ms",
      of: (point: Point) => point.p99,
    },
  ];
  for (const chart of charts) {
    writeFileSync(join(ROOT, "src/docs", chart.file), lineChart({ title: chart.title, x, y: chart.y, logX, series: series(chart.of) }));
  }
}

/** A steady rate for so many minutes; memory must not climb. */
async function soak(bundle: string, keys: BenchKey[], minutes: number): Promise<number> {
  const shape = shapeOf(BATCHES_DEVICES);
  const logs = Math.ceil(minutes * 60 * SOAK_LOGS_PER_SECOND);
  const set = await signedLogs({ shape, logs, block: 100, checksum: true }, console.error);
  const target = await startWorker(bundle, shape, keys);
  const samples: { seconds: number; mb: number }[] = [];
  const started = performance.now();
  const watch = setInterval(() => {
    const mb = memoryMb(target.pids());
    if (mb === null) return;
    samples.push({ seconds: Math.round((performance.now() - started) / 1000), mb: Math.round(mb) });
    console.log(`${samples.at(-1)?.seconds} s: ${samples.at(-1)?.mb} MB`);
  }, SOAK_EVERY_MS);
  try {
    const plan = { batch: 100, logsPerSecond: SOAK_LOGS_PER_SECOND, seconds: minutes * 60, connections: 256 };
    const result = await measureIntake(target, shape, keys, set, plan);
    const third = Math.floor(samples.length / 3);
    const mean = (part: typeof samples) => part.reduce((sum, { mb }) => sum + mb, 0) / (part.length || 1);
    console.log(
      `${tell(result)}; memory ${figure(mean(samples.slice(third, 2 * third)))} MB in the second third, ${figure(mean(samples.slice(2 * third)))} MB in the last`,
    );
    console.log(result.faults.length === 0 ? "sent = recorded + refused, in every place" : result.faults.join("\n"));
    return result.faults.length === 0 ? 0 : 1;
  } finally {
    clearInterval(watch);
    await target.stop();
  }
}
