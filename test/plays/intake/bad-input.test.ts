import { env, exports } from "cloudflare:workers";
import { SignJWT } from "jose";
import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import { makeDevice, playLog, post, postBatch, postOne, signedLogs, type TestDevice } from "../../support/device.ts";
import { statusOf } from "../../support/pipeline.ts";

const ONE = "/api/v1/playback-logs";
const BATCH = "/api/v1/playback-logs/batch";

let device: TestDevice;
beforeAll(async () => {
  device = await makeDevice();
  // The sequencer knows its device from here on, so that a status before and after can be compared.
  await env.SEQUENCER.getByName(device.id).refreshProfile();
});

interface ProblemBody {
  status: number;
  code: string;
  correlation_id: string;
  errors?: { pointer: string }[];
}

/** The answer is a problem document of this status and code, and nothing of the request was accepted. */
async function expectProblem(answer: Promise<Response>, status: number, code: string): Promise<ProblemBody> {
  const before = (await statusOf(device.id)).accepted;
  const response = await answer;
  expect(response.headers.get("Content-Type")).toBe("application/problem+json");
  const body = await response.json<ProblemBody>();
  expect({ status: response.status, inBody: body.status, code: body.code }).toEqual({ status, inBody: status, code });
  expect(body.correlation_id).toBe(response.headers.get("X-Correlation-Id"));
  expect((await statusOf(device.id)).accepted).toBe(before);
  return body;
}

describe("a body that cannot be read", () => {
  test.each([
    ["empty", ""],
    ["truncated", '{"logs":[{"log_id":'],
    ["NaN", '{"logs":[{"duration_actual":NaN}]}'],
    ["a lone comma", "{,}"],
  ])("%s is 400 INVALID_JSON", async (_, body) => {
    await expectProblem(post(device, BATCH, body), 400, "INVALID_JSON");
    await expectProblem(post(device, ONE, body), 400, "INVALID_JSON");
  });

  test("bytes that are no UTF-8 are 400 INVALID_JSON", async () => {
    const bytes = new Uint8Array([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]);
    const answer = exports.default.fetch(`http://localhost${ONE}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${device.token}`, "Content-Type": "application/json" },
      body: bytes,
    });
    await expectProblem(answer, 400, "INVALID_JSON");
  });

  test("2 MB are 413, whether the length is declared or not", async () => {
    const large = `{"logs":["${"x".repeat(2 * 1024 * 1024)}"]}`;
    await expectProblem(post(device, BATCH, large), 413, "PAYLOAD_TOO_LARGE");
    const chunked = exports.default.fetch(`http://localhost${BATCH}`, {
      method: "POST",
      headers: { Authorization: `Bearer ${device.token}`, "Content-Type": "application/json" },
      body: new Blob([large]).stream(),
    });
    await expectProblem(chunked, 413, "PAYLOAD_TOO_LARGE");
  });

  test.each(["text/plain", "application/xml", "multipart/form-data", ""])("content type %j is 415", async (type) => {
    await expectProblem(post(device, BATCH, "{}", { "Content-Type": type }), 415, "UNSUPPORTED_MEDIA_TYPE");
  });

  test.each([
    ["an array", "[]"],
    ["a number", "7"],
    ["null", "null"],
    ["a text", '"log"'],
  ])("%s instead of an object is 400 VALIDATION_ERROR", async (_, body) => {
    await expectProblem(post(device, ONE, body), 400, "VALIDATION_ERROR");
    await expectProblem(post(device, BATCH, body), 400, "VALIDATION_ERROR");
  });

  test("logs that are no array, no logs, and 101 logs are 400", async () => {
    await expectProblem(post(device, BATCH, { logs: {} }), 400, "VALIDATION_ERROR");
    await expectProblem(post(device, BATCH, { logs: [] }), 400, "VALIDATION_ERROR");
    await expectProblem(post(device, BATCH, { logs: Array(101).fill({}) }), 400, "BATCH_TOO_LARGE");
  });
});

describe("a token that proves nothing", () => {
  const claims = () => ({ fam: device.familyId });
  const sign = (secret: string, header: Record<string, string>, exp: number) =>
    new SignJWT(claims())
      .setProtectedHeader({ alg: "HS256", typ: "device+jwt", ...header })
      .setIssuer("alive-signage")
      .setAudience("alive-signage/device")
      .setSubject(device.id)
      .setExpirationTime(exp)
      .sign(new TextEncoder().encode(secret));
  const soon = () => Math.floor(Date.now() / 1000) + 600;
  const kid = () => JSON.parse(atob(device.token.split(".")[0] ?? "")).kid as string;

  test("none, and one of an unknown key", async () => {
    await expectProblem(post(device, ONE, {}, { Authorization: "" }), 401, "TOKEN_MISSING");
    await expectProblem(post({ token: await sign("somebody else's", { kid: "deadbeef" }, soon()) }, ONE, {}), 401, "TOKEN_INVALID");
  });

  test("forged under our key id, expired, cut, and alg none", async () => {
    await expectProblem(post({ token: await sign("somebody else's", { kid: kid() }, soon()) }, ONE, {}), 401, "TOKEN_INVALID");
    await expectProblem(
      post({ token: await sign("test-device-token-secret", { kid: kid() }, soon() - 3600) }, ONE, {}),
      401,
      "TOKEN_EXPIRED",
    );
    await expectProblem(post({ token: device.token.slice(0, -4) }, ONE, {}), 401, "TOKEN_INVALID");
    const part = (value: unknown) => btoa(JSON.stringify(value)).replaceAll("=", "").replaceAll("+", "-").replaceAll("/", "_");
    const none = `${part({ alg: "none", typ: "device+jwt", kid: kid() })}.${part({ ...claims(), sub: device.id, iss: "alive-signage", aud: "alive-signage/device", exp: soon() })}.`;
    await expectProblem(post({ token: none }, ONE, {}), 401, "TOKEN_INVALID");
  });

  test("of a player that was replaced is 401, and of a revoked device 403", async () => {
    const other = await makeDevice();
    const log = await other.sign(playLog(other));
    await env.DB.prepare("UPDATE devices SET token_family_id = ? WHERE id = ?").bind(crypto.randomUUID(), other.id).run();
    await expectProblem(postOne(other, log), 401, "TOKEN_SUPERSEDED");
    await env.DB.prepare("UPDATE devices SET token_family_id = ?, status = 'revoked' WHERE id = ?").bind(other.familyId, other.id).run();
    await env.SEQUENCER.getByName(other.id).refreshProfile();
    await expectProblem(postOne(other, log), 403, "DEVICE_REVOKED");
    expect((await statusOf(other.id)).accepted).toBe(0);
  });

  test("of a device that is not there is 401", async () => {
    const other = await makeDevice();
    await env.DB.batch([
      env.DB.prepare("DELETE FROM device_keys WHERE device_id = ?").bind(other.id),
      env.DB.prepare("DELETE FROM device_assignments WHERE device_id = ?").bind(other.id),
      env.DB.prepare("DELETE FROM devices WHERE id = ?").bind(other.id),
    ]);
    await expectProblem(postOne(other, await other.sign(playLog(other))), 401, "DEVICE_UNKNOWN");
  });
});

describe("a record that is wrong", () => {
  let other: TestDevice;
  beforeEach(async () => {
    other = await makeDevice();
  });

  const cases: [string, (log: Record<string, unknown>) => Record<string, unknown>, string, string][] = [
    ["another device's", (log) => ({ ...log, device_id: crypto.randomUUID() }), "DEVICE_MISMATCH", "names another device"],
    ["an id that is no UUID", (log) => ({ ...log, log_id: "42" }), "VALIDATION_ERROR", "/log_id"],
    ["a campaign that is no UUID", (log) => ({ ...log, campaign_id: "x" }), "VALIDATION_ERROR", "/campaign_id"],
    ["a date as a number", (log) => ({ ...log, started_at: 1_770_285_600_000 }), "VALIDATION_ERROR", "/started_at"],
    ["a date that no calendar has", (log) => ({ ...log, started_at: "2026-02-30T10:00:00Z" }), "VALIDATION_ERROR", "/started_at"],
    ["a date without a zone", (log) => ({ ...log, started_at: "2026-02-05T10:00:00" }), "VALIDATION_ERROR", "/started_at"],
    ["no status", ({ status: _, ...log }) => log, "VALIDATION_ERROR", "/status"],
    ["a status that is none", (log) => ({ ...log, status: "PLAYED" }), "VALIDATION_ERROR", "/status"],
    ["no duration", ({ duration_actual: _, ...log }) => log, "VALIDATION_ERROR", "/duration_actual"],
    ["a null where a value must be", (log) => ({ ...log, content_id: null }), "VALIDATION_ERROR", "/content_id"],
    ["sequence 0", (log) => ({ ...log, sequence: 0 }), "VALIDATION_ERROR", "/sequence"],
    ["a location that is an array", (log) => ({ ...log, location: [1, 2] }), "VALIDATION_ERROR", "/location"],
    ["17 KB", (log) => ({ ...log, metadata: { note: "x".repeat(17_000) } }), "VALIDATION_ERROR", "16384 bytes"],
    ["a lone surrogate", (log) => ({ ...log, metadata: { note: "\ud800" } }), "VALIDATION_ERROR", "lone surrogate"],
    ["an unknown campaign", (log) => ({ ...log, campaign_id: crypto.randomUUID() }), "INVALID_CAMPAIGN", "no such campaign"],
    ["an unknown content", (log) => ({ ...log, content_id: crypto.randomUUID() }), "INVALID_CONTENT", "no such content"],
    ["an unknown version", (log) => ({ ...log, content_version: "b".repeat(64) }), "INVALID_CONTENT", "no such version"],
    ["no signature", (log) => log, "SIGNATURE_REQUIRED", "not signed"],
  ];

  test.each(cases)("%s is refused in a batch with its code, and leaves its neighbours alone", async (name, change, code, error) => {
    const wrong = change(playLog(other));
    const [before, after] = await signedLogs(other, 2);
    const sent = name === "no signature" || name === "a lone surrogate" ? wrong : await other.sign(wrong);
    const answer = await (await postBatch(other, [before, sent, after])).json<{
      processed: number;
      errors: { index: number; code: string; error: string }[];
    }>();
    expect(answer.processed).toBe(2);
    expect(answer.errors.map(({ index, code: found }) => [index, found])).toEqual([[1, code]]);
    expect(answer.errors[0]?.error).toContain(error);
    expect((await statusOf(other.id)).accepted).toBe(2);
  });

  test("alone it is a 422 problem with its code, and its error tells whether to try again", async () => {
    const answer = await postOne(other, await other.sign(playLog(other, { status: "PLAYED" })));
    expect(answer.status).toBe(422);
    expect(await answer.json()).toMatchObject({ type: "/docs/errors/play-refused", code: "VALIDATION_ERROR", retryable: false });
  });

  test("an altered, an empty and a garbled signature are INVALID_SIGNATURE", async () => {
    const signed = await other.sign(playLog(other));
    const logs = [
      { ...signed, duration_actual: 14 },
      { ...playLog(other), signature: "" },
      { ...playLog(other), signature: "***" },
    ];
    const answer = await (await postBatch(other, logs)).json<{ errors: { code: string }[] }>();
    expect(answer.errors.map(({ code }) => code)).toEqual(["INVALID_SIGNATURE", "INVALID_SIGNATURE", "INVALID_SIGNATURE"]);
  });

  test("records that are no objects are refused by index", async () => {
    const answer = await (await postBatch(other, [1, null, [], "x"])).json<{ failed: number; errors: { code: string; log_id: null }[] }>();
    expect(answer.failed).toBe(4);
    expect(answer.errors.map(({ code }) => code)).toEqual(Array(4).fill("VALIDATION_ERROR"));
  });

  test("deep nesting is refused, and quickly", async () => {
    const deep = `{"logs":[{"device_id":"${other.id}","metadata":${"[".repeat(200_000)}${"]".repeat(200_000)}}]}`;
    const answer = await post(other, BATCH, deep);
    expect(answer.status).toBe(202);
    expect(await answer.json()).toMatchObject({ processed: 0, failed: 1, errors: [{ index: 0, code: "VALIDATION_ERROR" }] });
    expect((await statusOf(other.id)).accepted).toBe(0);
  });

  test("the same id for another record is ID_CONFLICT, in one batch and across two", async () => {
    const log_id = crypto.randomUUID();
    const [first, second] = [await other.sign(playLog(other, { log_id })), await other.sign(playLog(other, { log_id }, 90_000))];
    expect(await (await postBatch(other, [first, second])).json()).toMatchObject({
      processed: 1,
      errors: [{ index: 1, code: "ID_CONFLICT", retryable: false }],
    });
    expect(await (await postOne(other, second)).json()).toMatchObject({ status: 422, code: "ID_CONFLICT" });
  });

  test("the refused records are kept to be looked at, newest first, 100 at most", async () => {
    for (let round = 0; round < 3; round++)
      await postBatch(
        other,
        Array.from({ length: 40 }, (_, index) => playLog(other, { metadata: { round, index } })),
      );
    const refused = await env.SEQUENCER.getByName(other.id).refused();
    expect(refused.length).toBe(100);
    expect(refused[0]).toMatchObject({ code: "SIGNATURE_REQUIRED", door: "playback-log" });
    expect(JSON.parse(refused[0]?.record ?? "{}").metadata).toEqual({ round: 2, index: 39 });
  });
});
