import type { Row } from "../platform/rows.ts";

/** Where things of a type that the audit log names have their names, in SQL: columns `id` and `name`. */
const NAMED: Record<string, string> = {
  ad_group: "SELECT id, name FROM ad_groups",
  api_token: "SELECT id, name FROM api_tokens",
  campaign: "SELECT id, name FROM campaigns",
  claim: "SELECT id, name FROM claims",
  content: "SELECT id, name FROM content",
  content_upload: "SELECT u.id, c.name FROM content_uploads u JOIN content c ON c.id = u.content_id",
  content_version: "SELECT v.id, c.name FROM content_versions v JOIN content c ON c.id = v.content_id",
  device: "SELECT id, external_name AS name FROM devices",
  device_command: "SELECT o.id, d.external_name AS name FROM device_commands o JOIN devices d ON d.id = o.device_id",
  device_group: "SELECT id, name FROM device_groups",
  incident: "SELECT id, type AS name FROM incidents",
  invitation: "SELECT id, email AS name FROM invitations",
  playlist: "SELECT id, name FROM playlists",
  schedule: "SELECT id, name FROM schedules",
  store: "SELECT id, name FROM stores",
  supplier: "SELECT id, name FROM suppliers",
  takeover: "SELECT id, name FROM takeovers",
  user: "SELECT id, name FROM users",
  webhook: "SELECT id, name FROM webhooks",
};

export const NAMED_TYPES = Object.keys(NAMED);

/** What the audit log's `actor_user_id` begins with for those who have a name, and their type. */
const ACTOR_TYPES: Record<string, string> = { user: "user", token: "api_token" };

interface Ref {
  type: string;
  id: string;
}

/** What an actor is of: `user:…` a user, `token:…` an API token; null for those who are no row. Pure. */
export function actorRef(actor: string): Ref | null {
  const [kind = "", id = ""] = actor.split(":");
  const type = ACTOR_TYPES[kind];
  return type === undefined ? null : { type, id };
}

/**
 * Adds to entries of the audit log `actor_name` and `target_name`: what those are called now, so that people need not read ids. null for
 * who is no row, and for what is gone. One batch, with a statement for each type that occurs.
 */
export async function withNames<T extends Row & { actor_user_id: string; target_type: string; target_id: string }>(
  db: D1Database,
  entries: T[],
): Promise<(T & { actor_name: string | null; target_name: string | null })[]> {
  const targetOf = ({ target_type, target_id }: T): Ref => ({ type: target_type, id: target_id });
  const names = await namesOf(
    db,
    entries.flatMap((entry) => [targetOf(entry), actorRef(entry.actor_user_id) ?? []].flat()),
  );
  const nameOf = (ref: Ref | null) => (ref && names.get(`${ref.type} ${ref.id}`)) ?? null;
  return entries.map((entry) => ({
    ...entry,
    actor_name: nameOf(actorRef(entry.actor_user_id)),
    target_name: nameOf(targetOf(entry)),
  }));
}

/** What users and API tokens are called now, by what their acts are signed with (`user:…`); null for who is no row, and for what is gone. */
export async function readActorNames(db: D1Database, actors: readonly (string | null)[]): Promise<(actor: string | null) => string | null> {
  const refOf = (actor: string | null) => (actor === null ? null : actorRef(actor));
  const names = await namesOf(
    db,
    actors.flatMap((actor) => refOf(actor) ?? []),
  );
  return (actor) => {
    const ref = refOf(actor);
    return (ref && names.get(`${ref.type} ${ref.id}`)) ?? null;
  };
}

async function namesOf(db: D1Database, refs: Ref[]): Promise<Map<string, string>> {
  const idsByType = new Map<string, Set<string>>();
  for (const { type, id } of refs) {
    if (Object.hasOwn(NAMED, type)) idsByType.set(type, (idsByType.get(type) ?? new Set()).add(id));
  }
  if (idsByType.size === 0) return new Map();
  const found = await db.batch<{ type: string; id: string; name: string | null }>(
    [...idsByType].map(([type, ids]) =>
      db
        .prepare(`SELECT ? AS type, id, name FROM (${NAMED[type]}) WHERE id IN (SELECT value FROM json_each(?))`)
        .bind(type, JSON.stringify([...ids])),
    ),
  );
  return new Map(found.flatMap(({ results }) => results.flatMap(({ type, id, name }) => (name ? [[`${type} ${id}`, name] as const] : []))));
}
