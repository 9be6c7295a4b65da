import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { Stop } from "./tools.ts";

/** A folder of the demo's state, taken by one program at a time. */
export interface DemoLock {
  release(): void;
}

/**
 * Takes the demo's folder: two demos on one state would lose it. A lock that a dead program left counts for nothing.
 * @throws Stop where a demo runs on it.
 */
export function lockDemo(dir: string): DemoLock {
  mkdirSync(dir, { recursive: true });
  const file = resolve(dir, "pid");
  const pid = existsSync(file) ? Number(readFileSync(file, "utf8")) : 0;
  if (pid > 0 && pid !== process.pid && isAlive(pid)) {
    throw new Stop(`A demo runs in this folder already (process ${pid}). Stop it first, or clone the project into another folder.`);
  }
  writeFileSync(file, String(process.pid));
  return { release: () => rmSync(file, { force: true }) };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
