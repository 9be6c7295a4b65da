import { DAY_MS, toIso } from "../platform/time.ts";
import type { AggregateCounter } from "../plays/tables.ts";
import { isNarrow } from "./aggregate-rows.ts";
import {
  addDays,
  encodeCursor,
  GROUP_COLUMNS,
  type GroupKey,
  type GroupPosition,
  type ReportPageQuery,
  type ReportQuery,
} from "./query.ts";
import type { Reading, Statement } from "./reading.ts";
import type { ReportSource } from "./source.ts";
import { generationStatement, groupsStatement, keyColumns, SOURCE_COUNTERS, STATUS_COUNTERS, totalsStatement } from "./statements.ts";

/** A row of a report: the group's ids, their names, and figures. An absent id (filler has no campaign) is null. */
export type ReportRow = Record<string, string | number | null>;
export type ReportTotals = Partial<Record<AggregateCounter, number>>;

export interface ProofOfPlayReport {
  source: ReportSource;
  generated_at: string;
  from: string;
  to: string;
  group_by: GroupKey[];
  items: ReportRow[];
  next_cursor: string | null;
  totals?: ReportTotals;
}

/** The columns of a report's rows, in order: each group's id with its name behind it, then the figures. */
export function reportColumns(source: ReportSource, groupBy: GroupKey[]): string[] {
  return [...keyColumns(groupBy), ...reportFigures(source, groupBy)];
}

/** The figures of a report's rows, in order. */
export function reportFigures(source: ReportSource, groupBy: GroupKey[]): readonly string[] {
  return groupBy.includes("status") ? STATUS_COUNTERS : SOURCE_COUNTERS[source];
}

/** One page of a report, all of it of one state of the database. */
export async function readReport(db: D1Database, query: ReportPageQuery, source: ReportSource, now: number): Promise<ProofOfPlayReport> {
  const page = await readPage(db, query, source);
  return {
    source,
    generated_at: toIso(now) ?? "",
    from: query.from,
    to: query.to,
    group_by: query.groupBy,
    items: page.rows,
    next_cursor: page.next ? encodeCursor(query, page.next) : null,
    ...(page.totals ? { totals: page.totals } : {}),
  };
}

/** Where days lead the groups, a page that the next day or few fill needs no look at the days behind them. */
async function readPage(db: D1Database, query: ReportPageQuery, source: ReportSource): Promise<GroupsPage> {
  const { groupBy, after, limit } = query;
  const whole: Reading = { source, query, generation: null };
  const totalsOf = query.totals ? whole : null;
  if (groupBy[0] !== "day") return await readGroups(db, whole, after, limit, totalsOf);
  const rest = { ...query, from: after?.[0] ?? query.from };
  for (const days of groupBy.length > 1 ? PAGE_WINDOWS_DAYS : []) {
    const window = windowFrom(query, rest.from, days);
    if (window.to === query.to) break;
    const page = await readGroups(db, { ...whole, query: { ...query, ...window } }, after, limit, totalsOf);
    if (page.next) return page;
  }
  return await readGroups(db, { ...whole, query: rest }, after, limit, totalsOf);
}

/** How many days a page looks at before it looks at all of them: enough of them fill it. */
const PAGE_WINDOWS_DAYS = [1, 7];

/** Rows of a report, and where the rest begins. */
export interface GroupsPage {
  /** The generation that was read. */
  generation: number;
  rows: ReportRow[];
  next: GroupPosition | null;
  totals: ReportTotals | null;
}

/**
 * Reads up to `limit` groups behind `after`, and the totals of `totalsOf`, in one transaction.
 * @throws Error where the generation to read does not exist (any more)
 */
export async function readGroups(
  db: D1Database,
  reading: Reading,
  after: GroupPosition | null,
  limit: number,
  totalsOf: Reading | null,
): Promise<GroupsPage> {
  const statements = [generationStatement(reading.generation), groupsStatement(reading, after, limit + 1)];
  if (totalsOf) statements.push(totalsStatement(totalsOf));
  const [generations, groups, totals] = await db.batch<ReportRow>(statements.map((statement) => prepare(db, statement)));
  const found = groups?.results ?? [];
  const last = found.length > limit ? found[limit - 1] : undefined;
  return {
    generation: generationOf(generations?.results),
    rows: found.slice(0, limit).map((row) => presented(row, reading)),
    next: last ? reading.query.groupBy.map((key) => String(last[GROUP_COLUMNS[key]])) : null,
    totals: (totals?.results[0] as ReportTotals | undefined) ?? null,
  };
}

/** The sums of a whole report of one generation. */
export async function readTotals(db: D1Database, reading: Reading): Promise<ReportTotals> {
  const [generations, totals] = await db.batch<ReportRow>(
    [generationStatement(reading.generation), totalsStatement(reading)].map((statement) => prepare(db, statement)),
  );
  generationOf(generations?.results);
  return totals?.results[0] as ReportTotals;
}

/** The generation that a {@link generationStatement} found. @throws Error where there is none */
export function generationOf(results: ReportRow[] | undefined): number {
  const id = results?.[0]?.id;
  if (typeof id !== "number") throw new Error("the generation of the aggregates that the report reads does not exist");
  return id;
}

export function prepare(db: D1Database, { sql, values }: Statement): D1PreparedStatement {
  return db.prepare(sql).bind(...values);
}

/** A row in the order of {@link reportColumns}, with null for absent ids. */
function presented(row: ReportRow, { source, query }: Reading): ReportRow {
  return Object.fromEntries(
    reportColumns(source, query.groupBy).map((column) => [column, row[column] === "" ? null : (row[column] ?? null)]),
  );
}

/** Groups that one page of {@link readAllGroups} holds: what the stream keeps in memory at a time. */
export const WHOLE_REPORT_PAGE_ROWS = 10_000;

/**
 * All groups of a report, page by page. What is of one state: each page; so the whole, where it is one page. All pages are of
 * the generation that the first one found live. Plays that are recorded between two pages may show in the later one: every
 * group then stands once, with its sums at some moment between the first page and the last, and nothing that was recorded
 * before the first page is missing.
 * @throws Error where the generation goes away between two pages
 */
export async function* readAllGroups(
  db: D1Database,
  query: ReportQuery,
  source: ReportSource,
  pageRows = WHOLE_REPORT_PAGE_ROWS,
): AsyncGenerator<GroupsPage> {
  let window = firstWindow(query, source);
  let page = await readGroups(db, { source, query: { ...query, ...window }, generation: null }, null, pageRows, null);
  yield page;
  const { generation } = page;
  while (page.next !== null || window.to < query.to) {
    const after: GroupPosition | null = page.next;
    window = nextWindow(query, window, after);
    page = await readGroups(db, { source, query: { ...query, ...window }, generation }, after, pageRows, null);
    yield page;
  }
}

interface Window {
  from: string;
  to: string;
}

/** All days, so that a small report is of one state; but one day where days lead the groups and all days would be too many rows. */
function firstWindow(query: ReportQuery, source: ReportSource): Window {
  const large = query.groupBy[0] === "day" && source === "aggregates" && !isNarrow(query);
  return large ? windowFrom(query, query.from, 1) : { from: query.from, to: query.to };
}

/**
 * The days that the next page looks at: as many as filled the last page, from the day of its last row on; or, where the window has been
 * read to its end, twice as many behind it.
 */
function nextWindow(query: ReportQuery, window: Window, after: GroupPosition | null): Window {
  if (query.groupBy[0] !== "day") return window;
  const day = after?.[0];
  return day === undefined
    ? windowFrom(query, addDays(window.to, 1), 2 * daysOf(window))
    : windowFrom(query, day, daysOf({ from: window.from, to: day }));
}

function windowFrom(query: ReportQuery, from: string, days: number): Window {
  const to = addDays(from, days - 1);
  return to < query.to ? { from, to } : { from, to: query.to };
}

function daysOf({ from, to }: Window): number {
  return (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
}
