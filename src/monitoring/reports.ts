import { STUCK_AFTER_MS } from "../devices/heartbeat-limits.ts";
import { WATCHED_TYPES } from "../devices/heartbeat-watch.ts";
import { type CommandResult, type DeviceReport, reportSchema } from "../devices/report.ts";
import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { commitIncidents, type Finding, type IncidentCommit, type IncidentRow, incidentChanges, openIncidentsOf } from "./incidents.ts";
import { type PlanStretch, playsThroughout, readPlanStretches } from "./plan-loops.ts";

const RETRY_DELAY_FIRST_S = 5;
const RETRY_DELAY_MAX_S = 600;
/** D1 takes no parameter over 2 MB; a character has three bytes at most. */
const PARAMETER_MAX_CHARS = 500_000;

/**
 * The consumer of `device-reports`: what devices' objects tell of their heartbeats. Many devices to one transaction: what is known of
 * them, incidents that open or are over, results of commands. Safe twice and in any order: of each device the newest counts.
 */
export async function recordReports(batch: MessageBatch<unknown>, env: Pick<Env, "DB">, now: number): Promise<void> {
  const reports = batch.messages.flatMap(({ id, body }) => {
    const parsed = reportSchema.safeParse(body);
    // The next report tells all of it again.
    if (!parsed.success) log("error", "device report not readable", { id, error: describeError(parsed.error) });
    return parsed.success ? [parsed.data] : [];
  });
  try {
    if (reports.length > 0) await commitIncidents(env.DB, now, () => decideReports(env.DB, reports));
    for (const message of batch.messages) message.ack();
  } catch (error) {
    log("error", "device reports not recorded", { messages: batch.messages.length, error: describeError(error) });
    for (const message of batch.messages) message.retry({ delaySeconds: retryDelayS(message.attempts) });
  }
}

function retryDelayS(attempts: number): number {
  return Math.min(RETRY_DELAY_FIRST_S * 2 ** Math.max(0, Math.min(attempts, 20) - 1), RETRY_DELAY_MAX_S);
}

/** What D1 knows of a device that a report is about. */
export interface KnownDevice {
  id: string;
  status: string;
  last_seen_at: number | null;
}

async function decideReports(db: D1Database, reports: DeviceReport[]): Promise<IncidentCommit<void>> {
  const ids = [...new Set(reports.map(({ device_id }) => device_id))];
  const { results: known } = await db
    .prepare("SELECT d.id, d.status, d.last_seen_at FROM json_each(?) k CROSS JOIN devices d ON d.id = k.value")
    .bind(JSON.stringify(ids))
    .all<KnownDevice>();
  const current = currentReports(reports, known);
  const open = await openIncidentsOf(
    db,
    current.map(({ device_id }) => device_id),
  );
  const stuck = current.filter((report) => isNewlyStuck(report, open));
  const plans = await readPlanStretches(
    db,
    stuck.map(({ device_id }) => device_id),
    Math.min(...stuck.map(stuckSince)),
    Math.max(...stuck.map(({ at }) => at)),
  );
  const changes = incidentChanges(findingsOf(current, open, plans), open, (incident) => isTold(incident, current));
  const results = reports.flatMap(({ device_id, results }) => results.map((result) => ({ deviceId: device_id, ...result })));
  return { changes, alongside: [...deviceStatements(db, current), ...resultStatements(db, results)], result: undefined };
}

/** Of each device that is paired the newest report, unless D1 knows newer. Pure. */
export function currentReports(reports: readonly DeviceReport[], known: readonly KnownDevice[]): DeviceReport[] {
  const newest = new Map<string, DeviceReport>();
  for (const report of reports) {
    const other = newest.get(report.device_id);
    // Of the same instant, the silence is what came after.
    if (!other || report.at > other.at || (report.at === other.at && report.silent)) newest.set(report.device_id, report);
  }
  return known.flatMap(({ id, status, last_seen_at }) => {
    const report = newest.get(id);
    return report && status === "active" && report.at >= (last_seen_at ?? 0) ? [report] : [];
  });
}

/** All that the reports say is wrong. Playing is stuck only where there has been something to play all the time. Pure. */
export function findingsOf(
  reports: readonly DeviceReport[],
  open: readonly IncidentRow[],
  plans: ReadonlyMap<string, readonly PlanStretch[]>,
): Finding[] {
  return reports.flatMap((report) =>
    report.findings
      .filter(
        ({ type }) =>
          type !== "PLAYBACK_STUCK" ||
          !isNewlyStuck(report, open) ||
          playsThroughout(plans.get(report.device_id) ?? [], stuckSince(report), report.at),
      )
      .map(({ type, details }) => ({ deviceId: report.device_id, type, details })),
  );
}

function isNewlyStuck(report: DeviceReport, open: readonly IncidentRow[]): boolean {
  return (
    report.findings.some(({ type }) => type === "PLAYBACK_STUCK") &&
    !open.some(({ device_id, type }) => device_id === report.device_id && type === "PLAYBACK_STUCK")
  );
}

function stuckSince({ at, findings }: DeviceReport): number {
  const limitS = findings.find(({ type }) => type === "PLAYBACK_STUCK")?.details.limit_s;
  return at - (typeof limitS === "number" ? limitS * 1000 : STUCK_AFTER_MS);
}

/** Whether the reports would tell of an incident's cause: a device that is heard of is not offline; of a silent one nothing else is known. */
function isTold({ device_id, type }: IncidentRow, reports: readonly DeviceReport[]): boolean {
  const told = reports.some((report) => report.device_id === device_id && !report.silent);
  return told && (type === "OFFLINE_DURING_HOURS" || WATCHED_TYPES.some((watched) => watched === type));
}

/** One statement for all devices: a row each. */
function deviceStatements(db: D1Database, reports: readonly DeviceReport[]): D1PreparedStatement[] {
  if (reports.length === 0) return [];
  const rows = reports.map(({ device_id, at, silent, player_version, heartbeat }) => [
    device_id,
    at,
    silent ? 1 : 0,
    player_version,
    heartbeat === null ? null : JSON.stringify(heartbeat),
  ]);
  return [
    db
      .prepare(
        `UPDATE devices SET last_seen_at = r.at, offline_at = CASE WHEN r.silent THEN r.at END,
           player_version = coalesce(r.player_version, devices.player_version), heartbeat_json = coalesce(r.heartbeat_json, devices.heartbeat_json)
         FROM (SELECT value ->> 0 AS id, value ->> 1 AS at, value ->> 2 AS silent, value ->> 3 AS player_version, value ->> 4 AS heartbeat_json
               FROM json_each(?)) r
         WHERE devices.id = r.id AND coalesce(devices.last_seen_at, 0) <= r.at AND devices.status = 'active'`,
      )
      .bind(JSON.stringify(rows)),
  ];
}

/** The device's word is the last: it counts for a command that had expired or was cancelled meanwhile, too. */
function resultStatements(db: D1Database, results: readonly (CommandResult & { deviceId: string })[]): D1PreparedStatement[] {
  if (results.length === 0) return [];
  // Of one command the first word.
  const first = new Map(results.toReversed().map((result) => [`${result.deviceId} ${result.id}`, result]));
  const rows = [...first.values()].map(({ id, deviceId, status, detail, at }) =>
    JSON.stringify([id, deviceId, status, detail && JSON.stringify(detail), at]),
  );
  return inParameters(rows).map((parameter) =>
    db
      .prepare(
        `UPDATE device_commands SET status = r.status, result_json = r.result_json, settled_at = r.at
         FROM (SELECT value ->> 0 AS id, value ->> 1 AS device_id, value ->> 2 AS status, value ->> 3 AS result_json, value ->> 4 AS at
               FROM json_each(?)) r
         WHERE device_commands.id = r.id AND device_commands.device_id = r.device_id AND device_commands.status NOT IN ('done', 'failed')`,
      )
      .bind(parameter),
  );
}

/** Rows of JSON as lists that each fit into a parameter. */
function inParameters(rows: readonly string[]): string[] {
  const lists: string[][] = [];
  let chars = PARAMETER_MAX_CHARS;
  for (const row of rows) {
    if (chars + row.length > PARAMETER_MAX_CHARS) {
      lists.push([]);
      chars = 0;
    }
    lists.at(-1)?.push(row);
    chars += row.length + 1;
  }
  return lists.map((list) => `[${list.join()}]`);
}
