import { z } from "@hono/zod-openapi";
import type { Item } from "./items.ts";

/** An item as the API shows it: what it plays is told with it. */
export const itemSchema = z
  .object({
    id: z.uuid(),
    playlist_id: z.uuid(),
    content_version_id: z.uuid(),
    content_id: z.uuid(),
    content_name: z.string(),
    order_index: z.int(),
    weight: z.int(),
    duration_ms: z.int().nullable(),
  })
  .openapi("PlaylistItem");

export type ShownItem = z.infer<typeof itemSchema>;

const SHOWN = `SELECT i.id, i.playlist_id, i.content_version_id, v.content_id, c.name AS content_name, i.order_index, i.weight, i.duration_ms
  FROM playlist_items i JOIN content_versions v ON v.id = i.content_version_id JOIN content c ON c.id = v.content_id`;

/** All items of a playlist, in their order. */
export async function readItems(db: D1Database, playlistId: string): Promise<ShownItem[]> {
  const { results } = await db.prepare(`${SHOWN} WHERE i.playlist_id = ? ORDER BY i.order_index`).bind(playlistId).all<ShownItem>();
  return results;
}

/** Items of a playlist from behind a place on, in their order, `limit` at most. */
export async function readItemsBehind(db: D1Database, playlistId: string, behind: number, limit: number): Promise<ShownItem[]> {
  const { results } = await db
    .prepare(`${SHOWN} WHERE i.playlist_id = ? AND i.order_index > ? ORDER BY i.order_index LIMIT ?`)
    .bind(playlistId, behind, limit)
    .all<ShownItem>();
  return results;
}

/** What of an item can be changed. */
export function plainItem({ id, content_version_id, weight, duration_ms }: ShownItem): Item {
  return { id, content_version_id, weight, duration_ms };
}
