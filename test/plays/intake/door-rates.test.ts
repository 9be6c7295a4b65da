import { afterEach, describe, expect, test, vi } from "vitest";
import { MINUTE_MS } from "../../../src/platform/time.ts";
import { FLOOD_HEADERS } from "../../../src/plays/intake/flood.ts";
import toml from "../../../wrangler.toml?raw";
import { makeDevice, playLog, post, signedLogs, type TestDevice } from "../../support/device.ts";
import { endEvent, postEvents } from "../../support/events.ts";
import { statusOf } from "../../support/pipeline.ts";
import { playOnGroup, sentEvent } from "../../support/telemetry.ts";

const NOW = Date.parse("2026-11-21T08:00:00.000Z");

const signedLog = async (device: TestDevice) => await device.sign(playLog(device));
const end = (device: TestDevice) => endEvent(device, Date.now() - MINUTE_MS, { duration_ms: 15_000 });

/** The ways into the sequencer: path, a body with one record, and how many plays that is. */
const DOORS: [path: string, body: (device: TestDevice) => Promise<unknown>, plays: 0 | 1][] = [
  ["/api/v1/playback-logs", signedLog, 1],
  ["/api/v1/playback-logs/batch", async (device) => ({ logs: [await signedLog(device)] }), 1],
  ["/v1/device/impressions", signedLog, 1],
  ["/v1/device/events", async (device) => ({ events: [await device.sign(end(device))] }), 1],
  ["/telemetry/playback", async ({ contentId }) => sentEvent(contentId), 0],
  ["/telemetry/playback/batch", async ({ contentId }) => ({ events: [sentEvent(contentId)] }), 0],
];

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe.each(DOORS)("at %s", (path, body, plays) => {
  test("120 requests a minute pass, the 121st is told when to come again, and passes then", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: NOW });
    const device = await makeDevice();
    await playOnGroup(device);
    const send = async () => await post(device, path, await body(device));
    for (let request = 1; request <= 120; request++) {
      vi.setSystemTime(NOW + request * 100);
      const answer = await send();
      expect(answer.status).toBe(202);
      expect(answer.headers.get("RateLimit-Policy")).toBe('"device";q=120;w=60');
      expect(answer.headers.get("RateLimit")).toMatch(new RegExp(`^"device";r=${120 - request};t=\\d+$`));
    }
    vi.setSystemTime(NOW + 12_500);
    const refused = await send();
    expect(refused.status).toBe(429);
    expect(await refused.json()).toMatchObject({ type: "/docs/errors/rate-limit-exceeded", code: "RATE_LIMIT_EXCEEDED" });
    // The first of the 120 was let in at 0.1 s, and leaves the minute at 60.1 s.
    expect(refused.headers.get("Retry-After")).toBe("48");
    expect(refused.headers.get("RateLimit-Policy")).toBe('"device";q=120;w=60');
    expect(refused.headers.get("RateLimit")).toBe('"device";r=0;t=48');
    expect((await statusOf(device.id)).accepted).toBe(120 * plays);

    vi.setSystemTime(NOW + 60_099);
    expect((await send()).status).toBe(429);
    vi.setSystemTime(NOW + 60_100);
    expect((await send()).status).toBe(202);
    expect((await send()).status).toBe(429);
    expect((await statusOf(device.id)).accepted).toBe(121 * plays);
  });
});

test("500 plays in 10 s pass by batch", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  const device = await makeDevice();
  for (let batch = 0; batch < 5; batch++) {
    vi.setSystemTime(NOW + batch * 2500);
    const answer = await post(device, "/api/v1/playback-logs/batch", { logs: await signedLogs(device, 100) });
    expect(await answer.json()).toMatchObject({ processed: 100, failed: 0 });
  }
  expect((await statusOf(device.id)).accepted).toBe(500);
});

test("500 proof events in 10 s pass, in one request too", async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  const device = await makeDevice();
  const events = await Promise.all(Array.from({ length: 500 }, () => device.sign(end(device))));
  expect(await (await postEvents(device, events)).json()).toMatchObject({ accepted: 500, rejected: 0 });
  expect((await statusOf(device.id)).accepted).toBe(500);
});

describe("a flood", () => {
  /** Checks of signatures other than a token's own, which is cheap. */
  function countChecks(): { checks: number } {
    const counted = { checks: 0 };
    const verify = crypto.subtle.verify.bind(crypto.subtle);
    vi.spyOn(crypto.subtle, "verify").mockImplementation(async (algorithm, ...rest) => {
      if (JSON.stringify(algorithm).includes("Ed25519")) counted.checks += 1;
      return await verify(algorithm, ...rest);
    });
    return counted;
  }

  test("of one token burns no signatures: what it sends is not read, and others are let in", async () => {
    const device = await makeDevice();
    const other = await makeDevice();
    const [log] = await signedLogs(device, 1);
    const warned = vi.spyOn(console, "warn").mockReturnValue();
    const counted = countChecks();
    // The platform counts by its own clock: so each answer is held to what was done for it, wherever its minute ends.
    let turnedAway = 0;
    let overRate = 0;
    const minutes = new Set<number>();
    for (let request = 0; request < 900 && turnedAway < 30; request++) {
      const before = counted.checks;
      const answer = await post(device, "/api/v1/playback-logs/batch", { logs: [log] });
      const flood = answer.headers.get("RateLimit-Policy")?.startsWith('"flood"') ?? false;
      expect(counted.checks - before).toBe(flood ? 0 : 1);
      minutes.add(Math.floor(Date.now() / MINUTE_MS));
      if (!flood) {
        overRate += answer.status === 429 ? 1 : 0;
        continue;
      }
      turnedAway += 1;
      expect(answer.status).toBe(429);
      expect(answer.headers.get("Retry-After")).toBe("60");
      expect(await answer.json()).toMatchObject({ code: "RATE_LIMIT_EXCEEDED" });
    }
    expect(turnedAway).toBe(30);
    const unread = await post(device, "/api/v1/playback-logs", "no JSON");
    expect(unread.status).toBe(429);
    expect((await post(other, "/api/v1/playback-logs/batch", { logs: await signedLogs(other, 1) })).status).toBe(202);
    // A line for each of its requests would be a flood of its own: it has one a minute.
    const lines = warned.mock.calls.map(([line]) => JSON.parse(String(line)) as Record<string, unknown>);
    const told = lines.filter(({ message }) => message === "rate limit exceeded");
    expect(told.length - overRate).toBeGreaterThan(0);
    expect(told.length - overRate).toBeLessThanOrEqual(minutes.size + 1);
    expect(told.every(({ device: id, token }) => /^[0-9a-f]{16}$/.test(String(id)) && /^[0-9a-f]{16}$/.test(String(token)))).toBe(true);
  });

  test("is told the limit that is configured", () => {
    const limit = /name = "FLOOD_LIMIT"[^[]*limit = (\d+), period = (\d+)/.exec(toml);
    expect(FLOOD_HEADERS["RateLimit-Policy"]).toBe(`"flood";q=${limit?.[1]};w=${limit?.[2]}`);
  });
});
