import { createExecutionContext, createScheduledController, runInDurableObject } from "cloudflare:test";
import { env, exports } from "cloudflare:workers";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { isQuiet, noteRequest } from "../../../src/platform/turns.ts";
import { consumerBreaker } from "../../../src/plays/ledger/record.ts";
import { SWEEP_JOB, sweepOutboxes } from "../../../src/plays/ledger/sweep.ts";
import { runCron } from "../../../workers/cron.ts";
import { blockChunk } from "../../support/chunks.ts";
import { makeDevice, postBatch, signedLogs, type TestDevice } from "../../support/device.ts";
import { booksOf, CaughtQueue, deliver, expectDrained, runAlarm } from "../../support/pipeline.ts";

let device: TestDevice;
let queue: CaughtQueue;
beforeEach(async () => {
  consumerBreaker.succeeded();
  await env.DB.prepare("DELETE FROM dead_letters").run();
  device = await makeDevice();
  queue = new CaughtQueue();
  await env.SEQUENCER.getByName(device.id).refreshProfile();
  await queue.attach(device.id, { OUTBOX_RESEND_AFTER_MS: "900000" });
});

async function admin(method: string, path: string, body?: unknown): Promise<Response> {
  return await exports.default.fetch(`http://localhost/v1/admin/${path}`, {
    method,
    headers: { Authorization: "Bearer test-admin-token", ...(body ? { "Content-Type": "application/json" } : {}) },
    ...(body ? { body: JSON.stringify(body) } : {}),
  });
}

interface Letter {
  id: string;
  reason: string;
  plays_count: number;
  recorded: boolean;
  redriven_at: string | null;
}

async function openLetters(): Promise<Letter[]> {
  return (await (await admin("GET", "pipeline/dead-letters")).json<{ items: Letter[] }>()).items;
}

/** Ten plays in a chunk that cannot be recorded for now: a play of it stands in D1 already. Returns what to call when the cause is gone. */
async function buryTen(): Promise<() => Promise<void>> {
  await postBatch(device, await signedLogs(device, 10));
  await runAlarm(device.id);
  const [body] = queue.take();
  if (!body) throw new Error("nothing was sent");
  const unblock = await blockChunk(env.DB, body);
  const id = crypto.randomUUID();
  for (let failure = 1; failure <= 5; failure++) await deliver([body], env, failure, [id]);
  return unblock;
}

test("whoever asks the Worker is noted, so that recording gives way", async () => {
  const before = Date.now();
  noteRequest(0);
  expect(isQuiet(before)).toBe(true);
  expect((await exports.default.fetch("http://localhost/healthz")).status).toBe(200);
  expect(isQuiet(before + 1000)).toBe(false);
});

describe("recording", () => {
  test.each([
    ["lets requests go first", 0, 0, true],
    ["that is a minute late lets nobody go first", 61_000, 0, false],
    ["does not wait where nobody has asked for a second", 0, 1001, false],
  ])("%s", async (_, lateMs, quietMs, givesWay) => {
    await postBatch(device, await signedLogs(device, 3));
    await runAlarm(device.id);
    // In the first two, whoever asks will still do so, however slow this machine is.
    noteRequest(quietMs === 0 ? Date.now() + 3_600_000 : Date.now() - quietMs);
    const wait = vi.spyOn(scheduler, "wait");
    try {
      await deliver(queue.take(), env, 1, [], "play-events-0", new Date(Date.now() - lateMs));
      expect(wait.mock.calls.length > 0).toBe(givesWay);
    } finally {
      wait.mockRestore();
      noteRequest(Date.now());
    }
    await expectDrained(device, 3);
  });
});

describe("dead letters", () => {
  test("are listed and can be looked into, play by play", async () => {
    await buryTen();
    const [letter] = await openLetters();
    expect(letter).toMatchObject({ reason: "UNRECORDABLE", plays_count: 10, recorded: false, redriven_at: null });
    const look = await (await admin("GET", `pipeline/dead-letters/${letter?.id}`)).json<{
      readable: boolean;
      plays: { result: string; record: string }[];
    }>();
    expect(look.readable).toBe(true);
    expect(look.plays.length).toBe(10);
    expect(JSON.parse(look.plays[0]?.record ?? "{}")).toMatchObject({ device_id: device.id, status: "COMPLETED" });
    expect((await admin("GET", "pipeline/dead-letters/none")).status).toBe(404);
  });

  test("redriven while the cause is there, fails again and is open again; redriven after, is recorded once, however often", async () => {
    const mend = await buryTen();
    const [letter] = await openLetters();
    const caught: Uint8Array[] = [];
    const redrive = async () => {
      // The queue's own delivery is taken over by the test: what redriving sends lies in R2.
      const object = await env.BUCKET.get(`dead-letter/${letter?.id}`);
      caught.push(new Uint8Array((await object?.arrayBuffer()) ?? new ArrayBuffer(0)));
      return await admin("POST", `pipeline/dead-letters/${letter?.id}/redrive`);
    };
    expect((await redrive()).status).toBe(202);
    expect(await (await redrive()).json()).toMatchObject({ status: 409, code: "ALREADY_REDRIVEN" });
    expect(await openLetters()).toEqual([]);
    const id = crypto.randomUUID();
    for (let failure = 1; failure <= 5; failure++) await deliver(caught.slice(0, 1), env, failure, [id]);
    expect((await openLetters()).map((open) => open.id)).toEqual([letter?.id]);
    await mend();
    await deliver([...caught, ...caught]);
    expect(await booksOf(device)).toMatchObject({
      accepted: 10,
      ledger: 10,
      events: 10,
      hourly: 10,
      archived: 10,
      waiting: 0,
      unconfirmed: 0,
    });
    expect((await openLetters())[0]).toMatchObject({ recorded: true });
  });

  test("redriven by two at once, leave one audit row, and the second is told", async () => {
    await buryTen();
    const [letter] = await openLetters();
    const answers = await Promise.all([1, 2].map(() => admin("POST", `pipeline/dead-letters/${letter?.id}/redrive`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([202, 409]);
    const audited = await env.DB.prepare("SELECT count(*) AS n FROM audit_log WHERE action = 'dead-letter.redrive' AND target_id = ?")
      .bind(letter?.id)
      .first();
    expect(audited).toEqual({ n: 1 });
  });

  test("many are redriven at once, and each that cannot be says why", async () => {
    await buryTen();
    const [letter] = await openLetters();
    const outcome = await (await admin("POST", "pipeline/redrive", { ids: [letter?.id, "none"] })).json();
    expect(outcome).toMatchObject({ redriven: [letter?.id], failed: [{ id: "none", code: "NOT_FOUND" }] });
    expect(await (await admin("POST", "pipeline/redrive", {})).json()).toEqual({ redriven: [], failed: [] });
    expect((await admin("POST", "pipeline/redrive", { id: "x" })).status).toBe(400);
    const audited = await env.DB.prepare("SELECT count(*) AS n FROM audit_log WHERE action = 'dead-letter.redrive' AND target_id = ?")
      .bind(letter?.id)
      .first();
    expect(audited).toEqual({ n: 1 });
  });
});

describe("upkeep", () => {
  test("the sweep arms the alarm of an active device that has lost it, and tells what its outbox holds", async () => {
    await postBatch(device, await signedLogs(device, 3));
    const stub = env.SEQUENCER.getByName(device.id);
    await runInDurableObject(stub, (_, state) => state.storage.deleteAlarm());
    const result = await sweepOutboxes(env, Date.now());
    expect(result).toMatchObject({ failed: 0, next_after: null });
    expect(result.waiting_plays).toBeGreaterThanOrEqual(3);
    expect(await runInDurableObject(stub, (_, state) => state.storage.getAlarm())).not.toBeNull();
    await runAlarm(device.id);
    await deliver(queue.take());
    await expectDrained(device, 3);
  });

  test("a sweep of more devices than one run can call goes on where the last one stopped", async () => {
    await env.DB.prepare("INSERT OR REPLACE INTO job_runs (job, ran_at, ok, result_json) VALUES (?, 0, 1, ?)")
      .bind(SWEEP_JOB, JSON.stringify({ next_after: "ffffffff" }))
      .run();
    expect(await sweepOutboxes(env, Date.now())).toMatchObject({ devices: 0, next_after: null });
    await env.DB.prepare("DELETE FROM job_runs").run();
    expect((await sweepOutboxes(env, Date.now())).devices).toBeGreaterThan(0);
  });

  test("once a day the sweep calls every paired device, silent ones too, and a full sweep that was cut goes on as one", async () => {
    await env.DB.prepare("UPDATE devices SET updated_at = 0 WHERE id = ?").bind(device.id).run();
    await env.DB.batch([
      env.DB.prepare("DELETE FROM job_runs"),
      env.DB.prepare("DELETE FROM sequencer_incarnations"),
      env.DB.prepare("DELETE FROM device_activity_daily"),
    ]);
    const day = 86_400_000;
    const noon = Math.floor(Date.now() / day) * day + day / 2;
    const all = await env.DB.prepare("SELECT count(*) AS n FROM devices").first<{ n: number }>();
    expect(await sweepOutboxes(env, noon)).toMatchObject({ full: false, devices: 0 });
    expect(await sweepOutboxes(env, noon - 9 * 3_600_000)).toMatchObject({ full: true, devices: all?.n });
    await env.DB.prepare("INSERT INTO job_runs (job, ran_at, ok, result_json) VALUES (?, 0, 1, ?)")
      .bind(SWEEP_JOB, JSON.stringify({ next_after: "0", full: true }))
      .run();
    expect(await sweepOutboxes(env, noon)).toMatchObject({ full: true, devices: all?.n });
  });

  test("cron runs the jobs of its expression, notes each, and one that fails does not stop the others", async () => {
    const failing: Env = {
      ...env,
      SEQUENCER: { getByName: () => ({ wake: () => Promise.reject(new Error("injected")) }) } as unknown as Env["SEQUENCER"],
    };
    await runCron(createScheduledController({ cron: "7 * * * *", scheduledTime: 1_770_000_000_000 }), failing, createExecutionContext());
    const state = await (await admin("GET", "pipeline")).json<{
      jobs: { job: string; ok: boolean; ran_at: string }[];
      dead_letters: { open: number };
    }>();
    expect(state.jobs.map(({ job }) => job)).toEqual(expect.arrayContaining(["roll up", "sweep outboxes", "forget idempotency keys"]));
    expect(state.jobs[0]?.ran_at).toBe("2026-02-02T02:40:00.000Z");
    expect(state.dead_letters.open).toBe(0);
  });
});
