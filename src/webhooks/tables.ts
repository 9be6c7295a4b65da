import { sql } from "drizzle-orm";
import { index, integer, primaryKey, sqliteTable, text } from "drizzle-orm/sqlite-core";

/** See `migrations/0010_webhooks.sql`, which is the schema; `test/platform/tables.test.ts` holds the two together. */
export const webhooks = sqliteTable("webhooks", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  url: text("url").notNull(),
  events_json: text("events_json").notNull(),
  status: text("status", { enum: ["active", "disabled"] })
    .notNull()
    .default("active"),
  disabled_reason: text("disabled_reason"),
  disabled_at: integer("disabled_at"),
  failing_since_at: integer("failing_since_at"),
  secret_version: integer("secret_version").notNull().default(1),
  previous_secret_expires_at: integer("previous_secret_expires_at"),
  created_at: integer("created_at").notNull(),
  updated_at: integer("updated_at").notNull(),
  version: integer("version").notNull().default(1),
});

export type WebhookRow = typeof webhooks.$inferSelect;

export const webhookMessages = sqliteTable(
  "webhook_messages",
  {
    webhook_id: text("webhook_id").notNull(),
    id: text("id").notNull(),
    type: text("type").notNull(),
    created_at: integer("created_at").notNull(),
    data_json: text("data_json"),
    segment_id: text("segment_id"),
    part: integer("part"),
    status: text("status", { enum: ["pending", "delivered", "failed"] }).notNull(),
    tries: integer("tries").notNull().default(0),
    next_attempt_at: integer("next_attempt_at"),
    ended_at: integer("ended_at"),
  },
  (table) => [
    primaryKey({ columns: [table.webhook_id, table.id] }),
    index("webhook_messages_due").on(table.webhook_id, table.next_attempt_at).where(sql`status = 'pending'`),
  ],
);

export type MessageRow = typeof webhookMessages.$inferSelect;

export const webhookAttempts = sqliteTable(
  "webhook_attempts",
  {
    webhook_id: text("webhook_id").notNull(),
    id: text("id").notNull(),
    message_id: text("message_id").notNull(),
    created_at: integer("created_at").notNull(),
    outcome: text("outcome").notNull(),
    status_code: integer("status_code"),
    duration_ms: integer("duration_ms").notNull(),
    error: text("error"),
    response: text("response"),
    body_sha256: text("body_sha256"),
  },
  (table) => [primaryKey({ columns: [table.webhook_id, table.id] })],
);
