import { AGGREGATE_COUNTERS, AGGREGATE_KEYS, storedValueSql } from "../plays/tables.ts";
import { aggregateRows } from "./aggregate-rows.ts";
import { GROUP_COLUMNS, type GroupKey, type GroupPosition } from "./query.ts";
import { daysJson, filterTerms, generationSql, type Reading, type Statement, Values } from "./reading.ts";
import type { ReportSource } from "./source.ts";

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

/** The columns of a report's keys, in order: each group's id with its name behind it. */
export function keyColumns(groupBy: GroupKey[]): string[] {
  return groupBy.flatMap((key) => {
    const name = NAMES[key];
    return name ? [GROUP_COLUMNS[key], name.as] : [GROUP_COLUMNS[key]];
  });
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
    SELECT ${order}, ${figures(reading).join(", ")} FROM (${relation(reading, after, values)})${behind}
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
  return { sql: `SELECT ${sums.join(", ")} FROM (${relation(whole, null, values)})`, values: values.list };
}

function figures({ source, query }: Reading): string[] {
  if (!query.groupBy.includes("status")) return SOURCE_COUNTERS[source].map((counter) => `sum(${counter}) AS ${counter}`);
  return STATUS_COUNTERS.map((counter) => `sum(${counter}) AS ${counter}`);
}

/** Rows with the group's columns and figures, not yet grouped to the end. */
export function relation(reading: Reading, after: GroupPosition | null, values: Values): string {
  if (reading.source === "events") return eventRows(reading, values);
  if (reading.source === "device_activity") return deviceActivity(reading, values);
  return reading.query.groupBy.includes("status") ? statusRows(reading, values) : aggregateRows(reading, after, values);
}

/** The aggregates by status: one row of counts becomes one row each status. How long each status lasted they do not know. */
function statusRows(reading: Reading, values: Values): string {
  const { query } = reading;
  const kept = query.groupBy.filter((key) => key !== "status");
  const inner = aggregateRows({ ...reading, query: { ...query, groupBy: kept } }, null, values);
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
    : `SELECT DISTINCT device_id AS id FROM device_activity_daily WHERE generation = ${generationSql(reading, values)} AND day ${range}`;
  const { device_id: _, ...others } = filters;
  const columns = groupBy.map((key) => (key === "status" ? "result AS status" : GROUP_COLUMNS[key]));
  // Materialised: SQLite would otherwise write each play out as text again for each of its values.
  return `SELECT ${[...columns, ...EVENT_FIGURES].join(", ")} FROM (
    WITH plays AS MATERIALIZED (
      SELECT device_id, j.value AS play, contexts_json -> (j.value ->> 0) AS context FROM (${devices}) AS active
        CROSS JOIN chunk_plays ON device_id = active.id AND last_day >= ${values.add(from)} AND first_day <= ${values.add(to)}
        CROSS JOIN json_each(rows_json) j
    ) SELECT device_id, ${REPORTED_COLUMNS} FROM plays
  ) WHERE day ${range}${filterTerms(others, values)}`;
}

/** What reports ask of a single play. */
const REPORTED_VALUES = [...AGGREGATE_KEYS, "day", "type", "result", "billable", "duration_ms"] as const;
const REPORTED_COLUMNS = REPORTED_VALUES.map((column) => `${storedValueSql(column, "play", "context")} AS ${column}`).join(", ");

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
  const live = generationSql(reading, values);
  const days = filters.device_id
    ? `IN (SELECT value FROM json_each(${values.add(daysJson({ from, to }))}))`
    : `BETWEEN ${values.add(from)} AND ${values.add(to)}`;
  const columns = [...groupBy.map((key) => GROUP_COLUMNS[key]), ...SOURCE_COUNTERS.device_activity];
  return `SELECT ${columns.join(", ")} FROM device_activity_daily WHERE generation = ${live} AND day ${days}${filterTerms(filters, values)}`;
}
