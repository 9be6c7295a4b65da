import { abortAllDurableObjects, evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { alteredChunk } from "../support/chunks.ts";
import { makeDevice, playLog, postBatch, postOne, signedLogs, type TestDevice } from "../support/device.ts";
import { booksOf, CaughtQueue, deliver, drain, expectDrained, runAlarm, statusOf, withFault } from "../support/pipeline.ts";

// Each test injects one fault into the way of a play, then counts: accepted = recorded, once, in every store (I1, I2), retries meet
// their first verdict (I5), and what the fault held up drains by itself (I6).

let device: TestDevice;
let queue: CaughtQueue;

beforeEach(async () => {
  device = await makeDevice();
  queue = new CaughtQueue();
  await queue.attach(device.id);
});

async function sendTen(): Promise<Record<string, unknown>[]> {
  const logs = await signedLogs(device, 10);
  expect(await (await postBatch(device, logs)).json()).toMatchObject({ processed: 10, failed: 0, duplicates: 0 });
  return logs;
}

async function sentChunks(): Promise<Uint8Array[]> {
  await runAlarm(device.id);
  const bodies = queue.take();
  expect(bodies.length).toBeGreaterThan(0);
  return bodies;
}

describe("between sequencer and D1", () => {
  test("without a fault, all is recorded once and the outbox is empty", async () => {
    await sendTen();
    expect((await statusOf(device.id)).waiting_plays).toBe(10);
    expect(await deliver(await sentChunks())).toEqual({ acked: 1, retried: 0 });
    await expectDrained(device, 10);
  });

  test("a message delivered five times, one after the other, is recorded once", async () => {
    await sendTen();
    const bodies = await sentChunks();
    for (let time = 0; time < 5; time++) expect(await deliver(bodies)).toEqual({ acked: 1, retried: 0 });
    await expectDrained(device, 10);
  });

  test("a message delivered five times at once is recorded once", async () => {
    await sendTen();
    const bodies = await sentChunks();
    const results = await Promise.all(Array.from({ length: 5 }, () => deliver(bodies)));
    expect(results).toEqual(Array.from({ length: 5 }, () => ({ acked: 1, retried: 0 })));
    await expectDrained(device, 10);
  });

  test("a message five times in one batch is recorded once", async () => {
    await sendTen();
    const [body] = await sentChunks();
    if (!body) throw new Error("nothing was sent");
    expect(await deliver([body, body, body, body, body])).toEqual({ acked: 5, retried: 0 });
    await expectDrained(device, 10);
  });

  test("two batches that share a chunk, at once, record each chunk once", async () => {
    await sendTen();
    const [first] = await sentChunks();
    await sendTen();
    queue.bodies.length = 0;
    await runAlarm(device.id);
    const second = queue.take().at(-1);
    if (!first || !second) throw new Error("nothing was sent");
    await Promise.all([deliver([first, second]), deliver([first]), deliver([second])]);
    await expectDrained(device, 20);
  });

  test("the consumer dies before the commit: the message comes again and is recorded once", async () => {
    await sendTen();
    const bodies = await sentChunks();
    expect(await deliver(bodies, withFault("DB.batch", "before"))).toEqual({ acked: 0, retried: 1 });
    expect(await booksOf(device)).toMatchObject({ accepted: 10, ledger: 0, events: 0, hourly: 0, unconfirmed: 10 });
    expect(await deliver(bodies)).toEqual({ acked: 1, retried: 0 });
    await expectDrained(device, 10);
  });

  test("D1 commits and its answer is lost: the redelivery finds the ledger", async () => {
    await sendTen();
    const bodies = await sentChunks();
    expect(await deliver(bodies, withFault("DB.batch", "after"))).toEqual({ acked: 0, retried: 1 });
    expect(await booksOf(device)).toMatchObject({ ledger: 10, events: 10, unconfirmed: 10 });
    expect(await deliver(bodies)).toEqual({ acked: 1, retried: 0 });
    await expectDrained(device, 10);
  });

  test("R2 refuses the segment: nothing is committed, and the redelivery records", async () => {
    await sendTen();
    const bodies = await sentChunks();
    expect(await deliver(bodies, withFault("BUCKET.put", "before"))).toEqual({ acked: 0, retried: 1 });
    expect(await booksOf(device)).toMatchObject({ ledger: 0, events: 0, hourly: 0 });
    await deliver(bodies);
    await expectDrained(device, 10);
  });

  test("R2 takes the segment and its answer is lost: the extra segment counts nothing", async () => {
    await sendTen();
    const bodies = await sentChunks();
    expect(await deliver(bodies, withFault("BUCKET.put", "after"))).toEqual({ acked: 0, retried: 1 });
    await deliver(bodies);
    await expectDrained(device, 10);
  });

  test("the confirmation is lost: the chunk is sent again, recorded no second time, and confirmed", async () => {
    await sendTen();
    expect(await deliver(await sentChunks(), withFault("SEQUENCER.confirm", "before"))).toEqual({ acked: 1, retried: 0 });
    expect(await booksOf(device)).toMatchObject({ ledger: 10, unconfirmed: 10 });
    await drain(device.id, queue);
    await expectDrained(device, 10);
  });

  test("a redelivery long after the confirmation changes nothing", async () => {
    await sendTen();
    const bodies = await sentChunks();
    await deliver(bodies);
    await sendTen();
    expect(await deliver(bodies)).toEqual({ acked: 1, retried: 0 });
    expect(await booksOf(device)).toMatchObject({ accepted: 20, ledger: 10, waiting: 10 });
    await drain(device.id, queue);
    await expectDrained(device, 20);
  });

  test("the same chunk id with other bytes goes to the dead letters with an incident, and the first one counts", async () => {
    await sendTen();
    const [body] = await sentChunks();
    if (!body) throw new Error("nothing was sent");
    await deliver([body]);
    const other = alteredChunk(body, () => ({ result: "PARTIAL" }));
    expect(await deliver([other])).toEqual({ acked: 1, retried: 0 });
    expect(await booksOf(device)).toMatchObject({ ledger: 10, events: 10, deadLetters: 10 });
    const letter = await env.DB.prepare("SELECT r2_key, reason FROM dead_letters WHERE device_id = ?")
      .bind(device.id)
      .first<{ r2_key: string; reason: string }>();
    expect(letter?.reason).toBe("CHUNK_CONFLICT");
    expect(new Uint8Array((await (await env.BUCKET.get(letter?.r2_key ?? ""))?.arrayBuffer()) ?? new ArrayBuffer(0))).toEqual(other);
    const incident = await env.DB.prepare("SELECT type, severity FROM incidents WHERE device_id = ?").bind(device.id).first();
    expect(incident).toEqual({ type: "CHUNK_CONFLICT", severity: "high" });
  });

  test("a message that is no chunk does not spoil its neighbours, and ends in the dead letters at its fifth failure", async () => {
    await sendTen();
    const [body] = await sentChunks();
    if (!body) throw new Error("nothing was sent");
    const rubbish = new TextEncoder().encode('{"v":99}\n');
    const id = crypto.randomUUID();
    expect(await deliver([rubbish, body], env, 1, [id])).toEqual({ acked: 1, retried: 1 });
    await expectDrained(device, 10);
    for (let failure = 2; failure < 5; failure++) expect(await deliver([rubbish], env, failure, [id])).toEqual({ acked: 0, retried: 1 });
    expect(await deliver([rubbish], env, 5, [id])).toEqual({ acked: 1, retried: 0 });
    const row = await env.DB.prepare("SELECT count(*) AS n FROM dead_letters WHERE reason = 'UNREADABLE'").first<{ n: number }>();
    expect(row?.n).toBe(1);
  });
});

describe("between sequencer and queue", () => {
  test("the queue throws: the chunk stays in the outbox and is sent by a later alarm, with the same bytes", async () => {
    await sendTen();
    const tried: Uint8Array[] = [];
    queue.before = () => {
      throw new Error("injected: the queue is away");
    };
    await runAlarm(device.id);
    expect(queue.bodies).toEqual([]);
    expect(await statusOf(device.id)).toMatchObject({ waiting_plays: 0, unconfirmed_plays: 10 });
    queue.before = null;
    await runInDurableObject(env.SEQUENCER.getByName(device.id), (_, state) => state.storage.setAlarm(Date.now()));
    await untilSent();
    tried.push(...queue.take());
    await deliver(tried);
    await expectDrained(device, 10);
  });

  test("the queue swallows the message: it is sent again, byte for byte", async () => {
    await sendTen();
    const sent: Uint8Array[] = [];
    queue.before = () => {
      queue.swallow = sent.length === 0;
      sent.push(new Uint8Array());
    };
    await runAlarm(device.id);
    expect(queue.bodies).toEqual([]);
    await drain(device.id, queue);
    await expectDrained(device, 10);
  });

  test("the queue hangs: the send is given up, and the chunk is sent later", async () => {
    await sendTen();
    let hung = false;
    queue.before = () => {
      if (hung) return;
      hung = true;
      return new Promise<void>(() => {});
    };
    await runAlarm(device.id);
    expect(hung).toBe(true);
    expect((await statusOf(device.id)).unconfirmed_plays).toBe(10);
    await untilSent();
    await deliver(queue.take());
    await expectDrained(device, 10);
  }, 20_000);

  test("an alarm that is long overdue is armed again by the next request", async () => {
    await queue.attach(device.id);
    const stub = env.SEQUENCER.getByName(device.id);
    await sendTen();
    const late = await runInDurableObject(stub, async (_, state) => {
      await state.storage.deleteAlarm();
      return await state.storage.getAlarm();
    });
    expect(late).toBeNull();
    // Time goes on; the object believes in an alarm that never came.
    const now = Date.now;
    Date.now = () => now() + 10 * 60_000;
    try {
      const sentAt = new Date(Date.now()).toISOString();
      expect(await (await postBatch(device, await signedLogs(device, 10), { "Sent-At": sentAt })).json()).toMatchObject({ processed: 10 });
    } finally {
      Date.now = now;
    }
    const armed = await runInDurableObject(stub, (_, state) => state.storage.getAlarm());
    expect(armed).not.toBeNull();
    await drain(device.id, queue);
    await expectDrained(device, 20);
  });

  test("a confirmation meant for another incarnation drops nothing", async () => {
    await sendTen();
    await runAlarm(device.id);
    await env.SEQUENCER.getByName(device.id).confirm(crypto.randomUUID(), [1]);
    expect((await statusOf(device.id)).unconfirmed_plays).toBe(10);
    await deliver(queue.take());
    await expectDrained(device, 10);
  });

  test("what was seen is packed, found again after an eviction, and no play that waits is lost by it", async () => {
    const first = await signedLogs(device, 5);
    await postBatch(device, first);
    for (let batch = 0; batch < 42; batch++) await postBatch(device, await signedLogs(device, 100));
    await drain(device.id, queue);
    // Before it has written down what was confirmed: it sends all of it once more, and the ledger meets it.
    await evictDurableObject(env.SEQUENCER.getByName(device.id));
    await queue.attach(device.id);
    expect(await statusOf(device.id)).toMatchObject({ unconfirmed_plays: 4205 });
    await drain(device.id, queue);
    const packs = await runInDurableObject(
      env.SEQUENCER.getByName(device.id),
      (_, state) => state.storage.sql.exec("SELECT count(*) AS n FROM seen_packs").one().n,
    );
    expect(packs).toBe(1);
    expect(await (await postBatch(device, first)).json()).toMatchObject({ processed: 5, duplicates: 5 });
    await expectDrained(device, 4205);
  }, 30_000);

  test("what is packed while a confirmation is still owed to storage is not sent without its plays", async () => {
    vi.useFakeTimers({ toFake: ["Date"] });
    try {
      for (const hours of [0, 1]) {
        vi.setSystemTime(Date.now() + hours * 3_600_001);
        await postBatch(device, await signedLogs(device, 20));
        await vi.waitUntil(() => queue.bodies.length === 1);
        await deliver(queue.take());
      }
      expect(await statusOf(device.id)).toMatchObject({ unconfirmed_plays: 0 });
      await runAlarm(device.id);
    } finally {
      vi.useRealTimers();
    }
    await abortAllDurableObjects();
    await queue.attach(device.id);
    await drain(device.id, queue);
    await expectDrained(device, 40);
  });

  test("an alarm that runs twice sends nothing new", async () => {
    await queue.attach(device.id, { OUTBOX_RESEND_AFTER_MS: "900000" });
    await sendTen();
    await runAlarm(device.id);
    await runInDurableObject(env.SEQUENCER.getByName(device.id), (instance) => instance.alarm());
    expect(queue.bodies.length).toBe(1);
    await deliver(queue.take());
    await expectDrained(device, 10);
  });

  test("sent again, a chunk has the same bytes though more plays came since", async () => {
    await sendTen();
    const [first] = await sentChunks();
    await sendTen();
    await runAlarm(device.id);
    const again = queue.take();
    expect(again.length).toBe(2);
    expect(again[0]).toEqual(first);
    await deliver(again);
    await expectDrained(device, 20);
  });

  /** Alarms are put off after a failure; a test does not wait for them but runs them until something is sent. */
  async function untilSent(): Promise<void> {
    for (let round = 0; round < 60 && queue.bodies.length === 0; round++) {
      await runInDurableObject(env.SEQUENCER.getByName(device.id), (instance) => instance.alarm());
      if (queue.bodies.length === 0) await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
});

describe("at the door", () => {
  test("the same batch posted twenty times at once is accepted once, and every answer counts all as held", async () => {
    const logs = await signedLogs(device, 10);
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => (await postBatch(device, logs)).json<{ processed: number; duplicates: number }>()),
    );
    expect(answers.map((answer) => answer.processed)).toEqual(Array(20).fill(10));
    expect(answers.reduce((sum, answer) => sum + answer.duplicates, 0)).toBe(190);
    await drain(device.id, queue);
    await expectDrained(device, 10);
  });

  test("a log in two batches, and twice in one, is accepted once", async () => {
    const logs = await signedLogs(device, 3);
    expect(await (await postBatch(device, [...logs, logs[0]])).json()).toMatchObject({ processed: 4, duplicates: 1, failed: 0 });
    expect(await (await postBatch(device, [logs[2], ...(await signedLogs(device, 2))])).json()).toMatchObject({
      processed: 3,
      duplicates: 1,
      failed: 0,
    });
    await drain(device.id, queue);
    await expectDrained(device, 5);
  });

  test("the object is aborted after its write: the retry gets the first verdict, and the play is recorded once", async () => {
    const log = await device.sign(playLog(device, { duration_actual: 5, sequence: 7 }));
    const first = await (await postOne(device, log)).json<Record<string, unknown>>();
    expect(first).toMatchObject({
      status: "accepted",
      billable: false,
      quality_score: 80,
      flags: ["STATUS_CHANGED", "DURATION_MISMATCH", "SEQUENCE_GAP"],
    });
    await abortAllDurableObjects();
    const retry = await (await postOne(device, log)).json<Record<string, unknown>>();
    expect(retry).toMatchObject({
      status: "duplicate",
      billable: false,
      quality_score: 80,
      flags: ["STATUS_CHANGED", "DURATION_MISMATCH", "SEQUENCE_GAP"],
      expected_sequence: 8,
    });
    await queue.attach(device.id);
    await drain(device.id, queue);
    await expectDrained(device, 1);
  });

  test("the answer is lost while the object dies: the retry is a duplicate of what was kept", async () => {
    const logs = await signedLogs(device, 10);
    const lost = postBatch(device, logs);
    await abortAllDurableObjects();
    // Whether the first one was kept, turned away or answered: the retry decides it once and for all.
    await lost;
    expect(await (await postBatch(device, logs)).json()).toMatchObject({ processed: 10, failed: 0 });
    await queue.attach(device.id);
    await drain(device.id, queue);
    await expectDrained(device, 10);
  });

  test("an evicted object remembers everything: rate, sequence, what was seen and the outbox", async () => {
    const logs = await signedLogs(device, 3, (index) => ({ sequence: index + 1 }));
    const before = await postBatch(device, logs);
    const remaining = Number(/r=(\d+)/.exec(before.headers.get("RateLimit") ?? "")?.[1]);
    await evictDurableObject(env.SEQUENCER.getByName(device.id));
    const after = await postBatch(device, logs);
    expect(await after.json()).toMatchObject({ processed: 3, duplicates: 3, expected_sequence: 4 });
    expect(Number(/r=(\d+)/.exec(after.headers.get("RateLimit") ?? "")?.[1])).toBe(remaining - 1);
    expect(await statusOf(device.id)).toMatchObject({ accepted: 3, waiting_plays: 3 });
  });

  test("an outbox over its limit answers 503 with Retry-After, keeps nothing of the request, and takes it when there is room", async () => {
    await sendTen();
    await queue.attach(device.id, { OUTBOX_MAX_MB: "0.001" });
    const logs = await signedLogs(device, 2);
    const full = await postBatch(device, logs);
    expect(full.status).toBe(503);
    expect(full.headers.get("Retry-After")).toBe("60");
    expect(await full.json()).toMatchObject({ code: "OUTBOX_FULL" });
    expect((await statusOf(device.id)).accepted).toBe(10);
    await drain(device.id, queue);
    expect(await (await postBatch(device, logs)).json()).toMatchObject({ processed: 2, duplicates: 0 });
    await drain(device.id, queue);
    await expectDrained(device, 12);
  });

  test("a sequencer whose storage was lost takes no play from before its birth until an operator decides", async () => {
    const [old] = await signedLogs(device, 1);
    await postBatch(device, [old]);
    await drain(device.id, queue);
    await runInDurableObject(env.SEQUENCER.getByName(device.id), async (_, state) => {
      await state.storage.deleteAll();
    });
    await abortAllDurableObjects();
    expect(await (await postBatch(device, [old])).json()).toMatchObject({
      processed: 0,
      failed: 1,
      errors: [{ code: "HISTORY_LOST", retryable: true }],
    });
    const trust = await exports.default.fetch(`http://localhost/v1/admin/devices/${device.id}/sequencer/trust`, {
      method: "POST",
      headers: { Authorization: "Bearer test-admin-token" },
    });
    expect(await trust.json()).toMatchObject({ status: "trusted", plays_learnt: 1 });
    // What was counted before is a duplicate with its first verdict; what was not comes in.
    const fresh = await signedLogs(device, 2);
    expect(await (await postBatch(device, [old, ...fresh])).json()).toMatchObject({ processed: 3, duplicates: 1, failed: 0 });
    await evictDurableObject(env.SEQUENCER.getByName(device.id));
    expect(await (await postBatch(device, [old])).json()).toMatchObject({ processed: 1, duplicates: 1 });
    await queue.attach(device.id);
    await drain(device.id, queue);
    expect(await booksOf(device)).toMatchObject({ accepted: 2, ledger: 3, events: 3, hourly: 3, deadLetters: 0 });
  });
});
