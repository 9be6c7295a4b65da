import { uuidv7 } from "uuidv7";

/** Who looks after the archive: each tells of its own findings in the one incident `ARCHIVE_MISMATCH`. */
export type ArchiveWatcher = "compaction" | "aggregates" | "manifests";

/** Findings that an incident lists; how many more there are is told. */
const MAX_LISTED_FINDINGS = 50;

/**
 * Statements that replace one watcher's findings in the open incident `ARCHIVE_MISMATCH`: opening it with the first finding,
 * resolving it where no watcher has any left.
 * @param now ms since 1970
 */
export function archiveIncidentStatements(db: D1Database, watcher: ArchiveWatcher, findings: object[], now: number): D1PreparedStatement[] {
  if (findings.length > 0) {
    const found = { count: findings.length, findings: findings.slice(0, MAX_LISTED_FINDINGS) };
    return [
      db
        .prepare(
          `INSERT INTO incidents (id, device_id, type, severity, details_json, created_at) VALUES (?, '', 'ARCHIVE_MISMATCH', 'high', ?, ?)
           ON CONFLICT (device_id, type) WHERE resolved_at IS NULL
           DO UPDATE SET details_json = json_patch(details_json, excluded.details_json)`,
        )
        .bind(uuidv7(), JSON.stringify({ [watcher]: found }), now),
    ];
  }
  return [
    db
      .prepare(
        `UPDATE incidents SET details_json = json_remove(details_json, '$.' || ?)
         WHERE device_id = '' AND type = 'ARCHIVE_MISMATCH' AND resolved_at IS NULL`,
      )
      .bind(watcher),
    db
      .prepare(
        `UPDATE incidents SET resolved_at = ?
         WHERE device_id = '' AND type = 'ARCHIVE_MISMATCH' AND resolved_at IS NULL AND details_json = '{}'`,
      )
      .bind(now),
  ];
}
