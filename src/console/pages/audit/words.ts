import type { Item } from "../../api/client.ts";
import { actorWords } from "../../parts/actor.ts";

export type Entry = Item<"GET /v1/admin/audit-log">;

/** What things of a type are called, and where one of them is looked at. */
const TYPES: Record<string, { title: string; href?: (id: string) => string }> = {
  ad_group: { title: "ad group" },
  api_token: { title: "API token", href: () => "/settings/tokens" },
  campaign: { title: "campaign", href: (id) => `/campaigns/${id}` },
  claim: { title: "pairing code" },
  content: { title: "content", href: (id) => `/content/${id}` },
  content_upload: { title: "upload" },
  content_version: { title: "content version" },
  "dead-letter": { title: "dead letter", href: () => "/pipeline" },
  device: { title: "device", href: (id) => `/devices/${id}` },
  device_command: { title: "command" },
  device_group: { title: "device group", href: (id) => `/settings/groups/${id}` },
  incident: { title: "incident", href: (id) => `/incidents/${id}` },
  invitation: { title: "invitation", href: () => "/settings/invitations" },
  pipeline: { title: "pipeline", href: () => "/pipeline" },
  playlist: { title: "playlist", href: (id) => `/playlists/${id}` },
  schedule: { title: "schedule", href: (id) => `/schedules/${id}` },
  store: { title: "store", href: (id) => `/stores/${id}` },
  supplier: { title: "supplier", href: () => "/settings/suppliers" },
  takeover: { title: "takeover" },
  user: { title: "user", href: (id) => `/settings/users/${id}` },
  webhook: { title: "webhook", href: (id) => `/settings/webhooks/${id}` },
};

export const TARGET_TYPES = Object.entries(TYPES).map(([value, { title }]) => ({ value, label: capital(title) }));

/** Verbs whose own word says too little. Others are told as they are, with spaces. */
const VERBS: Record<string, string> = {
  create: "Made",
  update: "Changed",
  delete: "Deleted",
  revoke: "Revoked",
  pair: "Paired",
  replace: "Re-paired",
  cancel: "Cancelled",
  lift: "Lifted",
  test: "Tested",
  resend: "Sent again",
  recover: "Sent again what failed",
  disable: "Switched off",
  redrive: "Sent back into the pipeline",
  acknowledge: "Acknowledged",
  resolve: "Resolved",
  set_password: "Set a new password",
  change_password: "Changed the password",
  reset_two_factor: "Took the second factor away",
  sign_in: "Signed in",
  sign_in_failed: "Failed to sign in",
  sign_out: "Signed out",
  sign_out_everywhere: "Signed out everywhere",
};

/** What was done, in words: `Changed device group`. */
export function didWords({ action, target_type }: Pick<Entry, "action" | "target_type">): string {
  const verb = action.slice(action.indexOf(".") + 1);
  const known = VERBS[verb];
  const title = TYPES[target_type]?.title ?? target_type.replaceAll("_", " ");
  // What people do with their own account needs no "user" behind it.
  if (known && (target_type !== "user" || ["create", "update", "delete"].includes(verb))) return `${known} ${title}`;
  return known ?? capital(`${verb.replaceAll(/[._-]/g, " ")} (${title})`);
}

/** The page of what an entry is about; null where there is none, or it is gone. */
export function targetHref({ target_type, target_id, action }: Entry): string | null {
  if (action.endsWith(".delete")) return null;
  return TYPES[target_type]?.href?.(target_id) ?? null;
}

/** What an entry is about is called: as it is now, else as it was when it went. */
export function targetName({ target_name, details }: Entry): string | null {
  const { after, before } = details as { after?: Record<string, unknown>; before?: Record<string, unknown> };
  const old = before?.name ?? before?.external_name ?? after?.name ?? after?.external_name ?? after?.email;
  return target_name ?? (typeof old === "string" ? old : null);
}

/** Who it was, in words. */
export function whoWords({ actor_user_id, actor_name }: Entry): string {
  return actorWords(actor_user_id, actor_name);
}

/** One field of what was changed; undefined where there was, or is, none. */
export interface Difference {
  field: string;
  before: unknown;
  after: unknown;
}

/** What differs between before and after, a line for each field, those inside others by their path. Pure. */
export function differencesOf(details: Entry["details"]): Difference[] {
  const { before, after } = details as { before?: unknown; after?: unknown };
  const old = leaves(before);
  const young = leaves(after);
  const fields = [...new Set([...old.keys(), ...young.keys()])];
  return fields
    .map((field) => ({ field, before: old.get(field), after: young.get(field) }))
    .filter((one) => JSON.stringify(one.before) !== JSON.stringify(one.after));
}

function leaves(value: unknown, path = "", into = new Map<string, unknown>()): Map<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    for (const [name, inner] of Object.entries(value)) leaves(inner, path ? `${path}.${name}` : name, into);
  } else if (path !== "") into.set(path, value);
  return into;
}

/** What was asked, besides before and after. */
export function askedOf(details: Entry["details"]): Record<string, unknown> {
  const { before: _before, after: _after, ...asked } = details;
  return asked;
}

/** A value as text: words as they are, all else as JSON. */
export function valueText(value: unknown): string {
  if (value === undefined || value === null) return "–";
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** The fields that changed, on one line; of what was made or deleted nothing, since that is all of it. */
export function changedWords(entry: Entry): string {
  const { before, after } = entry.details as { before?: unknown; after?: unknown };
  if (before === undefined || after === undefined) return "";
  return differencesOf(entry.details)
    .map(({ field }) => fieldWords(field.slice(field.lastIndexOf(".") + 1)))
    .join(", ");
}

/** A field's path as people read it: `policy › heartbeat interval s`. */
export function fieldWords(path: string): string {
  return path.split(".").join(" › ").replaceAll("_", " ");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
