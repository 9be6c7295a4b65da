import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** See `migrations/0008_playlists.sql` and `0011_plan_slots.sql`, which are the schema; `test/platform/tables.test.ts` holds the two together. */
export const playoutPlans = sqliteTable("playout_plans", {
  device_id: text("device_id").primaryKey(),
  id: text("id").notNull(),
  etag: text("etag").notNull(),
  plan_json: text("plan_json").notNull(),
  valid_from: integer("valid_from").notNull(),
  valid_to: integer("valid_to").notNull(),
  generated_at: integer("generated_at").notNull(),
  stale: integer("stale").notNull().default(0),
  slots_etag: text("slots_etag"),
});
