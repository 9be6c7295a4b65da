import { Problem } from "./errors.ts";
import { refuseWhereStatement } from "./requirement.ts";

/** The most rows that an answer lists. */
export const MAX_USES_LISTED = 100;
const MAX_USES_NAMED = 3;

/** Rows that stand in the way of archiving, emptying or deleting something: where to find them, as data. */
export interface UseQuery {
  /** What they are, as in the API: `device`, `store`, `schedule`, … */
  type: string;
  /** SQL that selects `id` and `name` of each. */
  query: string;
  values: (string | number | null)[];
}

/** One of them, as the answer lists it. */
export interface Use {
  type: string;
  id: string;
  name: string | null;
}

/** What is in the way now: the first {@link MAX_USES_LISTED} of each kind, and how many there are in all. */
export async function findUses(db: D1Database, queries: readonly UseQuery[]): Promise<{ uses: Use[]; total: number }> {
  if (queries.length === 0) return { uses: [], total: 0 };
  const results = await db.batch<{ id: string; name: string | null; total: number }>(
    queries.map(({ query, values }) =>
      db.prepare(`SELECT id, name, count(*) OVER () AS total FROM (${query}) ORDER BY name, id LIMIT ${MAX_USES_LISTED}`).bind(...values),
    ),
  );
  const uses = queries.flatMap(({ type }, at) => (results[at]?.results ?? []).map(({ id, name }) => ({ type, id, name })));
  const total = results.reduce((sum, { results: rows }) => sum + (rows[0]?.total ?? 0), 0);
  return { uses, total };
}

/**
 * @param refusal what cannot be done, as "The store cannot be deleted"
 * @throws Problem `conflict`, code `IN_USE`, that lists what is in the way in `used_by` and counts it in `used_by_total`.
 */
export async function requireUnused(db: D1Database, queries: readonly UseQuery[], refusal: string): Promise<void> {
  const { uses, total } = await findUses(db, queries);
  if (total === 0) return;
  const named = uses.slice(0, MAX_USES_NAMED).map(({ type, id, name }) => `${type.replaceAll("_", " ")} ${name ?? id}`);
  const more = total > named.length ? ` and ${total - named.length} more` : "";
  throw new Problem("conflict", `${refusal} while it is used by ${named.join(", ")}${more}.`, {
    code: "IN_USE",
    extra: { used_by: uses, used_by_total: total },
  });
}

/** The statements that take a `batch()` back where something is in the way by then. */
export function unusedStatements(db: D1Database, queries: readonly UseQuery[]): D1PreparedStatement[] {
  return queries.map(({ query, values }) => refuseWhereStatement(db, query, values));
}
