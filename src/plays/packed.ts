/** Rows of the same columns on their way from one part to another, column by column: what is the same in all rows stands once. Plain data, JSON or not. */
export interface PackedRows {
  count: number;
  same: Record<string, unknown>;
  /** The columns whose values differ. */
  columns: Record<string, unknown[]>;
}

/** The values of rows by column, each in the order of the rows. */
export type Columns<T> = { [K in keyof T & string]: readonly T[K][] };

/** Packs so many rows. Values are compared by identity, so objects always count as different. */
export function packColumns<T>(count: number, columns: Columns<T>): PackedRows {
  const packed: PackedRows = { count, same: {}, columns: {} };
  if (count === 0) return packed;
  for (const [name, values] of Object.entries<readonly unknown[]>(columns)) {
    if (isConstant(values)) packed.same[name] = values[0];
    else packed.columns[name] = values as unknown[];
  }
  return packed;
}

/** Whether all values of a column are the same one. */
export function isConstant(values: readonly unknown[]): boolean {
  const first = values[0];
  for (let at = 1; at < values.length; at++) if (values[at] !== first) return false;
  return true;
}

/** What a column's value may be. */
export type ColumnChecks<T> = Record<keyof T & string, (value: unknown) => boolean>;

/**
 * Reads packed rows: those at the places of `of`, which are then counted from 0, or all. The others are not looked at.
 * @throws Error where a column that `checks` names is missing, has another length, or a value is not what it must be.
 */
export function readColumns<T>(packed: PackedRows, checks: ColumnChecks<T>, of: readonly number[] | null = null): Columns<T> {
  const count = of ? of.length : packed.count;
  const columns: Record<string, readonly unknown[]> = {};
  for (const [name, check] of Object.entries<(value: unknown) => boolean>(checks)) {
    const column = packed.columns[name];
    if (column === undefined) {
      const value = packed.same[name];
      if (count > 0) requireValue(name, value, check);
      columns[name] = repeated(value, count);
    } else {
      if (!Array.isArray(column)) throw new Error(`${name} is no list`);
      const values = of ? of.map((place) => column[place]) : column;
      if (values.length !== count) throw new Error(`${name} has ${values.length} values for ${count} rows`);
      for (let at = 0; at < count; at++) requireValue(name, values[at], check);
      columns[name] = values;
    }
  }
  return columns as Columns<T>;
}

/** The value of a column in a row that it has. */
export function cell<T>(column: readonly T[], at: number): T {
  return column[at] as T;
}

/** A column of one value. */
export function repeated<T>(value: T, count: number): T[] {
  return new Array<T>(count).fill(value);
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
