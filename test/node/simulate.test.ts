import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { HARSH, parseFaults } from "../../src/cli/fleet/faults.ts";
import { OwnWorker } from "../../src/cli/fleet/own-worker.ts";
import { Simulation } from "../../src/cli/fleet/simulation.ts";
import { FleetStore } from "../../src/cli/fleet/store.ts";

// The simulator as `bun run simulate` runs it, small and short: a few screens, with trouble every few plays, against the production
// bundle, which is killed on the way.

/** One with each kind of trouble in the few plays of this run. */
const SEED = 1040;

let dir: string;
let worker: OwnWorker;
beforeAll(async () => {
  dir = mkdtempSync(join(tmpdir(), "alive-simulate-test-"));
  worker = await OwnWorker.start(join(dir, "worker"), () => {});
}, 300_000);
afterAll(async () => {
  await worker.stop();
  rmSync(dir, { recursive: true, force: true });
});

async function run(name: string, seed: number, onProgress: (share: number) => Promise<void> = async () => {}) {
  const store = new FleetStore(join(dir, `${name}.sqlite`));
  const lines: string[] = [];
  try {
    const simulation = new Simulation({
      ...{ store, seed, onProgress, devices: 5, speed: 60, durationMs: 4000, faults: parseFaults("all") },
      access: { baseUrl: worker.url, adminToken: worker.adminToken },
      chances: { ...HARSH, playsBetweenSpells: [2, 5], playForged: 0.1 },
      salt: crypto.randomUUID(),
      print: (line) => {
        lines.push(line);
        if (process.env.SIMULATE_LOG) console.log(line);
      },
    });
    return { ...(await simulation.run(AbortSignal.timeout(240_000))), printed: lines };
  } finally {
    store.close();
  }
}

test("with all faults and the Worker killed half-way, the books are equal; and the same seed repeats the run", async () => {
  let killed = false;
  const first = await run("first", SEED, async (share) => {
    if (killed || share < 0.5) return;
    killed = true;
    await worker.killAndRestart();
  });
  expect(first.differences).toEqual([]);
  // 16 plays of each in two rounds of the loop.
  expect(first.lines[0]).toMatch(/^made 80 = accepted \d+ \+ refused \d+ \+ still queued 0 \+ lost with their storage \d+$/);
  const second = await run("second", SEED);
  expect(second.differences).toEqual([]);
  // What was accepted, refused and lost, by code and status; how often the network had to be tried is another matter.
  expect(second.lines.slice(0, -1)).toEqual(first.lines.slice(0, -1));
  expect(second.fingerprint).toBe(first.fingerprint);
  for (const kind of ["clock jump", "offline", "power loss", "reimaging", "restart"]) expect(first.lines.at(-1)).toContain(`${kind} `);
}, 600_000);
