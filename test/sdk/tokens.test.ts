import { expect, test } from "vitest";
import { DeviceClock } from "../../src/sdk/clock.ts";
import { type Credentials, TokenKeeper } from "../../src/sdk/tokens.ts";
import { FakeHost, type Reply, type SeenRequest } from "./fake-host.ts";

const DEVICE = "aa705f37-c8cc-4726-a32f-315d7df12ae3";
const successor: Reply = {
  status: 200,
  body: { device_token: "token-2", refresh_token: "refresh-2", expires_at: "2026-11-20T14:00:00.000Z" },
};

function setUp(lifetimeMs: number, reply: (request: SeenRequest) => Reply) {
  const host = new FakeHost(reply);
  const clock = new DeviceClock(host);
  const saved: Credentials[] = [];
  const store = {
    load: async () => null,
    save: async (credentials: Credentials) => {
      saved.push(credentials);
    },
  };
  const credentials = { deviceId: DEVICE, deviceToken: "token-1", expiresAt: host.wall + lifetimeMs, refreshToken: "refresh-1" };
  return { host, clock, saved, keeper: new TokenKeeper({ host, baseUrl: "http://edge", clock, store, credentials }) };
}

test("a token that lasts is used without a request", async () => {
  const { host, keeper } = setUp(120_001, () => "lost");
  expect(await keeper.token()).toEqual({ kind: "token", token: "token-1" });
  expect(host.requests).toEqual([]);
});

test("a token is renewed two minutes before its end, by the server's time, and stored before it is used", async () => {
  const { clock, keeper, saved } = setUp(120_000 + 480_000, () => successor);
  expect(await keeper.token()).toEqual({ kind: "token", token: "token-1" });
  clock.offsetMs = -480_000;
  expect(await keeper.token()).toEqual({ kind: "token", token: "token-2" });
  expect(saved).toEqual([
    { deviceId: DEVICE, deviceToken: "token-2", refreshToken: "refresh-2", expiresAt: Date.parse("2026-11-20T14:00:00.000Z") },
  ]);
});

test("after a lost answer the old refresh token is used again", async () => {
  let lost = true;
  const { host, keeper } = setUp(0, () => (lost ? "lost" : successor));
  expect(await keeper.token()).toEqual({ kind: "wait", retryAfterMs: null });
  lost = false;
  expect(await keeper.token()).toEqual({ kind: "token", token: "token-2" });
  expect(host.requests.map((request) => request.text)).toEqual(['{"refresh_token":"refresh-1"}', '{"refresh_token":"refresh-1"}']);
});

test("a refresh token is given up only once its successor is stored; a disk that is full leaves the device a token all the same", async () => {
  const { keeper, host, saved } = setUp(0, () => successor);
  const push = saved.push.bind(saved);
  saved.push = () => {
    throw new Error("disk full");
  };
  expect(await keeper.token()).toEqual({ kind: "token", token: "token-2" });
  expect(await keeper.token()).toEqual({ kind: "token", token: "token-2" });
  saved.push = push;
  keeper.reject("token-2");
  expect(await keeper.token()).toEqual({ kind: "token", token: "token-2" });
  keeper.reject("token-2");
  await keeper.token();
  expect(host.requests.map((request) => request.text)).toEqual(
    ["refresh-1", "refresh-1", "refresh-2"].map((token) => `{"refresh_token":"${token}"}`),
  );
});

test("callers at the same time share one renewal", async () => {
  const { host, keeper } = setUp(0, () => successor);
  const tokens = await Promise.all([keeper.token(), keeper.token(), keeper.token()]);
  expect(tokens.map((result) => result.kind === "token" && result.token)).toEqual(["token-2", "token-2", "token-2"]);
  expect(host.requests.length).toBe(1);
});

test("a refused refresh token means pairing anew; a busy server means waiting", async () => {
  const refused = setUp(0, () => ({ status: 401, body: { code: "REFRESH_TOKEN_REVOKED" } }));
  expect(await refused.keeper.token()).toEqual({ kind: "unpaired", code: "REFRESH_TOKEN_REVOKED" });
  const gateway = setUp(0, () => ({ status: 403, body: { code: "ACCESS_DENIED" } }));
  expect(await gateway.keeper.token()).toEqual({ kind: "wait", retryAfterMs: null });
  const busy = setUp(0, () => ({ status: 503, headers: { "Retry-After": "3" } }));
  expect(await busy.keeper.token()).toEqual({ kind: "wait", retryAfterMs: 3000 });
});
