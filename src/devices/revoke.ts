import { createRoute, z } from "@hono/zod-openapi";
import { auditStatement } from "../audit/audit.ts";
import { guarded } from "../auth/access.ts";
import { OPERATE } from "../auth/principal.ts";
import { Problem } from "../platform/errors.ts";
import { createRouter, responses } from "../platform/http.ts";
import { toIso } from "../platform/time.ts";
import { profilePushStatement, scopes } from "./profile.ts";
import { pushProfile } from "./push.ts";

const RETRY_AFTER_S = 5;

interface RevokedRow {
  status: string;
  revoked_at: number | null;
}

/**
 * Revokes a device: its status, keys, tokens and open claims, with the audit row, in one transaction; then waits until its
 * sequencer knows, since only that keeps its plays out. Repeating it changes nothing and waits again. Returns when it was
 * revoked, in ms.
 * @throws Problem `not-found`; `service-unavailable` with `Retry-After` where the sequencer did not take it: the device is
 *   revoked in D1 then, and cron goes on telling its sequencer.
 */
export async function revokeDevice(env: Env, deviceId: string, actor: string, now: number): Promise<number> {
  const before = await readStatus(env.DB, deviceId);
  if (before.status !== "revoked") await commitRevocation(env.DB, deviceId, before, actor, now);
  await requireSequencerKnows(env, deviceId);
  return (await readStatus(env.DB, deviceId)).revoked_at ?? now;
}

async function readStatus(db: D1Database, deviceId: string): Promise<RevokedRow> {
  const row = await db.prepare("SELECT status, revoked_at FROM devices WHERE id = ?").bind(deviceId).first<RevokedRow>();
  if (!row) throw new Problem("not-found", "There is no device with this id.");
  return row;
}

async function commitRevocation(db: D1Database, deviceId: string, before: RevokedRow, actor: string, now: number): Promise<void> {
  const details = { before: { status: before.status }, after: { status: "revoked" } };
  try {
    await db.batch([
      // Revoked by another call meanwhile: the null is refused by the column, so that one audit row stays one.
      db
        .prepare(
          `UPDATE devices SET status = CASE WHEN status <> 'revoked' THEN 'revoked' END, revoked_at = ?1, updated_at = ?1,
           version = version + 1 WHERE id = ?2`,
        )
        .bind(now, deviceId),
      db.prepare("UPDATE device_keys SET valid_to = ? WHERE device_id = ? AND valid_to IS NULL").bind(now, deviceId),
      db
        .prepare("UPDATE token_families SET revoked_at = ?, revoked_reason = 'device revoked' WHERE device_id = ? AND revoked_at IS NULL")
        .bind(now, deviceId),
      // A code that was made for this device before must not bring it back.
      db.prepare("UPDATE claims SET status = 'rejected' WHERE device_id = ? AND status IN ('pending', 'approved')").bind(deviceId),
      profilePushStatement(db, scopes.device(deviceId), now),
      auditStatement(db, { actor, action: "device.revoke", targetType: "device", targetId: deviceId, details }, now),
    ]);
  } catch (error) {
    if ((await readStatus(db, deviceId)).status !== "revoked") throw error;
  }
}

async function requireSequencerKnows(env: Env, deviceId: string): Promise<void> {
  let cause: unknown;
  try {
    await pushProfile(env, deviceId);
  } catch (error) {
    cause = error;
  }
  // What the sequencer holds decides, not that it answered.
  const open = await env.DB.prepare("SELECT 1 FROM profile_pushes WHERE device_id = ? AND acknowledged_at IS NULL LIMIT 1")
    .bind(deviceId)
    .first();
  if (!open) return;
  throw new Problem("service-unavailable", "The device is revoked, but its sequencer has not confirmed it yet. Send this again.", {
    code: "REVOCATION_PENDING",
    headers: { "Retry-After": String(RETRY_AFTER_S) },
    cause,
  });
}

const revoke = createRoute({
  ...guarded(OPERATE),
  method: "post",
  path: "/v1/admin/devices/{id}/revoke",
  tags: ["Devices"],
  summary: "Revoke a device",
  description: "Answers when the device can write nothing any more. It may be paired anew by a claim that names it.",
  request: { params: z.object({ id: z.uuid() }) },
  responses: responses(
    200,
    "The device is revoked, and its sequencer knows",
    z.object({ device_id: z.uuid(), status: z.literal("revoked"), revoked_at: z.iso.datetime() }),
  ),
});

export const revokeRoutes = createRouter().openapi(revoke, async (c) => {
  const { id } = c.req.valid("param");
  const revokedAt = await revokeDevice(c.env, id, c.get("actor"), Date.now());
  return c.json({ device_id: id, status: "revoked" as const, revoked_at: toIso(revokedAt) ?? "" }, 200);
});
