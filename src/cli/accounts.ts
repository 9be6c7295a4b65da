import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { type AdminAccess, adminPost } from "./fleet/api.ts";
import { makeSecret } from "./secrets.ts";
import { Stop } from "./tools.ts";

export interface Login {
  email: string;
  password: string;
}

export const DEMO_EMAIL = "admin@example.com";
const DEMO_PASSWORD_CHARS = 20;
const ROLES = ["admin", "operator", "viewer"];

/** Invites somebody. Returns the link to send to them; it is shown this once. @throws Stop where the API refuses. */
export async function invite(access: AdminAccess, email: string, role: string): Promise<string> {
  if (!ROLES.includes(role)) throw new Stop(`--role must be one of ${ROLES.join(", ")}.`);
  return String((await adminPost(access, "/v1/admin/invitations", { email, role })).link);
}

/** A link by which the first administrator comes in; null where there are users already. @throws Stop where the API refuses. */
export async function setupLink(access: AdminAccess): Promise<string | null> {
  const response = await fetch(`${access.baseUrl}/v1/admin/invitations/setup`, { method: "POST", headers: bearer(access) });
  const body = (await response.json()) as { link?: string; code?: string; detail?: string };
  if (body.link) return body.link;
  if (body.code === "USERS_EXIST") return null;
  throw new Stop(`Making a set-up link was answered ${response.status}: ${body.detail}`);
}

/**
 * The demo's administrator, made at the first start with a random password that is kept in `file`; a new password where the file is gone
 * or the account is new. Only its owner may read the file.
 */
export async function demoLogin(access: AdminAccess, file: string): Promise<Login> {
  const userId = await findUser(access, DEMO_EMAIL);
  if (userId !== null && existsSync(file)) return JSON.parse(readFileSync(file, "utf8")) as Login;
  const login = { email: DEMO_EMAIL, password: makeSecret().slice(0, DEMO_PASSWORD_CHARS) };
  const asked =
    userId === null
      ? await adminPost(access, "/v1/admin/invitations", { email: login.email, role: "admin" })
      : await adminPost(access, `/v1/admin/users/${userId}/reset-password`, {});
  await accept(access.baseUrl, {
    token: asked.token,
    password: login.password,
    ...(userId === null ? { name: "Demo administrator" } : {}),
  });
  writeFileSync(file, `${JSON.stringify(login)}\n`, { mode: 0o600 });
  return login;
}

async function findUser(access: AdminAccess, email: string): Promise<string | null> {
  const url = `${access.baseUrl}/v1/admin/users?q=${encodeURIComponent(email)}`;
  const response = await fetch(url, { headers: bearer(access) });
  if (!response.ok) throw new Stop(`Listing users was answered ${response.status}: ${await response.text()}`);
  const { items } = (await response.json()) as { items: { id: string; email: string }[] };
  return items.find((user) => user.email === email)?.id ?? null;
}

/** Follows a link as the console's page does. */
async function accept(baseUrl: string, body: Record<string, unknown>): Promise<void> {
  const response = await fetch(`${baseUrl}/v1/invitations/accept`, {
    method: "POST",
    headers: { "Content-Type": "application/json", Origin: new URL(baseUrl).origin, "X-Requested-With": "alive-console" },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Stop(`Setting a password was answered ${response.status}: ${await response.text()}`);
}

function bearer({ adminToken }: AdminAccess): Record<string, string> {
  return { Authorization: `Bearer ${adminToken}` };
}
