import { uuidv7 } from "uuidv7";

/** An administrator's change, as the audit log keeps it. */
export interface AuditEntry {
  actor: string;
  /** Verb and noun, as `store.update`. */
  action: string;
  targetType: string;
  targetId: string;
  /** What was before and after, or what was asked. Never a secret. */
  details: Record<string, unknown>;
}

/** The insert of one audit row. It belongs into the same `batch()` as the change that it tells of (I8). */
export function auditStatement(db: D1Database, entry: AuditEntry, now: number): D1PreparedStatement {
  return db
    .prepare(
      "INSERT INTO audit_log (id, actor_user_id, action, target_type, target_id, created_at, details_json) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(uuidv7(), entry.actor, entry.action, entry.targetType, entry.targetId, now, JSON.stringify(entry.details));
}
