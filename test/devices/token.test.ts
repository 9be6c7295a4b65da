import { calculateJwkThumbprint, exportJWK, generateKeyPair, type JWTPayload, SignJWT, UnsecuredJWT } from "jose";
import { expect, test } from "vitest";
import { type DeviceJwk, parseDeviceKey } from "../../src/devices/keys.ts";
import { authenticateDevice, signDeviceToken, type TokenSecrets } from "../../src/devices/token.ts";
import { sha256Hex } from "../../src/platform/encoding.ts";
import { Problem } from "../../src/platform/errors.ts";

const NOW = Date.UTC(2026, 10, 20, 12);
const HOUR = 3_600_000;
const secrets: TokenSecrets = { DEVICE_TOKEN_SECRET: "one" };
const device = { deviceId: "0199a5b0-7c1e-7000-8000-000000000001", familyId: "0199a5b0-7c1e-7000-8000-000000000002" };

async function deviceKey(): Promise<{ kid: string; jwk: DeviceJwk }> {
  const parsed = await parseDeviceKey(await exportJWK((await generateKeyPair("ES256", { extractable: true })).publicKey));
  if (!parsed.ok) throw new Error(parsed.reason);
  return parsed;
}

/** The identity that a token proves, or the code with which it is refused. */
async function verdict(token: string, by: TokenSecrets = secrets, now = NOW): Promise<unknown> {
  try {
    return await authenticateDevice(new Headers({ Authorization: `Bearer ${token}` }), by, now);
  } catch (error) {
    if (error instanceof Problem && error.type === "unauthorized") return error.code;
    throw error;
  }
}

interface Forgery {
  secret?: string;
  header?: Record<string, unknown>;
  payload?: JWTPayload;
}

/** A token like ours, but for what is changed. */
async function forge({ secret = "one", header = {}, payload = {} }: Forgery = {}): Promise<string> {
  const kid = (await sha256Hex("token-kid:one")).slice(0, 12);
  const issued = NOW / 1000;
  return await new SignJWT({
    iss: "alive-signage",
    aud: "alive-signage/device",
    sub: device.deviceId,
    fam: device.familyId,
    iat: issued,
    exp: issued + 3600,
    ...payload,
  })
    .setProtectedHeader({ alg: "HS256", typ: "device+jwt", kid, ...header })
    .sign(new TextEncoder().encode(secret));
}

test("a token carries the device, its family and its key for an hour", async () => {
  const key = await deviceKey();
  const { token, expiresAt } = await signDeviceToken(secrets, { ...device, key }, NOW + 999);
  expect(expiresAt).toBe(NOW + HOUR);
  const identity = await verdict(token);
  expect(identity).toMatchObject({ ...device, expiresAt: NOW + HOUR, key: { kid: key.kid, alg: "ES256" } });
  expect(key.kid).toBe(await calculateJwkThumbprint(key.jwk));
  expect(await verdict((await signDeviceToken(secrets, { ...device, key: null }, NOW)).token)).toEqual({
    ...device,
    expiresAt: NOW + HOUR,
    key: null,
  });
});

test("a token ends after its hour and five seconds, also where it was verified before", async () => {
  const { token } = await signDeviceToken(secrets, { ...device, key: null }, NOW);
  const fresh = await signDeviceToken(secrets, { ...device, familyId: device.deviceId, key: null }, NOW);
  expect(await verdict(token, secrets, NOW + HOUR + 4_999)).toMatchObject(device);
  expect(await verdict(token, secrets, NOW + HOUR + 5_000)).toBe("TOKEN_EXPIRED");
  expect(await verdict(fresh.token, secrets, NOW + HOUR + 5_000)).toBe("TOKEN_EXPIRED");
});

test("what the forgeries change is what they are refused for: unchanged, the token is good", async () => {
  expect(await verdict(await forge())).toMatchObject(device);
});

test.each<[string, Forgery]>([
  ["another secret under our key id", { secret: "two" }],
  ["an unknown key id", { header: { kid: "000000000000" } }],
  ["another type", { header: { typ: "JWT" } }],
  ["another algorithm of the same secret", { header: { alg: "HS512" } }],
  ["another issuer", { payload: { iss: "somebody" } }],
  ["no issuer", { payload: { iss: undefined } as unknown as JWTPayload }],
  ["another audience", { payload: { aud: "alive-signage/admin" } }],
  ["no device", { payload: { sub: undefined } as unknown as JWTPayload }],
  ["a device that is no UUID", { payload: { sub: "device-1" } }],
  ["no family", { payload: { fam: undefined } }],
  ["a key that is none", { payload: { cnf: "key" } }],
])("a token with %s is refused", async (_, forgery) => {
  expect(await verdict(await forge(forgery))).toBe("TOKEN_INVALID");
});

test("a token without an end, or whose end has passed, is refused", async () => {
  expect(await verdict(await forge({ payload: { exp: undefined } as unknown as JWTPayload }))).toBe("TOKEN_INVALID");
  expect(await verdict(await forge({ payload: { exp: NOW / 1000 - 6 } }))).toBe("TOKEN_EXPIRED");
});

test("alg none, a public key's algorithm, garbage and a changed byte are refused", async () => {
  const good = await forge();
  const [header = "", payload = "", signature = ""] = good.split(".");
  const none = new UnsecuredJWT({ fam: device.familyId })
    .setIssuer("alive-signage")
    .setAudience("alive-signage/device")
    .setSubject(device.deviceId)
    .setExpirationTime(NOW / 1000 + 3600)
    .encode();
  const kid = (await sha256Hex("token-kid:one")).slice(0, 12);
  const noneWithKid = `${btoa(JSON.stringify({ alg: "none", typ: "device+jwt", kid })).replace(/=+$/, "")}.${payload}.`;
  const { privateKey } = await generateKeyPair("RS256");
  const rsa = await new SignJWT({
    fam: device.familyId,
    sub: device.deviceId,
    iss: "alive-signage",
    aud: "alive-signage/device",
    exp: NOW / 1000 + 60,
  })
    .setProtectedHeader({ alg: "RS256", typ: "device+jwt", kid })
    .sign(privateKey);
  const changed = `${header}.${payload}.${signature.startsWith("A") ? "B" : "A"}${signature.slice(1)}`;
  for (const token of [
    none,
    noneWithKid,
    rsa,
    changed,
    `${header}.${payload}.`,
    `${header}.${payload}`,
    "x",
    "...",
    "a.b.c",
    "e30.e30.e30",
    "A".repeat(5000),
  ]) {
    expect([token.slice(0, 40), await verdict(token)]).toEqual([token.slice(0, 40), "TOKEN_INVALID"]);
  }
});

test("no token is told apart from a bad one", async () => {
  for (const value of [null, "", "Bearer", "Basic eDp5", "Bearer ", "Bearer a b"]) {
    const headers = new Headers(value === null ? {} : { Authorization: value });
    const refused = await authenticateDevice(headers, secrets, NOW).catch((error: unknown) => error);
    expect(refused).toMatchObject({
      type: "unauthorized",
      code: "TOKEN_MISSING",
      options: { headers: { "WWW-Authenticate": 'Bearer realm="device"' } },
    });
  }
});

test("while a secret is rotated both are good; after it the old one's tokens are not", async () => {
  const old = (await signDeviceToken({ DEVICE_TOKEN_SECRET: "rot-1" }, { ...device, key: null }, NOW)).token;
  const rotating = { DEVICE_TOKEN_SECRET: "rot-2", DEVICE_TOKEN_SECRET_PREVIOUS: "rot-1" };
  const next = (await signDeviceToken(rotating, { ...device, key: null }, NOW)).token;
  expect(await verdict(old, { DEVICE_TOKEN_SECRET: "rot-2" })).toBe("TOKEN_INVALID");
  expect(await verdict(next, { DEVICE_TOKEN_SECRET: "rot-2" })).toMatchObject(device);
  expect(await verdict(old, rotating)).toMatchObject(device);
});
