import { DAY_MS, HOUR_MS, utcDay } from "../../src/platform/time.ts";
import { contentOf, fleetId } from "./fleet.ts";
import { insertStatements, networkRows } from "./seed.ts";

/** A retail network: every store's ten screens show all contents of the day. */
export const REPORT_NETWORK = { devices: 5000, stores: 500, contents: 40, campaigns: 10 };
export const REPORT_DAYS = 90;
/** Plays of one content in one store on one day: 500 stores × 40 contents × 90 days × 22 are 40 million. */
const PLAYS_A_ROW = 22;
/** So many days, with today, have no daily rows yet, but one an hour. */
const MARKED_DAYS = 2;
const OPEN_HOURS = 11;
/** Single plays are there for so many devices: a report reads those of its devices only, and the rest would fill the disk. */
const DEVICES_WITH_PLAYS = 40;
const PLAYS_A_DEVICE_AND_DAY = 88;
const HOT_DAYS = 30;

/** The network's rows. Nothing is sent here, so no device has a key. */
export function reportNetworkSql(now: number): string[] {
  const rows = networkRows(REPORT_NETWORK, [{ kid: "none", jwk: { kty: "RSA", n: "", e: "AQAB", alg: "RS256" }, privateKey: "" }], now);
  const { device_keys: _, device_assignments: __, ...named } = rows;
  return insertStatements(named);
}

const COUNTERS =
  "plays_count, completed_count, partial_count, skipped_count, interrupted_count, error_count, billable_count, starts_count, total_duration_ms";

/** Counts of a row of `plays` plays: most are completed and billable. */
function counts(plays: number): string {
  const [partial, skipped] = plays > 4 ? [1, 1] : [0, 0];
  return `${plays}, ${plays - partial - skipped}, ${partial}, ${skipped}, 0, 0, ${plays - partial - skipped}, 0, ${plays * 15_000}`;
}

function list(kind: "store" | "content" | "device", count: number): string {
  return `json('${JSON.stringify(Array.from({ length: count }, (_, n) => fleetId(kind, n)))}')`;
}

/** Each content with its campaign. */
function contents(): string {
  const pairs = Array.from({ length: REPORT_NETWORK.contents }, (_, n) => {
    const { content, campaign } = contentOf(REPORT_NETWORK, 0, n);
    return [fleetId("content", content), fleetId("campaign", campaign)];
  });
  return `json('${JSON.stringify(pairs)}')`;
}

/** Aggregates of 90 days up to today as SQL: daily rows, hourly rows of marked days, activity by device, single plays of some devices. */
export function aggregateSql(now: number): string[] {
  const days = Array.from({ length: REPORT_DAYS }, (_, back) => utcDay(now - back * DAY_MS));
  return days.flatMap((day, back) => {
    const marked = back < MARKED_DAYS;
    return [
      `INSERT INTO aggregate_days (generation, day, dirty, touched_at) VALUES (1, '${day}', ${marked ? 1 : 0}, ${now})`,
      marked ? hourly(day) : daily(day),
      `INSERT INTO device_activity_daily (generation, day, device_id, plays_count, billable_count, total_duration_ms, last_activity_at)
       SELECT 1, '${day}', id, ${PLAYS_A_DEVICE_AND_DAY}, ${PLAYS_A_DEVICE_AND_DAY - 8}, ${PLAYS_A_DEVICE_AND_DAY * 15_000}, ${Date.parse(day)} FROM devices`,
      ...(back < HOT_DAYS ? [events(day)] : []),
    ];
  });
}

function daily(day: string): string {
  return `INSERT INTO proof_of_play_aggregate_daily (generation, day, campaign_id, ad_group_id, supplier_id, store_id, content_id, ${COUNTERS})
    SELECT 1, '${day}', c.value ->> 1, '', '${fleetId("supplier", 0)}', s.value, c.value ->> 0, ${counts(PLAYS_A_ROW)}
    FROM json_each(${contents()}) c CROSS JOIN json_each(${list("store", REPORT_NETWORK.stores)}) s ORDER BY 3, 6, 7`;
}

function hourly(day: string): string {
  const firstHour = Date.parse(day) / HOUR_MS + 9;
  const hours = JSON.stringify(Array.from({ length: OPEN_HOURS }, (_, n) => firstHour + n));
  return `INSERT INTO plays_hourly (generation, day, hour, campaign_id, ad_group_id, supplier_id, store_id, content_id, ${COUNTERS})
    SELECT 1, '${day}', h.value, c.value ->> 1, '', '${fleetId("supplier", 0)}', s.value, c.value ->> 0, ${counts(PLAYS_A_ROW / OPEN_HOURS)}
    FROM json_each('${hours}') h CROSS JOIN json_each(${contents()}) c CROSS JOIN json_each(${list("store", REPORT_NETWORK.stores)}) s ORDER BY 3, 4, 7, 8`;
}

function events(day: string): string {
  const start = Date.parse(day) + 9 * HOUR_MS;
  return `WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < ${PLAYS_A_DEVICE_AND_DAY - 1})
    INSERT INTO proof_of_play_events (device_id, day, event_id, store_id, supplier_id, campaign_id, ad_group_id, playlist_id, content_id,
      content_version, slot_id, type, started_at_raw, ended_at_raw, started_at, ended_at, received_at, duration_ms, expected_ms, result, billable,
      quality, flags, door, epoch, sequence, record_hash, key_id, policy_version, correlation_id, chunk)
    SELECT d.value, '${day}', lower(hex(randomblob(18))), '${fleetId("store", 0)}', '${fleetId("supplier", 0)}', c.value ->> 1, '', '', c.value ->> 0,
      '', '', 'PLAY', t, t + 15000, t, t + 15000, t + 16000, 15000, 15000, 'COMPLETED', 1,
      100, '', 'playback-log', '0', n, lower(hex(randomblob(32))), '', '1', lower(hex(randomblob(16))), ''
    FROM json_each(${list("device", DEVICES_WITH_PLAYS)}) d CROSS JOIN (SELECT n, ${start} + n * 300000 AS t FROM n)
    JOIN json_each(${contents()}) c ON c.key = n % ${REPORT_NETWORK.contents} ORDER BY 1, 3`;
}
