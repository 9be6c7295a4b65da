import { expect, test } from "vitest";
import { DeviceClock, offsetOf, refineOffset } from "../../src/sdk/clock.ts";
import { FakeHost } from "./fake-host.ts";

test("the offset is the device's lead over the server with the way there and back halved", () => {
  expect(offsetOf({ t0: 10_000, t1: 9_050, t2: 9_060, t3: 10_110 })).toEqual({ offsetMs: 1000, delayMs: 100 });
});

test("the device's clock goes on by the monotonic one when the machine's clock is set", () => {
  const host = new FakeHost(() => "lost");
  const clock = new DeviceClock(host);
  const start = clock.now();
  host.wall += 3_600_000;
  host.elapsed += 15_000;
  expect(clock.now() - start).toBe(15_000);
});

test("the quickest of several answers gives the offset", async () => {
  const delays = [400, 20, 200];
  const host = new FakeHost(() => {
    const delay = delays[host.requests.length - 1] ?? 0;
    // All of the delay lies on the way there, which blurs the offset by half of it.
    host.pass(delay);
    const server = host.wall - 480_000;
    return { status: 200, body: { t0: 0, t1: server, t2: server } };
  });
  const clock = new DeviceClock(host);
  expect(await clock.synchronise("http://edge")).toBe(480_000 - 10);
  expect(clock.serverNow()).toBe(host.wall - 480_000 + 10);
  expect(host.requests.map((request) => request.url)).toEqual(Array(3).fill("http://edge/v1/device/time"));
});

test("out of reach, what was known of the offset stays", async () => {
  const host = new FakeHost(() => "lost");
  const clock = new DeviceClock(host);
  clock.offsetMs = 7;
  expect(await clock.synchronise("http://edge")).toBe(null);
  expect(clock.offsetMs).toBe(7);
});

test("a sample changes the offset only where the offset cannot be right by it", () => {
  // 1,000 ms ahead, give or take half of 100 ms.
  const sample = { t0: 10_000, t1: 9_050, t2: 9_060, t3: 10_110 };
  expect(refineOffset(null, sample)).toBe(1000);
  expect(refineOffset(950, sample)).toBe(950);
  expect(refineOffset(1050, sample)).toBe(1050);
  expect(refineOffset(949, sample)).toBe(1000);
  expect(refineOffset(1051, sample)).toBe(1000);
});
