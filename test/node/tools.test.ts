import { describe, expect, test } from "bun:test";
import { junitCounts, settleCounts, vitestCounts } from "../../src/cli/count.ts";
import { cronExpressions } from "../../src/cli/cron.ts";
import { roleOf, ShakyNetwork } from "../../src/cli/demo/faults.ts";
import { drawEnding } from "../../src/cli/demo/screen.ts";
import { fleetArguments } from "../../src/cli/options.ts";
import { completeSecrets } from "../../src/cli/secrets.ts";
import { isNewEnough } from "../../src/cli/tools.ts";
import { systemHost } from "../../src/sdk/host.ts";

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
  test("has the demo's defaults", () => {
    expect(fleetArguments([])).toEqual({
      ...{ port: 8787, devices: 30, speed: 30, durationMs: Number.POSITIVE_INFINITY, fresh: false },
      ...{ base: undefined, token: undefined },
    });
  });

  test("reads what is given", () => {
    const args = ["--fresh", "--port", "9000", "--devices", "5", "--speed", "2", "--duration", "90", "--base", "https://edge.example/"];
    expect(fleetArguments(args)).toMatchObject({
      fresh: true,
      port: 9000,
      devices: 5,
      speed: 2,
      durationMs: 90_000,
      base: "https://edge.example",
    });
  });

  test.each([[["--port", "0"]], [["--devices", "1.5"]], [["--speed", "fast"]], [["--nonsense"]]])("refuses %p", (args) => {
    expect(() => fleetArguments(args)).toThrow();
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

describe("the fleet's faults", () => {
  test("one screen each has a fast clock, a clock too wrong, a forger's key and a bad network", () => {
    expect([0, 1, 2, 3, 4].map((index) => roleOf(index).name)).toEqual([
      "clock 8 min fast",
      "clock 40 min fast",
      "forger",
      "bad network",
      "sound",
    ]);
    expect(roleOf(1).refusedAs).toBe("CLOCK_SKEW");
  });

  test("most plays end as they should; one that is cut short is partial, whatever its screen says", () => {
    expect(drawEnding(0.029)).toMatchObject({ call: "skip", status: "SKIPPED" });
    expect(drawEnding(0.07)).toMatchObject({ call: "finish", status: "PARTIAL", share: 0.7 });
    expect(drawEnding(0.09)).toMatchObject({ call: "finish", status: "COMPLETED", share: 1 });
  });

  test("a lost answer was sent, a lost request was not, and a cut network sends nothing until it is over", async () => {
    let [chance, now] = [0, 0];
    const seen: string[] = [];
    const draws = [0.99, 0.01];
    const inner = {
      ...systemHost,
      fetch: async () => new Response("{}"),
      random: () => draws.shift() ?? chance,
      monotonic: () => now,
    };
    const network = new ShakyNetwork(inner, roleOf(9), (url) => seen.push(url));
    const request = { method: "POST" as const, headers: {}, body: "" };
    await expect(network.fetch("answer lost", request)).rejects.toThrow("answer was lost");
    await expect(network.fetch("request lost", request)).rejects.toThrow("request was lost");
    network.calm = true;
    expect((await network.fetch("calm", request)).status).toBe(200);
    network.cut();
    await expect(network.fetch("offline", request)).rejects.toThrow("offline");
    now = 3000;
    chance = 1;
    expect((await network.fetch("back", request)).status).toBe(200);
    expect(seen).toEqual(["answer lost", "calm", "back"]);
  });

  test("when the power goes, what is under way breaks off, and the next request gets through", async () => {
    const waiting = Promise.withResolvers<Response>();
    const inner = { ...systemHost, fetch: () => waiting.promise, random: () => 0.5 };
    const network = new ShakyNetwork(inner, roleOf(9), () => {});
    const request = { method: "POST" as const, headers: {}, body: "" };
    const broken = network.fetch("first", request);
    network.hangUp();
    await expect(broken).rejects.toThrow("the power is gone");
    const next = network.fetch("second", request);
    waiting.resolve(new Response("{}"));
    expect((await next).status).toBe(200);
  });
});
