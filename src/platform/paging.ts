import { z } from "@hono/zod-openapi";
import { Problem } from "./errors.ts";

export const PAGE_DEFAULT_ROWS = 50;
/** What a program that reads a whole list asks for: 5,000 devices are five pages. */
export const PAGE_MAX_ROWS = 1000;

/** The query members of every list. `limit` counts rows; `cursor` is opaque, from the page before. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(PAGE_MAX_ROWS).default(PAGE_DEFAULT_ROWS),
  cursor: z.string().max(512).optional(),
};

/** One page of a list. `next_cursor` is null on the last one. */
export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export function pageSchema<T extends z.ZodType>(item: T) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() });
}

/** A cursor that goes on behind a row with this key. */
export function encodeCursor(key: string): string {
  return new TextEncoder().encode(key).toBase64({ alphabet: "base64url", omitPadding: true });
}

/**
 * The key behind which a page begins; null without a cursor.
 * @throws Problem `validation-error`, code `INVALID_CURSOR`, for what no page has given out.
 */
export function decodeCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(Uint8Array.fromBase64(cursor, { alphabet: "base64url" }));
  } catch {
    throw new Problem("validation-error", "/cursor: Not a cursor of this list; begin without one.", {
      code: "INVALID_CURSOR",
      errors: [{ pointer: "/cursor", detail: "Not a cursor of this list; begin without one." }],
    });
  }
}

/** Makes a page of rows that were read with one more than the limit: that one says that there is a next page. */
export function pageOf<T>(rows: T[], limit: number, key: (row: T) => string): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, next_cursor: rows.length > limit && last !== undefined ? encodeCursor(key(last)) : null };
}
