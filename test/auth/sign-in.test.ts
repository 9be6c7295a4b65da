import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { auditOf, Browser, makePerson, PASSWORD, signedIn } from "../support/people.ts";

describe("signing in", () => {
  test("lets the person in by a cookie that scripts cannot read", async () => {
    const person = await makePerson("operator");
    const browser = new Browser();
    const answer = await browser.signIn(person.email);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({ two_factor_required: false });
    const [cookie] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^alive\.session_token=[^;]+; Max-Age=604800; Path=\/; HttpOnly; SameSite=Lax$/);
    const me = await browser.call("GET", "/v1/admin/me");
    expect(me.body).toMatchObject({ id: person.id, kind: "user", name: person.name, email: person.email, role: "operator", scope: null });
    expect((await auditOf(person.id)).map(({ actor, action }) => [actor, action])).toEqual([
      [`user:${person.id}`, "user.create"],
      [`user:${person.id}`, "user.sign_in"],
    ]);
  });

  test("over TLS goes by a cookie of this host alone", async () => {
    const person = await makePerson("viewer");
    const answer = await new Browser("https://console.example").signIn(person.email);
    expect(answer.headers.getSetCookie()).toEqual([
      expect.stringMatching(/^__Host-alive\.session_token=[^;]+; Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Lax$/),
    ]);
  });

  test("keeps nothing in the database by which a session could be taken over", async () => {
    const browser = await signedIn("admin");
    const cookie = decodeURIComponent(browser.cookies.get("alive.session_token") ?? "");
    const token = cookie.slice(0, cookie.lastIndexOf("."));
    const rows = await env.DB.prepare("SELECT * FROM user_sessions WHERE user_id = ?").bind(browser.person.id).all();
    expect(rows.results).toHaveLength(1);
    expect(JSON.stringify(rows.results)).not.toContain(token);
    expect(rows.results[0]).toMatchObject({ network: "203.0.113.0/24", user_agent: "Test browser" });
  });

  test("is refused alike for a wrong password, an unknown address and somebody who is disabled", async () => {
    const person = await makePerson("viewer");
    const disabled = await makePerson("viewer");
    await env.DB.prepare("UPDATE users SET disabled_at = 1 WHERE id = ?").bind(disabled.id).run();
    const bodies = [];
    for (const [email, password] of [
      [person.email, `${PASSWORD}!`],
      ["nobody@example.com", PASSWORD],
      [disabled.email, PASSWORD],
    ] as const) {
      const browser = new Browser();
      const answer = await browser.signIn(email, password);
      expect(answer.status, email).toBe(401);
      expect(browser.cookies.has("alive.session_token")).toBe(false);
      bodies.push({ ...answer.body, correlation_id: "" });
    }
    expect(bodies[0]).toMatchObject({ type: "/docs/errors/unauthorized", code: "INVALID_EMAIL_OR_PASSWORD" });
    expect(bodies[1]).toEqual(bodies[0]);
    expect(bodies[2]).toEqual(bodies[0]);
  });
});
