import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { auditOf, Browser, PASSWORD, type SignedInBrowser, signedIn } from "../support/people.ts";
import { totp } from "../support/totp.ts";

const VERIFY = "/api/auth/two-factor/verify-totp";
const BACKUP = "/api/auth/two-factor/verify-backup-code";

beforeEach(async () => {
  await env.DB.prepare("DELETE FROM sign_in_tries").run();
});

/** Somebody with a second factor, and what their authenticator and their drawer hold. */
async function enrolled(): Promise<SignedInBrowser & { uri: string; codes: string[] }> {
  const browser = await signedIn("operator");
  const begun = await browser.call("POST", "/api/auth/two-factor/enable", { password: PASSWORD });
  expect(begun.status).toBe(200);
  const uri = String(begun.body.totp_uri);
  expect((await browser.call("POST", VERIFY, { code: totp(uri, Date.now()) })).body).toEqual({ verified: true });
  return Object.assign(browser, { uri, codes: begun.body.backup_codes as string[] });
}

/** A browser at which the password was right, and the code is asked. */
async function halfWay(email: string): Promise<Browser> {
  const browser = new Browser();
  expect((await browser.signIn(email)).body).toEqual({ two_factor_required: true });
  return browser;
}

const actionsOf = async (id: string) => (await auditOf(id)).map(({ action }) => action.replace("user.", ""));

// A code of the step before or after is as good as the present one; which of them were used is known for each user alone.
const codeNow = (uri: string) => totp(uri, Date.now());
const codeNext = (uri: string) => totp(uri, Date.now() + 30_000);

describe("switching the second factor on", () => {
  test("takes the password and a first right code, and is one audit row", async () => {
    const browser = await signedIn("viewer");
    const enable = (password: string) => browser.call("POST", "/api/auth/two-factor/enable", { password });
    expect((await enable("not the password")).body).toMatchObject({ status: 400, code: "INVALID_PASSWORD" });
    const begun = await enable(PASSWORD);
    expect(begun.body.totp_uri).toMatch(/^otpauth:\/\/totp\/Alive%20Signage:person-\d+%40example\.com\?secret=[A-Z2-7]+&issuer=/);
    expect(new Set(begun.body.backup_codes as string[]).size).toBe(10);
    // Not on yet: who mistyped the secret would be locked out.
    expect((await new Browser().signIn(browser.person.email)).body).toEqual({ two_factor_required: false });
    expect((await browser.call("POST", VERIFY, { code: "000000" })).body).toMatchObject({ status: 401, code: "INVALID_CODE" });
    expect((await browser.call("POST", VERIFY, { code: codeNow(String(begun.body.totp_uri)) })).status).toBe(200);
    expect((await browser.call("GET", "/v1/admin/me")).body).toMatchObject({ two_factor_enabled: true });
    expect(await actionsOf(browser.person.id)).toEqual(["sign_in", "enable_two_factor"]);
    expect((await enable(PASSWORD)).body).toMatchObject({ status: 400, code: "TOTP_ALREADY_ENABLED" });
  });

  test("keeps neither secret nor backup codes readable in the database", async () => {
    const { person, uri, codes } = await enrolled();
    const row = JSON.stringify(await env.DB.prepare("SELECT * FROM user_second_factors WHERE user_id = ?").bind(person.id).first());
    expect(row).not.toContain(new URL(uri).searchParams.get("secret"));
    for (const code of codes) expect(row).not.toContain(code);
  });
});

describe("signing in with a second factor", () => {
  test("lets nobody in by the password alone, nor leaves a session behind", async () => {
    const { person } = await enrolled();
    const sessions = async () =>
      (await env.DB.prepare("SELECT count(*) AS n FROM user_sessions WHERE user_id = ?").bind(person.id).first<{ n: number }>())?.n;
    const before = await sessions();
    const browser = await halfWay(person.email);
    expect(browser.cookies.has("alive.session_token")).toBe(false);
    expect((await browser.call("GET", "/v1/admin/me")).status).toBe(401);
    expect(await sessions()).toBe(before);
    expect(await actionsOf(person.id)).toEqual(["enable_two_factor"]);
  });

  test("lets in by the authenticator's code, each of which works once", async () => {
    const { person, uri } = await enrolled();
    const first = await halfWay(person.email);
    const code = codeNext(uri);
    expect((await first.call("POST", VERIFY, { code })).body).toEqual({ verified: true });
    expect((await first.call("GET", "/v1/admin/me")).body).toMatchObject({ id: person.id });
    const second = await halfWay(person.email);
    expect((await second.call("POST", VERIFY, { code })).body).toMatchObject({ status: 401, code: "INVALID_CODE" });
    expect(second.cookies.has("alive.session_token")).toBe(false);
    const [row] = (await auditOf(person.id)).slice(-1);
    expect(row).toEqual({ actor: `user:${person.id}`, action: "user.sign_in", details: { second_factor: "totp" } });
  });

  test("is refused without the cookie of the password's step, and with somebody else's", async () => {
    const { uri } = await enrolled();
    const other = await enrolled();
    expect((await new Browser().call("POST", VERIFY, { code: codeNow(uri) })).body).toMatchObject({ code: "INVALID_TWO_FACTOR_COOKIE" });
    const browser = await halfWay(other.person.email);
    expect((await browser.call("POST", VERIFY, { code: codeNext(uri) })).body).toMatchObject({ code: "INVALID_CODE" });
  });

  test("goes on from the last password alone: of many steps at once none has a guess of its own", async () => {
    const { person, uri } = await enrolled();
    const bystander = await enrolled();
    const other = await halfWay(bystander.person.email);
    const [early, late] = [await halfWay(person.email), await halfWay(person.email)];
    expect((await early.call("POST", VERIFY, { code: codeNext(uri) })).body).toMatchObject({
      status: 401,
      code: "INVALID_TWO_FACTOR_COOKIE",
    });
    expect((await late.call("POST", VERIFY, { code: codeNext(uri) })).body).toEqual({ verified: true });
    expect((await other.call("POST", VERIFY, { code: codeNext(bystander.uri) })).body).toEqual({ verified: true });
  });

  test("ends the session that the browser had, whosever it was", async () => {
    const { person } = await enrolled();
    const browser = await signedIn("viewer");
    const { Cookie = "" } = browser.headers;
    expect((await browser.signIn(person.email)).body).toEqual({ two_factor_required: true });
    const before = await new Browser().call("GET", "/v1/admin/me", undefined, { Cookie });
    expect(before.body).toMatchObject({ status: 401, code: "SESSION_EXPIRED" });
  });

  test("asks for the password again after five wrong codes, and writes each down", async () => {
    const { person, uri } = await enrolled();
    const browser = await halfWay(person.email);
    for (let at = 0; at < 5; at += 1)
      expect((await browser.call("POST", VERIFY, { code: "000000" })).body).toMatchObject({ code: "INVALID_CODE" });
    const sixth = await browser.call("POST", VERIFY, { code: codeNext(uri) });
    expect(sixth.body).toMatchObject({ status: 400, code: "TOO_MANY_ATTEMPTS_REQUEST_NEW_CODE" });
    const failed = (await auditOf(person.id)).filter(({ action }) => action === "user.sign_in_failed");
    expect(failed).toEqual(Array(5).fill({ actor: "anonymous", action: "user.sign_in_failed", details: { reason: "totp" } }));
  });

  test("is closed for the account after ten wrong codes, however often the password is given", async () => {
    const { person, uri } = await enrolled();
    for (let round = 0; round < 2; round += 1) {
      const browser = await halfWay(person.email);
      for (let at = 0; at < 5; at += 1) await browser.call("POST", VERIFY, { code: "000000" });
    }
    const answer = await (await halfWay(person.email)).call("POST", VERIFY, { code: codeNext(uri) });
    expect(answer.body).toMatchObject({ status: 429, type: "/docs/errors/rate-limit-exceeded", code: "ACCOUNT_TEMPORARILY_LOCKED" });
  });

  test("lets in by a backup code, once; new ones void the old", async () => {
    const browser = await enrolled();
    const [first = "", second = ""] = browser.codes;
    const show = async (code: string) => (await (await halfWay(browser.person.email)).call("POST", BACKUP, { code })).body;
    expect(await show(first)).toEqual({ verified: true });
    expect(await show(first)).toMatchObject({ status: 401, code: "INVALID_BACKUP_CODE" });
    const made = await browser.call("POST", "/api/auth/two-factor/generate-backup-codes", { password: PASSWORD });
    const [fresh = ""] = made.body.backup_codes as string[];
    expect(await show(second)).toMatchObject({ status: 401, code: "INVALID_BACKUP_CODE" });
    expect(await show(fresh)).toEqual({ verified: true });
    expect((await actionsOf(browser.person.id)).slice(1)).toEqual([
      "sign_in",
      "sign_in_failed",
      "new_backup_codes",
      "sign_in_failed",
      "sign_in",
    ]);
  });
});

describe("switching it off", () => {
  test("takes the password; then the password is enough", async () => {
    const browser = await enrolled();
    const disable = (password: string) => browser.call("POST", "/api/auth/two-factor/disable", { password });
    expect((await disable("not the password")).body).toMatchObject({ status: 400, code: "INVALID_PASSWORD" });
    expect((await disable(PASSWORD)).body).toEqual({ disabled: true });
    expect((await browser.call("GET", "/v1/admin/me")).body).toMatchObject({ two_factor_enabled: false });
    expect((await new Browser().signIn(browser.person.email)).body).toEqual({ two_factor_required: false });
    expect(await actionsOf(browser.person.id)).toEqual(["enable_two_factor", "disable_two_factor", "sign_in"]);
  });

  test("by an administrator, for who lost it: the sessions end, once and with one audit row", async () => {
    const admin = await signedIn("admin");
    const lost = await enrolled();
    const path = `/v1/admin/users/${lost.person.id}/reset-two-factor`;
    expect((await admin.call("POST", path)).body).toMatchObject({ id: lost.person.id, two_factor_enabled: false });
    expect((await admin.call("POST", path)).status).toBe(200);
    expect((await lost.call("GET", "/v1/admin/me")).body).toMatchObject({ status: 401, code: "SESSION_EXPIRED" });
    expect((await new Browser().signIn(lost.person.email)).body).toEqual({ two_factor_required: false });
    const rows = (await auditOf(lost.person.id)).filter(({ action }) => action === "user.reset_two_factor");
    expect(rows).toEqual([{ actor: `user:${admin.person.id}`, action: "user.reset_two_factor", details: {} }]);
  });
});
