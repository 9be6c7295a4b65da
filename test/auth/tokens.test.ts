import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { sha256Hex } from "../../src/platform/encoding.ts";
import { DAY_MS } from "../../src/platform/time.ts";
import { admin, call, create } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { bearer, makeExpired, makeToken } from "../support/tokens.ts";

const PATH = "/v1/admin/tokens";
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const list = async (query: string) => ((await admin("GET", `${PATH}?limit=200&${query}`)).body as { items: { id: string }[] }).items;

describe("making a token", () => {
  test("shows it once, and keeps its hash alone", async () => {
    const made = await admin("POST", PATH, { name: " Export ", role: "viewer", expires_at: "2027-06-30T02:00:00+02:00" });
    expect(made.status).toBe(201);
    const { token, id, created_at, ...shown } = made.body as Record<string, string>;
    expect(token).toMatch(/^alive_[A-Za-z0-9_-]{43}$/);
    expect(created_at).toMatch(TIME);
    expect(shown).toEqual({
      name: "Export",
      role: "viewer",
      scope: null,
      state: "active",
      created_by: "admin-token",
      expires_at: "2027-06-30T00:00:00.000Z",
      revoked_at: null,
      last_used_at: null,
    });
    expect(made.headers.get("Location")).toBe(`${PATH}/${id}`);
    expect(made.headers.get("Cache-Control")).toBe("no-store");

    const row = await env.DB.prepare("SELECT * FROM api_tokens WHERE id = ?").bind(id).first<Record<string, unknown>>();
    expect(row?.token_hash).toBe(await sha256Hex(String(token)));
    expect(JSON.stringify(row)).not.toContain(token);
    const read = await admin("GET", `${PATH}/${id}`);
    expect(read.body).toEqual({ id, created_at, ...shown });
    const written = JSON.stringify([await list("q=export"), read.body, await auditRows(id)]);
    expect(written).toContain("api_token.create");
    expect(written).not.toContain(token);
    expect(written).not.toContain(row?.token_hash);
  });

  test("lives for 90 days where it is not told", async () => {
    const made = await create("tokens", { name: "t", role: "admin" });
    expect(Date.parse(String(made.expires_at)) - Date.parse(String(made.created_at))).toBe(90 * DAY_MS);
  });

  test("an answer that is repeated is without the token, and makes none", async () => {
    const key = { "Idempotency-Key": crypto.randomUUID() };
    const first = await admin("POST", PATH, { name: "once", role: "operator" }, key);
    const again = await admin("POST", PATH, { name: "once", role: "operator" }, key);
    const { token, ...shown } = first.body;
    expect(token).toMatch(/^alive_/);
    expect(again.status).toBe(201);
    expect(again.body).toEqual(shown);
    expect(again.headers.get("Idempotency-Replayed")).toBe("true");
    expect(await list("q=once")).toHaveLength(1);
    const kept = await env.DB.prepare("SELECT body FROM idempotency_keys WHERE key = ?").bind(key["Idempotency-Key"]).first();
    expect(JSON.stringify(kept)).not.toContain(token);
  });

  test("two are never alike", async () => {
    const [a, b] = [await makeToken("viewer"), await makeToken("viewer")];
    expect(a.token).not.toBe(b.token);
  });

  test("by a token makes none that outlives it, asked for or not", async () => {
    const ends = new Date(Date.now() + 3_600_000).toISOString();
    const short = await create("tokens", { name: "An hour", role: "admin", expires_at: ends });
    const by = (body: Record<string, unknown>) => call("POST", PATH, { name: "t", role: "admin", ...body }, bearer(String(short.token)));
    const late = await by({ expires_at: new Date(Date.parse(ends) + 1).toISOString() });
    const detail = `must not be after the end of the token that makes it, ${ends}`;
    expect(late).toMatchObject({ status: 400, body: { errors: [{ pointer: "/expires_at", detail }] } });
    expect((await by({})).body).toMatchObject({ expires_at: ends });
    expect((await by({ expires_at: ends })).status).toBe(201);
  });

  const nothing = "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5";
  test.each([
    [{ role: "viewer" }, "VALIDATION_ERROR", "/name"],
    [{ name: "", role: "viewer" }, "VALIDATION_ERROR", "/name"],
    [{ name: "t" }, "VALIDATION_ERROR", "/role"],
    [{ name: "t", role: "root" }, "VALIDATION_ERROR", "/role"],
    [{ name: "t", role: "viewer", token: "alive_mine" }, "VALIDATION_ERROR", "/token"],
    [{ name: "t", role: "operator", scope: { supplier_id: nothing } }, "VALIDATION_ERROR", "/scope"],
    [{ name: "t", role: "viewer", scope: {} }, "VALIDATION_ERROR", "/scope"],
    [{ name: "t", role: "viewer", scope: { supplier_id: nothing, brand_name: "b" } }, "VALIDATION_ERROR", "/scope"],
    [{ name: "t", role: "viewer", scope: { content_ids: [nothing] } }, "VALIDATION_ERROR", "/scope/content_ids"],
    [{ name: "t", role: "viewer", scope: { supplier_id: nothing } }, "REFERENCE_NOT_FOUND", "/scope/supplier_id"],
    [{ name: "t", role: "viewer", scope: { brand_name: "No such brand" } }, "REFERENCE_NOT_FOUND", "/scope/brand_name"],
    [{ name: "t", role: "reporter" }, "VALIDATION_ERROR", "/scope"],
    [{ name: "t", role: "reporter", scope: null }, "VALIDATION_ERROR", "/scope"],
    [{ name: "t", role: "reporter", scope: {} }, "VALIDATION_ERROR", "/scope"],
    [{ name: "t", role: "reporter", scope: { all_content: true, content_ids: [nothing] } }, "VALIDATION_ERROR", "/scope"],
    [{ name: "t", role: "reporter", scope: { content_ids: [nothing] } }, "REFERENCE_NOT_FOUND", "/scope/content_ids/0"],
    [{ name: "t", role: "reporter", scope: { campaign_ids: [nothing] } }, "REFERENCE_NOT_FOUND", "/scope/campaign_ids/0"],
    [{ name: "t", role: "viewer", expires_at: "2020-01-01T00:00:00Z" }, "VALIDATION_ERROR", "/expires_at"],
    [{ name: "t", role: "viewer", expires_at: "2226-01-01T00:00:00Z" }, "VALIDATION_ERROR", "/expires_at"],
    [{ name: "t", role: "viewer", expires_at: "tomorrow" }, "VALIDATION_ERROR", "/expires_at"],
  ])("%j is refused", async (body, code, pointer) => {
    const before = (await auditRows()).length;
    const answer = await admin("POST", PATH, body);
    expect(answer.status).toBe(400);
    expect(answer.body).toMatchObject({ code, errors: expect.arrayContaining([expect.objectContaining({ pointer })]) });
    expect(await auditRows()).toHaveLength(before);
  });
});

describe("the list", () => {
  test("is narrowed by role and state, newest first", async () => {
    const active = await makeToken("reporter");
    const expired = await makeExpired("reporter");
    const revoked = await makeToken("reporter");
    await admin("POST", `${PATH}/${revoked.id}/revoke`);
    const ids = async (query: string) => (await list(`role=reporter&${query}`)).map(({ id }) => id);
    expect(await ids("")).toEqual([revoked.id, expired.id, active.id]);
    expect(await ids("state=active")).toEqual([active.id]);
    expect(await ids("state=expired")).toEqual([expired.id]);
    expect(await ids("state=revoked")).toEqual([revoked.id]);
    expect((await admin("GET", `${PATH}?state=gone`)).body).toMatchObject({ errors: [{ pointer: "/state" }] });
    const page = (await admin("GET", `${PATH}?role=reporter&limit=1`)).body as { items: { id: string }[]; next_cursor: string };
    const rest = await list(`role=reporter&cursor=${page.next_cursor}`);
    expect([...page.items, ...rest].map(({ id }) => id)).toEqual([revoked.id, expired.id, active.id]);
  });
});

describe("revoking", () => {
  test("ends a token that is in use, at once where it is revoked, with one audit row however often", async () => {
    const { id, token } = await makeToken("operator");
    expect((await call("GET", "/v1/admin/stores", undefined, bearer(token))).status).toBe(200);
    const revoked = await admin("POST", `${PATH}/${id}/revoke`);
    expect(revoked.status).toBe(200);
    expect(revoked.body).toMatchObject({ id, state: "revoked", revoked_at: expect.stringMatching(TIME) });
    expect((await call("GET", "/v1/admin/stores", undefined, bearer(token))).body).toMatchObject({ status: 401, code: "TOKEN_REVOKED" });
    const again = await admin("POST", `${PATH}/${id}/revoke`);
    expect(again.body).toEqual({ ...revoked.body, last_used_at: again.body.last_used_at });
    expect((await auditRows(id)).map(({ action }) => action)).toEqual(["api_token.create", "api_token.revoke"]);
  });

  test("of one that is none is 404", async () => {
    expect((await admin("POST", `${PATH}/${crypto.randomUUID()}/revoke`)).status).toBe(404);
    expect((await admin("GET", `${PATH}/${crypto.randomUUID()}`)).status).toBe(404);
  });

  test("several at once write one audit row", async () => {
    const { id } = await makeToken("viewer");
    const answers = await Promise.all(Array.from({ length: 4 }, () => admin("POST", `${PATH}/${id}/revoke`)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await auditRows(id)).filter(({ action }) => action === "api_token.revoke")).toHaveLength(1);
  });
});

test("the audit log names the token that changed something", async () => {
  const operator = await makeToken("operator");
  const made = await call("POST", "/v1/admin/suppliers", { name: "By a token" }, bearer(operator.token));
  expect(made.status).toBe(201);
  const { items } = (await admin("GET", `/v1/admin/audit-log?actor_user_id=token:${operator.id}`)).body as { items: unknown[] };
  expect(items).toHaveLength(1);
  expect(items[0]).toMatchObject({ action: "supplier.create", target_id: made.body.id });
});

describe("a group's policy", () => {
  const policy = { signature: "optional" };

  test("is for role admin: an operator is told which field, and nothing is written", async () => {
    const group = await create("device-groups", { name: "g" });
    const operator = bearer((await makeToken("operator")).token);
    for (const [method, path] of [
      ["PATCH", `/v1/admin/device-groups/${group.id}`],
      ["POST", "/v1/admin/device-groups"],
    ] as const) {
      const answer = await call(method, path, { name: "h", policy }, operator);
      expect(answer.status).toBe(403);
      expect(answer.body).toMatchObject({ code: "FORBIDDEN", errors: [{ pointer: "/policy" }] });
    }
    expect((await admin("GET", `/v1/admin/device-groups/${group.id}`)).body).toMatchObject({ name: "g", policy: {}, version: 1 });
    expect(await auditRows(group.id)).toHaveLength(1);
  });

  test("an operator changes the rest, and a token of role admin all", async () => {
    const group = await create("device-groups", { name: "g" });
    const path = `/v1/admin/device-groups/${group.id}`;
    expect((await call("PATCH", path, { name: "h" }, bearer((await makeToken("operator")).token))).status).toBe(200);
    const changed = await call("PATCH", path, { policy }, bearer((await makeToken("admin")).token));
    expect(changed.body).toMatchObject({ name: "h", policy });
  });
});
