import { env } from "cloudflare:workers";
import { beforeEach, describe, expect, test } from "vitest";
import { PASSWORDS_AT_ONCE, withPasswordTurn } from "../../src/auth/password.ts";
import { countTry, forgetSignIns, forgiveStatements, TRIES_PER_ACCOUNT, TRIES_PER_ADDRESS, TRIES_WINDOW_MS } from "../../src/auth/tries.ts";
import { Problem } from "../../src/platform/errors.ts";
import { auditOf, Browser, makePerson } from "../support/people.ts";

const NOW = Date.UTC(2026, 10, 21, 12, 0, 0);

beforeEach(async () => {
  await env.DB.prepare("DELETE FROM sign_in_tries").run();
});

const from = (address: string) => new Headers({ "CF-Connecting-IP": address });

/** What came of a try: its number, or for how many seconds to wait. */
async function outcome(email: string, address: string, now = NOW): Promise<number | string> {
  try {
    return (await countTry(env, from(address), email, now)).number;
  } catch (error) {
    if (error instanceof Problem && error.status === 429) return `wait ${error.options.headers?.["Retry-After"]}`;
    throw error;
  }
}

describe("tries of passwords", () => {
  test("for one account are ten in a quarter of an hour, from wherever they come", async () => {
    for (let at = 1; at <= TRIES_PER_ACCOUNT; at += 1) expect(await outcome("a@example.com", `198.51.100.${at}`)).toBe(at);
    expect(await outcome("a@example.com", "198.51.100.99", NOW + 60_000)).toBe("wait 840");
    expect(await outcome("b@example.com", "198.51.100.99")).toBe(1);
    expect(await outcome("a@example.com", "198.51.100.99", NOW + TRIES_WINDOW_MS)).toBe(1);
  });

  test("from one address are thirty, for whatever accounts; of IPv6 a network of 64 bits is one", async () => {
    for (let at = 1; at <= TRIES_PER_ADDRESS; at += 1) expect(await outcome(`${at}@example.com`, `2001:db8::${at}`)).toBe(1);
    expect(await outcome("x@example.com", "2001:db8::ffff")).toBe("wait 900");
    expect(await outcome("y@example.com", "2001:db8:0:1::1")).toBe(1);
  });

  test("that come all at once are no more than one after the other", async () => {
    const outcomes = await Promise.all(Array.from({ length: 20 }, (_, at) => outcome("a@example.com", `198.51.100.${at}`)));
    expect(outcomes.filter((one) => typeof one === "number").sort((a, b) => Number(a) - Number(b))).toEqual([
      1, 2, 3, 4, 5, 6, 7, 8, 9, 10,
    ]);
  });

  test("are forgiven by a right one: all of the account, one of the address", async () => {
    for (let at = 0; at < 9; at += 1) await outcome("a@example.com", "198.51.100.1");
    const last = await countTry(env, from("198.51.100.1"), "a@example.com", NOW);
    await env.DB.batch(forgiveStatements(env.DB, last));
    expect(await outcome("a@example.com", "198.51.100.2")).toBe(1);
    const row = await env.DB.prepare("SELECT tries FROM sign_in_tries WHERE key = ?").bind(last.addressKey).first();
    expect(row).toEqual({ tries: 9 });
  });

  test("are kept without addresses or e-mails, and deleted when they are over", async () => {
    await outcome("somebody@example.com", "198.51.100.1");
    const kept = JSON.stringify((await env.DB.prepare("SELECT * FROM sign_in_tries").all()).results);
    expect(kept).not.toMatch(/somebody|198\.51/);
    expect(await forgetSignIns(env.DB, NOW + TRIES_WINDOW_MS - 1)).toBe(0);
    expect(await forgetSignIns(env.DB, NOW + TRIES_WINDOW_MS)).toBe(2);
  });
});

describe("at the door", () => {
  test("wrong passwords close the account, also to the right one, and leave two audit rows", async () => {
    const person = await makePerson("viewer");
    for (let at = 0; at < TRIES_PER_ACCOUNT; at += 1) expect((await new Browser().signIn(person.email, "wrong")).status).toBe(401);
    const answer = await new Browser().signIn(person.email);
    expect(answer.body).toMatchObject({ type: "/docs/errors/rate-limit-exceeded", status: 429 });
    expect(Number(answer.headers.get("Retry-After"))).toBeGreaterThan(0);
    const failed = (await auditOf(person.id)).filter(({ action }) => action === "user.sign_in_failed");
    expect(failed).toEqual([
      { actor: "anonymous", action: "user.sign_in_failed", details: { reason: "password", tries: 1 } },
      { actor: "anonymous", action: "user.sign_in_failed", details: { reason: "password", tries: 10 } },
    ]);
  });

  test("a flood from one address is turned away before anything is looked up, and others are not", async () => {
    const flood = new Browser("http://localhost", "198.51.100.77");
    const look = (browser: Browser) => browser.call("POST", "/v1/invitations/look", { token: "link_" });
    let answer = await look(flood);
    // The platform lets 300 through in each minute of its clock, and one may end meanwhile.
    for (let sent = 1; sent <= 600 && answer.status !== 429; sent += 1) answer = await look(flood);
    expect(answer.body).toMatchObject({ status: 429, type: "/docs/errors/rate-limit-exceeded" });
    expect(answer.headers.get("Retry-After")).toBe("60");
    expect((await look(new Browser("http://localhost", "198.51.100.78"))).status).toBe(404);
  });

  test("the present password counts as well: who found a browser open cannot try it out", async () => {
    const person = await makePerson("viewer");
    const browser = new Browser();
    await browser.signIn(person.email);
    const confirm = () => browser.call("POST", "/api/auth/two-factor/disable", { password: "wrong" });
    for (let at = 0; at < TRIES_PER_ACCOUNT; at += 1) expect((await confirm()).body).toMatchObject({ code: "INVALID_PASSWORD" });
    expect((await confirm()).status).toBe(429);
  });
});

test("few passwords are looked at at once; the others are told to come again", async () => {
  let go = () => {};
  const gate = new Promise<void>((resolve) => {
    go = resolve;
  });
  const busy = Array.from({ length: PASSWORDS_AT_ONCE }, () => withPasswordTurn(() => gate));
  await expect(withPasswordTurn(async () => "too many")).rejects.toMatchObject({
    status: 429,
    options: { headers: { "Retry-After": "1" } },
  });
  go();
  await Promise.all(busy);
  // One that fails gives its turn back, too.
  await expect(withPasswordTurn(() => Promise.reject(new Error("broken")))).rejects.toThrow("broken");
  expect(await withPasswordTurn(async () => "served")).toBe("served");
});
