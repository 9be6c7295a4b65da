import { sql } from "drizzle-orm";
import { describe, expect, test } from "vitest";
import {
  ADMINISTER,
  actorOf,
  callersOf,
  OPERATE,
  OWN,
  type Principal,
  reads,
  refusalOf,
  scopeTerms,
  type Visibility,
} from "../../src/auth/principal.ts";
import { tokenState } from "../../src/auth/tokens.ts";
import { lifetimeFault } from "../../src/auth/tokens-routes.ts";
import { narrowed } from "../../src/reports/scope.ts";

const token = { kind: "token", id: "1" } as const;
const PRINCIPALS: Record<string, Principal> = {
  admin: { ...token, role: "admin", scope: null },
  operator: { ...token, role: "operator", scope: null },
  viewer: { ...token, role: "viewer", scope: null },
  "viewer:supplier": { ...token, role: "viewer", scope: { supplier_id: "s" } },
  "viewer:brand": { ...token, role: "viewer", scope: { brand_name: "b" } },
  reporter: { ...token, role: "reporter", scope: { all_content: true } },
};
const supplier: Visibility["supplier"] = (id) => sql`supplier_id = ${id}`;
const brand: Visibility["brand"] = (name) => sql`brand_name = ${name}`;

describe("who may call a route", () => {
  test.each([
    ["changes", OPERATE, ["admin", "operator"]],
    ["administration", ADMINISTER, ["admin"]],
    ["reads that cannot be narrowed", reads({}), ["admin", "operator", "viewer"]],
    ["reads by supplier", reads({ supplier }), ["admin", "operator", "viewer", "viewer:supplier"]],
    ["reads by brand", reads({ brand }), ["admin", "operator", "viewer", "viewer:brand"]],
    ["reads by either", reads({ supplier, brand }), ["admin", "operator", "viewer", "viewer:supplier", "viewer:brand"]],
  ] as const)("%s", (_, access, callers) => {
    const admitted = Object.keys(PRINCIPALS).filter((name) => {
      const principal = PRINCIPALS[name];
      return principal && refusalOf(principal, access) === null;
    });
    expect(admitted).toEqual(callers);
    expect(callersOf(access)).toEqual(callers);
  });
});

test("what is one's own is for people, of whatever role, and for no token", () => {
  for (const principal of Object.values(PRINCIPALS)) {
    expect(refusalOf(principal, OWN)).toMatch(/a token is no person|only reports plays/);
    if (principal.role !== "reporter") expect(refusalOf({ ...principal, kind: "user" }, OWN)).toBeNull();
  }
  expect(callersOf(OWN)).toEqual(["user"]);
});

test("a person's refusal speaks of their role, a token's of its", () => {
  expect(refusalOf({ kind: "user", id: "1", role: "viewer", scope: null }, ADMINISTER)).toBe("This takes role admin; yours is viewer.");
  expect(refusalOf({ kind: "token", id: "1", role: "viewer", scope: null }, ADMINISTER)).toBe(
    "This takes role admin; the token's is viewer.",
  );
});

test("a scope that a query cannot be narrowed to is refused there, too", () => {
  expect(() => scopeTerms({ brand_name: "b" }, { supplier: (id) => sql`supplier_id = ${id}` })).toThrow("sees only one brand");
  expect(scopeTerms(null, {})).toEqual([]);
});

test("the audit log tells the secret, tokens and people apart", () => {
  expect(actorOf({ kind: "secret", id: "admin-token", role: "admin", scope: null })).toBe("admin-token");
  expect(actorOf({ kind: "token", id: "7", role: "operator", scope: null })).toBe("token:7");
  expect(actorOf({ kind: "user", id: "7", role: "operator", scope: null })).toBe("user:7");
});

describe("a token's life", () => {
  test("it ends at its end, and at its revocation", () => {
    expect(tokenState({ expires_at: 1000, revoked_at: null }, 999)).toBe("active");
    expect(tokenState({ expires_at: 1000, revoked_at: null }, 1000)).toBe("expired");
    expect(tokenState({ expires_at: 1000, revoked_at: 10 }, 999)).toBe("revoked");
  });

  test("it ends in the future, and in five years at most", () => {
    const fiveYears = 5 * 366 * 86_400_000;
    expect(lifetimeFault(5, 5)).toBe("must be in the future");
    expect(lifetimeFault(6, 5)).toBeNull();
    expect(lifetimeFault(5 + fiveYears, 5)).toBeNull();
    expect(lifetimeFault(6 + fiveYears, 5)).toBe("must be five years ahead at most");
  });
});

describe("a report's filters under a scope", () => {
  test("hold what was asked for of what is allowed", () => {
    expect(narrowed({}, "campaign_id", ["a", "b"])).toEqual({ campaign_id: ["a", "b"] });
    expect(narrowed({ campaign_id: ["b", "c", ""], store_id: ["s"] }, "campaign_id", ["a", "b"])).toEqual({
      campaign_id: ["b"],
      store_id: ["s"],
    });
  });

  test("let nothing through where nothing is allowed, or nothing of that was asked for", () => {
    expect(narrowed({}, "campaign_id", [])).toEqual({ campaign_id: [] });
    expect(narrowed({ supplier_id: ["other"] }, "supplier_id", ["own"])).toEqual({ supplier_id: [] });
  });
});
