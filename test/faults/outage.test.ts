import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { relistDeadLetters } from "../../src/plays/ledger/dead-letters.ts";
import { consumerBreaker, recordPlays, retryDelayS } from "../../src/plays/ledger/record.ts";
import { BREAKER_FAILURES, MAX_LONE_FAILURES } from "../../src/plays/limits.ts";
import { alteredChunk, blockChunk } from "../support/chunks.ts";
import { makeDevice, postBatch, signedLogs, type TestDevice } from "../support/device.ts";
import { booksOf, CaughtQueue, deliver, drain, expectDrained, runAlarm, withFault } from "../support/pipeline.ts";

let device: TestDevice;
let queue: CaughtQueue;

beforeEach(async () => {
  consumerBreaker.succeeded();
  device = await makeDevice();
  queue = new CaughtQueue();
  await env.SEQUENCER.getByName(device.id).refreshProfile();
  await queue.attach(device.id, { OUTBOX_RESEND_AFTER_MS: "900000" });
});

/** Chunks of ten plays each. */
async function chunksOfTen(count: number): Promise<Uint8Array[]> {
  const bodies: Uint8Array[] = [];
  for (let n = 0; n < count; n++) {
    await postBatch(device, await signedLogs(device, 10));
    await runAlarm(device.id);
    bodies.push(...queue.take());
  }
  expect(bodies.length).toBe(count);
  return bodies;
}

describe("an outage is no bad message", () => {
  test("while D1 is away for as many deliveries as may be, nothing goes to the dead letters; then everything is recorded", async () => {
    const bodies = await chunksOfTen(3);
    for (let attempt = 1; attempt <= 30; attempt++) {
      consumerBreaker.succeeded();
      expect(await deliver(bodies, withFault("DB.batch", "before"), attempt)).toEqual({ acked: 0, retried: 3 });
    }
    expect(await env.DB.prepare("SELECT count(*) AS n FROM dead_letters").first()).toEqual({ n: 0 });
    expect(await env.DB.prepare("SELECT count(*) AS n FROM lone_failures").first()).toEqual({ n: 0 });
    consumerBreaker.succeeded();
    expect(await deliver(bodies, env, 31)).toEqual({ acked: 3, retried: 0 });
    await expectDrained(device, 30);
  });

  test("after five failures in a row D1 and R2 are left alone, and one try decides when that is over", async () => {
    const bodies = await chunksOfTen(1);
    let asked = 0;
    const away: Env = {
      ...env,
      DB: new Proxy(env.DB, {
        get: (target, property) => {
          asked += 1;
          if (property === "prepare") return target.prepare.bind(target);
          return () => Promise.reject(new Error("D1_ERROR: Network connection lost."));
        },
      }),
    };
    for (let n = 0; n < BREAKER_FAILURES; n++) await deliver(bodies, away);
    expect(consumerBreaker.allows(Date.now())).toBe(false);
    const before = asked;
    expect(await deliver(bodies, away)).toEqual({ acked: 0, retried: 1 });
    expect(asked).toBe(before);
    expect(consumerBreaker.allows(consumerBreaker.openUntil)).toBe(true);
    consumerBreaker.failed(consumerBreaker.openUntil);
    expect(consumerBreaker.allows(Date.now())).toBe(false);
    consumerBreaker.succeeded();
    await deliver(bodies);
    await expectDrained(device, 10);
  });

  test("delays grow from 2 s to 10 min, and further in a long outage, so that a hundred retries last for a week", () => {
    expect([1, 2, 3, 9, 10, 40, 41, 100].map(retryDelayS)).toEqual([2, 4, 8, 512, 600, 600, 10_800, 10_800]);
    const days = Array.from({ length: 100 }, (_, index) => retryDelayS(index + 1)).reduce((sum, delay) => sum + delay, 0) / 86_400;
    expect(days).toBeGreaterThan(7);
    expect(days).toBeLessThan(14);
  });

  test("messages that meet the open breaker wait as long as their tries ask, so that they are not used up", async () => {
    const [body] = await chunksOfTen(1);
    if (!body) throw new Error("nothing was sent");
    for (let n = 0; n < BREAKER_FAILURES; n++) consumerBreaker.failed(Date.now());
    const delays: number[] = [];
    const message = (attempts: number) => ({
      id: "m",
      body,
      attempts,
      retry: ({ delaySeconds }: { delaySeconds: number }) => delays.push(delaySeconds),
    });
    await recordPlays(
      { queue: "play-events-0", messages: [message(1), message(20), message(60)] } as unknown as MessageBatch<unknown>,
      env,
    );
    expect(delays[0]).toBeGreaterThan(25);
    expect(delays.slice(1)).toEqual([600, 10_800]);
  });

  test("a consumer without event rows keeps every total exact", async () => {
    const bodies = await chunksOfTen(2);
    expect(await deliver(bodies, { ...env, EVENT_ROWS: "off" })).toEqual({ acked: 2, retried: 0 });
    await deliver(bodies, { ...env, EVENT_ROWS: "off" });
    expect(await booksOf(device)).toMatchObject({
      accepted: 20,
      ledger: 20,
      events: 0,
      hourly: 20,
      activity: 20,
      archived: 20,
      unconfirmed: 0,
    });
  });

  test("a D1 that hangs is given up, and the message comes again", async () => {
    const bodies = await chunksOfTen(1);
    let hung = 0;
    const hanging: Env = {
      ...env,
      DB: new Proxy(env.DB, {
        get: (target, property) => {
          if (property === "prepare") return target.prepare.bind(target);
          return () => {
            hung += 1;
            return new Promise(() => {});
          };
        },
      }),
    };
    expect(await deliver(bodies, hanging)).toEqual({ acked: 0, retried: 1 });
    expect(hung).toBe(1);
    await deliver(bodies);
    await expectDrained(device, 10);
  }, 20_000);
});

describe("a bad message", () => {
  test("whose header can be read is confirmed though its plays cannot, and is one letter however often it comes", async () => {
    const [body] = await chunksOfTen(1);
    if (!body) throw new Error("nothing was sent");
    const garbled = alteredChunk(body, () => ({ result: "NO SUCH RESULT" as "ERROR" }));
    for (const id of ["first", "again"])
      for (let failure = 1; failure <= MAX_LONE_FAILURES; failure++) await deliver([garbled], env, failure, [id]);
    expect(await booksOf(device)).toMatchObject({ ledger: 0, waiting: 0, unconfirmed: 0, deadLetters: 10 });
  });

  test("is found by halving: its neighbours are recorded at once, it alone is tried again", async () => {
    const bodies = await chunksOfTen(8);
    const [, , , , , sixth] = bodies;
    if (!sixth) throw new Error("too few were sent");
    await blockChunk(env.DB, sixth);
    expect(await deliver(bodies)).toEqual({ acked: 7, retried: 1 });
    expect(await booksOf(device)).toMatchObject({ ledger: 70, events: 70, hourly: 70, deadLetters: 0 });
  });

  test("that failed alone five times lies in the dead letters, is listed, confirmed and acknowledged; outages in between do not count", async () => {
    const [body] = await chunksOfTen(1);
    if (!body) throw new Error("nothing was sent");
    await blockChunk(env.DB, body);
    const message = { id: "the-same-message", timestamp: new Date(), body };
    const outcomes: string[] = [];
    const once = async (bindings: Env) => {
      const batch = {
        queue: "play-events-0",
        messages: [{ ...message, attempts: 1, ack: () => outcomes.push("ack"), retry: () => outcomes.push("retry") }],
      } as unknown as MessageBatch<unknown>;
      await recordPlays(batch, bindings);
    };
    for (let n = 1; n < MAX_LONE_FAILURES; n++) {
      await once(env);
      await once(withFault("DB.batch", "before"));
      consumerBreaker.succeeded();
    }
    expect(outcomes).toEqual(Array(2 * (MAX_LONE_FAILURES - 1)).fill("retry"));
    await once(env);
    expect(outcomes.at(-1)).toBe("ack");
    const letter = await env.DB.prepare(
      "SELECT id, r2_key, reason, device_id, plays_count FROM dead_letters WHERE reason = 'UNRECORDABLE'",
    ).first<{
      r2_key: string;
      reason: string;
    }>();
    expect(letter).toMatchObject({ reason: "UNRECORDABLE", device_id: device.id, plays_count: 10 });
    expect(new Uint8Array((await (await env.BUCKET.get(letter?.r2_key ?? ""))?.arrayBuffer()) ?? new ArrayBuffer(0))).toEqual(body);
    expect(await booksOf(device)).toMatchObject({ ledger: 0, waiting: 0, unconfirmed: 0 });
    expect(await env.DB.prepare("SELECT count(*) AS n FROM lone_failures WHERE message_id = ?").bind(message.id).first()).toEqual({ n: 0 });
  });

  test("the list of dead letters can be rebuilt from R2", async () => {
    await env.DB.prepare("DELETE FROM dead_letters").run();
    const listed = (await env.BUCKET.list({ prefix: "dead-letter/" })).objects.length;
    expect(listed).toBeGreaterThan(0);
    expect(await relistDeadLetters(env)).toBe(listed);
    expect(await relistDeadLetters(env)).toBe(0);
    expect(await env.DB.prepare("SELECT reason, plays_count FROM dead_letters WHERE reason = 'UNRECORDABLE'").first()).toEqual({
      reason: "UNRECORDABLE",
      plays_count: 10,
    });
    await drain(device.id, queue);
  });
});
