import type { ReactNode } from "react";

/** One column of a `DataTable`. */
export interface Column<T> {
  id: string;
  header: string;
  /** What the column is sorted by, and shown where there is no `cell`. A column without it is not sorted. */
  value?: (row: T) => string | number | null;
  cell?: (row: T) => ReactNode;
  /** Numbers stand at the right and are sorted from the top down first. */
  number?: boolean;
  /** Pixels. */
  width?: number;
  /** Not shown until somebody chooses it. */
  hidden?: boolean;
}

/** Something that can be done with a row. */
export interface RowAction {
  label: string;
  icon?: ReactNode;
  run: () => void;
  /** Stands apart, in red. */
  destructive?: boolean;
}

export function cellValue<T>(column: Column<T>, row: T): string | number | null {
  return column.value?.(row) ?? null;
}

const collator = new Intl.Collator(undefined, { numeric: true, sensitivity: "base" });

/** Ascending: numbers by size, words as the reader's language orders them. Pure. */
export function compareValues(a: string | number, b: string | number): number {
  return typeof a === "number" && typeof b === "number" ? a - b : collator.compare(String(a), String(b));
}

const keyOf = (name: string) => `alive.columns.${name}`;

/** The ids of the columns that this reader has hidden, else those that are hidden by default. */
export function readHidden<T>(name: string, columns: Column<T>[]): string[] {
  try {
    const kept = JSON.parse(localStorage.getItem(keyOf(name)) ?? "null");
    if (Array.isArray(kept)) return kept.filter((id) => columns.some((column) => column.id === id));
  } catch {
    // What was kept is no list: as if nothing was.
  }
  return columns.filter((column) => column.hidden).map((column) => column.id);
}

export function keepHidden(name: string, hidden: string[]): void {
  localStorage.setItem(keyOf(name), JSON.stringify(hidden));
}
