import { z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { contains, equals, type Resource } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { touchStatements } from "../plans/touch.ts";
import { idField, nameField, timeField } from "../platform/fields.ts";
import type { Row } from "../platform/rows.ts";
import { stores } from "../stores/tables.ts";
import { assignmentStatement, profilePushStatement, scopes } from "./profile.ts";
import { deliverProfilesSoon } from "./push.ts";
import { deviceGroups, devices } from "./tables.ts";
import { deviceVisible } from "./visible.ts";

const STATUSES = ["unpaired", "active", "revoked"] as const;

const placeFields = { store_id: idField.nullable().optional(), group_id: idField.nullable().optional() };

const keySchema = z
  .object({ kid: z.string(), alg: z.enum(["RS256", "PS256", "ES256", "EdDSA"]), valid_from: timeField, valid_to: timeField.nullable() })
  .openapi("DeviceKey");

/** A screen's player. Made here it is unpaired: a claim that names it pairs it; pairing and revoking change its status. */
export const deviceResource: Resource<typeof devices.$inferSelect> = {
  noun: "device",
  plural: "devices",
  path: "/v1/admin/devices",
  table: devices,
  create: z.strictObject({ id: idField.optional(), external_name: nameField, ...placeFields }).openapi("DeviceCreate"),
  change: z.strictObject({ external_name: nameField.optional(), ...placeFields }).openapi("DeviceChange"),
  answer: z
    .object({
      id: z.uuid(),
      external_name: z.string(),
      store_id: z.uuid().nullable(),
      group_id: z.uuid().nullable(),
      status: z.enum(STATUSES),
      last_seen_at: timeField.nullable(),
      device_info: z.record(z.string(), z.unknown()).nullable(),
      player_version: z.string().nullable(),
      created_at: timeField,
      updated_at: timeField,
      revoked_at: timeField.nullable(),
      version: z.int(),
      offline_at: timeField.nullable().meta({ description: "When it was last heard of, where it has fallen silent." }),
      heartbeat: z.record(z.string(), z.unknown()).nullable().meta({ description: "What it said as of last_seen_at, 10 min ago at most." }),
      keys: z.array(keySchema).optional().meta({ description: "Newest first; in the answer for a single device only." }),
    })
    .openapi("Device"),
  filters: {
    store_id: equals(devices.store_id, idField),
    group_id: equals(devices.group_id, idField),
    status: equals(devices.status, z.enum(STATUSES)),
    offline: {
      schema: z.enum(["true", "false"]).optional(),
      where: (value) => (value === "true" ? sql`${devices.offline_at} IS NOT NULL` : sql`${devices.offline_at} IS NULL`),
    },
    q: contains(devices.external_name),
  },
  visible: deviceVisible,
  hidden: ["token_family_id"],
  references: { store_id: stores, group_id: deviceGroups },
  initial: () => ({ status: "unpaired" }),
  effects(db, before, after, now) {
    const scope = scopes.device(after.id);
    const moved = before?.store_id !== after.store_id;
    if (before && !moved && before.group_id === after.group_id) return [];
    return [
      ...(moved ? [assignmentStatement(db, scope, now)] : []),
      profilePushStatement(db, scope, now),
      ...touchStatements(db, before ? [{ kind: "device", deviceId: after.id }] : []),
    ];
  },
  deliver: deliverProfilesSoon,
  detail: async (db, device) => ({ keys: await deviceKeysOf(db, device.id) }),
};

export const deviceRoutes = resourceRouter(deviceResource);

async function deviceKeysOf(db: D1Database, deviceId: string): Promise<Row[]> {
  const { results } = await db
    .prepare(
      `SELECT kid, jwk_json ->> 'alg' AS alg, valid_from, valid_to FROM device_keys
       WHERE device_id = ? ORDER BY valid_from DESC, kid`,
    )
    .bind(deviceId)
    .all<{ kid: string; alg: string; valid_from: number; valid_to: number | null }>();
  return results.map(({ valid_from, valid_to, ...key }) => ({
    ...key,
    valid_from: new Date(valid_from).toISOString(),
    valid_to: valid_to === null ? null : new Date(valid_to).toISOString(),
  }));
}
