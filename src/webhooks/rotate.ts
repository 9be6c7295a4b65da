import { CHANGE_ATTEMPTS, type Change, changeRow, findRow } from "../audit/changes.ts";
import { Problem } from "../platform/errors.ts";
import { etagOf, requireMatch } from "../platform/etag.ts";
import { findFirstAnswer, type IdempotentRequest, rememberStatements } from "../platform/idempotency.ts";
import { signingSecret } from "./signature.ts";
import type { WebhookRow } from "./tables.ts";
import { webhookResource } from "./webhooks.ts";

/** A webhook's new secret. */
export interface Rotated {
  id: string;
  secret: string;
  secret_version: number;
  /** ms; null where the secret before is dead at once. */
  previous_secret_expires_at: number | null;
  version: number;
}

/**
 * Gives a webhook a new secret, with one audit row. The one before signs too for a while, so that the receiver can change over; the one before
 * that is dead. An equal request under its `Idempotency-Key` gets the first answer again: otherwise a lost answer would cost the
 * receiver the only secret that it has.
 * @param overlapMs how long the secret before stays alive
 * @throws Problem `not-found`, `precondition-failed`, `conflict`.
 */
export async function rotateSecret(
  env: Env,
  change: Change,
  id: string,
  overlapMs: number,
  request: { ifMatch: string | undefined; idempotency: IdempotentRequest | null },
): Promise<Rotated> {
  const { db, now } = change;
  const { ifMatch, idempotency } = request;
  for (let attempt = 0; attempt < CHANGE_ATTEMPTS; attempt += 1) {
    const first = idempotency && (await findFirstAnswer(db, idempotency, now));
    if (first) return await withSecret(env, JSON.parse(first.body) as Omit<Rotated, "secret">);
    const before = (await findRow(db, webhookResource, id)) as WebhookRow;
    requireMatch(ifMatch, before.version);
    const answer = {
      id,
      secret_version: before.secret_version + 1,
      previous_secret_expires_at: overlapMs > 0 ? now + overlapMs : null,
      version: before.version + 1,
    };
    const remembered = () => (idempotency ? rememberStatements(db, idempotency, { status: 200, body: JSON.stringify(answer) }, now) : []);
    try {
      // The version that was read is held, so that of two at once each makes a secret of its own.
      await changeRow(change, { ...webhookResource, effects: remembered }, id, columns(answer), etagOf(before.version));
      return await withSecret(env, answer);
    } catch (error) {
      if (!(error instanceof Problem) || error.type !== "precondition-failed") throw error;
    }
  }
  throw new Problem("conflict", "Others change it all the time; try again.", { code: "CHANGED_MEANWHILE" });
}

function columns({ secret_version, previous_secret_expires_at }: Omit<Rotated, "secret">) {
  return { secret_version, previous_secret_expires_at };
}

async function withSecret(env: Env, answer: Omit<Rotated, "secret">): Promise<Rotated> {
  return { ...answer, secret: await signingSecret(env.HASH_SECRET, answer.id, answer.secret_version) };
}
