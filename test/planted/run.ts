import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { BUGS, type Catcher, type PlantedBug } from "./bugs.ts";

/**
 * `bun run planted [-- words]`: plants one bug after the other in a copy of the tree and runs the tests that must catch it. With words, only
 * the bugs whose description or file holds one of them. Ends with 1 where a bug survives, where its text no longer stands in its file
 * exactly once, or where the tests fail without any bug.
 */
const ROOT = resolve(import.meta.dirname, "../..");
const COPIED = ["src", "workers", "test", "migrations", "wrangler.toml", "package.json", "tsconfig.json"];
const SIMULATION_SEEDS = "120";

type Outcome = "caught" | "SURVIVED" | "DOES NOT APPLY";

const words = process.argv.slice(2);
const bugs = BUGS.filter((bug) => words.length === 0 || words.some((word) => bug.what.includes(word) || bug.file.includes(word)));
const tree = mkdtempSync(join(tmpdir(), "alive-signage-planted-"));
try {
  for (const name of COPIED) cpSync(join(ROOT, name), join(tree, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(tree, "node_modules"));
  process.exitCode = run();
} finally {
  rmSync(tree, { recursive: true, force: true });
}

function run(): number {
  for (const catcher of new Set(bugs.map((bug) => bug.caughtBy))) {
    if (testsPass(catcher)) continue;
    console.error(`${catcher} fails without any bug: it can catch none`);
    return 1;
  }
  const outcomes = bugs.map((bug) => {
    const started = performance.now();
    const outcome = plant(bug);
    const took = `${((performance.now() - started) / 1000).toFixed(0)} s`;
    console.log(`${outcome.padEnd(15)}${took.padStart(6)}  ${bug.what} (${bug.file}; ${bug.caughtBy})`);
    return outcome;
  });
  const caught = outcomes.filter((outcome) => outcome === "caught").length;
  console.log(`planted bugs: ${caught} of ${bugs.length} caught`);
  return caught === bugs.length && caught > 0 ? 0 : 1;
}

/** Plants a bug, runs its tests, and takes it out again. */
function plant({ file, find, replace, caughtBy }: PlantedBug): Outcome {
  const path = join(tree, file);
  const sound = readFileSync(path, "utf8");
  if (sound.split(find).length !== 2) return "DOES NOT APPLY";
  writeFileSync(
    path,
    sound.replace(find, () => replace),
  );
  try {
    return testsPass(caughtBy) ? "SURVIVED" : "caught";
  } finally {
    writeFileSync(path, sound);
  }
}

function testsPass(catcher: Catcher): boolean {
  const args =
    catcher === "simulation"
      ? ["test/simulation/main.ts", "--seeds", SIMULATION_SEEDS, "--ops", "120", "--stop"]
      : ["src/cli/test.ts", catcher];
  const { status, error } = spawnSync(process.execPath, args, { cwd: tree, stdio: "ignore" });
  if (error) throw error;
  return status === 0;
}
