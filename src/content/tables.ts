import { integer, sqliteTable, text, uniqueIndex } from "drizzle-orm/sqlite-core";

/** See `migrations/0001_network.sql`, which is the schema; `test/platform/tables.test.ts` holds the two together. */
export const content = sqliteTable("content", {
  id: text("id").primaryKey(),
  external_id: text("external_id").unique(),
  name: text("name").notNull(),
  type: text("type", { enum: ["video", "image", "web"] }).notNull(),
  tags_json: text("tags_json").notNull().default("[]"),
  archived_at: integer("archived_at"),
  created_at: integer("created_at").notNull(),
  updated_at: integer("updated_at").notNull(),
  version: integer("version").notNull().default(1),
});

export const contentVersions = sqliteTable(
  "content_versions",
  {
    id: text("id").primaryKey(),
    content_id: text("content_id").notNull(),
    version_hash: text("version_hash").notNull(),
    url: text("url"),
    sha256: text("sha256").notNull(),
    bytes: integer("bytes"),
    duration_ms: integer("duration_ms"),
    mime: text("mime"),
    created_at: integer("created_at").notNull(),
  },
  (table) => [uniqueIndex("content_versions_content").on(table.content_id, table.version_hash)],
);

/** See `migrations/0007_media.sql`. */
export const contentUploads = sqliteTable("content_uploads", {
  id: text("id").primaryKey(),
  content_id: text("content_id").notNull(),
  sha256: text("sha256").notNull(),
  bytes: integer("bytes").notNull(),
  part_bytes: integer("part_bytes").notNull(),
  version_hash: text("version_hash"),
  duration_ms: integer("duration_ms"),
  r2_upload_id: text("r2_upload_id").notNull(),
  version_id: text("version_id"),
  created_at: integer("created_at").notNull(),
});
