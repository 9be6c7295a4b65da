import { DAY_MS, toIso } from "../platform/time.ts";
import { isNarrow } from "./aggregate-rows.ts";
import { PLANNED_FIGURES, plannedGroupsStatement, plannedTotalsStatement } from "./planned-statements.ts";
import { generationOf, prepare, type ReportRow } from "./proof-of-play.ts";
import {
  addDays,
  encodeCursor,
  GROUP_COLUMNS,
  type GroupKey,
  type GroupPosition,
  type ReportFilters,
  type ReportPageQuery,
  type ReportQuery,
} from "./query.ts";
import type { Reading } from "./reading.ts";
import type { ReportSource } from "./source.ts";
import { generationStatement, keyColumns } from "./statements.ts";

export interface PlannedReport {
  source: ReportSource;
  generated_at: string;
  from: string;
  to: string;
  group_by: GroupKey[];
  items: ReportRow[];
  next_cursor: string | null;
  totals?: ReportRow;
}

/** The figures of a report's rows, in order. */
export const PLANNED_COLUMNS = [...PLANNED_FIGURES, "delivery"] as const;

/** The columns of a report's rows, in order: each group's id with its name behind it, then the figures. */
export function plannedColumns(groupBy: GroupKey[]): string[] {
  return [...keyColumns(groupBy), ...PLANNED_COLUMNS];
}

/** One page of the report. @throws Error where there are no aggregates */
export async function readPlanned(db: D1Database, query: ReportPageQuery, source: ReportSource, now: number): Promise<PlannedReport> {
  const { after, limit } = query;
  const page = await readPlannedPage(db, query, { source, after, limit, generation: null, reach: JSON_PAGE });
  return {
    source,
    generated_at: toIso(now) ?? "",
    from: query.from,
    to: query.to,
    group_by: query.groupBy,
    items: page.rows,
    next_cursor: page.next ? encodeCursor(query, page.next) : null,
    ...(query.totals ? { totals: await readPlannedTotals(db, query, source) } : {}),
  };
}

export interface PlannedPage {
  rows: ReportRow[];
  /** Behind which the rest begins; null: there is none. */
  next: GroupPosition | null;
  generation: number;
}

/** What one page may cost. */
export interface PageReach {
  /** Windows that it looks at: few rows and a cursor come before a question that takes too long. */
  windows: number;
  /** Of single plays, so many devices × days a window: each is some 270 plays. */
  eventDeviceDays: number;
}

export const JSON_PAGE: PageReach = { windows: 8, eventDeviceDays: 60 };
/** A file is read to its end in any case, and an invocation may make 1,000 queries. */
export const FILE_PAGE: PageReach = { windows: Number.POSITIVE_INFINITY, eventDeviceDays: 1200 };

export interface PageAsked {
  source: ReportSource;
  after: GroupPosition | null;
  limit: number;
  /** Of the aggregates; null: the live one. */
  generation: number | null;
  reach: PageReach;
}

/**
 * Up to `limit` rows behind `after`, window by window (see {@link windowsOf}); each window is of one state. A page may end early, with a
 * cursor, where windows hold little: so its cost is bounded.
 * @throws Error where the generation to read does not exist (any more)
 */
export async function readPlannedPage(db: D1Database, query: ReportQuery, asked: PageAsked): Promise<PlannedPage> {
  const { source, after, limit } = asked;
  const page: PlannedPage = { rows: [], next: null, generation: asked.generation ?? 0 };
  let windows = 0;
  for await (const { edge, devices, ...range } of windowsOf(db, query, asked)) {
    const filters = devices ? { ...query.filters, device_id: devices } : query.filters;
    const reading: Reading = {
      source,
      query: { ...query, ...range, filters },
      generation: windows > 0 ? page.generation : asked.generation,
    };
    const wanted = limit - page.rows.length;
    const [generations, groups] = await db.batch<ReportRow>(
      [generationStatement(reading.generation), plannedGroupsStatement(reading, after, wanted + 1)].map((one) => prepare(db, one)),
    );
    windows += 1;
    page.generation = generationOf(generations?.results);
    const found = groups?.results ?? [];
    page.rows.push(...found.slice(0, wanted).map((row) => presented(row, query.groupBy)));
    if (found.length > wanted) {
      const last = found[wanted - 1];
      // Where the page was full before this window, it goes on behind the window before.
      return { ...page, next: last ? query.groupBy.map((key) => String(last[GROUP_COLUMNS[key]])) : page.next };
    }
    page.next = edge;
    if (windows === asked.reach.windows) return page;
  }
  return { ...page, next: null };
}

/** The sums of a whole report. Of all devices, the aggregates know them as well as single plays do. */
export async function readPlannedTotals(db: D1Database, query: ReportQuery, source: ReportSource): Promise<ReportRow> {
  const reading: Reading = { source: query.filters.device_id ? source : "aggregates", query, generation: null };
  const [totals] = await db.batch<ReportRow>([prepare(db, plannedTotalsStatement(reading))]);
  return withDelivery(totals?.results[0] ?? {});
}

/** A row in the order of {@link plannedColumns}, with null for absent ids. */
function presented(row: ReportRow, groupBy: GroupKey[]): ReportRow {
  const whole = withDelivery(row);
  return Object.fromEntries(plannedColumns(groupBy).map((column) => [column, whole[column] === "" ? null : (whole[column] ?? null)]));
}

const DELIVERY_STEPS = 10_000;

/** Adds what part of the planned plays was played, to four places; null where none was planned. */
export function withDelivery(row: ReportRow): ReportRow {
  const { planned_plays: planned, played_plays: played } = row;
  const ratio = typeof planned === "number" && planned > 0 && typeof played === "number" ? played / planned : null;
  return { ...row, delivery: ratio === null ? null : Math.round(ratio * DELIVERY_STEPS) / DELIVERY_STEPS };
}

/** Days, and devices where they are read a few at a time, whose rows come behind those of the window before. */
interface Window {
  from: string;
  to: string;
  devices: string[] | null;
  /** Where the rows behind this window begin; null behind the last. */
  edge: GroupPosition | null;
}

/** Sorts behind every id and every day. */
const BEHIND_ALL = "~";
const DEVICES_PER_WINDOW_MAX = 200;

/**
 * A report's range, cut so that a page needs few of the pieces: by devices where they lead the groups, by day and devices where days lead
 * and devices follow, by days where days lead and every row of the aggregates must be read. Else it is one piece.
 */
async function* windowsOf(db: D1Database, query: ReportQuery, asked: PageAsked): AsyncGenerator<Window> {
  const { from, to, groupBy, filters } = query;
  const { source, after } = asked;
  const behind = behindOf(groupBy);
  if (groupBy[0] === "device") {
    for await (const { ids, last } of deviceWindows(db, query, asked, { start: after?.[0] ?? "", from, to }))
      yield { from, to, devices: ids, edge: last ? null : behind(ids.at(-1) ?? "") };
  } else if (groupBy[0] === "day" && groupBy[1] === "device") {
    for (let day = after?.[0] ?? from; day <= to; day = addDays(day, 1)) {
      const start = day === after?.[0] ? (after[1] ?? "") : "";
      for await (const { ids, last } of deviceWindows(db, query, asked, { start, from: day, to: day })) {
        const edge = last ? behind(day) : behind(day, ids.at(-1) ?? "");
        yield { from: day, to: day, devices: ids, edge: last && day === to ? null : edge };
      }
    }
  } else if (groupBy[0] === "day" && source === "aggregates" && !isNarrow({ groupBy, filters })) {
    let length = 1;
    for (let day = after?.[0] ?? from; day <= to; day = addDays(day, length), length *= 2) {
      const end = addDays(day, length - 1);
      const isLast = end >= to;
      yield { from: day, to: isLast ? to : end, devices: null, edge: isLast ? null : behind(end) };
    }
  } else yield { from: groupBy[0] === "day" ? (after?.[0] ?? from) : from, to, devices: null, edge: null };
}

/** The position behind all rows with these first keys. */
function behindOf(groupBy: GroupKey[]): (...keys: string[]) => GroupPosition {
  return (...keys) => groupBy.map((_, index) => keys[index] ?? BEHIND_ALL);
}

/** Devices from one on, by id: at first as many as surely fill a page, then twice as many each time that this was not enough. */
async function* deviceWindows(
  db: D1Database,
  { groupBy, filters }: ReportQuery,
  { source, limit, reach }: PageAsked,
  { start, from, to }: { start: string; from: string; to: string },
): AsyncGenerator<{ ids: string[]; last: boolean }> {
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MS + 1;
  const most = source === "events" ? Math.max(1, Math.floor(reach.eventDeviceDays / days)) : DEVICES_PER_WINDOW_MAX;
  const named = filters.device_id?.toSorted() ?? null;
  let next = start;
  let count = Math.ceil((limit + 1) / (groupBy.includes("day") ? days : 1));
  for (;;) {
    count = Math.min(most, count);
    // One more tells whether it is the last window.
    const found = named ? named.filter((id) => id >= next).slice(0, count + 1) : await devicesFrom(db, next, count + 1, filters);
    const last = found.length <= count;
    if (found.length > 0) yield { ids: found.slice(0, count), last };
    if (last) return;
    next = found[count] ?? "";
    count *= 2;
  }
}

/**
 * Devices from one on, by id. Where the report is narrowed to stores or suppliers, those that ever stood there: others' ids would show in
 * cursors, and cost time. What has no store may be of any device.
 */
async function devicesFrom(db: D1Database, id: string, count: number, { store_id, supplier_id }: ReportFilters): Promise<string[]> {
  const places = Object.entries({ store_id, supplier_id }).flatMap(([column, ids]) => (ids && !ids.includes("") ? [{ column, ids }] : []));
  const stood = places.map(({ column }, index) => `AND a.${column} IN (SELECT value FROM json_each(?${index + 3}))`).join(" ");
  const narrowed = stood && `AND EXISTS (SELECT 1 FROM device_assignments a WHERE a.device_id = d.id ${stood})`;
  const { results } = await db
    .prepare(`SELECT d.id FROM devices d WHERE d.id >= ?1 ${narrowed} ORDER BY d.id LIMIT ?2`)
    .bind(id, count, ...places.map(({ ids }) => JSON.stringify(ids)))
    .all<{ id: string }>();
  return results.map((row) => row.id);
}
