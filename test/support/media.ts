import { admin, create } from "./admin.ts";

/** A piece of content with one version. Returns their ids. */
export async function contentWithVersion(
  type: "video" | "image" | "web" = "image",
  duration_ms: number | null = null,
): Promise<{ contentId: string; versionId: string }> {
  const { id: contentId } = await create("content", { name: `A ${type}`, type });
  const sha256 = [...crypto.getRandomValues(new Uint8Array(32))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const { id: versionId } = await create(`content/${contentId}/versions`, { sha256, duration_ms });
  return { contentId, versionId };
}

/** A playlist with as many items of one new image. */
export async function playlistWithItems(
  count = 1,
  fields: Record<string, unknown> = {},
): Promise<{ id: string; versionId: string; contentId: string }> {
  const { id } = await create("playlists", { name: "Loop", ...fields });
  const { versionId, contentId } = await contentWithVersion();
  const items = Array.from({ length: count }, () => ({ content_version_id: versionId }));
  const answer = await admin("PUT", `/v1/admin/playlists/${id}/items`, { items });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return { id, versionId, contentId };
}

/** A store of a new supplier, a group, and a device in both. */
export async function smallNetwork() {
  const supplier = await create("suppliers", { name: "Chain" });
  const store = await create("stores", { supplier_id: supplier.id, name: "Store", timezone: "Asia/Ho_Chi_Minh" });
  const group = await create("device-groups", { name: "Group" });
  const device = await create("devices", { external_name: "Till 1", store_id: store.id, group_id: group.id });
  return { supplier, store, group, device };
}

/** A schedule that is on all day. */
export async function scheduleOf(
  playlist_id: string,
  target_type: "DEVICE" | "GROUP",
  target_id: string,
  fields: Record<string, unknown> = {},
) {
  return await create("schedules", { name: "All day", playlist_id, target_type, target_id, ...fields });
}
