import { describe, expect, test } from "vitest";
import { PlayLogClient } from "../../src/sdk/client.ts";
import { DeviceClock } from "../../src/sdk/clock.ts";
import type { Answer } from "../../src/sdk/http.ts";
import { MemoryQueue } from "../../src/sdk/memory-queue.ts";
import type { NewLog } from "../../src/sdk/queue.ts";
import type { LogStream } from "../../src/sdk/stream.ts";
import type { Reply, SeenRequest } from "./fake-host.ts";
import { paired } from "./paired.ts";

const HOUR_MS = 3_600_000;

function accepted(sent: number, errors: unknown[] = []) {
  return { processed: sent - errors.length, duplicates: 0, failed: errors.length, errors };
}

const idsIn = (request: SeenRequest) => (JSON.parse(request.text) as { logs: { log_id: string }[] }).logs.map((log) => log.log_id);
const takeAll = (request: SeenRequest): Reply => ({ status: 202, body: accepted(idsIn(request).length) });

/** A stream that answers what the test says. */
class TestedStream implements LogStream {
  open = true;
  readonly sent: { ids: string[]; sentAt: number }[] = [];

  constructor(readonly answer: (ids: string[]) => Answer) {}

  async post(texts: readonly string[], sentAt: number): Promise<Answer> {
    const ids = texts.map((text) => (JSON.parse(text) as { log_id: string }).log_id);
    this.sent.push({ ids, sentAt });
    return this.answer(ids);
  }
}

const told = (body: Record<string, unknown>): Answer => ({ kind: "answer", status: 202, body, retryAfterMs: null });

async function setUp(logs: (Partial<NewLog> & { log_id: string })[], reply: (request: SeenRequest) => Reply = takeAll, stream?: LogStream) {
  const { access, clock, host } = paired(reply);
  const queue = new MemoryQueue();
  for (const log of logs) await queue.append({ text: `{"log_id":"${log.log_id}"}`, ...log });
  const client = new PlayLogClient({ ...access, clock, queue, ...(stream ? { stream } : {}) });
  return { access, client, clock, host, queue };
}

describe("by stream", () => {
  const answerAll = (ids: string[]) => told(accepted(ids.length));

  test("go logs that are young enough; the older ones go before them, by batch", async () => {
    const stream = new TestedStream(answerAll);
    const { client, clock, host, queue } = await setUp([], takeAll, stream);
    const [old, limit] = [clock.serverNow() - 3.5 * HOUR_MS - 1, clock.serverNow() - 3.5 * HOUR_MS];
    for (const [log_id, madeAt] of [
      ["old", old],
      ["young", limit],
      ["new", clock.serverNow()],
    ] as const)
      await queue.append({ log_id, madeAt, text: `{"log_id":"${log_id}"}` });
    await client.sendOnce();
    expect([host.requests.map(idsIn), stream.sent]).toEqual([[["old"]], []]);
    expect(await client.sendOnce()).toMatchObject({ kind: "sent", logs: 2, processed: 2 });
    expect(stream.sent).toEqual([{ ids: ["young", "new"], sentAt: clock.now() }]);
    expect(await queue.waiting()).toBe(0);
  });

  test("goes nothing while it is not open, nor what nobody knows the age of", async () => {
    const stream = new TestedStream(answerAll);
    const { client, host, queue } = await setUp([{ log_id: "a" }], takeAll, stream);
    await client.sendOnce();
    stream.open = false;
    await queue.append({ log_id: "b", text: '{"log_id":"b"}', madeAt: host.wall });
    await client.sendOnce();
    expect([host.requests.map(idsIn), stream.sent]).toEqual([[["a"], ["b"]], []]);
  });

  test("without an answer the logs stay, and go by batch when it has closed", async () => {
    const stream = new TestedStream(() => {
      stream.open = false;
      return { kind: "unreachable", error: "The stream ended." };
    });
    const { client, host, queue } = await setUp([], takeAll, stream);
    await queue.append({ log_id: "a", text: '{"log_id":"a"}', madeAt: host.wall });
    expect(await client.sendOnce()).toEqual({ kind: "wait", ms: 500, reason: "The stream ended." });
    expect(await queue.waiting()).toBe(1);
    expect(await client.sendOnce()).toMatchObject({ kind: "sent", processed: 1 });
    expect(host.requests.map(idsIn)).toEqual([["a"]]);
  });

  test("a log that is too old for it alone goes by batch, and is refused only there", async () => {
    const stream = new TestedStream((ids) =>
      told(accepted(ids.length, [{ index: 0, log_id: "a", code: "TOO_OLD", error: "too old", retryable: false }])),
    );
    const { client, host, queue } = await setUp([], takeAll, stream);
    for (const log_id of ["a", "b"]) await queue.append({ log_id, text: `{"log_id":"${log_id}"}`, madeAt: host.wall });
    expect(await client.sendOnce()).toMatchObject({ kind: "sent", processed: 1, refused: [] });
    expect(await queue.refused()).toEqual([]);
    await client.sendOnce();
    expect(host.requests.map(idsIn)).toEqual([["a"]]);
    expect(await queue.waiting()).toBe(0);
  });

  test("a final refusal is final, and a busy server is waited for", async () => {
    const error = { index: 0, log_id: "a", code: "INVALID_SIGNATURE", error: "no", retryable: false };
    const answers: Answer[] = [
      { kind: "answer", status: 429, body: { code: "RATE_LIMIT_EXCEEDED" }, retryAfterMs: 12_000 },
      told(accepted(1, [error])),
    ];
    const stream = new TestedStream(() => answers.shift() ?? { kind: "unreachable", error: "" });
    const { client, host, queue } = await setUp([], takeAll, stream);
    await queue.append({ log_id: "a", text: '{"log_id":"a"}', madeAt: host.wall });
    expect(await client.sendOnce()).toEqual({ kind: "wait", ms: 12_000, reason: "RATE_LIMIT_EXCEEDED" });
    await client.sendOnce();
    expect((await queue.refused()).map(({ code }) => code)).toEqual(["INVALID_SIGNATURE"]);
    expect(host.requests).toEqual([]);
  });
});

test("what something in between does not let pass is put off, not given up, and holds up no other log", async () => {
  const blocked = (request: SeenRequest): Reply =>
    idsIn(request).includes("b") ? { status: 400, pieces: [new TextEncoder().encode("<html>Bad Request</html>")] } : takeAll(request);
  const { client, host, queue } = await setUp([{ log_id: "a" }, { log_id: "b" }, { log_id: "c" }], blocked);
  for (let rounds = 0; rounds < 8 && (await queue.waiting()) > 1; rounds++) await client.sendOnce();
  expect(await queue.refused()).toEqual([]);
  expect((await queue.ready(host.wall + 500, 9)).map(({ log_id, deferrals }) => [log_id, deferrals])).toEqual([["b", 1]]);
});

test("while nobody knows by which clock logs are timed none is sent: the server is asked for its time first", async () => {
  const { client, clock, host, queue } = await setUp([], (request) => {
    if (!request.url.endsWith("/time")) return takeAll(request);
    return host.requests.length === 1 ? "lost" : { status: 200, body: { t1: host.wall, t2: host.wall } };
  });
  clock.hear({ t0: clock.now(), t1: host.wall, t2: host.wall, t3: clock.now() });
  const timed = clock.current.now();
  await queue.append({ log_id: "a", text: '{"log_id":"a"}', clock: clock.current.id ?? "" });
  // The machine sleeps, and its monotonic clock with it.
  host.wall += HOUR_MS / 2;
  expect(await client.sendOnce()).toMatchObject({ kind: "sent", processed: 1 });
  const [lost, ...others] = host.requests.map(({ url }) => new URL(url).pathname);
  expect([lost, others.at(-1)]).toEqual(["/v1/device/time", "/api/v1/playback-logs/batch"]);
  // So the log is as old as it is; by the clock that stood still it would have been made just now.
  expect(Date.parse(host.requests.at(-1)?.headers["Sent-At"] ?? "") - timed).toBe(HOUR_MS / 2);
});

test("what a clock of the past has timed is not sent before the server's time is known: by today's clock it may be a play of the future", async () => {
  const { host, queue, access } = await setUp([{ log_id: "a", clock: "past" }], (request) =>
    request.url.endsWith("/time") ? { status: 200, body: { t1: host.wall + 20_000, t2: host.wall + 20_000 } } : takeAll(request),
  );
  // Right, until the power went; the machine starts 20 s behind.
  const clock = new DeviceClock(host, null, { past: 0 });
  const client = new PlayLogClient({ ...access, clock, queue });
  expect(await client.sendOnce()).toMatchObject({ kind: "sent", processed: 1 });
  expect(Date.parse(host.requests.at(-1)?.headers["Sent-At"] ?? "") - host.wall).toBe(20_000);
  expect(clock.canTell("past")).toBe(true);
});

test("logs of two clocks go in two requests, each by its own", async () => {
  const { client, clock, host } = await setUp([
    { log_id: "a", clock: "before" },
    { log_id: "b", clock: "before" },
    { log_id: "c", clock: "now" },
    { log_id: "d", clock: "before" },
  ]);
  clock.sentAt = (id) => (id === "before" ? 0 : 1000);
  for (const _ of [1, 2, 3]) await client.sendOnce();
  expect(host.requests.map((request) => [idsIn(request), request.headers["Sent-At"]])).toEqual([
    [["a", "b"], "1970-01-01T00:00:00.000Z"],
    [["c"], "1970-01-01T00:00:01.000Z"],
    [["d"], "1970-01-01T00:00:00.000Z"],
  ]);
});

test("a server that is down for hours costs no log, and few requests", async () => {
  let down = true;
  const token = () => ({ device_token: "t", refresh_token: "r", expires_at: new Date(host.wall + HOUR_MS).toISOString() });
  const { client, host, queue } = await setUp([{ log_id: "a" }], (request) => {
    if (down) return { status: 503 };
    return request.url.endsWith("/token") ? { status: 200, body: token() } : takeAll(request);
  });
  const stop = new AbortController();
  const sleep = host.sleep.bind(host);
  const began = host.elapsed;
  host.sleep = async (ms) => {
    await sleep(ms);
    if (host.elapsed - began > 6 * HOUR_MS) down = false;
    if ((await queue.waiting()) === 0) stop.abort();
  };
  await client.run(stop.signal);
  expect(await queue.waiting()).toBe(0);
  // Half of five minutes at the least between two tries, once it has been down for a while.
  expect(host.requests.length).toBeLessThan(6 * 24 + 12);
});

test.each<[string, Reply]>([
  ["a page of a network that wants a login", { status: 200, body: "<html>" }],
  ["a 202 that is no JSON", { status: 202, pieces: [new TextEncoder().encode("<html>ok</html>")] }],
  ["an answer that breaks off", { status: 202, pieces: [new TextEncoder().encode('{"processed":1')], cut: true }],
])("%s acknowledges nothing", async (_, reply) => {
  const { client, queue } = await setUp([{ log_id: "a" }], () => reply);
  expect(await client.sendOnce()).toMatchObject({ kind: "wait", ms: 500 });
  expect(await queue.waiting()).toBe(1);
});
