import type { MiddlewareHandler } from "hono";
import { parse } from "hono/utils/cookie";
import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from "jose";
import { Problem } from "../platform/errors.ts";
import type { AppEnv } from "../platform/http.ts";
import { HOUR_MS, SECOND_MS } from "../platform/time.ts";

/** Access puts its token into a header of each request to a path that it protects, and into a cookie for all paths of the host. */
const HEADER = "Cf-Access-Jwt-Assertion";
const COOKIE = "CF_Authorization";
const RETRY_AFTER_S = "5";
/** Cloudflare rotates its keys every six weeks, and the old ones hold for a week more. */
const KEYS_FRESH_MS = HOUR_MS;
const KEYS_TIMEOUT_MS = 5 * SECOND_MS;

export type AccessSettings = Pick<Env, "ACCESS_TEAM_DOMAIN" | "ACCESS_AUD">;

// One team a deployment. What jose keeps here are keys; a request that is under way it does not share with another.
const keySets = new Map<string, JWTVerifyGetKey>();

function keysOf(issuer: string): JWTVerifyGetKey {
  const known = keySets.get(issuer);
  if (known) return known;
  const url = new URL(`${issuer}/cdn-cgi/access/certs`);
  const made = createRemoteJWKSet(url, { cacheMaxAge: KEYS_FRESH_MS, timeoutDuration: KEYS_TIMEOUT_MS });
  keySets.set(issuer, made);
  return made;
}

/** The address under which a team's Access speaks, of `team`, `team.cloudflareaccess.com` or the whole; null where it is not set. Pure. */
export function accessIssuer(teamDomain: string | undefined): string | null {
  const host = (teamDomain ?? "")
    .trim()
    .replace(/^https:\/\//, "")
    .replace(/\/+$/, "");
  if (host === "") return null;
  return `https://${host.includes(".") ? host : `${host}.cloudflareaccess.com`}`;
}

/**
 * Where Cloudflare Access is said to stand in front (`ACCESS_TEAM_DOMAIN`, `ACCESS_AUD`), lets on only what it let through: so a Worker
 * that can also be reached by another name is no way around it. It comes on top of signing in. `keys` is for tests.
 * @throws Problem `forbidden`, code `ACCESS_REQUIRED`; `service-unavailable` where Access's keys cannot be had.
 */
export async function requireAccess(headers: Headers, settings: AccessSettings, keys?: JWTVerifyGetKey): Promise<void> {
  const issuer = accessIssuer(settings.ACCESS_TEAM_DOMAIN);
  if (issuer === null) return;
  const token = headers.get(HEADER) ?? parse(headers.get("Cookie") ?? "", COOKIE)[COOKIE];
  const audience = settings.ACCESS_AUD?.trim();
  if (!token || !audience) throw notThrough();
  try {
    await jwtVerify(token, keys ?? keysOf(issuer), { issuer, audience, algorithms: ["RS256"], requiredClaims: ["exp"] });
  } catch (cause) {
    if (isRefusal(cause)) throw notThrough();
    const retry = { "Retry-After": RETRY_AFTER_S };
    throw new Problem("service-unavailable", "The keys of Cloudflare Access cannot be fetched now.", { headers: retry, cause });
  }
}

/** What says something of the token, and not of the way to the keys. */
function isRefusal(error: unknown): boolean {
  return error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout) && error.code !== "ERR_JOSE_GENERIC";
}

function notThrough(): Problem {
  return new Problem("forbidden", "This is behind Cloudflare Access. Load the page again, and sign in there first.", {
    code: "ACCESS_REQUIRED",
  });
}

/** {@link requireAccess} for a whole path, as the console's pages. */
export const behindAccess: MiddlewareHandler<AppEnv> = async (c, next) => {
  await requireAccess(c.req.raw.headers, c.env);
  await next();
};
