import { expect, test } from "vitest";
import { askAsDevice } from "../../src/sdk/authorised.ts";
import type { Reply } from "./fake-host.ts";
import { paired } from "./paired.ts";

const get = { method: "GET" as const, headers: { "If-None-Match": '"e"' } };
const renewed: Reply = {
  status: 200,
  body: { device_token: "token-2", refresh_token: "refresh-2", expires_at: "2026-11-20T13:00:00.000Z" },
};

test("a request goes out with the device's token beside its own headers", async () => {
  const { access, host } = paired(() => ({ status: 404, body: { code: "NOT_FOUND" } }));
  const asked = await askAsDevice(access, "/v1/device/plan", get);
  expect(asked.kind === "answered" && asked.response.status).toBe(404);
  expect(host.requests).toEqual([
    { url: "http://edge/v1/device/plan", headers: { "If-None-Match": '"e"', Authorization: "Bearer token-1" }, text: "" },
  ]);
});

test("where the token is refused it goes out once more with a fresh one", async () => {
  const { access, host } = paired((request) => {
    if (request.url.endsWith("/token")) return renewed;
    return request.headers.Authorization === "Bearer token-2" ? { status: 200, body: {} } : { status: 401 };
  });
  expect((await askAsDevice(access, "/v1/device/plan", get)).kind).toBe("answered");
  expect(host.requests.map(({ url }) => new URL(url).pathname)).toEqual(["/v1/device/plan", "/v1/device/token", "/v1/device/plan"]);
});

test("a second refusal is waited out, and a refresh token that is refused is the end", async () => {
  const stubborn = paired((request) => (request.url.endsWith("/token") ? renewed : { status: 401 }));
  expect(await askAsDevice(stubborn.access, "/x", get)).toEqual({ kind: "wait", retryAfterMs: null, reason: "UNAUTHORIZED" });
  expect(stubborn.host.requests.length).toBe(3);
  const ended = paired((request) => ({ status: 401, body: request.url.endsWith("/token") ? { code: "REFRESH_TOKEN_REVOKED" } : {} }));
  expect(await askAsDevice(ended.access, "/x", get)).toEqual({ kind: "stopped", code: "REFRESH_TOKEN_REVOKED" });
});

test.each<[string, Reply, object]>([
  ["no network", "lost", { kind: "wait", retryAfterMs: null, reason: "connection lost" }],
  [
    "a busy server",
    { status: 429, headers: { "Retry-After": "7" }, body: { code: "RATE_LIMIT_EXCEEDED" } },
    { kind: "wait", retryAfterMs: 7000, reason: "RATE_LIMIT_EXCEEDED" },
  ],
  ["a broken server", { status: 502 }, { kind: "wait", retryAfterMs: null, reason: "HTTP_502" }],
  ["a proxy's 403", { status: 403 }, { kind: "wait", retryAfterMs: null, reason: "HTTP_403" }],
  ["revocation", { status: 403, body: { code: "DEVICE_REVOKED" } }, { kind: "stopped", code: "DEVICE_REVOKED" }],
])("%s is told apart", async (_, reply, expected) => {
  const { access } = paired(() => reply);
  expect(await askAsDevice(access, "/x", get)).toEqual(expected);
});
