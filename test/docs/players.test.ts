import { exports } from "cloudflare:workers";
import { compactVerify, importJWK } from "jose";
import { describe, expect, test } from "vitest";
import { importDeviceKey, parseDeviceKey } from "../../src/devices/keys.ts";
import sendPlay from "../../src/docs/examples/send-play.sh";
import publishedVectors from "../../src/docs/examples/signed-play-logs.json.txt";
import page from "../../src/docs/players.md";
import { canonicalRecord, verifyRecord } from "../../src/plays/verify.ts";
import { canonicalJson, checksumOf, signedBytes } from "../../src/sdk/record.ts";
import vectors from "../vectors/signed-play-logs.json?raw";

/** The blocks of code of a language on the page, in their order. */
function blocks(language: string): string[] {
  return [...page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)\n\`\`\`$`, "gms"))].map((match) => match[1] ?? "");
}
const parse = (text: string | undefined) => JSON.parse(text ?? "") as Record<string, unknown>;
const [ended, sent, pairing] = blocks("json").map(parse);
const [unsummed, signed, output] = blocks("text");
const printed = Object.fromEntries((output ?? "").split("\n").map((line) => line.split(": ") as [string, string]));

describe("the worked example", () => {
  test("the record has the canonical form and the checksum that the page shows", async () => {
    expect(canonicalJson(ended)).toBe(unsummed);
    expect(await checksumOf(ended ?? {})).toBe(printed.checksum);
    expect(sent).toEqual({ ...ended, checksum: printed.checksum, signature: printed.signature });
  });

  test("the signed bytes are those of the page, and as many", () => {
    const bytes = signedBytes(sent ?? {});
    expect(new TextDecoder().decode(bytes)).toBe(signed);
    expect(String(bytes.length)).toBe(printed.bytes);
  });

  test("the server takes the signature by the key of the page, and no other record with it", async () => {
    const key = await parseDeviceKey(pairing?.public_key);
    if (!key.ok) throw new Error(key.reason);
    expect(pairing?.public_key).toMatchObject({ x: printed.x });
    const verifying = { kid: key.kid, alg: key.jwk.alg, cryptoKey: await importDeviceKey(key.jwk) };
    const verdictOf = async (record: Record<string, unknown>) => {
      const canonical = await canonicalRecord(record);
      return "code" in canonical ? canonical : await verifyRecord(canonical, verifying, false);
    };
    expect(await verdictOf(sent ?? {})).not.toHaveProperty("code");
    expect(await verdictOf({ ...sent, status: "SKIPPED", checksum: undefined })).toMatchObject({ code: "INVALID_SIGNATURE" });
    expect(await verdictOf({ ...sent, status: "SKIPPED" })).toMatchObject({ code: "CHECKSUM_MISMATCH" });
  });

  test("the proof is a JWS over the claim code by that key", async () => {
    expect(pairing?.proof).toBe(printed.proof);
    const verified = await compactVerify(String(pairing?.proof), await importJWK(pairing?.public_key as JsonWebKey));
    expect(new TextDecoder().decode(verified.payload)).toBe(pairing?.claim_code);
  });
});

describe("what the page offers", () => {
  const get = (path: string) => exports.default.fetch(`http://localhost${path}`);

  test("the script and the vectors are there for download, byte by byte, and the page leads to them", async () => {
    const html = await (await get("/docs/players")).text();
    for (const [path, text, type] of [
      ["/docs/send-play.sh", sendPlay, "text/x-shellscript; charset=utf-8"],
      ["/docs/signed-play-logs.json", publishedVectors, "application/json"],
    ] as const) {
      expect(html).toContain(`href="${path}"`);
      const answer = await get(path);
      expect([answer.status, answer.headers.get("Content-Type")]).toEqual([200, type]);
      expect(await answer.text()).toBe(text);
    }
  });

  test("the vectors are those that the product is tested with, without the private keys", () => {
    const { keys, ...rest } = parse(vectors) as { keys: Record<string, { public_jwk: unknown }> };
    const published = Object.fromEntries(Object.entries(keys).map(([alg, { public_jwk }]) => [alg, { public_jwk }]));
    expect(parse(publishedVectors)).toEqual({ ...rest, keys: published });
    // How each number is written is part of the vectors.
    const cases = (text: string) => text.slice(text.indexOf('"cases"'));
    expect(cases(publishedVectors)).toBe(cases(vectors));
  });
});
