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
