import { env } from "cloudflare:workers";
import { calculateJwkThumbprint } from "jose";
import { expect, test } from "vitest";
import { authenticateDevice } from "../../src/devices/token.ts";
import { ADMIN, adminCode, claim, countRows, makePlace, makePlayer, newAddress, pair, post, proofOf, rows } from "./player.ts";

const CLAIM = "/v1/device/pairing/claim";
const CREATE = "/v1/device/pairing/create-claim";

test("an administrator's code has eight consonants, ends in ten minutes, and leaves one audit row", async () => {
  const { storeId, groupId } = await makePlace();
  const before = Date.now();
  const made = await post(CREATE, { store_id: storeId, group_id: groupId, name: "Window left" }, ADMIN);
  expect(made.status).toBe(201);
  expect(made.headers.get("Cache-Control")).toBe("no-store");
  expect(Object.keys(made.body).sort()).toEqual(["claim_code", "claim_id", "expires_at"]);
  expect(made.body.claim_code).toMatch(/^[BCDFGHJKLMNPQRSTVWXZ]{8}$/);
  const [row] = await rows("SELECT * FROM claims WHERE id = ?", made.body.claim_id);
  expect(row).toMatchObject({ status: "approved", store_id: storeId, group_id: groupId, name: "Window left", decided_by: "admin-token" });
  expect(Number(row?.expires_at) - Number(row?.created_at)).toBe(600_000);
  expect(new Date(Number(row?.expires_at)).toISOString()).toBe(made.body.expires_at);
  expect(Number(row?.created_at)).toBeGreaterThanOrEqual(before);
  expect(JSON.stringify(row)).not.toContain(made.body.claim_code);
  const audit = await rows(
    "SELECT actor_user_id, action, target_type, details_json FROM audit_log WHERE target_id = ?",
    made.body.claim_id,
  );
  expect(audit).toEqual([
    {
      actor_user_id: "admin-token",
      action: "claim.create",
      target_type: "claim",
      details_json: JSON.stringify({ store_id: storeId, group_id: groupId, name: "Window left" }),
    },
  ]);
});

test("a player that claims becomes a device of the preset store, with its key, tokens, assignment, push and audit row", async () => {
  const { storeId, groupId, supplierId } = await makePlace();
  const player = await makePlayer();
  const code = await adminCode({ store_id: storeId, group_id: groupId, name: "Window" });
  const { status, body, headers } = await claim(player, code);
  expect(status).toBe(200);
  expect(headers.get("Cache-Control")).toBe("no-store");
  expect(Object.keys(body).sort()).toEqual(["device_id", "device_token", "expires_at", "refresh_token"]);

  const kid = await calculateJwkThumbprint(player.publicKey);
  const identity = await authenticateDevice(new Headers({ Authorization: `Bearer ${body.device_token}` }), env, Date.now());
  expect(identity).toMatchObject({ deviceId: body.device_id, key: { kid, alg: "ES256" } });
  expect(new Date(identity.expiresAt).toISOString()).toBe(body.expires_at);

  const [device] = await rows("SELECT * FROM devices WHERE id = ?", body.device_id);
  expect(device).toMatchObject({
    external_name: "Window",
    store_id: storeId,
    group_id: groupId,
    status: "active",
    token_family_id: identity.familyId,
    device_info_json: '{"model":"P4","player_version":"1.2.3"}',
    player_version: "1.2.3",
    version: 1,
  });
  expect(await rows("SELECT kid, jwk_json, valid_to FROM device_keys WHERE device_id = ?", body.device_id)).toEqual([
    {
      kid,
      jwk_json: JSON.stringify({ kty: "EC", crv: "P-256", x: player.publicKey.x, y: player.publicKey.y, alg: "ES256" }),
      valid_to: null,
    },
  ]);
  expect(await rows("SELECT id, kid, revoked_at FROM token_families WHERE device_id = ?", body.device_id)).toEqual([
    { id: identity.familyId, kid, revoked_at: null },
  ]);
  const tokens = await rows("SELECT token_hash, created_at, expires_at FROM refresh_tokens WHERE family_id = ?", identity.familyId);
  expect(tokens).toHaveLength(1);
  expect(Number(tokens[0]?.expires_at) - Number(tokens[0]?.created_at)).toBe(90 * 86_400_000);
  expect(tokens[0]?.token_hash).not.toContain(body.refresh_token);
  expect(body.refresh_token).toMatch(/^rt_[A-Za-z0-9_-]{43}$/);
  expect(
    await rows("SELECT store_id, supplier_id, timezone, lat, lng FROM device_assignments WHERE device_id = ?", body.device_id),
  ).toEqual([{ store_id: storeId, supplier_id: supplierId, timezone: "Asia/Ho_Chi_Minh", lat: 10.76, lng: 106.66 }]);
  const pushes = await rows("SELECT acknowledged_at IS NOT NULL AS acknowledged FROM profile_pushes WHERE device_id = ?", body.device_id);
  expect(pushes).toEqual([{ acknowledged: 1 }]);
  expect(await rows("SELECT action FROM audit_log WHERE target_id = ?", body.device_id)).toEqual([{ action: "device.pair" }]);
  expect(await rows("SELECT status, used_kid FROM claims WHERE device_id = ?", body.device_id)).toEqual([
    { status: "used", used_kid: kid },
  ]);
});

test.each(["RS256", "PS256", "EdDSA"])("a player with a key of %s is paired by its proof", async (alg) => {
  const player = await makePlayer(alg);
  const code = await adminCode();
  const { status, body } = await post(CLAIM, {
    claim_code: code,
    device_info: {},
    public_key: { ...player.publicKey, alg },
    proof: await proofOf(player, code),
  });
  expect(status).toBe(200);
  const identity = await authenticateDevice(new Headers({ Authorization: `Bearer ${body.device_token}` }), env, Date.now());
  expect(identity.key?.alg).toBe(alg);
});

test("a code is taken as people type it", async () => {
  const code = await adminCode();
  const typed = ` ${code.slice(0, 4).toLowerCase()} – ${code.slice(4)} `;
  const player = await makePlayer();
  const answer = await post(CLAIM, {
    claim_code: typed,
    device_info: {},
    public_key: player.publicKey,
    proof: await proofOf(player, code),
  });
  expect(answer.status).toBe(200);
});

test("a player without a key gets a token without one", async () => {
  const { status, body } = await post(CLAIM, { claim_code: await adminCode(), device_info: { model: "old" } });
  expect(status).toBe(200);
  const identity = await authenticateDevice(new Headers({ Authorization: `Bearer ${body.device_token}` }), env, Date.now());
  expect(identity.key).toBeNull();
  expect(await rows("SELECT 1 FROM device_keys WHERE device_id = ?", body.device_id)).toEqual([]);
});

test("a used code is used for every other key, and for whoever shows none", async () => {
  const code = await adminCode();
  expect((await claim(await makePlayer(), code)).status).toBe(200);
  for (const answer of [await claim(await makePlayer(), code), await post(CLAIM, { claim_code: code, device_info: {} })]) {
    expect(answer.status).toBe(409);
    expect(answer.body).toMatchObject({ type: "/docs/errors/claim-used", code: "CLAIM_USED" });
  }
});

test("a keyless winner cannot repeat its claim, since nothing proves that it is the same", async () => {
  const code = await adminCode();
  expect((await post(CLAIM, { claim_code: code, device_info: {} })).status).toBe(200);
  expect((await post(CLAIM, { claim_code: code, device_info: {} })).status).toBe(409);
});

test("an expired code is gone", async () => {
  const code = await adminCode();
  await env.DB.prepare("UPDATE claims SET expires_at = ? WHERE status = 'approved'")
    .bind(Date.now() - 1)
    .run();
  const answer = await claim(await makePlayer(), code);
  expect(answer.status).toBe(410);
  expect(answer.body.code).toBe("CLAIM_EXPIRED");
});

test("the same key repeats its claim and gets its device and family again, without a second audit row", async () => {
  const player = await makePlayer();
  const code = await adminCode();
  const first = await claim(player, code);
  const counted = await countRows();
  const second = await claim(player, code);
  expect(second.status).toBe(200);
  expect(second.body.device_id).toBe(first.body.device_id);
  expect(second.body.refresh_token).not.toBe(first.body.refresh_token);
  expect(await countRows()).toEqual({ ...counted, refresh_tokens: Number(counted?.refresh_tokens) + 1 });
  const families = await rows("SELECT id FROM token_families WHERE device_id = ?", first.body.device_id);
  expect(families).toHaveLength(1);
});

test("a claim cannot be repeated after ten minutes, nor once its tokens were used", async () => {
  const late = await makePlayer();
  const lateCode = await adminCode();
  const paired = await claim(late, lateCode);
  await env.DB.batch([
    env.DB.prepare("UPDATE claims SET used_at = used_at - 600001 WHERE device_id = ?").bind(paired.body.device_id),
    env.DB.prepare("UPDATE token_families SET created_at = created_at - 600001 WHERE device_id = ?").bind(paired.body.device_id),
  ]);
  expect((await claim(late, lateCode)).status).toBe(409);

  const player = await makePlayer();
  const code = await adminCode();
  const first = await claim(player, code);
  expect((await post("/v1/device/token", { refresh_token: first.body.refresh_token })).status).toBe(200);
  expect((await claim(player, code)).status).toBe(409);
});

test("a claim cannot be repeated once its device was paired anew, be it by the same key", async () => {
  const player = await makePlayer();
  const code = await adminCode();
  const first = await claim(player, code);
  const next = await claim(player, await adminCode({ device_id: first.body.device_id }));
  expect(next.body.device_id).toBe(first.body.device_id);
  expect((await claim(player, code)).status).toBe(409);
});

test("of 100 players with one code exactly one wins, and the others leave no row behind", async () => {
  const players = await Promise.all(Array.from({ length: 100 }, () => makePlayer()));
  const code = await adminCode();
  const before = await countRows();
  const address = newAddress();
  const answers = await Promise.all(players.map((player) => claim(player, code, address)));
  const statuses = answers.map((answer) => answer.status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 409)).toHaveLength(99);
  const after = await countRows();
  for (const [table, count] of Object.entries(before ?? {})) expect([table, Number(after?.[table]) - Number(count)]).toEqual([table, 1]);
});

test("equal claims of one key in parallel make one device", async () => {
  const player = await makePlayer();
  const code = await adminCode();
  const before = await countRows();
  const answers = await Promise.all(Array.from({ length: 20 }, () => claim(player, code)));
  expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
  expect(new Set(answers.map((answer) => answer.body.device_id)).size).toBe(1);
  expect(await countRows()).toMatchObject({ devices: Number(before?.devices) + 1, token_families: Number(before?.token_families) + 1 });
});

test("a code for an existing device replaces its player: same device, new family, the old key ended, the old tokens refused", async () => {
  const { storeId, groupId } = await makePlace();
  const old = await pair(await makePlayer(), { store_id: storeId, group_id: groupId, name: "Till" });
  const next = await makePlayer();
  const replaced = await claim(next, await adminCode({ device_id: old.device_id }));
  expect(replaced.status).toBe(200);
  expect(replaced.body.device_id).toBe(old.device_id);
  const [device] = await rows("SELECT external_name, store_id, group_id, status, version FROM devices WHERE id = ?", old.device_id);
  expect(device).toEqual({ external_name: "Till", store_id: storeId, group_id: groupId, status: "active", version: 2 });
  const keys = await rows(
    "SELECT kid, valid_to IS NULL AS open FROM device_keys WHERE device_id = ? ORDER BY valid_from, valid_to",
    old.device_id,
  );
  expect(keys.map((key) => key.open)).toEqual([0, 1]);
  expect(keys[1]?.kid).toBe(await calculateJwkThumbprint(next.publicKey));
  const families = await rows("SELECT revoked_reason FROM token_families WHERE device_id = ? ORDER BY id", old.device_id);
  expect(families).toEqual([{ revoked_reason: "replaced" }, { revoked_reason: null }]);
  const refused = await post("/v1/device/token", { refresh_token: old.refresh_token });
  expect([refused.status, refused.body.code]).toEqual([401, "REFRESH_TOKEN_REVOKED"]);
  expect((await post("/v1/device/token", { refresh_token: replaced.body.refresh_token })).status).toBe(200);
});

test("a device that was made unpaired becomes active by the code that names it", async () => {
  const id = crypto.randomUUID();
  await env.DB.prepare("INSERT INTO devices (id, external_name, status, created_at, updated_at) VALUES (?, 'New', 'unpaired', 1, 1)")
    .bind(id)
    .run();
  const { body } = await claim(await makePlayer(), await adminCode({ device_id: id }));
  expect(body.device_id).toBe(id);
  expect(await rows("SELECT status, external_name FROM devices WHERE id = ?", id)).toEqual([{ status: "active", external_name: "New" }]);
});

test("a preset that names nothing, or a device with presets of its own, is refused by field", async () => {
  const { storeId } = await makePlace();
  const nowhere = crypto.randomUUID();
  for (const [body, pointer] of [
    [{ store_id: nowhere }, "/store_id"],
    [{ group_id: nowhere }, "/group_id"],
    [{ device_id: nowhere }, "/device_id"],
    [{ device_id: nowhere, store_id: storeId }, "/device_id"],
    [{ device_info: {} }, "/device_info"],
    [{ public_key: {} }, "/public_key"],
    [{ store_id: 5 }, "/store_id"],
    [{ shop: storeId }, "/shop"],
    [[], ""],
  ] as const) {
    const answer = await post(CREATE, body, ADMIN);
    expect([answer.status, answer.body.errors?.[0]?.pointer]).toEqual([400, pointer]);
  }
});

test("a token that is no administrator's is refused, and does not fall back to asking as a device", async () => {
  const { device_token } = await pair(await makePlayer());
  for (const value of ["Bearer wrong", "Basic eDp5", "Bearer", `Bearer ${device_token}`]) {
    const answer = await post(CREATE, { device_info: {} }, { Authorization: value });
    expect(answer.status).toBe(401);
  }
});
