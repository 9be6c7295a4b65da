import type { MiddlewareHandler } from "hono";
import { withOrigin } from "../audit/origin.ts";
import { equalSecrets } from "../platform/encoding.ts";
import type { AppContext, AppEnv } from "../platform/http.ts";
import { principalOf } from "./access.ts";
import { requireAccess } from "./cloudflare-access.ts";
import { PAGE_HEADER, PAGE_HEADER_VALUE, refuseCrossSite } from "./cross-site.ts";
import { type Principal, SECRET_ID } from "./principal.ts";
import { cookieOf, principalOfUser, readSession, type SignedIn } from "./session.ts";
import { authenticateToken, unauthorized } from "./tokens.ts";

declare module "hono" {
  interface ContextVariableMap {
    /** The session by which somebody is signed in; absent for tokens. Set by `identify`. */
    signedIn: SignedIn | undefined;
  }
}

const REALM = "admin";

/**
 * Lets through who shows a token that is in force (the secret `ADMIN_TOKEN`, which is of role admin, or an API token), and who is signed
 * in. What each may do is said by the route (`guarded`). Mounted on everything under `/v1/admin`.
 */
export const requireAdmin: MiddlewareHandler<AppEnv> = async (c, next) => {
  await identify(c, Date.now());
  await withOrigin(c, next);
  // A route that does not say who may call it answers nobody. Problems pass: nothing was shown, or there is no such route.
  if (c.res.status < 400) principalOf(c);
};

/**
 * Reads who sends a request, for `authorize` to judge: by the `Authorization` header where there is one, else by the session cookie.
 * @throws Problem `unauthorized`; `forbidden` for a request with a cookie that is not the console's own; `service-unavailable` where D1
 *   does not answer.
 */
export async function identify(c: AppContext, now: number): Promise<void> {
  const request = c.req.raw;
  const cookie = request.headers.has("Authorization") ? null : cookieOf(request);
  if (cookie === null) {
    c.set("caller", await authenticateCaller(request.headers, c.env, now));
    return;
  }
  refuseCrossSite(request);
  await requireAccess(request.headers, c.env);
  const signedIn = await readSession(c.env, cookie, now);
  if (!signedIn) throw unauthorized("The session has ended. Sign in again.", "SESSION_EXPIRED", REALM);
  c.set("signedIn", signedIn);
  c.set("caller", principalOfUser(signedIn));
}

/**
 * Whether a request to a door that is open to anybody is an administrator's: it has a token, or it is the console's. A player that runs in
 * the same browser sends the console's cookie too, and means nothing by it.
 */
export function speaksAsAdmin({ headers }: Pick<Request, "headers">): boolean {
  return headers.has("Authorization") || headers.get(PAGE_HEADER) === PAGE_HEADER_VALUE;
}

/** Whose `Authorization: Bearer …` a request carries. `now` in ms. See {@link identify}. */
export async function authenticateCaller(headers: Headers, env: Pick<Env, "ADMIN_TOKEN" | "DB">, now: number): Promise<Principal> {
  const token = bearerToken(headers);
  if (token === null) throw unauthorized("Sign in, or send an API token as Authorization: Bearer.", "TOKEN_MISSING", REALM);
  // An unset secret admits nobody.
  if (env.ADMIN_TOKEN && (await equalSecrets(token, env.ADMIN_TOKEN))) return { kind: "secret", id: SECRET_ID, role: "admin", scope: null };
  return await authenticateToken(env.DB, token, headers, REALM, now);
}

/** The token in a request's `Authorization: Bearer …`; null where there is none. */
export function bearerToken(headers: Headers): string | null {
  return /^Bearer +(\S+)$/i.exec(headers.get("Authorization") ?? "")?.[1] ?? null;
}
