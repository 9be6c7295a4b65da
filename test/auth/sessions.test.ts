import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { readSession, SESSION_IDLE_MS, SESSION_MAX_MS, SESSION_USE_WRITTEN_EVERY_MS } from "../../src/auth/session.ts";
import { forgetSignIns } from "../../src/auth/tries.ts";
import { auditOf, Browser, makePerson, PASSWORD, type SignedInBrowser, signedIn } from "../support/people.ts";

const HOUR = 3_600_000;

beforeEach(async () => {
  await env.DB.prepare("DELETE FROM sign_in_tries").run();
});

const cookieOf = (browser: Browser) => decodeURIComponent(browser.cookies.get("alive.session_token") ?? "");
const rowOf = async ({ person }: SignedInBrowser) =>
  await env.DB.prepare("SELECT id, created_at, updated_at, expires_at FROM user_sessions WHERE user_id = ?")
    .bind(person.id)
    .first<{ id: string; created_at: number; updated_at: number; expires_at: number }>();
const me = async (browser: Browser) => (await browser.call("GET", "/v1/admin/me")).body;

describe("a session", () => {
  test("ends when nobody uses it for twelve hours", async () => {
    const browser = await signedIn("viewer");
    const made = (await rowOf(browser))?.created_at ?? 0;
    expect(await readSession(env, cookieOf(browser), made + SESSION_IDLE_MS)).toBeNull();
    expect(await readSession(env, cookieOf(browser), made + SESSION_IDLE_MS - 1)).toMatchObject({ id: browser.person.id });
    // That was a use: twelve hours begin anew.
    expect(await readSession(env, cookieOf(browser), made + 2 * SESSION_IDLE_MS - 2)).toMatchObject({ id: browser.person.id });
  });

  test("ends after seven days, however much it is used", async () => {
    const browser = await signedIn("viewer");
    const made = (await rowOf(browser))?.created_at ?? 0;
    for (let at = made; at < made + SESSION_MAX_MS; at += 11 * HOUR) {
      expect(await readSession(env, cookieOf(browser), at), `${(at - made) / HOUR} h`).not.toBeNull();
    }
    expect(await rowOf(browser)).toMatchObject({ expires_at: made + SESSION_MAX_MS });
    expect(await readSession(env, cookieOf(browser), made + SESSION_MAX_MS - 1)).not.toBeNull();
    expect(await readSession(env, cookieOf(browser), made + SESSION_MAX_MS)).toBeNull();
  });

  test("is written at most every five minutes", async () => {
    const browser = await signedIn("viewer");
    const made = (await rowOf(browser))?.created_at ?? 0;
    await readSession(env, cookieOf(browser), made + SESSION_USE_WRITTEN_EVERY_MS - 1);
    expect(await rowOf(browser)).toMatchObject({ updated_at: made, expires_at: made + SESSION_IDLE_MS });
    await readSession(env, cookieOf(browser), made + SESSION_USE_WRITTEN_EVERY_MS);
    const used = made + SESSION_USE_WRITTEN_EVERY_MS;
    expect(await rowOf(browser)).toMatchObject({ updated_at: used, expires_at: used + SESSION_IDLE_MS });
  });

  test("costs one read, and none where the cookie was not signed here", async () => {
    const browser = await signedIn("viewer");
    let statements = 0;
    const DB = new Proxy(env.DB, {
      get(db, name) {
        if (name === "prepare") statements += 1;
        const value: unknown = Reflect.get(db, name);
        return typeof value === "function" ? value.bind(db) : value;
      },
    });
    const cookie = cookieOf(browser);
    expect(await readSession({ ...env, DB }, cookie, Date.now())).not.toBeNull();
    expect(statements).toBe(1);
    for (const forged of ["", ".", "x", `x${cookie}`, `${cookie}=`, cookie.slice(0, cookie.lastIndexOf("."))]) {
      expect(await readSession({ ...env, DB }, forged, Date.now()), forged).toBeNull();
    }
    expect(await readSession({ DB, AUTH_SECRET: "another secret" }, cookie, Date.now())).toBeNull();
    expect(await readSession({ DB, AUTH_SECRET: "" }, cookie, Date.now())).toBeNull();
    expect(statements).toBe(1);
  });

  test("opens nothing from the moment on at which its holder is disabled, even where it is left", async () => {
    const browser = await signedIn("admin");
    await env.DB.prepare("UPDATE users SET disabled_at = ? WHERE id = ?").bind(Date.now(), browser.person.id).run();
    expect(await me(browser)).toMatchObject({ status: 401, code: "SESSION_EXPIRED" });
    expect((await browser.call("POST", "/api/auth/two-factor/enable", { password: PASSWORD })).status).toBe(401);
  });

  test("is never one that was there before: whoever planted a cookie does not share it", async () => {
    const planted = await signedIn("viewer");
    const victim = await makePerson("admin");
    const browser = new Browser();
    for (const [name, value] of planted.cookies) browser.cookies.set(name, value);
    await browser.signIn(victim.email);
    expect(cookieOf(browser)).not.toBe(cookieOf(planted));
    expect(await me(browser)).toMatchObject({ id: victim.id });
    // The one that the browser had is over, whosesoever it was.
    expect(await me(planted)).toMatchObject({ code: "SESSION_EXPIRED" });
  });

  test("that is over, and what was never finished, is deleted by cron", async () => {
    const browser = await signedIn("viewer");
    const { expires_at = 0 } = (await rowOf(browser)) ?? {};
    await forgetSignIns(env.DB, expires_at - 1);
    expect(await rowOf(browser)).not.toBeNull();
    await forgetSignIns(env.DB, expires_at);
    expect(await rowOf(browser)).toBeNull();
  });
});

describe("signing out", () => {
  test("ends the session, takes the cookie away, and is one audit row", async () => {
    const browser = await signedIn("viewer");
    const { Cookie = "" } = browser.headers;
    const answer = await browser.call("POST", "/api/auth/sign-out");
    expect(answer.body).toEqual({ signed_out: true });
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^alive\.session_token=; Max-Age=0; Path=\/; HttpOnly; SameSite=Lax$/),
    ]);
    expect((await browser.call("GET", "/v1/admin/me", undefined, { Cookie })).body).toMatchObject({ code: "SESSION_EXPIRED" });
    expect((await browser.call("POST", "/api/auth/sign-out")).status).toBe(200);
    expect((await auditOf(browser.person.id)).map(({ action }) => action)).toEqual(["user.sign_out"]);
  });

  test("twice at once, here or everywhere, is one audit row", async () => {
    for (const [path, action] of [
      ["/api/auth/sign-out", "user.sign_out"],
      ["/v1/admin/me/sessions/revoke-all", "user.sign_out_everywhere"],
    ] as const) {
      const browser = await signedIn("viewer");
      const { Cookie = "" } = browser.headers;
      const send = () => new Browser().call("POST", path, undefined, { Cookie });
      await Promise.all([send(), send(), send()]);
      expect((await auditOf(browser.person.id)).map((row) => row.action)).toEqual([action]);
    }
  });

  test("everywhere ends all of one's sessions, and nobody else's", async () => {
    const here = await signedIn("viewer");
    const bystander = await signedIn("viewer");
    const there = new Browser("http://localhost", "2001:db8:1:2::9");
    await there.signIn(here.person.email);
    const listed = await here.call("GET", "/v1/admin/me/sessions");
    expect(listed.body.items).toEqual([
      expect.objectContaining({ current: false, network: "2001:db8:1::/48", user_agent: "Test browser" }),
      expect.objectContaining({ current: true, network: "203.0.113.0/24" }),
    ]);
    expect((await here.call("POST", "/v1/admin/me/sessions/revoke-all")).body).toEqual({ ended: 2 });
    expect((await me(there)).code).toBe("SESSION_EXPIRED");
    expect(here.cookies.has("alive.session_token")).toBe(false);
    expect(await me(bystander)).toMatchObject({ id: bystander.person.id });
    const last = (await auditOf(here.person.id)).at(-1);
    expect(last).toEqual({ actor: `user:${here.person.id}`, action: "user.sign_out_everywhere", details: {} });
  });

  test("elsewhere ends one session of one's own", async () => {
    const here = await signedIn("viewer");
    const other = await signedIn("viewer");
    const there = new Browser();
    await there.signIn(here.person.email);
    const items = (await here.call("GET", "/v1/admin/me/sessions")).body.items as { id: string; current: boolean }[];
    const id = items.find(({ current }) => !current)?.id;
    expect((await other.call("DELETE", `/v1/admin/me/sessions/${id}`)).status).toBe(404);
    expect((await here.call("DELETE", `/v1/admin/me/sessions/${id}`)).status).toBe(204);
    expect((await here.call("DELETE", `/v1/admin/me/sessions/${id}`)).status).toBe(404);
    expect((await me(there)).code).toBe("SESSION_EXPIRED");
    expect(await me(here)).toMatchObject({ id: here.person.id });
    expect((await auditOf(here.person.id)).filter(({ action }) => action === "user.end_session")).toHaveLength(1);
  });
});

describe("changing one's password", () => {
  const NEW = "a wholly other pass phrase";
  const change = (browser: Browser, current: string, wanted: string) =>
    browser.call("POST", "/api/auth/change-password", { current_password: current, new_password: wanted });

  test("takes the present one, ends the other sessions, and is one audit row without any password", async () => {
    const browser = await signedIn("viewer");
    const other = new Browser();
    await other.signIn(browser.person.email);
    expect((await change(browser, "wrong", NEW)).body).toMatchObject({ status: 400, code: "INVALID_PASSWORD" });
    const before = cookieOf(browser);
    expect((await change(browser, PASSWORD, NEW)).body).toEqual({ changed: true });
    expect(cookieOf(browser)).not.toBe(before);
    expect(await me(browser)).toMatchObject({ id: browser.person.id });
    expect((await me(other)).code).toBe("SESSION_EXPIRED");
    expect((await new Browser().signIn(browser.person.email)).status).toBe(401);
    expect((await new Browser().signIn(browser.person.email, NEW)).status).toBe(200);
    const rows = await auditOf(browser.person.id);
    expect(rows.map(({ action }) => action.replace("user.", ""))).toEqual(["sign_in", "change_password", "sign_in_failed", "sign_in"]);
    expect(JSON.stringify(rows)).not.toMatch(/horse|wholly/);
  });

  test("to one that is no fit password is refused, and says why", async () => {
    const browser = await signedIn("viewer");
    for (const [wanted, detail] of [
      ["short", "must have 12 characters at least"],
      [`${browser.person.name} 1234`, "must not be made of your e-mail address or name"],
      ["aaaaaaaaaaaaaaaa", "must not be one character over and over"],
    ] as const) {
      const answer = await change(browser, PASSWORD, wanted);
      expect(answer.body).toMatchObject({ status: 400, code: "PASSWORD_UNFIT", errors: [{ pointer: "/new_password", detail }] });
    }
    expect((await new Browser().signIn(browser.person.email)).status).toBe(200);
  });
});
