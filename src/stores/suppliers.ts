import { z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { archived, contains, type Resource } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { pastDevices } from "../devices/profile.ts";
import { idField, nameField, timeField } from "../platform/fields.ts";
import { suppliers } from "./tables.ts";

/** Who owns stores and their screens: a retail chain. */
export const supplierResource: Resource<typeof suppliers.$inferSelect> = {
  noun: "supplier",
  plural: "suppliers",
  path: "/v1/admin/suppliers",
  table: suppliers,
  create: z.strictObject({ id: idField.optional(), name: nameField }).openapi("SupplierCreate"),
  change: z.strictObject({ name: nameField.optional(), archived: z.boolean().optional() }).openapi("SupplierChange"),
  answer: z
    .object({
      id: z.uuid(),
      name: z.string(),
      archived_at: timeField.nullable(),
      created_at: timeField,
      updated_at: timeField,
      version: z.int(),
    })
    .openapi("Supplier"),
  filters: { archived: archived(suppliers.archived_at), q: contains(suppliers.name) },
  visible: { supplier: (id) => sql`${suppliers.id} = ${id}` },
  uses: (supplier, purpose) => [
    {
      type: "store",
      query: `SELECT id, name FROM stores WHERE supplier_id = ?${purpose === "archive" ? " AND archived_at IS NULL" : ""}`,
      values: [supplier.id],
    },
    ...(purpose === "delete" ? [pastDevices("supplier_id", supplier.id)] : []),
  ],
  deletable: true,
};

export const supplierRoutes = resourceRouter(supplierResource);
