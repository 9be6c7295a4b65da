import { z } from "@hono/zod-openapi";
import { randomSecret, sha256Hex } from "../platform/encoding.ts";
import { toIso } from "../platform/time.ts";
import { REFRESH_TOKEN_LIFETIME_MS, SUPERSEDED_KEPT_MS } from "./refresh-decide.ts";
import { signDeviceToken } from "./token.ts";

const PREFIX = "rt_";
/** The form of every refresh token: the prefix and 256 random bits in base64url. */
export const REFRESH_TOKEN_FORM = /^rt_[A-Za-z0-9_-]{43}$/;

/** What a player gets when it is paired, and at each refresh. */
export const issuedTokensSchema = z
  .object({
    device_id: z.uuid(),
    device_token: z.string().meta({ description: "JWT for Authorization: Bearer, good for an hour" }),
    expires_at: z.iso.datetime().meta({ description: "When the device token ends" }),
    refresh_token: z.string().meta({ description: "Gets the next pair; works for 90 days, until its successor is first used" }),
  })
  .openapi("IssuedTokens");

export type IssuedTokens = z.infer<typeof issuedTokensSchema>;

/** A refresh token before it is stored: the secret for the player, its SHA-256 for D1. */
export interface NewRefreshToken {
  secret: string;
  hash: string;
}

export async function newRefreshToken(): Promise<NewRefreshToken> {
  const secret = randomSecret(PREFIX);
  return { secret, hash: await sha256Hex(secret) };
}

/** The pair for the player: a fresh device token, and the refresh token whose hash was stored. */
export async function issueTokens(
  env: Env,
  player: { deviceId: string; familyId: string; key: Parameters<typeof signDeviceToken>[1]["key"] },
  refresh: NewRefreshToken,
  now: number,
): Promise<IssuedTokens> {
  const { token, expiresAt } = await signDeviceToken(env, player, now);
  return {
    device_id: player.deviceId,
    device_token: token,
    expires_at: toIso(expiresAt) ?? "",
    refresh_token: refresh.secret,
  };
}

/** The insert of a new family's first token. */
export function firstTokenStatement(db: D1Database, familyId: string, token: NewRefreshToken, now: number): D1PreparedStatement {
  return db
    .prepare("INSERT INTO refresh_tokens (token_hash, family_id, created_at, expires_at) VALUES (?, ?, ?, ?)")
    .bind(token.hash, familyId, now, now + REFRESH_TOKEN_LIFETIME_MS);
}

/**
 * The insert of one more first token, for a player whose answer was lost. Its statement fails, and takes its batch back,
 * where the family is revoked or one of its tokens was used meanwhile: `family_id` is then null.
 */
export function anotherFirstTokenStatement(db: D1Database, familyId: string, token: NewRefreshToken, now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO refresh_tokens (token_hash, family_id, created_at, expires_at)
       VALUES (?1, (SELECT f.id FROM token_families f WHERE f.id = ?2 AND f.revoked_at IS NULL
                    AND NOT EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.family_id = f.id AND t.first_used_at IS NOT NULL)), ?3, ?4)`,
    )
    .bind(token.hash, familyId, now, now + REFRESH_TOKEN_LIFETIME_MS);
}

/**
 * The batch of one refresh. It fails as a whole where the presented token was superseded, or its family revoked, since it
 * was read: the successor's `family_id` is then null.
 */
export function rotateStatements(
  db: D1Database,
  presented: { hash: string; familyId: string },
  successor: NewRefreshToken,
  now: number,
): D1PreparedStatement[] {
  return [
    // Its first use ends every other branch; asked here and not before, since an equal request may have been faster.
    db
      .prepare(
        `UPDATE refresh_tokens SET superseded_at = ?1 WHERE family_id = ?2 AND token_hash <> ?3 AND superseded_at IS NULL
         AND EXISTS (SELECT 1 FROM refresh_tokens t WHERE t.token_hash = ?3 AND t.first_used_at IS NULL)`,
      )
      .bind(now, presented.familyId, presented.hash),
    db.prepare("UPDATE refresh_tokens SET first_used_at = ? WHERE token_hash = ? AND first_used_at IS NULL").bind(now, presented.hash),
    db
      .prepare(
        `INSERT INTO refresh_tokens (token_hash, family_id, parent_hash, created_at, expires_at)
         VALUES (?1, (SELECT t.family_id FROM refresh_tokens t JOIN token_families f ON f.id = t.family_id
                      WHERE t.token_hash = ?2 AND t.superseded_at IS NULL AND f.revoked_at IS NULL), ?2, ?3, ?4)`,
      )
      .bind(successor.hash, presented.hash, now, now + REFRESH_TOKEN_LIFETIME_MS),
    db
      .prepare("DELETE FROM refresh_tokens WHERE family_id = ? AND (expires_at < ? OR superseded_at < ?)")
      .bind(presented.familyId, now, now - SUPERSEDED_KEPT_MS),
  ];
}
