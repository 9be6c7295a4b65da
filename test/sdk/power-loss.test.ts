import { describe, expect, test } from "vitest";
import { DeviceClock } from "../../src/sdk/clock.ts";
import { createIdentity } from "../../src/sdk/identity.ts";
import { MemoryQueue } from "../../src/sdk/memory-queue.ts";
import { Recorder, type RecorderOptions, type RecorderState } from "../../src/sdk/recorder.ts";
import { FakeHost } from "./fake-host.ts";
import { DEVICE, Disk } from "./paired.ts";

const item = { content_id: "2b912e65-1320-4fc9-8e0f-e864fa59ad1e", duration_expected: 20 };

async function setUp(changes: Partial<RecorderOptions> = {}) {
  const host = new FakeHost(() => "lost");
  const queue = new MemoryQueue();
  const disk = new Disk<RecorderState>();
  const identity = await createIdentity("EdDSA");
  const options: RecorderOptions = { host, deviceId: DEVICE, identity, clock: new DeviceClock(host), queue, store: disk, ...changes };
  const queued = async () => (await queue.ready(0, 99)).map(({ text }) => JSON.parse(text) as Record<string, unknown>);
  return { host, queue, queued, disk, options, recorder: await Recorder.open(options) };
}

/** Lets the recorder write down what it has in hand. */
const written = async (recorder: Recorder) => await recorder.resume({ epoch: "", expectedSequence: 0 });

describe("a play during which the power goes", () => {
  test("is reported interrupted at the next start, as long as it is known to have been on the screen", async () => {
    const { disk, host, options, queued, recorder } = await setUp();
    await recorder.start(item, "before").finish();
    recorder.start(item, "cut");
    host.pass(7000);
    await recorder.progress();
    host.pass(3000);
    const next = await Recorder.open({ ...options, clock: new DeviceClock(host) });
    expect(next.recovered.map(({ log_id }) => log_id)).toEqual(["cut"]);
    expect((await queued())[1]).toMatchObject({
      log_id: "cut",
      status: "INTERRUPTED",
      started_at: "2026-11-20T12:00:00.000Z",
      ended_at: "2026-11-20T12:00:07.000Z",
      duration_actual: 7,
      duration_expected: 20,
      sequence: 2,
    });
    // Once: the start after that finds nothing.
    expect((await Recorder.open(options)).recovered).toEqual([]);
    expect(JSON.parse(disk.text ?? "")).toMatchObject({ nextSequence: 3 });
  });

  test("that was never heard of again has no length", async () => {
    const { options, queued, recorder } = await setUp();
    recorder.start(item, "cut");
    await written(recorder);
    await Recorder.open(options);
    expect(await queued()).toMatchObject([{ log_id: "cut", status: "INTERRUPTED", duration_actual: 0 }]);
  });

  test("that had ended is not reported twice", async () => {
    const { options, queued, recorder } = await setUp();
    const play = recorder.start(item, "whole");
    await written(recorder);
    await play.finish();
    await Recorder.open(options);
    await Recorder.open(options);
    expect((await queued()).map(({ log_id, status }) => [log_id, status])).toEqual([["whole", "COMPLETED"]]);
  });

  test("keeps the clock that timed it, though the machine's was set before the next start", async () => {
    const { host, options, queue, recorder } = await setUp();
    const clock = options.clock;
    if (!("current" in clock)) throw new Error("not the device's clock");
    recorder.start(item, "cut");
    const timedBy = clock.current.id;
    await written(recorder);
    host.wall -= 365 * 86_400_000;
    await Recorder.open({ ...options, clock: new DeviceClock(host) });
    expect(await queue.ready(0, 9)).toMatchObject([{ log_id: "cut", clock: timedBy }]);
  });

  test("goes into the queue later, where the disk is full at the next start; the player starts all the same", async () => {
    const { disk, options, queue, queued, recorder } = await setUp();
    for (const id of ["a", "b"]) recorder.start(item, id);
    await written(recorder);
    disk.full = true;
    const next = await Recorder.open(options);
    expect(await queue.waiting()).toBe(0);
    disk.full = false;
    await next.start(item, "c").finish();
    const again = await Recorder.open(options);
    const logs = [...(await queued())].sort((one, other) => String(one.log_id).localeCompare(String(other.log_id)));
    expect(logs.map(({ log_id, status }) => [log_id, status])).toEqual([
      ["a", "INTERRUPTED"],
      ["b", "INTERRUPTED"],
      ["c", "COMPLETED"],
    ]);
    expect(new Set(logs.map(({ sequence }) => sequence)).size).toBe(3);
    expect(again.recovered.map(({ log_id }) => log_id)).toEqual(["b"]);
  });
});

test("each round of a loop is a play of its own, without a gap", async () => {
  const { host, queued, recorder } = await setUp();
  const first = recorder.start(item);
  host.pass(20_000);
  const { log, next } = first.loop();
  host.pass(20_000);
  await Promise.all([log, next.finish()]);
  expect((await queued()).map(({ sequence, status, started_at, ended_at }) => [sequence, status, started_at, ended_at])).toEqual([
    [1, "COMPLETED", "2026-11-20T12:00:00.000Z", "2026-11-20T12:00:20.000Z"],
    [2, "COMPLETED", "2026-11-20T12:00:20.000Z", "2026-11-20T12:00:40.000Z"],
  ]);
  await expect(first.finish()).rejects.toThrow("ended already");
});

describe("a screenshot", () => {
  const HASH = "f".repeat(64);

  test.each([
    [7999, false],
    [8000, true],
    [12_000, true],
    [12_001, false],
  ])("of a play of 20 s after %d ms: %s", async (ms, taken) => {
    const { host, recorder } = await setUp({ screenshot: async () => HASH });
    const play = recorder.start(item);
    host.pass(ms);
    await recorder.progress();
    expect((await play.finish()).screenshot_hash).toBe(taken ? HASH : undefined);
  });

  test("is taken once a play, and its failing is no failure of the play", async () => {
    const pictures: number[] = [];
    const { host, recorder } = await setUp({
      screenshot: async () => {
        pictures.push(1);
        if (pictures.length === 2) throw new Error("no camera");
        return HASH;
      },
    });
    const play = recorder.start(item);
    host.pass(9000);
    await recorder.progress();
    host.pass(1000);
    await recorder.progress();
    const other = recorder.start(item);
    host.pass(10_000);
    await recorder.progress();
    expect([await play.finish(), await other.finish()].map((log) => [log.status, log.screenshot_hash])).toEqual([
      ["COMPLETED", HASH],
      ["COMPLETED", undefined],
    ]);
    expect(pictures.length).toBe(2);
  });

  test("of a play that the power cut is named all the same", async () => {
    const { host, options, queued, recorder } = await setUp({ screenshot: async () => HASH });
    recorder.start(item, "cut");
    host.pass(10_000);
    await recorder.progress();
    await Recorder.open(options);
    expect(await queued()).toMatchObject([{ log_id: "cut", screenshot_hash: HASH }]);
  });
});
