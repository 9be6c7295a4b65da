import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test } from "vitest";
import { HOUR_MS } from "../../src/platform/time.ts";
import { decideLift, liftTakeover } from "../../src/takeovers/lift.ts";
import { admin, create } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { contentWithVersion, playlistWithItems, smallNetwork } from "../support/media.ts";
import { lift, liftAll, takeOver } from "../support/takeovers.ts";

afterEach(liftAll);

const UNKNOWN = "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5";
const inAnHour = () => new Date(Date.now() + HOUR_MS).toISOString();
const start = (body: unknown, headers: Record<string, string> = {}) => admin("POST", "/v1/admin/takeovers", body, headers);
const get = async (id: unknown) => (await admin("GET", `/v1/admin/takeovers/${id}`)).body;
/** Makes a takeover one that ended by itself. */
const end = (id: string) => env.DB.prepare("UPDATE takeovers SET ends_at = ? WHERE id = ?").bind(Date.now(), id).run();

describe("POST /v1/admin/takeovers", () => {
  test("starts one now, and says so in one audit row", async () => {
    const { group } = await smallNetwork();
    const { id: playlist_id } = await playlistWithItems();
    const before = Date.now();
    const answer = await start({ name: "Evacuation", target_type: "GROUP", target_id: group.id, playlist_id });
    expect(answer.status).toBe(201);
    const { id, started_at, created_at, ...rest } = answer.body;
    expect(Date.parse(String(started_at))).toBeGreaterThanOrEqual(before);
    expect(created_at).toBe(started_at);
    expect(rest).toEqual({
      name: "Evacuation",
      target_type: "GROUP",
      target_id: group.id,
      playlist_id,
      content_version_id: null,
      ends_at: null,
      lifted_at: null,
      lifted_by: null,
      created_by: "admin-token",
      active: true,
    });
    expect(answer.headers.get("Location")).toBe(`/v1/admin/takeovers/${id}`);
    expect(await get(id)).toEqual(answer.body);
    expect(await auditRows(id)).toMatchObject([
      { action: "takeover.create", target_type: "takeover", details: { after: { name: "Evacuation", target_id: group.id, playlist_id } } },
    ]);
  });

  test("takes the whole network without a target, and a single version", async () => {
    const { versionId } = await contentWithVersion();
    const body = { name: "Fire", target_type: "ALL", content_version_id: versionId };
    for (const target of [{}, { target_id: null }]) {
      const answer = await start({ ...body, ...target });
      expect([answer.status, answer.body.target_id, answer.body.content_version_id]).toEqual([201, null, versionId]);
    }
  });

  test("with the same Idempotency-Key starts one, and gives its first answer again, even behind its end", async () => {
    const { store } = await smallNetwork();
    const { id: playlist_id } = await playlistWithItems();
    const ends_at = inAnHour();
    const body = { name: "Storm", target_type: "STORE", target_id: store.id, playlist_id, ends_at };
    const key = { "Idempotency-Key": crypto.randomUUID() };
    const [first, second] = await Promise.all([start(body, key), start(body, key)]);
    expect([first.status, second.status, second.body.id]).toEqual([201, 201, first.body.id]);
    await end(String(first.body.id));
    const late = await start(body, key);
    expect([late.status, late.body.id, late.headers.get("Idempotency-Replayed")]).toEqual([201, first.body.id, "true"]);
    expect(await auditRows(first.body.id)).toHaveLength(1);
    expect((await start({ ...body, name: "Another" }, key)).body).toMatchObject({ status: 409, code: "IDEMPOTENCY_KEY_REUSED" });
    expect((await admin("GET", `/v1/admin/takeovers?target_id=${store.id}`)).body.items).toHaveLength(1);
  });

  test("refuses what cannot be, names the field, and writes nothing", async () => {
    const { group, store } = await smallNetwork();
    const { id: playlist_id } = await playlistWithItems();
    const { versionId: content_version_id } = await contentWithVersion();
    const empty = (await create("playlists", { name: "Empty" })).id;
    const archived = (await playlistWithItems()).id;
    await admin("PATCH", `/v1/admin/playlists/${archived}`, { archived: true });
    const gone = await playlistWithItems();
    await env.DB.prepare("UPDATE content SET archived_at = 1 WHERE id = ?").bind(gone.contentId).run();
    const closed = (await create("stores", { supplier_id: store.supplier_id, name: "Closed", timezone: "UTC" })).id;
    await admin("PATCH", `/v1/admin/stores/${closed}`, { archived: true });
    const good = { name: "t", target_type: "GROUP", target_id: group.id, playlist_id };
    const single = { name: "t", target_type: "GROUP", target_id: group.id };
    const cases: [string, Record<string, unknown>, string, string][] = [
      ["no name", { ...good, name: undefined }, "/name", "VALIDATION_ERROR"],
      ["a target type with a typo", { ...good, target_type: "GRUOP" }, "/target_type", "VALIDATION_ERROR"],
      ["a device as target", { ...good, target_type: "DEVICE" }, "/target_type", "VALIDATION_ERROR"],
      ["a field that is not known", { ...good, ends: inAnHour() }, "/ends", "VALIDATION_ERROR"],
      ["a beginning of one's own", { ...good, started_at: inAnHour() }, "/started_at", "VALIDATION_ERROR"],
      ["a target that is not there", { ...good, target_id: UNKNOWN }, "/target_id", "TARGET_NOT_FOUND"],
      ["a store's id for a group", { ...good, target_id: store.id }, "/target_id", "TARGET_NOT_FOUND"],
      ["a group's id for a store", { ...good, target_type: "STORE" }, "/target_id", "TARGET_NOT_FOUND"],
      ["an archived store", { ...good, target_type: "STORE", target_id: closed }, "/target_id", "REFERENCE_ARCHIVED"],
      ["no target", { ...good, target_id: undefined }, "/target_id", "VALIDATION_ERROR"],
      ["a target of the whole network", { ...good, target_type: "ALL" }, "/target_id", "VALIDATION_ERROR"],
      ["nothing to show", single, "/playlist_id", "VALIDATION_ERROR"],
      ["two things to show", { ...good, content_version_id }, "/content_version_id", "VALIDATION_ERROR"],
      ["a playlist that is not there", { ...good, playlist_id: UNKNOWN }, "/playlist_id", "REFERENCE_NOT_FOUND"],
      ["an empty playlist", { ...good, playlist_id: empty }, "/playlist_id", "PLAYLIST_EMPTY"],
      ["an archived playlist", { ...good, playlist_id: archived }, "/playlist_id", "PLAYLIST_ARCHIVED"],
      ["a playlist of archived content", { ...good, playlist_id: gone.id }, "/playlist_id", "CONTENT_ARCHIVED"],
      ["a version that is not there", { ...single, content_version_id: UNKNOWN }, "/content_version_id", "REFERENCE_NOT_FOUND"],
      ["a version of archived content", { ...single, content_version_id: gone.versionId }, "/content_version_id", "CONTENT_ARCHIVED"],
      ["an end that is past", { ...good, ends_at: "2026-01-01T00:00:00Z" }, "/ends_at", "VALIDATION_ERROR"],
      ["an end without an offset", { ...good, ends_at: "2099-01-01T00:00:00" }, "/ends_at", "VALIDATION_ERROR"],
    ];
    const audited = (await auditRows()).length;
    for (const [what, body, pointer, code] of cases) {
      const { status, body: problem } = await start(body);
      const [error] = problem.errors as { pointer: string }[];
      expect([what, status, error?.pointer, problem.code]).toEqual([what, 400, pointer, code]);
    }
    expect(await auditRows()).toHaveLength(audited);
    expect((await admin("GET", `/v1/admin/takeovers?target_id=${group.id}`)).body.items).toEqual([]);
  });
});

describe("lifting", () => {
  test("is decided by what was before", () => {
    expect(decideLift({ lifted_at: null, ends_at: null }, 10)).toBe("lift");
    expect(decideLift({ lifted_at: null, ends_at: 11 }, 10)).toBe("lift");
    expect(decideLift({ lifted_at: null, ends_at: 10 }, 10)).toBe("ended");
    expect(decideLift({ lifted_at: 5, ends_at: 10 }, 20)).toBe("lifted");
  });

  test("twice has the same answer, one audit row, and touches no plan again", async () => {
    const { group } = await smallNetwork();
    const takeover = await takeOver("GROUP", group.id);
    const first = await lift(takeover);
    expect(first).toMatchObject({ id: takeover.id, active: false, lifted_by: "admin-token" });
    expect(first.lifted_at).toMatch(/^2/);
    const revision = () => env.DB.prepare("SELECT revision FROM plan_inputs").first("revision");
    const before = await revision();
    expect(await lift(takeover)).toEqual(first);
    expect(await revision()).toBe(before);
    expect((await auditRows(takeover.id)).map(({ action, details }) => [action, details])).toEqual([
      ["takeover.create", expect.anything()],
      ["takeover.lift", { before: { lifted_at: null, lifted_by: null }, after: { lifted_at: first.lifted_at, lifted_by: "admin-token" } }],
    ]);
  });

  test("by two at once is one change, and both hear that it is lifted", async () => {
    const { store } = await smallNetwork();
    const takeover = await takeOver("STORE", store.id);
    // Both read it while it stands, before either writes.
    const bothRead = Promise.withResolvers<void>();
    let writing = 0;
    const db = new Proxy(env.DB, {
      get(target, name) {
        if (name !== "batch") return Reflect.get(target, name).bind(target);
        return async (statements: D1PreparedStatement[]) => {
          writing += 1;
          if (writing === 2) bothRead.resolve();
          await bothRead.promise;
          return await target.batch(statements);
        };
      },
    });
    const by = (actor: string, now: number) => liftTakeover({ db, actor, now }, takeover.id);
    const [one, two] = await Promise.all([by("one", Date.now()), by("two", Date.now() + 1)]);
    expect(one).toEqual(two);
    expect((await auditRows(takeover.id)).map(({ action }) => action)).toEqual(["takeover.create", "takeover.lift"]);
  });

  test("of one that ended by itself is refused, and of none is 404", async () => {
    const takeover = await takeOver("ALL", null, { ends_at: inAnHour() });
    await end(takeover.id);
    const refused = await admin("POST", `/v1/admin/takeovers/${takeover.id}/lift`);
    expect(refused.body).toMatchObject({ status: 409, code: "TAKEOVER_ENDED" });
    expect(await get(takeover.id)).toMatchObject({ active: false, lifted_at: null });
    expect((await auditRows(takeover.id)).map(({ action }) => action)).toEqual(["takeover.create"]);
    expect((await admin("POST", `/v1/admin/takeovers/${UNKNOWN}/lift`)).status).toBe(404);
    expect((await admin("GET", `/v1/admin/takeovers/${UNKNOWN}`)).status).toBe(404);
  });
});

describe("the list", () => {
  test("has the newest first, by pages, and is narrowed by what is on, target, message, device and name", async () => {
    const { store, group, device } = await smallNetwork();
    const playlist = await playlistWithItems();
    const { versionId } = await contentWithVersion();
    const [lifted, ended, ofGroup, ofStore, ofAll] = [
      await takeOver("GROUP", group.id),
      await takeOver("GROUP", group.id, { ends_at: inAnHour() }),
      await takeOver("GROUP", group.id, { playlist_id: playlist.id, ends_at: inAnHour() }),
      await takeOver("STORE", store.id, { content_version_id: versionId }),
      await takeOver("ALL", null, { name: "Everybody out" }),
    ];
    await lift(lifted);
    await end(ended.id);
    const list = async (query: string) => {
      const { status, body } = await admin("GET", `/v1/admin/takeovers?${query}`);
      expect(status, JSON.stringify(body)).toBe(200);
      return (body.items as { id: string }[]).map(({ id }) => id);
    };
    expect(await list("active=true")).toEqual([ofAll.id, ofStore.id, ofGroup.id]);
    expect(await list(`active=false&target_id=${group.id}`)).toEqual([ended.id, lifted.id]);
    expect(await list(`target_type=GROUP&target_id=${group.id}`)).toEqual([ofGroup.id, ended.id, lifted.id]);
    expect(await list(`device_id=${device.id}&active=true`)).toEqual([ofAll.id, ofStore.id, ofGroup.id]);
    expect(await list(`device_id=${(await smallNetwork()).device.id}&active=true`)).toEqual([ofAll.id]);
    expect(await list("target_type=ALL&active=true")).toEqual([ofAll.id]);
    expect(await list(`playlist_id=${playlist.id}`)).toEqual([ofGroup.id]);
    expect(await list(`content_version_id=${versionId}`)).toEqual([ofStore.id]);
    expect(await list("q=everybody")).toEqual([ofAll.id]);
    const first = await admin("GET", `/v1/admin/takeovers?target_id=${group.id}&limit=2`);
    expect((first.body.items as { id: string }[]).map(({ id }) => id)).toEqual([ofGroup.id, ended.id]);
    expect(await list(`target_id=${group.id}&limit=2&cursor=${first.body.next_cursor}`)).toEqual([lifted.id]);
    expect((await admin("GET", "/v1/admin/takeovers?state=on")).body).toMatchObject({ status: 400, errors: [{ pointer: "/state" }] });
  });
});

describe("while a takeover is on", () => {
  const inUse = (takeover: { id: string }) => ({
    status: 409,
    code: "IN_USE",
    used_by: [{ type: "takeover", id: takeover.id, name: "Evacuation" }],
  });

  test("its playlist can be neither archived nor emptied; once it is lifted, or has ended, it can", async () => {
    const playlist = await playlistWithItems();
    const archive = (archived: boolean) => admin("PATCH", `/v1/admin/playlists/${playlist.id}`, { archived });
    const empty = () => admin("PUT", `/v1/admin/playlists/${playlist.id}/items`, { items: [] });
    const first = await takeOver("ALL", null, { playlist_id: playlist.id });
    expect((await archive(true)).body).toMatchObject(inUse(first));
    expect((await empty()).body).toMatchObject(inUse(first));
    await lift(first);
    expect((await archive(true)).status).toBe(200);
    await archive(false);
    const second = await takeOver("ALL", null, { playlist_id: playlist.id, ends_at: inAnHour() });
    expect((await empty()).body).toMatchObject(inUse(second));
    await end(second.id);
    expect((await empty()).status).toBe(200);
  });

  test("the content of its version cannot be archived", async () => {
    const { contentId, versionId } = await contentWithVersion();
    const takeover = await takeOver("ALL", null, { content_version_id: versionId });
    const archive = () => admin("PATCH", `/v1/admin/content/${contentId}`, { archived: true });
    expect((await archive()).body).toMatchObject(inUse(takeover));
    await lift(takeover);
    expect((await archive()).status).toBe(200);
  });

  test("its group cannot be deleted, and its store neither deleted nor archived", async () => {
    const group = await create("device-groups", { name: "g" });
    const supplier = await create("suppliers", { name: "s" });
    const store = await create("stores", { supplier_id: supplier.id, name: "S", timezone: "UTC" });
    const [ofGroup, ofStore] = [await takeOver("GROUP", group.id), await takeOver("STORE", store.id)];
    const remove = (path: string) => admin("DELETE", `/v1/admin/${path}`);
    expect((await remove(`device-groups/${group.id}`)).body).toMatchObject(inUse(ofGroup));
    expect((await remove(`stores/${store.id}`)).body).toMatchObject(inUse(ofStore));
    expect((await admin("PATCH", `/v1/admin/stores/${store.id}`, { archived: true })).body).toMatchObject(inUse(ofStore));
    await lift(ofGroup);
    await lift(ofStore);
    expect((await remove(`device-groups/${group.id}`)).status).toBe(204);
    expect((await remove(`stores/${store.id}`)).status).toBe(204);
    // What was shown where stays on record.
    expect(await get(ofStore.id)).toMatchObject({ target_id: store.id, active: false });
  });

  test("a start at the same time as the archiving of its playlist: one of the two is refused", async () => {
    for (let round = 0; round < 5; round += 1) {
      const { id: playlist_id } = await playlistWithItems();
      const [started, archived] = await Promise.all([
        start({ name: "Evacuation", target_type: "ALL", playlist_id }),
        admin("PATCH", `/v1/admin/playlists/${playlist_id}`, { archived: true }),
      ]);
      const outcome = [started.status, archived.status];
      expect([
        [201, 409],
        [400, 200],
      ]).toContainEqual(outcome);
      if (started.status === 400) expect(started.body.code).toBe("PLAYLIST_ARCHIVED");
    }
  });
});
