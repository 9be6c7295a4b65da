import { exportJWK, generateKeyPair, type JWK } from "jose";
import { expect, test } from "vitest";
import { importDeviceKey, parseDeviceKey, verifySignature } from "../../src/devices/keys.ts";

async function publicJwk(alg: string, options: { modulusLength?: number; crv?: string } = {}): Promise<JWK> {
  return await exportJWK((await generateKeyPair(alg, { extractable: true, ...options })).publicKey);
}

/** An RSA key of any length, as JSON: its numbers need not be a real key's to be refused by length. */
function rsaOfBits(bits: number, e = "AQAB"): JWK {
  const n = new Uint8Array(Math.ceil(bits / 8)).fill(0xff);
  n[0] = 0xff >> ((8 - (bits % 8)) % 8);
  return { kty: "RSA", n: n.toBase64({ alphabet: "base64url", omitPadding: true }), e };
}

test("the key id is the RFC 7638 thumbprint of its example, and only the key's own members are kept", async () => {
  const n =
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
  expect(await parseDeviceKey({ kty: "RSA", n, e: "AQAB", alg: "RS256", kid: "2011-04-29", use: "sig", note: "mine" })).toEqual({
    ok: true,
    kid: "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
    jwk: { kty: "RSA", n, e: "AQAB", alg: "RS256" },
  });
});

test.each([
  ["RS256", undefined, "RS256"],
  ["RS256", "RS256", "RS256"],
  ["PS256", "PS256", "PS256"],
  ["ES256", undefined, "ES256"],
  ["EdDSA", undefined, "EdDSA"],
  ["EdDSA", "Ed25519", "EdDSA"],
])("a key of %s with alg %s signs by %s", async (generated, alg, expected) => {
  const parsed = await parseDeviceKey({ ...(await publicJwk(generated)), ...(alg ? { alg } : {}) });
  expect(parsed).toMatchObject({ ok: true, jwk: { alg: expected } });
});

test.each<[string, unknown, string]>([
  ["null", null, "The key is not a JWK object."],
  ["a text", "key", "The key is not a JWK object."],
  ["a list", [], "The key is not a JWK object."],
  ["an empty object", {}, "The key type must be RSA, EC (P-256) or OKP (Ed25519)."],
  ["a secret", { kty: "oct", k: "AAAA" }, "The key holds private members; send the public key only."],
  ["a key for encryption", { ...rsaOfBits(2048), use: "enc" }, 'The key\'s use must be "sig".'],
  ["RSA of 1024 bits", rsaOfBits(1024), "An RSA key needs 2048 bits or more; this one has 1024."],
  ["RSA of 2047 bits", rsaOfBits(2047), "An RSA key needs 2048 bits or more; this one has 2047."],
  ["RSA of 4097 bits", rsaOfBits(4097), "An RSA key may have 4096 bits at most; this one has 4097."],
  ["RSA with the exponent 3", rsaOfBits(2048, "Aw"), "An RSA key's exponent must be 65537."],
  ["RSA with numbers for texts", { kty: "RSA", n: 5, e: 3 }, "An RSA key needs the members n and e."],
  ["RSA that is no base64", { kty: "RSA", n: "ä", e: "AQAB" }, "The members n and e must be base64url."],
  ["RSA for ES256", { ...rsaOfBits(2048), alg: "ES256" }, "An RSA key signs by RS256 or PS256."],
  ["RSA for RS1", { ...rsaOfBits(2048), alg: "RS1" }, "An RSA key signs by RS256 or PS256."],
  [
    "a point that is not on the curve",
    { kty: "EC", crv: "P-256", x: "AAAA", y: "AAAA" },
    "The key's numbers do not make a valid public key.",
  ],
  ["half a point", { kty: "EC", crv: "P-256", x: "AAAA" }, "An EC key needs the members x and y."],
  ["P-256 for ES384", { kty: "EC", crv: "P-256", x: "AA", y: "AA", alg: "ES384" }, "A P-256 key signs by ES256."],
  ["secp256k1", { kty: "EC", crv: "secp256k1", x: "AA", y: "AA" }, "An EC key must be on the curve P-256."],
  ["Ed448", { kty: "OKP", crv: "Ed448", x: "AA" }, "An OKP key must be Ed25519."],
  ["Ed25519 of two bytes", { kty: "OKP", crv: "Ed25519", x: "AAAA" }, "The key's numbers do not make a valid public key."],
])("%s is refused with its reason", async (_, key, reason) => {
  expect(await parseDeviceKey(key)).toEqual({ ok: false, reason });
});

test("real keys that are weak, of another curve or private are refused", async () => {
  expect(await parseDeviceKey(await publicJwk("ES384"))).toEqual({ ok: false, reason: "An EC key must be on the curve P-256." });
  for (const alg of ["RS256", "ES256", "EdDSA"]) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    expect(await parseDeviceKey(await exportJWK(privateKey))).toEqual({
      ok: false,
      reason: "The key holds private members; send the public key only.",
    });
  }
});

test.each(["RS256", "PS256", "ES256", "EdDSA"] as const)("a signature by %s holds for its bytes and its key alone", async (alg) => {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  const parsed = await parseDeviceKey({ ...(await exportJWK(publicKey)), alg });
  if (!parsed.ok) throw new Error(parsed.reason);
  const key = await importDeviceKey(parsed.jwk);
  const bytes = new TextEncoder().encode("a play");
  const by = {
    RS256: "RSASSA-PKCS1-v1_5",
    PS256: { name: "RSA-PSS", saltLength: 32 },
    ES256: { name: "ECDSA", hash: "SHA-256" },
    EdDSA: "Ed25519",
  };
  const signature = new Uint8Array(await crypto.subtle.sign(by[alg], privateKey as CryptoKey, bytes));
  expect(await verifySignature(alg, key, signature, bytes)).toBe(true);
  expect(await verifySignature(alg, key, signature, new TextEncoder().encode("A play"))).toBe(false);
  expect(await verifySignature(alg, key, signature.slice(1), bytes)).toBe(false);
  expect(await verifySignature(alg, key, new Uint8Array(0), bytes)).toBe(false);
  const other = await parseDeviceKey({ ...(await publicJwk(alg)), alg });
  if (!other.ok) throw new Error(other.reason);
  expect(await verifySignature(alg, await importDeviceKey(other.jwk), signature, bytes)).toBe(false);
});
