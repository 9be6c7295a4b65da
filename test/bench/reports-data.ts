import { DAY_MS, HOUR_MS, utcDay } from "../../src/platform/time.ts";
import { AGGREGATE_COUNTERS, CONTEXT_VALUES, DAILY_SUMS, type DailySums, PLAY_VALUES } from "../../src/plays/tables.ts";
import type { Stack } from "../stack/stack.ts";
import { contentOf, fleetId } from "./fleet.ts";
import { insertStatements, networkRows } from "./seed.ts";

/** A retail network: every store's ten screens show all contents of the day. */
export const REPORT_NETWORK = { devices: 5000, stores: 500, contents: 40, campaigns: 10 };
export const REPORT_DAYS = 90;
/** Plays of one content in one store on one day: 500 stores × 40 contents × 90 days × 22 are 40 million. */
const PLAYS_A_ROW = 22;
/** So many days, with today, are not rolled up yet: all that there is of them by every dimension is hourly rows. */
const MARKED_DAYS = 2;
const OPEN_HOURS = 11;
/** Sums that no cron has merged yet, just short of where it would: of so many hours of today, a tenth of the stores a commit. */
const PENDING_HOURS = 5;
const PENDING_COMMITS_AN_HOUR = 10;
/** Single plays are there for so many devices: a report reads those of its devices only, and the rest would fill the disk. */
const DEVICES_WITH_PLAYS = 40;
const PLAYS_A_DEVICE_AND_DAY = 88;
const HOT_DAYS = 30;
const ROLLUP_RUNS_MAX = 10;

/** Fills the database: days that are over by the product's own rollup, days that still run as commits leave them. */
export async function fillReports(stack: Stack, now: number): Promise<void> {
  const days = Array.from({ length: REPORT_DAYS }, (_, back) => utcDay(now - back * DAY_MS));
  const over = days.slice(MARKED_DAYS);
  for (const day of over) {
    await stack.sql(hourly(day, 1));
    await stack.sql(mark(day, Date.parse(day) + DAY_MS));
  }
  await rollUpAll(stack);
  // The network comes behind the upkeep, which would call each of its devices.
  for (const statement of networkSql(now)) await stack.sql(statement);
  for (const day of days.slice(0, MARKED_DAYS)) {
    for (const statement of [
      hourly(day, OPEN_HOURS),
      mark(day, now),
      ...runningSql(day, day === days[0] ? OPEN_HOURS - PENDING_HOURS : OPEN_HOURS),
    ])
      await stack.sql(statement);
  }
  for (const day of days) await stack.sql(activity(day));
  for (const day of days.slice(0, HOT_DAYS)) await stack.sql(events(day));
}

/** Runs the hourly cron until no day is marked: it rolls up, and retires the hourly rows of days that were touched long ago. */
async function rollUpAll(stack: Stack): Promise<void> {
  for (let run = 0; run < ROLLUP_RUNS_MAX; run++) {
    await stack.cron("7 * * * *");
    // Connections that the runtime closed during so long a call are to be noticed before the next one is sent.
    await Bun.sleep(1000);
    const [marked] = await stack.sql<{ n: number }>("SELECT count(*) AS n FROM aggregate_days WHERE dirty = 1");
    if (marked?.n === 0) return;
  }
  throw new Error("the days were not rolled up");
}

/** The network's rows. Nothing is sent here, so no device has a key. */
function networkSql(now: number): string[] {
  const rows = networkRows(REPORT_NETWORK, [{ kid: "none", jwk: { kty: "RSA", n: "", e: "AQAB", alg: "RS256" }, privateKey: "" }], now);
  const { device_keys: _, device_assignments: __, ...named } = rows;
  return insertStatements(named);
}

function mark(day: string, touchedAt: number): string {
  return `INSERT INTO aggregate_days (generation, day, dirty, touched_at) VALUES (1, '${day}', 1, ${touchedAt})`;
}

const COUNTERS = AGGREGATE_COUNTERS.join(", ");

/** Counts of a row of `plays` plays, in the order of the counters: most are completed and billable. */
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

/** When the `n`-th open hour of a day begins, ms. */
function hourOf(day: string, n: number): number {
  return Date.parse(day) + (9 + n) * HOUR_MS;
}

/** A day's hourly rows, its plays spread over so many hours. */
function hourly(day: string, hours: number): string {
  const starts = JSON.stringify(Array.from({ length: hours }, (_, n) => hourOf(day, n)));
  return `INSERT INTO plays_hourly (generation, day, hour, campaign_id, ad_group_id, supplier_id, store_id, content_id, ${COUNTERS})
    SELECT 1, '${day}', h.value, c.value ->> 1, '', '${fleetId("supplier", 0)}', s.value, c.value ->> 0, ${counts(PLAYS_A_ROW / hours)}
    FROM json_each('${starts}') h CROSS JOIN json_each(${contents()}) c CROSS JOIN json_each(${list("store", REPORT_NETWORK.stores)}) s ORDER BY 3, 4, 7, 8`;
}

/** The sums by day of a day that runs: of its first hours in the tables, of the others as commits left them. */
function runningSql(day: string, mergedHours: number): string[] {
  const sums = AGGREGATE_COUNTERS.map((counter) => `sum(${counter}) AS ${counter}`).join(", ");
  const of = (terms: string, keys: readonly string[]) =>
    `SELECT ${["day", ...keys].join(", ")}, ${sums} FROM plays_hourly WHERE generation = 1 AND day = '${day}' AND ${terms} GROUP BY ${keys.join(", ")}`;
  const merged = DAILY_SUMS.map(
    ({ table, keys }) =>
      `INSERT INTO ${table} (generation, day, ${keys.join(", ")}, ${COUNTERS}) SELECT 1, * FROM (${of(`hour < ${hourOf(day, mergedHours)}`, keys)})`,
  );
  const packed = ({ keys }: DailySums, terms: string) =>
    `(SELECT json_group_array(json_array(day, ${[...keys, ...AGGREGATE_COUNTERS].join(", ")})) FROM (${of(terms, keys)}))`;
  const pending: string[] = [];
  for (let hour = mergedHours; hour < OPEN_HOURS; hour++) {
    for (let commit = 0; commit < PENDING_COMMITS_AN_HOUR; commit++) {
      const stores = Array.from({ length: REPORT_NETWORK.stores }, (_, n) => n).filter((n) => n % PENDING_COMMITS_AN_HOUR === commit);
      const terms = `hour = ${hourOf(day, hour)} AND store_id IN (${stores.map((n) => `'${fleetId("store", n)}'`).join(", ")})`;
      pending.push(
        `INSERT INTO plays_daily_pending (generation, id, ${DAILY_SUMS.map((kind) => kind.pending).join(", ")})
         SELECT 1, ${hour * PENDING_COMMITS_AN_HOUR + commit}, ${DAILY_SUMS.map((kind) => packed(kind, terms)).join(", ")}`,
      );
    }
  }
  return [...merged, ...pending];
}

function activity(day: string): string {
  return `INSERT INTO device_activity_daily (generation, day, device_id, plays_count, billable_count, total_duration_ms, last_activity_at)
    SELECT 1, '${day}', id, ${PLAYS_A_DEVICE_AND_DAY}, ${PLAYS_A_DEVICE_AND_DAY - 8}, ${PLAYS_A_DEVICE_AND_DAY * 15_000}, ${Date.parse(day)} FROM devices`;
}

/** Single plays, as commits write them: a row a chunk, here a device's day. */
function events(day: string): string {
  const start = Date.parse(day) + 9 * HOUR_MS;
  const known: Partial<Record<(typeof CONTEXT_VALUES)[number] | (typeof PLAY_VALUES)[number], string>> = {
    received_at: `${start}`,
    door: "'playback-log'",
    policy_version: "'1'",
    day: `'${day}'`,
    store_id: `'${fleetId("store", 0)}'`,
    supplier_id: `'${fleetId("supplier", 0)}'`,
    campaign_id: "c.value ->> 1",
    content_id: "c.value ->> 0",
    type: "'PLAY'",
    result: "'COMPLETED'",
    billable: "1",
    duration_ms: "15000",
    started_at: "t",
    event_id: "lower(hex(randomblob(18)))",
    expected_ms: "15000",
    quality: "100",
    epoch: "'0'",
    sequence: "n",
    record_hash: "lower(hex(randomblob(32)))",
  };
  const valuesOf = (columns: readonly (keyof typeof known)[]) => columns.map((column) => known[column] ?? "''").join(", ");
  return `WITH RECURSIVE n(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM n WHERE n < ${PLAYS_A_DEVICE_AND_DAY - 1})
    INSERT INTO chunk_plays (device_id, last_day, incarnation, number, first_day, plays_count, contexts_json, rows_json)
    SELECT d.value, '${day}', d.value, ${Math.floor(start / DAY_MS)}, '${day}', count(*), json_array(json_array(${valuesOf(CONTEXT_VALUES)}, 0, 0)),
      json_group_array(json_array(0, ${valuesOf(PLAY_VALUES)}, 15000))
    FROM json_each(${list("device", DEVICES_WITH_PLAYS)}) d CROSS JOIN (SELECT n, ${start} + n * 300000 AS t FROM n)
    JOIN json_each(${contents()}) c ON c.key = n % ${REPORT_NETWORK.contents} GROUP BY d.value`;
}

/** What the database must say: plays of all days, by every dimension. */
export const PLAYS_OF_A_DAY = REPORT_NETWORK.stores * REPORT_NETWORK.contents * PLAYS_A_ROW;
