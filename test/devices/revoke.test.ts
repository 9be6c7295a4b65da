import { env } from "cloudflare:workers";
import { afterEach, expect, test, vi } from "vitest";
import { deliverProfiles } from "../../src/devices/push.ts";
import { DeviceSequencer } from "../../workers/index.ts";
import { ADMIN, adminCode, claim, countRows, makePlayer, pair, post, refresh, rows } from "./player.ts";

const revoke = (id: string, headers: Record<string, string> = ADMIN) => post(`/v1/admin/devices/${id}/revoke`, "", headers);

afterEach(() => {
  vi.restoreAllMocks();
});

test("revoking ends status, keys and tokens, writes one audit row, and answers when the sequencer knows", async () => {
  const { device_id, refresh_token } = await pair(await makePlayer());
  const answer = await revoke(device_id);
  expect(answer.status).toBe(200);
  const [device] = await rows("SELECT status, revoked_at, version FROM devices WHERE id = ?", device_id);
  expect(device).toMatchObject({ status: "revoked", version: 2 });
  expect(answer.body).toEqual({ device_id, status: "revoked", revoked_at: new Date(Number(device?.revoked_at)).toISOString() });
  expect(await rows("SELECT valid_to FROM device_keys WHERE device_id = ?", device_id)).toEqual([{ valid_to: device?.revoked_at }]);
  expect(await rows("SELECT revoked_at, revoked_reason FROM token_families WHERE device_id = ?", device_id)).toEqual([
    { revoked_at: device?.revoked_at, revoked_reason: "device revoked" },
  ]);
  expect(await rows("SELECT acknowledged_at IS NULL AS open FROM profile_pushes WHERE device_id = ?", device_id)).toEqual([
    { open: 0 },
    { open: 0 },
  ]);
  expect(
    await rows("SELECT actor_user_id, details_json FROM audit_log WHERE target_id = ? AND action = 'device.revoke'", device_id),
  ).toEqual([{ actor_user_id: "admin-token", details_json: '{"before":{"status":"active"},"after":{"status":"revoked"}}' }]);
  const refused = await refresh(refresh_token);
  expect([refused.status, refused.body.code]).toEqual([401, "REFRESH_TOKEN_REVOKED"]);
});

test("repeating it answers the same and writes nothing", async () => {
  const { device_id } = await pair(await makePlayer());
  const first = await revoke(device_id);
  const counted = await countRows();
  const second = await revoke(device_id);
  expect(second.body).toEqual(first.body);
  expect(await countRows()).toEqual(counted);
});

test("20 revocations at once write one audit row", async () => {
  const { device_id } = await pair(await makePlayer());
  const answers = await Promise.all(Array.from({ length: 20 }, () => revoke(device_id)));
  expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
  expect(new Set(answers.map((answer) => answer.body.revoked_at)).size).toBe(1);
  expect(await rows("SELECT count(*) AS n FROM audit_log WHERE target_id = ? AND action = 'device.revoke'", device_id)).toEqual([{ n: 1 }]);
});

test("while the sequencer cannot be told, it answers 503; the push stays open, and cron or a repetition delivers it", async () => {
  const { device_id } = await pair(await makePlayer());
  const broken = vi.spyOn(DeviceSequencer.prototype, "refreshProfile").mockRejectedValue(new Error("no storage"));
  const answer = await revoke(device_id);
  expect([answer.status, answer.body.code, answer.headers.get("Retry-After")]).toEqual([503, "REVOCATION_PENDING", "5"]);
  const open = () => rows("SELECT count(*) AS n FROM profile_pushes WHERE device_id = ? AND acknowledged_at IS NULL", device_id);
  expect(await open()).toEqual([{ n: 1 }]);
  expect(await rows("SELECT status FROM devices WHERE id = ?", device_id)).toEqual([{ status: "revoked" }]);
  broken.mockRestore();
  await deliverProfiles(env);
  expect(await open()).toEqual([{ n: 0 }]);
  expect((await revoke(device_id)).status).toBe(200);
  expect(await rows("SELECT count(*) AS n FROM audit_log WHERE target_id = ? AND action = 'device.revoke'", device_id)).toEqual([{ n: 1 }]);
});

test("a sequencer that answers with an older profile has not understood", async () => {
  const { device_id } = await pair(await makePlayer());
  vi.spyOn(DeviceSequencer.prototype, "refreshProfile").mockResolvedValue(0);
  expect((await revoke(device_id)).status).toBe(503);
});

test("a pairing is good even while the sequencer cannot be told, and its push stays open", async () => {
  vi.spyOn(DeviceSequencer.prototype, "refreshProfile").mockRejectedValue(new Error("no storage"));
  const { device_id } = await pair(await makePlayer());
  expect(await rows("SELECT acknowledged_at FROM profile_pushes WHERE device_id = ?", device_id)).toEqual([{ acknowledged_at: null }]);
});

test("a code that was made before does not bring a revoked device back; one that is made after does", async () => {
  const player = await makePlayer();
  const { device_id } = await pair(player);
  const earlier = await adminCode({ device_id });
  await revoke(device_id);
  const refused = await claim(player, earlier);
  expect([refused.status, refused.body.code]).toEqual([403, "CLAIM_REJECTED"]);
  const later = await claim(player, await adminCode({ device_id }));
  expect([later.status, later.body.device_id]).toEqual([200, device_id]);
  expect(await rows("SELECT status, revoked_at FROM devices WHERE id = ?", device_id)).toEqual([{ status: "active", revoked_at: null }]);
});

test("the winner of a claim cannot repeat it once the device is revoked", async () => {
  const player = await makePlayer();
  const code = await adminCode();
  const { body } = await claim(player, code);
  await revoke(body.device_id);
  expect((await claim(player, code)).status).toBe(409);
});

test("only administrators revoke, and only what exists", async () => {
  const { device_id, device_token } = await pair(await makePlayer());
  expect((await revoke(device_id, {})).status).toBe(401);
  expect((await revoke(device_id, { Authorization: `Bearer ${device_token}` })).status).toBe(401);
  expect(await rows("SELECT status FROM devices WHERE id = ?", device_id)).toEqual([{ status: "active" }]);
  expect((await revoke(crypto.randomUUID())).status).toBe(404);
  expect((await revoke("7")).status).toBe(400);
});
