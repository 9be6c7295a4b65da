import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { admin, create } from "../support/admin.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const SHA = "a".repeat(64);

async function auditActions(targetId: unknown): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT action FROM audit_log WHERE target_id = ? ORDER BY id")
    .bind(targetId)
    .all<{ action: string }>();
  return results.map((row) => row.action);
}

async function supplier(name = "Lotte"): Promise<string> {
  return (await create("suppliers", { name })).id;
}

describe("each resource is created, read, changed and listed", () => {
  interface Case {
    path: string;
    noun: string;
    body: () => Promise<Record<string, unknown>>;
    shown: Record<string, unknown>;
    change: Record<string, unknown>;
  }
  const cases: Case[] = [
    {
      path: "suppliers",
      noun: "supplier",
      body: async () => ({ name: " Lotte " }),
      shown: { name: "Lotte" },
      change: { name: "Lotte Mart" },
    },
    {
      path: "stores",
      noun: "store",
      body: async () => ({ supplier_id: await supplier(), name: "D7", timezone: "Asia/Ho_Chi_Minh", lat: 10.73, lng: 106.7 }),
      shown: { name: "D7", timezone: "Asia/Ho_Chi_Minh", lat: 10.73, lng: 106.7, city: null, operating_hours: null },
      change: { city: "Saigon", operating_hours: { mon: [{ from: "08:00", to: "24:00" }], holidays: [{ date: "2026-12-25", hours: [] }] } },
    },
    {
      path: "device-groups",
      noun: "device_group",
      body: async () => ({ name: "Lobby" }),
      shown: { name: "Lobby", policy: {}, default_playlist_id: null },
      change: { policy: { signature: "optional", requests_per_minute: 60 } },
    },
    {
      path: "devices",
      noun: "device",
      body: async () => ({ external_name: "Till 1" }),
      shown: { external_name: "Till 1", status: "unpaired", store_id: null, group_id: null, device_info: null, revoked_at: null },
      change: { external_name: "Till 2" },
    },
    {
      path: "campaigns",
      noun: "campaign",
      body: async () => ({ brand_name: "Cola", name: "Autumn", start_date: "2026-11-01", end_date: "2026-11-01" }),
      shown: { brand_name: "Cola", name: "Autumn", start_date: "2026-11-01", end_date: "2026-11-01", archived_at: null },
      change: { end_date: "2026-12-31" },
    },
    {
      path: "ad-groups",
      noun: "ad_group",
      body: async () => ({ campaign_id: (await create("campaigns", { brand_name: "Cola", name: "A" })).id, name: "Evening" }),
      shown: { name: "Evening", archived_at: null },
      change: { name: "Night" },
    },
    {
      path: "content",
      noun: "content",
      body: async () => ({ name: "Spot", type: "video", tags: ["15s"] }),
      shown: { name: "Spot", type: "video", tags: ["15s"], external_id: null, archived_at: null },
      change: { tags: [], external_id: "01arz3ndektsv4rrffq69g5fav" },
    },
  ];

  test.each(cases)("$path", async ({ path, noun, body, shown, change }) => {
    const made = await admin("POST", `/v1/admin/${path}`, await body());
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({ ...shown, version: 1 });
    const id = String(made.body.id);
    expect(id).toMatch(UUID);
    expect(made.body.created_at).toMatch(TIME);
    expect(made.headers.get("Location")).toBe(`/v1/admin/${path}/${id}`);
    expect(made.headers.get("ETag")).toBe('"1"');

    const read = await admin("GET", `/v1/admin/${path}/${id}`);
    expect(read).toMatchObject({ status: 200, body: made.body });
    expect(read.headers.get("ETag")).toBe('"1"');

    const changed = await admin("PATCH", `/v1/admin/${path}/${id}`, change);
    expect(changed.status).toBe(200);
    expect(changed.headers.get("ETag")).toBe('"2"');
    const wanted = { ...change, ...(change.external_id ? { external_id: "01ARZ3NDEKTSV4RRFFQ69G5FAV" } : {}) };
    expect(changed.body).toMatchObject({ ...wanted, version: 2 });

    const list = await admin("GET", `/v1/admin/${path}?limit=200`);
    expect(list.status).toBe(200);
    const listed = (list.body.items as { id: string }[]).find((item) => item.id === id);
    const { keys: _, ...row } = changed.body;
    expect(listed).toEqual(row);
    expect(await auditActions(id)).toEqual([`${noun}.create`, `${noun}.update`]);
  });

  test.each(cases)("$path refuses an unknown field by name, and one that is not there", async ({ path, body }) => {
    const unknown = await admin("POST", `/v1/admin/${path}`, { ...(await body()), colour: "red" });
    expect(unknown.status).toBe(400);
    expect(unknown.body).toMatchObject({ code: "VALIDATION_ERROR", errors: [{ pointer: "/colour" }] });
    const empty = await admin("POST", `/v1/admin/${path}`, {});
    expect(empty.status).toBe(400);
    const patched = await admin("PATCH", `/v1/admin/${path}/${crypto.randomUUID()}`, { colour: "red" });
    expect(patched.body).toMatchObject({ status: 400, errors: [{ pointer: "/colour" }] });
    expect((await admin("GET", `/v1/admin/${path}?colour=red`)).body).toMatchObject({ status: 400, errors: [{ pointer: "/colour" }] });
  });

  test.each(cases)("$path answers 404 for an id that is not there, 400 for one that is no UUID", async ({ path, change }) => {
    const id = crypto.randomUUID();
    expect((await admin("GET", `/v1/admin/${path}/${id}`)).body).toMatchObject({ status: 404, code: "NOT_FOUND" });
    expect((await admin("PATCH", `/v1/admin/${path}/${id}`, change)).body).toMatchObject({ status: 404, code: "NOT_FOUND" });
    expect((await admin("GET", `/v1/admin/${path}/nonsense`)).body).toMatchObject({ status: 400, errors: [{ pointer: "/id" }] });
  });

  test.each(cases)("$path takes the client's id, once", async ({ path, body }) => {
    const id = crypto.randomUUID();
    const given = { ...(await body()), id: id.toUpperCase() };
    expect((await admin("POST", `/v1/admin/${path}`, given)).body).toMatchObject({ id });
    const again = await admin("POST", `/v1/admin/${path}`, given);
    expect(again.body).toMatchObject({ status: 409, code: "ALREADY_EXISTS", errors: [{ pointer: "/id" }] });
    expect(await auditActions(id)).toHaveLength(1);
  });
});

describe("fields are held to their rules", () => {
  const base = async () => ({ supplier_id: await supplier(), name: "S", timezone: "UTC" });
  test.each([
    ["timezone", { timezone: "Asia/Atlantis" }, "/timezone"],
    ["timezone as offset", { timezone: "+07:00" }, "/timezone"],
    ["lat", { lat: 90.1, lng: 0 }, "/lat"],
    ["lng", { lat: 0, lng: -180.5 }, "/lng"],
    ["lat alone", { lat: 1 }, "/lng"],
    ["name of spaces", { name: "   " }, "/name"],
    ["hours", { operating_hours: { mon: [{ from: "25:00", to: "09:00" }] } }, "/operating_hours/mon/0/from"],
    ["hours' weekday", { operating_hours: { monday: [] } }, "/operating_hours/monday"],
    ["holiday", { operating_hours: { holidays: [{ date: "2026-02-30", hours: [] }] } }, "/operating_hours/holidays/0/date"],
    [
      "holiday twice",
      {
        operating_hours: {
          holidays: [
            { date: "2026-02-01", hours: [] },
            { date: "2026-02-01", hours: [] },
          ],
        },
      },
      "/operating_hours/holidays",
    ],
    ["supplier of the wrong type", { supplier_id: 7 }, "/supplier_id"],
  ])("store: %s", async (_, wrong, pointer) => {
    const answer = await admin("POST", "/v1/admin/stores", { ...(await base()), ...wrong });
    expect(answer.body).toMatchObject({ status: 400, type: "/docs/errors/validation-error", errors: [{ pointer }] });
  });

  test.each([
    ["content", { name: "x", type: "audio" }, "/type"],
    ["content", { name: "x", type: "web", external_id: "not-a-ulid" }, "/external_id"],
    ["campaigns", { brand_name: "b", name: "x", start_date: "2026-12-02", end_date: "2026-12-01" }, "/end_date"],
    ["campaigns", { brand_name: "b", name: "x", start_date: "1.12.2026" }, "/start_date"],
    ["device-groups", { name: "x", policy: { max_age_hours: { impression: 169 } } }, "/policy/max_age_hours/impression"],
    ["device-groups", { name: "x", policy: { speed: 1 } }, "/policy/speed"],
  ])("%s %o", async (path, body, pointer) => {
    expect((await admin("POST", `/v1/admin/${path}`, body)).body).toMatchObject({ status: 400, errors: [{ pointer }] });
  });

  test("a rule between two fields holds when a change gives only one of them", async () => {
    const { id } = await create("campaigns", { brand_name: "b", name: "c", start_date: "2026-05-01", end_date: "2026-05-31" });
    const answer = await admin("PATCH", `/v1/admin/campaigns/${id}`, { start_date: "2026-06-01" });
    expect(answer.body).toMatchObject({ status: 400, errors: [{ pointer: "/end_date" }] });
    expect((await admin("GET", `/v1/admin/campaigns/${id}`)).body).toMatchObject({ start_date: "2026-05-01", version: 1 });
  });

  test.each([
    ["stores", async () => ({ ...(await base()), supplier_id: crypto.randomUUID() }), "/supplier_id"],
    ["devices", async () => ({ external_name: "d", group_id: crypto.randomUUID() }), "/group_id"],
    ["ad-groups", async () => ({ name: "a", campaign_id: crypto.randomUUID() }), "/campaign_id"],
  ])("%s: a reference to nothing is refused and named", async (path, body, pointer) => {
    const answer = await admin("POST", `/v1/admin/${path}`, await body());
    expect(answer.body).toMatchObject({ status: 400, code: "REFERENCE_NOT_FOUND", errors: [{ pointer }] });
  });

  test("two references to nothing are both named; a change is held to the same", async () => {
    const nowhere = { store_id: crypto.randomUUID(), group_id: crypto.randomUUID() };
    const made = await admin("POST", "/v1/admin/devices", { external_name: "d", ...nowhere });
    expect(made.body).toMatchObject({ errors: [{ pointer: "/store_id" }, { pointer: "/group_id" }] });
    const { id } = await create("devices", { external_name: "d" });
    expect((await admin("PATCH", `/v1/admin/devices/${id}`, nowhere)).body).toMatchObject({ status: 400, code: "REFERENCE_NOT_FOUND" });
    expect(await auditActions(id)).toEqual(["device.create"]);
  });

  test("two pieces of content never share an external id", async () => {
    const external_id = "01HZZZZZZZZZZZZZZZZZZZZZZZ";
    await create("content", { name: "a", type: "image", external_id });
    const second = await admin("POST", "/v1/admin/content", { name: "b", type: "image", external_id: external_id.toLowerCase() });
    expect(second.body).toMatchObject({ status: 409, code: "ALREADY_EXISTS", errors: [{ pointer: "/external_id" }] });
    const { id } = await create("content", { name: "c", type: "image" });
    expect((await admin("PATCH", `/v1/admin/content/${id}`, { external_id })).body).toMatchObject({ status: 409 });
  });

  test("of ten who take the same external id at once, one gets it and the others hear why", async () => {
    const external_id = "01HYYYYYYYYYYYYYYYYYYYYYYY";
    const ids = await Promise.all(Array.from({ length: 10 }, async () => (await create("content", { name: "x", type: "image" })).id));
    const answers = await Promise.all(ids.map((id) => admin("PATCH", `/v1/admin/content/${id}`, { external_id })));
    expect(answers.map((answer) => answer.status).sort()).toEqual([200, ...Array(9).fill(409)]);
  });

  test("archiving keeps the time of the first time, and can be undone", async () => {
    const { id } = await create("campaigns", { brand_name: "b", name: "archived one" });
    const archived = await admin("PATCH", `/v1/admin/campaigns/${id}`, { archived: true });
    expect(archived.body.archived_at).toMatch(TIME);
    const again = await admin("PATCH", `/v1/admin/campaigns/${id}`, { archived: true });
    expect(again.body).toEqual(archived.body);
    expect((await admin("PATCH", `/v1/admin/campaigns/${id}`, { archived: false })).body).toMatchObject({ archived_at: null, version: 3 });
    expect(await auditActions(id)).toEqual(["campaign.create", "campaign.update", "campaign.update"]);
  });

  test("a change that changes nothing leaves version and audit log alone", async () => {
    const { id } = await create("suppliers", { name: "Same" });
    expect((await admin("PATCH", `/v1/admin/suppliers/${id}`, { name: "Same" })).body).toMatchObject({ version: 1 });
    expect((await admin("PATCH", `/v1/admin/suppliers/${id}`, {})).body).toMatchObject({ version: 1 });
    expect(await auditActions(id)).toEqual(["supplier.create"]);
  });
});

describe("content versions", () => {
  test("default their version_hash to the file's hash, and the same file again is the same version", async () => {
    const { id } = await create("content", { name: "v", type: "video" });
    const body = { sha256: SHA, duration_ms: 15_000, mime: "video/mp4", bytes: 1000, url: "https://cdn.example/a.mp4" };
    const made = await admin("POST", `/v1/admin/content/${id}/versions`, body);
    expect(made).toMatchObject({ status: 201, body: { ...body, content_id: id, version_hash: SHA } });
    expect(made.headers.get("Location")).toBe(`/v1/admin/content/${id}/versions/${made.body.id}`);
    const again = await admin("POST", `/v1/admin/content/${id}/versions`, { ...body, version_hash: "v2" });
    expect(again).toMatchObject({ status: 200, body: made.body });
    expect((await admin("GET", `/v1/admin/content/${id}/versions/${made.body.id}`)).body).toEqual(made.body);
    expect((await admin("GET", `/v1/admin/content/${id}/versions`)).body).toEqual({ items: [made.body], next_cursor: null });
    expect(await auditActions(made.body.id)).toEqual(["content_version.create"]);
  });

  test("ten at once of one file, under ten names, make one version and one audit row", async () => {
    const { id } = await create("content", { name: "race", type: "video" });
    const answers = await Promise.all(
      Array.from({ length: 10 }, (_, n) => admin("POST", `/v1/admin/content/${id}/versions`, { sha256: SHA, version_hash: `v${n}` })),
    );
    expect(answers.map((answer) => answer.status).sort()).toEqual([...Array(9).fill(200), 201]);
    expect(new Set(answers.map((answer) => answer.body.id)).size).toBe(1);
    expect(await auditActions(answers[0]?.body.id)).toEqual(["content_version.create"]);
  });

  test("a version_hash that names another file is a conflict; another content's version is not found here", async () => {
    const { id } = await create("content", { name: "a", type: "video" });
    const other = await create("content", { name: "b", type: "video" });
    const made = await admin("POST", `/v1/admin/content/${id}/versions`, { sha256: SHA, version_hash: "v1" });
    const clash = await admin("POST", `/v1/admin/content/${id}/versions`, { sha256: "b".repeat(64), version_hash: "v1" });
    expect(clash.body).toMatchObject({ status: 409, code: "ALREADY_EXISTS", errors: [{ pointer: "/version_hash" }] });
    expect((await admin("GET", `/v1/admin/content/${other.id}/versions/${made.body.id}`)).status).toBe(404);
    expect((await admin("POST", `/v1/admin/content/${crypto.randomUUID()}/versions`, { sha256: SHA })).status).toBe(404);
    expect((await admin("GET", `/v1/admin/content/${crypto.randomUUID()}/versions`)).status).toBe(404);
  });

  test.each([
    [{ sha256: SHA.toUpperCase() }, "/sha256"],
    [{ sha256: SHA, duration_ms: -1 }, "/duration_ms"],
    [{ sha256: SHA, url: "javascript:alert(1)" }, "/url"],
    [{ sha256: SHA, url: "http://cdn.example/a.mp4" }, "/url"],
    [{ url: "https://cdn.example/a.mp4" }, "/sha256"],
    [{}, "/sha256"],
    [{ sha256: SHA, mime: "mp4" }, "/mime"],
  ])("refuse %o", async (body, pointer) => {
    const { id } = await create("content", { name: "v", type: "video" });
    expect((await admin("POST", `/v1/admin/content/${id}/versions`, body)).body).toMatchObject({ status: 400, errors: [{ pointer }] });
  });

  test("of a page on the web are named by its address", async () => {
    const { id } = await create("content", { name: "page", type: "web" });
    const url = "https://offers.example.com/autumn";
    // printf %s https://offers.example.com/autumn | sha256sum
    const sha256 = "364297b828ced170127f43d76df34491864e596291a10c21e543f97009a6e395";
    expect(await admin("POST", `/v1/admin/content/${id}/versions`, { url })).toMatchObject({
      status: 201,
      body: { url, sha256, version_hash: sha256 },
    });
    expect((await admin("POST", `/v1/admin/content/${id}/versions`, { url })).status).toBe(200);
    const plain = await admin("POST", `/v1/admin/content/${id}/versions`, { url: "http://offers.example.com/autumn" });
    expect(plain.body).toMatchObject({ status: 400, detail: "/url: must be an https URL" });
    expect((await admin("POST", `/v1/admin/content/${id}/versions`, {})).body).toMatchObject({
      status: 400,
      detail: "/sha256: Give the file's sha256, or the url of a page on the web.",
    });
  });

  test("are immutable: there is no PATCH", async () => {
    const { id } = await create("content", { name: "v", type: "video" });
    const made = await admin("POST", `/v1/admin/content/${id}/versions`, { sha256: SHA });
    expect((await admin("PATCH", `/v1/admin/content/${id}/versions/${made.body.id}`, { bytes: 1 })).status).toBe(404);
  });
});
