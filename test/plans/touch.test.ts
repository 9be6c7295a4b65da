import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { type PlanInputChange, plansTouchedBy, touchStatements } from "../../src/plans/touch.ts";
import { DAY_MS, HOUR_MS } from "../../src/platform/time.ts";
import { admin, create } from "../support/admin.ts";
import { playlistWithItems, scheduleOf } from "../support/media.ts";

/** Two groups with two devices each, in two stores; every device has a fresh plan. Names: a1 and a2 in group A, b1 and b2 in group B. */
async function network() {
  const supplier = await create("suppliers", { name: "s" });
  const store = () => create("stores", { supplier_id: supplier.id, name: "S", timezone: "UTC" });
  const [s1, s2, groupA, groupB] = await Promise.all([
    store(),
    store(),
    create("device-groups", { name: "A" }),
    create("device-groups", { name: "B" }),
  ]);
  const device = (external_name: string, group_id: string, store_id: string) => create("devices", { external_name, group_id, store_id });
  const devices = {
    a1: (await device("a1", groupA.id, s1.id)).id,
    a2: (await device("a2", groupA.id, s2.id)).id,
    b1: (await device("b1", groupB.id, s1.id)).id,
    b2: (await device("b2", groupB.id, s2.id)).id,
  };
  const insert = env.DB.prepare(
    "INSERT INTO playout_plans (id, device_id, etag, plan_json, valid_from, valid_to, generated_at) VALUES (?, ?, 'e', '{}', 1, 2, 1)",
  );
  await env.DB.batch(Object.values(devices).map((id) => insert.bind(crypto.randomUUID(), id)));
  const names = Object.fromEntries(Object.entries(devices).map(([name, id]) => [id, name]));

  /** Does something, and tells whose plans it marked; they are fresh again afterwards. */
  const touched = async (act: () => Promise<unknown>): Promise<string> => {
    const before = await revision();
    await act();
    const { results } = await env.DB.prepare("SELECT device_id FROM playout_plans WHERE stale = 1").all<{ device_id: string }>();
    await refresh();
    const marked = results
      .map(({ device_id }) => names[device_id] ?? "other")
      .sort()
      .join(" ");
    // A plan that is being made now hears of the change by the revision.
    if (marked !== "") expect(await revision()).toBeGreaterThan(before);
    return marked;
  };
  const patch = (path: string, body: unknown) => async () => {
    const answer = await admin("PATCH", `/v1/admin/${path}`, body);
    expect(answer.status, JSON.stringify(answer.body)).toBe(200);
  };
  return { supplier, s1, s2, groupA, groupB, ...devices, touched, patch };
}

/** All plans are made anew. */
async function refresh(): Promise<void> {
  await env.DB.prepare("UPDATE playout_plans SET stale = 0").run();
}

async function revision(): Promise<number> {
  return (await env.DB.prepare("SELECT revision FROM plan_inputs").first<number>("revision")) ?? -1;
}

describe("what is written marks the plans that it touches, and no others", () => {
  test("a schedule: its target's, before and after; not for a name, nor in the archive", async () => {
    const { groupA, groupB, b1, touched, patch } = await network();
    const playlist = await playlistWithItems();
    let id = "";
    expect(await touched(async () => ({ id } = await scheduleOf(playlist.id, "GROUP", groupA.id)))).toBe("a1 a2");
    expect(await touched(patch(`schedules/${id}`, { name: "n", tags: ["t"] }))).toBe("");
    expect(await touched(patch(`schedules/${id}`, { rules: { priority: 1 } }))).toBe("a1 a2");
    expect(await touched(patch(`schedules/${id}`, { timezone: "Asia/Tokyo" }))).toBe("a1 a2");
    expect(await touched(patch(`schedules/${id}`, { target_id: groupB.id }))).toBe("a1 a2 b1 b2");
    expect(await touched(patch(`schedules/${id}`, { target_type: "DEVICE", target_id: b1 }))).toBe("b1 b2");
    expect(await touched(patch(`schedules/${id}`, { archived: true }))).toBe("b1");
    expect(await touched(patch(`schedules/${id}`, { rules: {} }))).toBe("");
    expect(await touched(patch(`schedules/${id}`, { archived: false }))).toBe("b1");
    expect(await touched(() => admin("DELETE", `/v1/admin/schedules/${id}`))).toBe("b1");
  });

  test("a schedule that is deleted out of the archive touches none; one that is refused, none either", async () => {
    const { groupA, touched, patch } = await network();
    const { id } = await scheduleOf((await playlistWithItems()).id, "GROUP", groupA.id);
    await touched(patch(`schedules/${id}`, { archived: true }));
    expect(await touched(() => admin("DELETE", `/v1/admin/schedules/${id}`))).toBe("");
    expect(await touched(() => admin("POST", "/v1/admin/schedules", { name: "x", target_type: "GROUP", target_id: groupA.id }))).toBe("");
  });

  test("a playlist: where a live schedule or a group's default plays it", async () => {
    const { groupA, groupB, b1, touched, patch } = await network();
    const { id, versionId } = await playlistWithItems();
    const items = (weight: number) => () =>
      admin("PUT", `/v1/admin/playlists/${id}/items`, { items: [{ content_version_id: versionId, weight }] });
    expect(await touched(items(2))).toBe("");
    const schedule = await scheduleOf(id, "DEVICE", b1);
    await refresh();
    expect(await touched(items(3))).toBe("b1");
    expect(await touched(patch(`device-groups/${groupA.id}`, { default_playlist_id: id }))).toBe("a1 a2");
    expect(await touched(items(4))).toBe("a1 a2 b1");
    const campaign = await create("campaigns", { brand_name: "B", name: "c" });
    expect(await touched(patch(`playlists/${id}`, { name: "n", tags: ["t"] }))).toBe("");
    expect(await touched(patch(`playlists/${id}`, { campaign_id: campaign.id }))).toBe("a1 a2 b1");
    await touched(patch(`schedules/${schedule.id}`, { archived: true }));
    expect(await touched(items(5))).toBe("a1 a2");
    expect(await touched(patch(`device-groups/${groupA.id}`, { default_playlist_id: null }))).toBe("a1 a2");
    expect(await touched(items(6))).toBe("");
    expect(groupB.id).not.toBe(groupA.id);
  });

  test("a store's zone and hours: its devices; its name and place: none", async () => {
    const { s1, touched, patch } = await network();
    expect(await touched(patch(`stores/${s1.id}`, { timezone: "Asia/Tokyo" }))).toBe("a1 b1");
    expect(await touched(patch(`stores/${s1.id}`, { operating_hours: { mon: [] } }))).toBe("a1 b1");
    expect(await touched(patch(`stores/${s1.id}`, { name: "n", lat: 1, lng: 2 }))).toBe("");
  });

  test("a device's store and group: its own; its name: none", async () => {
    const { a1, b2, s2, groupA, touched, patch } = await network();
    expect(await touched(patch(`devices/${a1}`, { store_id: s2.id }))).toBe("a1");
    expect(await touched(patch(`devices/${b2}`, { group_id: groupA.id }))).toBe("b2");
    expect(await touched(patch(`devices/${b2}`, { external_name: "n" }))).toBe("");
  });

  test("a takeover: whom it reaches, when it begins and when it is lifted; what it shows: while it stands", async () => {
    const { groupA, s2, b1, touched, patch } = await network();
    const { id, versionId } = await playlistWithItems();
    const message = (target: Record<string, unknown>) => async () => {
      takeover = (await create("takeovers", { name: "t", ...target })).id;
    };
    const lift = () => admin("POST", `/v1/admin/takeovers/${takeover}/lift`);
    const items = (weight: number) => () =>
      admin("PUT", `/v1/admin/playlists/${id}/items`, { items: [{ content_version_id: versionId, weight }] });
    let takeover = "";
    expect(await touched(message({ target_type: "GROUP", target_id: groupA.id, playlist_id: id }))).toBe("a1 a2");
    expect(await touched(items(2))).toBe("a1 a2");
    expect(await touched(patch(`devices/${b1}`, { group_id: groupA.id }))).toBe("b1");
    expect(await touched(items(3))).toBe("a1 a2 b1");
    expect(await touched(lift)).toBe("a1 a2 b1");
    expect(await touched(items(4))).toBe("");
    expect(await touched(message({ target_type: "STORE", target_id: s2.id, content_version_id: versionId }))).toBe("a2 b2");
    expect(await touched(lift)).toBe("a2 b2");
    expect(await touched(message({ target_type: "ALL", playlist_id: id }))).toContain("a1 a2 b1 b2");
    expect(await touched(items(5))).toContain("a1 a2 b1 b2");
    expect(await touched(lift)).toContain("a1 a2 b1 b2");
    expect(await touched(lift)).toBe("");
  });

  test("what a takeover showed that ended days ago: none", async () => {
    const { groupA, touched } = await network();
    const { id, versionId } = await playlistWithItems();
    const { id: takeover } = await create("takeovers", { name: "t", target_type: "GROUP", target_id: groupA.id, playlist_id: id });
    await refresh();
    const end = (agoMs: number) =>
      env.DB.prepare("UPDATE takeovers SET ends_at = ? WHERE id = ?")
        .bind(Date.now() - agoMs, takeover)
        .run();
    const items = (weight: number) => () =>
      admin("PUT", `/v1/admin/playlists/${id}/items`, { items: [{ content_version_id: versionId, weight }] });
    await end(HOUR_MS);
    // It is part of the plan of its day still.
    expect(await touched(items(2))).toBe("a1 a2");
    await end(3 * DAY_MS);
    expect(await touched(items(3))).toBe("");
  });

  test("a group's policy: none", async () => {
    const { groupA, touched, patch } = await network();
    expect(await touched(patch(`device-groups/${groupA.id}`, { policy: { signature: "optional" } }))).toBe("");
  });

  test("content and a new version of it: none", async () => {
    const { groupA, touched, patch } = await network();
    const one = await playlistWithItems();
    await scheduleOf(one.id, "GROUP", groupA.id);
    await refresh();
    expect(await touched(patch(`content/${one.contentId}`, { name: "n", tags: ["t"], external_id: "01ARZ3NDEKTSV4RRFFQ69G5FAV" }))).toBe(
      "",
    );
    expect(
      await touched(async () => await create(`content/${one.contentId}/versions`, { sha256: "f".repeat(64), duration_ms: 1000 })),
    ).toBe("");
  });
});

describe("plansTouchedBy", () => {
  test("gives a condition with as many values as it has places", () => {
    const changes: PlanInputChange[] = [
      { kind: "schedule", targetType: "GROUP", targetId: "g" },
      { kind: "schedule", targetType: "DEVICE", targetId: "d" },
      { kind: "playlist", playlistId: "p" },
      { kind: "store", storeId: "s" },
      { kind: "device", deviceId: "d" },
      { kind: "group", groupId: "g" },
      { kind: "takeover", targetType: "ALL", targetId: "" },
      { kind: "takeover", targetType: "GROUP", targetId: "g" },
      { kind: "takeover", targetType: "STORE", targetId: "s" },
    ];
    for (const change of changes) {
      const { where, values } = plansTouchedBy(change);
      expect(values, where).toHaveLength(where.split("?").length - 1);
    }
    expect(touchStatements(env.DB, [])).toEqual([]);
  });
});
