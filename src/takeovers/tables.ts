import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** See `migrations/0012_takeovers.sql`, which is the schema; `test/platform/tables.test.ts` holds the two together. */
export const takeovers = sqliteTable(
  "takeovers",
  {
    id: text("id").primaryKey(),
    name: text("name").notNull(),
    target_type: text("target_type", { enum: ["ALL", "GROUP", "STORE"] }).notNull(),
    target_id: text("target_id").notNull().default(""),
    playlist_id: text("playlist_id"),
    content_version_id: text("content_version_id"),
    started_at: integer("started_at").notNull(),
    ends_at: integer("ends_at"),
    lifted_at: integer("lifted_at"),
    lifted_by: text("lifted_by"),
    created_at: integer("created_at").notNull(),
    created_by: text("created_by").notNull(),
  },
  (table) => [
    index("takeovers_target").on(table.target_type, table.target_id),
    index("takeovers_playlist").on(table.playlist_id),
    index("takeovers_version").on(table.content_version_id),
  ],
);

export type TakeoverRow = typeof takeovers.$inferSelect;
