import { uuidv7 } from "uuidv7";
import { FORGET_ROWS_PER_STATEMENT, FORGET_STATEMENTS_PER_RUN, LOG_KEPT_MS } from "./limits.ts";
import type { Attempt } from "./send.ts";

/** The insert of one attempt into the log. */
export function attemptStatement(
  db: D1Database,
  webhookId: string,
  messageId: string,
  { outcome, status_code, duration_ms, error, response, body_sha256 }: Attempt,
  now: number,
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO webhook_attempts (webhook_id, id, message_id, created_at, outcome, status_code, duration_ms, error, response, body_sha256)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .bind(webhookId, uuidv7(), messageId, now, outcome, status_code, duration_ms, error, response, body_sha256);
}

/**
 * Deletes attempts, and messages that ended, 30 days later, and all of webhooks that are deleted. Some at a time; the next run goes on.
 * @param now ms since 1970
 * @returns how many rows went
 */
export async function forgetWebhookMessages(db: D1Database, now: number): Promise<number> {
  let gone = 0;
  for (const sql of [OLD_ATTEMPTS, OLD_MESSAGES]) {
    let left = true;
    for (let statement = 0; left && statement < FORGET_STATEMENTS_PER_RUN; statement += 1) {
      const { meta } = await db
        .prepare(sql)
        .bind(now - LOG_KEPT_MS, FORGET_ROWS_PER_STATEMENT)
        .run();
      gone += meta.changes;
      left = meta.changes >= FORGET_ROWS_PER_STATEMENT;
    }
  }
  return gone;
}

const DELETED = "NOT EXISTS (SELECT 1 FROM webhooks w WHERE w.id = webhook_id)";
const OLD_ATTEMPTS = `DELETE FROM webhook_attempts WHERE (webhook_id, id) IN (
  SELECT webhook_id, id FROM webhook_attempts WHERE created_at < ?1 OR ${DELETED} LIMIT ?2)`;
const OLD_MESSAGES = `DELETE FROM webhook_messages WHERE (webhook_id, id) IN (
  SELECT webhook_id, id FROM webhook_messages WHERE (status <> 'pending' AND ended_at < ?1) OR ${DELETED} LIMIT ?2)`;
