/** Who did something, in words: the name of a user or token where it is known (`names`, by id). */
export function actorWords(actor: string, names: Map<string, string>): string {
  const [kind = "", id = ""] = actor.split(":");
  if (actor === "admin-token") return "The secret ADMIN_TOKEN";
  if (actor === "system") return "The platform itself";
  if (actor === "anonymous") return "Nobody who is signed in";
  const name = names.get(id);
  if (kind === "user") return name ?? "A user";
  if (kind === "token") return name ? `${name} (token)` : "An API token";
  return actor;
}
