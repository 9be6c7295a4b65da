import { commitIncidents, type IncidentChange, type IncidentRow } from "../../monitoring/incidents.ts";
import { refuseWhereStatement } from "../../platform/requirement.ts";

/** Who looks after the archive: each tells of its own findings in the one incident `ARCHIVE_MISMATCH`. */
export type ArchiveWatcher = "compaction" | "aggregates" | "manifests";

/** Findings that an incident lists; how many more there are is told. */
const MAX_LISTED_FINDINGS = 50;

/**
 * Replaces watchers' findings in the open incident `ARCHIVE_MISMATCH`: opens it with the first finding, resolves it where no watcher has
 * any left.
 * @param now ms since 1970
 */
export async function noteArchiveFindings(db: D1Database, found: Partial<Record<ArchiveWatcher, object[]>>, now: number): Promise<void> {
  await commitIncidents(db, now, async () => {
    const open = await db
      .prepare("SELECT * FROM incidents WHERE device_id = '' AND type = 'ARCHIVE_MISMATCH' AND resolved_at IS NULL")
      .first<IncidentRow>();
    const before = open ? (JSON.parse(open.details_json) as Record<string, unknown>) : {};
    const details = withFindings(before, found);
    const changed = open !== null && JSON.stringify(details) !== JSON.stringify(before);
    return {
      changes: changesOf(open, details),
      alongside: open && changed ? detailsStatements(db, open, details) : [],
      result: undefined,
    };
  });
}

function withFindings(before: Record<string, unknown>, found: Partial<Record<ArchiveWatcher, object[]>>): Record<string, unknown> {
  const details = { ...before };
  for (const [watcher, findings] of Object.entries(found)) {
    if (findings.length > 0) details[watcher] = { count: findings.length, findings: findings.slice(0, MAX_LISTED_FINDINGS) };
    else delete details[watcher];
  }
  return details;
}

function changesOf(open: IncidentRow | null, details: Record<string, unknown>): IncidentChange[] {
  const wrong = Object.keys(details).length > 0;
  if (open) return wrong ? [] : [{ kind: "resolve", incident: open, resolvedBy: null }];
  return wrong ? [{ kind: "open", finding: { deviceId: "", type: "ARCHIVE_MISMATCH", details } }] : [];
}

/** Two watchers may tell at once: who decided on older details begins again. */
function detailsStatements(db: D1Database, open: IncidentRow, details: Record<string, unknown>): D1PreparedStatement[] {
  return [
    refuseWhereStatement(
      db,
      "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM incidents WHERE id = ? AND details_json = ? AND resolved_at IS NULL)",
      [open.id, open.details_json],
    ),
    db.prepare("UPDATE incidents SET details_json = ?, version = version + 1 WHERE id = ?").bind(JSON.stringify(details), open.id),
  ];
}
