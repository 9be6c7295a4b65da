import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ROOT } from "../../src/cli/tools.ts";
import { type FleetShape, lastEndOf, playOf } from "./fleet.ts";
import type { BenchKey } from "./keys.ts";
import type { LoadJob, LoadResult } from "./load.ts";
import type { LogSet } from "./logset.ts";
import { cpuSeconds, peakMemoryMb } from "./machine.ts";
import { privateKeys, signRecord } from "./record.ts";
import { deviceTokens } from "./seed.ts";
import { quantile } from "./stats.ts";
import type { Recorded, Target } from "./target.ts";

export interface LoadPlan {
  batch: number;
  /** Logs a second on a schedule; 0: as fast as it goes. */
  logsPerSecond: number;
  seconds: number;
  connections: number;
}

export interface IntakeResult {
  load: LoadResult;
  recorded: Recorded;
  /** From the first request to the last commit, ms. */
  committedMs: number;
  /** From the last answer to the last commit, ms. */
  drainMs: number;
  /** Seconds of CPU of the measured system meanwhile; null where the machine does not tell. */
  cpuS: number | null;
  peakMemoryMb: number | null;
  p50: number;
  p95: number;
  p99: number;
  /** What does not add up; empty where sent = recorded + refused in every place. */
  faults: string[];
}

const DRAIN_WAIT_MS = 180_000;
/** A runtime that was just started compiles its code meanwhile, on the cores that it should answer with. */
const LATENCY_WARM_UP_SECONDS = 10;

/** Sends a plan's load to a system that was just started, waits until all is recorded, and counts. */
export async function measureIntake(
  target: Target,
  shape: FleetShape,
  keys: BenchKey[],
  set: LogSet,
  plan: LoadPlan,
  afterWarmUp: () => Promise<void> = async () => {},
): Promise<IntakeResult> {
  const dir = mkdtempSync(join(tmpdir(), "alive-load-"));
  const tokens = join(dir, "tokens.json");
  const list = await deviceTokens(shape, keys, Date.now());
  writeFileSync(tokens, JSON.stringify(list), { mode: 0o600 });
  try {
    await warmUp(target.url, shape, keys, list);
    await until(async () => (await target.recordedCount()) >= list.length);
    await afterWarmUp();
    const cpuBefore = cpuSeconds(target.pids());
    const began = performance.now();
    const load = await runLoad({
      url: target.url,
      set,
      tokens,
      batch: plan.batch,
      skip: 0,
      requestsPerSecond: plan.logsPerSecond / plan.batch,
      connections: plan.connections,
      seconds: plan.seconds,
      warmUpSeconds: LATENCY_WARM_UP_SECONDS,
    });
    const expected = list.length + load.processed - load.duplicates;
    const answeredAt = performance.now();
    await until(async () => (await target.recordedCount()) >= expected);
    const committedAt = performance.now();
    const cpuAfter = cpuSeconds(target.pids());
    if (load.refused > 0) await until(async () => (await target.recorded()).refused >= load.refused);
    const recorded = await target.recorded();
    const startGapMs = answeredAt - began - load.elapsedMs;
    return {
      load,
      recorded,
      committedMs: committedAt - began - startGapMs,
      drainMs: committedAt - answeredAt,
      cpuS: cpuBefore === null || cpuAfter === null ? null : cpuAfter - cpuBefore,
      peakMemoryMb: peakMemoryMb(target.pids()),
      p50: quantile(load.latencies, 0.5),
      p95: quantile(load.latencies, 0.95),
      p99: quantile(load.latencies, 0.99),
      faults: faultsOf(load, recorded, list.length),
    };
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** Everything that does not add up between what was sent (before, `warmUpLogs` were taken), what was answered and what is recorded. */
export function faultsOf(load: LoadResult, recorded: Recorded, warmUpLogs: number): string[] {
  const faults: string[] = [];
  const turnedAway = Object.values(load.turnedAway).reduce((sum, logs) => sum + logs, 0);
  const accepted = warmUpLogs + load.processed - load.duplicates;
  if (load.sent !== load.processed + load.refused + turnedAway)
    faults.push(`sent ${load.sent}, but ${load.processed} taken + ${load.refused} refused + ${turnedAway} turned away`);
  if (load.refused > 0) faults.push(`refused though they are good: ${JSON.stringify(load.errors)}`);
  if (turnedAway > 0) faults.push(`turned away, by status: ${JSON.stringify(load.turnedAway)}`);
  if (load.duplicates > 0) faults.push(`${load.duplicates} were called duplicates`);
  for (const [place, plays] of Object.entries(recorded.plays)) {
    if (plays !== null && plays !== accepted) faults.push(`${accepted} accepted, but ${plays} in: ${place}`);
  }
  if (recorded.refused !== load.refused) faults.push(`${load.refused} refused, but ${recorded.refused} counted`);
  return faults;
}

/**
 * One log of each device, without a number in its sequence: sequencers and caches know the network before anything is measured. What a
 * device's first contact costs is paid once in its life.
 */
async function warmUp(url: string, shape: FleetShape, keys: BenchKey[], tokens: string[]): Promise<void> {
  const signing = privateKeys(keys);
  const lastEndsAt = lastEndOf(Date.now());
  let next = 0;
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let device = next++; device < tokens.length; device = next++) {
        const { sequence: _, ...record } = playOf(shape, device, { sequence: 0, after: 0, plays: 1, lastEndsAt, id: crypto.randomUUID() });
        const answer = await fetch(`${url}/api/v1/playback-logs`, {
          method: "POST",
          headers: { Authorization: `Bearer ${tokens[device]}`, "Content-Type": "application/json", "Sent-At": new Date().toISOString() },
          body: signRecord(record, device, signing, true),
        });
        const text = await answer.text();
        if (answer.status !== 202) throw new Error(`warming up: ${answer.status} ${text}`);
      }
    }),
  );
}

async function runLoad(job: LoadJob): Promise<LoadResult> {
  const child = Bun.spawn([process.execPath, join(ROOT, "test/bench/load.ts"), JSON.stringify(job)], {
    stdout: "pipe",
    stderr: "inherit",
    stdin: "ignore",
  });
  const text = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error("the load generator failed");
  return JSON.parse(text) as LoadResult;
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + DRAIN_WAIT_MS;
  while (!(await done()) && performance.now() < end) await Bun.sleep(100);
}
