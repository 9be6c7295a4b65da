import { describe, expect, test } from "vitest";
import { createIdentity, exportIdentity, identityFromJwk, keepIdentity, type PrivateJwk } from "../../src/sdk/identity.ts";
import { canonicalJson, checksumOf, signedBytes, signPlayLog } from "../../src/sdk/record.ts";
// As text: a module of JSON breaks at the line separator in one of the records.
import text from "../vectors/signed-play-logs.json?raw";

interface Vectors {
  device_id: string;
  keys: Record<"RS256" | "PS256" | "ES256" | "EdDSA", { public_jwk: object; private_jwk: PrivateJwk }>;
  cases: { name: string; record: object & { signature?: string }; signed_bytes: string; expect: string }[];
}
const vectors = JSON.parse(text) as Vectors;

const VERIFY = {
  RS256: [{ name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, { name: "RSASSA-PKCS1-v1_5" }],
  PS256: [
    { name: "RSA-PSS", hash: "SHA-256" },
    { name: "RSA-PSS", saltLength: 32 },
  ],
  ES256: [
    { name: "ECDSA", namedCurve: "P-256" },
    { name: "ECDSA", hash: "SHA-256" },
  ],
  EdDSA: [{ name: "Ed25519" }, { name: "Ed25519" }],
} as const;

async function holds(jwk: object, alg: keyof typeof VERIFY, signature: string, bytes: Uint8Array<ArrayBuffer>) {
  const [importParams, verifyParams] = VERIFY[alg];
  const { alg: _, ...members } = jwk as JsonWebKey;
  const key = await crypto.subtle.importKey("jwk", members, importParams, false, ["verify"]);
  return await crypto.subtle.verify(verifyParams, key, Uint8Array.fromBase64(signature), bytes);
}

const log = {
  log_id: "061692e9-0c38-483f-9b88-afd627d55730",
  device_id: vectors.device_id,
  content_id: "2b912e65-1320-4fc9-8e0f-e864fa59ad1e",
  started_at: "2026-02-05T10:00:00.000Z",
  ended_at: "2026-02-05T10:00:15.000Z",
  duration_actual: 15,
  status: "COMPLETED" as const,
};

const signedCases = vectors.cases.filter((one) => one.expect === "valid");

describe("canonical bytes", () => {
  test("the vectors have cases", () => expect(signedCases.length).toBeGreaterThan(10));

  test.each(signedCases)("$name: the bytes to sign are the vector's", ({ record, signed_bytes }) => {
    expect(new TextDecoder().decode(signedBytes(record))).toBe(signed_bytes);
  });

  test("what JSON cannot say has no canonical form", () => {
    expect(() => canonicalJson(undefined)).toThrow(TypeError);
  });
});

describe("signing", () => {
  test.each(["RS256", "PS256", "ES256", "EdDSA"] as const)(
    "%s: a log signed with the vector's private key verifies with its public key",
    async (alg) => {
      const keys = vectors.keys[alg];
      const signed = await signPlayLog(await identityFromJwk(keys.private_jwk), log);
      expect(await holds(keys.public_jwk, alg, signed.signature, signedBytes(signed))).toBe(true);
      expect(await holds(keys.public_jwk, alg, signed.signature, signedBytes({ ...signed, duration_actual: 16 }))).toBe(false);
    },
  );

  test("RS256 is deterministic, so re-signing the vector's record gives the vector's signature", async () => {
    const plain = vectors.cases.find((one) => one.name === "RS256 plain");
    const identity = await identityFromJwk(vectors.keys.RS256.private_jwk);
    const bytes = new Uint8Array(
      await crypto.subtle.sign({ name: "RSASSA-PKCS1-v1_5" }, identity.privateKey, signedBytes(plain?.record ?? {})),
    );
    expect(bytes.toBase64()).toBe(plain?.record.signature ?? "no such vector");
  });

  test("the checksum covers neither itself nor the signature", async () => {
    const signed = await signPlayLog(await createIdentity("ES256"), log);
    expect(signed.checksum).toBe(await checksumOf(log));
    expect(signed.checksum).toBe(await checksumOf(signed));
    expect(await checksumOf({ ...log, status: "SKIPPED" })).not.toBe(signed.checksum);
  });
});

describe("identity", () => {
  test.each(["RS256", "ES256", "EdDSA"] as const)(
    "%s: a kept key comes back from its JSON and the public part holds nothing private",
    async (alg) => {
      const made = await createIdentity(alg, true);
      const back = await identityFromJwk(await exportIdentity(made));
      expect(back.publicJwk).toEqual(made.publicJwk);
      expect(Object.keys(made.publicJwk).filter((name) => ["d", "p", "q", "dp", "dq", "qi"].includes(name))).toEqual([]);
      const signed = await signPlayLog(back, log);
      expect(await holds({ ...made.publicJwk }, alg, signed.signature, signedBytes(signed))).toBe(true);
    },
  );

  test("RSA of 2048 bits is the default, and its private key cannot be read", async () => {
    const made = await createIdentity();
    expect(made.alg).toBe("RS256");
    expect(made.publicJwk.n?.length).toBe(342);
    await expect(exportIdentity(made)).rejects.toThrow();
  });

  test("a kept identity is used again and a new one is kept before it is used", async () => {
    let kept: Awaited<ReturnType<typeof createIdentity>> | null = null;
    const store = {
      load: async () => kept,
      save: async (identity: NonNullable<typeof kept>) => {
        kept = identity;
      },
    };
    const first = await keepIdentity(store, () => createIdentity("EdDSA"));
    expect(kept).toBe(first);
    expect(await keepIdentity(store, () => createIdentity("EdDSA"))).toBe(first);
  });
});
