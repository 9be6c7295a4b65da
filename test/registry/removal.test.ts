import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { refuseWhereStatement } from "../../src/platform/requirement.ts";
import { admin, call, create } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { playlistWithItems, scheduleOf, smallNetwork } from "../support/media.ts";

const remove = (path: string, id: string, headers: Record<string, string> = {}) =>
  admin("DELETE", `/v1/admin/${path}/${id}`, undefined, headers);

describe("deleting", () => {
  test("a store with devices is refused, lists them, and changes nothing", async () => {
    const { store, device } = await smallNetwork();
    const second = await create("devices", { external_name: "Till 2", store_id: store.id });
    const refused = await remove("stores", store.id);
    expect(refused.body).toMatchObject({
      type: "/docs/errors/conflict",
      status: 409,
      code: "IN_USE",
      detail: "The store cannot be deleted while it is used by device Till 1, device Till 2.",
      used_by: [
        { type: "device", id: device.id, name: "Till 1" },
        { type: "device", id: second.id, name: "Till 2" },
      ],
      used_by_total: 2,
    });
    expect((await admin("GET", `/v1/admin/stores/${store.id}`)).status).toBe(200);
    expect((await auditRows(store.id)).map(({ action }) => action)).toEqual(["store.create"]);
  });

  test("lists a hundred of them and counts all", async () => {
    const { store } = await smallNetwork();
    const insert = env.DB.prepare(
      "INSERT INTO devices (id, external_name, store_id, status, created_at, updated_at) VALUES (?, ?, ?, 'unpaired', 1, 1)",
    );
    await env.DB.batch(Array.from({ length: 130 }, (_, n) => insert.bind(crypto.randomUUID(), `Screen ${n}`, store.id)));
    const { body } = await remove("stores", store.id);
    expect(body.used_by).toHaveLength(100);
    expect(body.used_by_total).toBe(131);
    expect(body.detail).toBe(
      "The store cannot be deleted while it is used by device Screen 0, device Screen 1, device Screen 10 and 128 more.",
    );
  });

  test("a store where devices once stood is refused, since plays name it; it is archived instead", async () => {
    const { store, device } = await smallNetwork();
    const archive = () => admin("PATCH", `/v1/admin/stores/${store.id}`, { archived: true });
    expect((await archive()).body).toMatchObject({ status: 409, code: "IN_USE", used_by: [{ id: device.id }] });
    await admin("PATCH", `/v1/admin/devices/${device.id}`, { store_id: null });
    expect((await remove("stores", store.id)).body).toMatchObject({ code: "IN_USE", used_by: [{ type: "past_device", id: device.id }] });
    expect((await archive()).body.archived_at).toMatch(/^2/);
    const back = await admin("PATCH", `/v1/admin/devices/${device.id}`, { store_id: store.id });
    expect(back.body).toMatchObject({ status: 400, code: "REFERENCE_ARCHIVED", errors: [{ pointer: "/store_id" }] });
    const claim = await admin("POST", "/v1/device/pairing/create-claim", { store_id: store.id });
    expect(claim.body).toMatchObject({ status: 400, errors: [{ pointer: "/store_id" }] });
  });

  test("a store or group that a pairing code still names is refused until the code ends", async () => {
    const supplier = await create("suppliers", { name: "s" });
    const store = await create("stores", { supplier_id: supplier.id, name: "S", timezone: "UTC" });
    const group = await create("device-groups", { name: "g" });
    const claim = await admin("POST", "/v1/device/pairing/create-claim", { store_id: store.id, group_id: group.id, name: "New" });
    const used_by = [{ type: "claim", id: claim.body.claim_id, name: "New" }];
    expect((await remove("stores", store.id)).body).toMatchObject({ code: "IN_USE", used_by });
    expect((await remove("device-groups", group.id)).body).toMatchObject({ code: "IN_USE", used_by });
    await env.DB.prepare("UPDATE claims SET expires_at = 1 WHERE id = ?").bind(claim.body.claim_id).run();
    expect((await remove("stores", store.id)).status).toBe(204);
    expect((await remove("device-groups", group.id)).status).toBe(204);
  });

  test("a supplier with stores is refused and lists them; an empty one goes", async () => {
    const { supplier, store } = await smallNetwork();
    expect((await remove("suppliers", supplier.id)).body).toMatchObject({
      status: 409,
      code: "IN_USE",
      used_by: [{ type: "store", id: store.id, name: "Store" }],
    });
    const empty = await create("suppliers", { name: "Empty" });
    expect((await remove("suppliers", empty.id)).status).toBe(204);
    expect((await auditRows(empty.id)).at(-1)).toMatchObject({
      action: "supplier.delete",
      details: { before: { id: empty.id, name: "Empty" } },
    });
  });

  test("a supplier whose last store was given away, but had devices, is refused", async () => {
    const { supplier, store, device } = await smallNetwork();
    const owner = await create("suppliers", { name: "New owner" });
    await admin("PATCH", `/v1/admin/stores/${store.id}`, { supplier_id: owner.id });
    expect((await remove("suppliers", supplier.id)).body).toMatchObject({
      code: "IN_USE",
      used_by: [{ type: "past_device", id: device.id }],
    });
  });

  test("a group with devices or live schedules is refused and lists both; without them it goes", async () => {
    const { group, device } = await smallNetwork();
    const playlist = await playlistWithItems();
    const schedule = await scheduleOf(playlist.id, "GROUP", group.id);
    expect((await remove("device-groups", group.id)).body).toMatchObject({
      code: "IN_USE",
      used_by: [
        { type: "device", id: device.id },
        { type: "schedule", id: schedule.id, name: "All day" },
      ],
      used_by_total: 2,
    });
    await admin("PATCH", `/v1/admin/devices/${device.id}`, { group_id: null });
    await admin("PATCH", `/v1/admin/schedules/${schedule.id}`, { archived: true });
    expect((await remove("device-groups", group.id, { "If-Match": '"9"' })).status).toBe(412);
    expect((await remove("device-groups", group.id, { "If-Match": '"1"' })).status).toBe(204);
    const restored = await admin("PATCH", `/v1/admin/schedules/${schedule.id}`, { archived: false });
    expect(restored.body).toMatchObject({ status: 400, code: "TARGET_NOT_FOUND" });
  });

  test("a store while a device moves in: one of the two is refused, whichever was later", async () => {
    for (let round = 0; round < 5; round += 1) {
      const { supplier, device } = await smallNetwork();
      const store = await create("stores", { supplier_id: supplier.id, name: "New", timezone: "UTC" });
      const answers = await Promise.all([
        remove("stores", store.id),
        admin("PATCH", `/v1/admin/devices/${device.id}`, { store_id: store.id }),
      ]);
      expect(answers.map(({ status }) => status)).toSatisfy(([gone, moved]: number[]) =>
        gone === 204 ? moved === 400 : gone === 409 && moved === 200,
      );
    }
  });

  test.each(["playlists", "campaigns", "ad-groups", "content", "devices"])("%s has no DELETE: plays name it", async (path) => {
    expect((await remove(path, crypto.randomUUID())).body).toMatchObject({ status: 404, detail: expect.stringContaining("DELETE") });
  });

  test("needs a token", async () => {
    const { store } = await smallNetwork();
    expect((await call("DELETE", `/v1/admin/stores/${store.id}`)).status).toBe(401);
  });
});

describe("archiving", () => {
  test("a campaign or ad group with live playlists is refused and lists them", async () => {
    const campaign = await create("campaigns", { brand_name: "B", name: "c" });
    const adGroup = await create("ad-groups", { campaign_id: campaign.id, name: "g" });
    const playlist = await create("playlists", { name: "Loop", campaign_id: campaign.id, ad_group_id: adGroup.id });
    for (const path of [`campaigns/${campaign.id}`, `ad-groups/${adGroup.id}`]) {
      const refused = await admin("PATCH", `/v1/admin/${path}`, { archived: true });
      expect(refused.body).toMatchObject({ status: 409, code: "IN_USE", used_by: [{ type: "playlist", id: playlist.id, name: "Loop" }] });
    }
    await admin("PATCH", `/v1/admin/playlists/${playlist.id}`, { archived: true });
    for (const path of [`campaigns/${campaign.id}`, `ad-groups/${adGroup.id}`]) {
      expect((await admin("PATCH", `/v1/admin/${path}`, { archived: true })).status).toBe(200);
    }
    const restored = (path: string) => admin("PATCH", `/v1/admin/${path}`, { archived: false });
    expect((await restored(`playlists/${playlist.id}`)).body).toMatchObject({
      code: "REFERENCE_ARCHIVED",
      errors: [{ pointer: "/campaign_id" }, { pointer: "/ad_group_id" }],
    });
    expect((await restored(`ad-groups/${adGroup.id}`)).body).toMatchObject({
      code: "REFERENCE_ARCHIVED",
      errors: [{ pointer: "/campaign_id" }],
    });
    for (const path of [`campaigns/${campaign.id}`, `ad-groups/${adGroup.id}`, `playlists/${playlist.id}`]) {
      expect((await restored(path)).status).toBe(200);
    }
    expect((await admin("POST", "/v1/admin/ad-groups", { campaign_id: campaign.id, name: "h" })).status).toBe(201);
  });

  test("a campaign closes it to new ad groups; a supplier goes after its stores", async () => {
    const campaign = await create("campaigns", { brand_name: "B", name: "c" });
    await admin("PATCH", `/v1/admin/campaigns/${campaign.id}`, { archived: true });
    expect((await admin("POST", "/v1/admin/ad-groups", { campaign_id: campaign.id, name: "h" })).body).toMatchObject({
      code: "REFERENCE_ARCHIVED",
    });
    const supplier = await create("suppliers", { name: "s" });
    const store = await create("stores", { supplier_id: supplier.id, name: "S", timezone: "UTC" });
    const archive = (path: string) => admin("PATCH", `/v1/admin/${path}`, { archived: true });
    expect((await archive(`suppliers/${supplier.id}`)).body).toMatchObject({ code: "IN_USE", used_by: [{ type: "store", id: store.id }] });
    expect((await archive(`stores/${store.id}`)).status).toBe(200);
    expect((await archive(`suppliers/${supplier.id}`)).status).toBe(200);
  });
});

describe("campaigns", () => {
  test("are found by brand, day, tag and either name", async () => {
    const a = await create("campaigns", {
      brand_name: "Findable Cola",
      name: "Spring",
      start_date: "2027-03-01",
      end_date: "2027-03-31",
      tags: ["t"],
    });
    const b = await create("campaigns", { brand_name: "Findable Tea", name: "Open end", start_date: "2027-03-31" });
    const ids = async (query: string) =>
      ((await admin("GET", `/v1/admin/campaigns?${query}`)).body.items as { id: string }[]).map(({ id }) => id);
    expect(await ids("q=findable")).toEqual([a.id, b.id].sort());
    expect(await ids("q=findable&brand_name=Findable Tea")).toEqual([b.id]);
    expect(await ids("q=findable&on=2027-03-31")).toEqual([a.id, b.id].sort());
    expect(await ids("q=findable&on=2027-04-01")).toEqual([b.id]);
    expect(await ids("q=findable&on=2027-02-28")).toEqual([]);
    expect(await ids("q=findable&tag=t")).toEqual([a.id]);
    expect(await ids("q=open end")).toEqual([b.id]);
  });
});

test("a statement that refuses takes its whole batch back, and lets it be where nothing is found", async () => {
  const insert = (id: string) =>
    env.DB.prepare("INSERT INTO suppliers (id, name, created_at, updated_at) VALUES (?, 'guarded', 1, 1)").bind(id);
  const guard = (id: string) => refuseWhereStatement(env.DB, "SELECT 1 FROM suppliers WHERE id = ?", [id]);
  await expect(env.DB.batch([insert("guarded-1"), guard("guarded-1")])).rejects.toThrow("malformed JSON");
  await env.DB.batch([insert("guarded-2"), guard("guarded-3")]);
  const { results } = await env.DB.prepare("SELECT id FROM suppliers WHERE name = 'guarded'").all();
  expect(results).toEqual([{ id: "guarded-2" }]);
});
