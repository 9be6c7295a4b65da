import { index, integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** See `migrations/0008_playlists.sql`, which is the schema; `test/platform/tables.test.ts` holds the two together. */
export const playlists = sqliteTable(
  "playlists",
  {
    id: text("id").primaryKey(),
    name: text("name").notNull(),
    campaign_id: text("campaign_id"),
    ad_group_id: text("ad_group_id"),
    tags_json: text("tags_json").notNull().default("[]"),
    archived_at: integer("archived_at"),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
  },
  (table) => [index("playlists_campaign").on(table.campaign_id), index("playlists_ad_group").on(table.ad_group_id)],
);

export const playlistItems = sqliteTable(
  "playlist_items",
  {
    id: text("id").primaryKey(),
    playlist_id: text("playlist_id").notNull(),
    content_version_id: text("content_version_id").notNull(),
    order_index: integer("order_index").notNull(),
    weight: integer("weight").notNull().default(1),
    duration_ms: integer("duration_ms"),
  },
  (table) => [
    uniqueIndex("playlist_items_order").on(table.playlist_id, table.order_index),
    index("playlist_items_version").on(table.content_version_id),
  ],
);
