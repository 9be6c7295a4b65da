import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** See `migrations/0001_network.sql` and `0009_monitoring.sql`, which are the schema; `test/platform/tables.test.ts` holds the two together. */
export const incidents = sqliteTable(
  "incidents",
  {
    id: text("id").primaryKey(),
    device_id: text("device_id").notNull().default(""),
    type: text("type").notNull(),
    severity: text("severity", { enum: ["low", "medium", "high"] }).notNull(),
    details_json: text("details_json").notNull().default("{}"),
    created_at: integer("created_at").notNull(),
    acknowledged_at: integer("acknowledged_at"),
    acknowledged_by: text("acknowledged_by"),
    notes: text("notes"),
    resolved_at: integer("resolved_at"),
    resolved_by: text("resolved_by"),
    version: integer("version").notNull().default(1),
  },
  (table) => [index("incidents_device").on(table.device_id, table.id)],
);
