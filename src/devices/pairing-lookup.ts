import { Problem } from "../platform/errors.ts";
import type { DeviceJwk } from "./keys.ts";
import type { WonClaim } from "./pairing-commit.ts";
import type { ClaimState } from "./pairing-decide.ts";
import { limitMinute, limitRetryAfterS, limitSince, MISSES_IN_ALL, MISSES_PER_ADDRESS } from "./pairing-limits.ts";

/** A claim that was found by its code: what is decided on, and what is then done with it. */
export interface FoundClaim {
  state: ClaimState;
  won: WonClaim;
  /** The asking device's own key; null where it offered none, or an administrator made the claim. */
  jwk: DeviceJwk | null;
  deviceInfoJson: string | null;
  /** The family that the winner got, where the claim is used. */
  familyId: string | null;
}

interface ClaimRow extends WonClaim {
  status: ClaimState["status"];
  expires_at: number;
  used_at: number | null;
  used_kid: string | null;
  public_jwk_json: string | null;
  device_info_json: string | null;
  family_id: string | null;
  tokens_untouched: number;
}

interface MissCounts {
  mine: number;
  everybody: number;
  oldest: number | null;
}

const CODE_AND_DEVICE_CODE = "c.code_hmac = ?1 AND c.device_code_hash IS ?2";
const COUNTED = "FROM claim_misses WHERE window_start >= ?4";

/**
 * Finds a claim by the hashes of its code and device code (null: none shown, none may be set). Not to find one is a miss, and
 * is counted in the transaction that looked, so that no number of parallel guesses gets more looks than the limits allow.
 * @throws Problem `rate-limit-exceeded` with `Retry-After` where the address, or all together, have missed too often.
 */
export async function findClaim(
  db: D1Database,
  code: { hmac: string; deviceCodeHash: string | null },
  address: string,
  now: number,
): Promise<FoundClaim | null> {
  const since = limitSince(now);
  const [counts, found] = await db.batch([
    db
      .prepare(
        `SELECT coalesce(sum(count) FILTER (WHERE address = ?1), 0) AS mine, coalesce(sum(count) FILTER (WHERE address = ''), 0) AS everybody,
                min(window_start) AS oldest FROM claim_misses WHERE address IN (?1, '') AND window_start >= ?2`,
      )
      .bind(address, since),
    db
      .prepare(
        `SELECT c.id, c.status, c.device_id, c.store_id, c.group_id, c.name, c.expires_at, c.used_at, c.used_kid, c.public_jwk_json,
                c.device_info_json, f.id AS family_id,
                f.id IS NOT NULL AND f.revoked_at IS NULL AND NOT EXISTS (
                  SELECT 1 FROM refresh_tokens t WHERE t.family_id = f.id AND t.first_used_at IS NOT NULL) AS tokens_untouched
         FROM claims c LEFT JOIN devices d ON d.id = c.device_id
         LEFT JOIN token_families f ON f.id = d.token_family_id AND f.created_at = c.used_at
         WHERE ${CODE_AND_DEVICE_CODE}`,
      )
      .bind(code.hmac, code.deviceCodeHash),
    db
      .prepare(
        `INSERT INTO claim_misses (address, window_start, count)
         SELECT column1, ?5, 1 FROM (VALUES (?3), (''))
         WHERE NOT EXISTS (SELECT 1 FROM claims c WHERE ${CODE_AND_DEVICE_CODE})
           AND (SELECT coalesce(sum(count), 0) ${COUNTED} AND address = ?3) < ${MISSES_PER_ADDRESS}
           AND (SELECT coalesce(sum(count), 0) ${COUNTED} AND address = '') < ${MISSES_IN_ALL}
         ON CONFLICT (address, window_start) DO UPDATE SET count = count + 1`,
      )
      .bind(code.hmac, code.deviceCodeHash, address, since, limitMinute(now)),
  ]);
  const misses = counts?.results[0] as MissCounts | undefined;
  if (misses && (misses.mine >= MISSES_PER_ADDRESS || misses.everybody >= MISSES_IN_ALL)) {
    throw new Problem("rate-limit-exceeded", "Too many wrong claim codes; wait before the next attempt.", {
      headers: { "Retry-After": String(limitRetryAfterS(misses.oldest, now)) },
    });
  }
  const row = found?.results[0] as ClaimRow | undefined;
  return row ? foundClaim(row) : null;
}

function foundClaim(row: ClaimRow): FoundClaim {
  return {
    state: {
      status: row.status,
      expiresAt: row.expires_at,
      usedAt: row.used_at,
      usedKid: row.used_kid,
      tokensUntouched: row.tokens_untouched === 1,
    },
    won: { id: row.id, device_id: row.device_id, store_id: row.store_id, group_id: row.group_id, name: row.name },
    jwk: row.public_jwk_json === null ? null : (JSON.parse(row.public_jwk_json) as DeviceJwk),
    deviceInfoJson: row.device_info_json,
    familyId: row.family_id,
  };
}
