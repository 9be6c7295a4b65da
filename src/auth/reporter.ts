import { Problem } from "../platform/errors.ts";
import { bearerToken } from "./admin.ts";
import type { ReporterScope } from "./principal.ts";
import { authenticateToken, unauthorized } from "./tokens.ts";

const REALM = "reporter";

/** Who reports plays for players that are no paired devices. */
export interface Reporter {
  tokenId: string;
  scope: ReporterScope;
}

/**
 * The reporter whose API token a request carries. `now` in ms.
 * @throws Problem `unauthorized` where there is no API token or it is not in force (`ADMIN_TOKEN` is none: it is for administration
 *   alone); `forbidden` for an API token of another role; `service-unavailable` where D1 does not answer.
 */
export async function authenticateReporter(headers: Headers, env: Pick<Env, "DB">, now: number): Promise<Reporter> {
  const token = bearerToken(headers);
  if (token === null) throw unauthorized("Send a reporter's token as Authorization: Bearer.", "TOKEN_MISSING", REALM);
  const principal = await authenticateToken(env.DB, token, headers, REALM, now);
  if (principal.role !== "reporter") {
    throw new Problem("forbidden", `Only a token of role reporter reports plays; this one's is ${principal.role}.`);
  }
  return { tokenId: principal.id, scope: principal.scope };
}
