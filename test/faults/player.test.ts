import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { pushProfile } from "../../src/devices/push.ts";
import { signDeviceToken } from "../../src/devices/token.ts";
import { sweepOutboxes } from "../../src/plays/ledger/sweep.ts";
import { DeviceSequencer } from "../../workers/index.ts";
import { admin } from "../support/admin.ts";
import { makeDevice, playLog, post, postBatch, postOne, signedLogs, type TestDevice } from "../support/device.ts";
import { booksOf, CaughtQueue, drain, expectDrained, statusOf } from "../support/pipeline.ts";

// What players, their disks and their clocks do, and whoever copies what is theirs.

let device: TestDevice;
let queue: CaughtQueue;

beforeEach(async () => {
  device = await makeDevice();
  queue = new CaughtQueue();
  await queue.attach(device.id);
});

afterEach(() => {
  vi.restoreAllMocks();
});

const BATCH = "/api/v1/playback-logs/batch";

test("a device that is revoked with a backlog writes nothing more, and what was accepted before is recorded once", async () => {
  const logs = await signedLogs(device, 10);
  expect(await (await postBatch(device, logs)).json()).toMatchObject({ processed: 10, failed: 0 });
  expect((await admin("POST", `/v1/admin/devices/${device.id}/revoke`, {})).status).toBe(200);
  expect((await postBatch(device, await signedLogs(device, 5))).status).toBe(403);
  expect((await postBatch(device, logs)).status).toBe(403);
  expect(await booksOf(device)).toMatchObject({ accepted: 10, waiting: 10, ledger: 0 });
  await drain(device.id, queue);
  await expectDrained(device, 10);
});

test("a push stays open for the sequencer that holds the version before it", async () => {
  const insert = () => env.DB.prepare("INSERT INTO profile_pushes (device_id, created_at) VALUES (?, 0) RETURNING id").bind(device.id);
  const [before, now] = [await insert().first<{ id: number }>(), await insert().first<{ id: number }>()];
  vi.spyOn(DeviceSequencer.prototype, "refreshProfile").mockResolvedValue(before?.id ?? 0);
  await pushProfile(env, device.id);
  const { results } = await env.DB.prepare("SELECT id FROM profile_pushes WHERE device_id = ? AND acknowledged_at IS NULL")
    .bind(device.id)
    .all();
  expect(results).toEqual([{ id: now?.id }]);
});

test("one device's batch that is sent with another's token is refused record by record, and neither device gets a play", async () => {
  const thief = await makeDevice();
  const stolen = await signedLogs(device, 3);
  expect(await (await postBatch(thief, stolen)).json()).toMatchObject({
    processed: 0,
    failed: 3,
    errors: Array(3).fill({ code: "DEVICE_MISMATCH", retryable: false }),
  });
  // Under the thief's own name the owner's signature does not hold.
  const renamed = stolen.map((log) => ({ ...log, device_id: thief.id }));
  expect(await (await postBatch(thief, renamed)).json()).toMatchObject({
    processed: 0,
    failed: 3,
    errors: Array(3).fill({ code: "INVALID_SIGNATURE" }),
  });
  expect((await statusOf(thief.id)).accepted).toBe(0);
  expect((await postBatch(device, stolen)).status).toBe(202);
  expect((await statusOf(device.id)).accepted).toBe(3);
});

test("a token without its key writes nothing: unsigned and wrongly signed records are refused", async () => {
  const thief = await makeDevice();
  const forged = await thief.sign(playLog(device));
  const body = { logs: [playLog(device), forged, { ...playLog(device), signature: "" }] };
  expect(await (await post({ token: device.token }, BATCH, body)).json()).toMatchObject({
    processed: 0,
    failed: 3,
    errors: [{ code: "SIGNATURE_REQUIRED" }, { code: "INVALID_SIGNATURE" }, { code: "INVALID_SIGNATURE" }],
  });
  // A token made for the thief's own key needs the product's secret.
  const { token } = await signDeviceToken(
    { ...env, DEVICE_TOKEN_SECRET: "guessed" },
    { deviceId: device.id, familyId: device.familyId, key: null },
    Date.now(),
  );
  expect((await post({ token }, BATCH, { logs: [forged] })).status).toBe(401);
  expect((await statusOf(device.id)).accepted).toBe(0);
});

test("a clock at 1970 or 2099 is refused as CLOCK_SKEW where the request says it, and by the record's age where it does not", async () => {
  const at = (time: string) =>
    device.sign(
      playLog(device, {
        started_at: new Date(Date.parse(time) - 15_000).toISOString(),
        ended_at: new Date(Date.parse(time)).toISOString(),
      }),
    );
  const codeOf = async (time: string, sentAt: string) => {
    const response = await postOne(device, await at(time), { "Sent-At": sentAt });
    return [response.status, (await response.json<{ code: string }>()).code];
  };
  expect(await codeOf("1970-01-02T00:00:00.000Z", "1970-01-02T00:00:01.000Z")).toEqual([422, "CLOCK_SKEW"]);
  expect(await codeOf("2099-01-02T00:00:00.000Z", "2099-01-02T00:00:01.000Z")).toEqual([422, "CLOCK_SKEW"]);
  expect(await codeOf("1970-01-02T00:00:00.000Z", "")).toEqual([422, "TOO_OLD"]);
  expect(await codeOf("2099-01-02T00:00:00.000Z", "")).toEqual([422, "FUTURE_TIMESTAMP"]);
  expect((await statusOf(device.id)).accepted).toBe(0);
});

test("a player that was set up anew counts from 1 in a new epoch: no conflict with what the old one sent, which may still come late", async () => {
  const send = async (changes: Record<string, unknown>) =>
    (await (await postOne(device, await device.sign(playLog(device, changes)))).json<{ flags: string[]; expected_sequence: number }>()) ??
    {};
  for (const sequence of [1, 2]) expect(await send({ sequence })).toMatchObject({ flags: [], expected_sequence: sequence + 1 });
  const epoch = crypto.randomUUID();
  expect(await send({ sequence: 1, epoch })).toMatchObject({ flags: [], billable: true, expected_sequence: 2 });
  expect(await send({ sequence: 3 })).toMatchObject({ flags: [], expected_sequence: 4 });
  await drain(device.id, queue);
  await expectDrained(device, 4);
});

test("a cloned disk sends other plays under the same numbers: they are kept, flagged and not billed", async () => {
  const [first, clone] = [await device.sign(playLog(device, { sequence: 1 })), await device.sign(playLog(device, { sequence: 1 }, 90_000))];
  expect(await (await postOne(device, first)).json()).toMatchObject({ status: "accepted", billable: true, flags: [] });
  expect(await (await postOne(device, clone)).json()).toMatchObject({ status: "accepted", billable: false, flags: ["SEQUENCE_CONFLICT"] });
  await drain(device.id, queue);
  await expectDrained(device, 2);
});

test("plays that come in another order are all recorded, and the gap that they opened closes", async () => {
  const flags = [];
  for (const sequence of [3, 1, 2]) {
    const answer = await postOne(device, await device.sign(playLog(device, { sequence })));
    flags.push((await answer.json<{ flags: string[] }>()).flags);
  }
  expect(flags).toEqual([["SEQUENCE_GAP"], ["OUT_OF_ORDER"], ["OUT_OF_ORDER"]]);
  expect((await statusOf(device.id)).epochs).toEqual([{ epoch: "0", expected_sequence: 4, missing: [] }]);
  await drain(device.id, queue);
  await expectDrained(device, 3);
});

test("a number that never comes stays a gap that can be seen, and nothing is invented for it", async () => {
  for (const sequence of [1, 4]) await postOne(device, await device.sign(playLog(device, { sequence })));
  const status = await admin("GET", `/v1/admin/devices/${device.id}/sequencer`);
  expect(status.body.epochs).toEqual([{ epoch: "0", expected_sequence: 5, missing: [[2, 3]] }]);
  await drain(device.id, queue);
  await expectDrained(device, 2);
});

test("an alarm that got lost is set again by the next sweep, and the backlog drains", async () => {
  await postBatch(device, await signedLogs(device, 5));
  const alarm = () => runInDurableObject(env.SEQUENCER.getByName(device.id), (_, state) => state.storage.getAlarm());
  await runInDurableObject(env.SEQUENCER.getByName(device.id), (_, state) => state.storage.deleteAlarm());
  expect(await alarm()).toBeNull();
  const swept = await sweepOutboxes(env, Date.now());
  expect(swept.failed).toBe(0);
  expect(swept.waiting_plays).toBeGreaterThanOrEqual(5);
  expect(await alarm()).not.toBeNull();
  await drain(device.id, queue);
  await expectDrained(device, 5);
});
