import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** See `migrations/0001_network.sql`, which is the schema; `test/platform/tables.test.ts` holds the two together. */
export const deviceGroups = sqliteTable("device_groups", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  policy_json: text("policy_json").notNull().default("{}"),
  default_playlist_id: text("default_playlist_id"),
  created_at: integer("created_at").notNull(),
  updated_at: integer("updated_at").notNull(),
  version: integer("version").notNull().default(1),
});

export const devices = sqliteTable(
  "devices",
  {
    id: text("id").primaryKey(),
    external_name: text("external_name").notNull(),
    store_id: text("store_id"),
    group_id: text("group_id"),
    status: text("status", { enum: ["unpaired", "active", "revoked"] }).notNull(),
    token_family_id: text("token_family_id"),
    last_seen_at: integer("last_seen_at"),
    device_info_json: text("device_info_json"),
    player_version: text("player_version"),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
    revoked_at: integer("revoked_at"),
    version: integer("version").notNull().default(1),
    offline_at: integer("offline_at"),
    heartbeat_json: text("heartbeat_json"),
  },
  (table) => [index("devices_store").on(table.store_id), index("devices_group").on(table.group_id)],
);

export const deviceKeys = sqliteTable(
  "device_keys",
  {
    kid: text("kid").notNull(),
    device_id: text("device_id").notNull(),
    jwk_json: text("jwk_json").notNull(),
    valid_from: integer("valid_from").notNull(),
    valid_to: integer("valid_to"),
  },
  (table) => [primaryKey({ columns: [table.device_id, table.kid, table.valid_from] })],
);

export const claims = sqliteTable("claims", {
  id: text("id").primaryKey(),
  code_hmac: text("code_hmac").notNull().unique(),
  status: text("status", { enum: ["pending", "approved", "rejected", "used"] }).notNull(),
  device_code_hash: text("device_code_hash"),
  device_info_json: text("device_info_json"),
  public_jwk_json: text("public_jwk_json"),
  store_id: text("store_id"),
  group_id: text("group_id"),
  name: text("name"),
  device_id: text("device_id"),
  created_at: integer("created_at").notNull(),
  expires_at: integer("expires_at").notNull(),
  decided_at: integer("decided_at"),
  decided_by: text("decided_by"),
  used_at: integer("used_at"),
  used_kid: text("used_kid"),
});

export const tokenFamilies = sqliteTable("token_families", {
  id: text("id").primaryKey(),
  device_id: text("device_id").notNull(),
  kid: text("kid"),
  created_at: integer("created_at").notNull(),
  revoked_at: integer("revoked_at"),
  revoked_reason: text("revoked_reason"),
});

export const refreshTokens = sqliteTable("refresh_tokens", {
  token_hash: text("token_hash").primaryKey(),
  family_id: text("family_id").notNull(),
  parent_hash: text("parent_hash"),
  created_at: integer("created_at").notNull(),
  expires_at: integer("expires_at").notNull(),
  first_used_at: integer("first_used_at"),
  superseded_at: integer("superseded_at"),
});

export const deviceCommands = sqliteTable(
  "device_commands",
  {
    id: text("id").primaryKey(),
    device_id: text("device_id").notNull(),
    type: text("type", { enum: ["reboot", "refresh_plan", "screenshot", "set_volume", "clear_cache", "update"] }).notNull(),
    params_json: text("params_json").notNull().default("{}"),
    status: text("status", { enum: ["waiting", "done", "failed", "expired", "cancelled"] }).notNull(),
    result_json: text("result_json"),
    created_at: integer("created_at").notNull(),
    created_by: text("created_by").notNull(),
    expires_at: integer("expires_at").notNull(),
    settled_at: integer("settled_at"),
  },
  (table) => [index("device_commands_device").on(table.device_id, table.id)],
);
