import { describe, expect, test } from "vitest";
import { admin, create } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { playlistWithItems, scheduleOf, smallNetwork } from "../support/media.ts";

async function parts() {
  const network = await smallNetwork();
  const playlist = await playlistWithItems();
  return { ...network, playlist, body: { name: "S", target_type: "GROUP", target_id: network.group.id, playlist_id: playlist.id } };
}

describe("a schedule", () => {
  test("is made, read, changed, archived, restored and deleted, with one audit row each", async () => {
    const { body, device } = await parts();
    const rules = { priority: 5, dayparts: [{ days: ["fri"], from: "22:00", to: "02:00" }] };
    const made = await admin("POST", "/v1/admin/schedules", { ...body, rules, tags: ["night"] });
    expect(made).toMatchObject({
      status: 201,
      body: { ...body, timezone: "store", rules, tags: ["night"], archived_at: null, version: 1 },
    });
    const path = `/v1/admin/schedules/${made.body.id}`;
    expect(made.headers.get("Location")).toBe(path);
    expect((await admin("GET", path)).body).toEqual(made.body);

    const moved = { target_type: "DEVICE", target_id: device.id, timezone: "Asia/Tokyo" };
    const changed = await admin("PATCH", path, moved, { "If-Match": '"1"' });
    expect(changed).toMatchObject({ status: 200, body: { ...moved, rules, version: 2 } });
    expect((await admin("PATCH", path, { name: "T" }, { "If-Match": '"1"' })).status).toBe(412);
    expect((await admin("PATCH", path, { rules: {} })).body).toMatchObject({ rules: {}, version: 3 });
    expect((await admin("PATCH", path, { archived: true })).body.archived_at).toMatch(/^2/);
    expect((await admin("PATCH", path, { archived: false })).body).toMatchObject({ archived_at: null, version: 5 });

    expect((await admin("DELETE", path, undefined, { "If-Match": '"4"' })).status).toBe(412);
    const gone = await admin("DELETE", path, undefined, { "If-Match": '"5"' });
    expect(gone).toMatchObject({ status: 204, body: { text: "" } });
    expect((await admin("GET", path)).status).toBe(404);
    expect((await admin("DELETE", path)).status).toBe(404);
    const rows = await auditRows(made.body.id);
    expect(rows.map(({ action }) => action)).toEqual(["schedule.create", ...Array(4).fill("schedule.update"), "schedule.delete"]);
    expect(rows[1]?.details).toEqual({
      before: { target_type: "GROUP", target_id: body.target_id, timezone: "store" },
      after: moved,
    });
    expect(rows.at(-1)?.details).toMatchObject({ before: { id: made.body.id, name: "S", version: 5 } });
  });

  test("is deleted once by twenty who try at once", async () => {
    const { body } = await parts();
    const { id } = await create("schedules", body);
    const answers = await Promise.all(Array.from({ length: 20 }, () => admin("DELETE", `/v1/admin/schedules/${id}`)));
    expect(answers.map(({ status }) => status).sort()).toEqual([204, ...Array(19).fill(404)]);
    expect((await auditRows(id)).map(({ action }) => action)).toEqual(["schedule.create", "schedule.delete"]);
  });

  test.each([
    [
      "a device that is not there",
      { target_type: "DEVICE", target_id: crypto.randomUUID() },
      "/target_id",
      "TARGET_NOT_FOUND",
      /no device with/,
    ],
    ["a group that is not there", { target_id: crypto.randomUUID() }, "/target_id", "TARGET_NOT_FOUND", /no device group with/],
    ["a playlist that is not there", { playlist_id: crypto.randomUUID() }, "/playlist_id", "REFERENCE_NOT_FOUND", /no playlist with/],
    ["a zone that is not there", { timezone: "Asia/Atlantis" }, "/timezone", "VALIDATION_ERROR", /"store" or an IANA time zone/],
    ["an offset as zone", { timezone: "+07:00" }, "/timezone", "VALIDATION_ERROR", /"store" or an IANA time zone/],
    ["the store's zone in capitals", { timezone: "STORE" }, "/timezone", "VALIDATION_ERROR", /"store" or an IANA time zone/],
    ["a target of another kind", { target_type: "STORE" }, "/target_type", "VALIDATION_ERROR", /./],
    ["a typo in the rules", { rules: { prioriy: 1 } }, "/rules/prioriy", "VALIDATION_ERROR", /no field "prioriy"/],
    [
      "a typo deep in the rules",
      { rules: { dayparts: [{ from: "08:00", to: "09:00", wday: [] }] } },
      "/rules/dayparts/0/wday",
      "VALIDATION_ERROR",
      /no field "wday"/,
    ],
    [
      "dates reversed",
      { rules: { start_date: "2026-12-02", end_date: "2026-12-01" } },
      "/rules/end_date",
      "VALIDATION_ERROR",
      /must not be before start_date, 2026-12-02/,
    ],
    [
      "dayparts that overlap",
      {
        rules: {
          dayparts: [
            { days: ["sun"], from: "22:00", to: "02:00" },
            { days: ["mon"], from: "01:00", to: "03:00" },
          ],
        },
      },
      "/rules/dayparts/1",
      "VALIDATION_ERROR",
      /overlaps dayparts\/0 on Monday from 01:00 to 02:00/,
    ],
    [
      "an excluded store that is not there",
      { rules: { exclusions: { store_ids: [crypto.randomUUID()] } } },
      "/rules/exclusions/store_ids/0",
      "REFERENCE_NOT_FOUND",
      /no store with/,
    ],
  ])("is refused with %s, when it is made and when it is changed", async (_, wrong, pointer, code, detail) => {
    const { body } = await parts();
    const refused = await admin("POST", "/v1/admin/schedules", { ...body, ...wrong });
    expect(refused.body).toMatchObject({ status: 400, code, errors: [{ pointer }] });
    expect(refused.body.detail).toMatch(detail);
    const { id } = await create("schedules", body);
    const change = await admin("PATCH", `/v1/admin/schedules/${id}`, wrong);
    expect(change.body).toMatchObject({ status: 400, code, errors: [{ pointer }] });
    expect(await auditRows(id)).toHaveLength(1);
  });

  test("names each excluded store that is not there, and takes those that are", async () => {
    const { body, store } = await parts();
    const nowhere = [crypto.randomUUID(), crypto.randomUUID()];
    const refused = await admin("POST", "/v1/admin/schedules", {
      ...body,
      rules: { exclusions: { store_ids: [nowhere[0], store.id, nowhere[1]] } },
    });
    expect(refused.body).toMatchObject({
      errors: [{ pointer: "/rules/exclusions/store_ids/0" }, { pointer: "/rules/exclusions/store_ids/2" }],
    });
    expect((await admin("POST", "/v1/admin/schedules", { ...body, rules: { exclusions: { store_ids: [store.id] } } })).status).toBe(201);
  });

  test("cannot play a playlist that is empty or archived, nor come back from the archive with one", async () => {
    const { body } = await parts();
    const empty = await create("playlists", { name: "Nothing" });
    const refused = await admin("POST", "/v1/admin/schedules", { ...body, playlist_id: empty.id });
    expect(refused.body).toMatchObject({ status: 400, code: "PLAYLIST_EMPTY", errors: [{ pointer: "/playlist_id" }] });
    const old = await playlistWithItems();
    const schedule = await scheduleOf(old.id, "GROUP", body.target_id);
    await admin("PATCH", `/v1/admin/schedules/${schedule.id}`, { archived: true });
    expect((await admin("PATCH", `/v1/admin/playlists/${old.id}`, { archived: true })).status).toBe(200);
    const archived = await admin("POST", "/v1/admin/schedules", { ...body, playlist_id: old.id });
    expect(archived.body).toMatchObject({ status: 400, code: "PLAYLIST_ARCHIVED", errors: [{ pointer: "/playlist_id" }] });
    const restored = await admin("PATCH", `/v1/admin/schedules/${schedule.id}`, { archived: false });
    expect(restored.body).toMatchObject({ status: 400, code: "PLAYLIST_ARCHIVED" });
    // While it is archived, its name may still be mended.
    expect((await admin("PATCH", `/v1/admin/schedules/${schedule.id}`, { name: "Old" })).status).toBe(200);
  });

  test("and the archiving or emptying of its playlist never both succeed", async () => {
    const { body } = await parts();
    for (let round = 0; round < 5; round += 1) {
      const playlist = await playlistWithItems();
      const [schedule, other] = await Promise.all([
        admin("POST", "/v1/admin/schedules", { ...body, playlist_id: playlist.id }),
        round % 2 === 0
          ? admin("PATCH", `/v1/admin/playlists/${playlist.id}`, { archived: true })
          : admin("PUT", `/v1/admin/playlists/${playlist.id}/items`, { items: [] }),
      ]);
      expect([schedule.status, other.status]).toSatisfy(([a, b]: number[]) => (a === 201) !== (b === 200));
    }
  });
});

describe("the list of schedules", () => {
  test("is narrowed by target, device, playlist, day, tag, archive and name", async () => {
    const { group, device, playlist } = await parts();
    const second = await playlistWithItems();
    const a = await scheduleOf(playlist.id, "GROUP", group.id, { name: "Autumn", tags: ["x"], rules: { end_date: "2026-11-30" } });
    const b = await scheduleOf(second.id, "DEVICE", device.id, { name: "Winter", rules: { start_date: "2026-12-01" } });
    const ids = async (query: string) =>
      ((await admin("GET", `/v1/admin/schedules?${query}`)).body.items as { id: string }[]).map(({ id }) => id);
    expect(await ids(`device_id=${device.id}`)).toEqual([a.id, b.id].sort());
    expect(await ids(`target_id=${group.id}`)).toEqual([a.id]);
    expect(await ids(`target_id=${group.id}&target_type=DEVICE`)).toEqual([]);
    expect(await ids(`playlist_id=${second.id}`)).toEqual([b.id]);
    expect(await ids(`device_id=${device.id}&on=2026-11-30`)).toEqual([a.id]);
    expect(await ids(`device_id=${device.id}&on=2026-12-01`)).toEqual([b.id]);
    expect(await ids(`device_id=${device.id}&tag=x`)).toEqual([a.id]);
    expect(await ids(`device_id=${device.id}&q=wint`)).toEqual([b.id]);
    await admin("PATCH", `/v1/admin/schedules/${a.id}`, { archived: true });
    expect(await ids(`device_id=${device.id}&archived=false`)).toEqual([b.id]);
  });
});

describe("a group's default playlist", () => {
  test("is set and taken away; it must be there, not archived and not empty", async () => {
    const { group, playlist } = await parts();
    const path = `/v1/admin/device-groups/${group.id}`;
    expect((await admin("PATCH", path, { default_playlist_id: playlist.id })).body).toMatchObject({ default_playlist_id: playlist.id });
    const empty = await create("playlists", { name: "Nothing" });
    const cases = [
      [crypto.randomUUID(), "REFERENCE_NOT_FOUND"],
      [empty.id, "PLAYLIST_EMPTY"],
    ];
    for (const [default_playlist_id, code] of cases) {
      const wrong = { default_playlist_id };
      const errors = [{ pointer: "/default_playlist_id" }];
      expect((await admin("PATCH", path, wrong)).body).toMatchObject({ status: 400, code, errors });
      expect((await admin("POST", "/v1/admin/device-groups", { name: "g", ...wrong })).body).toMatchObject({ status: 400, code, errors });
    }
    expect((await admin("PATCH", path, { default_playlist_id: null })).body).toMatchObject({ default_playlist_id: null });
    await admin("PATCH", `/v1/admin/playlists/${playlist.id}`, { archived: true });
    expect((await admin("PATCH", path, { default_playlist_id: playlist.id })).body).toMatchObject({ code: "PLAYLIST_ARCHIVED" });
  });
});
