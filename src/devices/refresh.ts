import { lookUp } from "../auth/strangers.ts";
import { openIncidents } from "../monitoring/incidents.ts";
import { sha256Hex } from "../platform/encoding.ts";
import { Problem } from "../platform/errors.ts";
import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import type { DeviceJwk } from "./keys.ts";
import { profilePushStatement } from "./profile.ts";
import { pushProfile } from "./push.ts";
import { decideRefresh, type RefreshState, TOKENS_PER_HOUR_WINDOW_MS } from "./refresh-decide.ts";
import { type IssuedTokens, issueTokens, newRefreshToken, REFRESH_TOKEN_FORM, rotateStatements } from "./refresh-tokens.ts";

/** A token only ever goes from living to superseded, so a second reading is the last that a race can ask for. */
const ROUNDS = 3;
const RETRY_AFTER_TOO_OFTEN_S = 300;
const RETRY_AFTER_UNAVAILABLE_S = 5;

/**
 * Exchanges a refresh token for a new pair. `now` in ms; the headers say from where it comes.
 * @throws Problem `unauthorized` (unknown, expired, revoked, or reused: the last revokes the family and opens an incident),
 *   `rate-limit-exceeded` (also where too many unknown ones came from the same address), or `service-unavailable` where D1 takes no write.
 */
export async function refreshTokens(env: Env, refreshToken: string, now: number, headers = new Headers()): Promise<IssuedTokens> {
  if (!REFRESH_TOKEN_FORM.test(refreshToken)) throw refusal("unknown");
  const hash = await sha256Hex(refreshToken);
  let failure: unknown;
  for (let round = 0; round < ROUNDS; round += 1) {
    const decision = decideRefresh(await lookUp(headers, hash, now, () => loadRefreshState(env.DB, hash, now)), now);
    switch (decision.kind) {
      case "refused":
        throw refusal(decision.reason);
      case "too-often":
        throw new Problem("rate-limit-exceeded", "This player refreshes its tokens far too often.", {
          headers: { "Retry-After": String(RETRY_AFTER_TOO_OFTEN_S) },
        });
      case "reuse":
        await revokeReusedFamily(env, decision.state, now);
        throw refusal("reused");
      case "rotate":
        try {
          return await rotate(env, hash, decision.state, now);
        } catch (error) {
          failure = error;
        }
    }
  }
  throw new Problem("service-unavailable", "The tokens could not be renewed now.", {
    headers: { "Retry-After": String(RETRY_AFTER_UNAVAILABLE_S) },
    cause: failure,
  });
}

async function rotate(env: Env, hash: string, state: RefreshState, now: number): Promise<IssuedTokens> {
  const successor = await newRefreshToken();
  await env.DB.batch(rotateStatements(env.DB, { hash, familyId: state.familyId }, successor, now));
  return await issueTokens(env, state, successor, now);
}

interface RefreshRow {
  family_id: string;
  device_id: string;
  expires_at: number;
  superseded_at: number | null;
  revoked_at: number | null;
  status: RefreshState["deviceStatus"];
  token_family_id: string | null;
  recent: number;
  kid: string | null;
  jwk_json: string | null;
}

async function loadRefreshState(db: D1Database, hash: string, now: number): Promise<RefreshState | null> {
  const row = await db
    .prepare(
      `SELECT t.family_id, f.device_id, t.expires_at, t.superseded_at, f.revoked_at, d.status, d.token_family_id, f.kid,
              (SELECT count(*) FROM refresh_tokens r WHERE r.family_id = f.id AND r.created_at > ?2) AS recent,
              (SELECT k.jwk_json FROM device_keys k WHERE k.device_id = f.device_id AND k.kid = f.kid
               ORDER BY k.valid_from DESC LIMIT 1) AS jwk_json
       FROM refresh_tokens t JOIN token_families f ON f.id = t.family_id JOIN devices d ON d.id = f.device_id
       WHERE t.token_hash = ?1`,
    )
    .bind(hash, now - TOKENS_PER_HOUR_WINDOW_MS)
    .first<RefreshRow>();
  if (!row) return null;
  return {
    familyId: row.family_id,
    deviceId: row.device_id,
    expiresAt: row.expires_at,
    supersededAt: row.superseded_at,
    familyRevokedAt: row.revoked_at,
    deviceStatus: row.status,
    currentFamilyId: row.token_family_id,
    recentTokens: row.recent,
    key: row.kid !== null && row.jwk_json !== null ? { kid: row.kid, jwk: JSON.parse(row.jwk_json) as DeviceJwk } : null,
  };
}

/**
 * Revokes the family whose superseded token was presented, takes it from its device, and opens an incident, in one batch.
 * Doing it twice changes nothing more. The sequencer is told at once; cron repeats what that leaves.
 */
async function revokeReusedFamily(env: Env, state: RefreshState, now: number): Promise<void> {
  const { familyId, deviceId } = state;
  const current = { where: "d.id = ? AND d.token_family_id = ?", values: [deviceId, familyId] };
  await openIncidents(env.DB, [{ deviceId, type: "TOKEN_REUSE", details: { family_id: familyId } }], now, [
    profilePushStatement(env.DB, current, now),
    env.DB.prepare(
      "UPDATE devices SET token_family_id = NULL, updated_at = ?, version = version + 1 WHERE id = ? AND token_family_id = ?",
    ).bind(now, deviceId, familyId),
    env.DB.prepare("UPDATE token_families SET revoked_at = ?, revoked_reason = 'reuse' WHERE id = ? AND revoked_at IS NULL").bind(
      now,
      familyId,
    ),
  ]);
  await tellSequencer(env, deviceId);
}

/** Pushes a device's profile at once. A failure is logged; the push stays open and cron repeats it. */
export async function tellSequencer(env: Env, deviceId: string): Promise<void> {
  try {
    await pushProfile(env, deviceId);
  } catch (error) {
    log("warn", "profile push failed", { error: describeError(error) });
  }
}

const REFUSALS = {
  unknown: { code: "REFRESH_TOKEN_UNKNOWN", detail: "There is no such refresh token; pair the player again." },
  expired: { code: "REFRESH_TOKEN_EXPIRED", detail: "The refresh token has expired; pair the player again." },
  revoked: { code: "REFRESH_TOKEN_REVOKED", detail: "The player's tokens were revoked; pair it again." },
  reused: {
    code: "REFRESH_TOKEN_REUSED",
    detail: "A newer token than this was in use already. All tokens of the player are revoked now; pair it again.",
  },
} as const;

function refusal(reason: keyof typeof REFUSALS): Problem {
  const { code, detail } = REFUSALS[reason];
  return new Problem("unauthorized", detail, { code, headers: { "WWW-Authenticate": 'Bearer realm="device"' } });
}
