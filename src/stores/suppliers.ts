import { z } from "@hono/zod-openapi";
import { contains, type Resource } from "../audit/resource.ts";
import { resourceRouter } from "../audit/routes.ts";
import { idField, nameField, timeField } from "../platform/fields.ts";
import { suppliers } from "./tables.ts";

const fields = { name: nameField };

/** Who owns stores and their screens: a retail chain. */
export const supplierResource: Resource = {
  noun: "supplier",
  plural: "suppliers",
  path: "/v1/admin/suppliers",
  table: suppliers,
  create: z.strictObject({ id: idField.optional(), ...fields }).openapi("SupplierCreate"),
  change: z.strictObject(fields).partial().openapi("SupplierChange"),
  answer: z.object({ id: z.uuid(), name: z.string(), created_at: timeField, updated_at: timeField, version: z.int() }).openapi("Supplier"),
  filters: { q: contains(suppliers.name) },
};

export const supplierRoutes = resourceRouter(supplierResource);
