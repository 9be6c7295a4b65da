import { z } from "@hono/zod-openapi";
import { getTableColumns, getTableName, type SQL, sql } from "drizzle-orm";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import type { Visibility } from "../auth/principal.ts";
import type { FieldError } from "../platform/errors.ts";
import { tagField } from "../platform/fields.ts";
import type { Requirement } from "../platform/requirement.ts";
import { columnsOf, type Row } from "../platform/rows.ts";
import type { UseQuery } from "../platform/uses.ts";

/** A table whose rows administrators make: each has an id and the time it was made. */
export type ResourceTable = SQLiteTable & { id: SQLiteColumn; created_at: SQLiteColumn };

/** A table whose rows others cite by id. */
export type ReferencedTable = SQLiteTable & { id: SQLiteColumn };

/** One query member of a list and the condition that it makes. */
export interface Filter {
  schema: z.ZodType;
  where(value: unknown): SQL;
}

/**
 * What a kind of thing in the registry has of its own. What all have in common (routes, pages, ETags, idempotency,
 * one audit row for each change) is made of it by `resourceRouter` and `changes.ts`.
 */
export interface Resource<R extends Row = Row> {
  /** Names the audit actions (`store.update`) and the audit row's target type. */
  noun: string;
  /** The plural in words, for OpenAPI. */
  plural: string;
  /** Where its routes stand, as `/v1/admin/stores`. */
  path: string;
  table: ResourceTable;
  /** The body of POST. */
  create: z.ZodObject;
  /** The body of PATCH. */
  change: z.ZodObject;
  /** One of them in an answer. */
  answer: z.ZodObject;
  filters: Record<string, Filter>;
  /** What of it viewers of one supplier or one brand see. A kind of scope that is not here is refused: `{}` refuses both. */
  visible: Visibility;
  /** Fields of a body that only role admin may send. */
  administered?: readonly string[];
  /** The answer to POST, where that shows more than {@link answer}. */
  created?: z.ZodObject;
  /** What only the answer to POST shows, as a secret: kept nowhere, and made again for an answer that is repeated. */
  revealed?(env: Env, shown: Row): Promise<Row>;
  /** Columns that no answer shows. */
  hidden?: readonly string[];
  /** Fields that name a row of another table. */
  references?: Record<string, ReferencedTable>;
  /** Fields that no two rows may share. */
  unique?: readonly string[];
  /** Columns of a new row that its body does not give. */
  initial?(now: number): Row;
  /** Columns that follow from those that a change sets, as the time and reason of a new status. Pure; `now` in ms. */
  implied?(before: R, values: Row, now: number): Row;
  /** The row that a creation would only repeat: it is answered, with 200, and nothing is made. */
  existing?(db: D1Database, row: R): Promise<Row | null>;
  /** Rules between fields, asked of the row as it would be. Pure. */
  check?(row: R): FieldError[];
  /** Rules that need the database, asked of the row as it would be. `before` is null for a new row. Pure. */
  requirements?(before: R | null, after: R): Requirement[];
  /** What stands in the way of archiving or deleting a row. Pure; `now` in ms. */
  uses?(row: R, purpose: "archive" | "delete", now: number): UseQuery[];
  /** Whether there is a DELETE: only where nothing that is kept for ever may cite a row that `uses` lets go. */
  deletable?: true;
  /** What else must be written in the transaction of a change. `before` is null for a new row. */
  effects?(db: D1Database, before: R | null, after: R, now: number): D1PreparedStatement[];
  /** What else must be written in the transaction of a deletion. */
  removalEffects?(db: D1Database, row: R): D1PreparedStatement[];
  /** What follows the commit of a change that had effects. */
  deliver?(env: Env): Promise<void>;
  /** More of one row than its columns, for GET of a single one. */
  detail?(db: D1Database, row: R): Promise<Row>;
}

/** A whole new row: the body's fields, the table's defaults, null for the rest. */
export function newRow(table: ResourceTable, body: Row, id: string, now: number, initial: Row = {}): Row {
  const columns = getTableColumns(table);
  const defaults = Object.fromEntries(Object.values(columns).map((column) => [column.name, column.default ?? null]));
  const times = { created_at: now, ...("updated_at" in columns ? { updated_at: now } : {}) };
  return { ...defaults, ...initial, ...columnsOf(body, Object.keys(columns), now), id, ...times };
}

/** Whether a change takes a row out of the archive. */
export function isRestored(before: Row | null, after: Row): boolean {
  return before !== null && typeof before.archived_at === "number" && after.archived_at === null;
}

/** What a thing is called in sentences: `device group`. */
export function labelOf({ noun }: Pick<Resource, "noun">): string {
  return noun.replaceAll("_", " ");
}

export function tableName(table: SQLiteTable): string {
  return getTableName(table);
}

/** Rows whose column has this value. */
export function equals(column: SQLiteColumn, schema: z.ZodType): Filter {
  return { schema: schema.optional(), where: (value) => sql`${column} = ${value}` };
}

/** Rows whose column holds this text; the case of ASCII letters does not matter (SQLite knows no other). */
export function contains(column: SQLiteColumn): Filter {
  return {
    schema: z.string().min(1).max(100).optional(),
    where: (value) => sql`instr(lower(${column}), lower(${value})) > 0`,
  };
}

/** Rows that carry this tag, letter for letter. The column holds a JSON array. */
export function tagged(column: SQLiteColumn): Filter {
  return { schema: tagField.optional(), where: (value) => sql`EXISTS (SELECT 1 FROM json_each(${column}) WHERE value = ${value})` };
}

/** Rows with this text in any of the columns, as {@link contains}. */
export function anyContains(columns: SQLiteColumn[]): Filter {
  const [first] = columns.map(contains);
  return {
    schema: first?.schema ?? z.string().optional(),
    where: (value) =>
      sql`(${sql.join(
        columns.map((column) => contains(column).where(value)),
        sql` OR `,
      )})`,
  };
}

/** Archived rows (`true`), or those that are not (`false`). */
export function archived(column: SQLiteColumn): Filter {
  return {
    schema: z.enum(["true", "false"]).optional(),
    where: (value) => (value === "true" ? sql`${column} IS NOT NULL` : sql`${column} IS NULL`),
  };
}
