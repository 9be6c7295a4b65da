import { uuidv7 } from "uuidv7";
import { auditStatement } from "../audit/audit.ts";
import { refuseFields } from "../audit/changes.ts";
import type { FieldError } from "../platform/errors.ts";
import { Problem } from "../platform/errors.ts";
import { refuseWhereStatement } from "../platform/requirement.ts";
import { findOpenLink, type Invitation } from "./links.ts";
import { hashPassword, requireFitPassword, withPasswordTurn } from "./password.ts";
import type { UserRole } from "./principal.ts";

/** What somebody sends who follows a link. */
export interface Acceptance {
  token: string;
  password: string;
  name?: string | undefined;
  email?: string | undefined;
}

/** Whose password was set. */
export interface Accepted {
  id: string;
  name: string;
  email: string;
  role: UserRole;
}

const USERS_EXIST = "SELECT 1 FROM users";

/**
 * Sets a password by a link: of somebody new, or a new one. It signs nobody in. `now` in ms.
 * @throws Problem as `findOpenLink`; `validation-error` for what is missing, too much, or no fit password; `conflict` where the e-mail has
 *   a user (`ALREADY_EXISTS`), or the set-up comes after the first user (`USERS_EXIST`).
 */
export async function acceptLink(db: D1Database, asked: Acceptance, now: number): Promise<Accepted> {
  const link = await findOpenLink(db, asked.token, now);
  refuseFields(misfits(link.kind, asked));
  const owner = await ownerOf(db, link, asked);
  requireFitPassword(asked.password, owner, "/password");
  const hash = await withPasswordTurn(() => hashPassword(asked.password));
  const changes = link.kind === "reset" ? resetStatements(db, link, owner, hash, now) : joinStatements(db, link, owner, hash, now);
  try {
    await db.batch([
      // Used or taken back meanwhile: it is good once.
      refuseWhereStatement(db, "SELECT 1 FROM invitations WHERE id = ? AND (accepted_at IS NOT NULL OR revoked_at IS NOT NULL)", [link.id]),
      ...changes,
      db.prepare("UPDATE invitations SET accepted_at = ?, accepted_by = ? WHERE id = ?").bind(now, owner.id, link.id),
    ]);
  } catch (error) {
    await findOpenLink(db, asked.token, now);
    await ownerOf(db, link, asked);
    throw error;
  }
  return owner;
}

/** What a kind of link asks for and did not get, or gets and did not ask for. Pure. */
function misfits(kind: Invitation["kind"], { name, email }: Acceptance): FieldError[] {
  const named = kind === "reset" ? name !== undefined : name === undefined;
  const mailed = kind === "setup" ? email === undefined : email !== undefined;
  return [
    ...(named ? [{ pointer: "/name", detail: kind === "reset" ? "stays as it is; leave it out" : "is missing" }] : []),
    ...(mailed ? [{ pointer: "/email", detail: kind === "setup" ? "is missing" : "is the link's; leave it out" }] : []),
  ];
}

async function ownerOf(db: D1Database, link: Invitation, { name = "", email }: Acceptance): Promise<Accepted> {
  if (link.kind === "reset") {
    const user = await db
      .prepare("SELECT id, name, email, role FROM users WHERE id = ? AND disabled_at IS NULL")
      .bind(link.user_id)
      .first<Accepted>();
    if (!user) throw new Problem("link-closed", "Whoever this link is for may sign in no more.", { code: "LINK_REVOKED" });
    return user;
  }
  if (link.kind === "setup" && (await db.prepare(USERS_EXIST).first())) {
    throw new Problem("conflict", "There is an administrator already: sign in.", { code: "USERS_EXIST" });
  }
  const address = link.email ?? email ?? "";
  if (await db.prepare("SELECT 1 FROM users WHERE email = ?").bind(address).first()) {
    throw new Problem("conflict", "There is a user with this e-mail already: sign in.", { code: "ALREADY_EXISTS" });
  }
  return { id: uuidv7(), name, email: address, role: link.role };
}

function joinStatements(db: D1Database, link: Invitation, { id, name, email, role }: Accepted, hash: string, now: number) {
  const scope: unknown = link.scope_json === null ? null : JSON.parse(link.scope_json);
  const details = { after: { name, email, role, scope }, invitation_id: link.id };
  return [
    ...(link.kind === "setup" ? [refuseWhereStatement(db, USERS_EXIST, [])] : []),
    db
      .prepare("INSERT INTO users (id, name, email, role, scope_json, created_at, updated_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6)")
      .bind(id, name, email, role, link.scope_json, now),
    accountStatement(db, id, hash, now),
    // Whatever else was sent to the same address leads nowhere any more.
    db
      .prepare("UPDATE invitations SET revoked_at = ? WHERE email = ? AND id <> ? AND accepted_at IS NULL AND revoked_at IS NULL")
      .bind(now, email, link.id),
    auditStatement(db, { actor: `user:${id}`, action: "user.create", targetType: "user", targetId: id, details }, now),
  ];
}

function resetStatements(db: D1Database, link: Invitation, { id }: Accepted, hash: string, now: number) {
  const entry = { actor: `user:${id}`, action: "user.set_password", targetType: "user", targetId: id, details: { invitation_id: link.id } };
  return [
    refuseWhereStatement(db, "SELECT 1 FROM users WHERE id = ? AND disabled_at IS NOT NULL", [id]),
    accountStatement(db, id, hash, now),
    db.prepare("DELETE FROM user_sessions WHERE user_id = ?").bind(id),
    auditStatement(db, entry, now),
  ];
}

function accountStatement(db: D1Database, userId: string, hash: string, now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO user_accounts (id, user_id, account_id, provider_id, password_hash, created_at, updated_at)
       VALUES (?1, ?2, ?2, 'credential', ?3, ?4, ?4)
       ON CONFLICT (user_id) DO UPDATE SET password_hash = ?3, updated_at = ?4`,
    )
    .bind(uuidv7(), userId, hash, now);
}
