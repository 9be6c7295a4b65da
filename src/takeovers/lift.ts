import { auditStatement } from "../audit/audit.ts";
import { type Change, findRow } from "../audit/changes.ts";
import { Problem } from "../platform/errors.ts";
import { refuseWhereStatement } from "../platform/requirement.ts";
import { presentRow } from "../platform/rows.ts";
import { toIso } from "../platform/time.ts";
import type { TakeoverRow } from "./tables.ts";
import { takeoverResource, touchTakeover } from "./takeovers.ts";

/** What lifting a takeover comes to at an instant: it is lifted now, was lifted before, or ended by itself before. Pure; `now` in ms. */
export function decideLift({ lifted_at, ends_at }: Pick<TakeoverRow, "lifted_at" | "ends_at">, now: number): "lift" | "lifted" | "ended" {
  if (lifted_at !== null) return "lifted";
  return ends_at !== null && ends_at <= now ? "ended" : "lift";
}

/**
 * Lifts a takeover, with one audit row and the marks on the plans that it was in, in one transaction. Lifting what is lifted
 * changes nothing and writes nothing.
 * @throws Problem `not-found`, or `conflict` (code `TAKEOVER_ENDED`) for one that ended by itself.
 */
export async function liftTakeover(change: Change, id: string): Promise<TakeoverRow> {
  const { db, now } = change;
  const before = await findTakeover(db, id);
  const decision = decideLift(before, now);
  if (decision === "lifted") return before;
  if (decision === "ended") {
    throw new Problem("conflict", `The takeover ended by itself at ${toIso(before.ends_at)}.`, { code: "TAKEOVER_ENDED" });
  }
  try {
    await db.batch(liftStatements(change, before));
  } catch (error) {
    // Somebody else was faster: it is lifted, which is what was asked. Anything else is a fault.
    const current = await findTakeover(db, id);
    if (current.lifted_at === null) throw error;
    return current;
  }
  return await findTakeover(db, id);
}

function liftStatements({ db, actor, now }: Change, before: TakeoverRow): D1PreparedStatement[] {
  const edit = { lifted_at: now, lifted_by: actor };
  const details = { before: presentRow({ lifted_at: null, lifted_by: null }), after: presentRow(edit) };
  return [
    refuseWhereStatement(db, "SELECT 1 FROM takeovers WHERE id = ? AND lifted_at IS NOT NULL", [before.id]),
    db.prepare("UPDATE takeovers SET lifted_at = ?, lifted_by = ? WHERE id = ?").bind(now, actor, before.id),
    ...touchTakeover(db, before),
    auditStatement(db, { actor, action: "takeover.lift", targetType: "takeover", targetId: before.id, details }, now),
  ];
}

/** @throws Problem `not-found` */
export async function findTakeover(db: D1Database, id: string): Promise<TakeoverRow> {
  return (await findRow(db, takeoverResource, id)) as TakeoverRow;
}
