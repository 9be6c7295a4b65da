import type { MiddlewareHandler } from "hono";
import { withOrigin } from "../audit/origin.ts";
import { equalSecrets } from "../platform/encoding.ts";
import { Problem } from "../platform/errors.ts";
import type { AppEnv } from "../platform/http.ts";

/**
 * Lets through who shows the secret `ADMIN_TOKEN` as a bearer token, compared in constant time, and names the actor
 * for the audit log. Mounted on every administrator's route.
 */
export const requireAdmin: MiddlewareHandler<AppEnv> = async (c, next) => {
  const token = /^Bearer +(\S+)$/i.exec(c.req.header("Authorization") ?? "")?.[1];
  const expected = c.env.ADMIN_TOKEN;
  // An unset secret admits nobody.
  if (!token || !expected || !(await equalSecrets(token, expected))) {
    throw new Problem("unauthorized", "Send an administrator's token as Authorization: Bearer.", {
      headers: { "WWW-Authenticate": 'Bearer realm="admin"' },
    });
  }
  c.set("actor", "admin-token");
  await withOrigin(c, next);
};
