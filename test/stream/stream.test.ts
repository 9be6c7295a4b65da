import { evictDurableObject, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import { signDeviceToken } from "../../src/devices/token.ts";
import { HOUR_MS, MINUTE_MS } from "../../src/platform/time.ts";
import { StreamDesk } from "../../src/stream/desk.ts";
import { admin } from "../support/admin.ts";
import { makeDevice, playLog, postBatch, signedLogs } from "../support/device.ts";
import { CaughtQueue, drain, expectDrained, statusOf } from "../support/pipeline.ts";
import { handshake, protocolsOf, TestStream } from "../support/stream.ts";

const objectOf = (device: { id: string }) => env.SEQUENCER.getByName(device.id);

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** A device whose object sends to a queue of the test. */
async function connected(options: Parameters<typeof makeDevice>[0] = {}) {
  const device = await makeDevice(options);
  await objectOf(device).refreshProfile();
  const queue = new CaughtQueue();
  await queue.attach(device.id);
  return { device, queue, stream: await TestStream.open(device) };
}

/** Has the device's object keep all requests of plays waiting, until the returned function is called. */
async function holdUp(device: { id: string }): Promise<() => Promise<void>> {
  await runInDurableObject(objectOf(device), (instance) => {
    const gate = Promise.withResolvers<void>();
    const admit = instance.admit.bind(instance);
    Reflect.set(instance, "admit", async (request: Parameters<typeof admit>[0]) => {
      await gate.promise;
      return await admit(request);
    });
    Reflect.set(instance, "letIn", gate.resolve);
  });
  return async () => await runInDurableObject(objectOf(device), (instance) => (Reflect.get(instance, "letIn") as () => void)());
}

describe("the handshake", () => {
  test("takes the token as a subprotocol, and answers with the version's alone", async () => {
    const device = await makeDevice();
    const response = await handshake(protocolsOf(device));
    expect([response.status, response.headers.get("Sec-WebSocket-Protocol")]).toEqual([101, "alive.v1"]);
    expect(response.headers.get("X-Correlation-Id")).toMatch(/^[0-9a-f-]{36}$/);
    response.webSocket?.accept();
    response.webSocket?.close(1000, "done");
  });

  test("takes the token as a header too", async () => {
    const device = await makeDevice();
    const headers = { Upgrade: "websocket", "Sec-WebSocket-Protocol": "alive.v1", Authorization: `Bearer ${device.token}` };
    const response = await handshake(headers);
    expect(response.status).toBe(101);
    response.webSocket?.accept();
    response.webSocket?.close(1000, "done");
  });

  test("welcomes with where the device's numbers stand", async () => {
    const device = await makeDevice();
    await postBatch(device, await signedLogs(device, 2, (index) => ({ sequence: 6 + index })));
    const response = await handshake(protocolsOf(device));
    const first = new Promise((resolve) =>
      response.webSocket?.addEventListener("message", ({ data }) => resolve(JSON.parse(String(data)))),
    );
    response.webSocket?.accept();
    expect(await first).toEqual({ type: "welcome", server_time: expect.stringMatching(/Z$/), epoch: "0", expected_sequence: 8 });
  });

  test("is refused with the problem that any door answers", async () => {
    const device = await makeDevice();
    const refused = async (headers: Record<string, string>) => {
      const response = await handshake(headers);
      return [response.status, ((await response.json()) as { code: string }).code];
    };
    const { Upgrade } = protocolsOf(device);
    expect(await refused({})).toEqual([401, "TOKEN_MISSING"]);
    expect(await refused({ Upgrade: "websocket", "Sec-WebSocket-Protocol": "alive.v1, bearer.wrong" })).toEqual([401, "TOKEN_INVALID"]);
    expect(await refused({ "Sec-WebSocket-Protocol": `alive.v1, bearer.${device.token}` })).toEqual([426, "UPGRADE_REQUIRED"]);
    const another = { Upgrade: "websocket", "Sec-WebSocket-Protocol": `alive.v9, bearer.${device.token}` };
    expect([Upgrade, await refused(another)]).toEqual(["websocket", [400, "SUBPROTOCOL_REQUIRED"]]);
    await env.DB.prepare("UPDATE devices SET token_family_id = ? WHERE id = ?").bind(crypto.randomUUID(), device.id).run();
    expect(await refused(protocolsOf(device))).toEqual([401, "TOKEN_SUPERSEDED"]);
    await admin("POST", `/v1/admin/devices/${device.id}/revoke`);
    expect(await refused(protocolsOf(device))).toEqual([403, "DEVICE_REVOKED"]);
  });
});

describe("plays", () => {
  test("are judged and answered as a batch is, with a verdict for each and the frame's id", async () => {
    const { device, stream } = await connected();
    const [good, late] = await signedLogs(device, 2, (index) => ({ sequence: index + 1 }));
    const unsigned = playLog(device);
    const answer = await stream.plays("a", [good, late, unsigned]);
    expect(answer).toEqual({
      type: "verdicts",
      id: "a",
      processed: 2,
      duplicates: 0,
      failed: 1,
      errors: [{ index: 2, log_id: unsigned.log_id, code: "SIGNATURE_REQUIRED", error: expect.any(String), retryable: false }],
      verdicts: [
        { index: 0, log_id: good?.log_id, status: "accepted", billable: true, quality_score: 100, flags: [] },
        { index: 1, log_id: late?.log_id, status: "accepted", billable: true, quality_score: 100, flags: [] },
      ],
      epoch: "0",
      expected_sequence: 3,
      rate: { limit: 120, remaining: 119, reset_s: 60 },
      correlation_id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
  });

  test("go the one way of a play: into the books once, under the door's name", async () => {
    const { device, queue, stream } = await connected();
    const logs = await signedLogs(device, 3);
    await stream.plays(1, logs);
    await drain(device.id, queue);
    await expectDrained(device, 3);
    const { results } = await env.DB.prepare("SELECT DISTINCT door, billable FROM proof_of_play_events WHERE device_id = ?")
      .bind(device.id)
      .all();
    expect(results).toEqual([{ door: "stream", billable: 1 }]);
  });

  test("of over 4 h ago are too old here, and 100 are the most of a frame", async () => {
    const { device, stream } = await connected();
    const old = await device.sign(playLog(device, {}, 4 * HOUR_MS + 60_000));
    const [error] = (await stream.plays(1, [old])).errors as { code: string }[];
    expect(error?.code).toBe("TOO_OLD");
    const answer = await stream.plays(2, Array(101).fill(old));
    expect(answer).toMatchObject({ type: "error", id: 2, problem: { status: 400, type: "/docs/errors/batch-too-large" } });
  });

  test("may be older where the group's policy says so", async () => {
    const { device, stream } = await connected({ policy: { max_age_hours: { stream: 6 } } });
    const old = await device.sign(playLog(device, {}, 5 * HOUR_MS));
    expect(await stream.plays(1, [old])).toMatchObject({ processed: 1, verdicts: [{ flags: ["LATE"] }] });
  });

  test("that a dropped stream left unanswered are duplicates when they are sent again, here or over HTTP", async () => {
    const { device, queue, stream } = await connected();
    const logs = await signedLogs(device, 2);
    stream.send({ type: "plays", id: 1, sent_at: new Date().toISOString(), logs });
    // It hears no answer: it is gone when that comes.
    await evictDurableObject(objectOf(device), { webSockets: "close" });
    await queue.attach(device.id);
    expect((await statusOf(device.id)).accepted).toBe(2);
    const again = await TestStream.open(device);
    expect(await again.plays(2, logs)).toMatchObject({ processed: 2, duplicates: 2, failed: 0 });
    expect(await (await postBatch(device, logs)).json()).toMatchObject({ processed: 2, duplicates: 2 });
    await drain(device.id, queue);
    await expectDrained(device, 2);
  });

  test("of frames that were sent without waiting are taken in their order", async () => {
    const { device, stream } = await connected();
    const logs = await signedLogs(device, 20, (index) => ({ sequence: index + 1 }));
    for (const [at, log] of logs.entries()) stream.send({ type: "plays", id: at, sent_at: new Date().toISOString(), logs: [log] });
    const answers = [];
    for (const _ of logs) answers.push(await stream.next());
    expect(answers.map(({ id }) => id)).toEqual(logs.map((_, at) => at));
    expect(answers.flatMap(({ verdicts }) => (verdicts as { flags: string[] }[]).flatMap(({ flags }) => flags))).toEqual([]);
  });

  test("are held to when their frame came, however long it waited for those before it", async () => {
    const { device, queue, stream } = await connected();
    const letIn = await holdUp(device);
    const came = vi.spyOn(StreamDesk.prototype, "message");
    const logs = await signedLogs(device, 2);
    for (const [id, log] of logs.entries()) stream.send({ type: "plays", id, sent_at: new Date().toISOString(), logs: [log] });
    await vi.waitFor(() => expect(came).toHaveBeenCalledTimes(2));
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + MINUTE_MS });
    await letIn();
    await stream.next();
    expect(await stream.next()).toMatchObject({ id: 1, processed: 1 });
    vi.useRealTimers();
    await drain(device.id, queue);
    const { results } = await env.DB.prepare("SELECT started_at - started_at_raw AS moved FROM proof_of_play_events WHERE device_id = ?")
      .bind(device.id)
      .all();
    expect(results).toEqual([{ moved: 0 }, { moved: 0 }]);
  });

  test("over the device's rate are refused before any signature is looked at, whatever door used it up", async () => {
    const { device, stream } = await connected({ policy: { requests_per_minute: 2 } });
    await postBatch(device, await signedLogs(device, 1));
    const verify = vi.spyOn(crypto.subtle, "verify");
    const checks = () => verify.mock.calls.filter(([algorithm]) => JSON.stringify(algorithm).includes("Ed25519")).length;
    expect((await stream.plays(1, await signedLogs(device, 1))).type).toBe("verdicts");
    expect(checks()).toBe(1);
    const refused = await stream.plays(2, await signedLogs(device, 1));
    expect(checks()).toBe(1);
    expect(refused).toMatchObject({ type: "error", id: 2, problem: { status: 429, type: "/docs/errors/rate-limit-exceeded" } });
    expect(refused.retry_after_s).toBeGreaterThan(50);
    expect((await postBatch(device, await signedLogs(device, 1))).status).toBe(429);
    const accepted = (await statusOf(device.id)).accepted;
    expect(accepted).toBe(2);
  });

  test("may be signed as a whole where the policy allows it", async () => {
    const { device, stream } = await connected({ policy: { batch_signature: true } });
    const logs = [playLog(device), playLog(device)];
    const sentAt = new Date().toISOString();
    const { default: canonicalize } = await import("canonicalize");
    const hashes = await Promise.all(
      logs.map(async (log) =>
        new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(canonicalize(log) ?? ""))).toHex(),
      ),
    );
    const batch_signature = await device.signText(["alive-batch-v1", device.id, sentAt, ...hashes].join("\n"));
    expect(await stream.plays(1, logs, { sent_at: sentAt, batch_signature })).toMatchObject({ processed: 2, failed: 0 });
    expect(await stream.plays(2, [playLog(device)], { batch_signature })).toMatchObject({
      errors: [{ index: 0, code: "INVALID_SIGNATURE" }],
    });
  });
});

describe("a frame that is refused", () => {
  test("as another device's log is, spoils nothing beside it", async () => {
    const { device, stream } = await connected();
    const other = await makeDevice();
    const [own] = await signedLogs(device, 1);
    const [foreign] = await signedLogs(other, 1);
    const answer = await stream.plays("x", [foreign, own]);
    expect(answer).toMatchObject({ processed: 1, failed: 1, errors: [{ index: 0, code: "DEVICE_MISMATCH", log_id: foreign?.log_id }] });
  });

  test.each<[string, unknown, string | number | null, number, string]>([
    ["no JSON", "{", null, 400, "INVALID_JSON"],
    ["a list", "[]", null, 400, "VALIDATION_ERROR"],
    ["no id", { type: "plays", logs: [] }, null, 400, "VALIDATION_ERROR"],
    ["an id of 65 characters", { type: "plays", id: "x".repeat(65), logs: [] }, null, 400, "VALIDATION_ERROR"],
    ["of no type", { id: "a" }, "a", 400, "VALIDATION_ERROR"],
    ["of an unknown type", { id: "a", type: "telemetry" }, "a", 400, "VALIDATION_ERROR"],
    ["without logs", { id: 7, type: "plays" }, 7, 400, "VALIDATION_ERROR"],
    ["with no log among them", { id: 7, type: "plays", logs: [] }, 7, 400, "VALIDATION_ERROR"],
    ["a heartbeat that is none", { id: "h", type: "heartbeat", device_time: "noon" }, "h", 400, "VALIDATION_ERROR"],
    ["a heartbeat of 64 KB", { id: "h", type: "heartbeat", x: "x".repeat(65_536) }, "h", 413, "PAYLOAD_TOO_LARGE"],
    ["a result of nothing", { id: "r", type: "command_result", status: "done" }, "r", 400, "VALIDATION_ERROR"],
  ])("%s is told so, and the stream goes on", async (_, frame, id, status, code) => {
    const { device, stream } = await connected();
    expect(await stream.ask(frame)).toMatchObject({
      type: "error",
      id,
      problem: { status, code, correlation_id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
    });
    expect((await stream.plays("next", await signedLogs(device, 1))).type).toBe("verdicts");
  });

  test.each<[string, unknown, { code: number; reason: string }]>([
    ["bytes", new Uint8Array([123, 125]), { code: 1003, reason: "BINARY_FRAME" }],
    ["over 1 MB", `{"x":"${"é".repeat(524_288)}"}`, { code: 1009, reason: "FRAME_TOO_LARGE" }],
  ])("%s: the stream is closed", async (_, frame, closing) => {
    const { stream } = await connected();
    stream.send(frame);
    expect(await stream.closed).toEqual(closing);
  });

  test("for too many wait before it ends the stream; what was taken before is kept", async () => {
    const { device, stream } = await connected();
    const letIn = await holdUp(device);
    const logs = await signedLogs(device, 34);
    for (const [id, log] of logs.entries()) stream.send({ type: "plays", id, sent_at: new Date().toISOString(), logs: [log] });
    expect(await stream.closed).toEqual({ code: 1013, reason: "TOO_MANY_FRAMES_WAITING" });
    await letIn();
    const again = await TestStream.open(device);
    expect(await again.plays("all", logs)).toMatchObject({ processed: 34, duplicates: 1, failed: 0 });
    expect((await statusOf(device.id)).accepted).toBe(34);
  });
});

describe("the object out of memory", () => {
  test("the stream stays open, and what comes then is answered; a ping without waking it", async () => {
    const { device, queue, stream } = await connected();
    await stream.plays(1, await signedLogs(device, 1, () => ({ sequence: 1 })));
    await evictDurableObject(objectOf(device));
    stream.send("ping");
    expect(await stream.text()).toBe("pong");
    await queue.attach(device.id);
    const answer = await stream.plays(2, await signedLogs(device, 1, () => ({ sequence: 2 })));
    expect(answer).toMatchObject({ id: 2, processed: 1, duplicates: 0, expected_sequence: 3 });
    await drain(device.id, queue);
    await expectDrained(device, 2);
  });

  test("an idle stream sets no alarm", async () => {
    const device = await makeDevice();
    await TestStream.open(device);
    const alarm = await runInDurableObject(objectOf(device), (_, state) => state.storage.getAlarm());
    expect(alarm).toBeNull();
  });
});

describe("the end", () => {
  test("a newer stream takes the older one's place", async () => {
    const { device, stream } = await connected();
    const newer = await TestStream.open(device);
    expect(await stream.closed).toEqual({ code: 4409, reason: "REPLACED" });
    expect((await newer.plays(1, await signedLogs(device, 1))).type).toBe("verdicts");
    await evictDurableObject(objectOf(device));
    const newest = await TestStream.open(device);
    expect(await newer.closed).toEqual({ code: 4409, reason: "REPLACED" });
    expect((await newest.plays(1, await signedLogs(device, 1))).type).toBe("verdicts");
  });

  test("revoking the device closes it, out of memory too", async () => {
    const { device, stream } = await connected();
    await evictDurableObject(objectOf(device));
    await admin("POST", `/v1/admin/devices/${device.id}/revoke`);
    expect(await stream.closed).toEqual({ code: 4403, reason: "DEVICE_REVOKED" });
  });

  test("a player that takes this one's place closes it", async () => {
    const { device, stream } = await connected();
    await env.DB.prepare("UPDATE devices SET token_family_id = ? WHERE id = ?").bind(crypto.randomUUID(), device.id).run();
    await objectOf(device).refreshProfile();
    expect(await stream.closed).toEqual({ code: 4401, reason: "TOKEN_SUPERSEDED" });
  });

  test("the first frame behind the token's end closes it, and writes nothing", async () => {
    const { device, stream } = await connected();
    const since = Date.now() - 2 * HOUR_MS;
    const { token } = await signDeviceToken(env, { deviceId: device.id, familyId: device.familyId, key: null }, since);
    await runInDurableObject(objectOf(device), (_, state) => {
      const [socket] = state.getWebSockets();
      socket?.serializeAttachment({ ...socket.deserializeAttachment(), token, since });
    });
    expect(await runInDurableObject(objectOf(device), (_, state) => state.getWebSockets().length)).toBe(1);
    stream.send({ type: "plays", id: 1, logs: await signedLogs(device, 1) });
    expect(await stream.closed).toEqual({ code: 4401, reason: "TOKEN_EXPIRED" });
    expect((await statusOf(device.id)).accepted).toBe(0);
  });

  test("a close of the device's is answered", async () => {
    const { stream } = await connected();
    stream.close(1000);
    expect((await stream.closed).code).toBe(1000);
  });
});
