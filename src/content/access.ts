import type { DeviceStanding } from "../devices/standing.ts";
import { PLAYLISTS_OF_DEVICE, TAKEOVER_VERSIONS_OF_DEVICE } from "../plans/load.ts";

/** What is known of a device that asks for a file. */
export interface FileAccess extends DeviceStanding {
  /** Whether the file is in something that the device plays. */
  allowed: 0 | 1;
}

/**
 * Whether a device may have a file: it is in a playlist that is scheduled on the device or its group, be it for later, in the
 * default one of its group, or in a takeover that reaches it; or in the plan that the device was last given, which it may
 * still be playing. One row; null: there is no such device.
 */
export async function findAccess(db: D1Database, deviceId: string, sha256: string): Promise<FileAccess | null> {
  return await db
    .prepare(
      `SELECT d.status, d.token_family_id, (
         EXISTS (SELECT 1 FROM content_versions v JOIN playlist_items i ON i.content_version_id = v.id
           WHERE v.sha256 = ?2 AND i.playlist_id IN (${PLAYLISTS_OF_DEVICE}))
         OR EXISTS (SELECT 1 FROM content_versions v WHERE v.sha256 = ?2 AND v.id IN (${TAKEOVER_VERSIONS_OF_DEVICE}))
         OR EXISTS (SELECT 1 FROM playout_plans p, json_each(p.plan_json, '$.items') item
           WHERE p.device_id = ?1 AND p.plan_json <> '' AND item.value ->> 'sha256' = ?2)
       ) AS allowed FROM devices d WHERE d.id = ?1`,
    )
    .bind(deviceId, sha256)
    .first<FileAccess>();
}
