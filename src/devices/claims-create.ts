import { uuidv7 } from "uuidv7";
import { auditStatement } from "../audit/audit.ts";
import { randomSecret, sha256Hex } from "../platform/encoding.ts";
import { Problem } from "../platform/errors.ts";
import { answerOnce, type IdempotentRequest } from "../platform/idempotency.ts";
import { DAY_MS, HOUR_MS } from "../platform/time.ts";
import { type ClaimPresets, requirePresets } from "./claims-presets.ts";
import { CLAIM_LIFETIME_MS, claimCodeHmac, claimCodeOf, newClaimCode } from "./pairing-code.ts";
import { CLAIMS_PER_ADDRESS, limitMinute, limitRetryAfterS, limitSince, PENDING_CLAIMS_IN_ALL } from "./pairing-limits.ts";
import { readOfferedKey } from "./pairing-proof.ts";

/** Claims that nobody approved go an hour after their end; the others are shown for a week. */
const UNDECIDED_KEPT_MS = HOUR_MS;
const CLAIMS_KEPT_MS = 7 * DAY_MS;

/** A claim as it is handed to whoever asked for it. The code is nowhere else: D1 has its HMAC. */
export interface NewClaim {
  claimId: string;
  claimCode: string;
  expiresAt: number;
}

/**
 * Makes a code for a new device, or for a device whose player is placed or replaced; it needs no approval. A request that comes again
 * under its `Idempotency-Key` gets the same code, which is made again and kept nowhere. `now` in ms.
 * @throws Problem `validation-error` where a preset names nothing that exists; `conflict` for a key that was used otherwise.
 */
export async function createAdminClaim(
  env: Env,
  presets: ClaimPresets,
  decider: { actor: string; idempotency: IdempotentRequest | null },
  now: number,
): Promise<NewClaim & { replayed: boolean }> {
  const make = (keep: Keep) => insertAdminClaim(env, presets, decider.actor, now, keep);
  const { answer, replayed } = await answerOnce(env.DB, decider.idempotency, 201, now, make);
  return { ...answer, claimCode: await claimCodeOf(env.HASH_SECRET, answer.claimId), replayed };
}

type CodelessClaim = Omit<NewClaim, "claimCode">;
type Keep = (answer: CodelessClaim) => D1PreparedStatement[];

async function insertAdminClaim(env: Env, presets: ClaimPresets, actor: string, now: number, keep: Keep): Promise<CodelessClaim> {
  await requirePresets(env.DB, presets);
  const claim = { claimId: uuidv7(), expiresAt: now + CLAIM_LIFETIME_MS };
  await env.DB.batch([
    ...forgetStatements(env.DB, now),
    env.DB.prepare(
      `INSERT INTO claims (id, code_hmac, status, store_id, group_id, name, device_id, created_at, expires_at, decided_at, decided_by)
       VALUES (?1, ?2, 'approved', ?3, ?4, ?5, ?6, ?7, ?8, ?7, ?9)`,
    ).bind(
      claim.claimId,
      await claimCodeHmac(env.HASH_SECRET, await claimCodeOf(env.HASH_SECRET, claim.claimId)),
      presets.store_id ?? null,
      presets.group_id ?? null,
      presets.name ?? null,
      presets.device_id ?? null,
      now,
      claim.expiresAt,
      actor,
    ),
    auditStatement(env.DB, { actor, action: "claim.create", targetType: "claim", targetId: claim.claimId, details: { ...presets } }, now),
    ...keep(claim),
  ]);
  return claim;
}

/**
 * Makes a code for a player that asks by itself; an administrator must approve it. The device code is the player's secret,
 * without which its claim code is worth nothing to who reads it off the screen.
 * @throws Problem `validation-error` (code `INVALID_KEY`), or `rate-limit-exceeded` where the address asked too often or too
 *   many players wait.
 */
export async function createDeviceClaim(
  env: Env,
  asks: { device_info: Record<string, unknown>; public_key?: unknown },
  address: string,
  now: number,
): Promise<NewClaim & { deviceCode: string }> {
  const key = await readOfferedKey(asks.public_key);
  const claim = newClaim(now);
  const deviceCode = randomSecret("dc_");
  const results = await env.DB.batch([
    ...forgetStatements(env.DB, now),
    env.DB.prepare(
      `INSERT INTO claims (id, code_hmac, status, device_code_hash, device_info_json, public_jwk_json, created_at, expires_at)
       SELECT ?1, ?2, 'pending', ?3, ?4, ?5, ?6, ?7
       WHERE (SELECT coalesce(sum(count), 0) FROM claim_misses WHERE address = ?8 AND window_start >= ?9) < ${CLAIMS_PER_ADDRESS}
         AND (SELECT count(*) FROM claims WHERE created_at >= ?6 - ${CLAIM_LIFETIME_MS} AND status = 'pending') < ${PENDING_CLAIMS_IN_ALL}`,
    ).bind(
      claim.claimId,
      await claimCodeHmac(env.HASH_SECRET, claim.claimCode),
      await sha256Hex(deviceCode),
      JSON.stringify(asks.device_info),
      key ? JSON.stringify(key.jwk) : null,
      now,
      claim.expiresAt,
      address,
      limitSince(now),
    ),
    env.DB.prepare(
      `INSERT INTO claim_misses (address, window_start, count) SELECT ?1, ?2, 1 WHERE EXISTS (SELECT 1 FROM claims WHERE id = ?3)
       ON CONFLICT (address, window_start) DO UPDATE SET count = count + 1`,
    ).bind(address, limitMinute(now), claim.claimId),
    env.DB.prepare("SELECT min(window_start) AS oldest FROM claim_misses WHERE address = ? AND window_start >= ?").bind(
      address,
      limitSince(now),
    ),
    env.DB.prepare("SELECT 1 FROM claims WHERE id = ?").bind(claim.claimId),
  ]);
  if (results.at(-1)?.results.length === 1) return { ...claim, deviceCode };
  const oldest = results.at(-2)?.results[0] as { oldest: number | null } | undefined;
  throw new Problem("rate-limit-exceeded", "Too many players ask for codes; wait, or use a code from an administrator.", {
    headers: { "Retry-After": String(limitRetryAfterS(oldest?.oldest ?? null, now)) },
  });
}

function newClaim(now: number): NewClaim {
  return { claimId: uuidv7(), claimCode: newClaimCode(), expiresAt: now + CLAIM_LIFETIME_MS };
}

/** Clears away what is past its use, so that codes that nobody wanted do not pile up. */
function forgetStatements(db: D1Database, now: number): D1PreparedStatement[] {
  return [
    db
      .prepare("DELETE FROM claims WHERE created_at < ?1 AND (status IN ('pending', 'rejected') OR created_at < ?2)")
      .bind(now - CLAIM_LIFETIME_MS - UNDECIDED_KEPT_MS, now - CLAIMS_KEPT_MS),
    db.prepare("DELETE FROM claim_misses WHERE window_start < ?").bind(limitSince(now)),
  ];
}
