import { addressNetwork } from "../platform/address.ts";
import { Problem } from "../platform/errors.ts";
import { keyedHash } from "../platform/log.ts";
import { MINUTE_MS, SECOND_MS } from "../platform/time.ts";

/** Over what time tries of passwords are counted. */
export const TRIES_WINDOW_MS = 15 * MINUTE_MS;
/** Wrong passwords in the window: for one account, and from one address, behind which there may be an office. */
export const TRIES_PER_ACCOUNT = 10;
export const TRIES_PER_ADDRESS = 30;

type TryEnv = Pick<Env, "DB" | "HASH_SECRET">;

/** A try that was counted before the password was looked at. It is forgiven where that was right. */
export interface Try {
  accountKey: string;
  addressKey: string;
  /** Which one in the window, for this account. */
  number: number;
}

/**
 * Counts a try of a password, before the password is looked at: however many come at once, no more are let through. Accounts that nobody
 * has are counted like others. `now` in ms.
 * @throws Problem `rate-limit-exceeded` with `Retry-After`.
 */
export async function countTry(env: TryEnv, headers: Headers, email: string, now: number): Promise<Try> {
  const [accountKey, addressKey] = await Promise.all([
    keyedHash(env.HASH_SECRET, `sign-in-account:${email}`),
    networkKey(env.HASH_SECRET, headers),
  ]);
  const [account, address] = await env.DB.batch<{ tries: number; ends_at: number }>([
    countStatement(env.DB, accountKey, now),
    countStatement(env.DB, addressKey, now),
  ]);
  const counts = [
    { ...account?.results[0], most: TRIES_PER_ACCOUNT },
    { ...address?.results[0], most: TRIES_PER_ADDRESS },
  ];
  const over = counts.filter(({ tries = 0, most }) => tries > most);
  if (over.length > 0) throw tooMany(Math.max(...over.map(({ ends_at = now }) => ends_at - now)));
  return { accountKey, addressKey, number: counts[0]?.tries ?? 0 };
}

/** Under which name an address is counted: of IPv6 a network of 64 bits, which one household has to itself. */
async function networkKey(secret: string, headers: Headers): Promise<string> {
  // Cloudflare sets the header on every request and overwrites what a client sends.
  return await keyedHash(secret, `sign-in-address:${addressNetwork(headers.get("CF-Connecting-IP") ?? "none")}`);
}

/**
 * Turns away an address that sends so much that it can only be a program, before anything is read or written for it.
 * @throws Problem `rate-limit-exceeded`
 */
export async function refuseFlood(env: Pick<Env, "FLOOD_LIMIT" | "HASH_SECRET">, headers: Headers): Promise<void> {
  const { success } = await env.FLOOD_LIMIT.limit({ key: await networkKey(env.HASH_SECRET, headers) });
  if (!success) throw tooMany(MINUTE_MS, "Too many requests from your address. Wait a minute.");
}

function countStatement(db: D1Database, key: string, now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO sign_in_tries (key, tries, ends_at) VALUES (?1, 1, ?3)
       ON CONFLICT (key) DO UPDATE SET tries = CASE WHEN ends_at <= ?2 THEN 1 ELSE tries + 1 END,
         ends_at = CASE WHEN ends_at <= ?2 THEN ?3 ELSE ends_at END
       RETURNING tries, ends_at`,
    )
    .bind(key, now, now + TRIES_WINDOW_MS);
}

/** The statements by which a right password counts for nothing, and the wrong ones before it no more for its account. */
export function forgiveStatements(db: D1Database, { accountKey, addressKey }: Try): D1PreparedStatement[] {
  return [
    db.prepare("DELETE FROM sign_in_tries WHERE key = ?").bind(accountKey),
    db.prepare("UPDATE sign_in_tries SET tries = max(0, tries - 1) WHERE key = ?").bind(addressKey),
  ];
}

function tooMany(waitMs: number, detail = "Too many tries of passwords. Wait, and try again."): Problem {
  const headers = { "Retry-After": String(Math.max(1, Math.ceil(waitMs / SECOND_MS))) };
  return new Problem("rate-limit-exceeded", detail, { headers });
}

/** Deletes what is over: counts past their window, sessions, and sign-ins that were never finished. For cron. Returns how many rows went. */
export async function forgetSignIns(db: D1Database, now: number): Promise<number> {
  const gone = await db.batch([
    db.prepare("DELETE FROM sign_in_tries WHERE ends_at <= ?").bind(now),
    db.prepare("DELETE FROM sign_in_steps WHERE expires_at <= ?").bind(now),
    db.prepare("DELETE FROM user_sessions WHERE expires_at <= ?").bind(now),
  ]);
  return gone.reduce((sum, { meta }) => sum + meta.changes, 0);
}
