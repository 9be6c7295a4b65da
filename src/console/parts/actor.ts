/** The id of the user or token in an `actor_user_id` such as `user:…`; '' for those who are neither. */
export function actorId(actor: string): string {
  return actor.split(":")[1] ?? "";
}

/** Who did something, in words. `name` is that of the user or token, where it is known. */
export function actorWords(actor: string, name: string | null | undefined): string {
  if (actor === "admin-token") return "Secret ADMIN_TOKEN";
  if (actor === "system") return "The platform";
  if (actor === "anonymous") return "Nobody signed in";
  if (actor.startsWith("user:")) return name ?? "A user";
  if (actor.startsWith("token:")) return name ? `${name} (token)` : "An API token";
  if (actor === "device") return "The device itself";
  return actor.startsWith("device:") ? `Device ${actorId(actor)}` : actor;
}
