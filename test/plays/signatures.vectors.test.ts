import { describe, expect, test } from "vitest";
import { importDeviceKey, parseDeviceKey } from "../../src/devices/keys.ts";
import { doorPolicy } from "../../src/plays/policy.ts";
import { canonicalRecord, missingSignature, type VerifyingKey, verifyRecord } from "../../src/plays/verify.ts";
import text from "../vectors/signed-play-logs.json?raw";

interface Case {
  name: string;
  alg: string;
  record: Record<string, unknown>;
  signed_bytes: string;
  expect: string;
}

// As text: the file holds characters that a bundler's JSON loader writes wrongly into a module.
const vectors = JSON.parse(text) as { keys: Record<string, { public_jwk: unknown }>; cases: Case[] };

async function keyOf(alg: string): Promise<VerifyingKey> {
  const parsed = await parseDeviceKey(vectors.keys[alg]?.public_jwk);
  if (!parsed.ok) throw new Error(parsed.reason);
  return { kid: parsed.kid, alg: parsed.jwk.alg, cryptoKey: await importDeviceKey(parsed.jwk) };
}

async function verdictOf({ alg, record }: Case): Promise<string> {
  const canonical = await canonicalRecord(record);
  if ("code" in canonical) return canonical.code;
  const proof = await verifyRecord(canonical, await keyOf(alg), false);
  if ("code" in proof) return proof.code;
  return missingSignature(proof, doorPolicy("playback-log", {})) ?? "valid";
}

describe("signed play logs (vectors made outside the project)", () => {
  test("there are 33 cases", () => expect(vectors.cases.length).toBe(33));
  test.each(vectors.cases)("$name", async (vector) => {
    const canonical = await canonicalRecord(vector.record);
    // `signed_bytes` is what the signer signed; a record that was altered since has another canonical form.
    if (vector.expect === "valid") expect("code" in canonical ? canonical : canonical.signedText).toBe(vector.signed_bytes);
    expect(await verdictOf(vector)).toBe(vector.expect);
  });
});
