import { type AuditEntry, auditStatement } from "../audit/audit.ts";
import { Problem } from "../platform/errors.ts";
import { findFirstAnswer, type IdempotentRequest, rememberStatements } from "../platform/idempotency.ts";
import { decodeCursor, type Page, pageOf } from "../platform/paging.ts";
import { toIso } from "../platform/time.ts";
import { type ClaimPresets, requirePresets } from "./claims-presets.ts";
import { claimCodeHmac, normalizeClaimCode } from "./pairing-code.ts";
import { fieldProblem } from "./pairing-proof.ts";

/** A claim's row without its hashes. */
interface ClaimRow {
  id: string;
  status: "pending" | "approved" | "rejected" | "used";
  device_info_json: string | null;
  store_id: string | null;
  group_id: string | null;
  name: string | null;
  device_id: string | null;
  has_key: number;
  asked_by_device: number;
  created_at: number;
  expires_at: number;
  decided_at: number | null;
  decided_by: string | null;
  used_at: number | null;
  used_kid: string | null;
}

const COLUMNS = `id, status, device_info_json, store_id, group_id, name, device_id, public_jwk_json IS NOT NULL AS has_key,
  device_code_hash IS NOT NULL AS asked_by_device, created_at, expires_at, decided_at, decided_by, used_at, used_kid`;

/** What the list may be narrowed to. */
export interface ClaimFilter {
  status?: "pending" | "approved" | "rejected" | "used" | "expired" | undefined;
  claim_code?: string | undefined;
}

/** A claim as the API shows it: never a code, and `expired` where it can no longer be used. */
export function presentClaim(row: ClaimRow, now: number) {
  const open = row.status === "pending" || row.status === "approved";
  return {
    id: row.id,
    status: open && now > row.expires_at ? ("expired" as const) : row.status,
    asked_by: row.asked_by_device === 1 ? ("device" as const) : ("admin" as const),
    device_info: row.device_info_json === null ? null : (JSON.parse(row.device_info_json) as Record<string, unknown>),
    has_key: row.has_key === 1,
    store_id: row.store_id,
    group_id: row.group_id,
    name: row.name,
    device_id: row.device_id,
    created_at: toIso(row.created_at) ?? "",
    expires_at: toIso(row.expires_at) ?? "",
    decided_at: toIso(row.decided_at),
    decided_by: row.decided_by,
    used_at: toIso(row.used_at),
    used_kid: row.used_kid,
  };
}

export type PresentedClaim = ReturnType<typeof presentClaim>;

/** What the list is ordered by: those that wait for a decision first, then the newest. */
const WAITS = "(status = 'pending' AND expires_at >= ?1)";
const STATUS = "CASE WHEN status IN ('pending', 'approved') AND expires_at < ?1 THEN 'expired' ELSE status END";

/**
 * One page of claims. `claim_code` finds the claim whose code a screen shows, as people type it.
 * @throws Problem `validation-error`, code `INVALID_CURSOR`.
 */
export async function listClaims(
  env: Env,
  filter: ClaimFilter,
  page: { limit: number; cursor?: string | undefined },
  now: number,
): Promise<Page<PresentedClaim>> {
  const after = readCursor(page.cursor);
  const hmac = filter.claim_code === undefined ? null : await claimCodeHmac(env.HASH_SECRET, normalizeClaimCode(filter.claim_code));
  const { results } = await env.DB.prepare(
    `SELECT ${COLUMNS}, ${WAITS} AS waits FROM claims
     WHERE (?2 IS NULL OR ${STATUS} = ?2) AND (?3 IS NULL OR code_hmac = ?3)
       AND (?4 IS NULL OR ${WAITS} < ?4 OR (${WAITS} = ?4 AND id < ?5))
     ORDER BY waits DESC, id DESC LIMIT ?6`,
  )
    .bind(now, filter.status ?? null, hmac, after?.waits ?? null, after?.id ?? null, page.limit + 1)
    .all<ClaimRow & { waits: number }>();
  const { items, next_cursor } = pageOf(results, page.limit, (row) => `${row.waits}:${row.id}`);
  return { items: items.map((row) => presentClaim(row, now)), next_cursor };
}

function readCursor(cursor: string | undefined): { waits: number; id: string } | null {
  const key = decodeCursor(cursor);
  if (key === null) return null;
  const match = /^([01]):([0-9a-f-]{36})$/.exec(key);
  if (!match?.[2]) throw fieldProblem("/cursor", "Not a cursor of this list; begin without one.", "INVALID_CURSOR");
  return { waits: Number(match[1]), id: match[2] };
}

/** An administrator's word on a claim that a player asked for. */
export type ClaimVerdict = { status: "approved"; presets: ClaimPresets } | { status: "rejected" };

/** A decision's answer, and whether it was given before under the same `Idempotency-Key`. */
export interface DecisionOutcome {
  claim: PresentedClaim;
  replayed: boolean;
}

/**
 * Decides on a pending claim, with its audit row and the answer to its `Idempotency-Key` in one transaction. Of two decisions
 * the first one stands.
 * @throws Problem `not-found`, `conflict` (code `CLAIM_DECIDED`), `claim-expired`, or `validation-error` for presets.
 */
export async function decideOnClaim(
  env: Env,
  id: string,
  verdict: ClaimVerdict,
  by: { actor: string; idempotency: IdempotentRequest | null },
  now: number,
): Promise<DecisionOutcome> {
  const { DB: db } = env;
  const replayed = async (): Promise<DecisionOutcome | null> => {
    const first = by.idempotency && (await findFirstAnswer(db, by.idempotency, now));
    return first && { claim: JSON.parse(first.body) as PresentedClaim, replayed: true };
  };
  const before = await replayed();
  if (before) return before;
  const pending = requireUndecided(await findById(db, id), now);
  const presets = verdict.status === "approved" ? verdict.presets : {};
  await requirePresets(db, presets);
  const { store_id = null, group_id = null, name = null, device_id = null } = presets;
  const decided = { status: verdict.status, store_id, group_id, name, device_id, decided_at: now, decided_by: by.actor };
  const claim = presentClaim({ ...pending, ...decided }, now);
  try {
    await db.batch([
      ...(by.idempotency ? rememberStatements(db, by.idempotency, { status: 200, body: JSON.stringify(claim) }, now) : []),
      // Decided or expired meanwhile: the null is refused by the column, and the audit row goes with it.
      db
        .prepare(
          `UPDATE claims SET status = CASE WHEN status = 'pending' AND expires_at >= ?1 THEN ?2 END, decided_at = ?1, decided_by = ?3,
           store_id = ?4, group_id = ?5, name = ?6, device_id = ?7 WHERE id = ?8`,
        )
        .bind(now, verdict.status, by.actor, store_id, group_id, name, device_id, id),
      auditStatement(db, auditOf(id, verdict, by.actor), now),
    ]);
  } catch (error) {
    const after = await replayed();
    if (after) return after;
    requireUndecided(await findById(db, id), now);
    throw error;
  }
  return { claim, replayed: false };
}

function auditOf(id: string, verdict: ClaimVerdict, actor: string): AuditEntry {
  const action = verdict.status === "approved" ? "claim.approve" : "claim.reject";
  const details = verdict.status === "approved" ? { ...verdict.presets } : {};
  return { actor, action, targetType: "claim", targetId: id, details };
}

async function findById(db: D1Database, id: string): Promise<ClaimRow | null> {
  return await db.prepare(`SELECT ${COLUMNS} FROM claims WHERE id = ?`).bind(id).first<ClaimRow>();
}

function requireUndecided(row: ClaimRow | null, now: number): ClaimRow {
  if (!row) throw new Problem("not-found", "There is no claim with this id.");
  if (row.status !== "pending") {
    throw new Problem("conflict", `The claim is ${row.status}; it can no longer be decided.`, { code: "CLAIM_DECIDED" });
  }
  if (now > row.expires_at) {
    throw new Problem("claim-expired", "The claim code is older than ten minutes; the player must ask for a new one.");
  }
  return row;
}
