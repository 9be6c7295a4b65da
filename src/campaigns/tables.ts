import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** See `migrations/0001_network.sql`, which is the schema; `test/platform/tables.test.ts` holds the two together. */
export const campaigns = sqliteTable("campaigns", {
  id: text("id").primaryKey(),
  brand_name: text("brand_name").notNull(),
  name: text("name").notNull(),
  start_date: text("start_date"),
  end_date: text("end_date"),
  archived_at: integer("archived_at"),
  created_at: integer("created_at").notNull(),
  updated_at: integer("updated_at").notNull(),
  version: integer("version").notNull().default(1),
  tags_json: text("tags_json").notNull().default("[]"),
});

export const adGroups = sqliteTable(
  "ad_groups",
  {
    id: text("id").primaryKey(),
    campaign_id: text("campaign_id").notNull(),
    name: text("name").notNull(),
    archived_at: integer("archived_at"),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
    version: integer("version").notNull().default(1),
    tags_json: text("tags_json").notNull().default("[]"),
  },
  (table) => [index("ad_groups_campaign").on(table.campaign_id)],
);
