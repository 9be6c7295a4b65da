import { and, asc, desc, getTableColumns, type Query, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { SQLiteInsertValue, SQLiteUpdateSetSource } from "drizzle-orm/sqlite-core";
import { scopeTerms, type ViewerScope } from "../auth/principal.ts";
import { type FieldError, Problem } from "../platform/errors.ts";
import { requireMatch } from "../platform/etag.ts";
import { findFirstAnswer, type IdempotentRequest, rememberStatements } from "../platform/idempotency.ts";
import { decodeCursor, type Page, pageOf } from "../platform/paging.ts";
import { type Requirement, requireAll, requirementStatements } from "../platform/requirement.ts";
import { columnsOf, differences, presentRow, type Row } from "../platform/rows.ts";
import { requireUnused, unusedStatements } from "../platform/uses.ts";
import { auditStatement } from "./audit.ts";
import { isRestored, labelOf, type ReferencedTable, type Resource, type ResourceTable, tableName } from "./resource.ts";

/** How often a change without `If-Match` is tried again when somebody else's came in between. */
export const CHANGE_ATTEMPTS = 20;

/** Who changes something, where and when. */
export interface Change {
  db: D1Database;
  actor: string;
  now: number;
}

/** What a creation came to. */
export interface CreateOutcome {
  /** 200 where there was such a row already. */
  status: 200 | 201;
  /** The row as the API shows it. */
  shown: Row;
  /** Whether this answer was given before, under the same `Idempotency-Key`. */
  replayed: boolean;
  /** Whether statements were written that something must follow after the commit. */
  effects: boolean;
}

/** Makes of a query built by drizzle a statement for a `batch()`. */
function statement(db: D1Database, query: { toSQL(): Query }): D1PreparedStatement {
  const { sql: text, params } = query.toSQL();
  return db.prepare(text).bind(...params);
}

/**
 * Inserts a row with its audit row and the first answer to its `Idempotency-Key`, in one transaction.
 * @throws Problem `validation-error` for a reference to nothing, `conflict` for what exists already or a key used otherwise.
 */
export async function createRow(
  change: Change,
  resource: Resource,
  row: Row,
  idempotency: IdempotentRequest | null,
): Promise<CreateOutcome> {
  const { db, now } = change;
  // What an earlier request settled, be it an equal one or the one that made the same thing.
  const settled = async (): Promise<CreateOutcome | null> => {
    const first = idempotency && (await findFirstAnswer(db, idempotency, now));
    if (first) return { status: first.status === 200 ? 200 : 201, shown: JSON.parse(first.body) as Row, replayed: true, effects: false };
    const existing = await resource.existing?.(db, row);
    if (existing) return { status: 200, shown: presentRow(existing, resource.hidden), replayed: false, effects: false };
    await requireValid(db, resource, null, row);
    return null;
  };
  refuseFields(resource.check?.(row) ?? []);
  const before = await settled();
  // What was there already still has to be kept as the first answer to a new key.
  if (before && (before.replayed || !idempotency)) return before;

  const effects = before ? [] : (resource.effects?.(db, null, row, now) ?? []);
  const outcome = before ?? { status: 201, shown: presentRow(row, resource.hidden), replayed: false, effects: effects.length > 0 };
  const answer = { status: outcome.status, body: JSON.stringify(outcome.shown) };
  try {
    await db.batch([
      ...(idempotency ? rememberStatements(db, idempotency, answer, now) : []),
      ...(before ? [] : createStatements(change, resource, row)),
      ...(before ? [] : requirementStatements(db, requirementsOf(resource, null, row))),
      ...effects,
    ]);
    return outcome;
  } catch (error) {
    // An equal request, or one that took the same id, was faster: say so; anything else is a fault.
    const after = await settled();
    if (after) return after;
    throw error;
  }
}

function createStatements({ db, actor, now }: Change, resource: Resource, row: Row): D1PreparedStatement[] {
  const insert = drizzle(db)
    .insert(resource.table)
    .values(row as SQLiteInsertValue<ResourceTable>);
  const details = { after: presentRow(row, resource.hidden) };
  const audit = { actor, action: `${resource.noun}.create`, targetType: resource.noun, targetId: String(row.id), details };
  return [statement(db, insert), auditStatement(db, audit, now)];
}

/**
 * Changes the fields that the body names, with one audit row, in one transaction. The update holds the version that was
 * read: where it is no longer the row's, `version` would become NULL, which the column refuses, and everything rolls back.
 * A body that changes nothing writes nothing.
 * @throws Problem `not-found`, `precondition-failed` (a stale `If-Match`), `validation-error`, `conflict`.
 */
export async function changeRow(
  change: Change,
  resource: Resource,
  id: string,
  body: Row,
  ifMatch: string | undefined,
): Promise<{ row: Row; effects: boolean }> {
  const { db, now } = change;
  for (let attempt = 0; attempt < CHANGE_ATTEMPTS; attempt += 1) {
    const before = await findRow(db, resource, id);
    const version = Number(before.version);
    requireMatch(ifMatch, version);
    const values = changedColumns(resource, before, body, now);
    if (Object.keys(values).length === 0) return { row: before, effects: false };
    const after = { ...before, ...values, updated_at: now, version: version + 1 };
    refuseFields(resource.check?.(after) ?? []);
    const allowed = async () => {
      await requireValid(db, resource, before, after);
      await requireUnused(db, archivingUses(resource, before, after, now), `The ${labelOf(resource)} cannot be archived`);
    };
    await allowed();
    const effects = resource.effects?.(db, before, after, now) ?? [];
    try {
      await db.batch([
        ...changeStatements(change, resource, before, values),
        ...requirementStatements(db, requirementsOf(resource, before, after)),
        ...unusedStatements(db, archivingUses(resource, before, after, now)),
        ...effects,
      ]);
      return { row: after, effects: effects.length > 0 };
    } catch (error) {
      const current = await findRow(db, resource, id);
      if (Number(current.version) === version) {
        // Not this row's version, then: another row that it depends on changed meanwhile. Anything else is a fault.
        await allowed();
        throw error;
      }
    }
  }
  throw new Problem("conflict", "Others change it all the time; try again.", { code: "CHANGED_MEANWHILE" });
}

function changedColumns(resource: Resource, before: Row, body: Row, now: number): Row {
  const named = columnsOf(body, Object.keys(before), now);
  const values = { ...named, ...resource.implied?.(before, named, now) };
  // What is archived already keeps the time when it was.
  if (values.archived_at && before.archived_at) delete values.archived_at;
  const changed = differences(presentRow(before), presentRow({ ...before, ...values }));
  if (!changed) return {};
  const columns = Object.keys(values).filter((column) => column.replace(/_json$/, "") in changed.after);
  return Object.fromEntries(columns.map((column) => [column, values[column]]));
}

function changeStatements({ db, actor, now }: Change, resource: Resource, before: Row, values: Row): D1PreparedStatement[] {
  const version = Number(before.version);
  const update = drizzle(db)
    .update(resource.table)
    .set({
      ...values,
      updated_at: now,
      version: sql`CASE WHEN version = ${version} THEN ${version + 1} END`,
    } as SQLiteUpdateSetSource<ResourceTable>)
    .where(sql`${resource.table.id} = ${before.id}`);
  const details = differences(presentRow(before, resource.hidden), presentRow({ ...before, ...values }, resource.hidden)) ?? {};
  const id = String(before.id);
  return [
    statement(db, update),
    auditStatement(db, { actor, action: `${resource.noun}.update`, targetType: resource.noun, targetId: id, details }, now),
  ];
}

/** @throws Problem `not-found` where there is none with this id. */
export async function findRow(db: D1Database, resource: Pick<Resource, "table" | "noun">, id: string): Promise<Row> {
  const row = await db
    .prepare(`SELECT * FROM ${tableName(resource.table)} WHERE id = ?`)
    .bind(id)
    .first<Row>();
  if (!row) throw noSuch(resource);
  return row;
}

/**
 * The row, as far as a viewer's scope goes; `scope` is null for who sees the whole network.
 * @throws Problem `not-found`, where it is there but out of scope, too: nothing is told of what is others'. `forbidden` where such rows
 *   cannot be narrowed to the scope.
 */
export async function findVisible(
  db: D1Database,
  resource: Pick<Resource, "table" | "noun" | "visible">,
  id: string,
  scope: ViewerScope | null,
): Promise<Row> {
  if (scope === null) return await findRow(db, resource, id);
  const [row] = (await drizzle(db)
    .select()
    .from(resource.table)
    .where(and(sql`${resource.table.id} = ${id}`, ...scopeTerms(scope, resource.visible)))
    .limit(1)) as Row[];
  if (!row) throw noSuch(resource);
  return row;
}

function noSuch(resource: Pick<Resource, "noun">): Problem {
  return new Problem("not-found", `There is no ${labelOf(resource)} with this id.`);
}

/** One page of a table, by id; ids made here grow with time. The conditions come from filters. */
export async function listRows(
  db: D1Database,
  table: ResourceTable,
  page: { limit: number; cursor?: string | undefined },
  conditions: SQL[],
  order: "oldest" | "newest" = "oldest",
): Promise<Page<Row>> {
  const behind = decodeCursor(page.cursor);
  const position = behind === null ? [] : [order === "oldest" ? sql`${table.id} > ${behind}` : sql`${table.id} < ${behind}`];
  const rows = (await drizzle(db)
    .select()
    .from(table)
    .where(and(...conditions, ...position))
    .orderBy(order === "oldest" ? asc(table.id) : desc(table.id))
    .limit(page.limit + 1)) as Row[];
  return pageOf(rows, page.limit, (row) => String(row.id));
}

/** @throws Problem `validation-error` where there are any. */
export function refuseFields(errors: FieldError[], code?: string): void {
  const [first] = errors;
  if (!first) return;
  throw new Problem("validation-error", `${first.pointer}: ${first.detail}`, { errors, ...(code ? { code } : {}) });
}

/**
 * Asks D1 whether a row may be so: what it cites exists and is not archived, its own requirements hold, and what must be
 * unique is. Of a change only what it changes is asked, and everything of a row that comes back from the archive.
 */
async function requireValid(db: D1Database, resource: Resource, before: Row | null, after: Row): Promise<void> {
  await requireAll(db, requirementsOf(resource, before, after));
  await requireUnique(db, resource, before, after);
}

function requirementsOf(resource: Resource, before: Row | null, after: Row): Requirement[] {
  const restored = isRestored(before, after);
  const cited = Object.entries(resource.references ?? {}).filter(
    ([field]) => after[field] !== null && (restored || before?.[field] !== after[field]),
  );
  return [
    ...cited.flatMap(([field, table]) => referenceRequirements(field, table, String(after[field]))),
    ...(resource.requirements?.(before, after) ?? []),
  ];
}

function archivingUses(resource: Resource, before: Row, after: Row, now: number) {
  const archives = before.archived_at === null && typeof after.archived_at === "number";
  return archives ? (resource.uses?.(before, "archive", now) ?? []) : [];
}

function referenceRequirements(field: string, table: ReferencedTable, id: string): Requirement[] {
  const name = tableName(table);
  const common = { values: [id], pointer: () => `/${field}` };
  return [
    {
      ...common,
      breaches: `SELECT NULL AS at WHERE NOT EXISTS (SELECT 1 FROM ${name} WHERE id = ?)`,
      detail: "There is nothing with this id.",
      code: "REFERENCE_NOT_FOUND",
    },
    ...("archived_at" in getTableColumns(table)
      ? [
          {
            ...common,
            breaches: `SELECT NULL AS at FROM ${name} WHERE id = ? AND archived_at IS NOT NULL`,
            detail: "What has this id is archived; restore it first, or name another.",
            code: "REFERENCE_ARCHIVED",
          },
        ]
      : []),
  ];
}

async function requireUnique(db: D1Database, resource: Resource, before: Row | null, after: Row): Promise<void> {
  const unique = [...(before ? [] : ["id"]), ...(resource.unique ?? [])].filter(
    (field) => after[field] !== null && before?.[field] !== after[field],
  );
  if (unique.length === 0) return;
  const table = tableName(resource.table);
  const results = await db.batch(
    unique.map((field) =>
      field === "id"
        ? db.prepare(`SELECT 1 FROM ${table} WHERE id = ?`).bind(after.id)
        : db.prepare(`SELECT 1 FROM ${table} WHERE ${field} = ? AND id <> ?`).bind(after[field], after.id),
    ),
  );
  const taken = unique.find((_, at) => results[at]?.results.length !== 0);
  if (taken === undefined) return;
  const detail = `Another ${labelOf(resource)} has this ${taken}.`;
  throw new Problem("conflict", detail, { code: "ALREADY_EXISTS", errors: [{ pointer: `/${taken}`, detail }] });
}
