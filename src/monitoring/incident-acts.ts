import { auditStatement } from "../audit/audit.ts";
import { CHANGE_ATTEMPTS, type Change } from "../audit/changes.ts";
import { Problem } from "../platform/errors.ts";
import { requireMatch } from "../platform/etag.ts";
import { refuseWhereStatement } from "../platform/requirement.ts";
import { presentRow } from "../platform/rows.ts";
import { decideAct, type IncidentAct, type IncidentEdit } from "./decide.ts";
import { type IncidentRow, incidentStatements } from "./incidents.ts";

/** @throws Problem `not-found` */
export async function findIncident(db: D1Database, id: string): Promise<IncidentRow> {
  const row = await db.prepare("SELECT * FROM incidents WHERE id = ?").bind(id).first<IncidentRow>();
  if (!row) throw new Problem("not-found", "There is no incident with this id.");
  return row;
}

/**
 * What a person does about an incident, with one audit row, in one transaction that holds the version that was read. What changes
 * nothing writes nothing.
 * @throws Problem `not-found`, `precondition-failed` (a stale `If-Match`), `conflict`
 */
export async function actOnIncident(change: Change, id: string, act: IncidentAct, ifMatch: string | undefined): Promise<IncidentRow> {
  const { db, actor, now } = change;
  for (let attempt = 0; attempt < CHANGE_ATTEMPTS; attempt += 1) {
    const incident = await findIncident(db, id);
    requireMatch(ifMatch, incident.version);
    const edit = decideAct(incident, act, actor, now);
    if (!edit) return incident;
    try {
      await db.batch(editStatements(change, incident, act, edit));
      return await findIncident(db, id);
    } catch (error) {
      if ((await findIncident(db, id)).version === incident.version) throw error;
    }
  }
  throw new Problem("conflict", "Others change it all the time; try again.", { code: "CHANGED_MEANWHILE" });
}

function editStatements(change: Change, incident: IncidentRow, act: IncidentAct, edit: IncidentEdit): D1PreparedStatement[] {
  const { db, actor, now } = change;
  const before = Object.fromEntries(Object.keys(edit).map((field) => [field, incident[field as keyof IncidentRow]]));
  const details = { before: presentRow(before), after: presentRow(edit) };
  const audit = { actor, action: `incident.${act.kind}`, targetType: "incident", targetId: incident.id, details };
  const asRead = "SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM incidents WHERE id = ? AND version = ?)";
  return [
    refuseWhereStatement(db, asRead, [incident.id, incident.version]),
    ...(act.kind === "resolve"
      ? incidentStatements(db, [{ kind: "resolve", incident, resolvedBy: actor }], now)
      : [editStatement(db, incident, edit)]),
    auditStatement(db, audit, now),
  ];
}

function editStatement(db: D1Database, incident: IncidentRow, edit: IncidentEdit): D1PreparedStatement {
  const { acknowledged_at, acknowledged_by, notes } = { ...incident, ...edit };
  return db
    .prepare("UPDATE incidents SET acknowledged_at = ?, acknowledged_by = ?, notes = ?, version = version + 1 WHERE id = ?")
    .bind(acknowledged_at, acknowledged_by, notes, incident.id);
}
