import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { findFirstAnswer, forgetIdempotencyKeys, IDEMPOTENCY_KEY_LIFETIME_MS, rememberStatements } from "../../src/platform/idempotency.ts";
import { admin, create } from "../support/admin.ts";

async function countRows(sql: string, ...values: unknown[]): Promise<number> {
  return (
    (await env.DB.prepare(sql)
      .bind(...values)
      .first<number>("n")) ?? -1
  );
}

const auditRows = (id: unknown) => countRows("SELECT count(*) AS n FROM audit_log WHERE target_id = ?", id);

describe("If-Match", () => {
  test("a stale tag is 412, changes nothing, and tells the tag of now", async () => {
    const { id } = await create("suppliers", { name: "one" });
    await admin("PATCH", `/v1/admin/suppliers/${id}`, { name: "two" }, { "If-Match": '"1"' });
    const stale = await admin("PATCH", `/v1/admin/suppliers/${id}`, { name: "three" }, { "If-Match": '"1"' });
    expect(stale.body).toMatchObject({ status: 412, code: "PRECONDITION_FAILED" });
    expect(stale.headers.get("ETag")).toBe('"2"');
    expect((await admin("GET", `/v1/admin/suppliers/${id}`)).body).toMatchObject({ name: "two", version: 2 });
    expect(await auditRows(id)).toBe(2);
  });

  test.each([
    ["*", 200],
    ['"7", "1"', 200],
    ['W/"1"', 412],
    ["1", 412],
  ])("%s on version 1 is %i", async (tag, status) => {
    const { id } = await create("suppliers", { name: "one" });
    expect((await admin("PATCH", `/v1/admin/suppliers/${id}`, { name: "two" }, { "If-Match": tag })).status).toBe(status);
  });

  test("of twenty editors who read the same version, one wins", async () => {
    const { id } = await create("stores", { supplier_id: (await create("suppliers", { name: "s" })).id, name: "S", timezone: "UTC" });
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => admin("PATCH", `/v1/admin/stores/${id}`, { city: `city ${n}` }, { "If-Match": '"1"' })),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array(19).fill(412)]);
    const winner = answers.find((answer) => answer.status === 200);
    expect((await admin("GET", `/v1/admin/stores/${id}`)).body).toEqual(winner?.body);
    expect(await auditRows(id)).toBe(2);
  });

  test("without it, twenty changes at the same time are made one after the other", async () => {
    const { id } = await create("suppliers", { name: "0" });
    const names = Array.from({ length: 20 }, (_, n) => `name ${n}`);
    const answers = await Promise.all(names.map((name) => admin("PATCH", `/v1/admin/suppliers/${id}`, { name })));
    expect(answers.map((answer) => answer.status)).toEqual(Array(20).fill(200));
    expect(answers.map((answer) => answer.body.version).sort((a, b) => Number(a) - Number(b))).toEqual(names.map((_, n) => n + 2));
    expect(await auditRows(id)).toBe(21);
  });

  test("without it, changes of different fields at the same time are all kept", async () => {
    const { id } = await create("stores", { supplier_id: (await create("suppliers", { name: "s" })).id, name: "S", timezone: "UTC" });
    const answers = await Promise.all(
      [{ city: "c" }, { area: "a" }, { address: "d" }].map((body) => admin("PATCH", `/v1/admin/stores/${id}`, body)),
    );
    expect(answers.map((answer) => answer.status)).toEqual([200, 200, 200]);
    expect((await admin("GET", `/v1/admin/stores/${id}`)).body).toMatchObject({ city: "c", area: "a", address: "d", version: 4 });
    expect(await auditRows(id)).toBe(4);
  });
});

describe("Idempotency-Key", () => {
  const post = (key: string, body: unknown, path = "suppliers") => admin("POST", `/v1/admin/${path}`, body, { "Idempotency-Key": key });

  test("the same request again gets the first answer again, and says so", async () => {
    const first = await post("again", { name: "once" });
    expect(first.status).toBe(201);
    expect(first.headers.get("Idempotency-Replayed")).toBeNull();
    await admin("PATCH", `/v1/admin/suppliers/${first.body.id}`, { name: "renamed" });
    const second = await post("again", { name: "once" });
    expect(second).toMatchObject({ status: 201, body: first.body });
    expect(second.headers.get("Idempotency-Replayed")).toBe("true");
    expect(second.headers.get("Location")).toBe(first.headers.get("Location"));
    expect(second.headers.get("ETag")).toBe('"1"');
    expect(await countRows("SELECT count(*) AS n FROM suppliers WHERE name IN ('once', 'renamed')")).toBe(1);
  });

  test("with another body, or on another path, it is a conflict", async () => {
    await post("reused", { name: "a" });
    expect((await post("reused", { name: "b" })).body).toMatchObject({ status: 409, code: "IDEMPOTENCY_KEY_REUSED" });
    expect((await post("reused", { name: "a" }, "device-groups")).body).toMatchObject({ status: 409, code: "IDEMPOTENCY_KEY_REUSED" });
  });

  test("twenty equal requests at once make one row, one audit row and one answer", async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => post("race", { name: "raced" })));
    expect(new Set(answers.map((answer) => answer.status))).toEqual(new Set([201]));
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(answers.filter((answer) => answer.headers.get("Idempotency-Replayed") === null)).toHaveLength(1);
    expect(await countRows("SELECT count(*) AS n FROM suppliers WHERE name = 'raced'")).toBe(1);
    expect(await auditRows(answers[0]?.body.id)).toBe(1);
  });

  test("a refused request uses up no key", async () => {
    expect((await post("refused", { name: "" })).status).toBe(400);
    expect((await post("refused", { name: "fine" })).status).toBe(201);
  });

  test("an answer of 200, for a content version that was there, is kept as well", async () => {
    const { id } = await create("content", { name: "c", type: "image" });
    const path = `content/${id}/versions`;
    const made = await post("version-1", { sha256: "c".repeat(64) }, path);
    expect(made.status).toBe(201);
    const second = await post("version-2", { sha256: "c".repeat(64) }, path);
    expect(second).toMatchObject({ status: 200, body: made.body });
    expect(second.headers.get("Idempotency-Replayed")).toBeNull();
    const third = await post("version-2", { sha256: "c".repeat(64) }, path);
    expect(third).toMatchObject({ status: 200, body: made.body });
    expect(third.headers.get("Idempotency-Replayed")).toBe("true");
    expect((await post("version-2", { sha256: "d".repeat(64) }, path)).body).toMatchObject({ code: "IDEMPOTENCY_KEY_REUSED" });
    expect((await post("version-1", { sha256: "c".repeat(64) }, path)).status).toBe(201);
  });

  test.each(["", "a b", "x".repeat(256)])("the key %j is refused", async (key) => {
    expect((await post(key, { name: "a" })).body).toMatchObject({ status: 400, code: "INVALID_IDEMPOTENCY_KEY" });
  });

  test("a key is free again after a day, and cron deletes it", async () => {
    const request = { actor: "a", key: "old", requestHash: "h" };
    const answer = { status: 201, body: "{}" };
    const born = 1_000_000_000_000;
    const died = born + IDEMPOTENCY_KEY_LIFETIME_MS;
    await env.DB.batch(rememberStatements(env.DB, request, answer, born));
    expect(await findFirstAnswer(env.DB, request, died - 1)).toEqual(answer);
    expect(await findFirstAnswer(env.DB, request, died)).toBeNull();
    await env.DB.batch(rememberStatements(env.DB, request, { status: 200, body: "[]" }, died));
    expect(await findFirstAnswer(env.DB, request, died)).toEqual({ status: 200, body: "[]" });
    const old = "SELECT count(*) AS n FROM idempotency_keys WHERE key = 'old'";
    await forgetIdempotencyKeys(env.DB, died);
    expect(await countRows(old)).toBe(1);
    expect(await forgetIdempotencyKeys(env.DB, died + IDEMPOTENCY_KEY_LIFETIME_MS)).toBe(1);
    expect(await countRows(old)).toBe(0);
  });
});

describe("bodies", () => {
  const send = (body: string, type: string) => admin("POST", "/v1/admin/suppliers", body, { "Content-Type": type });

  test.each([
    ["text/plain", '{"name":"a"}', 415, "UNSUPPORTED_MEDIA_TYPE"],
    ["application/x-www-form-urlencoded", "name=a", 415, "UNSUPPORTED_MEDIA_TYPE"],
    ["application/json", '{"name":', 400, "INVALID_JSON"],
    ["application/json", "", 400, "INVALID_JSON"],
    ["application/json", "[]", 400, "VALIDATION_ERROR"],
    ["application/json", "null", 400, "VALIDATION_ERROR"],
    ["application/json", '"name"', 400, "VALIDATION_ERROR"],
    ["application/json", JSON.stringify({ name: "a".repeat(1024 * 1024) }), 413, "PAYLOAD_TOO_LARGE"],
    ["application/json; charset=utf-8", '{"name":"fine"}', 201, undefined],
  ])("%s %.20s is %i", async (type, body, status, code) => {
    const answer = await send(body, type);
    expect(answer.status).toBe(status);
    expect(answer.body.code).toBe(code);
    expect(answer.headers.get("Content-Type")).toBe(code ? "application/problem+json" : "application/json");
  });

  test("a body that does not say its length is measured", async () => {
    const { exports } = await import("cloudflare:workers");
    const chunk = new TextEncoder().encode("a".repeat(64 * 1024));
    let sent = 0;
    const stream = new ReadableStream({
      pull(controller) {
        if (sent++ < 20) controller.enqueue(chunk);
        else controller.close();
      },
    });
    const answer = await exports.default.fetch("http://localhost/v1/admin/suppliers", {
      method: "POST",
      headers: { Authorization: "Bearer test-admin-token", "Content-Type": "application/json" },
      body: stream,
    });
    expect(answer.status).toBe(413);
  });

  test("no body at all is a validation error", async () => {
    expect((await admin("POST", "/v1/admin/suppliers")).body).toMatchObject({ status: 400, code: "VALIDATION_ERROR" });
  });

  test("what the database says of an error is never told", async () => {
    await env.DB.prepare(
      "CREATE TRIGGER full BEFORE INSERT ON suppliers WHEN NEW.name = 'poison' BEGIN SELECT RAISE(ABORT, 'secret detail'); END",
    ).run();
    const answer = await admin("POST", "/v1/admin/suppliers", { name: "poison" });
    await env.DB.prepare("DROP TRIGGER full").run();
    expect(answer.status).toBe(500);
    expect(JSON.stringify(answer.body)).not.toMatch(/secret|SQLITE|D1_/);
    expect(await countRows("SELECT count(*) AS n FROM audit_log WHERE json_extract(details_json, '$.after.name') = 'poison'")).toBe(0);
  });
});

describe("lists", () => {
  test("pages hold each row once, in order, and end with a null cursor", async () => {
    const supplier_id = (await create("suppliers", { name: "pages" })).id;
    const made: string[] = [];
    for (let n = 0; n < 7; n += 1) made.push((await create("stores", { supplier_id, name: `P${n}`, timezone: "UTC" })).id);
    const seen: string[] = [];
    const sizes: number[] = [];
    for (let cursor: unknown = ""; cursor !== null; ) {
      const query: string = cursor ? `&cursor=${cursor}` : "";
      const page = await admin("GET", `/v1/admin/stores?supplier_id=${supplier_id}&limit=3${query}`);
      const items = page.body.items as { id: string }[];
      seen.push(...items.map((item) => item.id));
      sizes.push(items.length);
      cursor = page.body.next_cursor;
    }
    expect(sizes).toEqual([3, 3, 1]);
    expect(seen).toEqual(made.sort());
  });

  test("a page that is exactly full has no next one where there is none", async () => {
    const supplier_id = (await create("suppliers", { name: "full" })).id;
    for (let n = 0; n < 2; n += 1) await create("stores", { supplier_id, name: `P${n}`, timezone: "UTC" });
    expect((await admin("GET", `/v1/admin/stores?supplier_id=${supplier_id}&limit=2`)).body.next_cursor).toBeNull();
  });

  test("fifty rows unless asked for more", async () => {
    await env.DB.batch(
      Array.from({ length: 60 }, () =>
        env.DB.prepare("INSERT INTO device_groups (id, name, created_at, updated_at) VALUES (?, 'many', 1, 1)").bind(crypto.randomUUID()),
      ),
    );
    expect((await admin("GET", "/v1/admin/device-groups?q=many")).body.items).toHaveLength(50);
    expect((await admin("GET", "/v1/admin/device-groups?q=many&limit=200")).body.items).toHaveLength(60);
  });

  test.each(["limit=0", "limit=1001", "limit=x", "limit=1.5", "limit=1&limit=2", "cursor=%%%", "cursor=_-8", "archived=yes"])(
    "?%s is refused",
    async (query) => {
      expect((await admin("GET", `/v1/admin/campaigns?${query}`)).body).toMatchObject({
        status: 400,
        type: "/docs/errors/validation-error",
      });
    },
  );

  test("filters narrow, and together narrow further", async () => {
    const group = await create("device-groups", { name: "filter" });
    const store = await create("stores", { supplier_id: (await create("suppliers", { name: "f" })).id, name: "F", timezone: "UTC" });
    const a = await create("devices", { external_name: "Window 100%", store_id: store.id, group_id: group.id });
    const b = await create("devices", { external_name: "Till", group_id: group.id });
    const ids = async (query: string) =>
      ((await admin("GET", `/v1/admin/devices?${query}`)).body.items as { id: string }[]).map((row) => row.id);
    expect(await ids(`group_id=${group.id}`)).toEqual([a.id, b.id].sort());
    expect(await ids(`group_id=${group.id}&store_id=${store.id}`)).toEqual([a.id]);
    expect(await ids(`group_id=${group.id}&q=wINDOW`)).toEqual([a.id]);
    expect(await ids(`group_id=${group.id}&q=100%25`)).toEqual([a.id]);
    expect(await ids(`group_id=${group.id}&q=%25`)).toEqual([a.id]);
    expect(await ids(`group_id=${group.id}&status=active`)).toEqual([]);
    expect(await ids(`group_id=${group.id}&status=unpaired`)).toHaveLength(2);
  });

  test("archived ones are told apart", async () => {
    const { id } = await create("campaigns", { brand_name: "b", name: "to the archive" });
    const found = async (query: string) =>
      ((await admin("GET", `/v1/admin/campaigns?q=to the archive${query}`)).body.items as unknown[]).length;
    expect([await found(""), await found("&archived=false"), await found("&archived=true")]).toEqual([1, 1, 0]);
    await admin("PATCH", `/v1/admin/campaigns/${id}`, { archived: true });
    expect([await found(""), await found("&archived=false"), await found("&archived=true")]).toEqual([1, 0, 1]);
  });
});
