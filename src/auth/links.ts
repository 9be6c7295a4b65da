import { randomSecret, sha256Hex } from "../platform/encoding.ts";
import { Problem } from "../platform/errors.ts";
import { DAY_MS } from "../platform/time.ts";
import type { invitations } from "./tables.ts";

export type Invitation = typeof invitations.$inferSelect;
export type LinkKind = Invitation["kind"];
export type LinkState = "open" | "accepted" | "expired" | "revoked";

const TOKEN_PREFIX = "link_";
const TOKEN = /^link_[A-Za-z0-9_-]{43}$/;

/** How long a link is good. An invitation waits for somebody to come back from holiday; the others for somebody who waits for them. */
export const LINK_LIFETIME_MS: Record<LinkKind, number> = { invitation: 7 * DAY_MS, setup: DAY_MS, reset: DAY_MS };

/** A new link's token, and what is kept of it. */
export async function newLinkToken(): Promise<{ token: string; hash: string }> {
  const token = randomSecret(TOKEN_PREFIX);
  return { token, hash: await sha256Hex(token) };
}

/** Where a link leads. `origin` as in `https://signage.example`. Pure. */
export function linkOf(kind: LinkKind, token: string, origin: string): string {
  return `${origin}/console/${kind === "setup" ? "setup" : "accept"}?token=${token}`;
}

/** What became of a link by `now` (ms). Pure. */
export function linkState(link: Pick<Invitation, "accepted_at" | "revoked_at" | "expires_at">, now: number): LinkState {
  if (link.accepted_at !== null) return "accepted";
  if (link.revoked_at !== null) return "revoked";
  return now >= link.expires_at ? "expired" : "open";
}

const CLOSED: Record<Exclude<LinkState, "open">, [code: string, detail: string]> = {
  accepted: ["LINK_USED", "This link was used already; it is good once. Sign in with the password that was set."],
  expired: ["LINK_EXPIRED", "This link has expired. Ask an administrator for another."],
  revoked: ["LINK_REVOKED", "This link was taken back. Ask an administrator for another."],
};

/**
 * The link of a token, where it is still good. `now` in ms.
 * @throws Problem `not-found`, code `LINK_UNKNOWN`; `link-closed` with code `LINK_USED`, `LINK_EXPIRED` or `LINK_REVOKED`.
 */
export async function findOpenLink(db: D1Database, token: string, now: number): Promise<Invitation> {
  const link = TOKEN.test(token)
    ? await db
        .prepare("SELECT * FROM invitations WHERE token_hash = ?")
        .bind(await sha256Hex(token))
        .first<Invitation>()
    : null;
  if (!link) throw new Problem("not-found", "This link is not known here. Was all of it copied?", { code: "LINK_UNKNOWN" });
  const state = linkState(link, now);
  if (state === "open") return link;
  const [code, detail] = CLOSED[state];
  throw new Problem("link-closed", detail, { code });
}
