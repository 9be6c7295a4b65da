import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** See `migrations/0008_playlists.sql`, which is the schema; `test/platform/tables.test.ts` holds the two together. */
export const schedules = sqliteTable(
  "schedules",
  {
    id: text("id").primaryKey(),
    name: text("name").notNull(),
    target_type: text("target_type", { enum: ["DEVICE", "GROUP"] }).notNull(),
    target_id: text("target_id").notNull(),
    playlist_id: text("playlist_id").notNull(),
    timezone: text("timezone").notNull().default("store"),
    rules_json: text("rules_json").notNull().default("{}"),
    tags_json: text("tags_json").notNull().default("[]"),
    archived_at: integer("archived_at"),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (table) => [index("schedules_target").on(table.target_id), index("schedules_playlist").on(table.playlist_id)],
);
