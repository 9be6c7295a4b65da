import type { MiddlewareHandler } from "hono";
import { withOrigin } from "../audit/origin.ts";
import { equalSecrets } from "../platform/encoding.ts";
import type { AppContext, AppEnv } from "../platform/http.ts";
import { principalOf } from "./access.ts";
import { type Principal, SECRET_ID } from "./principal.ts";
import { authenticateToken, unauthorized } from "./tokens.ts";

const REALM = "admin";

/**
 * Lets through who shows a token that is in force: the secret `ADMIN_TOKEN`, which is of role admin, or an API token. What each may do is
 * said by the route (`guarded`). Mounted on everything under `/v1/admin`.
 */
export const requireAdmin: MiddlewareHandler<AppEnv> = async (c, next) => {
  await identify(c, Date.now());
  await withOrigin(c, next);
  // A route that does not say who may call it answers nobody. Problems pass: nothing was shown, or there is no such route.
  if (c.res.status < 400) principalOf(c);
};

/** Reads who sends a request, for `authorize` to judge. @throws Problem `unauthorized`, or `service-unavailable` where D1 does not answer. */
export async function identify(c: AppContext, now: number): Promise<void> {
  c.set("caller", await authenticateCaller(c.req.raw.headers, c.env, now));
}

/** Whose `Authorization: Bearer …` a request carries. `now` in ms. See {@link identify}. */
export async function authenticateCaller(headers: Headers, env: Pick<Env, "ADMIN_TOKEN" | "DB">, now: number): Promise<Principal> {
  const token = bearerToken(headers);
  if (token === null) throw unauthorized("Send an API token as Authorization: Bearer.", "TOKEN_MISSING", REALM);
  // An unset secret admits nobody.
  if (env.ADMIN_TOKEN && (await equalSecrets(token, env.ADMIN_TOKEN))) return { kind: "secret", id: SECRET_ID, role: "admin", scope: null };
  return await authenticateToken(env.DB, token, REALM, now);
}

/** The token in a request's `Authorization: Bearer …`; null where there is none. */
export function bearerToken(headers: Headers): string | null {
  return /^Bearer +(\S+)$/i.exec(headers.get("Authorization") ?? "")?.[1] ?? null;
}
