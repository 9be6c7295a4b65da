import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { admin, create } from "../support/admin.ts";
import { auditOf, Browser, makePerson, PASSWORD, type SignedInBrowser, signedIn } from "../support/people.ts";

beforeEach(async () => {
  await env.DB.batch(
    ["sign_in_tries", "users", "user_sessions", "user_accounts", "invitations"].map((table) => env.DB.prepare(`DELETE FROM ${table}`)),
  );
});

const pathOf = ({ person }: SignedInBrowser) => `/v1/admin/users/${person.id}`;
const actionsOf = async (id: string) => (await auditOf(id)).map(({ action }) => action);

describe("users", () => {
  test("are listed, found and shown without what proves who they are", async () => {
    const ann = await makePerson("admin", undefined, "ann@example.com");
    await makePerson("viewer", undefined, "bob@example.com");
    const listed = await admin("GET", "/v1/admin/users?q=ANN@");
    expect(listed.body.items).toEqual([
      {
        id: ann.id,
        name: ann.name,
        email: "ann@example.com",
        role: "admin",
        scope: null,
        two_factor_enabled: false,
        last_sign_in_at: null,
        disabled_at: null,
        created_at: expect.stringMatching(/Z$/),
        updated_at: expect.stringMatching(/Z$/),
        version: 1,
      },
    ]);
    const emails = async (query: string) =>
      ((await admin("GET", `/v1/admin/users?${query}`)).body.items as { email: string }[]).map(({ email }) => email);
    expect(await emails("role=viewer")).toEqual(["bob@example.com"]);
    expect(await emails("disabled=true")).toEqual([]);
    const got = await admin("GET", `/v1/admin/users/${ann.id}`);
    expect(got.headers.get("ETag")).toBe('"1"');
    expect((await admin("GET", "/v1/admin/users/0192f0c1-2a3b-7c4d-8e5f-60718293a4b5")).status).toBe(404);
  });

  test("get another role, which holds at their next request, by one audit row", async () => {
    const supplier = await create("suppliers", { name: "Chain" });
    const boss = await signedIn("admin");
    const browser = await signedIn("viewer", { supplier_id: supplier.id });
    expect((await browser.call("GET", "/v1/admin/campaigns")).body).toMatchObject({ code: "OUT_OF_SCOPE" });
    const changed = await boss.call("PATCH", pathOf(browser), { role: "operator" }, { "If-Match": '"1"' });
    expect(changed.body).toMatchObject({ role: "operator", scope: null, version: 2 });
    expect((await browser.call("GET", "/v1/admin/campaigns")).status).toBe(200);
    expect((await browser.call("POST", "/v1/admin/suppliers", { name: "Another" })).status).toBe(201);
    const last = (await auditOf(browser.person.id)).at(-1);
    expect(last).toEqual({
      actor: `user:${boss.person.id}`,
      action: "user.update",
      details: { before: { role: "viewer", scope: { supplier_id: supplier.id } }, after: { role: "operator", scope: null } },
    });
  });

  test("see only their scope, which must name what there is", async () => {
    const [own, other] = [await create("suppliers", { name: "Own" }), await create("suppliers", { name: "Other" })];
    const boss = await signedIn("admin");
    const browser = await signedIn("viewer");
    const seen = async () =>
      ((await browser.call("GET", "/v1/admin/suppliers?limit=200")).body.items as { id: string }[]).map(({ id }) => id);
    expect(await seen()).toEqual(expect.arrayContaining([own.id, other.id]));
    expect((await boss.call("PATCH", pathOf(browser), { scope: { supplier_id: own.id } })).status).toBe(200);
    expect(await seen()).toEqual([own.id]);
    expect((await browser.call("GET", `/v1/admin/suppliers/${other.id}`)).status).toBe(404);
    const nowhere = { scope: { supplier_id: "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5" } };
    expect((await boss.call("PATCH", pathOf(browser), nowhere)).body).toMatchObject({
      code: "REFERENCE_NOT_FOUND",
      errors: [{ pointer: "/scope/supplier_id" }],
    });
    expect((await boss.call("PATCH", pathOf(browser), { role: "operator", scope: { supplier_id: own.id } })).body).toMatchObject({
      status: 400,
      errors: [{ pointer: "/scope" }],
    });
    expect((await boss.call("PATCH", pathOf(browser), { role: "reporter" })).status).toBe(400);
  });

  test("are told when somebody else was faster", async () => {
    const boss = await signedIn("admin");
    const browser = await signedIn("viewer");
    expect((await boss.call("PATCH", pathOf(browser), { name: "One" }, { "If-Match": '"1"' })).status).toBe(200);
    const second = await boss.call("PATCH", pathOf(browser), { name: "Two" }, { "If-Match": '"1"' });
    expect(second.status).toBe(412);
    expect(second.headers.get("ETag")).toBe('"2"');
    expect((await boss.call("GET", pathOf(browser))).body.name).toBe("One");
  });

  test("who are disabled are out at once and stay out, until they are enabled again", async () => {
    const boss = await signedIn("admin");
    const browser = await signedIn("operator");
    expect((await boss.call("DELETE", pathOf(browser))).status).toBe(204);
    expect((await browser.call("GET", "/v1/admin/me")).body).toMatchObject({ status: 401, code: "SESSION_EXPIRED" });
    expect((await new Browser().signIn(browser.person.email)).status).toBe(401);
    // A second time changes nothing.
    const { disabled_at } = (await boss.call("GET", pathOf(browser))).body;
    expect((await boss.call("DELETE", pathOf(browser))).status).toBe(204);
    expect((await boss.call("GET", pathOf(browser))).body).toMatchObject({ disabled_at, version: 2 });
    expect((await actionsOf(browser.person.id)).filter((action) => action === "user.update")).toHaveLength(1);
    expect((await boss.call("PATCH", pathOf(browser), { disabled: false })).body).toMatchObject({ disabled_at: null });
    expect((await browser.call("GET", "/v1/admin/me")).status).toBe(401);
    expect((await new Browser().signIn(browser.person.email)).status).toBe(200);
  });

  test("change their own name, and nothing else of themselves", async () => {
    const browser = await signedIn("viewer");
    expect((await browser.call("PATCH", "/v1/admin/me", { name: "Ann" })).body).toMatchObject({ name: "Ann", role: "viewer" });
    expect((await browser.call("GET", "/v1/admin/me")).body).toMatchObject({ name: "Ann" });
    expect((await browser.call("PATCH", "/v1/admin/me", { role: "admin" })).status).toBe(400);
    expect((await admin("PATCH", "/v1/admin/me", { name: "Root" })).body).toMatchObject({ status: 403 });
  });
});

describe("the last administrator", () => {
  test("can be neither demoted nor disabled, also not by themselves", async () => {
    const boss = await signedIn("admin");
    for (const body of [{ role: "operator" }, { role: "viewer" }, { disabled: true }]) {
      const answer = await boss.call("PATCH", pathOf(boss), body);
      expect(answer.body).toMatchObject({ status: 409, code: "LAST_ADMINISTRATOR" });
    }
    expect((await admin("DELETE", pathOf(boss))).body).toMatchObject({ status: 409, code: "LAST_ADMINISTRATOR" });
    expect(await actionsOf(boss.person.id)).toEqual([]);
    // A disabled one does not count.
    const second = await signedIn("admin");
    expect((await boss.call("DELETE", pathOf(second))).status).toBe(204);
    expect((await boss.call("DELETE", pathOf(boss))).status).toBe(409);
  });

  test("stays, when two demote each other at once", async () => {
    const [one, two] = [await signedIn("admin"), await signedIn("admin")];
    await Promise.all([one.call("PATCH", pathOf(two), { role: "viewer" }), two.call("PATCH", pathOf(one), { role: "viewer" })]);
    const left = await env.DB.prepare("SELECT count(*) AS n FROM users WHERE role = 'admin' AND disabled_at IS NULL").first<{
      n: number;
    }>();
    expect(left?.n).toBeGreaterThanOrEqual(1);
  });

  test("may go when there is another", async () => {
    const [one, two] = [await signedIn("admin"), await signedIn("admin")];
    expect((await one.call("PATCH", pathOf(one), { role: "operator" })).status).toBe(200);
    expect((await one.call("GET", "/v1/admin/users")).status).toBe(403);
    expect((await two.call("GET", "/v1/admin/users")).status).toBe(200);
  });
});

describe("invitations", () => {
  const accept = (token: unknown, more: Record<string, unknown> = {}) =>
    new Browser().call("POST", "/v1/invitations/accept", { token, name: "Ann", password: PASSWORD, ...more });
  const look = (token: unknown) => new Browser().call("POST", "/v1/invitations/look", { token });

  test("are a link, shown once, by which somebody sets a name and a password", async () => {
    const boss = await signedIn("admin");
    await create("campaigns", { brand_name: "Cola", name: "Autumn" });
    const made = await boss.call("POST", "/v1/admin/invitations", {
      email: "Ann@Example.com",
      role: "viewer",
      scope: { brand_name: "Cola" },
    });
    expect(made.status).toBe(201);
    expect(made.body).toMatchObject({
      kind: "invitation",
      email: "ann@example.com",
      role: "viewer",
      state: "open",
      created_by: `user:${boss.person.id}`,
    });
    expect(made.body.link).toBe(`http://localhost/console/accept?token=${made.body.token}`);
    const kept = JSON.stringify(await env.DB.prepare("SELECT * FROM invitations").all());
    expect(kept).not.toContain(made.body.token);
    const shown = await boss.call("GET", `/v1/admin/invitations/${made.body.id}`);
    expect(Object.keys(shown.body)).not.toEqual(expect.arrayContaining(["token", "token_hash"]));
    expect((await look(made.body.token)).body).toEqual({
      kind: "invitation",
      email: "ann@example.com",
      name: null,
      role: "viewer",
      scope: { brand_name: "Cola" },
      expires_at: made.body.expires_at,
    });
    const accepted = await accept(made.body.token);
    expect(accepted.status).toBe(201);
    expect(accepted.body).toEqual({ id: expect.any(String), name: "Ann", email: "ann@example.com", role: "viewer" });
    expect(accepted.headers.getSetCookie()).toEqual([]);
    const browser = new Browser();
    expect((await browser.signIn("ANN@example.com")).status).toBe(200);
    expect((await browser.call("GET", "/v1/admin/me")).body).toMatchObject({ role: "viewer", scope: { brand_name: "Cola" } });
    expect(await actionsOf(String(made.body.id))).toEqual(["invitation.create"]);
    expect((await auditOf(String(accepted.body.id)))[0]).toEqual({
      actor: `user:${accepted.body.id}`,
      action: "user.create",
      details: {
        after: { name: "Ann", email: "ann@example.com", role: "viewer", scope: { brand_name: "Cola" } },
        invitation_id: made.body.id,
      },
    });
    expect((await boss.call("GET", "/v1/admin/invitations?state=accepted")).body.items).toMatchObject([
      { id: made.body.id, accepted_by: accepted.body.id },
    ]);
  });

  test("are good once, also when they are followed twice at the same time", async () => {
    const { body } = await admin("POST", "/v1/admin/invitations", { email: "ann@example.com", role: "operator" });
    const answers = await Promise.all([accept(body.token), accept(body.token)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 410]);
    expect((await accept(body.token)).body).toMatchObject({ type: "/docs/errors/link-closed", status: 410, code: "LINK_USED" });
    expect((await look(body.token)).body).toMatchObject({ code: "LINK_USED" });
    expect((await env.DB.prepare("SELECT count(*) AS n FROM users").first<{ n: number }>())?.n).toBe(1);
  });

  test("end after seven days, when they are taken back, and when another takes their place", async () => {
    const invite = async () => (await admin("POST", "/v1/admin/invitations", { email: "ann@example.com", role: "operator" })).body;
    const first = await invite();
    const second = await invite();
    expect((await accept(first.token)).body).toMatchObject({ code: "LINK_REVOKED" });
    expect(Date.parse(String(second.expires_at)) - Date.parse(String(second.created_at))).toBe(7 * 86_400_000);
    await env.DB.prepare("UPDATE invitations SET expires_at = ? WHERE id = ?")
      .bind(Date.now() - 1, second.id)
      .run();
    expect((await accept(second.token)).body).toMatchObject({ status: 410, code: "LINK_EXPIRED" });
    const third = await invite();
    expect((await admin("POST", `/v1/admin/invitations/${third.id}/revoke`)).body).toMatchObject({ state: "revoked" });
    expect((await admin("POST", `/v1/admin/invitations/${third.id}/revoke`)).status).toBe(200);
    expect((await accept(third.token)).body).toMatchObject({ code: "LINK_REVOKED" });
    expect(await actionsOf(String(third.id))).toEqual(["invitation.create", "invitation.revoke"]);
  });

  test("are refused for who is there, and for a scope that is nowhere or not a viewer's", async () => {
    const person = await makePerson("viewer");
    const invite = async (body: unknown) => (await admin("POST", "/v1/admin/invitations", body)).body;
    expect(await invite({ email: person.email, role: "viewer" })).toMatchObject({ status: 409, code: "ALREADY_EXISTS" });
    expect(await invite({ email: "x@example.com", role: "viewer", scope: { brand_name: "None" } })).toMatchObject({
      code: "REFERENCE_NOT_FOUND",
    });
    expect(await invite({ email: "x@example.com", role: "admin", scope: { brand_name: "None" } })).toMatchObject({ status: 400 });
    expect(await invite({ email: "x@example.com", role: "reporter" })).toMatchObject({ status: 400 });
    expect(await invite({ email: "no address", role: "admin" })).toMatchObject({ status: 400, errors: [{ pointer: "/email" }] });
  });

  test("that are not known, or not whole, are 404", async () => {
    for (const token of ["", "link_", `link_${"A".repeat(43)}`])
      expect((await look(token)).body).toMatchObject({ status: 404, code: "LINK_UNKNOWN" });
  });

  test("take no password that is easily guessed, and stay good for a better one", async () => {
    const { body } = await admin("POST", "/v1/admin/invitations", { email: "someone@example.com", role: "viewer" });
    for (const password of ["12345678901", "someone12345", "Margaret!234"]) {
      const answer = await accept(body.token, { name: "Margaret", password });
      expect(answer.body, password).toMatchObject({ code: "PASSWORD_UNFIT", errors: [{ pointer: "/password" }] });
    }
    expect((await accept(body.token, { email: "other@example.com" })).body).toMatchObject({ errors: [{ pointer: "/email" }] });
    expect((await accept(body.token, { name: undefined })).body).toMatchObject({ errors: [{ pointer: "/name" }] });
    expect((await accept(body.token)).status).toBe(201);
  });

  test("that are asked for again under the same key are made once, and show their link once", async () => {
    const ask = () => admin("POST", "/v1/admin/invitations", { email: "ann@example.com", role: "viewer" }, { "Idempotency-Key": "k-1" });
    const [first, second] = [await ask(), await ask()];
    expect(second.body.id).toBe(first.body.id);
    expect(second.headers.get("Idempotency-Replayed")).toBe("true");
    expect(second.body).not.toHaveProperty("link");
  });
});

describe("the set-up link", () => {
  const accept = (token: unknown) =>
    new Browser().call("POST", "/v1/invitations/accept", { token, email: "first@example.com", name: "First", password: PASSWORD });

  test("lets the first administrator in, for a day, and nobody after", async () => {
    const [one, two] = [await admin("POST", "/v1/admin/invitations/setup"), await admin("POST", "/v1/admin/invitations/setup")];
    expect(two.body.link).toBe(`http://localhost/console/setup?token=${two.body.token}`);
    expect(Date.parse(String(two.body.expires_at)) - Date.parse(String(two.body.created_at))).toBe(86_400_000);
    expect((await accept(one.body.token)).body).toMatchObject({ code: "LINK_REVOKED" });
    expect((await accept(two.body.token)).body).toMatchObject({ email: "first@example.com", role: "admin" });
    expect((await new Browser().signIn("first@example.com")).status).toBe(200);
    expect((await admin("POST", "/v1/admin/invitations/setup")).body).toMatchObject({ status: 409, code: "USERS_EXIST" });
  });

  test("is worth nothing once somebody else came in", async () => {
    const { body } = await admin("POST", "/v1/admin/invitations/setup");
    await makePerson("viewer");
    expect((await accept(body.token)).body).toMatchObject({ status: 409, code: "USERS_EXIST" });
  });
});

describe("a link for a new password", () => {
  const accept = (token: unknown, password: string) => new Browser().call("POST", "/v1/invitations/accept", { token, password });
  const NEW = "quite another pass phrase";

  test("sets it, ends the sessions, and is one audit row", async () => {
    const browser = await signedIn("operator");
    const made = await admin("POST", `${pathOf(browser)}/reset-password`);
    expect(made.body).toMatchObject({ kind: "reset", user_id: browser.person.id });
    expect((await new Browser().call("POST", "/v1/invitations/look", { token: made.body.token })).body).toMatchObject({
      kind: "reset",
      email: browser.person.email,
      name: browser.person.name,
    });
    // Until then the old one holds.
    expect((await browser.call("GET", "/v1/admin/me")).status).toBe(200);
    expect((await accept(made.body.token, NEW)).status).toBe(201);
    expect((await browser.call("GET", "/v1/admin/me")).status).toBe(401);
    expect((await new Browser().signIn(browser.person.email)).status).toBe(401);
    expect((await new Browser().signIn(browser.person.email, NEW)).status).toBe(200);
    expect((await actionsOf(browser.person.id)).filter((action) => action === "user.set_password")).toHaveLength(1);
  });

  test("is worth nothing for who was disabled since, and is not made for who is", async () => {
    const boss = await signedIn("admin");
    const browser = await signedIn("viewer");
    const made = await boss.call("POST", `${pathOf(browser)}/reset-password`);
    await boss.call("DELETE", pathOf(browser));
    expect((await accept(made.body.token, NEW)).body).toMatchObject({ status: 410, code: "LINK_REVOKED" });
    expect((await boss.call("POST", `${pathOf(browser)}/reset-password`)).body).toMatchObject({ status: 409, code: "USER_DISABLED" });
  });

  test("is worth nothing once its owner has set another by themselves", async () => {
    const browser = await signedIn("operator");
    const made = await admin("POST", `${pathOf(browser)}/reset-password`);
    const body = { current_password: PASSWORD, new_password: "one that I chose myself" };
    expect((await browser.call("POST", "/api/auth/change-password", body)).status).toBe(200);
    expect((await accept(made.body.token, NEW)).body).toMatchObject({ status: 410, code: "LINK_REVOKED" });
  });
});

describe("links that an administrator made", () => {
  test.each([
    ["disabled", { disabled: true }],
    ["demoted", { role: "operator" }],
  ])("are void once they are %s", async (_how, change) => {
    const [boss, leaver, bystander] = [await signedIn("admin"), await signedIn("admin"), await signedIn("admin")];
    const invite = async (by: SignedInBrowser, email: string) =>
      (await by.call("POST", "/v1/admin/invitations", { email, role: "admin" })).body.token;
    const kept = [
      await invite(leaver, "second-self@example.com"),
      (await leaver.call("POST", `${pathOf(boss)}/reset-password`)).body.token,
    ];
    const others = await invite(bystander, "newcomer@example.com");
    expect((await boss.call("PATCH", pathOf(leaver), change)).status).toBe(200);
    for (const token of kept) {
      const looked = await new Browser().call("POST", "/v1/invitations/look", { token });
      expect(looked.body).toMatchObject({ status: 410, code: "LINK_REVOKED" });
    }
    expect((await new Browser().call("POST", "/v1/invitations/look", { token: others })).status).toBe(200);
  });
});
