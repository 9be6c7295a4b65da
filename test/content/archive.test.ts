import { expect, test } from "vitest";
import { admin } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { playlistWithItems } from "../support/media.ts";

test("content is not archived while a playlist uses it: the refusal says which; afterwards it is", async () => {
  const playlist = await playlistWithItems();
  const path = `/v1/admin/content/${playlist.contentId}`;
  const refused = await admin("PATCH", path, { archived: true });
  expect(refused.body).toMatchObject({
    status: 409,
    code: "IN_USE",
    used_by: [{ type: "playlist", id: playlist.id, name: "Loop" }],
    used_by_total: 1,
  });
  expect((await auditRows()).filter(({ target_id, action }) => target_id === playlist.contentId && action === "content.update")).toEqual(
    [],
  );
  expect((await admin("PATCH", path, { name: "Another name" })).status).toBe(200);
  await admin("PATCH", `/v1/admin/playlists/${playlist.id}`, { archived: true });
  expect((await admin("PATCH", path, { archived: true })).body.archived_at).toMatch(/^2/);
});

test("content that went out of a playlist is archived", async () => {
  const playlist = await playlistWithItems();
  await admin("PUT", `/v1/admin/playlists/${playlist.id}/items`, { items: [] });
  expect((await admin("PATCH", `/v1/admin/content/${playlist.contentId}`, { archived: true })).status).toBe(200);
});
