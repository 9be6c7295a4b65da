import { DAY_MS } from "../platform/time.ts";
import type { UseQuery } from "../platform/uses.ts";
import { type OpenCommand, openCommand, openCommandsStatement, type WaitingRow } from "./commands.ts";
import type { GroupPolicy } from "./policy.ts";

/** How far back a play may start, and a little: assignments older than that are no longer asked for (design: 9 days). */
const ASSIGNMENT_HISTORY_MS = 9 * DAY_MS;

/** Where a device stood from an instant on, with what its store was like then. */
export interface Assignment {
  validFrom: number;
  storeId: string;
  supplierId: string;
  /** IANA zone; null without a store. */
  timezone: string | null;
  lat: number | null;
  lng: number | null;
}

/** What a device's sequencer must know to judge its plays without asking D1. */
export interface DeviceProfile {
  /** The number of the last `profile_pushes` row that this profile knows of. A newer profile has a larger one. */
  version: number;
  deviceId: string;
  status: "unpaired" | "active" | "revoked";
  /** The token family of the player that is paired now. */
  familyId: string | null;
  /** Newest last; those of the assignment history's span, and the one in force at its beginning. */
  assignments: Assignment[];
  policy: GroupPolicy;
  /** Commands that wait for the device, oldest first. A profile that was stored before there were any has none. */
  commands?: OpenCommand[];
}

interface DeviceRow {
  id: string;
  status: DeviceProfile["status"];
  token_family_id: string | null;
  policy_json: string | null;
  version: number;
}

interface AssignmentRow {
  valid_from: number;
  store_id: string | null;
  supplier_id: string | null;
  timezone: string | null;
  lat: number | null;
  lng: number | null;
}

/** Reads a device's profile as D1 has it now, in one transaction; null for a device that does not exist. */
export async function loadProfile(db: D1Database, deviceId: string, now: number): Promise<DeviceProfile | null> {
  const since = now - ASSIGNMENT_HISTORY_MS;
  const [devices, assignments, commands] = await db.batch([
    db
      .prepare(
        `SELECT d.id, d.status, d.token_family_id, g.policy_json,
                (SELECT coalesce(max(p.id), 0) FROM profile_pushes p WHERE p.device_id = d.id) AS version
         FROM devices d LEFT JOIN device_groups g ON g.id = d.group_id WHERE d.id = ?1`,
      )
      .bind(deviceId),
    db
      .prepare(
        `SELECT valid_from, store_id, supplier_id, timezone, lat, lng FROM device_assignments
         WHERE device_id = ?1 AND valid_from >= coalesce(
           (SELECT max(valid_from) FROM device_assignments WHERE device_id = ?1 AND valid_from <= ?2), 0)
         ORDER BY valid_from`,
      )
      .bind(deviceId, since),
    openCommandsStatement(db, deviceId, now),
  ]);
  const device = devices?.results[0] as DeviceRow | undefined;
  if (!device) return null;
  return {
    version: device.version,
    deviceId: device.id,
    status: device.status,
    familyId: device.token_family_id,
    policy: device.policy_json ? (JSON.parse(device.policy_json) as GroupPolicy) : {},
    assignments: ((assignments?.results ?? []) as unknown as AssignmentRow[]).map((row) => ({
      validFrom: row.valid_from,
      storeId: row.store_id ?? "",
      supplierId: row.supplier_id ?? "",
      timezone: row.timezone,
      lat: row.lat,
      lng: row.lng,
    })),
    commands: ((commands?.results ?? []) as unknown as WaitingRow[]).map(openCommand),
  };
}

/** Which devices a change is about: a condition on `devices d`, with its bound values. */
export interface DeviceScope {
  where: string;
  values: (string | number | null)[];
}

/** Scopes of the changes that there are. */
export const scopes = {
  device: (id: string): DeviceScope => ({ where: "d.id = ?", values: [id] }),
  group: (id: string): DeviceScope => ({ where: "d.group_id = ?", values: [id] }),
  store: (id: string): DeviceScope => ({ where: "d.store_id = ?", values: [id] }),
  supplier: (id: string): DeviceScope => ({ where: "d.store_id IN (SELECT id FROM stores WHERE supplier_id = ?)", values: [id] }),
};

/**
 * The statement that marks every device of a scope as having news for its sequencer. It goes into the `batch()` of the
 * change itself, behind it; `deliverProfiles` sends them after the commit, and cron what that left.
 */
export function profilePushStatement(db: D1Database, scope: DeviceScope, now: number): D1PreparedStatement {
  return db
    .prepare(`INSERT INTO profile_pushes (device_id, created_at) SELECT d.id, ${now} FROM devices d WHERE ${scope.where}`)
    .bind(...scope.values);
}

/**
 * The statement that writes down where the devices of a scope stand from now on. It goes behind any change of a device's
 * store, or of a store's zone, position or supplier, in the same `batch()`.
 */
export function assignmentStatement(db: D1Database, scope: DeviceScope, now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT OR REPLACE INTO device_assignments (device_id, valid_from, store_id, supplier_id, timezone, lat, lng)
       SELECT d.id, ${now}, s.id, s.supplier_id, s.timezone, s.lat, s.lng
       FROM devices d LEFT JOIN stores s ON s.id = d.store_id WHERE ${scope.where}`,
    )
    .bind(...scope.values);
}

/** Devices that once stood in a store, or in one of a supplier's: plays recorded then name it, so it is archived, not deleted. */
export function pastDevices(field: "store_id" | "supplier_id", id: string): UseQuery {
  return {
    type: "past_device",
    query: `SELECT DISTINCT d.id, d.external_name AS name FROM device_assignments a JOIN devices d ON d.id = a.device_id
            WHERE a.${field} = ?1 AND NOT EXISTS (SELECT 1 FROM stores s WHERE s.id = d.store_id AND s.${field === "store_id" ? "id" : field} = ?1)`,
    values: [id],
  };
}
