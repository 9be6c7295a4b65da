import { env } from "cloudflare:workers";

export interface AuditRow {
  id: string;
  action: string;
  target_type: string;
  target_id: string;
  details: Record<string, unknown>;
  origin: Record<string, unknown> | null;
}

/** Audit rows, oldest first; of one target where it is given. */
export async function auditRows(targetId?: unknown): Promise<AuditRow[]> {
  const { results } = await env.DB.prepare(
    `SELECT id, action, target_type, target_id, details_json, origin_json FROM audit_log WHERE ?1 IS NULL OR target_id = ?1 ORDER BY id`,
  )
    .bind(targetId ?? null)
    .all<Omit<AuditRow, "details" | "origin"> & { details_json: string; origin_json: string | null }>();
  return results.map(({ details_json, origin_json, ...row }) => ({
    ...row,
    details: JSON.parse(details_json) as Record<string, unknown>,
    origin: origin_json === null ? null : (JSON.parse(origin_json) as Record<string, unknown>),
  }));
}
