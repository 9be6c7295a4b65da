import { csvLines, textStream } from "../platform/csv.ts";
import { TOTALS_OF_ONE_STATE } from "./csv.ts";
import { FILE_PAGE, PLANNED_COLUMNS, type PlannedPage, plannedColumns, readPlannedPage, withDelivery } from "./planned.ts";
import { type ReportRow, WHOLE_REPORT_PAGE_ROWS } from "./proof-of-play.ts";
import type { GroupPosition, ReportQuery } from "./query.ts";
import type { ReportSource } from "./source.ts";

/**
 * The whole report as CSV (RFC 4180), page by page: no more than a page is in memory, and the next one is read when the reader has taken
 * the last. All pages are of the generation of the aggregates that the first one found live. With `totals`, the last line holds the sums
 * of the file's own rows. The first page is read before this returns, so that its failure can still be answered; a later failure breaks
 * the stream off.
 */
export async function plannedCsv(
  db: D1Database,
  query: ReportQuery,
  source: ReportSource,
  pageRows: number = WHOLE_REPORT_PAGE_ROWS,
): Promise<ReadableStream<Uint8Array>> {
  return await textStream(csvChunks(db, query, source, pageRows));
}

async function* csvChunks(db: D1Database, query: ReportQuery, source: ReportSource, limit: number): AsyncGenerator<string, void> {
  const columns = plannedColumns(query.groupBy);
  const lines = (rows: readonly ReportRow[]) => csvLines(rows.map((row) => columns.map((column) => row[column])));
  const sums: ReportRow = {};
  let page: PlannedPage | null = null;
  do {
    const header: string = page === null ? csvLines([columns]) : "";
    const [after, generation]: [GroupPosition | null, number | null] = [page?.next ?? null, page?.generation ?? null];
    page = await readPlannedPage(db, query, { source, after, limit, generation, reach: FILE_PAGE });
    for (const row of page.rows) addTo(sums, row);
    yield header + lines(page.rows);
  } while (page.next !== null);
  if (query.totals) yield lines([{ ...withDelivery(sums), [columns[0] ?? ""]: TOTALS_OF_ONE_STATE }]);
}

/** Adds a row's figures; of what a row does not know, the sums of the others stand. */
function addTo(sums: ReportRow, row: ReportRow): void {
  for (const name of PLANNED_COLUMNS) {
    const value = row[name];
    if (name !== "delivery" && typeof value === "number") sums[name] = Number(sums[name] ?? 0) + value;
  }
}
