import { afterEach, describe, expect, test } from "vitest";
import { DeviceClock } from "../../src/sdk/clock.ts";
import type { Command } from "../../src/sdk/commands.ts";
import { StreamKeeper } from "../../src/sdk/stream.ts";
import { endOf } from "../../src/sdk/stream-connection.ts";
import { TokenKeeper } from "../../src/sdk/tokens.ts";
import type { SequencePosition } from "../../src/sdk/verdicts.ts";
import type { Reply } from "./fake-host.ts";
import { DEVICE } from "./paired.ts";
import { type FakeSocket, TimedHost } from "./timed-host.ts";

const WELCOME = { type: "welcome", server_time: "2026-11-20T12:00:00.000Z", epoch: "e", expected_sequence: 8 };
const running: { stop: AbortController; ended: Promise<void> }[] = [];

afterEach(async () => {
  for (const { stop, ended } of running.splice(0)) {
    stop.abort();
    await ended;
  }
});

function setUp(onOpen: (socket: FakeSocket) => void = (socket) => socket.listener.opened(), tokenLastsMs = 3_600_000) {
  const renewed = (): Reply => ({
    status: 200,
    body: {
      device_token: `token-${host.requests.length + 1}`,
      refresh_token: "r",
      expires_at: new Date(host.wall + 3_600_000).toISOString(),
    },
  });
  const host: TimedHost = new TimedHost(renewed).withSockets(onOpen);
  const credentials = { deviceId: DEVICE, deviceToken: "token-1", expiresAt: host.wall + tokenLastsMs, refreshToken: "r" };
  const clock = new DeviceClock(host);
  const store = { load: async () => null, save: async () => {} };
  const tokens = new TokenKeeper({ host, baseUrl: "https://edge", clock, store, credentials });
  const heard = { plans: 0, commands: [] as Command[], positions: [] as SequencePosition[], open: [] as boolean[] };
  const news = {
    onPlan: () => {
      heard.plans += 1;
    },
    onCommand: (command: Command) => heard.commands.push(command),
    onPosition: (position: SequencePosition) => heard.positions.push(position),
    onOpen: (open: boolean) => heard.open.push(open),
  };
  const stream = new StreamKeeper({ host, baseUrl: "https://edge", tokens, news });
  const stop = new AbortController();
  const ended = stream.run(stop.signal);
  running.push({ stop, ended });
  return { heard, host, stop, stream, ended };
}

const welcoming = (socket: FakeSocket) => {
  socket.listener.opened();
  socket.say(WELCOME);
};

async function opened() {
  const up = setUp(welcoming);
  await up.host.until("the stream is open", () => up.stream.open);
  const socket = up.host.sockets[0];
  if (!socket) throw new Error("no socket");
  return { ...up, socket };
}

describe("a stream", () => {
  test("is opened with the token as a subprotocol, and is open when the server has said where the device stands", async () => {
    const { heard, host, stream } = setUp();
    await host.settle();
    expect(host.sockets.map(({ url, protocols }) => [url, protocols])).toEqual([
      ["wss://edge/v1/device/stream", ["alive.v1", "bearer.token-1"]],
    ]);
    expect(stream.open).toBe(false);
    host.sockets[0]?.say(WELCOME);
    expect([stream.open, heard.open, heard.positions]).toEqual([true, [true], [{ epoch: "e", expectedSequence: 8 }]]);
  });

  test("carries logs as they are, and brings their verdicts by the frame's id", async () => {
    const { socket, stream } = await opened();
    const first = stream.post(['{"log_id":"a","n":1.50}'], 0);
    const second = stream.post(['{"log_id":"b"}'], 1000);
    expect(socket.sent).toEqual([
      '{"type":"plays","id":"1","sent_at":"1970-01-01T00:00:00.000Z","logs":[{"log_id":"a","n":1.50}]}',
      '{"type":"plays","id":"2","sent_at":"1970-01-01T00:00:01.000Z","logs":[{"log_id":"b"}]}',
    ]);
    socket.say({ type: "error", id: "2", problem: { status: 429, code: "RATE_LIMIT_EXCEEDED" }, retry_after_s: 12 });
    const verdicts = { type: "verdicts", id: "1", processed: 1, duplicates: 0, failed: 0, errors: [] };
    socket.say(verdicts);
    expect(await first).toEqual({ kind: "answer", status: 202, body: verdicts, retryAfterMs: null });
    expect(await second).toMatchObject({ kind: "answer", status: 429, body: { code: "RATE_LIMIT_EXCEEDED" }, retryAfterMs: 12_000 });
  });

  test("tells of plans and commands, and passes over what it does not understand", async () => {
    const { heard, socket } = await opened();
    for (const text of ["pong", "{", "null", "[]", '{"type":"new"}', '{"type":"verdicts","id":"99"}', '{"type":"command","command":7}'])
      socket.listener.text(text);
    socket.say({ type: "plan" });
    socket.say({ type: "command", command: { id: "c1", type: "set_volume", params: { level: 40 }, created_at: "x" } });
    expect([heard.plans, heard.commands]).toEqual([1, [{ id: "c1", type: "set_volume", params: { level: 40 } }]]);
  });

  test("that breaks answers nothing of what it had, and is opened anew, ever more slowly", async () => {
    const { heard, host, socket, stream } = await opened();
    const waiting = stream.post(["{}"], 0);
    host.withSockets((next) => next.listener.closed(1006, ""));
    socket.listener.closed(1006, "");
    expect(await waiting).toEqual({ kind: "unreachable", error: "The stream ended." });
    await host.until("it has been tried often", () => host.sockets.length === 10);
    expect([stream.open, heard.open]).toEqual([false, [true, false]]);
    const waits = host.slept.filter((ms) => ms <= 60_000 && ms !== 15_000 && ms !== 30_000);
    expect(waits.slice(0, 9)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]);
  });

  test("is opened anew at once when the network is back", async () => {
    const { host, socket, stream } = await opened();
    host.withSockets((next) => next.listener.closed(1006, ""));
    socket.listener.closed(1006, "");
    await host.until("it waits for a minute", () => host.slept.at(-1) === 60_000);
    host.withSockets(welcoming);
    const since = host.elapsed;
    stream.tryAgain();
    await host.settle();
    expect([stream.open, host.elapsed - since]).toEqual([true, 0]);
  });

  test("on which nothing is heard in spite of pings is given up", async () => {
    const { host, socket } = await opened();
    await host.until("it was opened anew", () => host.sockets.length === 2);
    expect([socket.sent, socket.closedHere]).toEqual([["ping"], true]);
  });

  test("that is not welcomed in time is given up", async () => {
    const { host } = setUp();
    await host.until("it was opened anew", () => host.sockets.length === 2);
    expect(host.sockets[0]?.closedHere).toBe(true);
    expect(host.slept).toContain(15_000);
  });

  test("that does not answer is given up, and so are the logs on it", async () => {
    const { host, socket, stream } = await opened();
    const answer = stream.post(["{}"], 0);
    let told = "";
    void answer.then((one) => {
      told = one.kind;
    });
    await host.until("the wait is over", () => told !== "");
    expect([told, socket.closedHere]).toEqual(["unreachable", true]);
  });

  test("is opened anew with the next token, before its own has ended", async () => {
    const { host, stream } = setUp((socket) => {
      welcoming(socket);
      // The other end answers pings, so that it is not given up.
      socket.send = (text) => {
        socket.sent.push(text);
        if (text === "ping") socket.listener.text("pong");
      };
    }, 300_000);
    await host.until("the token has changed", () => host.sockets.length === 2);
    expect(host.sockets.map(({ protocols }) => protocols[1])).toEqual(["bearer.token-1", "bearer.token-2"]);
    expect([stream.open, host.elapsed]).toEqual([true, 1000 + 300_000 - 120_000 + 1000]);
  });
});

describe("the end of a stream", () => {
  test.each([
    [4401, "TOKEN_EXPIRED", { kind: "token" }],
    [4403, "DEVICE_REVOKED", { kind: "stopped", code: "DEVICE_REVOKED" }],
    [4409, "REPLACED", { kind: "replaced" }],
    [1013, "TOO_MANY_FRAMES_WAITING", { kind: "lost", reason: "TOO_MANY_FRAMES_WAITING" }],
    [1006, "", { kind: "lost", reason: "CLOSED_1006" }],
  ])("by %d %s", (code, reason, expected) => {
    expect(endOf(code, reason)).toEqual(expected);
  });

  test("for its token fetches another one first", async () => {
    const { host, socket } = await opened();
    socket.listener.closed(4401, "TOKEN_EXPIRED");
    await host.until("it was opened anew", () => host.sockets.length === 2);
    expect(host.requests.map(({ url }) => url)).toEqual(["https://edge/v1/device/token"]);
    expect(host.sockets[1]?.protocols[1]).toBe("bearer.token-2");
  });

  test("by another player that is this device leaves that one its stream for minutes", async () => {
    const { host, socket } = await opened();
    socket.listener.closed(4409, "REPLACED");
    await host.until("it was opened anew", () => host.sockets.length === 2);
    expect(host.slept).toContain(300_000);
  });

  test("by revocation is the end of all streams", async () => {
    const { ended, host, socket } = await opened();
    socket.listener.closed(4403, "DEVICE_REVOKED");
    await ended;
    expect(host.sockets.length).toBe(1);
  });

  test("a host without WebSockets has none, and says so", async () => {
    const { access } = (await import("./paired.ts")).paired(() => "lost");
    const news = { onPlan: () => {}, onCommand: () => {}, onPosition: () => {} };
    const stream = new StreamKeeper({ ...access, news });
    await stream.run(new AbortController().signal);
    expect([stream.open, await stream.post(["{}"], 0)]).toEqual([false, { kind: "unreachable", error: "The stream is not open." }]);
  });
});
