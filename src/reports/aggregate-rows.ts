import { pendingRows } from "../plays/ledger/daily-sums.ts";
import { AGGREGATE_COUNTERS, AGGREGATE_KEYS, DAILY_SUMS, type DailySums } from "../plays/tables.ts";
import { GROUP_COLUMNS, type GroupKey, type GroupPosition } from "./query.ts";
import { behindTerm, daysJson, filterTerms, generationSql, type Reading, type Values } from "./reading.ts";

const KEY_ORDER: readonly string[] = AGGREGATE_KEYS;
const SUMS = AGGREGATE_COUNTERS.map((counter) => `sum(${counter}) AS ${counter}`).join(", ");

/**
 * The aggregates' rows of a reading, not yet grouped to the end, from the smallest tables that know every dimension the query asks for.
 * Each way gives the same sums. The query has no status among its groups.
 */
export function aggregateRows(reading: Reading, after: GroupPosition | null, values: Values): string {
  const narrow = narrowSums(reading.query);
  if (narrow) return narrowRows(narrow, reading, after, values);
  const { campaign_id, ad_group_id, content_id, store_id } = reading.query.filters;
  const few = campaign_id ?? ad_group_id ?? content_id ?? store_id;
  return few ? soughtRows(reading, after, values) : scannedRows(reading, after, values);
}

type Dimensions = Pick<Reading["query"], "groupBy" | "filters">;

/** Whether sums by day that leave dimensions out answer a query: its rows are few then, however long the range. */
export function isNarrow(query: Dimensions): boolean {
  return narrowSums(query) !== undefined;
}

/** The table of sums by day that has all dimensions of a query. By status and day alone, any has. */
function narrowSums({ groupBy, filters }: Dimensions): DailySums | undefined {
  const needed = [...groupBy.filter((key) => key !== "status").map((key): string => GROUP_COLUMNS[key]), ...Object.keys(filters)];
  return DAILY_SUMS.find(({ keys }) => needed.every((column) => column === "day" || (keys as readonly string[]).includes(column)));
}

/** Whole days without the other dimensions: what is in the table, and what commits have added since. */
function narrowRows(sums: DailySums, reading: Reading, after: GroupPosition | null, values: Values): string {
  const where = rangeTerms(reading, values) + filterTerms(reading.query.filters, values) + behindTerm(reading, after, values);
  const columns = columnsOf(reading.query.groupBy);
  const picked = [...columns, SUMS].join(", ");
  return `SELECT ${picked} FROM ${sums.table} WHERE ${where}${grouped(columns)}
    UNION ALL SELECT ${picked} FROM (${pendingOf(sums, reading, values)}) WHERE ${where}${grouped(columns)}`;
}

/** All dimensions, all rows of the range: hourly rows of marked days, daily rows of all others, in one statement and so of one state. */
function scannedRows(reading: Reading, after: GroupPosition | null, values: Values): string {
  const marked = markedDays(reading, values);
  const narrowed = filterTerms(reading.query.filters, values) + behindTerm(reading, after, values);
  const picked = [...columnsOf(reading.query.groupBy), SUMS].join(", ");
  return `SELECT ${picked} FROM proof_of_play_aggregate_daily
      WHERE ${rangeTerms(reading, values)} AND day NOT IN (${marked})${narrowed}${firstGrouping(reading, ["generation", "day"])}
    UNION ALL
    SELECT ${picked} FROM plays_hourly
      WHERE generation = ${generationSql(reading, values)} AND day IN (${marked})${narrowed}${firstGrouping(reading, ["generation", "day", "hour"])}`;
}

/**
 * All dimensions, of a few campaigns, ad groups, contents or stores: the smaller tables tell which campaigns and ad groups they had on each
 * day, and which supplier each store, so rows are sought by the front of the key, day by day (of marked days hour by hour).
 */
function soughtRows(reading: Reading, after: GroupPosition | null, values: Values): string {
  const { store_id, supplier_id, content_id, campaign_id, ad_group_id } = reading.query.filters;
  const [byContent, byStore] = DAILY_SUMS;
  const live = generationSql(reading, values);
  const marked = markedDays(reading, values);
  const range = rangeTerms(reading, values);
  const distinct = (sums: DailySums, columns: string, terms: string) =>
    `SELECT ${columns} FROM ${sums.table} WHERE ${range}${terms} UNION SELECT ${columns} FROM (${pendingOf(sums, reading, values)}) WHERE ${range}${terms}`;
  const ofBookings = filterTerms({ campaign_id, ad_group_id, content_id }, values);
  const found = [
    `bookings(booking_day, booking_campaign, booking_ad_group) AS MATERIALIZED
      (${distinct(byContent, "day, campaign_id, ad_group_id", ofBookings)})`,
  ];
  if (store_id) {
    const ofPlaces = filterTerms({ store_id, supplier_id }, values);
    found.push(
      `places(place_day, place_supplier, place_store) AS MATERIALIZED (${distinct(byStore, "day, supplier_id, store_id", ofPlaces)})`,
    );
  }
  const onDay = `CROSS JOIN bookings ON booking_day = on_day${store_id ? " CROSS JOIN places ON place_day = on_day" : ""}`;
  const sought = `generation = ${live} AND day = booking_day AND campaign_id = booking_campaign AND ad_group_id = booking_ad_group${
    store_id ? " AND supplier_id = place_supplier AND store_id = place_store" : ""
  }`;
  const rest = filterTerms({ supplier_id, content_id }, values) + behindTerm(reading, after, values);
  const columns = columnsOf(reading.query.groupBy);
  const picked = [...columns, SUMS].join(", ");
  return `WITH ${found.join(", ")}
    SELECT ${picked} FROM (SELECT value AS on_day FROM json_each(${values.add(daysJson(reading.query))}) EXCEPT ${marked})
      ${onDay} CROSS JOIN proof_of_play_aggregate_daily ON ${sought} WHERE true${rest}${grouped(columns)}
    UNION ALL
    SELECT ${picked} FROM (${hoursOf(marked, live)}) ${onDay} CROSS JOIN plays_hourly ON ${sought} AND hour = at_hour
      WHERE true${rest}${grouped(columns)}`;
}

function pendingOf(sums: DailySums, reading: Reading, values: Values): string {
  return pendingRows(sums, `p.generation = ${generationSql(reading, values)}`);
}

function columnsOf(groupBy: GroupKey[]): string[] {
  return groupBy.map((key) => GROUP_COLUMNS[key]);
}

function grouped(columns: string[]): string {
  return columns.length > 0 ? ` GROUP BY ${columns.join(", ")}` : "";
}

function rangeTerms(reading: Reading, values: Values): string {
  const { from, to } = reading.query;
  return `generation = ${generationSql(reading, values)} AND day BETWEEN ${values.add(from)} AND ${values.add(to)}`;
}

/** SQL for the days whose hourly rows are ahead of their daily ones. */
function markedDays(reading: Reading, values: Values): string {
  return `SELECT day FROM aggregate_days WHERE ${rangeTerms(reading, values)} AND dirty = 1 AND hourly_retired_at IS NULL`;
}

/** SQL for the hours that days have rows of, each found by one look into the key. */
function hoursOf(days: string, generation: string): string {
  const next = (day: string, terms: string) =>
    `(SELECT min(hour) FROM plays_hourly WHERE generation = ${generation} AND day = ${day}${terms})`;
  return `WITH RECURSIVE hours(on_day, at_hour) AS (
      SELECT marked.day, ${next("marked.day", "")} FROM (${days}) AS marked
      UNION ALL SELECT on_day, ${next("on_day", " AND hour > at_hour")} FROM hours WHERE at_hour IS NOT NULL)
    SELECT on_day, at_hour FROM hours WHERE at_hour IS NOT NULL`;
}

/** How many columns of the key may lead a first grouping: behind the supplier, the rows are too many for it to help. */
const STREAMED_KEYS = 3;

/**
 * The first grouping of a branch. Where the groups need only the key's first columns, it is along the key, which needs no
 * sorting and leaves few rows for the second grouping.
 */
function firstGrouping({ query: { groupBy } }: Reading, lead: string[]): string {
  const columns = columnsOf(groupBy);
  if (columns.length === 0) return "";
  const depth = Math.max(...columns.map((column) => KEY_ORDER.indexOf(column))) + 1;
  return grouped(depth <= STREAMED_KEYS ? [...lead, ...KEY_ORDER.slice(0, depth)] : columns);
}
