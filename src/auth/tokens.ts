import { randomSecret, sha256Hex } from "../platform/encoding.ts";
import { Problem } from "../platform/errors.ts";
import { log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { HOUR_MS, SECOND_MS, toIso } from "../platform/time.ts";
import type { Principal, ReporterScope, Role, ViewerScope } from "./principal.ts";
import { lookUp } from "./strangers.ts";

/** API tokens: 256 random bits behind a prefix by which people and scanners of source code know them. */
export const TOKEN_PREFIX = "alive_";
const TOKEN = /^alive_[A-Za-z0-9_-]{43}$/;

/**
 * How long an isolate goes by what it read of a token: a request costs no read more than that, and a revocation holds everywhere
 * this much later at the latest.
 */
export const TOKEN_FRESH_MS = 30 * SECOND_MS;
/** How often it is written down that a token was used, at most. */
export const TOKEN_USE_WRITTEN_EVERY_MS = HOUR_MS;
const MAX_CACHED_TOKENS = 1000;
const TOKEN_READ_TIMEOUT_MS = 2 * SECOND_MS;
const TOKEN_WRITE_TIMEOUT_MS = 2 * SECOND_MS;
const RETRY_AFTER_S = 5;

/** What of a token's row decides what it may. Times in ms. */
export interface TokenRecord {
  id: string;
  role: Role;
  scope_json: string | null;
  expires_at: number;
  revoked_at: number | null;
  last_used_at: number | null;
}

/** A new token, and what is kept of it. SHA-256 without salt is right: nobody guesses 256 random bits. */
export async function newToken(): Promise<{ token: string; hash: string }> {
  const token = randomSecret(TOKEN_PREFIX);
  return { token, hash: await sha256Hex(token) };
}

export type TokenState = "active" | "expired" | "revoked";

/** Whether a token is in force at `now` (ms). Pure. */
export function tokenState({ expires_at, revoked_at }: Pick<TokenRecord, "expires_at" | "revoked_at">, now: number): TokenState {
  if (revoked_at !== null) return "revoked";
  return now >= expires_at ? "expired" : "active";
}

/** What a token says of who shows it. Pure. */
export function principalOfToken({ id, role, scope_json }: TokenRecord): Principal {
  const scope: unknown = scope_json === null ? null : JSON.parse(scope_json);
  switch (role) {
    case "admin":
    case "operator":
      return { kind: "token", id, role, scope: null };
    case "viewer":
      return { kind: "token", id, role, scope: scope as ViewerScope | null };
    case "reporter":
      return { kind: "token", id, role, scope: scope as ReporterScope };
  }
}

// Values only, never promises: a promise belongs to the request that made it.
const known = new Map<string, { record: TokenRecord; readAt: number }>();
/** When tokens were found to be nobody's. Apart from those that are known, which a crowd of strangers must not drive out of memory. */
const unknown = new Map<string, number>();

/**
 * Whose token this is. The headers say from where it comes.
 * @throws Problem `unauthorized` with code `TOKEN_UNKNOWN`, `TOKEN_EXPIRED` or `TOKEN_REVOKED`: who holds 256 random bits that were
 *   handed out may know what became of them. `rate-limit-exceeded` for one that is not known from where too many such came;
 *   `service-unavailable` where D1 does not answer.
 */
export async function authenticateToken(db: D1Database, token: string, headers: Headers, realm: string, now: number): Promise<Principal> {
  // What cannot be one of ours costs no read.
  const record = TOKEN.test(token) ? await recordOf(db, await sha256Hex(token), headers, now) : null;
  if (!record) throw unauthorized("The token is not known here.", "TOKEN_UNKNOWN", realm);
  const state = tokenState(record, now);
  if (state === "revoked") throw unauthorized("The token was revoked.", "TOKEN_REVOKED", realm);
  if (state === "expired") {
    throw unauthorized(`The token expired at ${toIso(record.expires_at)}; an administrator makes a new one.`, "TOKEN_EXPIRED", realm);
  }
  return principalOfToken(record);
}

export function unauthorized(detail: string, code: string, realm: string): Problem {
  return new Problem("unauthorized", detail, { code, headers: { "WWW-Authenticate": `Bearer realm="${realm}"` } });
}

async function recordOf(db: D1Database, hash: string, headers: Headers, now: number): Promise<TokenRecord | null> {
  const seen = known.get(hash);
  if (seen && isFresh(seen.readAt, now)) return seen.record;
  if (isFresh(unknown.get(hash), now)) return null;
  // One that was good here a while ago is looked up whoever else sends what from its address.
  const record = seen ? await readRecord(db, hash) : await lookUp(headers, hash, now, () => readRecord(db, hash));
  known.delete(hash);
  if (record === null) remember(unknown, hash, now);
  else remember(known, hash, { record, readAt: now });
  if (record && tokenState(record, now) === "active") await writeUse(db, record, now);
  return record;
}

/** Nor may a clock that was set back make it last. */
function isFresh(readAt: number | undefined, now: number): boolean {
  return readAt !== undefined && Math.abs(now - readAt) < TOKEN_FRESH_MS;
}

async function readRecord(db: D1Database, hash: string): Promise<TokenRecord | null> {
  const columns = "id, role, scope_json, expires_at, revoked_at, last_used_at";
  try {
    const read = db.prepare(`SELECT ${columns} FROM api_tokens WHERE token_hash = ?`).bind(hash).first<TokenRecord>();
    return await withTimeout(read, TOKEN_READ_TIMEOUT_MS, "token");
  } catch (cause) {
    throw new Problem("service-unavailable", "The token cannot be looked up now. Send this again.", {
      headers: { "Retry-After": String(RETRY_AFTER_S) },
      cause,
    });
  }
}

function remember<T>(cache: Map<string, T>, hash: string, entry: T): void {
  cache.delete(hash);
  if (cache.size >= MAX_CACHED_TOKENS) {
    const oldest = cache.keys().next().value;
    if (oldest !== undefined) cache.delete(oldest);
  }
  cache.set(hash, entry);
}

/** Writes down that a token is used. That it cannot be written is no reason to send its holder away. */
async function writeUse(db: D1Database, { id, last_used_at }: TokenRecord, now: number): Promise<void> {
  const before = now - TOKEN_USE_WRITTEN_EVERY_MS;
  if (last_used_at !== null && last_used_at > before) return;
  try {
    const sql = "UPDATE api_tokens SET last_used_at = ?1 WHERE id = ?2 AND (last_used_at IS NULL OR last_used_at <= ?3)";
    await withTimeout(db.prepare(sql).bind(now, id, before).run(), TOKEN_WRITE_TIMEOUT_MS, "use of a token");
  } catch (error) {
    log("warn", "use of a token not written", { token_id: id, error: String(error) });
  }
}

/** Forgets what this isolate read of a token, so that here its revocation holds at once. */
export function forgetToken(hash: string): void {
  known.delete(hash);
}
