import { uuidv7 } from "uuidv7";
import { currentOrigin } from "./origin.ts";

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

/**
 * The insert of one audit row. It belongs into the same `batch()` as the change that it tells of (I8). From where the change
 * came is added by itself, inside a request of {@link withOrigin}.
 */
export function auditStatement(db: D1Database, entry: AuditEntry, now: number): D1PreparedStatement {
  const origin = currentOrigin();
  return db
    .prepare(
      `INSERT INTO audit_log (id, actor_user_id, action, target_type, target_id, created_at, details_json, origin_json)
       VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .bind(
      uuidv7(),
      entry.actor,
      entry.action,
      entry.targetType,
      entry.targetId,
      now,
      JSON.stringify(entry.details),
      origin === null ? null : JSON.stringify(origin),
    );
}
