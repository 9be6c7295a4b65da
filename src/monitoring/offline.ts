import { DEFAULT_HEARTBEAT_INTERVAL_S, MISSED_HEARTBEATS, REPORT_EVERY_MS, SILENCE_SLACK_HEARTBEATS } from "../devices/heartbeat-limits.ts";
import { WATCHED_TYPES } from "../devices/heartbeat-watch.ts";
import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { MINUTE_MS, SECOND_MS, toIso } from "../platform/time.ts";
import type { OperatingHours } from "../stores/hours.ts";
import { isOpenAt } from "../stores/opening.ts";
import { commitIncidents, type Finding, type IncidentRow, incidentChanges } from "./incidents.ts";

/** For the queue and its consumer, on top of the rarest that a report comes. */
const REPORT_LATE_MS = 2 * MINUTE_MS;
/** Devices that one run asks after. More are unreported only where the queue or its consumer is held up; the next runs take them. */
const ASKED_PER_RUN = 300;
const ASKED_AT_ONCE = 50;
/** Incidents that one run opens and resolves: each is told to webhooks in the same transaction. The next runs take the rest. */
export const CHANGES_PER_RUN = 400;

/** What a run did, for its log line. */
export interface OfflineResult {
  /** Devices that had not been reported for too long, and were asked after. */
  asked: number;
  /** Of these, those that are silent. */
  silent: number;
  opened: number;
  resolved: number;
}

/**
 * Settles who is offline, each minute. Devices' objects report silence by themselves; where nobody reported anything for too long, the
 * object is asked, so that a report that got lost, or a queue that is held up, neither hides a silence nor makes one up. Then opens
 * `OFFLINE_DURING_HOURS` for those whose store is open, and resolves it for those that are back or not watched any more.
 * @param now ms since 1970
 */
export async function watchOffline(env: Pick<Env, "DB" | "SEQUENCER">, now: number): Promise<OfflineResult> {
  // A revoked device is expected to be silent.
  await env.DB.prepare("UPDATE devices SET offline_at = NULL WHERE offline_at IS NOT NULL AND status <> 'active'").run();
  const asked = await askUnreported(env, now);
  const { opened, resolved } = await commitIncidents(env.DB, now, async () => {
    const [offline, open] = await readOffline(env.DB);
    const findings = offline.filter((device) => isOfflineDuringHours(device, now)).map(findingOf);
    // Those that are still offline are not asked again: an incident lasts until the device is back, through the night too.
    const over = new Set(open.filter(({ over }) => over === 1).map(({ id }) => id));
    const changes = incidentChanges(findings, open, ({ id }) => over.has(id)).slice(0, CHANGES_PER_RUN);
    const count = (kind: string) => changes.filter((change) => change.kind === kind).length;
    return { changes, result: { opened: count("open"), resolved: count("resolve") } };
  });
  return { ...asked, opened, resolved };
}

interface UnreportedRow {
  id: string;
  last_seen_at: number;
}

async function askUnreported(env: Pick<Env, "DB" | "SEQUENCER">, now: number): Promise<{ asked: number; silent: number }> {
  // A scan of the devices: an index on last_seen_at would cost a thousand times more in writes than it saves in reads.
  const { results } = await env.DB.prepare(
    `SELECT d.id, d.last_seen_at FROM devices d LEFT JOIN device_groups g ON g.id = d.group_id
     WHERE d.status = 'active' AND d.offline_at IS NULL
       AND d.last_seen_at < ?1 - ?2 * coalesce(g.policy_json ->> 'heartbeat_interval_s', ${DEFAULT_HEARTBEAT_INTERVAL_S})
     ORDER BY d.last_seen_at LIMIT ${ASKED_PER_RUN}`,
  )
    .bind(now - REPORT_EVERY_MS - REPORT_LATE_MS, (MISSED_HEARTBEATS + SILENCE_SLACK_HEARTBEATS) * SECOND_MS)
    .all<UnreportedRow>();
  const found: [id: string, at: number, silent: number][] = [];
  for (let from = 0; from < results.length; from += ASKED_AT_ONCE) {
    const rows = results.slice(from, from + ASKED_AT_ONCE);
    const answers = await Promise.allSettled(rows.map(({ id }) => env.SEQUENCER.getByName(id).lastHeard()));
    answers.forEach((answer, index) => {
      const row = rows[index];
      if (!row) return;
      if (answer.status === "rejected") log("warn", "device not asked after", { error: describeError(answer.reason) });
      // An object that knows of no heartbeat has lost its storage: D1 knows better.
      else found.push(answer.value ? [row.id, answer.value.at, answer.value.silent ? 1 : 0] : [row.id, row.last_seen_at, 1]);
    });
  }
  if (found.length > 0) await env.DB.batch([noteStatement(env.DB, found)]);
  return { asked: results.length, silent: found.filter(([, , silent]) => silent === 1).length };
}

function noteStatement(db: D1Database, found: [id: string, at: number, silent: number][]): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE devices SET last_seen_at = r.at, offline_at = CASE WHEN r.silent THEN r.at END
       FROM (SELECT value ->> 0 AS id, value ->> 1 AS at, value ->> 2 AS silent FROM json_each(?)) r
       WHERE devices.id = r.id AND devices.last_seen_at <= r.at AND devices.status = 'active'`,
    )
    .bind(JSON.stringify(found));
}

/** A device that is offline, without an open incident about it; and its store. Times in ms. */
export interface OfflineDevice {
  id: string;
  offline_at: number;
  /** When the player that is paired now was paired. */
  paired_at: number;
  interval_s: number;
  store_id: string;
  timezone: string;
  operating_hours: OperatingHours | null;
}

/**
 * Whether a device misses heartbeats while its store is open: open now, and for as long as three heartbeats take, so that a player that
 * is switched on with the lights is not missed at the minute of opening. Pure.
 */
export function isOfflineDuringHours(device: OfflineDevice, now: number): boolean {
  const { operating_hours: hours, timezone, offline_at, paired_at } = device;
  const missed = now - MISSED_HEARTBEATS * device.interval_s * SECOND_MS;
  return Math.max(offline_at, paired_at) <= missed && isOpenAt(hours, timezone, now) && isOpenAt(hours, timezone, missed);
}

function findingOf({ id, offline_at, store_id }: OfflineDevice): Finding {
  return { deviceId: id, type: "OFFLINE_DURING_HOURS", details: { last_seen_at: toIso(offline_at), store_id } };
}

/** An open incident, and whether its cause is over: its device is back, gone, in no store, or revoked. */
type WatchedIncident = IncidentRow & { over: number };

async function readOffline(db: D1Database): Promise<[OfflineDevice[], WatchedIncident[]]> {
  const watched = WATCHED_TYPES.map((type) => `'${type}'`).join(", ");
  const [offline, open] = await db.batch([
    db.prepare(
      `SELECT d.id, d.offline_at, coalesce(f.created_at, 0) AS paired_at, d.store_id, s.timezone, s.operating_hours_json,
         coalesce(g.policy_json ->> 'heartbeat_interval_s', ${DEFAULT_HEARTBEAT_INTERVAL_S}) AS interval_s
       FROM devices d JOIN stores s ON s.id = d.store_id LEFT JOIN device_groups g ON g.id = d.group_id
         LEFT JOIN token_families f ON f.id = d.token_family_id
       WHERE d.offline_at IS NOT NULL AND d.status = 'active' AND NOT EXISTS (
         SELECT 1 FROM incidents i WHERE i.device_id = d.id AND i.type = 'OFFLINE_DURING_HOURS' AND i.resolved_at IS NULL)`,
    ),
    // Of the other types only those whose device is not watched any more: the rest is for reports to tell.
    db.prepare(
      `SELECT i.*, CASE i.type
           WHEN 'OFFLINE_DURING_HOURS' THEN coalesce(d.status, '') <> 'active' OR d.offline_at IS NULL OR d.store_id IS NULL
           WHEN 'TOKEN_REUSE' THEN coalesce(d.status, '') <> 'active' OR d.token_family_id <> i.details_json ->> 'family_id'
           ELSE coalesce(d.status, '') <> 'active' END AS over
       FROM incidents i LEFT JOIN devices d ON d.id = i.device_id
       WHERE i.resolved_at IS NULL AND i.type IN ('OFFLINE_DURING_HOURS', 'TOKEN_REUSE', ${watched})`,
    ),
  ]);
  const hours = hoursReader();
  return [
    ((offline?.results ?? []) as unknown as (Omit<OfflineDevice, "operating_hours"> & { operating_hours_json: string | null })[]).map(
      ({ operating_hours_json, ...device }) => ({ ...device, operating_hours: hours(operating_hours_json) }),
    ),
    ((open?.results ?? []) as unknown as WatchedIncident[]).map((incident) => ({ ...incident, over: incident.over ?? 0 })),
  ];
}

/** Reads opening hours, each text once: many devices stand in one store. */
function hoursReader(): (json: string | null) => OperatingHours | null {
  const known = new Map<string, OperatingHours>();
  return (json) => {
    if (json === null) return null;
    const hours = known.get(json) ?? (JSON.parse(json) as OperatingHours);
    known.set(json, hours);
    return hours;
  };
}
