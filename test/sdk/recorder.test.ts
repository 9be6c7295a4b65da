import { describe, expect, test, vi } from "vitest";
import { DeviceClock } from "../../src/sdk/clock.ts";
import { createIdentity } from "../../src/sdk/identity.ts";
import { MemoryQueue } from "../../src/sdk/memory-queue.ts";
import { Recorder, type RecorderState } from "../../src/sdk/recorder.ts";
import { FakeHost } from "./fake-host.ts";

const DEVICE = "aa705f37-c8cc-4726-a32f-315d7df12ae3";
const item = {
  content_id: "2b912e65-1320-4fc9-8e0f-e864fa59ad1e",
  campaign_id: "134f86e7-7ad8-4962-a649-96572230be4a",
  duration_expected: 15,
};

async function setUp(kept: RecorderState | null = null) {
  const host = new FakeHost(() => "lost");
  const queue = new MemoryQueue();
  const disk = { state: kept };
  const store = {
    load: async () => disk.state,
    save: async (state: RecorderState) => {
      disk.state = state;
    },
  };
  const options = { host, deviceId: DEVICE, identity: await createIdentity("EdDSA"), clock: new DeviceClock(host), queue, store };
  return { host, queue, disk, options, recorder: await Recorder.open(options) };
}

describe("a play", () => {
  test("becomes a log with its times, its length, its number and the item's fields, and is queued as signed", async () => {
    const { host, options, queue, recorder } = await setUp();
    const play = recorder.start(item, "061692e9-0c38-483f-9b88-afd627d55730");
    host.pass(15_250);
    const signed = await play.finish();
    expect(signed).toEqual({
      ...item,
      log_id: "061692e9-0c38-483f-9b88-afd627d55730",
      device_id: DEVICE,
      started_at: "2026-11-20T12:00:00.000Z",
      ended_at: "2026-11-20T12:00:15.250Z",
      duration_actual: 15.25,
      status: "COMPLETED",
      epoch: "00000000-0000-4000-8000-000000000001",
      sequence: 1,
      checksum: signed.checksum,
      signature: signed.signature,
    });
    expect(await queue.ready(0, 9)).toEqual([
      { log_id: signed.log_id, text: JSON.stringify(signed), clock: options.clock.current.id, deferrals: 0 },
    ]);
  });

  test("lasts as long as it lasted, also when the machine's clock is set in between", async () => {
    const { host, recorder } = await setUp();
    const play = recorder.start(item);
    host.pass(4000);
    host.wall -= 7_200_000;
    expect(await play.skip()).toMatchObject({
      duration_actual: 4,
      started_at: "2026-11-20T12:00:00.000Z",
      ended_at: "2026-11-20T12:00:04.000Z",
    });
  });

  test("ends once", async () => {
    const { queue, recorder } = await setUp();
    const play = recorder.start(item);
    await play.finish();
    await expect(play.interrupt()).rejects.toThrow("ended already");
    expect(await queue.waiting()).toBe(1);
  });

  test.each([
    ["finish", "COMPLETED"],
    ["interrupt", "INTERRUPTED"],
    ["skip", "SKIPPED"],
    ["fail", "ERROR"],
  ] as const)("%s says %s", async (end, status) => {
    const { recorder } = await setUp();
    expect(await recorder.start(item)[end]()).toMatchObject({ status });
  });
});

describe("the sequence", () => {
  test("counts without holes, in the order of the queue, also for plays that end at once", async () => {
    const { queue, recorder } = await setUp();
    const plays = [recorder.start(item), recorder.start(item), recorder.start(item)];
    await Promise.all(plays.map((play) => play.finish()));
    const queued = (await queue.ready(0, 9)).map((log) => (JSON.parse(log.text) as { sequence: number }).sequence);
    expect(queued).toEqual([1, 2, 3]);
  });

  test("makes one log after the other, also when the disk is slow for the first", async () => {
    const { options, queue } = await setUp();
    const disk = Promise.withResolvers<void>();
    const saved: number[] = [];
    options.store.save = async (state) => {
      saved.push(state.nextSequence);
      if (state.nextSequence === 2) await disk.promise;
    };
    const recorder = await Recorder.open(options);
    const plays = [recorder.start(item, "first").finish(), recorder.start(item, "second").finish()];
    await vi.waitFor(() => expect(saved).not.toEqual([]));
    for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setTimeout(resolve));
    expect(saved).toEqual([2]);
    disk.resolve();
    await Promise.all(plays);
    expect(saved).toEqual([2, 3]);
    expect((await queue.ready(0, 9)).map((log) => log.log_id)).toEqual(["first", "second"]);
  });

  test("goes on after a restart, and begins a new epoch where the storage was lost", async () => {
    const { disk, options, recorder } = await setUp();
    const first = await recorder.start(item).finish();
    expect(await (await Recorder.open(options)).start(item).finish()).toMatchObject({ epoch: first.epoch, sequence: 2 });
    disk.state = null;
    const anew = await (await Recorder.open(options)).start(item).finish();
    expect(anew.sequence).toBe(1);
    expect(anew.epoch).not.toBe(first.epoch);
  });

  test("a number is stored as used, with its log, before the log is queued; a queue that did not take it gets it again", async () => {
    const { disk, options, queue, recorder } = await setUp({ epoch: "e", nextSequence: 5 });
    const append = queue.append.bind(queue);
    queue.append = async () => {
      throw new Error("disk full");
    };
    await expect(recorder.start(item, "first").finish()).rejects.toThrow("disk full");
    expect(disk.state).toMatchObject({ epoch: "e", nextSequence: 6, unqueued: [{ log_id: "first" }] });
    queue.append = append;
    // The power went between the two.
    const next = await Recorder.open(options);
    expect(await next.start(item, "second").finish()).toMatchObject({ epoch: "e", sequence: 6 });
    expect((await queue.ready(0, 9)).map(({ log_id }) => log_id)).toEqual(["first", "second"]);
    await next.settled();
    expect(disk.state).toEqual({ epoch: "e", nextSequence: 7 });
  });

  test("a log whose number the store does not know as used does not leave when the player ends, or the number would stand twice", async () => {
    const { disk, options, queue, recorder } = await setUp({ epoch: "e", nextSequence: 5 });
    const { save } = options.store;
    options.store.save = async () => {
      throw new Error("disk full");
    };
    await expect(recorder.start(item, "first").finish()).rejects.toThrow("disk full");
    await expect(recorder.settled()).rejects.toThrow("disk full");
    expect([disk.state, await queue.waiting()]).toEqual([{ epoch: "e", nextSequence: 5 }, 0]);
    options.store.save = save;
    await recorder.settled();
    expect([disk.state, await queue.waiting()]).toEqual([{ epoch: "e", nextSequence: 6 }, 1]);
  });

  test("resumes at the server's number where that is larger, in this epoch alone", async () => {
    const { disk, recorder } = await setUp({ epoch: "e", nextSequence: 5 });
    await recorder.resume({ epoch: "other", expectedSequence: 90 });
    await recorder.resume({ epoch: "e", expectedSequence: 4 });
    expect(await recorder.start(item).finish()).toMatchObject({ sequence: 5 });
    await recorder.resume({ epoch: "e", expectedSequence: 9 });
    expect(disk.state).toEqual({ epoch: "e", nextSequence: 9 });
    expect(await recorder.start(item).finish()).toMatchObject({ sequence: 9 });
  });
});
