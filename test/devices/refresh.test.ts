import { env } from "cloudflare:workers";
import { calculateJwkThumbprint } from "jose";
import { expect, test } from "vitest";
import { refreshTokens } from "../../src/devices/refresh.ts";
import { authenticateDevice } from "../../src/devices/token.ts";
import { sha256Hex } from "../../src/platform/encoding.ts";
import { Problem } from "../../src/platform/errors.ts";
import { type Answer, adminCode, claim, makePlayer, pair, post, refresh, rows } from "./player.ts";

const DAY = 86_400_000;

async function tokensOf(deviceId: string) {
  return await rows(
    `SELECT t.token_hash, t.parent_hash, t.first_used_at IS NOT NULL AS used, t.superseded_at IS NOT NULL AS superseded
     FROM refresh_tokens t JOIN token_families f ON f.id = t.family_id WHERE f.device_id = ?`,
    deviceId,
  );
}

/** How many tokens of a device are in use, and how many successors wait. One branch at most may ever live. */
async function living(deviceId: string): Promise<{ inUse: number; waiting: number }> {
  const alive = (await tokensOf(deviceId)).filter((token) => !token.superseded);
  return { inUse: alive.filter((token) => token.used).length, waiting: alive.filter((token) => !token.used).length };
}

async function expectRevokedForReuse(deviceId: string): Promise<void> {
  expect(await rows("SELECT revoked_reason FROM token_families WHERE device_id = ?", deviceId)).toEqual([{ revoked_reason: "reuse" }]);
  expect(await rows("SELECT status, token_family_id FROM devices WHERE id = ?", deviceId)).toEqual([
    { status: "active", token_family_id: null },
  ]);
  const incidents = await rows("SELECT device_id, type, severity, resolved_at FROM incidents WHERE device_id = ?", deviceId);
  expect(incidents).toEqual([{ device_id: deviceId, type: "TOKEN_REUSE", severity: "high", resolved_at: null }]);
  const pushes = await rows("SELECT acknowledged_at IS NOT NULL AS done FROM profile_pushes WHERE device_id = ? ORDER BY id", deviceId);
  expect(pushes).toEqual([{ done: 1 }, { done: 1 }]);
}

function codesOf(answers: Answer[]): string[] {
  return [...new Set(answers.map((answer) => (answer.status === 200 ? "200" : answer.body.code)))].sort();
}

test("a refresh gives a new pair of the same family, with the device's key", async () => {
  const player = await makePlayer();
  const first = await pair(player);
  const { status, body, headers } = await refresh(first.refresh_token);
  expect(status).toBe(200);
  expect(headers.get("Cache-Control")).toBe("no-store");
  expect(Object.keys(body).sort()).toEqual(["device_id", "device_token", "expires_at", "refresh_token"]);
  expect(body.device_id).toBe(first.device_id);
  const [before, after] = await Promise.all(
    [first, body].map((pairOf) => authenticateDevice(new Headers({ Authorization: `Bearer ${pairOf.device_token}` }), env, Date.now())),
  );
  expect(after?.familyId).toBe(before?.familyId);
  expect(after?.key).toMatchObject({ alg: "ES256", kid: await calculateJwkThumbprint(player.publicKey) });
  expect(await tokensOf(first.device_id)).toEqual(
    expect.arrayContaining([
      { token_hash: await sha256Hex(first.refresh_token), parent_hash: null, used: 1, superseded: 0 },
      { token_hash: await sha256Hex(body.refresh_token), parent_hash: await sha256Hex(first.refresh_token), used: 0, superseded: 0 },
    ]),
  );
});

test("a player without a key stays without one", async () => {
  const code = await adminCode();
  const { body: paired } = await post("/v1/device/pairing/claim", { claim_code: code, device_info: {} });
  const { body } = await refresh(paired.refresh_token);
  const identity = await authenticateDevice(new Headers({ Authorization: `Bearer ${body.device_token}` }), env, Date.now());
  expect(identity.key).toBeNull();
});

test("lost answers do not kill a screen: the old token works again and again until a successor is used", async () => {
  const { refresh_token, device_id } = await pair(await makePlayer());
  const answers: Answer[] = [];
  for (let time = 0; time < 4; time += 1) answers.push(await refresh(refresh_token));
  expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200, 200]);
  expect(new Set(answers.map((answer) => answer.body.refresh_token)).size).toBe(4);
  expect(await living(device_id)).toEqual({ inUse: 1, waiting: 4 });
  // Any of the successors may be the one that arrived. Its use ends the old token and the other three.
  expect((await refresh(answers[1]?.body.refresh_token)).status).toBe(200);
  expect(await living(device_id)).toEqual({ inUse: 1, waiting: 1 });
  // And the one in use may be repeated in its turn.
  expect((await refresh(answers[1]?.body.refresh_token)).status).toBe(200);
  expect(await living(device_id)).toEqual({ inUse: 1, waiting: 2 });
});

test("the old token, once its successor was used, revokes the family, opens one incident, and tells the sequencer", async () => {
  const { refresh_token, device_id } = await pair(await makePlayer());
  const second = await refresh(refresh_token);
  const third = await refresh(second.body.refresh_token);
  const reused = await refresh(refresh_token);
  expect([reused.status, reused.body.code]).toEqual([401, "REFRESH_TOKEN_REUSED"]);
  expect(reused.headers.get("WWW-Authenticate")).toBe('Bearer realm="device"');
  await expectRevokedForReuse(device_id);
  for (const token of [refresh_token, second.body.refresh_token, third.body.refresh_token]) {
    const answer = await refresh(token);
    expect([answer.status, answer.body.code]).toEqual([401, "REFRESH_TOKEN_REVOKED"]);
  }
  await expectRevokedForReuse(device_id);
});

test("a successor that lost to its sibling is a reuse too", async () => {
  const { refresh_token, device_id } = await pair(await makePlayer());
  const [one, other] = [await refresh(refresh_token), await refresh(refresh_token)];
  expect((await refresh(one.body.refresh_token)).status).toBe(200);
  expect((await refresh(other.body.refresh_token)).body.code).toBe("REFRESH_TOKEN_REUSED");
  await expectRevokedForReuse(device_id);
});

test("an incident that is open already is not opened again, and the family is revoked all the same", async () => {
  const { refresh_token, device_id } = await pair(await makePlayer());
  await env.DB.prepare("INSERT INTO incidents (id, device_id, type, severity, created_at) VALUES (?, ?, 'TOKEN_REUSE', 'high', 1)")
    .bind(crypto.randomUUID(), device_id)
    .run();
  const second = await refresh(refresh_token);
  await refresh(second.body.refresh_token);
  await refresh(refresh_token);
  await expectRevokedForReuse(device_id);
});

test("50 refreshes at once by one token leave one token in use", async () => {
  const { refresh_token, device_id } = await pair(await makePlayer());
  const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(refresh_token)));
  expect(codesOf(answers)).toEqual(["200"]);
  expect(await living(device_id)).toEqual({ inUse: 1, waiting: 50 });
});

test("50 successors used at once: one lives on, or the family is revoked; two never do", async () => {
  const { refresh_token, device_id } = await pair(await makePlayer());
  const successors = await Promise.all(Array.from({ length: 50 }, () => refresh(refresh_token)));
  const answers = await Promise.all(successors.map((answer) => refresh(answer.body.refresh_token)));
  expect(answers.filter((answer) => answer.status === 200)).toHaveLength(1);
  expect(codesOf(answers)).toContain("REFRESH_TOKEN_REUSED");
  await expectRevokedForReuse(device_id);
  const winner = answers.find((answer) => answer.status === 200);
  expect((await refresh(winner?.body.refresh_token)).body.code).toBe("REFRESH_TOKEN_REVOKED");
});

test("one successor used 50 times at once keeps every answer that it gave", async () => {
  const { refresh_token, device_id } = await pair(await makePlayer());
  const successor = (await refresh(refresh_token)).body.refresh_token;
  const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(successor)));
  expect(codesOf(answers)).toEqual(["200"]);
  expect(await living(device_id)).toEqual({ inUse: 1, waiting: 50 });
  expect((await refresh(answers[17]?.body.refresh_token)).status).toBe(200);
});

test("the old token and its successor used at once never leave two branches", async () => {
  for (let round = 0; round < 5; round += 1) {
    const { refresh_token, device_id } = await pair(await makePlayer());
    const successor = (await refresh(refresh_token)).body.refresh_token;
    await Promise.all(Array.from({ length: 20 }, (_, at) => refresh(at % 2 ? refresh_token : successor)));
    const [family] = await rows("SELECT revoked_reason FROM token_families WHERE device_id = ?", device_id);
    // All of the old token's that came first were good; one that came behind the successor's proves a second holder.
    if (family?.revoked_reason === "reuse") await expectRevokedForReuse(device_id);
    expect((await living(device_id)).inUse).toBe(1);
  }
});

test("the roots of a repeated claim are siblings: the first that is used ends the other", async () => {
  const player = await makePlayer();
  const code = await adminCode();
  const [first, second] = [await claim(player, code), await claim(player, code)];
  expect((await refresh(second.body.refresh_token)).status).toBe(200);
  expect((await refresh(first.body.refresh_token)).body.code).toBe("REFRESH_TOKEN_REUSED");
});

test("a refresh token works for 90 days, and its successor for 90 more", async () => {
  const { refresh_token } = await pair(await makePlayer());
  const [row] = await rows("SELECT expires_at FROM refresh_tokens WHERE token_hash = ?", await sha256Hex(refresh_token));
  const end = Number(row?.expires_at);
  const successor = await refreshTokens(env, refresh_token, end);
  const late = await refreshTokens(env, refresh_token, end + 1).catch((error: Problem) => error);
  expect(late).toBeInstanceOf(Problem);
  expect(late).toMatchObject({ status: 401, code: "REFRESH_TOKEN_EXPIRED" });
  expect(await refreshTokens(env, successor.refresh_token, end + 90 * DAY)).toMatchObject({ device_id: successor.device_id });
});

test("superseded tokens are forgotten after a week, living ones never", async () => {
  const { refresh_token, device_id } = await pair(await makePlayer());
  const start = Date.now();
  const second = await refreshTokens(env, refresh_token, start);
  const third = await refreshTokens(env, second.refresh_token, start);
  await refreshTokens(env, third.refresh_token, start + 7 * DAY);
  expect(await tokensOf(device_id)).toHaveLength(4);
  await refreshTokens(env, third.refresh_token, start + 7 * DAY + 1);
  const left = (await tokensOf(device_id)).map((token) => token.token_hash);
  expect(left).toHaveLength(4);
  expect(left).not.toContain(await sha256Hex(refresh_token));
  expect(left).toContain(await sha256Hex(third.refresh_token));
});

test("a player that refreshes over 120 times in an hour has to wait, and is good again after", async () => {
  const { refresh_token } = await pair(await makePlayer());
  const start = Date.now();
  for (let time = 0; time < 119; time += 1) await refreshTokens(env, refresh_token, start);
  const refused = await refreshTokens(env, refresh_token, start).catch((error: Problem) => error);
  expect(refused).toMatchObject({ status: 429, options: { headers: { "Retry-After": "300" } } });
  expect(await refreshTokens(env, refresh_token, start + 3_600_001)).toMatchObject({ refresh_token: expect.any(String) });
});

test("refresh tokens that nobody was given cost sixty reads a minute from one address, and no good player its turn", async () => {
  const player = await pair(await makePlayer());
  const now = Math.ceil(Date.now() / 60_000) * 60_000;
  const headers = new Headers({ "CF-Connecting-IP": "203.0.113.77" });
  const show = async (token: string, from = headers) =>
    await refreshTokens(env, token, now, from).then(
      () => "200",
      (problem: Problem) => problem.code,
    );
  const strange = Array.from({ length: 61 }, (_, at) => `rt_${String(at).padStart(43, "q")}`);
  const codes = await Promise.all(strange.map((token) => show(token)));
  expect(codes.filter((code) => code === "RATE_LIMIT_EXCEEDED")).toHaveLength(1);
  expect(await show(player.refresh_token, new Headers({ "CF-Connecting-IP": "203.0.113.78" }))).toBe("200");
});

test("what is no refresh token is refused as unknown, and a body that is none as invalid", async () => {
  const { refresh_token, device_token } = await pair(await makePlayer());
  for (const token of ["", "x", device_token.slice(0, 40), `${refresh_token.slice(0, -1)}_`, "rt_", `rt_${"A".repeat(43)}`]) {
    const answer = await refresh(token);
    expect([answer.status, answer.body.code]).toEqual([401, "REFRESH_TOKEN_UNKNOWN"]);
  }
  for (const body of [
    {},
    [],
    null,
    { refresh_token: 5 },
    { refresh_token: ["x"] },
    { refresh_token, more: 1 },
    { refresh_token: "x".repeat(200) },
  ]) {
    expect((await post("/v1/device/token", body)).status).toBe(400);
  }
});
