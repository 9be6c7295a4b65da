import { parse } from "hono/utils/cookie";
import { equalSecrets, sha256Hex } from "../platform/encoding.ts";
import { Problem } from "../platform/errors.ts";
import { keyedHash, log } from "../platform/log.ts";
import { refuseWhereStatement } from "../platform/requirement.ts";
import { withTimeout } from "../platform/retry.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../platform/time.ts";
import type { Principal, UserRole, ViewerScope } from "./principal.ts";

/** Where sign-in stands. */
export const AUTH_PATH = "/api/auth";

/** A session ends when nobody used it for so long, */
export const SESSION_IDLE_MS = 12 * HOUR_MS;
/** and so long after sign-in whatever happens. */
export const SESSION_MAX_MS = 7 * DAY_MS;
/** How often its use is written down, at most. */
export const SESSION_USE_WRITTEN_EVERY_MS = 5 * MINUTE_MS;

const READ_TIMEOUT_MS = 2 * SECOND_MS;
const WRITE_TIMEOUT_MS = 2 * SECOND_MS;
const RETRY_AFTER_S = "5";
const LOCAL_HOSTS = ["localhost", "127.0.0.1", "[::1]"];

/** A person who is signed in, as one read tells. Times in ms. */
export interface SignedIn {
  session_id: string;
  session_created_at: number;
  session_updated_at: number;
  session_expires_at: number;
  id: string;
  name: string;
  email: string;
  role: UserRole;
  scope_json: string | null;
  two_factor_enabled: number;
}

/** Whether an address is this machine's own, without TLS: the one place where cookies may go without `Secure`. */
export function isLocalHttp({ protocol, hostname }: URL): boolean {
  return protocol === "http:" && LOCAL_HOSTS.includes(hostname);
}

/** How the names of all cookies begin. `__Host-` makes browsers hold to: only by TLS, for this host alone, from no other path (RFC 6265bis). */
export function cookiePrefix(url: URL): string {
  return isLocalHttp(url) ? "alive" : "__Host-alive";
}

/** The cookie that says who is signed in. */
export function sessionCookie(url: URL): string {
  return `${cookiePrefix(url)}.session_token`;
}

/** The session cookie of a request as it stands there, signature and all; null without one. */
export function cookieOf({ url, headers }: Pick<Request, "url" | "headers">): string | null {
  const name = sessionCookie(new URL(url));
  return parse(headers.get("Cookie") ?? "", name)[name] ?? null;
}

/** Under which name a session's token is kept. */
export async function sessionHash(token: string): Promise<string> {
  return await sha256Hex(token);
}

/** The token in a session cookie; null where its signature is none of ours. Costs no read of the database. */
export async function tokenOfCookie(cookie: string, secret: string): Promise<string | null> {
  const at = cookie.lastIndexOf(".");
  if (at <= 0 || !secret) return null;
  const token = cookie.slice(0, at);
  const signature = Uint8Array.fromHex(await keyedHash(secret, token)).toBase64();
  return (await equalSecrets(cookie.slice(at + 1), signature)) ? token : null;
}

/** Whether a session is in force at `now` (ms). Pure. */
export function isInForce({ session_created_at, session_expires_at }: SignedIn, now: number): boolean {
  return now < session_expires_at && now < session_created_at + SESSION_MAX_MS;
}

/** Until when a session holds that is used at `now`, if nobody uses it again. Times in ms. Pure. */
export function sessionEnd(createdAt: number, now: number): number {
  return Math.min(now + SESSION_IDLE_MS, createdAt + SESSION_MAX_MS);
}

/** Who is signed in, as the routes see it. Pure. */
export function principalOfUser({ id, role, scope_json }: SignedIn): Principal {
  if (role === "viewer") return { kind: "user", id, role, scope: scope_json === null ? null : (JSON.parse(scope_json) as ViewerScope) };
  return { kind: "user", id, role, scope: null };
}

/**
 * Who is signed in by a session cookie: one read by key, with nothing kept in memory, so that a change of a person's rights holds at their
 * next request. `now` in ms; null where the session is not in force.
 * @throws Problem `service-unavailable` where D1 does not answer.
 */
export async function readSession(env: Pick<Env, "DB" | "AUTH_SECRET">, cookie: string, now: number): Promise<SignedIn | null> {
  const token = await tokenOfCookie(cookie, env.AUTH_SECRET);
  const found = token === null ? null : await findSession(env.DB, await sessionHash(token));
  if (!found || !isInForce(found, now)) return null;
  await writeUse(env.DB, found, now);
  return found;
}

async function findSession(db: D1Database, hash: string): Promise<SignedIn | null> {
  const read = db
    .prepare(
      `SELECT s.id AS session_id, s.created_at AS session_created_at, s.updated_at AS session_updated_at, s.expires_at AS session_expires_at,
         u.id, u.name, u.email, u.role, u.scope_json, u.two_factor_enabled
       FROM user_sessions s JOIN users u ON u.id = s.user_id WHERE s.token_hash = ? AND u.disabled_at IS NULL`,
    )
    .bind(hash)
    .first<SignedIn>();
  try {
    return await withTimeout(read, READ_TIMEOUT_MS, "session");
  } catch (cause) {
    const headers = { "Retry-After": RETRY_AFTER_S };
    throw new Problem("service-unavailable", "The session cannot be looked up now. Send this again.", { headers, cause });
  }
}

/**
 * Ends sessions by a deletion, with its audit row; `sessionId` is among them. Where that has ended meanwhile, another call was faster, and
 * has written its row: nothing more is. Returns how many sessions ended.
 */
export async function endSessions(
  db: D1Database,
  sessionId: string,
  [deletion, audit]: [D1PreparedStatement, D1PreparedStatement],
): Promise<number> {
  const gone = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM user_sessions WHERE id = ?)";
  try {
    const results = await db.batch([refuseWhereStatement(db, gone, [sessionId]), deletion, audit]);
    return results[1]?.meta.changes ?? 0;
  } catch (error) {
    if ((await db.prepare(gone).bind(sessionId).first()) === null) throw error;
    return 0;
  }
}

/** Writes down that a session is used. That it cannot be written is no reason to send its holder away. */
async function writeUse(db: D1Database, { session_id, session_created_at, session_updated_at }: SignedIn, now: number): Promise<void> {
  const before = now - SESSION_USE_WRITTEN_EVERY_MS;
  if (session_updated_at > before) return;
  try {
    const write = db
      .prepare("UPDATE user_sessions SET updated_at = ?, expires_at = ? WHERE id = ? AND updated_at <= ?")
      .bind(now, sessionEnd(session_created_at, now), session_id, before)
      .run();
    await withTimeout(write, WRITE_TIMEOUT_MS, "use of a session");
  } catch (error) {
    log("warn", "use of a session not written", { error: String(error) });
  }
}
