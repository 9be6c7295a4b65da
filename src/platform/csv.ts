import { stringify } from "csv-stringify/sync";

/** The media type of a file whose first line names its columns (RFC 4180). */
export const CSV_TYPE = "text/csv; charset=utf-8; header=present";

/**
 * Lines of CSV (RFC 4180: quotes where needed), each ended by CRLF. Text cells that a spreadsheet would run as a formula get a
 * leading apostrophe; numbers stay numbers; null is an empty cell.
 */
export function csvLines(rows: (string | number | null | undefined)[][]): string {
  if (rows.length === 0) return "";
  return stringify(rows, { record_delimiter: "\r\n", quote_record_delimiter: true, escape_formulas: true });
}

/**
 * Texts as a stream of UTF-8: the next one is made when the reader has taken the last. The first is made before this returns,
 * so that its failure can still be answered; a later failure breaks the stream off.
 */
export async function textStream(chunks: AsyncGenerator<string, void>): Promise<ReadableStream<Uint8Array>> {
  const first = await chunks.next();
  const encoder = new TextEncoder();
  return new ReadableStream<Uint8Array>({
    start(controller) {
      if (!first.done) controller.enqueue(encoder.encode(first.value));
    },
    async pull(controller) {
      const chunk = await chunks.next();
      if (chunk.done) controller.close();
      else controller.enqueue(encoder.encode(chunk.value));
    },
    async cancel() {
      await chunks.return();
    },
  });
}
