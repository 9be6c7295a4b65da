import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { admin, create } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { contentWithVersion, playlistWithItems, scheduleOf, smallNetwork } from "../support/media.ts";

interface ShownItem {
  id: string;
  content_version_id: string;
  order_index: number;
  weight: number;
  duration_ms: number | null;
}

const itemsOf = async (id: string) => (await admin("GET", `/v1/admin/playlists/${id}`)).body.items as ShownItem[];

describe("a playlist", () => {
  test("is made, read, changed, archived and restored, and there is no DELETE", async () => {
    const campaign = await create("campaigns", { brand_name: "Cola", name: "Autumn" });
    const adGroup = await create("ad-groups", { campaign_id: campaign.id, name: "Evening" });
    const body = { name: "Lobby", campaign_id: campaign.id, ad_group_id: adGroup.id, tags: ["lobby"] };
    const made = await admin("POST", "/v1/admin/playlists", body, { "Idempotency-Key": "playlist-1" });
    expect(made).toMatchObject({ status: 201, body: { ...body, archived_at: null, version: 1 } });
    const again = await admin("POST", "/v1/admin/playlists", body, { "Idempotency-Key": "playlist-1" });
    expect(again.body).toEqual(made.body);
    const path = `/v1/admin/playlists/${made.body.id}`;
    expect((await admin("GET", path)).body).toEqual({ ...made.body, items: [] });
    expect((await admin("PATCH", path, { name: "Hall" }, { "If-Match": '"1"' })).body).toMatchObject({ name: "Hall", version: 2 });
    expect((await admin("PATCH", path, { name: "x" }, { "If-Match": '"1"' })).status).toBe(412);
    expect((await admin("PATCH", path, { archived: true })).body.archived_at).toMatch(/^2/);
    expect((await admin("PATCH", path, { archived: false })).body.archived_at).toBeNull();
    expect((await admin("DELETE", path)).status).toBe(404);
    expect((await auditRows(made.body.id)).map(({ action }) => action)).toEqual(["playlist.create", ...Array(3).fill("playlist.update")]);
  });

  test("belongs to a campaign and a part of that one, neither of them archived", async () => {
    const [mine, other, old] = await Promise.all(["a", "b", "c"].map((name) => create("campaigns", { brand_name: "B", name })));
    const adGroup = await create("ad-groups", { campaign_id: other?.id, name: "g" });
    await admin("PATCH", `/v1/admin/campaigns/${old?.id}`, { archived: true });
    const refused = async (fields: Record<string, unknown>) => (await admin("POST", "/v1/admin/playlists", { name: "p", ...fields })).body;
    expect(await refused({ ad_group_id: adGroup.id })).toMatchObject({ status: 400, errors: [{ pointer: "/campaign_id" }] });
    expect(await refused({ campaign_id: mine?.id, ad_group_id: adGroup.id })).toMatchObject({
      status: 400,
      code: "AD_GROUP_OF_OTHER_CAMPAIGN",
      errors: [{ pointer: "/ad_group_id" }],
    });
    expect(await refused({ campaign_id: old?.id })).toMatchObject({ code: "REFERENCE_ARCHIVED", errors: [{ pointer: "/campaign_id" }] });
    expect(await refused({ campaign_id: crypto.randomUUID() })).toMatchObject({ code: "REFERENCE_NOT_FOUND" });
    expect(await refused({ tags: ["a", "a"] })).toMatchObject({ status: 400, errors: [{ pointer: "/tags" }] });
    expect(await refused({ item: [] })).toMatchObject({ status: 400, errors: [{ pointer: "/item" }] });
  });

  test("that is played is neither archived nor emptied; the refusal lists by what", async () => {
    const { group, device } = await smallNetwork();
    const { id } = await playlistWithItems(2);
    const schedule = await scheduleOf(id, "DEVICE", device.id, { name: "Evening" });
    await admin("PATCH", `/v1/admin/device-groups/${group.id}`, { default_playlist_id: id });
    const used_by = [
      { type: "schedule", id: schedule.id, name: "Evening" },
      { type: "device_group", id: group.id, name: "Group" },
    ];
    const archive = () => admin("PATCH", `/v1/admin/playlists/${id}`, { archived: true });
    const empty = () => admin("PUT", `/v1/admin/playlists/${id}/items`, { items: [] });
    expect((await archive()).body).toMatchObject({
      status: 409,
      code: "IN_USE",
      detail: "The playlist cannot be archived while it is used by schedule Evening, device group Group.",
      used_by,
      used_by_total: 2,
    });
    expect((await empty()).body).toMatchObject({ status: 409, code: "IN_USE", used_by });
    const [first, second] = await itemsOf(id);
    expect((await admin("DELETE", `/v1/admin/playlists/${id}/items/${first?.id}`)).status).toBe(204);
    expect((await admin("DELETE", `/v1/admin/playlists/${id}/items/${second?.id}`)).body).toMatchObject({ code: "IN_USE" });
    expect(await itemsOf(id)).toHaveLength(1);
    await admin("DELETE", `/v1/admin/schedules/${schedule.id}`);
    expect((await archive()).body).toMatchObject({ used_by: [used_by[1]], used_by_total: 1 });
    await admin("PATCH", `/v1/admin/device-groups/${group.id}`, { default_playlist_id: null });
    expect((await empty()).status).toBe(200);
    expect((await archive()).status).toBe(200);
  });

  test("does not come back from the archive with content that was archived meanwhile", async () => {
    const { id, contentId } = await playlistWithItems();
    await admin("PATCH", `/v1/admin/playlists/${id}`, { archived: true });
    await env.DB.prepare("UPDATE content SET archived_at = 1 WHERE id = ?").bind(contentId).run();
    const restored = await admin("PATCH", `/v1/admin/playlists/${id}`, { archived: false });
    expect(restored.body).toMatchObject({ status: 400, code: "CONTENT_ARCHIVED", errors: [{ pointer: "/archived" }] });
  });

  test("is found by campaign, content, version, tag, archive and name", async () => {
    const campaign = await create("campaigns", { brand_name: "B", name: "c" });
    const a = await playlistWithItems(1, { name: "Findable one", campaign_id: campaign.id, tags: ["x y", "z"] });
    const b = await playlistWithItems(1, { name: "Findable two", tags: ["x"] });
    const ids = async (query: string) =>
      ((await admin("GET", `/v1/admin/playlists?${query}`)).body.items as { id: string }[]).map(({ id }) => id);
    expect(await ids("q=findable")).toEqual([a.id, b.id].sort());
    expect(await ids(`campaign_id=${campaign.id}`)).toEqual([a.id]);
    expect(await ids(`content_id=${b.contentId}`)).toEqual([b.id]);
    expect(await ids(`content_version_id=${a.versionId}`)).toEqual([a.id]);
    expect(await ids("q=findable&tag=x")).toEqual([b.id]);
    expect(await ids("q=findable&tag=x y")).toEqual([a.id]);
    expect(await ids("q=findable&archived=true")).toEqual([]);
  });
});

describe("a playlist's items", () => {
  test("are added, moved, changed, reordered and taken out, each with one audit row and a new version", async () => {
    const { id } = await create("playlists", { name: "p" });
    const path = `/v1/admin/playlists/${id}/items`;
    const [x, y] = await Promise.all([contentWithVersion(), contentWithVersion("web")]);
    const first = await admin("POST", path, { content_version_id: x.versionId });
    expect(first).toMatchObject({
      status: 201,
      body: {
        playlist_id: id,
        content_version_id: x.versionId,
        content_id: x.contentId,
        content_name: "A image",
        order_index: 0,
        weight: 1,
        duration_ms: null,
      },
    });
    expect(first.headers.get("ETag")).toBe('"2"');
    expect(first.headers.get("Location")).toBe(`${path}/${first.body.id}`);
    const second = await admin("POST", path, { content_version_id: y.versionId, order_index: 0, weight: 2, duration_ms: 5000 });
    expect(second.body).toMatchObject({ order_index: 0, weight: 2, duration_ms: 5000 });
    expect((await itemsOf(id)).map((item) => item.id)).toEqual([second.body.id, first.body.id]);

    const moved = await admin("PATCH", `${path}/${first.body.id}`, { order_index: 0, weight: 7 }, { "If-Match": '"3"' });
    expect(moved).toMatchObject({ status: 200, body: { id: first.body.id, order_index: 0, weight: 7 } });

    const [f, s] = [String(first.body.id), String(second.body.id)];
    const order = [
      { id: s, content_version_id: y.versionId, weight: 2, duration_ms: 5000 },
      { content_version_id: y.versionId },
      { id: f, content_version_id: x.versionId, weight: 7 },
    ];
    const put = await admin("PUT", path, { items: order }, { "If-Match": '"4"' });
    const listed = put.body.items as ShownItem[];
    expect(put).toMatchObject({ status: 200, body: { version: 5 } });
    expect(put.headers.get("ETag")).toBe('"5"');
    expect(listed.map(({ id: itemId, order_index }) => [itemId, order_index])).toEqual([
      [s, 0],
      [listed[1]?.id, 1],
      [f, 2],
    ]);
    expect(await itemsOf(id)).toEqual(listed);
    expect((await admin("GET", path)).body).toEqual({ items: listed, next_cursor: null });

    expect((await admin("DELETE", `${path}/${s}`, undefined, { "If-Match": '"4"' })).status).toBe(412);
    const removed = await admin("DELETE", `${path}/${s}`, undefined, { "If-Match": '"5"' });
    expect(removed.status).toBe(204);
    expect(removed.headers.get("ETag")).toBe('"6"');
    const rows = await auditRows(id);
    expect(rows.map(({ action }) => action)).toEqual([
      "playlist.create",
      "playlist.items.add",
      "playlist.items.add",
      "playlist.items.change",
      "playlist.items.replace",
      "playlist.items.remove",
    ]);
    const item = { id: f, content_version_id: x.versionId, duration_ms: null };
    expect(rows[1]?.details).toEqual({ before: { items: [] }, after: { items: [{ ...item, weight: 1 }] } });
    expect(rows[5]?.details).toMatchObject({
      before: { items: [{ id: s }, {}, { id: f }] },
      after: { items: [{}, { ...item, weight: 7 }] },
    });
  });

  test("that stay as they are write nothing", async () => {
    const { id, versionId } = await playlistWithItems(1);
    const [item] = await itemsOf(id);
    const same = await admin("PUT", `/v1/admin/playlists/${id}/items`, { items: [{ id: item?.id, content_version_id: versionId }] });
    expect(same.body).toMatchObject({ version: 2 });
    expect(await auditRows(id)).toHaveLength(2);
  });

  test("of one list at the same time: with one ETag one wins, without it all are made", async () => {
    const { id, versionId } = await playlistWithItems(1);
    const path = `/v1/admin/playlists/${id}/items`;
    const at = (headers: Record<string, string>) =>
      Promise.all(Array.from({ length: 10 }, () => admin("POST", path, { content_version_id: versionId }, headers)));
    expect((await at({ "If-Match": '"2"' })).map(({ status }) => status).sort()).toEqual([201, ...Array(9).fill(412)]);
    expect((await at({})).map(({ status }) => status)).toEqual(Array(10).fill(201));
    expect((await itemsOf(id)).map(({ order_index }) => order_index)).toEqual(Array.from({ length: 12 }, (_, n) => n));
    expect(await auditRows(id)).toHaveLength(13);
  });

  test("sent again under one Idempotency-Key are added once", async () => {
    const { id, versionId } = await playlistWithItems(1);
    const path = `/v1/admin/playlists/${id}/items`;
    const add = (weight = 1) => admin("POST", path, { content_version_id: versionId, weight }, { "Idempotency-Key": `item-of-${id}` });
    const answers = await Promise.all(Array.from({ length: 5 }, () => add()));
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(201));
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ headers }) => headers.get("Idempotency-Replayed") === null)).toHaveLength(1);
    expect(await itemsOf(id)).toHaveLength(2);
    expect((await add(2)).body).toMatchObject({ status: 409, code: "IDEMPOTENCY_KEY_REUSED" });
  });

  test("are paged in their order", async () => {
    const { id } = await playlistWithItems(5);
    const all = (await itemsOf(id)).map((item) => item.id);
    const path = `/v1/admin/playlists/${id}/items`;
    const first = (await admin("GET", `${path}?limit=3`)).body as { items: ShownItem[]; next_cursor: string };
    const second = (await admin("GET", `${path}?limit=3&cursor=${first.next_cursor}`)).body as { items: ShownItem[]; next_cursor: null };
    expect([...first.items, ...second.items].map((item) => item.id)).toEqual(all);
    expect(second.next_cursor).toBeNull();
    expect((await admin("GET", `${path}?cursor=${btoa("x")}`)).body).toMatchObject({ status: 400, code: "INVALID_CURSOR" });
  });

  test("of five hundred are written in one call", async () => {
    const { id } = await playlistWithItems(500);
    expect((await itemsOf(id)).map(({ order_index }) => order_index)).toEqual(Array.from({ length: 500 }, (_, n) => n));
  });

  describe("are refused", () => {
    const versions = async () => {
      const [live, archived, video] = await Promise.all([contentWithVersion(), contentWithVersion(), contentWithVersion("video", 15_000)]);
      await env.DB.prepare("UPDATE content SET archived_at = 1 WHERE id = ?").bind(archived.contentId).run();
      return { live: live.versionId, archived: archived.versionId, video: video.versionId };
    };
    type Versions = Awaited<ReturnType<typeof versions>>;
    const cases: [string, (v: Versions) => Record<string, unknown>, string, string][] = [
      ["with an unknown version", () => ({ content_version_id: crypto.randomUUID() }), "/content_version_id", "REFERENCE_NOT_FOUND"],
      ["with archived content", (v) => ({ content_version_id: v.archived }), "/content_version_id", "CONTENT_ARCHIVED"],
      [
        "with another length than the video's",
        (v) => ({ content_version_id: v.video, duration_ms: 14_000 }),
        "/duration_ms",
        "DURATION_OF_VIDEO",
      ],
      ["with no weight", (v) => ({ content_version_id: v.live, weight: 0 }), "/weight", "VALIDATION_ERROR"],
      ["with too much weight", (v) => ({ content_version_id: v.live, weight: 101 }), "/weight", "VALIDATION_ERROR"],
      ["with half a weight", (v) => ({ content_version_id: v.live, weight: 1.5 }), "/weight", "VALIDATION_ERROR"],
      ["shorter than a second", (v) => ({ content_version_id: v.live, duration_ms: 999 }), "/duration_ms", "VALIDATION_ERROR"],
      ["longer than a play may be", (v) => ({ content_version_id: v.live, duration_ms: 14_400_001 }), "/duration_ms", "VALIDATION_ERROR"],
      ["with a typo", (v) => ({ content_version_id: v.live, wieght: 2 }), "/wieght", "VALIDATION_ERROR"],
    ];
    test.each(cases)("%s", async (_, item, pointer, code) => {
      const v = await versions();
      const { id } = await create("playlists", { name: "p" });
      const path = `/v1/admin/playlists/${id}/items`;
      expect((await admin("POST", path, item(v))).body).toMatchObject({ status: 400, code, errors: [{ pointer }] });
      const list = { items: [{ content_version_id: v.live }, item(v)] };
      expect((await admin("PUT", path, list)).body).toMatchObject({ status: 400, code, errors: [{ pointer: `/items/1${pointer}` }] });
      expect(await itemsOf(id)).toEqual([]);
      expect(await auditRows(id)).toHaveLength(1);
    });

    test("behind the end, of another playlist, and in no playlist", async () => {
      const { id, versionId } = await playlistWithItems(2);
      const other = await itemsOf((await playlistWithItems(1)).id);
      const path = `/v1/admin/playlists/${id}/items`;
      const body = { content_version_id: versionId };
      expect((await admin("POST", path, { ...body, order_index: 3 })).body).toMatchObject({
        status: 400,
        errors: [{ pointer: "/order_index" }],
      });
      expect((await admin("PUT", path, { items: [{ id: other[0]?.id, ...body }] })).body).toMatchObject({
        status: 400,
        errors: [{ pointer: "/items/0/id" }],
      });
      for (const method of ["PATCH", "DELETE"]) expect((await admin(method, `${path}/${other[0]?.id}`, {})).status).toBe(404);
      expect((await admin("POST", `/v1/admin/playlists/${crypto.randomUUID()}/items`, body)).status).toBe(404);
      expect((await admin("GET", `/v1/admin/playlists/${crypto.randomUUID()}/items`)).status).toBe(404);
    });

    test("but a video may be given its own length", async () => {
      const { video } = await versions();
      const { id } = await create("playlists", { name: "p" });
      const item = { content_version_id: video, duration_ms: 15_000 };
      expect((await admin("POST", `/v1/admin/playlists/${id}/items`, item)).status).toBe(201);
    });
  });
});
