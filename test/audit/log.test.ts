import { env } from "cloudflare:workers";
import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import { csvChunks } from "../../src/audit/log.ts";
import { NAMED_TYPES, withNames } from "../../src/audit/names.ts";
import { auditLog } from "../../src/audit/tables.ts";
import { admin, call, create } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { parseCsv } from "../support/csv.ts";

interface Entry {
  id: string;
  action: string;
  origin: { network: string; address_hash: string; country: string; correlation_id: string } | null;
}

const entries = async (query: string) => (await admin("GET", `/v1/admin/audit-log?${query}`)).body.items as Entry[];
const rename = (id: string, name: string, address: string) =>
  admin("PATCH", `/v1/admin/suppliers/${id}`, { name }, { "CF-Connecting-IP": address });

describe("from where a change came", () => {
  test("is told by network and keyed hash, never by the address", async () => {
    const { id } = await create("suppliers", { name: "0" });
    for (const [name, address] of [
      ["1", "203.0.113.7"],
      ["2", "203.0.113.8"],
      ["3", "2001:db8:1:2::7"],
      ["4", "203.0.113.7"],
    ] as const) {
      await rename(id, name, address);
    }
    const [fourth, third, second, first, made] = await entries(`target_id=${id}`);
    expect(first?.origin).toMatchObject({ network: "203.0.113.0/24" });
    expect(second?.origin?.network).toBe("203.0.113.0/24");
    expect(third?.origin?.network).toBe("2001:db8:1::/48");
    expect(first?.origin?.address_hash).toMatch(/^[0-9a-f]{32}$/);
    expect(fourth?.origin?.address_hash).toBe(first?.origin?.address_hash);
    expect(second?.origin?.address_hash).not.toBe(first?.origin?.address_hash);
    expect(made?.origin).toMatchObject({ network: "", address_hash: "" });
    const stored = await env.DB.prepare("SELECT group_concat(origin_json) AS text FROM audit_log WHERE target_id = ?")
      .bind(id)
      .first<string>("text");
    expect(stored).not.toMatch(/113\.[78]|2::7/);
  });

  test("is asked for by address, however it is spelt", async () => {
    const { id } = await create("suppliers", { name: "0" });
    await rename(id, "1", "2001:DB8:1:2:0:0:0:7");
    await rename(id, "2", "198.51.100.1");
    const found = async (address: string) => (await entries(`target_id=${id}&address=${encodeURIComponent(address)}`)).length;
    expect([await found("2001:db8:1:2::7"), await found("198.51.100.1"), await found("198.51.100.2")]).toEqual([1, 1, 0]);
    expect((await admin("GET", "/v1/admin/audit-log?address=here")).body).toMatchObject({ status: 400, errors: [{ pointer: "/address" }] });
  });

  test("is not known of what a device did", async () => {
    const asked = await admin("POST", "/v1/device/pairing/create-claim", { name: "n" });
    const paired = await call("POST", "/v1/device/pairing/claim", {
      claim_code: asked.body.claim_code,
      device_info: { model: "P4" },
    });
    expect(paired.status).toBe(200);
    const [row] = await auditRows(paired.body.device_id);
    expect(row).toMatchObject({ action: "device.pair", origin: null });
  });
});

describe("whom and what an entry names", () => {
  test("is told by what they are called now, and by nothing once they are gone", async () => {
    const supplier = await create("suppliers", { name: "Before" });
    const { id: tokenId, token } = await create("tokens", { name: "Night job", role: "operator" });
    await call("PATCH", `/v1/admin/suppliers/${supplier.id}`, { name: "Now" }, { Authorization: `Bearer ${token}` });
    const names = async (id: string) =>
      ((await admin("GET", `/v1/admin/audit-log?target_id=${id}`)).body.items as Record<string, unknown>[]).map(
        ({ action, actor_name, target_name }) => ({ action, actor_name, target_name }),
      );
    expect(await names(supplier.id)).toEqual([
      { action: "supplier.update", actor_name: "Night job", target_name: "Now" },
      { action: "supplier.create", actor_name: null, target_name: "Now" },
    ]);
    expect(await names(tokenId)).toEqual([{ action: "api_token.create", actor_name: null, target_name: "Night job" }]);
    await admin("DELETE", `/v1/admin/suppliers/${supplier.id}`);
    expect(await names(supplier.id)).toMatchObject([{ action: "supplier.delete", target_name: null }, {}, {}]);
  });

  test("holds for a single entry, and one that is not there is not found", async () => {
    const { id } = await create("suppliers", { name: "Alone" });
    const [entry] = await entries(`target_id=${id}`);
    expect((await admin("GET", `/v1/admin/audit-log/${entry?.id}`)).body).toEqual(entry);
    expect(entry).toMatchObject({ target_name: "Alone", details: { after: { name: "Alone" } } });
    expect((await admin("GET", `/v1/admin/audit-log/${id}`)).status).toBe(404);
  });

  test("every type that is named has such columns", async () => {
    const all = NAMED_TYPES.map((type) => ({ actor_user_id: "system", target_type: type, target_id: "none" }));
    expect((await withNames(env.DB, all)).map(({ target_name }) => target_name)).toEqual(NAMED_TYPES.map(() => null));
  });
});

describe("the log as CSV", () => {
  test("holds what the filters let through, newest first, before and after as JSON", async () => {
    const { id } = await create("suppliers", { name: "=1+1" });
    await rename(id, 'quoted "name"', "203.0.113.7");
    await admin("DELETE", `/v1/admin/suppliers/${id}`);
    const answer = await admin("GET", `/v1/admin/audit-log.csv?target_id=${id}`);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Content-Type")).toBe("text/csv; charset=utf-8; header=present");
    expect(answer.headers.get("Content-Disposition")).toBe('attachment; filename="audit-log.csv"');
    const [header, ...rows] = parseCsv(String(answer.body.text));
    const records = rows.map((row) => Object.fromEntries(row.map((cell, at) => [header?.[at], cell])));
    expect(records.map(({ action }) => action)).toEqual(["supplier.delete", "supplier.update", "supplier.create"]);
    expect(records[1]).toMatchObject({
      actor_user_id: "admin-token",
      target_type: "supplier",
      target_id: id,
      before: '{"name":"=1+1"}',
      after: '{"name":"quoted \\"name\\""}',
      asked: "",
      network: "203.0.113.0/24",
    });
    expect(records[2]).toMatchObject({ before: "" });
    const updates = await admin("GET", `/v1/admin/audit-log.csv?target_id=${id}&action=supplier.update`);
    expect(parseCsv(String(updates.body.text))).toHaveLength(2);
    expect((await admin("GET", "/v1/admin/audit-log.csv?limit=1")).body).toMatchObject({ status: 400, errors: [{ pointer: "/limit" }] });
  });

  test("shows what was asked, where nothing was before or after", async () => {
    const claim = await admin("POST", "/v1/device/pairing/create-claim", { name: "@cmd" });
    const [header, row] = parseCsv(String((await admin("GET", `/v1/admin/audit-log.csv?target_id=${claim.body.claim_id}`)).body.text));
    expect(row?.[header?.indexOf("asked") ?? -1]).toBe('{"name":"@cmd"}');
  });

  test("of many pages holds each entry once", async () => {
    const { id } = await create("suppliers", { name: "0" });
    for (let n = 1; n <= 6; n += 1) await rename(id, String(n), "");
    let text = "";
    for await (const chunk of csvChunks(env.DB, [sql`${auditLog.target_id} = ${id}`], 3)) text += chunk;
    const rows = parseCsv(text).slice(1);
    expect(rows.map((row) => row[6])).toEqual([6, 5, 4, 3, 2, 1].map((n) => `{"name":"${n}"}`).concat([rows[6]?.[6] ?? ""]));
    expect(rows).toHaveLength(7);
  });
});
