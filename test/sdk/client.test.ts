import { describe, expect, test } from "vitest";
import { PlayLogClient } from "../../src/sdk/client.ts";
import { DeviceClock } from "../../src/sdk/clock.ts";
import { MemoryQueue } from "../../src/sdk/memory-queue.ts";
import { TokenKeeper } from "../../src/sdk/tokens.ts";
import type { SequencePosition } from "../../src/sdk/verdicts.ts";
import { FakeHost, type Reply, type SeenRequest } from "./fake-host.ts";

const DEVICE = "aa705f37-c8cc-4726-a32f-315d7df12ae3";

function answer(sent: number, errors: { index: number; code: string; retryable: boolean }[] = [], duplicates = 0): Reply {
  const body = {
    processed: sent - errors.length,
    duplicates,
    failed: errors.length,
    errors,
    epoch: "e",
    expected_sequence: 8,
    correlation_id: "c",
  };
  return { status: 202, body };
}

function sentIds(request: SeenRequest | undefined): string[] {
  return (JSON.parse(request?.text ?? '{"logs":[]}') as { logs: { log_id: string }[] }).logs.map((log) => log.log_id);
}

async function setUp(reply: (request: SeenRequest) => Reply, logs: string[]) {
  const host = new FakeHost(reply);
  const clock = new DeviceClock(host);
  const queue = new MemoryQueue();
  for (const id of logs) await queue.append({ log_id: id, text: `{"log_id":"${id}","n":1.50}` });
  const credentials = { deviceId: DEVICE, deviceToken: "token-1", expiresAt: host.wall + 3_600_000, refreshToken: "refresh-1" };
  const tokens = new TokenKeeper({
    host,
    baseUrl: "http://edge",
    clock,
    credentials,
    store: { load: async () => null, save: async () => {} },
  });
  const positions: SequencePosition[] = [];
  const client = new PlayLogClient({
    host,
    baseUrl: "http://edge",
    clock,
    queue,
    tokens,
    onPosition: async (position) => {
      positions.push(position);
    },
  });
  return { host, queue, client, positions };
}

describe("a batch", () => {
  test("goes out with the token and the device's time, oldest first, and is settled", async () => {
    const { host, queue, client, positions } = await setUp(() => answer(2, [], 1), ["a", "b"]);
    expect(await client.sendOnce()).toEqual({ kind: "sent", logs: 2, processed: 2, duplicates: 1, refused: [], deferred: 0 });
    expect(host.requests).toEqual([
      {
        url: "http://edge/api/v1/playback-logs/batch",
        headers: { "Content-Type": "application/json", Authorization: "Bearer token-1", "Sent-At": "2026-11-20T12:00:00.000Z" },
        text: '{"logs":[{"log_id":"a","n":1.50},{"log_id":"b","n":1.50}]}',
      },
    ]);
    expect(await queue.waiting()).toBe(0);
    expect(positions).toEqual([{ epoch: "e", expectedSequence: 8 }]);
    expect(await client.sendOnce()).toEqual({ kind: "idle" });
  });

  test("holds 100 logs at most", async () => {
    const ids = Array.from({ length: 250 }, (_, index) => `log-${index}`);
    const { host, client } = await setUp((request) => answer(sentIds(request).length), ids);
    while ((await client.sendOnce()).kind === "sent");
    expect(host.requests.map((request) => sentIds(request).length)).toEqual([100, 100, 50]);
    expect(host.requests.flatMap(sentIds)).toEqual(ids);
  });

  test("stays under the server's megabyte", async () => {
    const { host, queue, client } = await setUp((request) => answer(sentIds(request).length), []);
    for (const id of ["a", "b", "c"]) await queue.append({ log_id: id, text: JSON.stringify({ log_id: id, pad: "x".repeat(400_000) }) });
    await client.sendOnce();
    await client.sendOnce();
    expect(host.requests.map(sentIds)).toEqual([["a", "b"], ["c"]]);
  });
});

describe("verdicts", () => {
  test("a final refusal is kept apart, a retryable one waits, the neighbours are done", async () => {
    const errors = [
      { index: 1, code: "INVALID_SIGNATURE", retryable: false },
      { index: 2, code: "HISTORY_LOST", retryable: true },
    ];
    const { host, queue, client } = await setUp(
      (request) => answer(sentIds(request).length, sentIds(request).length === 3 ? errors : []),
      ["a", "b", "c"],
    );
    const round = await client.sendOnce();
    expect(round).toMatchObject({ kind: "sent", logs: 3, processed: 1, deferred: 1 });
    expect((await queue.refused()).map((log) => [log.log_id, log.code])).toEqual([["b", "INVALID_SIGNATURE"]]);
    expect(await client.sendOnce()).toEqual({ kind: "idle" });
    host.pass(500);
    expect(await client.sendOnce()).toMatchObject({ kind: "sent", logs: 1, processed: 1 });
    expect(await queue.waiting()).toBe(0);
  });

  test.each([
    ["no counts", { errors: [] }],
    ["a count that does not fit", { processed: 1, duplicates: 0, errors: [] }],
    ["an index beyond the batch", { processed: 1, duplicates: 0, errors: [{ index: 2, code: "TOO_OLD", retryable: false }] }],
    ["no list of errors", { processed: 2, duplicates: 0 }],
  ])("an answer with %s acknowledges nothing", async (_, body) => {
    const { queue, client } = await setUp(() => ({ status: 202, body }), ["a", "b"]);
    expect(await client.sendOnce()).toEqual({ kind: "wait", ms: 500, reason: "UNREADABLE_ANSWER" });
    expect(await queue.waiting()).toBe(2);
  });
});

describe("outages", () => {
  test("after a lost answer the same bytes go out again, and the duplicates are settled", async () => {
    let lost = true;
    const { host, queue, client } = await setUp(() => (lost ? "lost" : answer(2, [], 2)), ["a", "b"]);
    expect(await client.sendOnce()).toEqual({ kind: "wait", ms: 500, reason: "connection lost" });
    expect(await queue.waiting()).toBe(2);
    lost = false;
    expect(await client.sendOnce()).toMatchObject({ processed: 2, duplicates: 2 });
    expect(host.requests[1]?.text).toBe(host.requests[0]?.text);
    expect(await queue.waiting()).toBe(0);
  });

  test("waits grow from one failure to the next up to five minutes, and begin anew after a success", async () => {
    let down = true;
    const { client, queue, host } = await setUp(() => (down ? { status: 503 } : answer(1)), ["a"]);
    const waits: number[] = [];
    for (let at = 0; at < 11; at++) {
      const round = await client.sendOnce();
      if (round.kind === "wait") waits.push(round.ms);
    }
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 64_000, 128_000, 150_000, 150_000]);
    down = false;
    await client.sendOnce();
    await queue.append({ log_id: "b", text: "{}" });
    down = true;
    host.chance = 0.5;
    expect(await client.sendOnce()).toEqual({ kind: "wait", ms: 750, reason: "HTTP_503" });
  });

  test("Retry-After is waited for, in seconds or as a date", async () => {
    const headers = { "Retry-After": "7" };
    const { client, host } = await setUp(() => ({ status: 429, headers, body: { code: "RATE_LIMIT_EXCEEDED" } }), ["a"]);
    expect(await client.sendOnce()).toEqual({ kind: "wait", ms: 7000, reason: "RATE_LIMIT_EXCEEDED" });
    headers["Retry-After"] = "Fri, 20 Nov 2026 12:00:09 GMT";
    host.chance = 0.5;
    expect(await client.sendOnce()).toEqual({ kind: "wait", ms: 9500, reason: "RATE_LIMIT_EXCEEDED" });
  });

  test("a backlog is sent batch on batch, a batch that is not full waits for more", async () => {
    const stop = new AbortController();
    const { host, client } = await setUp(
      (request) => answer(sentIds(request).length),
      Array.from({ length: 201 }, (_, index) => `log-${index}`),
    );
    const sleep = host.sleep.bind(host);
    host.sleep = async (ms) => {
      await sleep(ms);
      if (host.slept.length === 3) stop.abort();
    };
    await client.run(stop.signal);
    expect(host.slept).toEqual([600, 600, 5000]);
  });

  test("the loop sleeps as long as it is told and comes back", async () => {
    const stop = new AbortController();
    const { host, client, queue } = await setUp(
      () => (host.requests.length === 1 ? { status: 503, headers: { "Retry-After": "7" } } : answer(1)),
      ["a"],
    );
    const sleep = host.sleep.bind(host);
    host.sleep = async (ms) => {
      await sleep(ms);
      if (host.slept.length === 3) stop.abort();
    };
    await client.run(stop.signal);
    expect(host.slept).toEqual([7000, 5000, 5000]);
    expect(await queue.waiting()).toBe(0);
  });
});

test("a disk that does not take the verdicts is waited for, and the loop goes on", async () => {
  const stop = new AbortController();
  const { host, client, queue } = await setUp(() => answer(1), ["a"]);
  const settle = queue.settle.bind(queue);
  queue.settle = async () => {
    queue.settle = settle;
    throw new Error("disk full");
  };
  const sleep = host.sleep.bind(host);
  host.sleep = async (ms) => {
    await sleep(ms);
    if (host.slept.length === 2) stop.abort();
  };
  await client.run(stop.signal);
  expect(host.slept).toEqual([500, 5000]);
  expect(await queue.waiting()).toBe(0);
});

describe("a request that the server blames", () => {
  test("is halved until the guilty log stands alone, which is refused, and the others get through", async () => {
    const poison = (request: SeenRequest): Reply =>
      sentIds(request).includes("c")
        ? { status: 400, body: { code: "VALIDATION_ERROR", detail: "unreadable" } }
        : answer(sentIds(request).length);
    const { host, queue, client } = await setUp(poison, ["a", "b", "c", "d"]);
    for (let at = 0; at < 12 && (await queue.waiting()) > 0; at++) await client.sendOnce();
    expect(await queue.waiting()).toBe(0);
    expect((await queue.refused()).map((log) => [log.log_id, log.code])).toEqual([["c", "VALIDATION_ERROR"]]);
    expect(host.requests.map(sentIds)).toEqual([["a", "b", "c", "d"], ["a", "b"], ["c", "d"], ["c"], ["d"]]);
  });

  test("a 403 that does not say so does not stop the device", async () => {
    const { client } = await setUp(() => ({ status: 403, body: { error: "proxy" } }), ["a"]);
    expect(await client.sendOnce()).toEqual({ kind: "wait", ms: 500, reason: "HTTP_403" });
  });

  test("revocation stops the device and drops nothing", async () => {
    const { queue, client } = await setUp(() => ({ status: 403, body: { code: "DEVICE_REVOKED" } }), ["a"]);
    expect(await client.sendOnce()).toEqual({ kind: "stopped", code: "DEVICE_REVOKED" });
    expect(await queue.waiting()).toBe(1);
  });

  test("401 fetches a new token, and the batch goes out with it", async () => {
    const { host, queue, client } = await setUp(
      (request) => {
        if (request.url.endsWith("/v1/device/token"))
          return { status: 200, body: { device_token: "token-2", refresh_token: "refresh-2", expires_at: "2026-11-20T13:00:00.000Z" } };
        return request.headers.Authorization === "Bearer token-2" ? answer(1) : { status: 401 };
      },
      ["a"],
    );
    expect(await client.sendOnce()).toEqual({ kind: "wait", ms: 500, reason: "UNAUTHORIZED" });
    expect(await client.sendOnce()).toMatchObject({ kind: "sent", processed: 1 });
    expect(host.requests.map((request) => new URL(request.url).pathname)).toEqual([
      "/api/v1/playback-logs/batch",
      "/v1/device/token",
      "/api/v1/playback-logs/batch",
    ]);
    expect(await queue.waiting()).toBe(0);
  });
});
