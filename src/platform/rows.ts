import { toIso } from "./time.ts";

/** A row of D1, by column name. */
export type Row = Record<string, unknown>;

const JSON_SUFFIX = "_json";
const TIME_SUFFIX = "_at";

/**
 * A row as the API shows it: `…_at` columns (ms) as RFC 3339, `…_json` columns parsed and without the suffix,
 * hidden columns left out, all else as it is.
 */
export function presentRow(row: Row, hidden: readonly string[] = []): Row {
  const shown: Row = {};
  for (const [column, value] of Object.entries(row)) {
    if (hidden.includes(column)) continue;
    if (column.endsWith(JSON_SUFFIX)) {
      shown[column.slice(0, -JSON_SUFFIX.length)] = typeof value === "string" ? JSON.parse(value) : null;
    } else if (column.endsWith(TIME_SUFFIX)) {
      shown[column] = typeof value === "number" ? toIso(value) : null;
    } else {
      shown[column] = value;
    }
  }
  return shown;
}

/**
 * What of a validated body goes into which column of a table: `policy` into `policy_json`, `archived: true` into
 * `archived_at`. Fields that the body does not have are left out.
 */
export function columnsOf(body: Row, columns: readonly string[], now: number): Row {
  const values: Row = {};
  for (const column of columns) {
    const field = column.endsWith(JSON_SUFFIX) ? column.slice(0, -JSON_SUFFIX.length) : column;
    const value = body[field];
    if (value === undefined) continue;
    values[column] = column.endsWith(JSON_SUFFIX) && value !== null ? JSON.stringify(value) : value;
  }
  if (typeof body.archived === "boolean") values.archived_at = body.archived ? now : null;
  return values;
}

/** Before and after of the fields that differ between two rows as the API shows them. Null where none does. */
export function differences(before: Row, after: Row): { before: Row; after: Row } | null {
  const changed = Object.keys(after).filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]));
  if (changed.length === 0) return null;
  const pick = (row: Row) => Object.fromEntries(changed.map((field) => [field, row[field] ?? null]));
  return { before: pick(before), after: pick(after) };
}
