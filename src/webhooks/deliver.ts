import { auditStatement } from "../audit/audit.ts";
import { log } from "../platform/log.ts";
import { refuseWhereStatement } from "../platform/requirement.ts";
import { attemptStatement } from "./attempts.ts";
import { type Consequence, consequenceOf } from "./decide.ts";
import { MESSAGES_AT_ONCE, MESSAGES_AT_ONCE_FAILING, MESSAGES_PER_ALARM } from "./limits.ts";
import { bodyOf, type PlaysRead, readPlays } from "./payload.ts";
import { type Attempt, post } from "./send.ts";
import { liveSecrets } from "./signature.ts";
import type { MessageRow, WebhookRow } from "./tables.ts";

export interface DeliverOptions {
  /** From 0 to 1, for jitter. */
  random?: () => number;
  timeoutMs?: number;
  mostMessages?: number;
}

/** One webhook's messages being sent: what its attempts tell each other. */
interface Run {
  env: Env;
  webhook: WebhookRow;
  clock: () => number;
  options: DeliverOptions;
  failingSince: number | null;
  /** Switched off, or something failed that is not the receiver's: nothing more is sent. */
  stopped: boolean;
}

/**
 * Sends what is due of one webhook's messages, the longest due first, and notes each attempt right behind it. A message counts as delivered
 * only when that is noted: whatever dies in between, it is sent again with the same id.
 * @param clock ms since 1970
 * @returns when the next message is due, which may be at once; null where none is, or the webhook is off or gone
 * @throws what D1 or R2 throw: what was not noted is due as before.
 */
export async function deliverDue(env: Env, webhookId: string, clock: () => number, options: DeliverOptions = {}): Promise<number | null> {
  const webhook = await env.DB.prepare("SELECT * FROM webhooks WHERE id = ?").bind(webhookId).first<WebhookRow>();
  if (webhook?.status !== "active") return null;
  const run: Run = { env, webhook, clock, options, failingSince: webhook.failing_since_at, stopped: false };
  const due = await dueMessages(env.DB, webhookId, clock(), options.mostMessages ?? MESSAGES_PER_ALARM);
  // A segment is read once for all its messages.
  for (const [segmentId, messages] of Map.groupBy(due, (message) => message.segment_id)) {
    if (run.stopped) break;
    const plays: PlaysRead = segmentId === null ? { ok: true, plays: [] } : await readPlays(env, segmentId);
    const lanes = run.failingSince === null ? MESSAGES_AT_ONCE : MESSAGES_AT_ONCE_FAILING;
    await inLanes(messages, lanes, (message) => deliverOne(run, message, plays));
  }
  return run.stopped ? null : await nextDue(env.DB, webhookId);
}

async function dueMessages(db: D1Database, webhookId: string, now: number, most: number): Promise<MessageRow[]> {
  const { results } = await db
    .prepare(
      `SELECT * FROM webhook_messages WHERE webhook_id = ? AND status = 'pending' AND next_attempt_at <= ?
       ORDER BY next_attempt_at, id LIMIT ?`,
    )
    .bind(webhookId, now, most)
    .all<MessageRow>();
  return results;
}

async function nextDue(db: D1Database, webhookId: string): Promise<number | null> {
  const row = await db
    .prepare("SELECT min(next_attempt_at) AS at FROM webhook_messages WHERE webhook_id = ? AND status = 'pending'")
    .bind(webhookId)
    .first<{ at: number | null }>();
  return row?.at ?? null;
}

/** Works through items, so many at a time. All that began have ended when it returns. @throws the first failure */
async function inLanes<T>(items: T[], lanes: number, work: (item: T) => Promise<void>): Promise<void> {
  const rest = items.values();
  const lane = async () => {
    for (const item of rest) await work(item);
  };
  const outcomes = await Promise.allSettled(Array.from({ length: lanes }, lane));
  for (const outcome of outcomes) if (outcome.status === "rejected") throw outcome.reason;
}

async function deliverOne(run: Run, message: MessageRow, plays: PlaysRead): Promise<void> {
  if (run.stopped) return;
  const attempt = await attemptAt(run, message, plays);
  const now = run.clock();
  const tries = message.tries + 1;
  const failedBefore = run.failingSince;
  const consequence = consequenceOf(attempt, tries, failedBefore, now, (run.options.random ?? Math.random)());
  run.failingSince = consequence.failingSince;
  run.stopped ||= consequence.disable !== null;
  try {
    await note(run, message, attempt, consequence, failedBefore, now);
  } catch (error) {
    run.stopped = true;
    throw error;
  }
  log(attempt.outcome === "delivered" ? "info" : "warn", "webhook message sent", {
    webhook_id: run.webhook.id,
    message_id: message.id,
    tries,
    outcome: attempt.outcome,
    status_code: attempt.status_code,
    duration_ms: attempt.duration_ms,
    ...(consequence.disable ? { disabled: consequence.disable } : {}),
  });
}

async function attemptAt({ env, webhook, clock, options }: Run, message: MessageRow, plays: PlaysRead): Promise<Attempt> {
  if (!plays.ok) {
    const nothing = { status_code: null, duration_ms: 0, response: null, body_sha256: null, retryAfterMs: null };
    return { ...nothing, outcome: "unreadable", error: plays.reason };
  }
  const now = clock();
  const secrets = await liveSecrets(env.HASH_SECRET, webhook, now);
  return await post({ url: webhook.url, id: message.id, body: bodyOf(message, plays.plays), secrets }, now, options.timeoutMs);
}

/** Writes down in one transaction how an attempt went and what follows. Somebody who sent it again by hand meanwhile goes first. */
async function note(
  { env: { DB: db }, webhook }: Run,
  message: MessageRow,
  attempt: Attempt,
  consequence: Consequence,
  failedBefore: number | null,
  now: number,
): Promise<void> {
  const { status, nextAttemptAt, failingSince, disable } = consequence;
  const noted = [
    db
      .prepare(
        `UPDATE webhook_messages SET status = ?, tries = tries + 1, next_attempt_at = ?, ended_at = ?
         WHERE webhook_id = ? AND id = ? AND status = 'pending' AND tries = ?`,
      )
      .bind(status, nextAttemptAt, status === "pending" ? null : now, webhook.id, message.id, message.tries),
    attemptStatement(db, webhook.id, message.id, attempt, now),
    ...(failingSince === failedBefore
      ? []
      : [db.prepare("UPDATE webhooks SET failing_since_at = ? WHERE id = ? AND status = 'active'").bind(failingSince, webhook.id)]),
  ];
  if (disable === null) {
    await db.batch(noted);
    return;
  }
  try {
    await db.batch([...noted, ...switchOffStatements(db, webhook, disable, { message_id: message.id, outcome: attempt.outcome }, now)]);
  } catch (error) {
    if (await isActive(db, webhook.id)) throw error;
    await db.batch(noted);
  }
}

/** Switches a webhook off, with an audit row; takes the batch back where it is no longer on. */
function switchOffStatements(
  db: D1Database,
  { id }: WebhookRow,
  reason: string,
  cause: Record<string, unknown>,
  now: number,
): D1PreparedStatement[] {
  const details = { before: { status: "active" }, after: { status: "disabled", disabled_reason: reason }, ...cause };
  return [
    refuseWhereStatement(db, "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM webhooks WHERE id = ? AND status = 'active')", [id]),
    db
      .prepare(
        `UPDATE webhooks SET status = 'disabled', disabled_reason = ?, disabled_at = ?, updated_at = ?, version = version + 1 WHERE id = ?`,
      )
      .bind(reason, now, now, id),
    auditStatement(db, { actor: "system", action: "webhook.disable", targetType: "webhook", targetId: id, details }, now),
  ];
}

async function isActive(db: D1Database, id: string): Promise<boolean> {
  return (await db.prepare("SELECT 1 FROM webhooks WHERE id = ? AND status = 'active'").bind(id).first()) !== null;
}
