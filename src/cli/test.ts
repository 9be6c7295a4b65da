import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildAssets } from "./assets.ts";
import { bunFailures, type Counts, junitCounts, settleCounts, vitestCounts, vitestFailures } from "./count.ts";
import { findNode, main, nodeTool, ROOT, run, wrangler } from "./tools.ts";

const bin = (name: string) => resolve(ROOT, "node_modules/.bin", name);

/** What must hold before any test: each check counts as one. */
const CHECKS: [what: string, command: () => string[]][] = [
  [
    "types of the bindings are up to date (else: bun run types)",
    () => wrangler("types", "src/platform/env.d.ts", "--include-runtime=false", "--strict-vars=false", "--check"),
  ],
  [
    "types of the console's calls are up to date (else: bun run types)",
    () => [process.execPath, resolve(ROOT, "src/cli/api-types.ts"), "--check"],
  ],
  ["lint and format", () => [bin("biome"), "check", "--error-on-warnings", "."]],
  ["types of the Worker", () => [bin("tsc")]],
  ["types of the tools", () => [bin("tsc"), "-p", "src/cli"]],
  ["types of the console", () => [bin("tsc"), "-p", "src/console"]],
  ["types of the SDK in browsers", () => [bin("tsc"), "-p", "src/sdk/browser"]],
  ["types of the player", () => [bin("tsc"), "-p", "src/player"]],
  ["types of the player's service worker", () => [bin("tsc"), "-p", "src/player/tsconfig.sw.json"]],
];

/** The secrets that the tests bind by themselves; named here so that the tools do not warn of their absence. */
const TEST_SECRETS = { ADMIN_TOKEN: "unused", AUTH_SECRET: "unused", DEVICE_TOKEN_SECRET: "unused", HASH_SECRET: "unused" };

/** For machines that are slow or busy: nothing that passes takes this long. */
const PATIENCE = "--timeout=300000";

/** What a runner came to: how many, and what those that failed said. */
interface Outcome extends Counts {
  failures: string[];
}

/**
 * `bun run test [arguments of vitest]`: all that CI runs. Ends with what failed, told once more where nothing else hides it, and with one
 * line, `N passed, N failed`.
 */
await main(async () => {
  // The pinned Node first, also for what the tools start themselves.
  process.env.PATH = `${resolve(findNode(), "..")}:${process.env.PATH}`;
  const args = Bun.argv.slice(2);
  const reports = mkdtempSync(join(tmpdir(), "alive-signage-test-"));
  try {
    for (const line of (await buildAssets()).report) console.log(line);
    // Arguments choose tests of vitest: then nothing else is asked.
    const outcomes = args.length > 0 ? [await runVitest(reports, args)] : [await runChecks(), ...(await runAll(reports))];
    const passed = outcomes.reduce((sum, one) => sum + one.passed, 0);
    const failed = outcomes.reduce((sum, one) => sum + one.failed, 0);
    for (const failure of outcomes.flatMap(({ failures }) => failures)) console.log(`\nFAILED ${failure.trim()}`);
    console.log(`${passed} passed, ${failed} failed`);
    return failed === 0 && passed > 0 ? 0 : 1;
  } finally {
    rmSync(reports, { recursive: true, force: true });
  }
});

async function runChecks(): Promise<Outcome> {
  const outcome: Outcome = { passed: 0, failed: 0, failures: [] };
  for (const [what, command] of CHECKS) {
    const { code, output } = await run(command());
    console.log(`${code === 0 ? "ok    " : "FAILED"} ${what}`);
    outcome[code === 0 ? "passed" : "failed"] += 1;
    if (code !== 0) outcome.failures.push(`${what}\n${output.trim()}`);
  }
  return outcome;
}

/** The runners. The browser's tests wait for pages most of the time, so they run beside the others, and are shown behind them. */
async function runAll(reports: string): Promise<Outcome[]> {
  const browser = runBun(reports, "browser", ["./test/browser"], false);
  const others = [await runBun(reports, "node", ["./test/node", "./test/simulation", "./test/planted"]), await runVitest(reports, [])];
  return [...others, await browser];
}

async function runVitest(reports: string, args: string[]): Promise<Outcome> {
  const file = join(reports, "vitest.json");
  const options = ["run", "--config", "test/vitest.config.ts", "--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
  const { code, output } = await run(nodeTool("vitest/vitest.mjs", [...options, ...args]), { show: true, env: TEST_SECRETS });
  const report = readReport(file);
  return settled(settleCounts(vitestCounts(report), code), vitestFailures(report), output);
}

async function runBun(reports: string, name: string, folders: string[], show = true): Promise<Outcome> {
  const file = join(reports, `${name}.xml`);
  const command = [process.execPath, "test", ...folders, PATIENCE, "--reporter=junit", `--reporter-outfile=${file}`];
  const { code, output } = await run(command, { show });
  if (!show) console.log(output.trim());
  return settled(settleCounts(junitCounts(readReport(file)), code), bunFailures(output), output);
}

/** Where a runner failed and names no test, the end of its output must do. */
function settled(counts: Counts, failures: string[], output: string): Outcome {
  const told = counts.failed > 0 && failures.length === 0 ? [output.slice(-4000)] : failures;
  return { ...counts, failures: told };
}

/** Empty where there is none. */
function readReport(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
