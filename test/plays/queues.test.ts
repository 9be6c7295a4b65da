import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { PLAY_QUEUE_BINDINGS, type PlayQueueEnv, playQueueOf, playQueues, shardOf, shardsOf } from "../../src/plays/queues.ts";
import { makeDevice, postBatch, signedLogs } from "../support/device.ts";
import { booksOf, deliver, expectDrained, runAlarm } from "../support/pipeline.ts";

describe("a device's shard", () => {
  test("is always the same, since a device that moves has its chunks in two queues", () => {
    const ids = ["0192f0c1-2a3b-7c4d-8e5f-60718293a4b5", "0192f0c1-2a3b-7c4d-8e5f-60718293a4b6", "0192f0c1-2a3b-7c4d-8e5f-60718293a4b7"];
    expect(ids.map((id) => shardOf(id, 4))).toEqual([1, 0, 3]);
    expect(ids.map((id) => shardOf(id, 1))).toEqual([0, 0, 0]);
  });

  test.each([2, 3, 4])("spreads devices evenly over %i, those made one after the other too", (shards) => {
    const counts = Array.from({ length: shards }, () => 0);
    for (let n = 0; n < 6000; n++) {
      const shard = shardOf(`0192f0c1-2a3b-7c4d-8e5f-${n.toString(16).padStart(12, "0")}`, shards);
      counts[shard] = (counts[shard] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count / (6000 / shards) - 1)).toBeLessThan(0.1);
  });
});

const named = Object.fromEntries(PLAY_QUEUE_BINDINGS.map((binding) => [binding, { binding }])) as unknown as Omit<
  PlayQueueEnv,
  "QUEUE_SHARDS"
>;

test.each([
  [undefined, 1],
  ["", 1],
  ["0", 1],
  ["1", 1],
  ["3", 3],
  ["4", 4],
  ["9", 4],
  ["many", 1],
])("QUEUE_SHARDS %j uses %i of the queues", (value, used) => {
  const own = { ...named, ...(value === undefined ? {} : { QUEUE_SHARDS: value }) };
  expect(shardsOf(own)).toBe(used);
  expect(playQueues(own).map(({ name, inUse }) => [name, inUse])).toEqual([0, 1, 2, 3].map((n) => [`play-events-${n}`, n < used]));
  const chosen = new Set(Array.from({ length: 200 }, () => playQueueOf(own, crypto.randomUUID())));
  expect(chosen.size).toBe(used);
});

test("plays that were sent to one queue and, after the number was changed, again to another are counted once", async () => {
  let device = await makeDevice();
  // A device that one queue more sends elsewhere.
  while (shardOf(device.id, 4) === 0) device = await makeDevice();
  const sent: [queue: string, body: Uint8Array][] = [];
  const use = (shards: string) =>
    runInDurableObject(env.SEQUENCER.getByName(device.id), (instance) => {
      const queues = Object.fromEntries(
        PLAY_QUEUE_BINDINGS.map((binding) => [
          binding,
          {
            send: async (body: Uint8Array) => void sent.push([binding, body.slice()]),
            sendBatch: async (messages: Iterable<MessageSendRequest<Uint8Array>>) => {
              for (const { body } of messages) sent.push([binding, body.slice()]);
            },
          },
        ]),
      );
      Reflect.set(instance, "env", { ...env, ...queues, QUEUE_SHARDS: shards, OUTBOX_RESEND_AFTER_MS: "0" });
    });
  await use("1");
  expect((await postBatch(device, await signedLogs(device, 30))).status).toBe(202);
  await runAlarm(device.id);
  await use("4");
  while (!sent.some(([queue]) => queue !== "PLAY_EVENTS_0")) expect(await runAlarm(device.id)).toBe(true);

  expect([...new Set(sent.map(([queue]) => queue))]).toEqual(["PLAY_EVENTS_0", `PLAY_EVENTS_${shardOf(device.id, 4)}`]);
  expect(new Set(sent.map(([, body]) => body.toHex())).size).toBe(1);
  expect((await booksOf(device)).unconfirmed).toBe(30);
  for (const [queue, body] of sent) {
    const name = queue.toLowerCase().replaceAll("_", "-");
    expect(await deliver([body], env, 1, [], name)).toEqual({ acked: 1, retried: 0 });
  }
  await expectDrained(device, 30);
});
