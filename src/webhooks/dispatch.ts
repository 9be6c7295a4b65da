import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { PARTS_SQL, partCountSql, partIdSql } from "./events.ts";
import { EVENTS_PER_FAN_OUT, FAN_OUTS_PER_RUN, WAKE_TIMEOUT_MS } from "./limits.ts";

/**
 * Makes messages of the events in the outbox and wakes the dispatchers that have something to send. For cron, each minute, and behind a
 * commit that should not wait for it. Safe at once with itself.
 * @param now ms since 1970
 * @returns how many events were taken from the outbox and dispatchers woken
 */
export async function dispatchWebhooks(env: Env, now: number): Promise<{ events: number; woken: number }> {
  const events = await fanOut(env.DB, now);
  const due = await env.DB.prepare(
    `SELECT id FROM webhooks w WHERE status = 'active'
       AND EXISTS (SELECT 1 FROM webhook_messages m WHERE m.webhook_id = w.id AND m.status = 'pending' AND m.next_attempt_at <= ?)`,
  )
    .bind(now)
    .all<{ id: string }>();
  const outcomes = await Promise.allSettled(due.results.map(({ id }) => wakeDispatcher(env, id)));
  for (const outcome of outcomes) {
    if (outcome.status === "rejected") log("warn", "webhook dispatcher not woken", { error: describeError(outcome.reason) });
  }
  return { events, woken: outcomes.filter(({ status }) => status === "fulfilled").length };
}

/** What a request does behind its commit, in `waitUntil`: what fails is left to cron. */
export async function dispatchWebhooksSoon(env: Env): Promise<void> {
  await dispatchWebhooks(env, Date.now()).catch((error) => log("warn", "webhooks not dispatched", { error: describeError(error) }));
}

/** Has a webhook's dispatcher look for messages now. */
export async function wakeDispatcher(env: Pick<Env, "WEBHOOKS">, webhookId: string): Promise<void> {
  await withTimeout(env.WEBHOOKS.getByName(webhookId).wake(), WAKE_TIMEOUT_MS, "waking a webhook's dispatcher");
}

/**
 * Takes events out of the outbox and writes the messages of the webhooks that subscribed when they happened, in one transaction: of two
 * that do it at once, the second finds them gone. Returns how many events there were.
 */
export async function fanOut(db: D1Database, now: number): Promise<number> {
  let events = 0;
  for (let run = 0; run < FAN_OUTS_PER_RUN; run += 1) {
    const last = await db
      .prepare(`SELECT max(id) AS id FROM (SELECT id FROM webhook_outbox ORDER BY id LIMIT ${EVENTS_PER_FAN_OUT})`)
      .first<{ id: string | null }>();
    if (!last?.id) break;
    const results = await db.batch([
      db.prepare(EVENT_MESSAGES).bind(now, last.id),
      db.prepare(PLAYS_MESSAGES).bind(now, last.id),
      db.prepare("DELETE FROM webhook_outbox WHERE id <= ?").bind(last.id),
    ]);
    events += results[2]?.meta.changes ?? 0;
  }
  return events;
}

// What was sent again by hand ahead of this is there already.
const EVENT_MESSAGES = `INSERT INTO webhook_messages (webhook_id, id, type, created_at, data_json, status, next_attempt_at)
  SELECT w.id, o.id, o.type, o.created_at, o.data_json, 'pending', ?1
  FROM webhook_outbox o JOIN json_each(o.webhook_ids_json) j JOIN webhooks w ON w.id = j.value
  WHERE o.id <= ?2 AND o.segment_id IS NULL ON CONFLICT DO NOTHING`;
const PLAYS_MESSAGES = `WITH RECURSIVE ${PARTS_SQL}
  INSERT INTO webhook_messages (webhook_id, id, type, created_at, segment_id, part, status, next_attempt_at)
  SELECT w.id, ${partIdSql("o.segment_id")}, o.type, o.created_at, o.segment_id, part, 'pending', ?1
  FROM webhook_outbox o JOIN json_each(o.webhook_ids_json) j JOIN webhooks w ON w.id = j.value
    JOIN parts ON part <= ${partCountSql("o.plays_count")}
  WHERE o.id <= ?2 AND o.segment_id IS NOT NULL ON CONFLICT DO NOTHING`;
