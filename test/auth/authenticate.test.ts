import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { authenticateCaller } from "../../src/auth/admin.ts";
import { authenticateReporter } from "../../src/auth/reporter.ts";
import { Problem } from "../../src/platform/errors.ts";
import { HOUR_MS } from "../../src/platform/time.ts";
import { create } from "../support/admin.ts";
import { makeExpired, makeToken } from "../support/tokens.ts";

const SECOND = 1000;
const headersOf = (token: string) => new Headers({ Authorization: `Bearer ${token}` });

/** The real database, with a count of the statements that were asked of it. */
function counted(): { bindings: Env; count(): number } {
  let statements = 0;
  const DB = new Proxy(env.DB, {
    get(db, name) {
      if (name === "prepare") statements += 1;
      const value: unknown = Reflect.get(db, name);
      return typeof value === "function" ? value.bind(db) : value;
    },
  });
  return { bindings: { ...env, DB }, count: () => statements };
}

/** A database that answers nothing. */
const away: Env = {
  ...env,
  DB: new Proxy(env.DB, {
    get: () => () => {
      throw new Error("D1_ERROR: away");
    },
  }),
};

async function codeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "let in";
  } catch (error) {
    if (error instanceof Problem) return error.code;
    throw error;
  }
}

const revoke = (id: string, at: number) => env.DB.prepare("UPDATE api_tokens SET revoked_at = ? WHERE id = ?").bind(at, id).run();
const lastUsed = async (id: string) =>
  (await env.DB.prepare("SELECT last_used_at AS at FROM api_tokens WHERE id = ?").bind(id).first<{ at: number | null }>())?.at;

describe("a look-up", () => {
  test("is made once in 30 seconds, however many requests come", async () => {
    const { token } = await makeToken("viewer");
    const now = Date.now();
    const { bindings, count } = counted();
    await authenticateCaller(headersOf(token), bindings, now);
    // One to read it, one to write down that it is used.
    expect(count()).toBe(2);
    for (let at = now; at < now + 30 * SECOND; at += SECOND) await authenticateCaller(headersOf(token), bindings, at);
    expect(count()).toBe(2);
    await authenticateCaller(headersOf(token), bindings, now + 30 * SECOND);
    expect(count()).toBe(3);
  });

  test("is not made for what cannot be a token, and is for one that is not known, once", async () => {
    const { bindings, count } = counted();
    const now = Date.now();
    for (const wrong of [
      "x",
      "alive_",
      `alive_${"a".repeat(42)}`,
      `alive_${"a".repeat(44)}`,
      `alive_${"a".repeat(42)}=`,
      "eyJhbGciOi.a.b",
    ]) {
      expect(await codeOf(authenticateCaller(headersOf(wrong), bindings, now))).toBe("TOKEN_UNKNOWN");
    }
    expect(count()).toBe(0);
    const unknown = headersOf(`alive_${"b".repeat(43)}`);
    expect(await codeOf(authenticateCaller(unknown, bindings, now))).toBe("TOKEN_UNKNOWN");
    expect(await codeOf(authenticateCaller(unknown, bindings, now + SECOND))).toBe("TOKEN_UNKNOWN");
    expect(count()).toBe(1);
  });

  test("that fails is no refusal: 503, and the secret still works", async () => {
    const { token } = await makeToken("admin");
    const failed = await authenticateCaller(headersOf(token), away, Date.now()).catch((error: unknown) => error);
    expect(failed).toMatchObject({ status: 503, code: "SERVICE_UNAVAILABLE", options: { headers: { "Retry-After": "5" } } });
    expect(await authenticateCaller(headersOf("test-admin-token"), away, Date.now())).toEqual({
      kind: "secret",
      id: "admin-token",
      role: "admin",
      scope: null,
    });
  });
});

describe("tokens that nobody was given", () => {
  const from = (address: string, token: string) => new Headers({ Authorization: `Bearer ${token}`, "CF-Connecting-IP": address });
  let made = 0;
  const strange = () => {
    made += 1;
    return `alive_${String(made).padStart(43, "s")}`;
  };
  /** The beginning of a minute of its own, so that no other test's tokens count. */
  const minute = (number: number) => Math.ceil(Date.now() / 60_000) * 60_000 + number * 60_000;

  test("cost sixty reads a minute from one address, one after the other or all at once; then they wait", async () => {
    const { bindings, count } = counted();
    const show = (at: number, address = "203.0.113.9") => codeOf(authenticateCaller(from(address, strange()), bindings, at));
    const codes = await Promise.all(Array.from({ length: 100 }, () => show(minute(1))));
    expect(codes.filter((code) => code === "TOKEN_UNKNOWN")).toHaveLength(60);
    expect(codes.filter((code) => code === "RATE_LIMIT_EXCEEDED")).toHaveLength(40);
    expect(count()).toBe(60);
    const refused = await authenticateCaller(from("203.0.113.9", strange()), bindings, minute(1) + 20_000).catch((error: unknown) => error);
    expect(refused).toMatchObject({ status: 429, options: { headers: { "Retry-After": "40" } } });
    expect(await show(minute(1), "198.51.100.1")).toBe("TOKEN_UNKNOWN");
    expect(await show(minute(2))).toBe("TOKEN_UNKNOWN");
  });

  test("of one network of IPv6 are counted together", async () => {
    const now = minute(3);
    const show = (host: number) => codeOf(authenticateCaller(from(`2001:db8:1:2::${host}`, strange()), env, now));
    for (let host = 1; host <= 60; host += 1) expect(await show(host)).toBe("TOKEN_UNKNOWN");
    expect(await show(61)).toBe("RATE_LIMIT_EXCEEDED");
  });

  test("turn nobody away who has a good one: it counts for nothing, and is looked up again whatever else comes from there", async () => {
    const [used, crowded] = [(await makeToken("viewer")).token, (await makeToken("viewer")).token];
    const show = (token: string, at: number) => codeOf(authenticateCaller(from("203.0.113.10", token), env, at));
    const now = minute(4);
    expect(await show(used, now)).toBe("let in");
    // A hundred at once with one token that this isolate has not seen yet.
    const crowd = await Promise.all(Array.from({ length: 100 }, () => show(crowded, now)));
    expect(new Set(crowd)).toEqual(new Set(["let in"]));
    for (let at = 0; at < 60; at += 1) expect(await show(strange(), now)).toBe("TOKEN_UNKNOWN");
    expect(await show(strange(), now)).toBe("RATE_LIMIT_EXCEEDED");
    expect(await show(used, now + 40 * SECOND)).toBe("let in");
  });

  test("that could not be looked up count for nothing", async () => {
    const now = minute(5);
    for (let at = 0; at < 70; at += 1) {
      expect(await codeOf(authenticateCaller(from("203.0.113.11", strange()), away, now))).toBe("SERVICE_UNAVAILABLE");
    }
    expect(await codeOf(authenticateCaller(from("203.0.113.11", strange()), env, now))).toBe("TOKEN_UNKNOWN");
  });
});

describe("a token that ends", () => {
  test("by revocation elsewhere opens nothing 30 seconds later", async () => {
    const { id, token } = await makeToken("operator");
    const now = Date.now();
    await authenticateCaller(headersOf(token), env, now);
    await revoke(id, now);
    expect(await codeOf(authenticateCaller(headersOf(token), env, now + 30 * SECOND - 1))).toBe("let in");
    expect(await codeOf(authenticateCaller(headersOf(token), env, now + 30 * SECOND))).toBe("TOKEN_REVOKED");
  });

  test("by its time does so to the millisecond, whatever is remembered", async () => {
    const made = await create("tokens", { name: "t", role: "viewer" });
    const ends = Date.parse(String(made.expires_at));
    const headers = headersOf(String(made.token));
    expect(await codeOf(authenticateCaller(headers, env, ends - 1))).toBe("let in");
    expect(await codeOf(authenticateCaller(headers, env, ends))).toBe("TOKEN_EXPIRED");
  });

  test("is told which: of one that was revoked and expired, that it was revoked", async () => {
    const { id, token } = await makeExpired("viewer");
    await revoke(id, 1);
    expect(await codeOf(authenticateCaller(headersOf(token), env, Date.now()))).toBe("TOKEN_REVOKED");
  });
});

describe("when a token was last used", () => {
  test("is written once an hour", async () => {
    const { id, token } = await makeToken("viewer");
    const now = Date.now();
    expect(await lastUsed(id)).toBeNull();
    await authenticateCaller(headersOf(token), env, now);
    expect(await lastUsed(id)).toBe(now);
    await authenticateCaller(headersOf(token), env, now + HOUR_MS - 1);
    expect(await lastUsed(id)).toBe(now);
    await authenticateCaller(headersOf(token), env, now + HOUR_MS - 1 + 30 * SECOND);
    expect(await lastUsed(id)).toBe(now + HOUR_MS - 1 + 30 * SECOND);
  });

  test("is not written for one that opens nothing", async () => {
    const { id, token } = await makeExpired("viewer");
    expect(await codeOf(authenticateCaller(headersOf(token), env, Date.now()))).toBe("TOKEN_EXPIRED");
    expect(await lastUsed(id)).toBeNull();
  });
});

describe("the secret", () => {
  test("admits nobody while it is not set", async () => {
    for (const token of ["", "undefined", "test-admin-token"]) {
      const code = await codeOf(authenticateCaller(headersOf(token), { ...env, ADMIN_TOKEN: "" }, Date.now()));
      expect(code).toBe(token === "" ? "TOKEN_MISSING" : "TOKEN_UNKNOWN");
    }
  });

  test("is no token that can be stored", async () => {
    const stored = await env.DB.prepare("SELECT count(*) AS n FROM api_tokens WHERE id = 'admin-token'").first<{ n: number }>();
    expect(stored?.n).toBe(0);
  });
});

describe("reporters", () => {
  test("are let in with what their token names", async () => {
    const content = await create("content", { name: "c", type: "image" });
    const scope = { content_ids: [content.id] };
    const { id, token } = await makeToken("reporter", scope);
    expect(await authenticateReporter(headersOf(token), env, Date.now())).toEqual({ tokenId: id, scope });
  });

  test.each(["admin", "operator", "viewer"])("a token of role %s is none", async (role) => {
    const { token } = await makeToken(role);
    expect(await codeOf(authenticateReporter(headersOf(token), env, Date.now()))).toBe("FORBIDDEN");
  });

  test("who shows nothing, the secret, or a token that is not in force, is none", async () => {
    const now = Date.now();
    expect(await codeOf(authenticateReporter(new Headers(), env, now))).toBe("TOKEN_MISSING");
    expect(await codeOf(authenticateReporter(headersOf("test-admin-token"), env, now))).toBe("TOKEN_UNKNOWN");
    const expired = await makeExpired("reporter");
    expect(await codeOf(authenticateReporter(headersOf(expired.token), env, now))).toBe("TOKEN_EXPIRED");
    const revoked = await makeToken("reporter");
    await revoke(revoked.id, now);
    expect(await codeOf(authenticateReporter(headersOf(revoked.token), env, now))).toBe("TOKEN_REVOKED");
  });
});
