import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { sha256Hex } from "../../src/platform/encoding.ts";
import {
  ADMIN,
  type Answer,
  type AnswerBody,
  countRows,
  getAsAdmin,
  makePlace,
  makePlayer,
  newAddress,
  type Player,
  pair,
  post,
  proofOf,
  rows,
} from "./player.ts";

const CREATE = "/v1/device/pairing/create-claim";
const CLAIM = "/v1/device/pairing/claim";

async function ask(player: Player | null): Promise<AnswerBody> {
  const body = { device_info: { model: "P4", player_version: "2.0" }, ...(player ? { public_key: player.publicKey } : {}) };
  const answer = await post(CREATE, body, { "CF-Connecting-IP": newAddress() });
  expect(answer.status).toBe(201);
  return answer.body;
}

async function poll(asked: AnswerBody, player: Player | null): Promise<Answer> {
  return await post(CLAIM, {
    claim_code: asked.claim_code,
    device_code: asked.device_code,
    ...(player ? { proof: await proofOf(player, asked.claim_code) } : {}),
  });
}

const approve = (id: string, presets: unknown) => post(`/v1/admin/claims/${id}/approve`, presets, ADMIN);
const reject = (id: string) => post(`/v1/admin/claims/${id}/reject`, "", ADMIN);

test("a player that asked waits, is approved, and becomes a device as the administrator said", async () => {
  const { storeId, groupId } = await makePlace();
  const player = await makePlayer();
  const asked = await ask(player);
  expect(asked.device_code).toMatch(/^dc_[A-Za-z0-9_-]{43}$/);
  const [row] = await rows("SELECT status, device_code_hash, decided_by FROM claims WHERE id = ?", asked.claim_id);
  expect(row).toEqual({ status: "pending", device_code_hash: await sha256Hex(asked.device_code), decided_by: null });

  const waiting = await poll(asked, player);
  expect(waiting.status).toBe(202);
  expect(waiting.body).toEqual({ status: "pending", retry_after_s: 5 });
  expect(waiting.headers.get("Retry-After")).toBe("5");

  const approved = await approve(asked.claim_id, { store_id: storeId, group_id: groupId, name: "Door" });
  expect(approved.status).toBe(200);
  expect(approved.body).toMatchObject({
    id: asked.claim_id,
    status: "approved",
    store_id: storeId,
    group_id: groupId,
    name: "Door",
    decided_by: "admin-token",
  });

  const paired = await poll(asked, player);
  expect(paired.status).toBe(200);
  expect(
    await rows("SELECT external_name, store_id, group_id, status, player_version FROM devices WHERE id = ?", paired.body.device_id),
  ).toEqual([{ external_name: "Door", store_id: storeId, group_id: groupId, status: "active", player_version: "2.0" }]);
  const audit = await rows("SELECT action, actor_user_id FROM audit_log WHERE target_id = ?", asked.claim_id);
  expect(audit).toEqual([{ action: "claim.approve", actor_user_id: "admin-token" }]);

  const again = await poll(asked, player);
  expect([again.status, again.body.device_id]).toEqual([200, paired.body.device_id]);
});

test("a player without a key is paired, and may repeat, by its device code", async () => {
  const asked = await ask(null);
  await approve(asked.claim_id, {});
  const paired = await poll(asked, null);
  expect(paired.status).toBe(200);
  expect((await poll(asked, null)).body.device_id).toBe(paired.body.device_id);
  expect((await post("/v1/device/token", { refresh_token: paired.body.refresh_token })).status).toBe(200);
  expect((await poll(asked, null)).status).toBe(409);
});

test("a rejected player is told so", async () => {
  const player = await makePlayer();
  const asked = await ask(player);
  expect((await reject(asked.claim_id)).body).toMatchObject({ status: "rejected", decided_by: "admin-token" });
  const answer = await poll(asked, player);
  expect([answer.status, answer.body.type, answer.body.code]).toEqual([403, "/docs/errors/forbidden", "CLAIM_REJECTED"]);
  expect(await rows("SELECT action FROM audit_log WHERE target_id = ?", asked.claim_id)).toEqual([{ action: "claim.reject" }]);
});

test("a code read off the screen is worth nothing without the device code, before and after approval", async () => {
  const player = await makePlayer();
  const asked = await ask(player);
  const thief = await makePlayer();
  const attempts = async () => [
    await post(CLAIM, { claim_code: asked.claim_code, device_info: {} }),
    await post(CLAIM, {
      claim_code: asked.claim_code,
      device_info: {},
      public_key: thief.publicKey,
      proof: await proofOf(thief, asked.claim_code),
    }),
    await post(CLAIM, { claim_code: asked.claim_code, device_code: `${asked.device_code}x` }),
  ];
  for (const answer of await attempts()) expect([answer.status, answer.body.code]).toEqual([404, "CLAIM_NOT_FOUND"]);
  await approve(asked.claim_id, {});
  for (const answer of await attempts()) expect(answer.status).toBe(404);
  expect((await poll(asked, player)).status).toBe(200);
});

test("the device code alone does not pair a player that gave a key: its proof is needed", async () => {
  const player = await makePlayer();
  const asked = await ask(player);
  await approve(asked.claim_id, {});
  const bare = await post(CLAIM, { claim_code: asked.claim_code, device_code: asked.device_code });
  expect([bare.status, bare.body.code, bare.body.errors[0]?.pointer]).toEqual([400, "PROOF_REQUIRED", "/proof"]);
  expect((await poll(asked, await makePlayer())).body.code).toBe("INVALID_PROOF");
  expect((await poll(asked, player)).status).toBe(200);
});

test("an approved player that comes too late has to ask again", async () => {
  const asked = await ask(null);
  await approve(asked.claim_id, {});
  await env.DB.prepare("UPDATE claims SET expires_at = ? WHERE id = ?")
    .bind(Date.now() - 1, asked.claim_id)
    .run();
  expect((await poll(asked, null)).status).toBe(410);
});

test("a claim is decided once: the second word is refused, and leaves no audit row", async () => {
  const asked = await ask(null);
  expect((await approve(asked.claim_id, {})).status).toBe(200);
  for (const answer of [await approve(asked.claim_id, {}), await reject(asked.claim_id)]) {
    expect([answer.status, answer.body.code]).toEqual([409, "CLAIM_DECIDED"]);
  }
  expect(await rows("SELECT count(*) AS n FROM audit_log WHERE target_id = ?", asked.claim_id)).toEqual([{ n: 1 }]);
});

test("a decision that is repeated under its Idempotency-Key, even at once, gets the first answer", async () => {
  const asked = await ask(null);
  const repeat = () =>
    post(`/v1/admin/claims/${asked.claim_id}/approve`, { name: "Door" }, { ...ADMIN, "Idempotency-Key": asked.claim_id });
  const answers = [await repeat(), ...(await Promise.all([repeat(), repeat(), repeat()]))];
  for (const answer of answers) expect([answer.status, answer.body]).toEqual([200, answers[0]?.body]);
  expect(answers.map((answer) => answer.headers.get("Idempotency-Replayed"))).toEqual([null, "true", "true", "true"]);
  const other = await post(`/v1/admin/claims/${asked.claim_id}/reject`, "", { ...ADMIN, "Idempotency-Key": asked.claim_id });
  expect([other.status, other.body.code]).toEqual([409, "IDEMPOTENCY_KEY_REUSED"]);
  expect(await rows("SELECT count(*) AS n FROM audit_log WHERE target_id = ?", asked.claim_id)).toEqual([{ n: 1 }]);

  const racing = await ask(null);
  const race = () => post(`/v1/admin/claims/${racing.claim_id}/approve`, {}, { ...ADMIN, "Idempotency-Key": racing.claim_id });
  const raced = await Promise.all(Array.from({ length: 10 }, race));
  for (const answer of raced) expect([answer.status, answer.body]).toEqual([200, raced[0]?.body]);
  expect(await rows("SELECT count(*) AS n FROM audit_log WHERE target_id = ?", racing.claim_id)).toEqual([{ n: 1 }]);
});

test("of 20 decisions at once one stands, with one audit row", async () => {
  const asked = await ask(null);
  const before = Number((await countRows())?.audit_log);
  const answers = await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 ? approve(asked.claim_id, {}) : reject(asked.claim_id))));
  expect(answers.map((answer) => answer.status).filter((status) => status === 200)).toHaveLength(1);
  expect(answers.map((answer) => answer.status).filter((status) => status === 409)).toHaveLength(19);
  expect(Number((await countRows())?.audit_log)).toBe(before + 1);
});

test("a claim that is expired or does not exist cannot be decided, nor with presets that name nothing", async () => {
  const asked = await ask(null);
  const bad = await approve(asked.claim_id, { store_id: crypto.randomUUID() });
  expect([bad.status, bad.body.errors[0]?.pointer]).toEqual([400, "/store_id"]);
  expect((await approve(asked.claim_id, { shop: 1 })).status).toBe(400);
  await env.DB.prepare("UPDATE claims SET expires_at = ? WHERE id = ?")
    .bind(Date.now() - 1, asked.claim_id)
    .run();
  expect((await approve(asked.claim_id, {})).status).toBe(410);
  expect((await approve(crypto.randomUUID(), {})).status).toBe(404);
  expect((await approve("7", {})).status).toBe(400);
  expect(await rows("SELECT count(*) AS n FROM audit_log WHERE target_id = ?", asked.claim_id)).toEqual([{ n: 0 }]);
});

test("a player that asks can be approved as the replacement of a device", async () => {
  const old = await pair(await makePlayer());
  const player = await makePlayer();
  const asked = await ask(player);
  expect((await approve(asked.claim_id, { device_id: old.device_id })).status).toBe(200);
  expect((await poll(asked, player)).body.device_id).toBe(old.device_id);
});

test("the list begins with those that wait, newest first, pages through all, and shows no code", async () => {
  await env.DB.prepare("DELETE FROM claims").run();
  const asked: [AnswerBody, AnswerBody, AnswerBody, AnswerBody, AnswerBody] = [
    await ask(await makePlayer()),
    await ask(null),
    await ask(null),
    await ask(null),
    await ask(null),
  ];
  await approve(asked[4].claim_id, {});
  await reject(asked[1].claim_id);
  await env.DB.prepare("UPDATE claims SET expires_at = 1 WHERE id = ?").bind(asked[2].claim_id).run();
  const expected = [
    [asked[3].claim_id, "pending"],
    [asked[0].claim_id, "pending"],
    [asked[4].claim_id, "approved"],
    [asked[2].claim_id, "expired"],
    [asked[1].claim_id, "rejected"],
  ];
  const seen: string[][] = [];
  let cursor = "";
  for (let page = 0; page < 3; page += 1) {
    const { status, body } = await getAsAdmin(`/v1/admin/claims?limit=2${cursor}`);
    expect(status).toBe(200);
    seen.push(...body.items.map((item) => [item.id, item.status]));
    cursor = `&cursor=${body.next_cursor}`;
    expect(body.next_cursor === null).toBe(page === 2);
  }
  expect(seen).toEqual(expected);
  const { body } = await getAsAdmin(`/v1/admin/claims?claim_code=${asked[0].claim_code.toLowerCase()}`);
  expect(body.items).toHaveLength(1);
  expect(body.items[0]).toMatchObject({
    id: asked[0].claim_id,
    asked_by: "device",
    has_key: true,
    device_info: { model: "P4", player_version: "2.0" },
    expires_at: asked[0].expires_at,
  });
  expect(JSON.stringify(body)).not.toContain(asked[0].claim_code);
  expect(JSON.stringify(body)).not.toContain("hmac");
  expect((await getAsAdmin("/v1/admin/claims?status=expired")).body.items.map((item) => item.id)).toEqual([asked[2].claim_id]);
  for (const bad of ["cursor=x!", "cursor=eA", "limit=0", "status=open", "color=red"]) {
    expect((await getAsAdmin(`/v1/admin/claims?${bad}`)).status).toBe(400);
  }
});

test("claims are for administrators only", async () => {
  const { device_token } = await pair(await makePlayer());
  const headers = { Authorization: `Bearer ${device_token}` };
  for (const path of ["approve", "reject"]) {
    expect((await post(`/v1/admin/claims/${crypto.randomUUID()}/${path}`, {}, headers)).status).toBe(401);
    expect((await post(`/v1/admin/claims/${crypto.randomUUID()}/${path}`, {})).status).toBe(401);
  }
});
