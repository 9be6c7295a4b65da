import { type DeviceScope, scopes } from "../devices/profile.ts";
import { TAKEOVER_PLANNED, TAKEOVER_REACHES } from "../takeovers/reach.ts";

/**
 * What of a plan's inputs changes. Content is not among them: its type stays, its versions are immutable, it is archived only where
 * nothing plays it, and its names and tags are in no plan. Of a thing that moves from one target to another, both are changes.
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
  | { kind: "group"; groupId: string }
  /** It begins, or is lifted. `targetId` is `''` for the whole network. */
  | { kind: "takeover"; targetType: "ALL" | "GROUP" | "STORE"; targetId: string };

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
    case "takeover":
      return reachOf(change.targetType, change.targetId);
  }
}

const EVERY_DEVICE: DeviceScope = { where: "TRUE", values: [] };

function reachOf(targetType: "ALL" | "GROUP" | "STORE", targetId: string): DeviceScope {
  if (targetType === "ALL") return EVERY_DEVICE;
  return targetType === "GROUP" ? scopes.group(targetId) : scopes.store(targetId);
}

/** Devices that may play a playlist: by a schedule of their own, by one of their group, by its default, or by a takeover. */
function playing(playlistId: string): DeviceScope {
  const targets = (type: "DEVICE" | "GROUP") =>
    `SELECT target_id FROM schedules WHERE target_type = '${type}' AND archived_at IS NULL AND playlist_id = ?`;
  return {
    where: `d.id IN (${targets("DEVICE")}) OR d.group_id IN (${targets("GROUP")})
      OR d.group_id IN (SELECT id FROM device_groups WHERE default_playlist_id = ?)
      OR d.id IN (SELECT td.id FROM takeovers t JOIN devices td ON ${TAKEOVER_REACHES} WHERE t.playlist_id = ? AND ${TAKEOVER_PLANNED})`,
    values: [playlistId, playlistId, playlistId, playlistId],
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
    ...changes.map((change) => staleStatement(db, plansTouchedBy(change))),
  ];
}

function staleStatement(db: D1Database, scope: DeviceScope): D1PreparedStatement {
  const stale = "UPDATE playout_plans SET stale = 1 WHERE stale = 0";
  // Walking over all plans is many times quicker than looking for each: their rows are large.
  if (scope === EVERY_DEVICE) return db.prepare(stale);
  return db.prepare(`${stale} AND device_id IN (SELECT d.id FROM devices d WHERE ${scope.where})`).bind(...scope.values);
}
