import type { IntakeResult } from "./intake.ts";
import { figure, type Row } from "./stats.ts";

/** The rows that a run as fast as it goes gives, in batches. `name` sets apart what is measured: empty for the product. */
export function intakeRows(result: IntakeResult, name = ""): Row[] {
  const { load } = result;
  const prefix = name ? `${name}:` : "";
  const of = name ? ` (${name})` : "";
  const accepted = load.processed - load.duplicates;
  const spent = `${(load.elapsedMs / 1000).toFixed(1)} s of load`;
  const target = name ? {} : { target: { atLeast: 10_000 } };
  return [
    {
      id: `${prefix}committed`,
      what: `signed logs, batches of 100, from request to committed${of}`,
      value: (accepted / result.committedMs) * 1000,
      unit: "logs/s",
      ...target,
      note: `${accepted.toLocaleString("en")} logs, ${spent}`,
    },
    {
      id: `${prefix}answered`,
      what: `the same, durably answered${of}`,
      value: (accepted / load.elapsedMs) * 1000,
      unit: "logs/s",
      note: latencyNote(result),
    },
    { id: `${prefix}drain`, what: `from the last answer to the last commit${of}`, value: result.drainMs / 1000, unit: "s" },
    ...cpuRow(result, prefix, of),
  ];
}

function cpuRow({ cpuS, peakMemoryMb, load }: IntakeResult, prefix: string, of: string): Row[] {
  if (cpuS === null) return [];
  const note = peakMemoryMb === null ? {} : { note: `peak memory of all its processes ${figure(peakMemoryMb)} MB` };
  return [
    {
      id: `${prefix}cpu`,
      what: `CPU per log, everything simulated included${of}`,
      value: (cpuS * 1e6) / load.processed,
      unit: "us",
      ...note,
    },
  ];
}

/** Batches on a schedule, at a rate that the target names. */
export function steadyRows(result: IntakeResult, logsPerSecond: number): Row[] {
  return [
    {
      id: "batch-p99",
      what: `batch of 100, p99 at ${figure(logsPerSecond)} logs/s`,
      value: result.p99,
      unit: "ms",
      target: { atMost: 200 },
      note: `${latencyNote(result)}; ${scheduleNote(result, logsPerSecond)}`,
    },
  ];
}

/** Single logs: as fast as it goes, and on a schedule. */
export function singleRows(fast: IntakeResult, steady: IntakeResult, logsPerSecond: number): Row[] {
  return [
    {
      id: "singles",
      what: "single signed logs, answered",
      value: (fast.load.processed / fast.load.elapsedMs) * 1000,
      unit: "logs/s",
      target: { atLeast: 1000 },
      note: latencyNote(fast),
    },
    {
      id: "single-p99",
      what: `single log, p99 at ${figure(logsPerSecond)} logs/s`,
      value: steady.p99,
      unit: "ms",
      target: { atMost: 50 },
      note: `${latencyNote(steady)}; ${scheduleNote(steady, logsPerSecond)}`,
    },
  ];
}

function latencyNote({ p50, p95, p99 }: IntakeResult): string {
  return `p50 ${figure(p50)}, p95 ${figure(p95)}, p99 ${figure(p99)} ms`;
}

/** What was really sent, and how late the sender itself was: a busy machine delays it, and that is in the latencies too. */
function scheduleNote({ load }: IntakeResult, logsPerSecond: number): string {
  const sent = (load.sent / load.elapsedMs) * 1000;
  return `${figure(sent)} of ${figure(logsPerSecond)} logs/s, sender late by ${figure(load.senderLateMs)} ms at most`;
}
