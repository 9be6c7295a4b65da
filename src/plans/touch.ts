import type { DeviceScope } from "../devices/profile.ts";

/**
 * What of a plan's inputs changes. Content is not among them: its type stays, its versions are immutable, it is archived only where no
 * playlist has it, and its names and tags are in no plan. Of a thing that moves from one target to another, both are changes.
 */
export type PlanInputChange =
  | { kind: "schedule"; targetType: "DEVICE" | "GROUP"; targetId: string }
  /** Its items, or what it belongs to. */
  | { kind: "playlist"; playlistId: string }
  /** Its zone or its opening hours. */
  | { kind: "store"; storeId: string }
  /** Its store or its group. */
  | { kind: "device"; deviceId: string }
  /** Its default playlist. */
  | { kind: "group"; groupId: string };

/** The devices whose plans a change touches, as a condition on `devices d`; no more than these. Pure. */
export function plansTouchedBy(change: PlanInputChange): DeviceScope {
  switch (change.kind) {
    case "schedule":
      return { where: change.targetType === "DEVICE" ? "d.id = ?" : "d.group_id = ?", values: [change.targetId] };
    case "playlist":
      return playing(change.playlistId);
    case "store":
      return { where: "d.store_id = ?", values: [change.storeId] };
    case "device":
      return { where: "d.id = ?", values: [change.deviceId] };
    case "group":
      return { where: "d.group_id = ?", values: [change.groupId] };
  }
}

/** Devices that may play a playlist: by a schedule of their own, by one of their group, or by its default. */
function playing(playlistId: string): DeviceScope {
  const targets = (type: "DEVICE" | "GROUP") =>
    `SELECT target_id FROM schedules WHERE target_type = '${type}' AND archived_at IS NULL AND playlist_id = ?`;
  return {
    where: `d.id IN (${targets("DEVICE")}) OR d.group_id IN (${targets("GROUP")})
      OR d.group_id IN (SELECT id FROM device_groups WHERE default_playlist_id = ?)`,
    values: [playlistId, playlistId, playlistId],
  };
}

/**
 * The statements that mark the plans which changes touch as stale, for the `batch()` of the changes themselves. None for no
 * change. They read the tables as they are at their place in the batch: what leaves a target is marked by naming the target
 * that it leaves.
 *
 * A plan is made of inputs that were read some time before it is kept. So each touch also raises `plan_inputs.revision`:
 * who makes a plan reads the revision together with the inputs, and keeps the plan as stale where it has grown since.
 */
export function touchStatements(db: D1Database, changes: readonly PlanInputChange[]): D1PreparedStatement[] {
  if (changes.length === 0) return [];
  return [
    db.prepare("UPDATE plan_inputs SET revision = revision + 1 WHERE one = 1"),
    ...changes.map((change) => {
      const { where, values } = plansTouchedBy(change);
      return db
        .prepare(`UPDATE playout_plans SET stale = 1 WHERE stale = 0 AND device_id IN (SELECT d.id FROM devices d WHERE ${where})`)
        .bind(...values);
    }),
  ];
}
