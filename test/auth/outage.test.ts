import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { app } from "../../workers/http.ts";
import { auditOf, Browser, PASSWORD, signedIn } from "../support/people.ts";
import { totp } from "../support/totp.ts";

/** The real database, which is lost at the n-th thing that is asked of it (0 is the first), and for that one moment. */
function lostAt(n: number): D1Database {
  let asked = 0;
  return new Proxy(env.DB, {
    get(db, name) {
      if (name === "prepare" || name === "batch") {
        asked += 1;
        if (asked === n + 1) {
          return () => {
            throw new Error("D1_ERROR: Network connection lost.");
          };
        }
      }
      const value: unknown = Reflect.get(db, name);
      return typeof value === "function" ? value.bind(db) : value;
    },
  });
}

async function post(browser: Browser, path: string, body: unknown, DB: D1Database): Promise<Response> {
  const headers = { ...browser.headers, "Content-Type": "application/json" };
  return await app.request(`http://localhost${path}`, { method: "POST", headers, body: JSON.stringify(body) }, { ...env, DB });
}

const sessionsOf = async (userId: string) =>
  (await env.DB.prepare("SELECT count(*) AS n FROM user_sessions WHERE user_id = ?").bind(userId).first<{ n: number }>())?.n;

test("a database that is lost while somebody signs in is an outage, wherever it is, and nothing is half done", async () => {
  const { person } = await signedIn("viewer");
  await env.DB.prepare("DELETE FROM user_sessions").run();
  let failures = 0;
  for (let n = 0; ; n += 1) {
    await env.DB.prepare("DELETE FROM sign_in_tries").run();
    const answer = await post(new Browser(), "/api/auth/sign-in/email", { email: person.email, password: PASSWORD }, lostAt(n));
    if (answer.status === 200) break;
    failures += 1;
    expect(answer.status, `lost at ${n}`).toBe(503);
    expect(answer.headers.get("Retry-After")).toBe("5");
    expect(answer.headers.getSetCookie()).toEqual([]);
    expect(await sessionsOf(person.id)).toBe(0);
    expect(await auditOf(person.id)).toEqual([]);
  }
  expect(failures).toBeGreaterThan(5);
  expect(await sessionsOf(person.id)).toBe(1);
  expect((await auditOf(person.id)).map(({ action }) => action)).toEqual(["user.sign_in"]);
});

test("a password that was changed is written down, whatever is lost then", async () => {
  for (let n = 0; ; n += 1) {
    await env.DB.prepare("DELETE FROM sign_in_tries").run();
    const browser = await signedIn("viewer");
    const body = { current_password: PASSWORD, new_password: "a wholly other pass phrase" };
    const answer = await post(browser, "/api/auth/change-password", body, lostAt(n));
    const rows = await auditOf(browser.person.id);
    const account = await env.DB.prepare("SELECT updated_at > created_at AS changed FROM user_accounts WHERE user_id = ?")
      .bind(browser.person.id)
      .first<{ changed: number }>();
    // Changed, with its row and without the sessions of before; or nothing of it.
    expect(rows.map(({ action }) => action)).toEqual(account?.changed === 1 ? ["user.change_password"] : []);
    if (answer.status === 200) break;
    expect(answer.status, `lost at ${n}`).toBe(503);
  }
});

test("a second factor is on or off, whatever is lost while it is switched on: nobody is locked out", async () => {
  const states = new Set<string>();
  for (let n = 0; ; n += 1) {
    await env.DB.prepare("DELETE FROM sign_in_tries").run();
    const browser = await signedIn("viewer");
    const begun = await browser.call("POST", "/api/auth/two-factor/enable", { password: PASSWORD });
    const code = totp(String(begun.body.totp_uri), Date.now());
    const answer = await post(browser, "/api/auth/two-factor/verify-totp", { code }, lostAt(n));
    const state = await env.DB.prepare(
      "SELECT two_factor_enabled AS asked, verified AS good FROM users u JOIN user_second_factors f ON f.user_id = u.id WHERE u.id = ?",
    )
      .bind(browser.person.id)
      .first<{ asked: number; good: number }>();
    expect(state?.good, `lost at ${n}`).toBe(state?.asked);
    expect((await auditOf(browser.person.id)).map(({ action }) => action)).toEqual(state?.asked === 1 ? ["user.enable_two_factor"] : []);
    if (answer.status === 200) break;
    expect(answer.status, `lost at ${n}`).toBe(503);
    states.add(JSON.stringify(state));
  }
  // It was lost before it was on, and behind.
  expect(states.size).toBe(2);
});
