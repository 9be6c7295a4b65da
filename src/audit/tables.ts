import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** See `migrations/0001_network.sql`, which is the schema; `test/platform/tables.test.ts` holds the two together. */
export const auditLog = sqliteTable(
  "audit_log",
  {
    id: text("id").primaryKey(),
    actor_user_id: text("actor_user_id").notNull(),
    action: text("action").notNull(),
    target_type: text("target_type").notNull(),
    target_id: text("target_id").notNull(),
    created_at: integer("created_at").notNull(),
    details_json: text("details_json").notNull().default("{}"),
    origin_json: text("origin_json"),
  },
  (table) => [index("audit_log_target").on(table.target_type, table.target_id), index("audit_log_actor").on(table.actor_user_id, table.id)],
);
