import { sha256Hex } from "./encoding.ts";
import { Problem } from "./errors.ts";
import type { AppContext } from "./http.ts";
import { DAY_MS } from "./time.ts";

/** How long a key keeps its first answer. After that it is free again. */
export const IDEMPOTENCY_KEY_LIFETIME_MS = DAY_MS;
const KEY = /^[\x21-\x7e]{1,255}$/;

/** A POST that may be repeated: who sent it, under which key, and what it asked. */
export interface IdempotentRequest {
  actor: string;
  key: string;
  /** SHA-256 of path and body: the same key for another request is an error. */
  requestHash: string;
}

/** The first answer to a request, to be given again. */
export interface FirstAnswer {
  status: number;
  body: string;
}

/**
 * The `Idempotency-Key` of a request, or null. Reads the body's text, which stays readable.
 * @throws Problem `validation-error` for a key that is empty, too long, or not visible ASCII.
 */
export async function readIdempotency(c: AppContext): Promise<IdempotentRequest | null> {
  const key = c.req.header("Idempotency-Key");
  if (key === undefined) return null;
  if (!KEY.test(key)) {
    throw new Problem("validation-error", "Idempotency-Key must have 1 to 255 visible ASCII characters.", {
      code: "INVALID_IDEMPOTENCY_KEY",
    });
  }
  return { actor: c.get("actor"), key, requestHash: await sha256Hex(`${c.req.method} ${c.req.path}\n${await c.req.text()}`) };
}

/**
 * The answer that this key got before; null where it is new or older than its lifetime.
 * @throws Problem `conflict`, code `IDEMPOTENCY_KEY_REUSED`, where it came with another request.
 */
export async function findFirstAnswer(db: D1Database, request: IdempotentRequest, now: number): Promise<FirstAnswer | null> {
  const row = await db
    .prepare("SELECT request_hash, status, body FROM idempotency_keys WHERE actor = ? AND key = ? AND created_at > ?")
    .bind(request.actor, request.key, now - IDEMPOTENCY_KEY_LIFETIME_MS)
    .first<{ request_hash: string; status: number; body: string }>();
  if (!row) return null;
  if (row.request_hash !== request.requestHash) {
    throw new Problem("conflict", "This Idempotency-Key was used for another request.", { code: "IDEMPOTENCY_KEY_REUSED" });
  }
  return { status: row.status, body: row.body };
}

/**
 * The statements that keep the first answer, for the `batch()` of the change itself. The insert is a plain one: where an
 * equal request was faster, it violates the key and takes the whole change back.
 */
export function rememberStatements(db: D1Database, request: IdempotentRequest, answer: FirstAnswer, now: number): D1PreparedStatement[] {
  return [
    db
      .prepare("DELETE FROM idempotency_keys WHERE actor = ? AND key = ? AND created_at <= ?")
      .bind(request.actor, request.key, now - IDEMPOTENCY_KEY_LIFETIME_MS),
    db
      .prepare("INSERT INTO idempotency_keys (actor, key, request_hash, status, body, created_at) VALUES (?, ?, ?, ?, ?, ?)")
      .bind(request.actor, request.key, request.requestHash, answer.status, answer.body, now),
  ];
}

/**
 * Does what is asked once: a request that comes again under its `Idempotency-Key` gets the first answer, also where both come at once.
 * @param act does it, with the statements of `keep` in the `batch()` of the change, so that its answer is kept where the change is
 */
export async function answerOnce<T>(
  db: D1Database,
  request: IdempotentRequest | null,
  status: number,
  now: number,
  act: (keep: (answer: T) => D1PreparedStatement[]) => Promise<T>,
): Promise<{ answer: T; replayed: boolean }> {
  const earlier = async () => {
    const first = request && (await findFirstAnswer(db, request, now));
    return first ? { answer: JSON.parse(first.body) as T, replayed: true } : null;
  };
  const first = await earlier();
  if (first) return first;
  try {
    const keep = (answer: T) => (request ? rememberStatements(db, request, { status, body: JSON.stringify(answer) }, now) : []);
    return { answer: await act(keep), replayed: false };
  } catch (error) {
    const faster = await earlier();
    if (faster) return faster;
    throw error;
  }
}

/** The header by which an answer says that it was given before. */
export function replayedHeader(replayed: boolean): Record<string, string> {
  return replayed ? { "Idempotency-Replayed": "true" } : {};
}

/** Deletes keys past their lifetime. For cron. Returns how many rows went. */
export async function forgetIdempotencyKeys(db: D1Database, now: number): Promise<number> {
  const { meta } = await db
    .prepare("DELETE FROM idempotency_keys WHERE created_at <= ?")
    .bind(now - IDEMPOTENCY_KEY_LIFETIME_MS)
    .run();
  return meta.changes;
}
