import { addDays, FILTER_COLUMNS, type FilterColumn, GROUP_COLUMNS, type GroupPosition, type ReportQuery } from "./query.ts";
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

/** Numbers the values of a statement, so that one value may stand in several places. */
export class Values {
  readonly list: (string | number | null)[] = [];
  add(value: string | number | null): string {
    return `?${this.list.push(value)}`;
  }
}

/** SQL for the generation that is read. */
export function generationSql({ generation }: Reading, values: Values): string {
  return generation === null ? "(SELECT id FROM aggregate_generations WHERE live = 1)" : values.add(generation);
}

/** OR within a filter, AND between them, each with AND in front. A list travels as one JSON value: D1 binds 100 at most. */
export function filterTerms(filters: { [column in FilterColumn]?: string[] | undefined }, values: Values): string {
  return FILTER_COLUMNS.map((column) => {
    const ids = filters[column];
    return ids ? ` AND ${column} IN (SELECT value FROM json_each(${values.add(JSON.stringify(ids))}))` : "";
  }).join("");
}

/** Leaves out rows of groups that come before `after`, before they are summed: those that the page's own condition would drop. */
export function behindTerm({ query }: Reading, after: GroupPosition | null, values: Values): string {
  if (!after || query.groupBy.length === 0) return "";
  const columns = query.groupBy.map((key) => GROUP_COLUMNS[key]);
  return ` AND (${columns.join(", ")}) > (${after.map((value) => values.add(value)).join(", ")})`;
}

/** A range of days, one by one, as a JSON array. */
export function daysJson({ from, to }: { from: string; to: string }): string {
  const days: string[] = [];
  for (let day = from; day <= to; day = addDays(day, 1)) days.push(day);
  return JSON.stringify(days);
}
