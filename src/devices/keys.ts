import { calculateJwkThumbprint, type JWK } from "jose";
import { decodeBase64 } from "../platform/encoding.ts";

/** A JWS algorithm (RFC 7518, RFC 8037) as WebCrypto wants it. A device's key fixes its algorithm; a message never chooses. */
interface SignatureAlgorithm {
  kty: "RSA" | "EC" | "OKP";
  crv?: string;
  importParams: SubtleCryptoImportKeyAlgorithm;
  /** A name alone where that is all: the runtime would look for each member that an algorithm may have. */
  verifyParams: SubtleCryptoSignAlgorithm | string;
  /** Length of a signature in bytes, where the algorithm fixes it. */
  signatureBytes?: number;
}

export const SIGNATURE_ALGORITHMS = {
  RS256: {
    kty: "RSA",
    importParams: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    verifyParams: "RSASSA-PKCS1-v1_5",
  },
  PS256: { kty: "RSA", importParams: { name: "RSA-PSS", hash: "SHA-256" }, verifyParams: { name: "RSA-PSS", saltLength: 32 } },
  ES256: {
    kty: "EC",
    crv: "P-256",
    importParams: { name: "ECDSA", namedCurve: "P-256" },
    verifyParams: { name: "ECDSA", hash: "SHA-256" },
    signatureBytes: 64,
  },
  EdDSA: { kty: "OKP", crv: "Ed25519", importParams: { name: "Ed25519" }, verifyParams: "Ed25519", signatureBytes: 64 },
} as const satisfies Record<string, SignatureAlgorithm>;

export type SignatureAlg = keyof typeof SIGNATURE_ALGORITHMS;

const RSA_MIN_BITS = 2048;
const RSA_MAX_BITS = 4096;

/** A device's public key as it is registered: only the members that make the key, and its algorithm. */
export type DeviceJwk =
  | { kty: "RSA"; n: string; e: string; alg: "RS256" | "PS256" }
  | { kty: "EC"; crv: "P-256"; x: string; y: string; alg: "ES256" }
  | { kty: "OKP"; crv: "Ed25519"; x: string; alg: "EdDSA" };

export type ParsedKey = { ok: true; jwk: DeviceJwk; kid: string } | { ok: false; reason: string };

/**
 * Reads the public key that a device offers.
 * RSA of 2048 to 4096 bits (RS256 unless `alg` says PS256), P-256 (ES256), Ed25519 (EdDSA); anything else is refused with a reason.
 * The key id is the key's thumbprint (RFC 7638). Private members are refused rather than dropped: a device that sends
 * its private key has a fault that must be seen.
 */
export async function parseDeviceKey(input: unknown): Promise<ParsedKey> {
  if (typeof input !== "object" || input === null || Array.isArray(input)) return refuse("The key is not a JWK object.");
  const given = input as Record<string, unknown>;
  if (["d", "p", "q", "dp", "dq", "qi", "k"].some((member) => member in given))
    return refuse("The key holds private members; send the public key only.");
  if (given.use !== undefined && given.use !== "sig") return refuse('The key\'s use must be "sig".');
  const picked = pickMembers(given);
  if (!picked.ok) return picked;
  try {
    await importDeviceKey(picked.jwk);
  } catch {
    return refuse("The key's numbers do not make a valid public key.");
  }
  return { ok: true, jwk: picked.jwk, kid: await calculateJwkThumbprint(picked.jwk as JWK, "sha256") };
}

type Picked = { ok: true; jwk: DeviceJwk } | { ok: false; reason: string };

function pickMembers(given: Record<string, unknown>): Picked {
  const { kty, alg, crv, n, e, x, y } = given;
  if (kty === "RSA") {
    if (typeof n !== "string" || typeof e !== "string") return refuse("An RSA key needs the members n and e.");
    if (alg !== undefined && alg !== "RS256" && alg !== "PS256") return refuse("An RSA key signs by RS256 or PS256.");
    const modulus = decodeBase64(n);
    const exponent = decodeBase64(e);
    if (!modulus || !exponent) return refuse("The members n and e must be base64url.");
    const bits = bitLength(modulus);
    if (bits < RSA_MIN_BITS) return refuse(`An RSA key needs ${RSA_MIN_BITS} bits or more; this one has ${bits}.`);
    if (bits > RSA_MAX_BITS) return refuse(`An RSA key may have ${RSA_MAX_BITS} bits at most; this one has ${bits}.`);
    if (exponent.toHex() !== "010001") return refuse("An RSA key's exponent must be 65537.");
    return { ok: true, jwk: { kty, n, e, alg: alg ?? "RS256" } };
  }
  if (kty === "EC") {
    if (crv !== "P-256") return refuse("An EC key must be on the curve P-256.");
    if (alg !== undefined && alg !== "ES256") return refuse("A P-256 key signs by ES256.");
    if (typeof x !== "string" || typeof y !== "string") return refuse("An EC key needs the members x and y.");
    return { ok: true, jwk: { kty, crv, x, y, alg: "ES256" } };
  }
  if (kty === "OKP") {
    if (crv !== "Ed25519") return refuse("An OKP key must be Ed25519.");
    if (alg !== undefined && alg !== "EdDSA" && alg !== "Ed25519") return refuse("An Ed25519 key signs by EdDSA.");
    if (typeof x !== "string") return refuse("An Ed25519 key needs the member x.");
    return { ok: true, jwk: { kty, crv, x, alg: "EdDSA" } };
  }
  return refuse("The key type must be RSA, EC (P-256) or OKP (Ed25519).");
}

function bitLength(bigEndian: Uint8Array): number {
  const first = bigEndian.findIndex((byte) => byte !== 0);
  return first < 0 ? 0 : (bigEndian.length - first) * 8 - Math.clz32(bigEndian[first] ?? 0) + 24;
}

function refuse(reason: string): { ok: false; reason: string } {
  return { ok: false, reason };
}

/** Makes a WebCrypto key of a registered key. Throws where the numbers make no key. */
export async function importDeviceKey(jwk: DeviceJwk): Promise<CryptoKey> {
  const { alg, ...members } = jwk;
  return await crypto.subtle.importKey("jwk", members as JsonWebKey, SIGNATURE_ALGORITHMS[alg].importParams, false, ["verify"]);
}

/** Whether a signature over bytes is that key's. False, never an error, for anything that is no signature. */
export function verifySignature(alg: SignatureAlg, key: CryptoKey, signature: Uint8Array, bytes: Uint8Array): Promise<boolean> {
  const algorithm: SignatureAlgorithm = SIGNATURE_ALGORITHMS[alg];
  if (algorithm.signatureBytes !== undefined && signature.length !== algorithm.signatureBytes) return Promise.resolve(false);
  return crypto.subtle.verify(algorithm.verifyParams, key, signature, bytes).catch(doesNotHold);
}

function doesNotHold(): false {
  return false;
}
