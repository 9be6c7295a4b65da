import { abortAllDurableObjects } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { signDeviceToken } from "../../../src/devices/token.ts";
import { HOUR_MS, MINUTE_MS } from "../../../src/platform/time.ts";
import { chunksOf, parquetRows } from "../../../src/plays/archive/read.ts";
import type { ArchiveRow } from "../../../src/plays/archive/segment.ts";
import { sumChunks } from "../../../src/plays/ledger/sums.ts";
import { admin } from "../../support/admin.ts";
import { makeDevice, playLog, post, postBatch, postOne, type TestDevice } from "../../support/device.ts";
import { endEvent, postEvents, sendEvents, startEvent } from "../../support/events.ts";
import { booksOf, CaughtQueue, deliver, drain, runAlarm, statusOf } from "../../support/pipeline.ts";
import { TestStream } from "../../support/stream.ts";
import { playOnGroup, sentEvent } from "../../support/telemetry.ts";

/** When no end of a start can be accepted any more: the door's age, the longest play, and the most that a clock may be off. */
const ENDABLE_MS = 24 * HOUR_MS + 4 * HOUR_MS + 30 * MINUTE_MS;

let device: TestDevice;
let queue: CaughtQueue;

beforeEach(async () => {
  device = await makeDevice();
  queue = new CaughtQueue();
  await queue.attach(device.id);
});
afterEach(() => {
  vi.useRealTimers();
});

/** Sets the clock; it stands still from then on. */
function setClock(ms: number): void {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(ms);
}

async function rowsOf(deviceId = device.id): Promise<Record<string, unknown>[]> {
  const { results } = await env.DB.prepare(
    `SELECT event_id, type, result, billable, started_at, ended_at, duration_ms, flags FROM proof_of_play_events
     WHERE device_id = ? ORDER BY started_at, type = 'PLAY_START' DESC, event_id`,
  )
    .bind(deviceId)
    .all();
  return results;
}

async function archivedRows(): Promise<ArchiveRow[]> {
  const { objects } = await env.BUCKET.list({ prefix: "segments/" });
  const files = await Promise.all(objects.map(async ({ key }) => await (await env.BUCKET.get(key))?.arrayBuffer()));
  return (await Promise.all(files.map((file) => (file ? parquetRows(file) : [])))).flat();
}

async function countsOf(of: TestDevice = device): Promise<Record<string, unknown> | null> {
  return await env.DB.prepare(
    `SELECT coalesce(sum(starts_count), 0) AS starts, coalesce(sum(plays_count), 0) AS plays, coalesce(sum(completed_count), 0) AS completed,
       coalesce(sum(interrupted_count), 0) AS interrupted, coalesce(sum(billable_count), 0) AS billable, coalesce(sum(total_duration_ms), 0) AS ms
     FROM plays_hourly WHERE generation = 1 AND store_id = ?`,
  )
    .bind(of.storeId)
    .first();
}

describe("a start and its end", () => {
  test("are one play, of the time between them, and one start", async () => {
    const at = Date.now() - 60_000;
    const start = startEvent(device, at);
    expect(await sendEvents(device, [start])).toMatchObject({ accepted: 1, duplicates: 0, rejected: 0, errors: [] });
    const end = endEvent(device, at + 15_000, { play_id: start.event_id });
    expect(await sendEvents(device, [end])).toMatchObject({ accepted: 1, duplicates: 0, rejected: 0, errors: [] });
    await drain(device.id, queue);
    expect(await rowsOf()).toEqual([
      { event_id: start.event_id, type: "PLAY_START", result: "", billable: 0, started_at: at, ended_at: at, duration_ms: 0, flags: "" },
      {
        event_id: end.event_id,
        type: "PLAY_END",
        result: "COMPLETED",
        billable: 1,
        started_at: at,
        ended_at: at + 15_000,
        duration_ms: 15_000,
        flags: "",
      },
    ]);
    expect(await countsOf()).toEqual({ starts: 1, plays: 1, completed: 1, interrupted: 0, billable: 1, ms: 15_000 });
    expect(await booksOf(device)).toMatchObject({ accepted: 2, ledger: 2, events: 2, hourly: 1, activity: 1, archived: 2, waiting: 0 });
  });

  test("are the same in the archive, from which the sums can be made again", async () => {
    const at = Date.now() - 60_000;
    const start = startEvent(device, at);
    const signed = await device.sign(start);
    await postEvents(device, [signed]);
    await sendEvents(device, [endEvent(device, at + 15_000, { play_id: start.event_id })]);
    await drain(device.id, queue);
    const rows = (await archivedRows()).filter(({ deviceId }) => deviceId === device.id);
    expect(sumChunks(chunksOf(rows)).hourly).toMatchObject([
      { starts_count: 1, plays_count: 1, completed_count: 1, billable_count: 1, total_duration_ms: 15_000 },
    ]);
    const row = rows.find(({ play }) => play.event_id === start.event_id);
    expect(row).toMatchObject({ play: { type: "PLAY_START", result: "", door: "proof-event" }, proof: { signedBy: "record" } });
    expect(row?.proof.signature?.toBase64()).toBe(signed.signature);
    expect(JSON.parse(row?.proof.record ?? "")).toEqual(start);
  });

  test("an end that tells its duration keeps it, and one that tells no result is PARTIAL", async () => {
    const at = Date.now() - 60_000;
    const start = startEvent(device, at);
    const end = endEvent(device, at + 15_000, { play_id: start.event_id, duration_ms: 14_000, result: undefined });
    expect(await sendEvents(device, [start, end])).toMatchObject({ accepted: 2 });
    await drain(device.id, queue);
    expect((await rowsOf())[1]).toMatchObject({
      started_at: at,
      ended_at: at + 15_000,
      duration_ms: 14_000,
      result: "PARTIAL",
      billable: 0,
    });
  });

  test("an end that names no start belongs to the nearest earlier open one of its content and epoch", async () => {
    const at = Date.now() - 5 * MINUTE_MS;
    const other = crypto.randomUUID();
    await env.DB.prepare("INSERT INTO content (id, name, type, created_at, updated_at) VALUES (?, 'Other', 'video', 0, 0)")
      .bind(other)
      .run();
    const epoch = crypto.randomUUID();
    const starts = [
      startEvent(device, at),
      startEvent(device, at + 20_000),
      startEvent(device, at + 21_000, { content_id: other }),
      startEvent(device, at + 22_000, { epoch }),
      startEvent(device, at + 35_000),
    ];
    await sendEvents(device, starts);
    // The third start of this content begins as the second one's play ends, and is not earlier.
    const end = endEvent(device, at + 35_000);
    expect(await sendEvents(device, [end])).toMatchObject({ accepted: 1 });
    await drain(device.id, queue);
    expect((await rowsOf()).filter((row) => row.type === "PLAY_END")).toMatchObject([
      { event_id: end.event_id, started_at: at + 20_000, duration_ms: 15_000 },
    ]);
  });

  test("in the wrong order in one request are judged as they happened, and answered as they came", async () => {
    const at = Date.now() - 60_000;
    const start = startEvent(device, at);
    const events = [endEvent(device, at + 15_000, { play_id: start.event_id }), { ...startEvent(device, at), content_id: "no" }, start];
    expect(await sendEvents(device, events)).toMatchObject({ accepted: 2, rejected: 1, errors: [{ index: 1, code: "VALIDATION_ERROR" }] });
    await drain(device.id, queue);
    expect(await countsOf()).toMatchObject({ starts: 1, plays: 1, completed: 1, ms: 15_000 });
  });
});

describe("what does not fit together", () => {
  test("an end without a start and without a duration is refused by name; with a duration it is a play by itself", async () => {
    const at = Date.now() - 60_000;
    const lone = endEvent(device, at);
    const named = endEvent(device, at, { play_id: crypto.randomUUID() });
    const timed = endEvent(device, at, { duration_ms: 15_000 });
    const answer = await sendEvents(device, [lone, named, timed]);
    const error = "/duration_ms: is missing, and no start of this play is known";
    expect(answer).toMatchObject({
      accepted: 1,
      rejected: 2,
      errors: [
        { index: 0, event_id: lone.event_id, code: "VALIDATION_ERROR", error, retryable: false },
        { index: 1, event_id: named.event_id, code: "VALIDATION_ERROR", error, retryable: false },
      ],
    });
    await drain(device.id, queue);
    expect(await rowsOf()).toMatchObject([{ event_id: timed.event_id, started_at: at - 15_000, ended_at: at, billable: 1 }]);
  });

  test("a start twice is a duplicate, and has one end", async () => {
    const at = Date.now() - 60_000;
    const start = startEvent(device, at);
    expect(await sendEvents(device, [start, start])).toMatchObject({ accepted: 1, duplicates: 1, rejected: 0 });
    expect(await sendEvents(device, [start])).toMatchObject({ accepted: 0, duplicates: 1, rejected: 0 });
    const end = endEvent(device, at + 15_000, { play_id: start.event_id });
    const second = endEvent(device, at + 16_000, { play_id: start.event_id, duration_ms: 15_000 });
    expect(await sendEvents(device, [end, second])).toMatchObject({ accepted: 1, errors: [{ index: 1, code: "ID_CONFLICT" }] });
    expect(await sendEvents(device, [end])).toMatchObject({ duplicates: 1 });
    expect(await sendEvents(device, [second])).toMatchObject({ errors: [{ code: "ID_CONFLICT" }] });
    await drain(device.id, queue);
    expect(await countsOf()).toMatchObject({ starts: 1, plays: 1 });
  });

  test("an end before its start is refused, and the start stays open for the right one", async () => {
    const at = Date.now() - 60_000;
    const start = startEvent(device, at);
    const wrong = endEvent(device, at - 1000, { play_id: start.event_id });
    await sendEvents(device, [start]);
    expect(await sendEvents(device, [wrong])).toMatchObject({
      errors: [{ code: "INVALID_TIME_RANGE", error: "The play ends before its start." }],
    });
    expect(await sendEvents(device, [endEvent(device, at + 15_000, { play_id: start.event_id })])).toMatchObject({ accepted: 1 });
  });

  test.each([
    ["names its start", true],
    ["names none", false],
  ])("an end that %s and comes a request before it leaves no start open", async (_, names) => {
    const at = Date.now() - 60_000;
    const start = startEvent(device, at);
    const end = endEvent(device, at + 15_000, { duration_ms: 15_000, ...(names ? { play_id: start.event_id } : {}) });
    expect(await sendEvents(device, [end])).toMatchObject({ accepted: 1 });
    expect(await sendEvents(device, [start])).toMatchObject({ accepted: 1 });
    setClock(at + ENDABLE_MS + 1);
    await drain(device.id, queue);
    expect(await countsOf()).toEqual({ starts: 1, plays: 1, completed: 1, interrupted: 0, billable: 1, ms: 15_000 });
  });

  test("a mixed batch: each event gets its own verdict", async () => {
    const at = Date.now() - 60_000;
    const start = await device.sign(startEvent(device, at));
    const unsigned = endEvent(device, at, { duration_ms: 15_000 });
    const events = [
      start,
      unsigned,
      { ...(await device.sign(startEvent(device, at))), payload: { tampered: true } },
      { ...startEvent(device, at), type: "PLAY_PAUSE" },
      { ...startEvent(device, at), content_id: undefined },
      { ...startEvent(device, at), device_time_ts: "yesterday" },
      await device.sign(startEvent(device, at, { device_id: crypto.randomUUID() })),
      await device.sign(startEvent(device, at, { content_id: crypto.randomUUID() })),
      await device.sign(startEvent(device, Date.now() - 25 * HOUR_MS)),
      await device.sign(endEvent(device, at, { duration_ms: -1 })),
      await device.sign(endEvent(device, at, { duration_ms: 1e300 })),
      "no event",
      start,
    ];
    const answer = await postEvents(device, events);
    expect(answer.status).toBe(202);
    const body = await answer.json<{ accepted: number; duplicates: number; errors: { index: number; code: string }[] }>();
    expect(body).toMatchObject({ accepted: 2, duplicates: 1, rejected: 10 });
    expect(body.errors.map(({ index, code }) => [index, code])).toEqual([
      [2, "INVALID_SIGNATURE"],
      [3, "VALIDATION_ERROR"],
      [4, "VALIDATION_ERROR"],
      [5, "VALIDATION_ERROR"],
      [6, "DEVICE_MISMATCH"],
      [7, "INVALID_CONTENT"],
      [8, "TOO_OLD"],
      [9, "INVALID_DURATION"],
      [10, "INVALID_DURATION"],
      [11, "VALIDATION_ERROR"],
    ]);
    await drain(device.id, queue);
    expect((await rowsOf()).find((row) => row.event_id === unsigned.event_id)).toMatchObject({ billable: 0, flags: "UNSIGNED" });
  });

  test("a body that is no list of events, or of too many, is refused as a whole", async () => {
    for (const body of [{}, { events: [] }, { events: {} }, { logs: [{}] }]) {
      const answer = await post(device, "/v1/device/events", body);
      expect(answer.status).toBe(400);
      expect(await answer.json()).toMatchObject({ code: "VALIDATION_ERROR", errors: [{ pointer: "/events" }] });
    }
    const many = await postEvents(
      device,
      Array.from({ length: 501 }, () => ({})),
    );
    expect(many.status).toBe(400);
    expect(await many.json()).toMatchObject({ type: "/docs/errors/batch-too-large" });
  });
});

describe("a start without an end", () => {
  const interrupted = (start: { event_id: string }, at: number) => ({
    type: "PLAY_TIMEOUT",
    result: "INTERRUPTED",
    billable: 0,
    started_at: at,
    ended_at: at,
    duration_ms: 0,
    event_id: expect.not.stringMatching(start.event_id),
  });

  test("becomes one interrupted play of length 0 when no end could be accepted any more, and not before", async () => {
    const at = Date.now() - 60_000;
    const start = startEvent(device, at);
    await sendEvents(device, [start]);
    await drain(device.id, queue);
    setClock(at + ENDABLE_MS);
    await runAlarm(device.id);
    expect((await statusOf(device.id)).accepted).toBe(1);
    setClock(at + ENDABLE_MS + 1);
    await runAlarm(device.id);
    await runAlarm(device.id);
    expect((await statusOf(device.id)).accepted).toBe(2);
    await drain(device.id, queue);
    expect(await rowsOf()).toMatchObject([{ event_id: start.event_id, type: "PLAY_START" }, interrupted(start, at)]);
    expect(await countsOf()).toEqual({ starts: 1, plays: 1, completed: 0, interrupted: 1, billable: 0, ms: 0 });
    // An end that names the start finds it ended, whatever it says of its own time. The token of before has run out.
    const late = endEvent(device, Date.now() - 1000, { play_id: start.event_id, duration_ms: 1000 });
    const { token } = await signDeviceToken(env, { deviceId: device.id, familyId: device.familyId, key: null }, Date.now());
    expect(await (await postEvents({ ...device, token }, [late])).json()).toMatchObject({ errors: [{ code: "ID_CONFLICT" }] });
  });

  test("becomes exactly one, though the object dies before and after the alarm, and its chunk is sent twice", async () => {
    const at = Date.now() - 60_000;
    await sendEvents(device, [startEvent(device, at)]);
    await drain(device.id, queue);
    setClock(at + ENDABLE_MS + 1);
    for (let time = 0; time < 2; time++) {
      await abortAllDurableObjects();
      await queue.attach(device.id);
      await env.SEQUENCER.getByName(device.id).wake();
      await runAlarm(device.id);
    }
    const bodies = queue.take();
    await deliver(bodies);
    await deliver(bodies);
    await drain(device.id, queue);
    expect(await booksOf(device)).toMatchObject({ accepted: 2, ledger: 2, events: 2, archived: 2, hourly: 1, waiting: 0, unconfirmed: 0 });
    expect(await countsOf()).toMatchObject({ starts: 1, plays: 1, interrupted: 1 });
  });

  test("beyond 500 open ones the oldest are ended at once", async () => {
    const at = Date.now() - HOUR_MS;
    const starts = Array.from({ length: 502 }, (_, index) => startEvent(device, at + index));
    const answers = [await sendEvents(device, starts.slice(0, 500)), await sendEvents(device, starts.slice(500))];
    expect(answers).toMatchObject([{ accepted: 500 }, { accepted: 2 }]);
    expect((await statusOf(device.id)).accepted).toBe(504);
    await drain(device.id, queue);
    expect(await countsOf()).toMatchObject({ starts: 502, plays: 2, interrupted: 2 });
    const ends = [1, 2].map((index) => endEvent(device, at + 15_000, { play_id: starts[index]?.event_id }));
    expect(await sendEvents(device, ends)).toMatchObject({ accepted: 1, errors: [{ index: 0, code: "ID_CONFLICT" }] });
  });
});

describe("the doors that bill", () => {
  test("one play through each is counted once by one report; through a second door it is a duplicate", async () => {
    const log = await device.sign(playLog(device, { sequence: 1 }));
    const impression = await device.sign(playLog(device, { sequence: 2 }));
    const start = startEvent(device, Date.now() - 90_000, { sequence: 3 });
    const end = endEvent(device, Date.now() - 75_000, { play_id: start.event_id, sequence: 4, duration_ms: 15_000 });
    expect(await (await postOne(device, log)).json()).toMatchObject({ status: "accepted", billable: true });
    expect(await (await post(device, "/v1/device/impressions", impression)).json()).toMatchObject({
      log_id: impression.log_id,
      status: "accepted",
      billable: true,
      quality_score: 100,
      flags: [],
      expected_sequence: 3,
    });
    expect(await sendEvents(device, [start, end])).toMatchObject({ accepted: 2, expected_sequence: 5 });
    const streamed = await device.sign(playLog(device, { sequence: 5 }));
    const stream = await TestStream.open(device);
    expect(await stream.plays(1, [streamed])).toMatchObject({ processed: 1, duplicates: 0, verdicts: [{ billable: true }] });
    expect(await stream.plays(2, [log, impression])).toMatchObject({ processed: 2, duplicates: 2, failed: 0 });
    stream.close();
    // Telemetry is shown, and in no bill.
    await playOnGroup(device);
    const told = sentEvent(device.contentId, { eventType: "play_complete", sessionId: "s", durationPlayedSeconds: 15 });
    expect((await post(device, "/telemetry/playback", told)).status).toBe(202);

    expect(await (await post(device, "/v1/device/impressions", { impressions: [log, impression] })).json()).toMatchObject({
      processed: 2,
      duplicates: 2,
      failed: 0,
    });
    expect(await (await postBatch(device, [impression, log, streamed])).json()).toMatchObject({ processed: 3, duplicates: 3, failed: 0 });
    // The id of a play that another door has taken, under another record.
    expect(await sendEvents(device, [endEvent(device, Date.now() - 1000, { event_id: log.log_id, duration_ms: 1000 })])).toMatchObject({
      errors: [{ event_id: log.log_id, code: "ID_CONFLICT" }],
    });

    await drain(device.id, queue);
    const day = (ms: number) => new Date(Date.now() + ms).toISOString().slice(0, 10);
    for (const by of ["campaign", "device"]) {
      const query = `from=${day(-24 * HOUR_MS)}&to=${day(24 * HOUR_MS)}&group_by=${by}&store_id=${device.storeId}`;
      const { body } = await admin("GET", `/v1/admin/reports/proof-of-play?${query}`);
      expect(body.items).toMatchObject([
        { plays_count: 4, completed_count: 4, billable_count: 4, starts_count: 1, total_duration_ms: 60_000 },
      ]);
    }
    const analytics = await admin("GET", `/v1/admin/analytics/devices/${device.id}`);
    expect(analytics.body).toMatchObject({ completed_count: 1, played_seconds: 15 });
  });

  test("an impression is too old after four hours", async () => {
    const old = await device.sign(playLog(device, {}, 4 * HOUR_MS + 1000));
    const answer = await post(device, "/v1/device/impressions", old);
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ code: "TOO_OLD", log_id: old.log_id, retryable: false });
    expect(await (await postOne(device, old)).json()).toMatchObject({ status: "accepted" });
  });

  test("an impression must be signed; a body of impressions must list some", async () => {
    expect(await (await post(device, "/v1/device/impressions", playLog(device))).json()).toMatchObject({ code: "SIGNATURE_REQUIRED" });
    expect(await (await post(device, "/v1/device/impressions", { impressions: [] })).json()).toMatchObject({
      code: "VALIDATION_ERROR",
      errors: [{ pointer: "/impressions" }],
    });
  });
});
