import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { admin, create } from "../support/admin.ts";

interface Stand {
  pushes: number;
  assignments: Record<string, unknown>[];
}

/** What was written for a device's sequencer: how many pushes, and where it stood, oldest first. */
async function standOf(deviceId: string): Promise<Stand> {
  const pushes = await env.DB.prepare("SELECT count(*) AS n FROM profile_pushes WHERE device_id = ?").bind(deviceId).first<number>("n");
  const { results } = await env.DB.prepare(
    "SELECT store_id, supplier_id, timezone, lat, lng FROM device_assignments WHERE device_id = ? ORDER BY valid_from",
  )
    .bind(deviceId)
    .all();
  return { pushes: pushes ?? -1, assignments: results };
}

async function network() {
  const supplier = await create("suppliers", { name: "s" });
  const store = await create("stores", { supplier_id: supplier.id, name: "S", timezone: "Asia/Tokyo", lat: 35, lng: 139 });
  const group = await create("device-groups", { name: "g" });
  const device = await create("devices", { external_name: "d", store_id: store.id, group_id: group.id });
  return { supplier, store, group, device };
}

/** Assignments are told apart by the millisecond; the tests' changes must not share one. */
async function nextMillisecond(): Promise<void> {
  const now = Date.now();
  while (Date.now() === now) await scheduler.wait(1);
}

const TOKYO = { timezone: "Asia/Tokyo", lat: 35, lng: 139 };

describe("a sequencer hears of what it judges by", () => {
  test("a new device is pushed, and stands where it was put", async () => {
    const { supplier, store, device } = await network();
    expect(await standOf(device.id)).toEqual({ pushes: 1, assignments: [{ store_id: store.id, supplier_id: supplier.id, ...TOKYO }] });
  });

  test("a device that moves gets a new assignment; its old one stays", async () => {
    const { supplier, store, device } = await network();
    const other = await create("stores", { supplier_id: supplier.id, name: "T", timezone: "Europe/Berlin" });
    await nextMillisecond();
    await admin("PATCH", `/v1/admin/devices/${device.id}`, { store_id: other.id });
    await nextMillisecond();
    await admin("PATCH", `/v1/admin/devices/${device.id}`, { store_id: null });
    expect(await standOf(device.id)).toEqual({
      pushes: 3,
      assignments: [
        { store_id: store.id, supplier_id: supplier.id, ...TOKYO },
        { store_id: other.id, supplier_id: supplier.id, timezone: "Europe/Berlin", lat: null, lng: null },
        { store_id: null, supplier_id: null, timezone: null, lat: null, lng: null },
      ],
    });
  });

  test("another group is pushed without a new assignment; another name is not pushed", async () => {
    const { device } = await network();
    const group = await create("device-groups", { name: "h" });
    await admin("PATCH", `/v1/admin/devices/${device.id}`, { group_id: group.id });
    expect(await standOf(device.id)).toMatchObject({ pushes: 2, assignments: [{}] });
    await admin("PATCH", `/v1/admin/devices/${device.id}`, { external_name: "e" });
    expect((await standOf(device.id)).pushes).toBe(2);
  });

  test("a store's zone, position and supplier reach its devices and no others; its city does not", async () => {
    const { supplier, store, device } = await network();
    const bystander = (await network()).device;
    const owner = await create("suppliers", { name: "new owner" });
    for (const change of [{ timezone: "Asia/Seoul" }, { lat: 36, lng: 140 }, { supplier_id: owner.id }, { city: "Seoul" }]) {
      await nextMillisecond();
      await admin("PATCH", `/v1/admin/stores/${store.id}`, change);
    }
    const own = { store_id: store.id, supplier_id: supplier.id };
    expect(await standOf(device.id)).toEqual({
      pushes: 4,
      assignments: [
        { ...own, ...TOKYO },
        { ...own, ...TOKYO, timezone: "Asia/Seoul" },
        { ...own, timezone: "Asia/Seoul", lat: 36, lng: 140 },
        { store_id: store.id, supplier_id: owner.id, timezone: "Asia/Seoul", lat: 36, lng: 140 },
      ],
    });
    expect(await standOf(bystander.id)).toMatchObject({ pushes: 1, assignments: [{}] });
  });

  test("a group's policy reaches its devices; its name does not", async () => {
    const { group, device } = await network();
    await admin("PATCH", `/v1/admin/device-groups/${group.id}`, { policy: { signature: "optional" } });
    expect((await standOf(device.id)).pushes).toBe(2);
    await admin("PATCH", `/v1/admin/device-groups/${group.id}`, { name: "renamed" });
    await admin("PATCH", `/v1/admin/device-groups/${group.id}`, { policy: { signature: "optional" } });
    expect((await standOf(device.id)).pushes).toBe(2);
  });

  test("a change that is refused writes nothing for the sequencer", async () => {
    const { store, device } = await network();
    await admin("PATCH", `/v1/admin/stores/${store.id}`, { timezone: "Asia/Seoul" }, { "If-Match": '"9"' });
    await admin("PATCH", `/v1/admin/devices/${device.id}`, { store_id: crypto.randomUUID() });
    expect(await standOf(device.id)).toMatchObject({ pushes: 1, assignments: [{}] });
  });
});

describe("a device's keys", () => {
  test("are shown with the single device, newest first, and its token family never is", async () => {
    const { device } = await network();
    const insert = env.DB.prepare("INSERT INTO device_keys (kid, device_id, jwk_json, valid_from, valid_to) VALUES (?, ?, ?, ?, ?)");
    await env.DB.batch([
      insert.bind("old", device.id, '{"kty":"RSA","alg":"RS256"}', 1000, 2000),
      insert.bind("new", device.id, '{"kty":"OKP","alg":"EdDSA"}', 2000, null),
      env.DB.prepare("UPDATE devices SET token_family_id = 'secret-family' WHERE id = ?").bind(device.id),
    ]);
    const answer = await admin("GET", `/v1/admin/devices/${device.id}`);
    expect(answer.body.keys).toEqual([
      { kid: "new", alg: "EdDSA", valid_from: "1970-01-01T00:00:02.000Z", valid_to: null },
      { kid: "old", alg: "RS256", valid_from: "1970-01-01T00:00:01.000Z", valid_to: "1970-01-01T00:00:02.000Z" },
    ]);
    expect(JSON.stringify(answer.body)).not.toContain("secret-family");
    const list = await admin("GET", `/v1/admin/devices?group_id=${device.group_id}`);
    expect(JSON.stringify(list.body)).not.toContain("secret-family");
  });
});

describe("the audit log", () => {
  test("tells who changed what from what to what, newest first", async () => {
    const { id } = await create("suppliers", { name: "before" });
    await nextMillisecond();
    await admin("PATCH", `/v1/admin/suppliers/${id}`, { name: "after" });
    const { items } = (await admin("GET", `/v1/admin/audit-log?target_id=${id}`)).body as { items: Record<string, unknown>[] };
    expect(items).toMatchObject([
      {
        actor_user_id: "admin-token",
        action: "supplier.update",
        target_type: "supplier",
        target_id: id,
        details: { before: { name: "before" }, after: { name: "after" } },
      },
      { action: "supplier.create", details: { after: { id, name: "before", version: 1 } } },
    ]);
  });

  test("is filtered by action, type and time, and paged", async () => {
    const { id } = await create("suppliers", { name: "0" });
    for (const name of ["1", "2", "3"]) {
      await nextMillisecond();
      await admin("PATCH", `/v1/admin/suppliers/${id}`, { name });
    }
    type Entries = { items: { created_at: string; details: { after: { name: string } } }[]; next_cursor: string | null };
    const list = async (query: string) => (await admin("GET", `/v1/admin/audit-log?target_id=${id}&${query}`)).body as unknown as Entries;
    const names = (entries: Entries) => entries.items.map((entry) => entry.details.after.name);
    expect(names(await list("action=supplier.update"))).toEqual(["3", "2", "1"]);
    expect(names(await list("target_type=store"))).toEqual([]);
    const all = await list("");
    const [third, second] = all.items;
    expect(names(await list(`from=${second?.created_at}&to=${third?.created_at}`))).toEqual(["2"]);
    const first = await list("limit=3");
    expect(names(first)).toEqual(["3", "2", "1"]);
    expect(names(await list(`limit=3&cursor=${first.next_cursor}`))).toEqual(["0"]);
    expect((await admin("GET", "/v1/admin/audit-log?from=yesterday")).body).toMatchObject({ status: 400, errors: [{ pointer: "/from" }] });
  });

  test("has no other verbs, and D1 itself refuses to change it", async () => {
    const { id } = await create("suppliers", { name: "x" });
    expect((await admin("POST", "/v1/admin/audit-log", {})).status).toBe(404);
    await expect(env.DB.prepare("DELETE FROM audit_log WHERE target_id = ?").bind(id).run()).rejects.toThrow("append-only");
  });
});
