import { describe, expect, test } from "bun:test";
import { bunFailures, junitCounts, settleCounts, vitestCounts, vitestFailures } from "../../src/cli/count.ts";
import { cronExpressions } from "../../src/cli/cron.ts";
import { FAULTS, type Fault } from "../../src/cli/fleet/faults.ts";
import { demoArguments, simulateArguments } from "../../src/cli/options.ts";
import { completeSecrets } from "../../src/cli/secrets.ts";
import { isNewEnough } from "../../src/cli/tools.ts";

describe("counting tests", () => {
  test("takes vitest's own counts; a file that did not run is a failure", () => {
    const report = { numPassedTests: 7, numFailedTests: 1, testResults: [] as object[] };
    expect(vitestCounts(JSON.stringify(report))).toEqual({ passed: 7, failed: 1 });
    report.testResults = [
      { status: "failed", assertionResults: [] },
      { status: "failed", assertionResults: [{}] },
      { status: "passed", assertionResults: [] },
    ];
    expect(vitestCounts(JSON.stringify(report))).toEqual({ passed: 7, failed: 2 });
    expect(vitestCounts("")).toBe(null);
    expect(vitestCounts("{}")).toBe(null);
  });

  test("takes bun's counts from its JUnit report; skipped tests did not pass", () => {
    expect(junitCounts('<?xml version="1.0"?>\n<testsuites name="bun test" tests="9" assertions="20" failures="2" skipped="1">')).toEqual({
      passed: 6,
      failed: 2,
    });
    expect(junitCounts("")).toBe(null);
  });

  test("a runner that ran nothing, or failed without saying where, has failed", () => {
    expect(settleCounts({ passed: 3, failed: 0 }, 0)).toEqual({ passed: 3, failed: 0 });
    expect(settleCounts({ passed: 3, failed: 2 }, 1)).toEqual({ passed: 3, failed: 2 });
    expect(settleCounts({ passed: 3, failed: 0 }, 1)).toEqual({ passed: 3, failed: 1 });
    expect(settleCounts({ passed: 0, failed: 0 }, 0)).toEqual({ passed: 0, failed: 1 });
    expect(settleCounts(null, 0)).toEqual({ passed: 0, failed: 1 });
  });
});

describe("what failed", () => {
  test("of vitest is told by file and test, with its messages; and a file that did not run", () => {
    const assertionResults = [
      { status: "passed", fullName: "adds" },
      { status: "failed", fullName: "sums up", failureMessages: ["expected 1 to be 2"] },
    ];
    const testResults = [
      { name: "a.test.ts", status: "failed", assertionResults },
      { name: "b.test.ts", status: "failed", message: "no such module", assertionResults: [] },
    ];
    expect(vitestFailures(JSON.stringify({ testResults }))).toEqual([
      "a.test.ts > sums up\nexpected 1 to be 2",
      "b.test.ts\nno such module",
    ]);
    expect(vitestFailures("")).toEqual([]);
  });

  test("of bun is told by file and test, with what came before it, and why where that comes after", () => {
    const output = [
      ...["a.test.ts:", "noise", "(pass) adds [1.00ms]", "error: expected 2", "(fail) sums up [0.25ms]"],
      ...["(fail) ends [100.18ms]", "  ^ this test timed out after 100ms.", "b.test.ts:", "(pass) holds [1.00ms]", ""],
      // Told once more where there are many.
      ...["2 tests failed:", "(fail) sums up [0.25ms]", "(fail) ends [100.18ms]", " 2 pass"],
    ];
    expect(bunFailures(output.join("\n"))).toEqual([
      "a.test.ts: (fail) sums up [0.25ms]\nerror: expected 2",
      "a.test.ts: (fail) ends [100.18ms]\n  ^ this test timed out after 100ms.",
    ]);
    expect(bunFailures("")).toEqual([]);
  });
});

describe("local secrets", () => {
  let made = 0;
  const make = () => `secret-${++made}`;

  test("what is missing is made and added, what is there stays", () => {
    made = 0;
    const { text, secrets, made: names } = completeSecrets("ADMIN_TOKEN=mine\n# note", make);
    expect(text).toBe("ADMIN_TOKEN=mine\n# note\nAUTH_SECRET=secret-1\nDEVICE_TOKEN_SECRET=secret-2\nHASH_SECRET=secret-3\n");
    expect(secrets).toEqual({ ADMIN_TOKEN: "mine", AUTH_SECRET: "secret-1", DEVICE_TOKEN_SECRET: "secret-2", HASH_SECRET: "secret-3" });
    expect(names).toEqual(["AUTH_SECRET", "DEVICE_TOKEN_SECRET", "HASH_SECRET"]);
  });

  test("a complete file is left as it is", () => {
    const text = "ADMIN_TOKEN=a\nAUTH_SECRET=d\nDEVICE_TOKEN_SECRET=b\nHASH_SECRET=c";
    expect(completeSecrets(text, make)).toMatchObject({ text, made: [] });
  });

  test("made by chance, no two are the same, and each has 256 bits", () => {
    const { ADMIN_TOKEN, HASH_SECRET } = completeSecrets("").secrets;
    expect(ADMIN_TOKEN).not.toBe(HASH_SECRET);
    expect(Buffer.from(ADMIN_TOKEN, "base64url").length).toBe(32);
  });
});

describe("the command line", () => {
  test("has the demo's defaults, and reads what is given", () => {
    expect(demoArguments([])).toEqual({ port: 8787, devices: 30, speed: 30, durationMs: Number.POSITIVE_INFINITY, fresh: false });
    const args = ["--fresh", "--port", "9000", "--devices", "5", "--speed", "2", "--duration", "90"];
    expect(demoArguments(args)).toEqual({ fresh: true, port: 9000, devices: 5, speed: 2, durationMs: 90_000 });
  });

  test("has the simulator's defaults: all faults, and a seed of its own each time", () => {
    const defaults = simulateArguments([]);
    expect(defaults).toMatchObject({ devices: 30, speed: 10, durationMs: 300_000, base: null, token: null, killAt: [] });
    expect([...defaults.faults]).toEqual(Object.keys(FAULTS) as Fault[]);
    expect(simulateArguments([]).seed).not.toBe(defaults.seed);
  });

  test("reads what the simulator is given", () => {
    const args = ["--seed", "7", "--duration", "2m", "--faults", "offline, forgery", "--kill-at", "30%,60%", "--serve"];
    const { faults, ...rest } = simulateArguments(args);
    expect(rest).toMatchObject({ seed: 7, durationMs: 120_000, killAt: [0.3, 0.6], base: null });
    expect([...faults]).toEqual(["offline", "forgery"]);
    expect(simulateArguments(["--base", "https://edge.example/", "--token", "t"])).toMatchObject({
      base: "https://edge.example",
      token: "t",
    });
  });

  test.each([
    [["--port", "0"], "--port must be"],
    [["--devices", "1001"], "--devices must be"],
    [["--speed", "1.5"], "--speed must be"],
    [["--duration", "soon"], "--duration is a span"],
    [["--duration", "0"], "--duration is a span"],
  ])("the demo refuses %p", (args, message) => {
    expect(() => demoArguments(args)).toThrow(message);
  });

  test.each([
    [["--seed=-1"], "--seed must be"],
    [["--seed", ""], "--seed must be"],
    [["--faults", "gremlins"], 'there is no "gremlins"'],
    [["--kill-at", "half"], "--kill-at is one or more"],
    [["--base", "http://localhost:1", "--kill-at", "50%"], "goes without --base"],
    [["--base", "http://localhost:1", "--serve"], "Either --base"],
    [["--colour", "red"], "colour"],
  ])("the simulator refuses %p", (args, message) => {
    expect(() => simulateArguments(args)).toThrow(message);
  });
});

test("cron expressions come from wrangler.toml", () => {
  expect(cronExpressions('name = "x"\n[triggers]\ncrons = ["* * * * *", "7 * * * *"]')).toEqual(["* * * * *", "7 * * * *"]);
  expect(cronExpressions('name = "x"')).toEqual([]);
});

test.each([
  ["v20.20.2", false],
  ["v22.11.0", false],
  ["v22.12.0", true],
  ["v24.1.0", true],
  ["none", false],
])("Node %s new enough: %p", (version, enough) => {
  expect(isNewEnough(version)).toBe(enough);
});
