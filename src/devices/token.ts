import { decodeProtectedHeader, jwtVerify, SignJWT } from "jose";
import { z } from "zod";
import { sha256Hex } from "../platform/encoding.ts";
import { Problem } from "../platform/errors.ts";
import { HOUR_MS } from "../platform/time.ts";
import { type DeviceJwk, importDeviceKey } from "./keys.ts";

/** Device tokens: JWT, HS256, carrying the device's public key (`cnf.jwk`, RFC 7800), so that plays are verified without a look-up. */
export const DEVICE_TOKEN_LIFETIME_MS = HOUR_MS;
const ISSUER = "alive-signage";
const AUDIENCE = "alive-signage/device";
const TYPE = "device+jwt";
const CLOCK_TOLERANCE_S = 5;
const MAX_TOKEN_CHARS = 4096;
const MAX_CACHED_TOKENS = 4096;

/** The secrets that sign tokens: the first signs, all verify. Two live while one is rotated. */
export interface TokenSecrets {
  DEVICE_TOKEN_SECRET: string;
  DEVICE_TOKEN_SECRET_PREVIOUS?: string | undefined;
}

/** Who a request comes from, as its token says. */
export interface DeviceIdentity {
  deviceId: string;
  /** The token family: one for each time that a player was paired. The sequencer refuses all but the current one. */
  familyId: string;
  expiresAt: number;
  /** The device's key, or null for a device that was paired without one. */
  key: { kid: string; alg: DeviceJwk["alg"]; cryptoKey: CryptoKey } | null;
}

const claimsSchema = z.object({
  sub: z.uuid(),
  fam: z.uuid(),
  exp: z.number(),
  cnf: z.object({ kid: z.string(), jwk: z.custom<DeviceJwk>((value) => typeof value === "object" && value !== null) }).optional(),
});

interface SigningSecret {
  kid: string;
  bytes: Uint8Array;
}

const signingSecrets = new Map<string, SigningSecret>();

async function signingSecret(secret: string): Promise<SigningSecret> {
  const known = signingSecrets.get(secret);
  if (known) return known;
  const made = { kid: (await sha256Hex(`token-kid:${secret}`)).slice(0, 12), bytes: new TextEncoder().encode(secret) };
  signingSecrets.set(secret, made);
  return made;
}

/** Signs a token for a paired player. `now` in ms; `expiresAt` in ms is returned with it. */
export async function signDeviceToken(
  secrets: TokenSecrets,
  device: { deviceId: string; familyId: string; key: { kid: string; jwk: DeviceJwk } | null },
  now: number,
): Promise<{ token: string; expiresAt: number }> {
  const secret = await signingSecret(secrets.DEVICE_TOKEN_SECRET);
  const issuedAt = Math.floor(now / 1000);
  const expiresAt = issuedAt * 1000 + DEVICE_TOKEN_LIFETIME_MS;
  const claims = { fam: device.familyId, ...(device.key ? { cnf: { kid: device.key.kid, jwk: device.key.jwk } } : {}) };
  const token = await new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256", typ: TYPE, kid: secret.kid })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setSubject(device.deviceId)
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt / 1000)
    .sign(secret.bytes);
  return { token, expiresAt };
}

// Values only, never promises: a promise belongs to the request that made it.
const verified = new Map<string, DeviceIdentity>();

/**
 * The identity that a request's `Authorization: Bearer …` proves.
 * @throws Problem `unauthorized` (401) where there is no token or it is not one of ours that is in force.
 */
export async function authenticateDevice(headers: Headers, secrets: TokenSecrets, now: number): Promise<DeviceIdentity> {
  const token = /^Bearer +([A-Za-z0-9._-]+)$/i.exec(headers.get("Authorization") ?? "")?.[1];
  if (!token) throw unauthorized("Send the device token as Authorization: Bearer.", "TOKEN_MISSING");
  return await verifyDeviceToken(token, secrets, now);
}

/** The identity of a token. See {@link authenticateDevice}. */
export async function verifyDeviceToken(token: string, secrets: TokenSecrets, now: number): Promise<DeviceIdentity> {
  const known = verified.get(token);
  if (known) {
    if (known.expiresAt + CLOCK_TOLERANCE_S * 1000 > now) return known;
    verified.delete(token);
  }
  if (token.length > MAX_TOKEN_CHARS) throw unauthorized("The token is not one of ours.", "TOKEN_INVALID");
  const claims = await verifiedClaims(token, secrets, now);
  const identity: DeviceIdentity = {
    deviceId: claims.sub,
    familyId: claims.fam,
    expiresAt: claims.exp * 1000,
    key: claims.cnf ? { kid: claims.cnf.kid, alg: claims.cnf.jwk.alg, cryptoKey: await importDeviceKey(claims.cnf.jwk) } : null,
  };
  remember(token, identity);
  return identity;
}

async function verifiedClaims(token: string, secrets: TokenSecrets, now: number): Promise<z.infer<typeof claimsSchema>> {
  let kid: string | undefined;
  try {
    kid = decodeProtectedHeader(token).kid;
  } catch {
    throw unauthorized("The token is not a JWT.", "TOKEN_INVALID");
  }
  for (const value of [secrets.DEVICE_TOKEN_SECRET, secrets.DEVICE_TOKEN_SECRET_PREVIOUS]) {
    if (!value) continue;
    const secret = await signingSecret(value);
    if (secret.kid !== kid) continue;
    try {
      const { payload } = await jwtVerify(token, secret.bytes, {
        algorithms: ["HS256"],
        issuer: ISSUER,
        audience: AUDIENCE,
        typ: TYPE,
        currentDate: new Date(now),
        clockTolerance: CLOCK_TOLERANCE_S,
      });
      return claimsSchema.parse(payload);
    } catch (cause) {
      const expired = cause instanceof Error && "code" in cause && cause.code === "ERR_JWT_EXPIRED";
      throw expired
        ? unauthorized("The token has expired; fetch a new one with the refresh token.", "TOKEN_EXPIRED")
        : unauthorized("The token is not one of ours.", "TOKEN_INVALID");
    }
  }
  throw unauthorized("The token is not one of ours.", "TOKEN_INVALID");
}

function remember(token: string, identity: DeviceIdentity): void {
  if (verified.size >= MAX_CACHED_TOKENS) {
    const oldest = verified.keys().next().value;
    if (oldest !== undefined) verified.delete(oldest);
  }
  verified.set(token, identity);
}

function unauthorized(detail: string, code: string): Problem {
  return new Problem("unauthorized", detail, { code, headers: { "WWW-Authenticate": 'Bearer realm="device"' } });
}
