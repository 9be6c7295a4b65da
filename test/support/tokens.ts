import { env } from "cloudflare:workers";
import { create } from "./admin.ts";

/** An API token as it was made. */
export interface TestToken {
  id: string;
  token: string;
}

/** Makes an API token by the API. A reporter without a scope gets one of all content. */
export async function makeToken(role: string, scope?: unknown): Promise<TestToken> {
  const given = role === "reporter" && scope === undefined ? { all_content: true } : scope;
  const made = await create("tokens", { name: `A ${role}`, role, ...(given === undefined ? {} : { scope: given }) });
  return { id: made.id, token: String(made.token) };
}

/** A token that ended a while ago. It was never used, so nothing in memory knows it yet. */
export async function makeExpired(role: string): Promise<TestToken> {
  const made = await makeToken(role);
  await env.DB.prepare("UPDATE api_tokens SET expires_at = ? WHERE id = ?").bind(Date.parse("2026-01-01T00:00:00Z"), made.id).run();
  return made;
}

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
