import { z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { auditStatement } from "../audit/audit.ts";
import { type Change, changeRow, findRow } from "../audit/changes.ts";
import { anyContains, equals, type Resource } from "../audit/resource.ts";
import { Problem } from "../platform/errors.ts";
import { nameField, timeField } from "../platform/fields.ts";
import { type Requirement, refuseWhereStatement } from "../platform/requirement.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { USER_ROLES } from "./principal.ts";
import { scopeColumnRequirements, viewerScopeSchema } from "./scope.ts";
import { users } from "./tables.ts";

export const USERS_PATH = "/v1/admin/users";

export type User = typeof users.$inferSelect;

export const userSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    email: z.string(),
    role: z.enum(USER_ROLES),
    scope: z.record(z.string(), z.unknown()).nullable().meta({ description: "What a viewer is held to; null: nothing." }),
    two_factor_enabled: z.boolean(),
    last_sign_in_at: timeField.nullable(),
    disabled_at: timeField.nullable(),
    created_at: timeField,
    updated_at: timeField,
    version: z.int(),
  })
  .openapi("User");

export const userChangeSchema = z
  .strictObject({
    name: nameField.meta({ example: "Ann Nguyen" }),
    role: z.enum(USER_ROLES),
    scope: viewerScopeSchema.nullable(),
    disabled: z.boolean(),
  })
  .partial()
  .openapi("UserChange");

/** People are made by accepting an invitation, and never deleted: the audit log names them. */
export const userResource: Resource<User> = {
  noun: "user",
  plural: "users",
  path: USERS_PATH,
  table: users,
  create: z.strictObject({}),
  change: userChangeSchema,
  answer: userSchema,
  filters: {
    role: equals(users.role, z.enum(USER_ROLES)),
    q: anyContains([users.name, users.email]),
    disabled: {
      schema: z.enum(["true", "false"]).optional(),
      where: (value) => (value === "true" ? sql`${users.disabled_at} IS NOT NULL` : sql`${users.disabled_at} IS NULL`),
    },
  },
  visible: {},
  implied: impliedBy,
  check: ({ role, scope_json }) =>
    scope_json !== null && role !== "viewer" ? [{ pointer: "/scope", detail: "is for viewers; other roles see everything" }] : [],
  requirements: (before, after) => [
    ...(before?.scope_json === after.scope_json ? [] : scopeColumnRequirements(after.scope_json)),
    ...(before && isActiveAdmin(before) && !isActiveAdmin(after) ? [anotherAdmin(after)] : []),
  ],
  effects: (db, before, after, now) => [
    ...(before?.disabled_at === null && after.disabled_at !== null ? endStatements(db, after.id, now) : []),
    ...(before && isActiveAdmin(before) && !isActiveAdmin(after) ? [revokeMadeStatement(db, after.id, now)] : []),
  ],
};

/** Another role sees everything, so a scope goes with the role; who is disabled already stays so since then. Pure. */
function impliedBy(before: User, values: Row): Row {
  const unscoped = values.role !== undefined && values.role !== "viewer" && typeof values.scope_json !== "string";
  const disabledAlready = typeof values.disabled_at === "number" && before.disabled_at !== null;
  return { ...(unscoped ? { scope_json: null } : {}), ...(disabledAlready ? { disabled_at: before.disabled_at } : {}) };
}

function isActiveAdmin({ role, disabled_at }: User): boolean {
  return role === "admin" && disabled_at === null;
}

const LAST_ADMINISTRATOR = "LAST_ADMINISTRATOR";

function anotherAdmin({ id, disabled_at }: User): Requirement {
  return {
    breaches: "SELECT NULL AS at WHERE NOT EXISTS (SELECT 1 FROM users WHERE role = 'admin' AND disabled_at IS NULL AND id <> ?)",
    values: [id],
    pointer: () => (disabled_at === null ? "/role" : "/disabled"),
    detail: "This is the last administrator; make another one first.",
    code: LAST_ADMINISTRATOR,
  };
}

/** Whoever is disabled is out at once, and no link lets them in again. */
function endStatements(db: D1Database, userId: string, now: number): D1PreparedStatement[] {
  return [db.prepare("DELETE FROM user_sessions WHERE user_id = ?").bind(userId), revokeLinksStatement(db, userId, now)];
}

/** Takes back the link by which somebody was to set a new password. */
export function revokeLinksStatement(db: D1Database, userId: string, now: number): D1PreparedStatement {
  return db
    .prepare("UPDATE invitations SET revoked_at = ? WHERE user_id = ? AND accepted_at IS NULL AND revoked_at IS NULL")
    .bind(now, userId);
}

/** The links that an administrator has made, as one for a colleague's new password, and may have kept, go with the role. */
function revokeMadeStatement(db: D1Database, userId: string, now: number): D1PreparedStatement {
  return db
    .prepare("UPDATE invitations SET revoked_at = ? WHERE created_by = ? AND accepted_at IS NULL AND revoked_at IS NULL")
    .bind(now, `user:${userId}`);
}

/**
 * Changes a user, with one audit row. It holds at their next request.
 * @throws Problem as `changeRow`; `conflict`, code `LAST_ADMINISTRATOR`.
 */
export async function changeUser(
  change: Change,
  id: string,
  body: z.infer<typeof userChangeSchema>,
  ifMatch: string | undefined,
): Promise<Row> {
  const { disabled, ...fields } = body;
  const asked: Row = { ...fields, ...(disabled === undefined ? {} : { disabled_at: disabled ? change.now : null }) };
  try {
    return (await changeRow(change, userResource, id, asked, ifMatch)).row;
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== LAST_ADMINISTRATOR) throw error;
    throw new Problem("conflict", error.detail, error.options);
  }
}

/**
 * Takes a user's second factor away, for somebody who lost it: they are signed out, and sign in by the password alone.
 * Where there is none, nothing changes.
 */
export async function resetSecondFactor({ db, actor, now }: Change, id: string): Promise<Row> {
  const before = await findRow(db, userResource, id);
  if (before.two_factor_enabled === 0) return before;
  try {
    await db.batch([
      // Done by another call meanwhile: one audit row stays one.
      refuseWhereStatement(db, "SELECT 1 FROM users WHERE id = ? AND two_factor_enabled = 0", [id]),
      db.prepare("UPDATE users SET two_factor_enabled = 0, updated_at = ?, version = version + 1 WHERE id = ?").bind(now, id),
      db.prepare("DELETE FROM user_second_factors WHERE user_id = ?").bind(id),
      db.prepare("DELETE FROM user_sessions WHERE user_id = ?").bind(id),
      auditStatement(db, { actor, action: "user.reset_two_factor", targetType: "user", targetId: id, details: {} }, now),
    ]);
  } catch (error) {
    const current = await findRow(db, userResource, id);
    if (current.two_factor_enabled === 1) throw error;
  }
  return await findRow(db, userResource, id);
}

export function presentUser(row: Row): z.infer<typeof userSchema> {
  return { ...presentRow(row), two_factor_enabled: row.two_factor_enabled === 1 } as z.infer<typeof userSchema>;
}
