import { z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { archived, contains, equals, type Resource } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { openClaims } from "../devices/claims-presets.ts";
import { assignmentStatement, pastDevices, profilePushStatement, scopes } from "../devices/profile.ts";
import { deliverProfilesSoon } from "../devices/push.ts";
import { touchStatements } from "../plans/touch.ts";
import { idField, nameField, timeField, zoneField } from "../platform/fields.ts";
import { takeoversOf } from "../takeovers/usage.ts";
import { operatingHoursSchema } from "./hours.ts";
import { stores, suppliers } from "./tables.ts";

const place = z.string().trim().max(200).nullable().optional();

const optionalFields = {
  city: place,
  area: place,
  address: place,
  lat: z.number().min(-90).max(90).nullable().optional(),
  lng: z.number().min(-180).max(180).nullable().optional(),
  operating_hours: operatingHoursSchema.nullable().optional(),
};
const requiredFields = { supplier_id: idField, name: nameField, timezone: zoneField };

/** What a play is judged by: a change of any of these must reach the sequencers of the store's devices. */
const JUDGED_BY = ["supplier_id", "timezone", "lat", "lng"] as const;

/** What plans are made of. */
const PLANNED_BY = ["timezone", "operating_hours_json"] as const;

/** A place: where devices stand, whose they are, and what its clock says. */
export const storeResource: Resource<typeof stores.$inferSelect> = {
  noun: "store",
  plural: "stores",
  path: "/v1/admin/stores",
  table: stores,
  create: z.strictObject({ id: idField.optional(), ...requiredFields, ...optionalFields }).openapi("StoreCreate"),
  change: z
    .strictObject({ ...z.object(requiredFields).partial().shape, ...optionalFields, archived: z.boolean().optional() })
    .openapi("StoreChange"),
  answer: z
    .object({
      id: z.uuid(),
      supplier_id: z.uuid(),
      name: z.string(),
      city: z.string().nullable(),
      area: z.string().nullable(),
      address: z.string().nullable(),
      timezone: z.string(),
      lat: z.number().nullable(),
      lng: z.number().nullable(),
      operating_hours: operatingHoursSchema.nullable(),
      archived_at: timeField.nullable(),
      created_at: timeField,
      updated_at: timeField,
      version: z.int(),
    })
    .openapi("Store"),
  filters: { supplier_id: equals(stores.supplier_id, idField), archived: archived(stores.archived_at), q: contains(stores.name) },
  visible: { supplier: (id) => sql`${stores.supplier_id} = ${id}` },
  references: { supplier_id: suppliers },
  check(store) {
    if ((store.lat === null) === (store.lng === null)) return [];
    return [{ pointer: store.lat === null ? "/lat" : "/lng", detail: "lat and lng go together: give both or neither." }];
  },
  uses: (store, purpose, now) => [
    { type: "device", query: "SELECT id, external_name AS name FROM devices WHERE store_id = ?", values: [store.id] },
    openClaims("store_id", store.id, now),
    takeoversOf("STORE", store.id, now),
    ...(purpose === "delete" ? [pastDevices("store_id", store.id)] : []),
  ],
  deletable: true,
  effects(db, before, after, now) {
    if (!before) return [];
    const scope = scopes.store(after.id);
    const judged = JUDGED_BY.some((field) => before[field] !== after[field]);
    const planned = PLANNED_BY.some((field) => before[field] !== after[field]);
    return [
      ...(judged ? [assignmentStatement(db, scope, now), profilePushStatement(db, scope, now)] : []),
      ...touchStatements(db, planned ? [{ kind: "store", storeId: after.id }] : []),
    ];
  },
  deliver: deliverProfilesSoon,
};

export const storeRoutes = resourceRouter(storeResource);
