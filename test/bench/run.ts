/**
 * `bun run bench`: measures the production bundle on this machine, and prints a table with what was aimed at.
 *
 * The Worker runs in one local workerd, which simulates Queues, D1 and R2 in the same thread; signed logs come from another process.
 * All checks are on; the group's policy lifts the rate and the harness the platform's flood limit. Nothing here asserts a time, but it
 * counts: unless every log that was sent is recorded once, or refused, in every place, the exit code is 1.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { main } from "../../src/cli/tools.ts";
import { buildBundle } from "../stack/stack.ts";
import { type IntakeResult, type LoadPlan, measureIntake } from "./intake.ts";
import { type BenchKey, benchKeys } from "./keys.ts";
import { type LogSet, signedLogs } from "./logset.ts";
import { describeMachine, type Machine } from "./machine.ts";
import { type BenchOptions, readOptions } from "./options.ts";
import { planRows } from "./plans.ts";
import { startPostgres } from "./postgres/target.ts";
import { startProfile } from "./profile.ts";
import { reportRows } from "./reports.ts";
import { intakeRows, singleRows, steadyRows } from "./rows.ts";
import { figure, mergeRuns, type Row, rowForPeople } from "./stats.ts";
import { startWorker } from "./target.ts";
import { usageRows } from "./usage.ts";

const STEADY_LOGS_PER_SECOND = 5000;
const SINGLES_PER_SECOND = 1000;
const REPORT_TIMES = 20;
const INSPECTOR_PORT = 8794;
/** CPU per log where no intake was measured before: it is the smallest part of the cost. */
const CPU_MS_PER_LOG = 0.1;

interface Signed {
  keys: BenchKey[];
  set: LogSet;
}

interface Bench {
  options: BenchOptions;
  bundle: string;
  /** Null where no part needs them. */
  signed: Signed | null;
  faults: string[];
}

await main(async () => {
  const options = readOptions(Bun.argv.slice(2));
  const machine = describeMachine();
  // Logs take minutes to sign, and only the way of a play needs them.
  const signed = options.parts.some((part) => part !== "reports" && part !== "plans") ? await signLogs(options) : null;
  const bench: Bench = { options, bundle: await buildBundle(), signed, faults: [] };
  const runs: Row[][] = [];
  for (let run = 0; run < options.runs; run++) runs.push(await oneRun(bench));
  const rows = mergeRuns(runs);
  show(machine, rows, bench.faults, options);
  return bench.faults.length === 0 ? 0 : 1;
});

async function signLogs({ shape, logs, checksum }: BenchOptions): Promise<Signed> {
  return { keys: await benchKeys(say), set: await signedLogs({ shape, logs, block: 100, checksum }, say) };
}

function signedOf({ signed }: Bench): Signed {
  if (!signed) throw new Error("this part needs signed logs");
  return signed;
}

async function oneRun(bench: Bench): Promise<Row[]> {
  const { options } = bench;
  const { shape, parts, seconds } = options;
  const rows: Row[] = [];
  const fast: LoadPlan = { batch: options.batch, logsPerSecond: 0, seconds, connections: options.connections };
  if (parts.includes("intake")) {
    say(`intake: batches of ${options.batch} over ${options.connections} connections, ${seconds} s`);
    const own = await worker(bench, fast);
    rows.push(...intakeRows(own));
    if (options.against) rows.push(...(await postgresRows(bench, fast, own)));
  }
  if (parts.includes("steady")) {
    say(`batches of 100 at ${STEADY_LOGS_PER_SECOND} logs/s`);
    const plan = { batch: 100, logsPerSecond: STEADY_LOGS_PER_SECOND, seconds, connections: 256 };
    rows.push(...steadyRows(await worker(bench, plan), STEADY_LOGS_PER_SECOND));
  }
  if (parts.includes("singles")) {
    say(`single logs, as fast as it goes and at ${SINGLES_PER_SECOND}/s`);
    const most = await worker(bench, { ...fast, batch: 1 });
    const steady = await worker(bench, { batch: 1, logsPerSecond: SINGLES_PER_SECOND, seconds, connections: 256 });
    rows.push(...singleRows(most, steady, SINGLES_PER_SECOND));
  }
  if (parts.includes("usage")) {
    say("rows, operations and dollars a log");
    const cpuUs = rows.find(({ id }) => id === "cpu")?.value;
    const { keys, set } = signedOf(bench);
    add(bench, rows, await usageRows(shape, keys, set, Math.min(seconds, 20), cpuUs === undefined ? CPU_MS_PER_LOG : cpuUs / 1000));
  }
  if (parts.includes("reports")) add(bench, rows, await reportRows(bench.bundle, REPORT_TIMES, say));
  if (parts.includes("plans")) add(bench, rows, await planRows(bench.bundle, say));
  return rows;
}

function add(bench: Bench, rows: Row[], found: { rows: Row[]; faults: string[] }): void {
  rows.push(...found.rows);
  bench.faults.push(...found.faults);
}

async function worker(bench: Bench, plan: LoadPlan): Promise<IntakeResult> {
  const { options } = bench;
  const { keys, set } = signedOf(bench);
  const target = await startWorker(bench.bundle, options.shape, keys, {
    eventRows: options.eventRows,
    ...(options.profile ? { inspectorPort: INSPECTOR_PORT } : {}),
  });
  try {
    const profiler = options.profile ? await startProfile(INSPECTOR_PORT) : null;
    const result = await measureIntake(target, options.shape, keys, set, plan);
    if (profiler) console.table((await profiler.stop()).slice(0, 45));
    bench.faults.push(...result.faults);
    say(
      `  ${result.load.processed} logs answered in ${(result.load.elapsedMs / 1000).toFixed(1)} s, recorded ${(result.drainMs / 1000).toFixed(1)} s later`,
    );
    return result;
  } finally {
    await target.stop();
  }
}

async function postgresRows(bench: Bench, plan: LoadPlan, own: IntakeResult): Promise<Row[]> {
  const { options } = bench;
  const { keys, set } = signedOf(bench);
  const name = `Fastify + PostgreSQL, ${options.postgresProcesses} process${options.postgresProcesses === 1 ? "" : "es"}`;
  say(`the same against ${name}`);
  const target = await startPostgres(options.shape, keys, options.postgresProcesses);
  try {
    const other = await measureIntake(target, options.shape, keys, set, plan);
    bench.faults.push(...other.faults.map((fault) => `${name}: ${fault}`));
    const rows = intakeRows(other, name);
    const perSecond = (result: IntakeResult, ms: number) => (result.load.processed / ms) * 1000;
    const ratio = perSecond(own, own.load.elapsedMs) / perSecond(other, other.load.elapsedMs);
    const committed = perSecond(own, own.committedMs) / perSecond(other, other.committedMs);
    return [
      ...rows,
      {
        id: "ratio",
        what: `answered logs/s, this product : ${name}`,
        value: ratio,
        unit: ": 1",
        target: { atLeast: 1 },
        note: `from request to committed ${figure(committed)} : 1`,
      },
    ];
  } finally {
    await target.stop();
  }
}

interface Kept {
  machine: Machine;
  options: BenchOptions;
  rows: Row[];
  faults: string[];
}

function show(machine: Machine, rows: Row[], faults: string[], options: BenchOptions): void {
  const before = options.compareFile ? (JSON.parse(readFileSync(options.compareFile, "utf8")) as Kept).rows : [];
  console.log(
    `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB; load before ${machine.loadBefore}; commit ${machine.commit}; ${Object.entries(
      machine.versions,
    )
      .map(([name, version]) => `${name} ${version}`)
      .join(", ")}`,
  );
  console.table(
    rows.map((row) =>
      rowForPeople(
        row,
        before.find(({ id }) => id === row.id),
      ),
    ),
  );
  console.log(faults.length === 0 ? "sent = recorded + refused, in every place" : `DOES NOT ADD UP:\n${faults.join("\n")}`);
  if (options.jsonFile) writeFileSync(options.jsonFile, `${JSON.stringify({ machine, options, rows, faults } satisfies Kept, null, 1)}\n`);
}

function say(text: string): void {
  console.error(text);
}
