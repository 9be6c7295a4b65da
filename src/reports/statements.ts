import { AGGREGATE_COUNTERS, AGGREGATE_KEYS, PLAY_VALUES } from "../plays/tables.ts";
import {
  addDays,
  FILTER_COLUMNS,
  GROUP_COLUMNS,
  type GroupKey,
  type GroupPosition,
  type ReportFilters,
  type ReportQuery,
} from "./query.ts";
import type { ReportSource } from "./source.ts";

/** SQL with its values, to be bound in order. */
export interface Statement {
  sql: string;
  values: (string | number | null)[];
}

/** What a statement reads: a query's range and filters, from one source. */
export interface Reading {
  source: ReportSource;
  query: Pick<ReportQuery, "from" | "to" | "groupBy" | "filters">;
  /** The generation of the aggregates to read; null: the live one. */
  generation: number | null;
}

/** The figures that each source has. */
export const SOURCE_COUNTERS = {
  aggregates: AGGREGATE_COUNTERS,
  events: AGGREGATE_COUNTERS,
  device_activity: ["plays_count", "billable_count", "total_duration_ms"],
} as const satisfies Record<ReportSource, readonly string[]>;

/** The figures of a row that is grouped by status. */
export const STATUS_COUNTERS = ["plays_count", "billable_count", "total_duration_ms"] as const;

/** Where the name of a group's id stands. Ids without a row there keep a null name: a play is never dropped for it. */
export const NAMES: Partial<Record<GroupKey, { table: string; column: string; as: string }>> = {
  campaign: { table: "campaigns", column: "name", as: "campaign_name" },
  ad_group: { table: "ad_groups", column: "name", as: "ad_group_name" },
  store: { table: "stores", column: "name", as: "store_name" },
  supplier: { table: "suppliers", column: "name", as: "supplier_name" },
  content: { table: "content", column: "name", as: "content_name" },
  device: { table: "devices", column: "external_name", as: "device_name" },
};

/** Numbers the values of a statement, so that one value may stand in several places. */
class Values {
  readonly list: (string | number | null)[] = [];
  add(value: string | number | null): string {
    return `?${this.list.push(value)}`;
  }
}

/** The generation that {@link Reading} means, as long as it exists: pages of one report stay on one generation. */
export function generationStatement(generation: number | null): Statement {
  return {
    sql: `SELECT id FROM aggregate_generations WHERE ${generation === null ? "live = 1" : "id = ?1"}`,
    values: generation === null ? [] : [generation],
  };
}

/** By status, only plays are told: not statuses without one, and not starts, which have none. */
const HAVING_PLAYS = " HAVING sum(plays_count) > 0";

/** The groups behind `after`, sorted by their keys, `limit` at most, with names. */
export function groupsStatement(reading: Reading, after: GroupPosition | null, limit: number): Statement {
  const values = new Values();
  const { groupBy } = reading.query;
  const columns = groupBy.map((key) => GROUP_COLUMNS[key]);
  const order = columns.join(", ");
  const behind = after ? ` WHERE (${order}) > (${after.map((value) => values.add(value)).join(", ")})` : "";
  const names = groupBy.flatMap((key) => {
    const name = NAMES[key];
    return name ? [{ ...name, id: GROUP_COLUMNS[key] }] : [];
  });
  const sql = `WITH page AS (
    SELECT ${order}, ${figures(reading).join(", ")} FROM (${relation(reading, values)})${behind}
    GROUP BY ${order}${groupBy.includes("status") ? HAVING_PLAYS : ""} ORDER BY ${order} LIMIT ${values.add(limit)})
  SELECT page.*${names.map(({ table, column, as }) => `, ${table}.${column} AS ${as}`).join("")} FROM page
  ${names.map(({ table, id }) => `LEFT JOIN ${table} ON ${table}.id = page.${id}`).join(" ")}
  ORDER BY ${columns.map((column) => `page.${column}`).join(", ")}`;
  return { sql, values: values.list };
}

/** The sums of the whole range under the filters: one row. */
export function totalsStatement(reading: Reading): Statement {
  const values = new Values();
  const whole: Reading = { ...reading, query: { ...reading.query, groupBy: [] } };
  const sums = SOURCE_COUNTERS[reading.source].map((counter) => `coalesce(sum(${counter}), 0) AS ${counter}`);
  return { sql: `SELECT ${sums.join(", ")} FROM (${relation(whole, values)})`, values: values.list };
}

function figures({ source, query }: Reading): string[] {
  if (!query.groupBy.includes("status")) return SOURCE_COUNTERS[source].map((counter) => `sum(${counter}) AS ${counter}`);
  return STATUS_COUNTERS.map((counter) => `sum(${counter}) AS ${counter}`);
}

/** Rows with the group's columns and figures, not yet grouped to the end. */
function relation(reading: Reading, values: Values): string {
  if (reading.source === "events") return eventRows(reading, values);
  if (reading.source === "device_activity") return deviceActivity(reading, values);
  return reading.query.groupBy.includes("status") ? statusRows(reading, values) : aggregateRows(reading, values);
}

function generation({ generation }: Reading, values: Values): string {
  return generation === null ? "(SELECT id FROM aggregate_generations WHERE live = 1)" : values.add(generation);
}

/**
 * Hourly rows of marked days, daily rows of all others, in one statement and so of one state. With a campaign filter the days
 * are listed one by one, so that the key (generation, day, campaign) is sought; without, one range of the key is read.
 */
function aggregateRows(reading: Reading, values: Values): string {
  const { from, to, groupBy, filters } = reading.query;
  const live = generation(reading, values);
  const range = `BETWEEN ${values.add(from)} AND ${values.add(to)}`;
  const marked = `SELECT day FROM aggregate_days WHERE generation = ${live} AND day ${range} AND dirty = 1 AND hourly_retired_at IS NULL`;
  const clean = filters.campaign_id
    ? `day IN (SELECT value FROM json_each(${values.add(JSON.stringify(daysOf(from, to)))}) EXCEPT ${marked})`
    : `day ${range} AND day NOT IN (${marked})`;
  const narrowed = filterTerms(filters, values);
  const columns = [...groupBy.map((key) => GROUP_COLUMNS[key]), ...AGGREGATE_COUNTERS.map((counter) => `sum(${counter}) AS ${counter}`)];
  return `SELECT ${columns.join(", ")} FROM proof_of_play_aggregate_daily
      WHERE generation = ${live} AND ${clean}${narrowed}${firstGrouping(groupBy, ["generation", "day"])}
    UNION ALL
    SELECT ${columns.join(", ")} FROM plays_hourly
      WHERE generation = ${live} AND day IN (${marked})${narrowed}${firstGrouping(groupBy, ["generation", "day", "hour"])}`;
}

/** How many columns of the key may lead a first grouping: behind the supplier, the rows are too many for it to help. */
const STREAMED_KEYS = 3;
const KEY_ORDER: readonly string[] = AGGREGATE_KEYS;

/**
 * The first grouping of a branch. Where the groups need only the key's first columns, it is along the key, which needs no
 * sorting and leaves few rows for the second grouping: half the time for campaigns over 90 days.
 */
function firstGrouping(groupBy: GroupKey[], lead: string[]): string {
  const columns = groupBy.filter((key) => key !== "status").map((key) => GROUP_COLUMNS[key]);
  if (columns.length === 0) return "";
  const depth = Math.max(...columns.map((column) => KEY_ORDER.indexOf(column))) + 1;
  const grouped: string[] = depth <= STREAMED_KEYS ? [...lead, ...AGGREGATE_KEYS.slice(0, depth)] : columns;
  return ` GROUP BY ${grouped.join(", ")}`;
}

/** The aggregates by status: one row of counts becomes one row each status. How long each status lasted they do not know. */
function statusRows(reading: Reading, values: Values): string {
  const { query } = reading;
  const kept = query.groupBy.filter((key) => key !== "status");
  const inner = aggregateRows({ ...reading, query: { ...query, groupBy: kept } }, values);
  const count = `CASE status WHEN 'COMPLETED' THEN completed_count WHEN 'PARTIAL' THEN partial_count WHEN 'SKIPPED' THEN skipped_count
    WHEN 'INTERRUPTED' THEN interrupted_count ELSE error_count END`;
  return `SELECT ${[...kept.map((key) => GROUP_COLUMNS[key]), "status"].join(", ")}, ${count} AS plays_count,
    CASE status WHEN 'COMPLETED' THEN billable_count ELSE 0 END AS billable_count, NULL AS total_duration_ms
    FROM (${inner}) CROSS JOIN (SELECT value AS status FROM json_each('["COMPLETED","PARTIAL","SKIPPED","INTERRUPTED","ERROR"]'))`;
}

/** Single plays. The key leads with the device, so the devices come first: those asked for, else those active in the range. */
function eventRows(reading: Reading, values: Values): string {
  const { from, to, groupBy, filters } = reading.query;
  const range = `BETWEEN ${values.add(from)} AND ${values.add(to)}`;
  const devices = filters.device_id
    ? `SELECT DISTINCT value AS id FROM json_each(${values.add(JSON.stringify(filters.device_id))})`
    : `SELECT DISTINCT device_id AS id FROM device_activity_daily WHERE generation = ${generation(reading, values)} AND day ${range}`;
  const { device_id: _, ...others } = filters;
  const columns = groupBy.map((key) => (key === "status" ? "result AS status" : GROUP_COLUMNS[key]));
  // Materialised: SQLite would otherwise write each play out as text again for each of its values.
  return `SELECT ${[...columns, ...EVENT_FIGURES].join(", ")} FROM (
    WITH plays AS MATERIALIZED (
      SELECT device_id, j.value AS play FROM (${devices}) AS active
        CROSS JOIN chunk_plays ON device_id = active.id AND last_day >= ${values.add(from)} AND first_day <= ${values.add(to)}
        CROSS JOIN json_each(plays_json) j
    ) SELECT device_id, ${REPORTED_VALUES} FROM plays
  ) WHERE day ${range}${filterTerms(others, values)}`;
}

/** What reports ask of a single play, by its place in the chunk's row. */
const REPORTED_VALUES = PLAY_VALUES.slice(0, PLAY_VALUES.indexOf("started_at"))
  .map((column, index) => `play ->> ${index + 1} AS ${column}`)
  .join(", ");

/** A start counts as a start and never as a play; its end, or its time-out, is the play. */
const IS_PLAY = "type <> 'PLAY_START'";
const ended = (result: string) => `(${IS_PLAY} AND result = '${result}')`;
const EVENT_FIGURES = [
  `${IS_PLAY} AS plays_count`,
  `${ended("COMPLETED")} AS completed_count`,
  `${ended("PARTIAL")} AS partial_count`,
  `${ended("SKIPPED")} AS skipped_count`,
  `${ended("INTERRUPTED")} AS interrupted_count`,
  `${ended("ERROR")} AS error_count`,
  `(${IS_PLAY} AND billable = 1) AS billable_count`,
  "type = 'PLAY_START' AS starts_count",
  `CASE WHEN ${IS_PLAY} THEN duration_ms ELSE 0 END AS total_duration_ms`,
];

function deviceActivity(reading: Reading, values: Values): string {
  const { from, to, groupBy, filters } = reading.query;
  const live = generation(reading, values);
  const days = filters.device_id
    ? `IN (SELECT value FROM json_each(${values.add(JSON.stringify(daysOf(from, to)))}))`
    : `BETWEEN ${values.add(from)} AND ${values.add(to)}`;
  const columns = [...groupBy.map((key) => GROUP_COLUMNS[key]), ...SOURCE_COUNTERS.device_activity];
  return `SELECT ${columns.join(", ")} FROM device_activity_daily WHERE generation = ${live} AND day ${days}${filterTerms(filters, values)}`;
}

/** OR within a filter, AND between them. A list travels as one JSON value: D1 binds 100 at most. */
function filterTerms(filters: ReportFilters, values: Values): string {
  return FILTER_COLUMNS.map((column) => {
    const ids = filters[column];
    return ids ? ` AND ${column} IN (SELECT value FROM json_each(${values.add(JSON.stringify(ids))}))` : "";
  }).join("");
}

function daysOf(from: string, to: string): string[] {
  const days: string[] = [];
  for (let day = from; day <= to; day = addDays(day, 1)) days.push(day);
  return days;
}
