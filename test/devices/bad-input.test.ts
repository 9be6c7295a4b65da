import { exports } from "cloudflare:workers";
import { exportJWK, generateKeyPair } from "jose";
import { expect, test } from "vitest";
import { adminCode, claim, countRows, makePlayer, newAddress, post, proofOf, rows } from "./player.ts";

const CREATE = "/v1/device/pairing/create-claim";
const CLAIM = "/v1/device/pairing/claim";
const DOORS = [CREATE, CLAIM, "/v1/device/token", "/v1/device/time"];

test.each(DOORS)("%s refuses what is no JSON object with a problem document", async (path) => {
  for (const body of ["", "{", "[1]", "null", '"x"', "5", '{"a":1}', "[]"]) {
    const answer = await post(path, body);
    expect([body, answer.status, answer.headers.get("Content-Type"), answer.body.type]).toEqual([
      body,
      400,
      "application/problem+json",
      "/docs/errors/validation-error",
    ]);
  }
});

test.each(DOORS)("%s refuses a body that is not declared as JSON, and one that is too large", async (path) => {
  const plain = await post(path, "{}", { "Content-Type": "text/plain" });
  expect([plain.status, plain.body.type]).toEqual([415, "/docs/errors/unsupported-media-type"]);
  const large = await post(path, JSON.stringify({ device_info: { filler: "x".repeat(17_000) } }));
  expect([large.status, large.body.type]).toEqual([413, "/docs/errors/payload-too-large"]);
});

test.each(DOORS)("%s answers a browser of any origin, without credentials", async (path) => {
  const preflight = await exports.default.fetch(`http://localhost${path}`, {
    method: "OPTIONS",
    headers: {
      Origin: "https://player.example",
      "Access-Control-Request-Method": "POST",
      "Access-Control-Request-Headers": "content-type",
    },
  });
  expect(preflight.status).toBe(204);
  expect(preflight.headers.get("Access-Control-Allow-Origin")).toBe("*");
  expect(preflight.headers.get("Access-Control-Allow-Credentials")).toBeNull();
});

test("a claim whose fields are missing, of a wrong type or too many is refused by field, and writes nothing", async () => {
  const code = await adminCode();
  const before = await countRows();
  const info = { device_info: {} };
  for (const [body, pointer] of [
    [info, "/claim_code"],
    [{ claim_code: 5, ...info }, "/claim_code"],
    [{ claim_code: [code], ...info }, "/claim_code"],
    [{ claim_code: "B".repeat(65), ...info }, "/claim_code"],
    [{ claim_code: code }, "/device_info"],
    [{ claim_code: code, device_info: [] }, "/device_info"],
    [{ claim_code: code, device_info: "P4" }, "/device_info"],
    [{ claim_code: code, device_info: { note: "x".repeat(4100) } }, "/device_info"],
    [{ claim_code: code, device_code: 7 }, "/device_code"],
    [{ claim_code: code, device_code: "x", ...info }, "/device_info"],
    [{ claim_code: code, device_code: "x", public_key: {} }, "/public_key"],
    [{ claim_code: code, ...info, proof: {} }, "/proof"],
    [{ claim_code: code, ...info, admin: true }, "/admin"],
  ] as const) {
    const answer = await post(CLAIM, body);
    expect([pointer, answer.status, answer.body.errors[0]?.pointer]).toEqual([pointer, 400, pointer]);
  }
  expect(await countRows()).toEqual(before);
  expect((await claim(await makePlayer(), code)).status).toBe(200);
});

test("a weak, foreign, private or malformed key is refused when asking and when claiming", async () => {
  const code = await adminCode();
  const rsa1024 = { kty: "RSA", e: "AQAB", n: new Uint8Array(128).fill(0xff).toBase64({ alphabet: "base64url", omitPadding: true }) };
  const p384 = await exportJWK((await generateKeyPair("ES384", { extractable: true })).publicKey);
  const privateJwk = await exportJWK((await makePlayer()).privateKey);
  for (const [key, detail] of [
    [rsa1024, "An RSA key needs 2048 bits or more; this one has 1024."],
    [p384, "An EC key must be on the curve P-256."],
    [privateJwk, "The key holds private members; send the public key only."],
    [[], "The key is not a JWK object."],
    ["key", "The key is not a JWK object."],
    [{ kty: "EC", crv: "P-256", x: "AAAA", y: "AAAA" }, "The key's numbers do not make a valid public key."],
  ] as const) {
    for (const answer of [
      await post(CREATE, { device_info: {}, public_key: key }),
      await post(CLAIM, { claim_code: code, device_info: {}, public_key: key, proof: "a.b.c" }),
    ]) {
      expect([answer.status, answer.body.code, answer.body.errors]).toEqual([400, "INVALID_KEY", [{ pointer: "/public_key", detail }]]);
    }
  }
});

test("a proof that is missing, garbage, another key's, another code's or unsigned is refused before the code is looked up", async () => {
  const player = await makePlayer();
  const other = await makePlayer();
  const code = await adminCode();
  const good = await proofOf(player, code);
  const [header, payload] = good.split(".");
  const none = btoa('{"alg":"none"}').replace(/=+$/, "");
  const address = newAddress();
  const proofs: [string | undefined, string][] = [
    [undefined, "PROOF_REQUIRED"],
    ["", "INVALID_PROOF"],
    ["garbage", "INVALID_PROOF"],
    ["a.b.c", "INVALID_PROOF"],
    [`${header}.${payload}.`, "INVALID_PROOF"],
    [`${none}.${payload}.`, "INVALID_PROOF"],
    [await proofOf(other, code), "INVALID_PROOF"],
    [await proofOf(player, "BBBBBBBB"), "INVALID_PROOF"],
    [await proofOf(player, `${code} `), "INVALID_PROOF"],
    [await proofOf(player, JSON.stringify(code)), "INVALID_PROOF"],
  ];
  for (const claimCode of [code, "BBBBBBBB"]) {
    for (const [proof, expected] of claimCode === code ? proofs : proofs.slice(0, 7)) {
      const body = { claim_code: claimCode, device_info: {}, public_key: player.publicKey, ...(proof === undefined ? {} : { proof }) };
      const answer = await post(CLAIM, body, { "CF-Connecting-IP": address });
      expect([proof, answer.status, answer.body.code, answer.body.errors[0]?.pointer]).toEqual([proof, 400, expected, "/proof"]);
    }
  }
  expect(await rows("SELECT count(*) AS n FROM claim_misses")).toEqual([{ n: 0 }]);
  expect((await claim(player, code)).status).toBe(200);
});

test("a code that never was, of whatever form, is not found", async () => {
  const player = await makePlayer();
  for (const code of ["BBBBBBBB", "AAAAAAAA", "", "B", "BBBBBBBBB", "' OR 1=1 --", "ÄÖÜ"]) {
    const answer = await claim(player, code);
    expect([code, answer.status, answer.body.type]).toEqual([code, 404, "/docs/errors/claim-not-found"]);
  }
});

test("the clock answers what it was asked with its own time before and after", async () => {
  const before = Date.now();
  const { status, body, headers } = await post("/v1/device/time", { t0: 1234.5 });
  expect(status).toBe(200);
  expect(headers.get("Cache-Control")).toBe("no-store");
  const { t0, t1, t2 } = body as unknown as { t0: number; t1: number; t2: number };
  expect(t0).toBe(1234.5);
  expect(before <= t1 && t1 <= t2 && t2 <= Date.now()).toBe(true);
  for (const wrong of [{}, { t0: "now" }, { t0: null }, { t0: 1, t3: 2 }]) expect((await post("/v1/device/time", wrong)).status).toBe(400);
});

test("every call of pairing stands in the OpenAPI document", async () => {
  const document = await (await exports.default.fetch("http://localhost/openapi.json")).json<{ paths: Record<string, unknown> }>();
  const calls = [
    ...DOORS,
    "/v1/admin/claims",
    "/v1/admin/claims/{id}/approve",
    "/v1/admin/claims/{id}/reject",
    "/v1/admin/devices/{id}/revoke",
  ];
  expect(calls.filter((path) => !(path in document.paths))).toEqual([]);
});
