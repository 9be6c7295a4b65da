import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { findNode, ROOT } from "../../src/cli/tools.ts";
import { type FleetShape, lastEndOf } from "./fleet.ts";
import { BENCH_DIR, benchKeys, KEYS_FILE } from "./keys.ts";
import type { SetShape } from "./order.ts";
import type { SignJob } from "./sign.ts";

/** Signed logs on disk. */
export interface LogSet extends SetShape {
  /** Block i stands in file i mod the number of files. */
  files: string[];
  signedAt: number;
}

export interface LogSetNeed {
  shape: FleetShape;
  /** At least so many logs. */
  logs: number;
  /** How many logs of a device follow one another. */
  block: number;
  checksum: boolean;
}

/** A set is signed anew when it is older: the door takes plays for 24 hours, and those of over 4 hours are late. */
const MAX_SET_AGE_MS = 2 * 3_600_000;

/** The set that fits the need, signed now unless an earlier run left it. All processors sign. */
export async function signedLogs(need: LogSetNeed, say: (text: string) => void): Promise<LogSet> {
  const { shape, block } = need;
  const rounds = Math.max(1, Math.ceil(need.logs / (shape.devices * block)));
  const name = `logs-${shape.devices}-${shape.stores}-${shape.contents}-${shape.campaigns}-${block}${need.checksum ? "" : "-bare"}`;
  const description = join(BENCH_DIR, `${name}.json`);
  const now = Date.now();
  if (existsSync(description)) {
    const kept = JSON.parse(readFileSync(description, "utf8")) as LogSet;
    if (kept.rounds >= rounds && now - kept.signedAt < MAX_SET_AGE_MS) return kept;
    rmSync(description);
  }
  await benchKeys(say);
  mkdirSync(BENCH_DIR, { recursive: true });
  const parts = cpus().length;
  const files = Array.from({ length: parts }, (_, part) => join(BENCH_DIR, `${name}-${part}.ndjson`));
  const count = rounds * shape.devices * block;
  say(`signing ${count.toLocaleString("en")} logs with RSA-2048 in ${parts} processes (kept for two hours)`);
  const started = performance.now();
  await Promise.all(
    files.map((file, part) =>
      signPart({ shape, rounds, block, part, parts, lastEndsAt: lastEndOf(now), checksum: need.checksum, keys: KEYS_FILE, file }),
    ),
  );
  say(`signed in ${Math.round((performance.now() - started) / 1000)} s`);
  const set: LogSet = { devices: shape.devices, rounds, block, files, signedAt: now };
  writeFileSync(description, JSON.stringify(set));
  return set;
}

async function signPart(job: SignJob): Promise<void> {
  const child = Bun.spawn([findNode(), join(ROOT, "test/bench/sign.ts"), JSON.stringify(job)], {
    stdout: "inherit",
    stderr: "inherit",
    stdin: "ignore",
  });
  if ((await child.exited) !== 0) throw new Error("signing failed");
}
