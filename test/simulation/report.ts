import type { RunReport } from "./run.ts";
import { FAULTS } from "./world.ts";

/** Sums of many runs. */
export class Totals {
  runs = 0;
  plays = 0;
  steps = 0;
  longestDrainMs = 0;
  readonly failed: number[] = [];
  readonly fired = new Map<string, number>();
  readonly checks = new Map<string, number>();

  add(run: RunReport): void {
    this.runs += 1;
    this.plays += run.plays;
    this.steps += run.steps;
    this.longestDrainMs = Math.max(this.longestDrainMs, run.drainMs);
    if (run.error) this.failed.push(run.seed);
    for (const [kind, times] of run.fired) this.fired.set(kind, (this.fired.get(kind) ?? 0) + times);
    for (const [name, times] of run.checks) this.checks.set(name, (this.checks.get(name) ?? 0) + times);
  }

  /** Faults fired by kind, checks made by invariant. */
  text(): string {
    const line = ([name, times]: [string, number]) => `  ${String(times).padStart(10)}  ${name}`;
    return [
      `${this.runs} runs, ${this.failed.length} failed; ${this.plays} plays recorded, ${this.steps} steps; slowest drain ${Math.round(this.longestDrainMs / 60_000)} min (simulated)`,
      "Faults fired:",
      ...FAULTS.map((kind) => line([kind, this.fired.get(kind) ?? 0])),
      "Checks made:",
      ...[...this.checks].sort(([a], [b]) => (a < b ? -1 : 1)).map(line),
    ].join("\n");
  }
}

/** A failed run, and how to run it again. */
export function failureText(run: RunReport, operations: number): string {
  return `seed ${run.seed}: ${run.error?.stack ?? ""}\nrun it again: bun run simulation -- --seed ${run.seed} --ops ${operations} --trace`;
}
