import { csvLines, textStream } from "../platform/csv.ts";
import {
  type GroupsPage,
  type ReportRow,
  type ReportTotals,
  readAllGroups,
  readTotals,
  reportColumns,
  reportFigures,
} from "./proof-of-play.ts";
import { GROUP_COLUMNS, type ReportQuery } from "./query.ts";
import type { ReportSource } from "./source.ts";

/** What the first cell of the totals row says: whether the whole file is of one state. */
export const TOTALS_OF_ONE_STATE = "total";
export const TOTALS_OF_MOVING_STATE = "total (plays were recorded while this file was written)";

/**
 * A report as CSV (RFC 4180: CRLF, quotes, a header line), in UTF-8, page by page: no more than a page is in memory, and the
 * next one is read when the reader has taken the last. Text cells that a spreadsheet would run as a formula get a leading
 * apostrophe; numbers stay numbers; null is an empty cell.
 *
 * With `totals`, the last line holds the sums of the file's own rows. They equal the report's totals at one moment, and its
 * first cell is {@link TOTALS_OF_ONE_STATE}, unless plays were recorded between two pages: then it is
 * {@link TOTALS_OF_MOVING_STATE}, and see `readAllGroups` for what still holds. A file of one page is always of one state.
 *
 * The first page is read before this returns, so that its failure can still be answered; a later failure breaks the stream off.
 */
export async function reportCsv(
  db: D1Database,
  query: ReportQuery,
  source: ReportSource,
  pageRows?: number,
): Promise<ReadableStream<Uint8Array>> {
  return await textStream(csvChunks(db, query, source, pageRows));
}

async function* csvChunks(db: D1Database, query: ReportQuery, source: ReportSource, pageRows?: number): AsyncGenerator<string, void> {
  const columns = reportColumns(source, query.groupBy);
  const sums = new Sums(reportFigures(source, query.groupBy));
  let pages = 0;
  let generation = 0;
  for await (const page of readAllGroups(db, query, source, pageRows)) {
    pages += 1;
    generation = page.generation;
    sums.add(page);
    yield (pages === 1 ? csvLines([columns]) : "") + csvLines(page.rows.map((row) => columns.map((column) => row[column])));
  }
  if (!query.totals) return;
  // Figures only ever grow, so equal sums now mean that no row of the file has grown since it was read.
  const oneState = pages === 1 || sums.equal(await readTotals(db, { source, query, generation }));
  yield csvLines([totalsRow(query, columns, sums, oneState)]);
}

function totalsRow(query: ReportQuery, columns: string[], sums: Sums, oneState: boolean): (string | number | null)[] {
  const first = query.groupBy[0] && GROUP_COLUMNS[query.groupBy[0]];
  const label = oneState ? TOTALS_OF_ONE_STATE : TOTALS_OF_MOVING_STATE;
  return columns.map((column) => (column === first ? label : (sums.figures[column] ?? null)));
}

/** The sums of what was written so far; a figure that the source does not know stays null. */
class Sums {
  readonly figures: Record<string, number | null> = {};

  constructor(private readonly names: readonly string[]) {
    for (const name of names) this.figures[name] = 0;
  }

  add(page: GroupsPage): void {
    for (const row of page.rows) for (const name of this.names) this.figures[name] = sumOf(this.figures[name], row[name]);
  }

  equal(totals: ReportTotals): boolean {
    const known = totals as Record<string, number | undefined>;
    return this.names.every((name) => this.figures[name] === null || this.figures[name] === known[name]);
  }
}

function sumOf(sum: number | null | undefined, value: ReportRow[string] | undefined): number | null {
  return typeof sum === "number" && typeof value === "number" ? sum + value : null;
}
