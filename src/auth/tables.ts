import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { ROLES } from "./principal.ts";

/** See `migrations/0014_api_tokens.sql`, which is the schema; `test/platform/tables.test.ts` holds the two together. */
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
