import { index, integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { ROLES, USER_ROLES } from "./principal.ts";

/** See `migrations/0014_api_tokens.sql` and `0020_users.sql`, which are the schema; `test/platform/tables.test.ts` holds them together. */
export const apiTokens = sqliteTable("api_tokens", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  token_hash: text("token_hash").notNull().unique(),
  role: text("role", { enum: ROLES }).notNull(),
  scope_json: text("scope_json"),
  created_by: text("created_by").notNull(),
  created_at: integer("created_at").notNull(),
  expires_at: integer("expires_at").notNull(),
  revoked_at: integer("revoked_at"),
  last_used_at: integer("last_used_at"),
});

export const users = sqliteTable("users", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  email: text("email").notNull().unique(),
  role: text("role", { enum: USER_ROLES }).notNull(),
  scope_json: text("scope_json"),
  two_factor_enabled: integer("two_factor_enabled").notNull().default(0),
  last_sign_in_at: integer("last_sign_in_at"),
  disabled_at: integer("disabled_at"),
  created_at: integer("created_at").notNull(),
  updated_at: integer("updated_at").notNull(),
  version: integer("version").notNull().default(1),
});

export const userAccounts = sqliteTable("user_accounts", {
  id: text("id").primaryKey(),
  user_id: text("user_id").notNull().unique(),
  account_id: text("account_id").notNull(),
  provider_id: text("provider_id").notNull(),
  password_hash: text("password_hash").notNull(),
  created_at: integer("created_at").notNull(),
  updated_at: integer("updated_at").notNull(),
});

export const userSessions = sqliteTable(
  "user_sessions",
  {
    id: text("id").primaryKey(),
    user_id: text("user_id").notNull(),
    token_hash: text("token_hash").notNull().unique(),
    network: text("network").notNull(),
    user_agent: text("user_agent").notNull(),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
    expires_at: integer("expires_at").notNull(),
  },
  (table) => [index("user_sessions_user").on(table.user_id)],
);

export const userSecondFactors = sqliteTable("user_second_factors", {
  id: text("id").primaryKey(),
  user_id: text("user_id").notNull().unique(),
  secret: text("secret").notNull(),
  backup_codes: text("backup_codes").notNull(),
  verified: integer("verified").notNull().default(0),
  failed_verification_count: integer("failed_verification_count").notNull().default(0),
  locked_until: integer("locked_until"),
});

export const signInSteps = sqliteTable(
  "sign_in_steps",
  {
    id: text("id").primaryKey(),
    identifier: text("identifier").notNull(),
    value: text("value").notNull(),
    created_at: integer("created_at").notNull(),
    updated_at: integer("updated_at").notNull(),
    expires_at: integer("expires_at").notNull(),
  },
  (table) => [index("sign_in_steps_identifier").on(table.identifier), index("sign_in_steps_expires").on(table.expires_at)],
);

export const invitations = sqliteTable("invitations", {
  id: text("id").primaryKey(),
  kind: text("kind", { enum: ["setup", "invitation", "reset"] }).notNull(),
  token_hash: text("token_hash").notNull().unique(),
  email: text("email"),
  user_id: text("user_id"),
  role: text("role", { enum: USER_ROLES }).notNull(),
  scope_json: text("scope_json"),
  created_by: text("created_by").notNull(),
  created_at: integer("created_at").notNull(),
  expires_at: integer("expires_at").notNull(),
  accepted_at: integer("accepted_at"),
  accepted_by: text("accepted_by"),
  revoked_at: integer("revoked_at"),
});
