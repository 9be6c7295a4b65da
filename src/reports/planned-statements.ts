import { GROUP_COLUMNS, type GroupKey, type GroupPosition } from "./query.ts";
import { daysJson, filterTerms, type Reading, type Statement, Values } from "./reading.ts";
import { NAMES, relation } from "./statements.ts";

/** The figures of a row, in order, but for the ratio. */
export const PLANNED_FIGURES = ["planned_plays", "planned_ms", "played_plays", "completed", "billable_plays", "played_ms"] as const;

/**
 * The groups behind `after`, sorted by their keys, `limit` at most, with names and {@link PLANNED_FIGURES}. `planned_plays` and `planned_ms`
 * are null where no plan stood, and 0 where one did that had nothing of it. Groups that neither were planned nor played have no row.
 */
export function plannedGroupsStatement(reading: Reading, after: GroupPosition | null, limit: number): Statement {
  const values = new Values();
  const { groupBy } = reading.query;
  const columns = groupBy.map((key) => GROUP_COLUMNS[key]);
  const order = columns.join(", ");
  const behind = after ? ` WHERE (${order}) > (${after.map((value) => values.add(value)).join(", ")})` : "";
  const byCampaign = ofCampaigns(reading);
  const names = groupBy.flatMap((key) => {
    const name = NAMES[key];
    return name ? [{ ...name, id: GROUP_COLUMNS[key] }] : [];
  });
  const shown = PLANNED_FIGURES.map((figure) =>
    byCampaign && figure.startsWith("planned_")
      ? `coalesce(page.${figure}, CASE WHEN plan_stood THEN 0 END) AS ${figure}`
      : `page.${figure}`,
  );
  const sql = `WITH page AS (
    SELECT ${order}, ${SUMS} FROM (${bothRows(reading, after, values)})${behind}
    GROUP BY ${order} HAVING ${byCampaign ? "sum(planned_plays) > 0" : "count(planned_plays) > 0"} OR sum(plays_count) > 0
    ORDER BY ${order} LIMIT ${values.add(limit)})${byCampaign ? `, stood AS MATERIALIZED (${whereAPlanStood(reading, values)})` : ""}
  SELECT ${[...columns.map((column) => `page.${column}`), ...shown, ...names.map(({ table, column, as }) => `${table}.${column} AS ${as}`)].join(", ")}
  FROM page ${byCampaign ? `LEFT JOIN stood ON ${sameKeys(groupBy)}` : ""}
  ${names.map(({ table, id }) => `LEFT JOIN ${table} ON ${table}.id = page.${id}`).join(" ")}
  ORDER BY ${columns.map((column) => `page.${column}`).join(", ")}`;
  return { sql, values: values.list };
}

/** The sums of the whole range under the filters: one row. */
export function plannedTotalsStatement(reading: Reading): Statement {
  const values = new Values();
  const whole: Reading = { ...reading, query: { ...reading.query, groupBy: [] } };
  const sums = `SELECT ${SUMS} FROM (${bothRows(whole, null, values)})`;
  if (!ofCampaigns(whole)) return { sql: sums, values: values.list };
  const shown = PLANNED_FIGURES.map((figure) =>
    figure.startsWith("planned_") ? `coalesce(${figure}, CASE WHEN plan_stood THEN 0 END) AS ${figure}` : figure,
  );
  return { sql: `SELECT ${shown.join(", ")} FROM (${sums}) LEFT JOIN (${whereAPlanStood(whole, values)}) ON true`, values: values.list };
}

const SUMS = [
  "sum(planned_plays) AS planned_plays",
  "sum(planned_ms) AS planned_ms",
  "coalesce(sum(plays_count), 0) AS played_plays",
  // Of what was never asked, nothing is known; of what did not play, all is.
  "CASE WHEN count(plays_count) = 0 THEN 0 ELSE sum(completed_count) END AS completed",
  "coalesce(sum(billable_count), 0) AS billable_plays",
  "coalesce(sum(total_duration_ms), 0) AS played_ms",
].join(", ");

/** Whether campaigns matter to a reading: a plan's row of a day has them in JSON. */
function ofCampaigns({ query }: Pick<Reading, "query">): boolean {
  return query.groupBy.includes("campaign") || query.filters.campaign_id !== undefined;
}

/** What was planned and what was played, one under the other, not yet grouped. */
function bothRows(reading: Reading, after: GroupPosition | null, values: Values): string {
  const keys = reading.query.groupBy.map((key) => `${GROUP_COLUMNS[key]}, `).join("");
  const completed = reading.source === "device_activity" ? "NULL" : "completed_count";
  return `SELECT ${keys}planned_plays, planned_ms, NULL AS plays_count, NULL AS completed_count, NULL AS billable_count, NULL AS total_duration_ms
      FROM (${plannedRows(reading, values)})
    UNION ALL
    SELECT ${keys}NULL, NULL, plays_count, ${completed}, billable_count, total_duration_ms FROM (${relation(reading, after, values)})`;
}

/** What was planned, with the group's columns: sums for what needs no device, but for days that are ahead of them. */
function plannedRows(reading: Reading, values: Values): string {
  const { groupBy, filters } = reading.query;
  const keys = groupBy.map((key) => `${GROUP_COLUMNS[key]}, `).join("");
  if (reading.source !== "aggregates") {
    const others = filterTerms({ ...filters, device_id: undefined }, values);
    return `SELECT ${keys}planned_plays, planned_ms FROM (${rowsOf(reading, deviceTerms(reading, values))}) WHERE true${others}`;
  }
  const { from, to } = reading.query;
  const marked = markedDays(reading, values);
  const columns = groupBy.map((key) => GROUP_COLUMNS[key]);
  const sums = `${keys}sum(planned_plays) AS planned_plays, sum(planned_ms) AS planned_ms`;
  // Without groups, a sum of no rows would still be a row.
  const grouped = columns.length > 0 ? ` GROUP BY ${columns.join(", ")}` : " HAVING count(*) > 0";
  const narrowed = filterTerms(filters, values);
  return `SELECT ${sums} FROM planned_sums_daily
      WHERE day BETWEEN ${values.add(from)} AND ${values.add(to)} AND day NOT IN (${marked})${narrowed}${grouped}
    UNION ALL SELECT ${sums} FROM (${rowsOf(reading, `p.day IN (${marked})`)}) WHERE true${narrowed}${grouped}`;
}

/** The keys besides the campaign of which a plan stood, once each. */
function whereAPlanStood(reading: Reading, values: Values): string {
  const { groupBy, filters, from, to } = reading.query;
  const columns = groupBy.filter((key) => key !== "campaign").map((key) => GROUP_COLUMNS[key]);
  const narrowed = filterTerms({ ...filters, campaign_id: undefined, device_id: undefined }, values);
  const picked = columns.length > 0 ? `SELECT DISTINCT ${columns.join(", ")}, 1 AS plan_stood` : "SELECT 1 AS plan_stood";
  const bounded = columns.length > 0 ? "" : " LIMIT 1";
  if (reading.source !== "aggregates") return `${picked} FROM planned_daily p WHERE ${deviceTerms(reading, values)}${narrowed}${bounded}`;
  const marked = markedDays(reading, values);
  const places = `SELECT day, supplier_id, store_id FROM planned_sums_daily
      WHERE day IN (SELECT value FROM json_each(${values.add(daysJson({ from, to }))}) EXCEPT ${marked}) AND campaign_id = ''
    UNION ALL SELECT day, supplier_id, store_id FROM planned_daily p WHERE p.day IN (${marked})`;
  return `${picked} FROM (${places}) WHERE true${narrowed}${bounded}`;
}

function sameKeys(groupBy: GroupKey[]): string {
  const keys = groupBy.filter((key) => key !== "campaign").map((key) => GROUP_COLUMNS[key]);
  return keys.map((key) => `stood.${key} = page.${key}`).join(" AND ") || "true";
}

/** Which rows of `planned_daily` (`p`): of the range, and of the devices asked for, each sought by its key. */
function deviceTerms({ query: { from, to, filters } }: Reading, values: Values): string {
  if (!filters.device_id) return `p.day BETWEEN ${values.add(from)} AND ${values.add(to)}`;
  return `p.day IN (SELECT value FROM json_each(${values.add(daysJson({ from, to }))}))
    AND p.device_id IN (SELECT value FROM json_each(${values.add(JSON.stringify(filters.device_id))}))`;
}

/** Rows of `planned_daily` (`p`), by campaign where campaigns matter. Materialised: SQLite would otherwise write each entry out as text again. */
function rowsOf(reading: Reading, terms: string): string {
  if (!ofCampaigns(reading)) return `SELECT * FROM planned_daily p WHERE ${terms}`;
  return `SELECT day, device_id, store_id, supplier_id, entry ->> 0 AS campaign_id, entry ->> 1 AS planned_plays, entry ->> 2 AS planned_ms FROM (
      WITH entries AS MATERIALIZED (
        SELECT p.day, p.device_id, p.store_id, p.supplier_id, j.value AS entry FROM planned_daily p CROSS JOIN json_each(p.campaigns_json) j
        WHERE ${terms})
      SELECT * FROM entries)`;
}

/** SQL for the days whose rows are ahead of their sums. */
function markedDays({ query: { from, to } }: Reading, values: Values): string {
  return `SELECT day FROM planned_days WHERE day BETWEEN ${values.add(from)} AND ${values.add(to)} AND dirty = 1`;
}
