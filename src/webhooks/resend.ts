import { auditStatement } from "../audit/audit.ts";
import { type Change, findRow } from "../audit/changes.ts";
import { Problem } from "../platform/errors.ts";
import type { IdempotentRequest } from "../platform/idempotency.ts";
import { refuseWhereStatement } from "../platform/requirement.ts";
import { HOUR_MS, toIso } from "../platform/time.ts";
import { firstMessageId, newMessageId, PARTS_SQL, partCountSql, partIdSql, TEST_EVENT_TYPE } from "./events.ts";
import { MAX_RECOVERY_MESSAGES } from "./limits.ts";
import type { WebhookRow } from "./tables.ts";
import { webhookResource } from "./webhooks.ts";

/** The statements that keep the answer to a request, to go into the transaction of what it asks. */
export type Keep<T> = (answer: T) => D1PreparedStatement[];

export interface OnTheWay {
  message_id: string;
  status: "pending";
}

/**
 * Puts a message that says nothing on the way to one webhook, whatever it subscribes to.
 * @throws Problem `not-found`; `conflict`, code `WEBHOOK_DISABLED`.
 */
export async function sendTest({ db, actor, now }: Change, id: string, keep: Keep<OnTheWay>): Promise<OnTheWay> {
  await requireActive(db, id);
  const messageId = newMessageId();
  const answer: OnTheWay = { message_id: messageId, status: "pending" };
  await db.batch([
    refuseOffStatement(db, id),
    db
      .prepare(
        `INSERT INTO webhook_messages (webhook_id, id, type, created_at, data_json, status, next_attempt_at) VALUES (?, ?, ?, ?, ?, 'pending', ?)`,
      )
      .bind(id, messageId, TEST_EVENT_TYPE, now, JSON.stringify({ webhook_id: id }), now),
    auditStatement(db, { actor, action: "webhook.test", targetType: "webhook", targetId: id, details: { message_id: messageId } }, now),
    ...keep(answer),
  ]);
  return answer;
}

/**
 * Sends one message again, whatever became of it, under the same id and with all its tries.
 * @throws Problem `not-found`; `conflict`, code `WEBHOOK_DISABLED`.
 */
export async function resendMessage({ db, actor, now }: Change, id: string, messageId: string, keep: Keep<OnTheWay>): Promise<OnTheWay> {
  await requireActive(db, id);
  const answer: OnTheWay = { message_id: messageId, status: "pending" };
  const before = await findMessage(db, id, messageId);
  const details = { message_id: messageId, before: { status: before.status, tries: before.tries } };
  await db.batch([
    refuseOffStatement(db, id),
    db
      .prepare(
        "UPDATE webhook_messages SET status = 'pending', tries = 0, next_attempt_at = ?, ended_at = NULL WHERE webhook_id = ? AND id = ?",
      )
      .bind(now, id, messageId),
    auditStatement(db, { actor, action: "webhook.resend", targetType: "webhook", targetId: id, details }, now),
    ...keep(answer),
  ]);
  return answer;
}

/**
 * Sends again what a webhook missed in a period: messages that failed, and, where it subscribes to plays, those recorded while it was off
 * or not there yet. What was delivered is left alone. Returns how many messages are on their way.
 * @param from ms, included
 * @param to ms, not included
 * @param beside what must be written in the same transaction, behind the rest
 * @throws Problem `not-found`; `conflict`, code `WEBHOOK_DISABLED`; `unprocessable`, code `PERIOD_TOO_LARGE`.
 */
export async function recoverMessages(
  { db, actor, now }: Change,
  id: string,
  from: number,
  to: number,
  beside: D1PreparedStatement[] = [],
  mostMessages = MAX_RECOVERY_MESSAGES,
): Promise<number> {
  const webhook = await requireActive(db, id);
  await requireFew(db, id, from, to, mostMessages);
  const subscribes = (JSON.parse(webhook.events_json) as string[]).includes("playback.logged");
  const details = { from: toIso(from), to: toIso(to) };
  const results = await db.batch([
    refuseOffStatement(db, id),
    db
      .prepare(
        `UPDATE webhook_messages SET status = 'pending', tries = 0, next_attempt_at = ?1, ended_at = NULL
         WHERE webhook_id = ?2 AND status = 'failed' AND created_at >= ?3 AND created_at < ?4`,
      )
      .bind(now, id, from, to),
    auditStatement(db, { actor, action: "webhook.recover", targetType: "webhook", targetId: id, details }, now),
    ...(subscribes ? [missedPlaysStatement(db, id, from, to, now)] : []),
    ...beside,
  ]);
  return (results[1]?.meta.changes ?? 0) + (subscribes ? (results[3]?.meta.changes ?? 0) : 0);
}

/** Writes into the answer that is kept of a recovery at `now` how many messages it has put on their way, which only its transaction knows. */
export function recoveredStatement(db: D1Database, { actor, key }: IdempotentRequest, id: string, now: number): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE idempotency_keys SET body = json_object('messages', (SELECT count(*) FROM webhook_messages
         WHERE webhook_id = ?1 AND status = 'pending' AND tries = 0 AND next_attempt_at = ?2)) WHERE actor = ?3 AND key = ?4`,
    )
    .bind(id, now, actor, key);
}

/** Messages of all plays recorded in a period that are not there yet: with the ids, and the bodies, that they would have had then. */
function missedPlaysStatement(db: D1Database, id: string, from: number, to: number, now: number): D1PreparedStatement {
  return db
    .prepare(
      `WITH RECURSIVE ${PARTS_SQL}
       INSERT INTO webhook_messages (webhook_id, id, type, created_at, segment_id, part, status, next_attempt_at)
       SELECT ?1, ${partIdSql("s.id")}, 'playback.logged', s.recorded_at, s.id, part, 'pending', ?2
       FROM segments s JOIN parts ON part <= ${partCountSql("s.plays_count")}
       WHERE s.id >= ?3 AND s.recorded_at >= ?4 AND s.recorded_at < ?5 ON CONFLICT DO NOTHING`,
    )
    .bind(id, now, firstSegmentId(from), from, to);
}

/** At most so many messages may be in a period, whether they need to be sent again or not. */
async function requireFew(db: D1Database, id: string, from: number, to: number, most: number): Promise<void> {
  const row = await db
    .prepare(
      `SELECT (SELECT coalesce(sum(${partCountSql("s.plays_count")}), 0) FROM segments s WHERE s.id >= ?1 AND s.recorded_at >= ?2 AND s.recorded_at < ?3)
         + (SELECT count(*) FROM webhook_messages WHERE webhook_id = ?4 AND status = 'failed' AND created_at >= ?2 AND created_at < ?3) AS n`,
    )
    .bind(firstSegmentId(from), from, to, id)
    .first<{ n: number }>();
  if ((row?.n ?? 0) <= most) return;
  throw new Problem("unprocessable", `The period has more than ${most} messages: ask for a shorter one.`, { code: "PERIOD_TOO_LARGE" });
}

/** The least id that a segment recorded from an instant on can have: its file is written a little ahead of its row. */
function firstSegmentId(from: number): string {
  return firstMessageId(from - HOUR_MS).slice("msg_".length);
}

async function requireActive(db: D1Database, id: string): Promise<WebhookRow> {
  const row = (await findRow(db, webhookResource, id)) as WebhookRow;
  if (row.status === "active") return row;
  throw new Problem("conflict", "The webhook is switched off: set its status to active first.", { code: "WEBHOOK_DISABLED" });
}

/** Takes the batch back where the webhook was switched off or deleted since it was read. */
function refuseOffStatement(db: D1Database, id: string): D1PreparedStatement {
  return refuseWhereStatement(db, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM webhooks WHERE id = ? AND status = 'active')", [id]);
}

async function findMessage(db: D1Database, id: string, messageId: string): Promise<{ status: string; tries: number }> {
  const row = await db
    .prepare("SELECT status, tries FROM webhook_messages WHERE webhook_id = ? AND id = ?")
    .bind(id, messageId)
    .first<{ status: string; tries: number }>();
  if (!row) throw new Problem("not-found", "The webhook has no message with this id.");
  return row;
}
