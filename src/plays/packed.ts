/** Rows of the same columns on their way from one part to another: what is the same in all of them stands once. Plain data, JSON or not. */
export interface PackedRows {
  count: number;
  same: Record<string, unknown>;
  /** The columns whose values differ, in the order of each row's values. */
  columns: string[];
  rows: unknown[][];
}

/** Packs rows by some of their columns. Values are compared by identity, so objects always count as different. */
export function packRows<T>(rows: readonly T[], columns: readonly (keyof T & string)[]): PackedRows {
  const packed: PackedRows = { count: rows.length, same: {}, columns: [], rows: [] };
  const [first] = rows;
  if (!first) return packed;
  const differing: (keyof T & string)[] = [];
  for (const column of columns) {
    const value = first[column];
    if (rows.every((row) => row[column] === value)) packed.same[column] = value;
    else differing.push(column);
  }
  packed.columns = differing;
  if (differing.length > 0) packed.rows = rows.map((row) => differing.map((column) => row[column]));
  return packed;
}

/** What a column's value may be. */
export type ColumnChecks<T> = Record<keyof T & string, (value: unknown) => boolean>;

/**
 * The rows again, each with all columns that `checks` names.
 * @throws Error where a column is missing or a value is not what it must be.
 */
export function unpackRows<T>(packed: PackedRows, checks: ColumnChecks<T>): T[] {
  if (packed.count === 0) return [];
  const columns = Object.keys(checks) as (keyof T & string)[];
  const places = columns.map((column) => packed.columns.indexOf(column));
  columns.forEach((column, index) => {
    if ((places[index] ?? -1) < 0) requireValue(column, packed.same[column], checks[column]);
  });
  return Array.from({ length: packed.count }, (_, at) => {
    const values = packed.rows[at];
    const row: Record<string, unknown> = {};
    for (let index = 0; index < columns.length; index++) {
      const column = columns[index] as keyof T & string;
      const place = places[index] as number;
      if (place < 0) row[column] = packed.same[column];
      else {
        const value = values?.[place];
        requireValue(column, value, checks[column]);
        row[column] = value;
      }
    }
    return row as T;
  });
}

function requireValue(column: string, value: unknown, check: (value: unknown) => boolean): void {
  if (!check(value)) throw new Error(`${column} cannot be ${JSON.stringify(value)}`);
}

// What columns are made of.
export const isText = (value: unknown): boolean => typeof value === "string";
export const isWhole = (value: unknown): boolean => Number.isSafeInteger(value);
export const isWholeOrNull = (value: unknown): boolean => value === null || Number.isSafeInteger(value);

export function isOneOf(values: readonly unknown[]): (value: unknown) => boolean {
  return (value) => values.includes(value);
}
