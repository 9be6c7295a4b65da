import { describe, expect, test } from "vitest";
import { createIdentity } from "../../src/sdk/identity.ts";
import { collectPairing, pairWithCode, requestCode } from "../../src/sdk/pairing.ts";
import { FakeHost, type Reply } from "./fake-host.ts";

const DEVICE = "aa705f37-c8cc-4726-a32f-315d7df12ae3";
const paired: Reply = {
  status: 200,
  body: { device_id: DEVICE, device_token: "token", refresh_token: "refresh", expires_at: "2026-11-20T13:00:00.000Z" },
};
const credentials = { deviceId: DEVICE, deviceToken: "token", refreshToken: "refresh", expiresAt: Date.parse("2026-11-20T13:00:00.000Z") };

describe("by an administrator's code", () => {
  test("the code is sent as it is signed: upper-case, without what people put between", async () => {
    const host = new FakeHost(() => paired);
    const identity = await createIdentity("EdDSA");
    expect(await pairWithCode(host, "http://edge", identity, "bcdf-GH jk", { model: "x" })).toEqual(credentials);
    const body = JSON.parse(host.requests[0]?.text ?? "") as { claim_code: string; proof: string; public_key: JsonWebKey };
    expect(host.requests[0]?.url).toBe("http://edge/v1/device/pairing/claim");
    expect(body).toMatchObject({ claim_code: "BCDFGHJK", device_info: { model: "x" }, public_key: identity.publicJwk });
    const [header = "", payload = "", signature = ""] = body.proof.split(".");
    expect([header, payload].map((part) => new TextDecoder().decode(Uint8Array.fromBase64(part, { alphabet: "base64url" })))).toEqual([
      '{"alg":"EdDSA"}',
      "BCDFGHJK",
    ]);
    const { alg: _, ...members } = body.public_key;
    const key = await crypto.subtle.importKey("jwk", members as JsonWebKey, { name: "Ed25519" }, false, ["verify"]);
    const signed = new TextEncoder().encode(`${header}.${payload}`);
    expect(await crypto.subtle.verify({ name: "Ed25519" }, key, Uint8Array.fromBase64(signature, { alphabet: "base64url" }), signed)).toBe(
      true,
    );
  });

  test("after a lost answer the same claim is sent again", async () => {
    const host = new FakeHost(() => (host.requests.length < 3 ? "lost" : paired));
    expect(await pairWithCode(host, "http://edge", await createIdentity("EdDSA"), "BCDFGHJK", {})).toEqual(credentials);
    expect(new Set(host.requests.map((request) => request.text)).size).toBe(1);
    expect(host.slept).toEqual([500, 1000]);
  });

  test("a code that is used up is an error with the server's code", async () => {
    const host = new FakeHost(() => ({ status: 409, body: { code: "CLAIM_USED", detail: "used" } }));
    const attempt = pairWithCode(host, "http://edge", await createIdentity("EdDSA"), "BCDFGHJK", {});
    await expect(attempt).rejects.toMatchObject({ name: "ServerRefusal", status: 409, code: "CLAIM_USED" });
    expect(host.requests.length).toBe(1);
  });

  test("too many misses are waited for, and a server that never answers is given up", async () => {
    const busy = new FakeHost(() => (busy.requests.length === 1 ? { status: 429, headers: { "Retry-After": "9" } } : paired));
    await pairWithCode(busy, "http://edge", await createIdentity("EdDSA"), "BCDFGHJK", {});
    expect(busy.slept).toEqual([9000]);
    const dead = new FakeHost(() => "lost");
    await expect(pairWithCode(dead, "http://edge", await createIdentity("EdDSA"), "BCDFGHJK", {})).rejects.toMatchObject({ status: 0 });
    expect(dead.requests.length).toBe(6);
  });
});

test("by a code of its own: asked for, pending, then paired", async () => {
  const replies: Reply[] = [
    { status: 201, body: { claim_code: "BCDFGHJK", device_code: "secret", expires_at: "2026-11-20T12:10:00.000Z" } },
    { status: 202, body: { status: "pending", retry_after_s: 5 }, headers: { "Retry-After": "5" } },
    paired,
  ];
  const host = new FakeHost(() => replies[host.requests.length - 1] ?? "lost");
  const identity = await createIdentity("EdDSA");
  const requested = await requestCode(host, "http://edge", identity, { model: "x" });
  expect(requested).toEqual({ claimCode: "BCDFGHJK", deviceCode: "secret", expiresAt: Date.parse("2026-11-20T12:10:00.000Z") });
  expect(await collectPairing(host, "http://edge", identity, requested)).toEqual({ kind: "pending", retryAfterMs: 5000 });
  expect(await collectPairing(host, "http://edge", identity, requested)).toEqual({ kind: "paired", credentials });
  expect(JSON.parse(host.requests[0]?.text ?? "")).toEqual({ device_info: { model: "x" }, public_key: identity.publicJwk });
  expect(JSON.parse(host.requests[2]?.text ?? "")).toMatchObject({ claim_code: "BCDFGHJK", device_code: "secret" });
});
