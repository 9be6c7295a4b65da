import { readdirSync, readFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { join } from "node:path";
import { findNode, ROOT } from "../../src/cli/tools.ts";

/** What a figure depends on besides the code. */
export interface Machine {
  cpu: string;
  cores: number;
  memoryGb: number;
  /** Processes that wanted to run in the minute before: other work on the machine spoils the figures. */
  loadBefore: number;
  versions: Record<string, string>;
  commit: string;
  measuredAt: string;
}

export function describeMachine(): Machine {
  const version = (name: string) =>
    (JSON.parse(readFileSync(join(ROOT, "node_modules", name, "package.json"), "utf8")) as { version: string }).version;
  const git = Bun.spawnSync(["git", "rev-parse", "--short", "HEAD"], { cwd: ROOT }).stdout.toString().trim();
  return {
    cpu: cpus()[0]?.model.trim() ?? "?",
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    loadBefore: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    versions: {
      workerd: version("workerd"),
      miniflare: version("miniflare"),
      wrangler: version("wrangler"),
      bun: Bun.version,
      node: Bun.spawnSync([findNode(), "--version"]).stdout.toString().trim().replace(/^v/, ""),
    },
    commit: git,
    measuredAt: new Date().toISOString(),
  };
}

const CLOCK_TICKS_A_SECOND = 100;

/** Seconds of CPU that these processes and all their descendants have used. Linux only; elsewhere null. */
export function cpuSeconds(pids: number[]): number | null {
  return sumOverTree(pids, (pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
    return (Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_A_SECOND;
  });
}

/** The most memory that these processes and all their descendants ever had resident, in MB (each one's own peak). Linux only; elsewhere null. */
export function peakMemoryMb(pids: number[]): number | null {
  return sumOverTree(pids, (pid) => statusMb(pid, "VmHWM"));
}

/** What they have resident now, in MB: all of them, or those of one name. Linux only; elsewhere null. */
export function memoryMb(pids: number[], name?: string): number | null {
  return sumOverTree(pids, (pid) =>
    name === undefined || readFileSync(`/proc/${pid}/comm`, "utf8").trim() === name ? statusMb(pid, "VmRSS") : 0,
  );
}

function statusMb(pid: number, name: "VmHWM" | "VmRSS"): number {
  return Number(new RegExp(`${name}:\\s+(\\d+)`).exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
}

function sumOverTree(pids: number[], of: (pid: number) => number): number | null {
  if (process.platform !== "linux") return null;
  let sum = 0;
  for (const pid of withDescendants(pids)) {
    try {
      sum += of(pid);
    } catch {
      // Ended meanwhile.
    }
  }
  return sum;
}

function withDescendants(pids: number[]): Set<number> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const parent = Number(
        readFileSync(`/proc/${name}/stat`, "utf8")
          .replace(/^.*\) /, "")
          .split(" ")[1],
      );
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // Ended meanwhile.
    }
  }
  const found = new Set<number>();
  const waiting = [...pids];
  for (let pid = waiting.pop(); pid !== undefined; pid = waiting.pop()) {
    if (found.has(pid)) continue;
    found.add(pid);
    waiting.push(...(children.get(pid) ?? []));
  }
  return found;
}
