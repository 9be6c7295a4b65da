import { type FieldError, Problem } from "./errors.ts";

/** The most fields that one answer names for one rule. */
const MAX_FIELDS_NAMED = 20;

/**
 * A rule that only the database can judge, as data: the same query explains a refusal beforehand and guards the transaction,
 * so that nothing slips in between.
 */
export interface Requirement {
  /** SQL that selects a row for each breach of the rule: its place in a list as `at`, or NULL. Holds where it finds none. */
  breaches: string;
  values: (string | number | null)[];
  /** The field at fault, as JSON pointer. `at` is what the breach's row says. */
  pointer(at: string | number | null): string;
  detail: string;
  code: string;
}

/**
 * Asks D1 in one go whether all requirements hold.
 * @throws Problem `validation-error` with the code of the first that does not, naming every field that breaks one of that code.
 */
export async function requireAll(db: D1Database, requirements: readonly Requirement[]): Promise<void> {
  if (requirements.length === 0) return;
  const asked = requirements.map(({ breaches, values }) =>
    db.prepare(`SELECT at FROM (${breaches}) LIMIT ${MAX_FIELDS_NAMED}`).bind(...values),
  );
  const results = await db.batch<{ at: string | number | null }>(asked);
  const broken = requirements.flatMap((requirement, index) =>
    (results[index]?.results ?? []).map(({ at }) => ({
      code: requirement.code,
      pointer: requirement.pointer(at),
      detail: requirement.detail,
    })),
  );
  const [first] = broken;
  if (!first) return;
  const errors: FieldError[] = broken.filter(({ code }) => code === first.code).map(({ pointer, detail }) => ({ pointer, detail }));
  throw new Problem("validation-error", `${first.pointer}: ${first.detail}`, { code: first.code, errors });
}

/** The statements that take a `batch()` back where a requirement no longer holds. They go behind what they judge. */
export function requirementStatements(db: D1Database, requirements: readonly Requirement[]): D1PreparedStatement[] {
  return requirements.map(({ breaches, values }) => refuseWhereStatement(db, breaches, values));
}

/** A statement that fails, and its `batch()` with it, where a query finds any row. */
export function refuseWhereStatement(db: D1Database, query: string, values: readonly (string | number | null)[]): D1PreparedStatement {
  // SQLite has no RAISE outside triggers; text that is no JSON is an error as good as any.
  return db.prepare(`SELECT CASE WHEN EXISTS (${query}) THEN json('refused') END`).bind(...values);
}
