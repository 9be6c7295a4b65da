import { env, exports } from "cloudflare:workers";
import { createHash, createHmac, randomBytes } from "node:crypto";
import { uuidv7 } from "uuidv7";
import { hashPassword } from "../../src/auth/password.ts";
import { SESSION_IDLE_MS } from "../../src/auth/session.ts";
import type { Answer } from "./admin.ts";
import { admin } from "./admin.ts";

export const PASSWORD = "correct horse battery staple";

/** A browser at the console: keeps cookies, and sends with every request what the console's pages send. */
export class Browser {
  readonly cookies = new Map<string, string>();

  constructor(
    readonly origin = "http://localhost",
    readonly address = "203.0.113.7",
  ) {}

  /** What each request carries; `headers` given to a call come on top, and '' leaves one out. */
  get headers(): Record<string, string> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    return {
      Origin: this.origin,
      "X-Requested-With": "alive-console",
      "CF-Connecting-IP": this.address,
      "User-Agent": "Test browser",
      ...(cookie === "" ? {} : { Cookie: cookie }),
    };
  }

  async call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> {
    const sent = Object.entries({ ...this.headers, ...(body === undefined ? {} : { "Content-Type": "application/json" }), ...headers });
    const response = await exports.default.fetch(`${this.origin}${path}`, {
      method,
      headers: Object.fromEntries(sent.filter(([, value]) => value !== "")),
      redirect: "manual",
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    for (const cookie of response.headers.getSetCookie()) this.#keep(cookie);
    const text = await response.text();
    const json = /json/.test(response.headers.get("Content-Type") ?? "");
    return { status: response.status, headers: response.headers, body: json ? JSON.parse(text) : { text } };
  }

  #keep(cookie: string): void {
    const [pair = "", ...attributes] = cookie.split("; ");
    const at = pair.indexOf("=");
    const gone = attributes.includes("Max-Age=0");
    if (gone) this.cookies.delete(pair.slice(0, at));
    else this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
  }

  async signIn(email: string, password = PASSWORD): Promise<Answer> {
    return await this.call("POST", "/api/auth/sign-in/email", { email, password });
  }
}

/** Somebody with an account. */
export interface Person {
  id: string;
  email: string;
  name: string;
}

let people = 0;
/** What is kept of {@link PASSWORD}, made once: it takes a while, as it should. */
let kept: string | null = null;

/** Invites somebody and lets them accept, by the API. */
export async function makePerson(role: string, scope?: unknown, email?: string): Promise<Person> {
  people += 1;
  const address = email ?? `person-${people}@example.com`;
  const invited = await admin("POST", "/v1/admin/invitations", { email: address, role, ...(scope === undefined ? {} : { scope }) });
  if (invited.status !== 201) throw new Error(`invitation: ${JSON.stringify(invited.body)}`);
  const body = { token: invited.body.token, name: `Person ${people}`, password: PASSWORD };
  const accepted = await new Browser().call("POST", "/v1/invitations/accept", body);
  if (accepted.status !== 201) throw new Error(`acceptance: ${JSON.stringify(accepted.body)}`);
  return accepted.body as unknown as Person;
}

export type SignedInBrowser = Browser & { person: Person };

/** Somebody at a browser, signed in since now: as the API would have left them, but for the audit log, and sooner. */
export async function signedIn(role: string, scope?: unknown): Promise<SignedInBrowser> {
  people += 1;
  kept ??= await hashPassword(PASSWORD);
  const person = { id: uuidv7(), email: `person-${people}@example.com`, name: `Person ${people}` };
  const now = Date.now();
  const token = randomBytes(24).toString("hex");
  const [user, account, session] = [
    "INSERT INTO users (id, name, email, role, scope_json, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    "INSERT INTO user_accounts (id, user_id, account_id, provider_id, password_hash, created_at, updated_at) VALUES (?, ?, ?, 'credential', ?, ?, ?)",
    `INSERT INTO user_sessions (id, user_id, token_hash, network, user_agent, created_at, updated_at, expires_at)
     VALUES (?, ?, ?, '203.0.113.0/24', 'Test browser', ?, ?, ?)`,
  ].map((sql) => env.DB.prepare(sql)) as [D1PreparedStatement, D1PreparedStatement, D1PreparedStatement];
  const hash = createHash("sha256").update(token).digest("hex");
  await env.DB.batch([
    user.bind(person.id, person.name, person.email, role, scope === undefined ? null : JSON.stringify(scope), now, now),
    account.bind(uuidv7(), person.id, person.id, kept, now, now),
    session.bind(uuidv7(), person.id, hash, now, now, now + SESSION_IDLE_MS),
  ]);
  const browser = new Browser();
  const signature = createHmac("sha256", env.AUTH_SECRET).update(token).digest("base64");
  browser.cookies.set("alive.session_token", encodeURIComponent(`${token}.${signature}`));
  return Object.assign(browser, { person });
}

/** The audit rows of what was done with somebody, oldest first. */
export async function auditOf(targetId: string): Promise<{ actor: string; action: string; details: Record<string, unknown> }[]> {
  const { results } = await env.DB.prepare(
    "SELECT actor_user_id AS actor, action, details_json FROM audit_log WHERE target_id = ? ORDER BY id",
  )
    .bind(targetId)
    .all<{ actor: string; action: string; details_json: string }>();
  return results.map(({ actor, action, details_json }) => ({ actor, action, details: JSON.parse(details_json) }));
}
