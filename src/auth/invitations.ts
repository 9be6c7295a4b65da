import { z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { uuidv7 } from "uuidv7";
import { auditStatement } from "../audit/audit.ts";
import { type Change, type CreateOutcome, createRow, findRow } from "../audit/changes.ts";
import { newRow, type Resource } from "../audit/resource.ts";
import { Problem } from "../platform/errors.ts";
import { timeField } from "../platform/fields.ts";
import type { IdempotentRequest } from "../platform/idempotency.ts";
import { type Requirement, refuseWhereStatement } from "../platform/requirement.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { type Invitation, LINK_LIFETIME_MS, type LinkKind, linkState, newLinkToken } from "./links.ts";
import { USER_ROLES, type UserRole, type ViewerScope } from "./principal.ts";
import { scopeColumnRequirements } from "./scope.ts";
import { invitations } from "./tables.ts";
import { userResource } from "./users.ts";

export const INVITATIONS_PATH = "/v1/admin/invitations";
export const LINK_STATES = ["open", "accepted", "expired", "revoked"] as const;

export const invitationSchema = z
  .object({
    id: z.uuid(),
    kind: z.enum(["setup", "invitation", "reset"]).meta({ description: "Of the first administrator; of somebody new; a new password." }),
    email: z.string().nullable(),
    user_id: z.string().nullable().meta({ description: "Whose new password." }),
    role: z.enum(USER_ROLES),
    scope: z.record(z.string(), z.unknown()).nullable(),
    state: z.enum(LINK_STATES),
    created_by: z.string(),
    created_at: timeField,
    expires_at: timeField,
    accepted_at: timeField.nullable(),
    accepted_by: z.string().nullable(),
    revoked_at: timeField.nullable(),
  })
  .openapi("Invitation");

export type ShownInvitation = z.infer<typeof invitationSchema>;

const NOBODY_YET: Requirement = {
  breaches: "SELECT NULL AS at FROM users",
  values: [],
  pointer: () => "",
  detail: "There are users already; an administrator among them invites others.",
  code: "USERS_EXIST",
};

export const invitationResource: Resource<Invitation> = {
  noun: "invitation",
  plural: "invitations",
  path: INVITATIONS_PATH,
  table: invitations,
  create: z.strictObject({}),
  change: z.strictObject({}),
  answer: invitationSchema,
  filters: {
    state: {
      schema: z.enum(LINK_STATES).optional(),
      where: (value) => {
        if (value === "accepted") return sql`${invitations.accepted_at} IS NOT NULL`;
        if (value === "revoked") return sql`${invitations.accepted_at} IS NULL AND ${invitations.revoked_at} IS NOT NULL`;
        const waits = sql`${invitations.accepted_at} IS NULL AND ${invitations.revoked_at} IS NULL`;
        return value === "open"
          ? sql`${waits} AND ${invitations.expires_at} > ${Date.now()}`
          : sql`${waits} AND ${invitations.expires_at} <= ${Date.now()}`;
      },
    },
  },
  visible: {},
  hidden: ["token_hash"],
  requirements: (before, { kind, scope_json }) => [
    ...(before ? [] : scopeColumnRequirements(scope_json)),
    ...(kind === "setup" ? [NOBODY_YET] : []),
  ],
  // One that was lost or sent astray leads nowhere once there is another.
  effects: (db, before, { id, kind, email, user_id }, now) =>
    before
      ? []
      : [
          db
            .prepare(
              `UPDATE invitations SET revoked_at = ? WHERE kind = ? AND email IS ? AND user_id IS ? AND id <> ?
               AND accepted_at IS NULL AND revoked_at IS NULL`,
            )
            .bind(now, kind, email, user_id, id),
        ],
};

/** A link as it was made; without a token where the answer was given before. */
export interface MadeLink {
  shown: ShownInvitation;
  token: string | null;
  outcome: CreateOutcome;
}

/** Whom a new link is for. */
export interface LinkAsked {
  kind: LinkKind;
  role: UserRole;
  scope?: ViewerScope | null | undefined;
  email?: string;
  user_id?: string;
}

/** Makes a link, with one audit row. Its token is in the answer alone. */
export async function makeLink(change: Change, asked: LinkAsked, idempotency: IdempotentRequest | null): Promise<MadeLink> {
  const { now, actor } = change;
  const { token, hash } = await newLinkToken();
  const initial = { created_by: actor, token_hash: hash, expires_at: now + LINK_LIFETIME_MS[asked.kind] };
  const outcome = await createRow(change, invitationResource, newRow(invitations, { ...asked }, uuidv7(), now, initial), idempotency);
  return { shown: statedLink(outcome.shown, now), token: outcome.replayed ? null : token, outcome };
}

/** @throws Problem `conflict`, code `ALREADY_EXISTS`, where somebody has this e-mail already. */
export async function requireNewcomer(db: D1Database, email: string): Promise<void> {
  if ((await db.prepare("SELECT 1 FROM users WHERE email = ?").bind(email).first()) === null) return;
  const detail = "There is a user with this e-mail already.";
  throw new Problem("conflict", detail, { code: "ALREADY_EXISTS", errors: [{ pointer: "/email", detail }] });
}

/** @throws Problem `conflict`, code `USERS_EXIST`, where anybody can sign in already. */
export async function requireNobody(db: D1Database): Promise<void> {
  if ((await db.prepare("SELECT 1 FROM users LIMIT 1").first()) === null) return;
  throw new Problem("conflict", NOBODY_YET.detail, { code: NOBODY_YET.code });
}

/** @throws Problem `not-found`; `conflict`, code `USER_DISABLED`. */
export async function requireEnabledUser(db: D1Database, id: string): Promise<{ role: UserRole }> {
  const user = await findRow(db, userResource, id);
  if (user.disabled_at !== null) throw new Problem("conflict", "This user is disabled; enable them first.", { code: "USER_DISABLED" });
  return { role: user.role as UserRole };
}

/** Takes a link back. What was accepted stays so: of a user there is more to take away than a link. */
export async function revokeLink({ db, actor, now }: Change, id: string): Promise<Row> {
  const before = await findRow(db, invitationResource, id);
  if (before.accepted_at !== null) throw new Problem("conflict", "It was accepted already; disable the user.", { code: "LINK_USED" });
  if (before.revoked_at !== null) return before;
  const details = { before: presentRow({ revoked_at: null }), after: presentRow({ revoked_at: now }) };
  try {
    await db.batch([
      refuseWhereStatement(db, "SELECT 1 FROM invitations WHERE id = ? AND (accepted_at IS NOT NULL OR revoked_at IS NOT NULL)", [id]),
      db.prepare("UPDATE invitations SET revoked_at = ? WHERE id = ?").bind(now, id),
      auditStatement(db, { actor, action: "invitation.revoke", targetType: "invitation", targetId: id, details }, now),
    ]);
  } catch (error) {
    const current = await findRow(db, invitationResource, id);
    if (current.accepted_at === null && current.revoked_at === null) throw error;
  }
  return await findRow(db, invitationResource, id);
}

export function presentLink(row: Row, now: number): ShownInvitation {
  return statedLink(presentRow(row, invitationResource.hidden), now);
}

function statedLink(shown: Row, now: number): ShownInvitation {
  const time = (value: unknown) => (typeof value === "string" ? Date.parse(value) : null);
  const times = { accepted_at: time(shown.accepted_at), revoked_at: time(shown.revoked_at), expires_at: time(shown.expires_at) ?? 0 };
  return { ...shown, state: linkState(times, now) } as ShownInvitation;
}
