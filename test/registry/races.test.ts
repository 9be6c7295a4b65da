import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { changeRow, createRow } from "../../src/audit/changes.ts";
import { deleteRow } from "../../src/audit/delete.ts";
import { newRow } from "../../src/audit/resource.ts";
import { groupResource } from "../../src/devices/groups.ts";
import type { Row } from "../../src/platform/rows.ts";
import { addItem } from "../../src/playlists/items.ts";
import { changeItems } from "../../src/playlists/items-commit.ts";
import { playlistResource } from "../../src/playlists/playlists.ts";
import { scheduleResource } from "../../src/schedules/schedules.ts";
import { storeResource } from "../../src/stores/stores.ts";
import { admin, create } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { playlistWithItems, scheduleOf, smallNetwork } from "../support/media.ts";

/** What another administrator does after everything was checked and right before it is written. */
async function meanwhile(path: string, body: unknown, method = "PATCH"): Promise<void> {
  const answer = await admin(method, `/v1/admin/${path}`, body);
  if (answer.status >= 300) throw new Error(JSON.stringify(answer.body));
}

/**
 * A change whose transaction is begun only after something else was done. The transaction is told from the checks before it
 * by its audit row: it is the first batch that writes one.
 */
function changeAfter(act: () => Promise<void>) {
  let acted = false;
  const auditing = new WeakSet<D1PreparedStatement>();
  const db = new Proxy(env.DB, {
    get(target, property) {
      if (property === "prepare") {
        return (sql: string) => {
          const statement = target.prepare(sql);
          if (!sql.startsWith("INSERT INTO audit_log")) return statement;
          const bind = statement.bind.bind(statement);
          statement.bind = (...values: unknown[]) => {
            const bound = bind(...values);
            auditing.add(bound);
            return bound;
          };
          return statement;
        };
      }
      if (property === "batch") {
        return async (statements: D1PreparedStatement[]) => {
          if (!acted && statements.some((statement) => auditing.has(statement))) {
            acted = true;
            await act();
          }
          return await target.batch(statements);
        };
      }
      const value: unknown = Reflect.get(target, property);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  return { change: { db, actor: "tester", now: Date.now() }, acted: () => acted };
}

const COMMON = { name: "S", timezone: "store", rules_json: "{}" };

async function refusedSchedule(
  target_id: string,
  playlist_id: string,
  act: () => Promise<void>,
  id = crypto.randomUUID(),
): Promise<unknown> {
  const { change, acted } = changeAfter(act);
  const row = { ...newRow(scheduleResource.table, {}, id, 1), ...COMMON, target_type: "GROUP", target_id, playlist_id } as Row;
  const error = await createRow(change, scheduleResource, row, null).then(
    () => null,
    (problem: unknown) => problem,
  );
  expect(acted()).toBe(true);
  expect(await auditRows(id)).toEqual([]);
  expect((await admin("GET", `/v1/admin/schedules/${id}`)).status).toBe(404);
  return error;
}

test("a schedule is not made of a playlist that was archived, emptied, or of a group that was deleted in between", async () => {
  const group = await create("device-groups", { name: "g" });
  const [a, b, c] = [await playlistWithItems(), await playlistWithItems(), await playlistWithItems()];
  expect(await refusedSchedule(group.id, a.id, () => meanwhile(`playlists/${a.id}`, { archived: true }))).toMatchObject({
    code: "PLAYLIST_ARCHIVED",
  });
  expect(await refusedSchedule(group.id, b.id, () => meanwhile(`playlists/${b.id}/items`, { items: [] }, "PUT"))).toMatchObject({
    code: "PLAYLIST_EMPTY",
  });
  expect(await refusedSchedule(group.id, c.id, () => meanwhile(`device-groups/${group.id}`, undefined, "DELETE"))).toMatchObject({
    code: "TARGET_NOT_FOUND",
  });
});

test("a schedule does not change to a playlist that was archived in between", async () => {
  const { group } = await smallNetwork();
  const [now, next] = [await playlistWithItems(), await playlistWithItems()];
  const { id } = await scheduleOf(now.id, "GROUP", group.id);
  const { change, acted } = changeAfter(() => meanwhile(`playlists/${next.id}`, { archived: true }));
  await expect(changeRow(change, scheduleResource, id, { playlist_id: next.id }, undefined)).rejects.toMatchObject({
    code: "PLAYLIST_ARCHIVED",
  });
  expect(acted()).toBe(true);
  expect((await admin("GET", `/v1/admin/schedules/${id}`)).body).toMatchObject({ playlist_id: now.id, version: 1 });
});

test("a group does not take a default playlist that was emptied in between", async () => {
  const group = await create("device-groups", { name: "g" });
  const playlist = await playlistWithItems();
  const { change, acted } = changeAfter(() => meanwhile(`playlists/${playlist.id}/items`, { items: [] }, "PUT"));
  const body = { default_playlist_id: playlist.id };
  await expect(changeRow(change, groupResource, group.id, body, undefined)).rejects.toMatchObject({ code: "PLAYLIST_EMPTY" });
  expect(acted()).toBe(true);
});

test("a playlist is not archived that was scheduled in between", async () => {
  const { group } = await smallNetwork();
  const { id } = await playlistWithItems();
  const { change, acted } = changeAfter(async () => void (await scheduleOf(id, "GROUP", group.id)));
  await expect(changeRow(change, playlistResource, id, { archived: true }, undefined)).rejects.toMatchObject({ code: "IN_USE" });
  expect(acted()).toBe(true);
  expect((await admin("GET", `/v1/admin/playlists/${id}`)).body.archived_at).toBeNull();
});

test("a playlist is not made for a campaign that was archived in between", async () => {
  const campaign = await create("campaigns", { brand_name: "B", name: "c" });
  const { change, acted } = changeAfter(() => meanwhile(`campaigns/${campaign.id}`, { archived: true }));
  const id = crypto.randomUUID();
  const row: Row = { ...newRow(playlistResource.table, { name: "p" }, id, 1), campaign_id: campaign.id };
  await expect(createRow(change, playlistResource, row, null)).rejects.toMatchObject({ code: "REFERENCE_ARCHIVED" });
  expect(acted()).toBe(true);
  expect(await auditRows(id)).toEqual([]);
});

test("an item is not added of content that was archived in between; beside another's item it is", async () => {
  const playlist = await playlistWithItems();
  const other = await playlistWithItems();
  const request = (content_version_id: string) => ({
    playlistId: playlist.id,
    change: addItem({ content_version_id }, crypto.randomUUID(), undefined),
    action: "playlist.items.add",
    pointer: () => "",
    ifMatch: undefined,
  });
  const archived = changeAfter(async () => {
    await env.DB.prepare("UPDATE content SET archived_at = 1 WHERE id = ?").bind(other.contentId).run();
  });
  await expect(changeItems(archived.change, request(other.versionId))).rejects.toMatchObject({ code: "CONTENT_ARCHIVED" });
  expect(archived.acted()).toBe(true);
  const faster = changeAfter(() => meanwhile(`playlists/${playlist.id}/items`, { content_version_id: playlist.versionId }, "POST"));
  expect((await changeItems(faster.change, request(playlist.versionId))).items).toHaveLength(3);
  expect(faster.acted()).toBe(true);
});

test("a store is not deleted into which a device moved in between, nor changed by somebody", async () => {
  const { supplier, device } = await smallNetwork();
  const store = await create("stores", { supplier_id: supplier.id, name: "New", timezone: "UTC" });
  const moved = changeAfter(() => meanwhile(`devices/${device.id}`, { store_id: store.id }));
  await expect(deleteRow(moved.change, storeResource, store.id, undefined)).rejects.toMatchObject({ code: "IN_USE" });
  expect(moved.acted()).toBe(true);
  const empty = await create("stores", { supplier_id: supplier.id, name: "Empty", timezone: "UTC" });
  const renamed = changeAfter(() => meanwhile(`stores/${empty.id}`, { name: "Renamed" }));
  await expect(deleteRow(renamed.change, storeResource, empty.id, '"1"')).rejects.toMatchObject({ code: "PRECONDITION_FAILED" });
  expect((await auditRows(empty.id)).map(({ action }) => action)).toEqual(["store.create", "store.update"]);
});
