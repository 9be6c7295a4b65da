import { type AuditEntry, auditStatement } from "../audit/audit.ts";
import { Problem } from "../platform/errors.ts";
import { sha256Now } from "../platform/hash.ts";
import type { AppContext } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import type { Row } from "../platform/rows.ts";
import { MINUTE_MS } from "../platform/time.ts";
import type { Beside } from "./better-auth-store.ts";
import { askLibrary } from "./library.ts";
import { withPasswordTurn } from "./password.ts";
import { cookieOf, sessionHash, tokenOfCookie } from "./session.ts";
import { unauthorized } from "./tokens.ts";
import { countTry, forgiveStatements, TRIES_PER_ACCOUNT, type Try } from "./tries.ts";

/** How long a code that was used is remembered: a code holds for its half minute and the one on either side. */
const USED_CODE_KEPT_MS = 2 * MINUTE_MS;
/** Who fails to sign in is nobody yet. */
const NOBODY = "anonymous";

interface Account {
  id: string;
  two_factor_enabled: number;
  disabled_at: number | null;
}

export type SecondFactor = "totp" | "backup_code";

/** An audit row of what somebody did with their own account. */
export function ownEntry(userId: string, action: string, details: Record<string, unknown> = {}): AuditEntry {
  return { actor: `user:${userId}`, action: `user.${action}`, targetType: "user", targetId: userId, details };
}

/**
 * Signs somebody in by e-mail and password. Unknown, disabled and wrong look the same and take the same time.
 * @returns whether the second factor is still asked: then nobody is signed in yet. `now` in ms.
 * @throws Problem `unauthorized`, code `INVALID_EMAIL_OR_PASSWORD`; `rate-limit-exceeded`.
 */
export async function signIn(c: AppContext, email: string, password: string, now: number): Promise<{ secondFactorAsked: boolean }> {
  return await withPasswordTurn(async () => {
    const db = c.env.DB;
    const tried = await countTry(c.env, c.req.raw.headers, email, now);
    const account = await db.prepare("SELECT id, two_factor_enabled, disabled_at FROM users WHERE email = ?").bind(email).first<Account>();
    const finished = account?.two_factor_enabled === 0;
    const replaced = await replacedSession(c);
    const beside: Beside = ({ table, kind, values }) => {
      if (kind !== "create") return [];
      if (table === "sign_in_steps") return account && values.value === account.id ? [closeOtherSteps(db, account.id, values)] : [];
      if (table !== "user_sessions") return [];
      // With a second factor this session is taken back at once, before anybody hears of it.
      const done = finished ? signedInStatements(db, String(values.user_id), null, now) : [];
      return [...forgiveStatements(db, tried), ...done, ...endStatements(db, replaced)];
    };
    try {
      const answer = await askLibrary(c, "/sign-in/email", { email, password }, beside);
      return { secondFactorAsked: answer.twoFactorRedirect === true };
    } catch (error) {
      if (error instanceof Problem && error.status === 401) await noteRefusal(c, account, tried, now);
      throw error;
    }
  });
}

/**
 * Of an account's password steps only the last is open: guesses of a code come one after the other within a step, and behind the tenth
 * the account is closed; of many steps at once each would have its guess before any was counted.
 */
function closeOtherSteps(db: D1Database, userId: string, { identifier }: Row): D1PreparedStatement {
  return db.prepare("DELETE FROM sign_in_steps WHERE value = ? AND identifier <> ?").bind(userId, identifier);
}

/** What is written when somebody is signed in. */
function signedInStatements(db: D1Database, userId: string, secondFactor: SecondFactor | null, now: number): D1PreparedStatement[] {
  return [
    auditStatement(db, ownEntry(userId, "sign_in", { second_factor: secondFactor }), now),
    db.prepare("UPDATE users SET last_sign_in_at = ? WHERE id = ?").bind(now, userId),
  ];
}

/** The session that the browser had before ends with the right password, as its cookie does. */
function endStatements(db: D1Database, replaced: string | null): D1PreparedStatement[] {
  return replaced === null ? [] : [db.prepare("DELETE FROM user_sessions WHERE token_hash = ?").bind(replaced)];
}

async function replacedSession(c: AppContext): Promise<string | null> {
  const cookie = cookieOf(c.req.raw);
  const token = cookie === null ? null : await tokenOfCookie(cookie, c.env.AUTH_SECRET);
  return token === null ? null : await sessionHash(token);
}

/**
 * Writes down that a password was wrong: in the log each time, in the audit log, which is kept for ever, the first of a quarter of an hour
 * and the one behind which the account is closed for the rest of it; of accounts that there are.
 */
async function noteRefusal(c: AppContext, account: Account | null, { accountKey, number }: Try, now: number): Promise<void> {
  log("warn", "sign-in refused", { correlation_id: c.get("correlationId"), account: accountKey.slice(0, 16), tries: number });
  if (account === null || (number !== 1 && number !== TRIES_PER_ACCOUNT)) return;
  const details = { reason: account.disabled_at === null ? "password" : "disabled", tries: number };
  await auditStatement(c.env.DB, { ...ownEntry(account.id, "sign_in_failed", details), actor: NOBODY }, now).run();
}

/**
 * Finishes a sign-in by the second factor. Each code works once. `now` in ms.
 * @throws Problem `unauthorized`, code `INVALID_CODE`, `INVALID_BACKUP_CODE` or `INVALID_TWO_FACTOR_COOKIE` (the time for it is over).
 */
export async function showSecondFactor(c: AppContext, factor: SecondFactor, code: string, now: number): Promise<void> {
  const db = c.env.DB;
  let failed: string | null = null;
  const beside: Beside = ({ table, kind, values, where }) => {
    if (table === "user_second_factors" && kind === "count") failed = String(where.id);
    if (table !== "user_sessions" || kind !== "create") return [];
    const userId = String(values.user_id);
    return [spendCodeStatement(db, userId, code, now), ...signedInStatements(db, userId, factor, now)];
  };
  const path = factor === "totp" ? "/two-factor/verify-totp" : "/two-factor/verify-backup-code";
  try {
    await askLibrary(c, path, { code }, beside);
  } catch (error) {
    if (failed !== null) await noteWrongCode(db, failed, factor, now);
    if (isUsedCode(error)) throw unauthorized("This code was used already. Wait for the next one.", "INVALID_CODE", "admin");
    throw error;
  }
}

/** Its key is the code: where it was used, the whole transaction, and the session in it, comes to nothing (RFC 6238, 5.2). */
function spendCodeStatement(db: D1Database, userId: string, code: string, now: number): D1PreparedStatement {
  return db
    .prepare("INSERT INTO sign_in_steps (id, identifier, value, created_at, updated_at, expires_at) VALUES (?, ?, '', ?, ?, ?)")
    .bind(sha256Now(`used-code:${userId}:${code}`), `used-code:${userId}`, now, now, now + USED_CODE_KEPT_MS);
}

function isUsedCode(error: unknown): boolean {
  return error instanceof Error && /UNIQUE constraint failed: sign_in_steps\.id/.test(error.message);
}

async function noteWrongCode(db: D1Database, factorId: string, factor: SecondFactor, now: number): Promise<void> {
  const row = await db.prepare("SELECT user_id FROM user_second_factors WHERE id = ?").bind(factorId).first<{ user_id: string }>();
  if (!row) return;
  const entry = { ...ownEntry(row.user_id, "sign_in_failed", { reason: factor }), actor: NOBODY };
  await auditStatement(db, entry, now).run();
}
