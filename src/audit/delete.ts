import { Problem } from "../platform/errors.ts";
import { requireMatch } from "../platform/etag.ts";
import { refuseWhereStatement } from "../platform/requirement.ts";
import { presentRow } from "../platform/rows.ts";
import { requireUnused, unusedStatements } from "../platform/uses.ts";
import { auditStatement } from "./audit.ts";
import { CHANGE_ATTEMPTS, type Change, findRow } from "./changes.ts";
import { labelOf, type Resource, tableName } from "./resource.ts";

/**
 * Deletes a row, with one audit row that keeps what it was, in one transaction that holds the version that was read.
 * @throws Problem `not-found`, `precondition-failed` (a stale `If-Match`), or `conflict` with code `IN_USE`, which lists by what.
 */
export async function deleteRow(
  { db, actor, now }: Change,
  resource: Resource,
  id: string,
  ifMatch: string | undefined,
): Promise<{ effects: boolean }> {
  const table = tableName(resource.table);
  for (let attempt = 0; attempt < CHANGE_ATTEMPTS; attempt += 1) {
    const row = await findRow(db, resource, id);
    requireMatch(ifMatch, Number(row.version));
    const uses = resource.uses?.(row, "delete", now) ?? [];
    const unused = () => requireUnused(db, uses, `The ${labelOf(resource)} cannot be deleted`);
    await unused();
    const details = { before: presentRow(row, resource.hidden) };
    const audit = { actor, action: `${resource.noun}.delete`, targetType: resource.noun, targetId: id, details };
    const effects = resource.removalEffects?.(db, row) ?? [];
    try {
      await db.batch([
        // Changed or gone meanwhile: nothing of this may be written, the audit row least of all.
        refuseWhereStatement(db, `SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE id = ? AND version = ?)`, [
          id,
          Number(row.version),
        ]),
        ...unusedStatements(db, uses),
        // Ahead of the deletion, since they may ask what the row was about.
        ...effects,
        db.prepare(`DELETE FROM ${table} WHERE id = ?`).bind(id),
        auditStatement(db, audit, now),
      ]);
      return { effects: effects.length > 0 };
    } catch (error) {
      const current = await findRow(db, resource, id);
      if (Number(current.version) === Number(row.version)) {
        await unused();
        throw error;
      }
    }
  }
  throw new Problem("conflict", "Others change it all the time; try again.", { code: "CHANGED_MEANWHILE" });
}
