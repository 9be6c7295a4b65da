import { index, integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** See `migrations/0001_network.sql`, which is the schema; `test/platform/tables.test.ts` holds the two together. */
export const suppliers = sqliteTable("suppliers", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  created_at: integer("created_at").notNull(),
  updated_at: integer("updated_at").notNull(),
  version: integer("version").notNull().default(1),
  archived_at: integer("archived_at"),
});

export const stores = sqliteTable(
  "stores",
  {
    id: text("id").primaryKey(),
    supplier_id: text("supplier_id").notNull(),
    name: text("name").notNull(),
    city: text("city"),
    area: text("area"),
    address: text("address"),
    timezone: text("timezone").notNull(),
    lat: real("lat"),
    lng: real("lng"),
    operating_hours_json: text("operating_hours_json"),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
    archived_at: integer("archived_at"),
  },
  (table) => [index("stores_supplier").on(table.supplier_id)],
);
