import { describe, expect, test } from "vitest";
import { DeviceClock, type KnownClocks, offsetOf, refineOffset } from "../../src/sdk/clock.ts";
import { driftOf } from "../../src/sdk/offset.ts";
import { FakeHost } from "./fake-host.ts";
import { Disk } from "./paired.ts";

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

/** What a server says that is right, when the machine is `aheadMs` ahead of it, and the way there and back takes `delayMs`. */
function answering(aheadMs: () => number, delayMs = 0) {
  const host = new FakeHost(() => "lost");
  const clock = new DeviceClock(host);
  const hear = () => {
    const t0 = clock.now();
    const server = host.wall - aheadMs() + delayMs / 2;
    host.pass(delayMs);
    clock.hear({ t0, t1: server, t2: server, t3: clock.now() });
  };
  return { host, clock, hear };
}

test.each([
  ["that took over a minute", 60_001],
  ["that two clocks measured", -1],
])("an answer %s tells nothing", (_, delayMs) => {
  const clock = new DeviceClock(new FakeHost(() => "lost"));
  const t0 = clock.now();
  clock.hear({ t0, t1: t0 - 5000, t2: t0 - 5000, t3: t0 + delayMs });
  expect(clock.offsetMs).toBe(null);
  clock.hear({ t0, t1: t0 - 5000, t2: t0 - 5000, t3: t0 + 60_000 });
  expect(clock.offsetMs).toBe(35_000);
});

describe("drift", () => {
  test("is told from measurements that lie far enough apart, and carries the server's time on between them", () => {
    const truth = { aheadMs: 0 };
    const { clock, hear, host } = answering(() => truth.aheadMs, 10);
    for (let minute = 0; minute < 16; minute++) {
      hear();
      // 100 parts in a million: 6 ms a minute.
      truth.aheadMs += 6;
      host.pass(59_990);
    }
    expect(Math.round(clock.driftPpm)).toBe(100);
    const hourMs = 3_600_000;
    host.pass(hourMs);
    const server = host.wall - truth.aheadMs - hourMs / 10_000;
    expect(Math.abs(clock.serverNow() - server)).toBeLessThan(10);
  });

  test("is none where the network's delay may be the reason, or the measurements are too close together", () => {
    const at = [0, 300_000, 600_000, 900_000];
    const measured = (offsets: number[], delayMs: number, spacing = 1) =>
      at.map((ms, index) => ({ at: ms * spacing, offsetMs: offsets[index] ?? 0, delayMs }));
    expect(driftOf(measured([0, 30, 60, 90], 10))).toBeCloseTo(100);
    expect(driftOf(measured([0, 30, 60, 90], 181))).toBe(0);
    expect(driftOf(measured([0, 30, 60, 90], 10, 0.5))).toBe(0);
    expect(driftOf(measured([0, 3000, 6000, 9000], 10))).toBe(500);
    expect(driftOf([])).toBe(0);
  });

  test("is not told from an answer that took long", () => {
    const slow = { at: 450_000, offsetMs: 4000, delayMs: 9000 };
    const quick = [0, 300_000, 600_000, 900_000].map((at) => ({ at, offsetMs: 5, delayMs: 10 }));
    expect(driftOf([...quick, slow].sort((a, b) => a.at - b.at))).toBe(0);
  });
});

describe("the machine's clock", () => {
  const YEAR_MS = 365 * 86_400_000;

  test("set back a year changes nothing: not the time, not a duration, not what the server's time is taken for", () => {
    const { clock, hear, host } = answering(() => 0);
    hear();
    const before = clock.now();
    host.wall -= YEAR_MS;
    host.elapsed += 15_000;
    expect(clock.now() - before).toBe(15_000);
    const server = clock.now();
    clock.hear({ t0: clock.now(), t1: server, t2: server, t3: clock.now() });
    expect([clock.current.now() - before, clock.offsetMs, clock.now() - before]).toEqual([15_000, 0, 15_000]);
  });

  test("is believed again where the server shows it to be right: after the machine slept, and the monotonic one with it", () => {
    const { clock, hear, host } = answering(() => 0);
    hear();
    const old = clock.current;
    const oldNow = old.now();
    // Eight hours of sleep.
    host.wall += 8 * 3_600_000;
    hear();
    expect(clock.now()).toBe(host.wall);
    expect(clock.offsetMs).toBe(0);
    // A play that runs goes on by the clock that it began with.
    host.pass(5000);
    expect(old.now() - oldNow).toBe(5000);
    expect(clock.current).not.toBe(old);
  });

  test("that went on while the monotonic one slept leaves in doubt what is timed until the server is heard, and then nothing", () => {
    const { clock, hear, host } = answering(() => 0);
    hear();
    const before = clock.current;
    const sleptMs = 8 * 3_600_000;
    host.wall += sleptMs;
    expect([clock.inDoubt, clock.knownServerNow]).toEqual([true, null]);
    // A play that begins before the server is heard: by the clock that stood still, and not for one with those before.
    const woken = clock.current;
    const startedAt = woken.now();
    expect([startedAt - before.now(), woken.id === before.id, clock.current]).toEqual([0, false, woken]);
    host.pass(5000);
    hear();
    expect([clock.inDoubt, clock.knownServerNow]).toEqual([false, host.wall]);
    // What the server takes for the play's beginning: its raw time, less what Sent-At is ahead of the server's own.
    const offsetOfLog = (id: string | undefined) => clock.sentAt(id) - host.wall;
    expect(startedAt - offsetOfLog(woken.id)).toBe(host.wall - 5000);
    expect([offsetOfLog(before.id), offsetOfLog(clock.current.id)]).toEqual([0, 0]);
  });

  test("set while the server is not heard again before the power goes has the offset that it had", async () => {
    const disk = new Disk<KnownClocks>();
    const host = new FakeHost(() => "lost");
    const clock = await DeviceClock.open(host, disk);
    clock.hear({ t0: clock.now(), t1: clock.now() - 7000, t2: clock.now() - 7000, t3: clock.now() });
    host.wall -= YEAR_MS;
    const { id = "" } = clock.current;
    await Promise.resolve();
    expect((await disk.load())?.[id]).toBe(7000);
  });

  test("set right sends what was timed before by the clock that timed it, also after a restart", async () => {
    const disk = new Disk<KnownClocks>();
    const host = new FakeHost(() => "lost");
    const server = host.wall;
    host.wall += 1_200_000;
    const wrong = await DeviceClock.open(host, disk);
    wrong.hear({ t0: wrong.now(), t1: server, t2: server, t3: wrong.now() });
    const timedBy = wrong.current.id;
    host.pass(60_000);
    host.wall -= 1_200_000;
    const right = await DeviceClock.open(host, disk);
    expect(right.sentAt(timedBy)).toBe(right.now());
    right.hear({ t0: right.now(), t1: right.now(), t2: right.now(), t3: right.now() });
    expect([right.sentAt(timedBy), right.sentAt(undefined), right.sentAt("never heard of")]).toEqual([
      ...[server + 60_000 + 1_200_000, server + 60_000, server + 60_000],
    ]);
  });
});
