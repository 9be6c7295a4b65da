import { withTimeout } from "../platform/retry.ts";
import { NOTE_TIMEOUT_MS } from "./limits.ts";

// What D1 knows of streams: which devices are connected. An index of whom to tell, no more: a row that is left behind by an object that
// was lost goes when the device is to be told something and is not there.

/**
 * Notes that a device is connected since `connectedAt` (ms). Returns whether its plan has changed since it was made: then the device is
 * to be told, and it is noted that it was. One row.
 */
export async function noteConnected(db: D1Database, deviceId: string, connectedAt: number): Promise<boolean> {
  const noted = db
    .prepare(
      `INSERT INTO device_streams (device_id, connected_at, told_plan_at)
       VALUES (?1, ?2, (SELECT generated_at FROM playout_plans WHERE device_id = ?1 AND stale = 1))
       ON CONFLICT (device_id) DO UPDATE SET connected_at = excluded.connected_at, told_plan_at = excluded.told_plan_at
         WHERE excluded.connected_at > connected_at
       RETURNING told_plan_at`,
    )
    .bind(deviceId, connectedAt)
    .first<number>("told_plan_at");
  return (await withTimeout(noted, NOTE_TIMEOUT_MS, "noting of a stream")) !== null;
}

/** Notes that a device is no longer connected, unless it has connected again since. */
export async function noteGone(db: D1Database, deviceId: string, connectedAt: number): Promise<void> {
  const gone = db.prepare("DELETE FROM device_streams WHERE device_id = ? AND connected_at <= ?").bind(deviceId, connectedAt).run();
  await withTimeout(gone, NOTE_TIMEOUT_MS, "noting of a stream's end");
}

/** A connected device whose plan has changed, and that was not told yet. */
export interface Untold {
  device_id: string;
  connected_at: number;
  /** Of the plan that is stale. */
  generated_at: number;
}

/** The next devices behind an id that are to be told of their plans. */
export async function readUntold(db: D1Database, behind: string, most: number): Promise<Untold[]> {
  const { results } = await db
    .prepare(
      `SELECT p.device_id, s.connected_at, p.generated_at FROM playout_plans p CROSS JOIN device_streams s ON s.device_id = p.device_id
       WHERE p.stale = 1 AND p.device_id > ? AND s.told_plan_at IS NOT p.generated_at ORDER BY p.device_id LIMIT ?`,
    )
    .bind(behind, most)
    .all<Untold>();
  return results;
}

/** Notes who was told, and forgets who was not there any more. Connections that were made meanwhile are left as they are. */
export async function noteTold(db: D1Database, told: readonly Untold[], gone: readonly Untold[]): Promise<void> {
  if (told.length + gone.length === 0) return;
  const rows = (some: readonly Untold[]) => JSON.stringify(some.map((one) => [one.device_id, one.connected_at, one.generated_at]));
  await db.batch([
    db
      .prepare(
        `UPDATE device_streams SET told_plan_at = k.value ->> 2 FROM json_each(?) k
         WHERE device_id = k.value ->> 0 AND connected_at = k.value ->> 1`,
      )
      .bind(rows(told)),
    db
      .prepare(
        `DELETE FROM device_streams WHERE EXISTS (SELECT 1 FROM json_each(?) k
         WHERE device_id = k.value ->> 0 AND connected_at = k.value ->> 1)`,
      )
      .bind(rows(gone)),
  ]);
}
