import { uuidv7 } from "uuidv7";
import { refuseWhereStatement } from "../platform/requirement.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { manyEventsStatements } from "../webhooks/events.ts";
import type { incidents } from "./tables.ts";

export type Severity = "low" | "medium" | "high";

/** What can be wrong with a device or the pipeline, and how bad it is. */
export const INCIDENT_SEVERITY = {
  OFFLINE_DURING_HOURS: "high",
  PLAYBACK_STUCK: "high",
  DOWNLOAD_FAIL: "medium",
  LOW_STORAGE: "medium",
  CRASH_LOOP: "high",
  CLOCK_DRIFT: "medium",
  SEQUENCE_GAP: "low",
  PIPELINE_LAG: "high",
  ARCHIVE_MISMATCH: "high",
  TOKEN_REUSE: "high",
  CHUNK_CONFLICT: "high",
} as const satisfies Record<string, Severity>;

export type IncidentType = keyof typeof INCIDENT_SEVERITY;
export const INCIDENT_TYPES = Object.keys(INCIDENT_SEVERITY) as IncidentType[];

export type IncidentRow = typeof incidents.$inferSelect;

/** Something that is wrong now. `deviceId` is '' for what is no device's. */
export interface Finding {
  deviceId: string;
  type: IncidentType;
  details: Record<string, unknown>;
}

/** An opening or a resolving, decided on what was read. `resolvedBy` is null where the cause is gone. */
export type IncidentChange = { kind: "open"; finding: Finding } | { kind: "resolve"; incident: IncidentRow; resolvedBy: string | null };

/**
 * The changes that lead from the incidents that are open to those that should be. Pure.
 * @param findings all that is wrong now, as far as `covered` goes
 * @param covered whether these findings would tell of this incident's cause: only such incidents are resolved
 */
export function incidentChanges(
  findings: readonly Finding[],
  open: readonly IncidentRow[],
  covered: (incident: IncidentRow) => boolean,
): IncidentChange[] {
  const keyOf = (deviceId: string, type: string) => `${type} ${deviceId}`;
  const found = new Map(findings.map((finding) => [keyOf(finding.deviceId, finding.type), finding]));
  const known = new Set(open.map((incident) => keyOf(incident.device_id, incident.type)));
  return [
    ...[...found].flatMap(([key, finding]): IncidentChange[] => (known.has(key) ? [] : [{ kind: "open", finding }])),
    ...open.flatMap((incident): IncidentChange[] =>
      covered(incident) && !found.has(keyOf(incident.device_id, incident.type)) ? [{ kind: "resolve", incident, resolvedBy: null }] : [],
    ),
  ];
}

/**
 * The statements of openings and resolvings: every one of the product's passes through here. They take their `batch()` back where
 * an incident of that device and type was opened, or one of these was resolved, since the changes were decided; `commitIncidents`
 * then decides anew. So what else is written for a change is written exactly once for it.
 */
export function incidentStatements(db: D1Database, changes: readonly IncidentChange[], now: number): D1PreparedStatement[] {
  const opened = changes.flatMap((change) => (change.kind === "open" ? [openedRow(change.finding, now)] : []));
  const resolved = changes.flatMap((change) => (change.kind === "resolve" ? [change] : []));
  const ids = resolved.map(({ incident, resolvedBy }) => [incident.id, resolvedBy]);
  return [
    ...(opened.length > 0 ? [openStatement(db, opened)] : []),
    ...(resolved.length > 0 ? resolveStatements(db, ids, now) : []),
    ...manyEventsStatements(db, "incident.opened", opened.map(presentIncident), now),
    ...manyEventsStatements(
      db,
      "incident.resolved",
      resolved.map((change) => presentIncident(resolvedRow(change, now))),
      now,
    ),
  ];
}

/** A new incident, as its row is written and its event told. */
export function openedRow({ deviceId, type, details }: Finding, now: number): IncidentRow {
  const none = { acknowledged_at: null, acknowledged_by: null, notes: null, resolved_at: null, resolved_by: null };
  const details_json = JSON.stringify(details);
  return { id: uuidv7(), device_id: deviceId, type, severity: INCIDENT_SEVERITY[type], details_json, created_at: now, ...none, version: 1 };
}

function resolvedRow({ incident, resolvedBy }: Extract<IncidentChange, { kind: "resolve" }>, now: number): IncidentRow {
  return { ...incident, resolved_at: now, resolved_by: resolvedBy, version: incident.version + 1 };
}

/** An incident as the API shows it, and as events tell of it. */
export function presentIncident(incident: Row): Row {
  return { ...presentRow(incident), device_id: incident.device_id || null };
}

function openStatement(db: D1Database, rows: IncidentRow[]): D1PreparedStatement {
  // Plain: where one is open already, the unique index refuses it, and the batch with it.
  return db
    .prepare(
      `INSERT INTO incidents (id, device_id, type, severity, details_json, created_at)
       SELECT value ->> 'id', value ->> 'device_id', value ->> 'type', value ->> 'severity', value ->> 'details_json', value ->> 'created_at'
       FROM json_each(?)`,
    )
    .bind(JSON.stringify(rows));
}

function resolveStatements(db: D1Database, rows: (string | null)[][], now: number): D1PreparedStatement[] {
  const list = JSON.stringify(rows);
  return [
    refuseWhereStatement(
      db,
      "SELECT 1 FROM json_each(?) k LEFT JOIN incidents i ON i.id = k.value ->> 0 WHERE i.id IS NULL OR i.resolved_at IS NOT NULL",
      [list],
    ),
    db
      .prepare(
        `UPDATE incidents SET resolved_at = ?2, version = version + 1,
           resolved_by = (SELECT k.value ->> 1 FROM json_each(?1) k WHERE k.value ->> 0 = incidents.id)
         WHERE id IN (SELECT k.value ->> 0 FROM json_each(?1) k)`,
      )
      .bind(list, now),
  ];
}

const COMMIT_ROUNDS = 5;
const DECIDED_ON_OLD_STATE = /UNIQUE constraint failed: incidents|malformed JSON/;

/** What is to be written in one transaction: changes of incidents, and what goes with them. */
export interface IncidentCommit<T> {
  changes: IncidentChange[];
  /** Written in the same transaction, ahead of the changes. */
  alongside?: D1PreparedStatement[];
  result: T;
}

/**
 * Reads, decides and commits; begins again where somebody else opened or resolved one of these incidents in between. `decide`
 * reads what it decides on, afresh each time. Nothing to write costs no write.
 * @throws what D1 throws, and what `decide` throws
 */
export async function commitIncidents<T>(db: D1Database, now: number, decide: () => Promise<IncidentCommit<T>>): Promise<T> {
  for (let round = 1; ; round++) {
    const { changes, alongside = [], result } = await decide();
    const statements = [...alongside, ...incidentStatements(db, changes, now)];
    if (statements.length === 0) return result;
    try {
      await db.batch(statements);
      return result;
    } catch (error) {
      if (round >= COMMIT_ROUNDS || !DECIDED_ON_OLD_STATE.test(String(error))) throw error;
    }
  }
}

/** The open incidents of these devices ('' among them, for what is no device's). */
export async function openIncidentsOf(db: D1Database, deviceIds: readonly string[]): Promise<IncidentRow[]> {
  if (deviceIds.length === 0) return [];
  const { results } = await db
    .prepare("SELECT i.* FROM json_each(?) k CROSS JOIN incidents i ON i.device_id = k.value AND i.resolved_at IS NULL")
    .bind(JSON.stringify(deviceIds))
    .all<IncidentRow>();
  return results;
}

/** Opens incidents where none of their device and type is open, with what belongs to them, in one transaction. */
export async function openIncidents(
  db: D1Database,
  findings: readonly Finding[],
  now: number,
  alongside: D1PreparedStatement[],
): Promise<void> {
  await commitIncidents(db, now, async () => {
    const open = await openIncidentsOf(
      db,
      findings.map(({ deviceId }) => deviceId),
    );
    return { changes: incidentChanges(findings, open, () => false), alongside, result: undefined };
  });
}
