import type { SQL } from "drizzle-orm";
import { Problem } from "../platform/errors.ts";

export const ROLES = ["admin", "operator", "viewer", "reporter"] as const;
export type Role = (typeof ROLES)[number];
/** The roles that people have; a reporter is a program. */
export const USER_ROLES = ["admin", "operator", "viewer"] as const satisfies Role[];
export type UserRole = (typeof USER_ROLES)[number];

/** What a viewer is held to: one supplier, or one brand by the name that its campaigns carry, letter for letter. */
export type ViewerScope = { supplier_id: string } | { brand_name: string };

/** What a reporter may report on: every content; or the contents that are named, and those of the named campaigns. */
export type ReporterScope = { all_content: true } | { content_ids?: string[]; campaign_ids?: string[] };

/**
 * Who sends a request. `secret` is whoever holds `ADMIN_TOKEN`, `token` a program with an API token, `user` a person who is signed in. A
 * viewer's scope is null where it sees the whole network.
 */
export type Principal = { kind: "secret" | "token" | "user"; id: string } & (
  | { role: "admin" | "operator"; scope: null }
  | { role: "viewer"; scope: ViewerScope | null }
  | { role: "reporter"; scope: ReporterScope }
);

/** The id of the one principal that is no row: the holder of `ADMIN_TOKEN`. */
export const SECRET_ID = "admin-token";

/** The name under which the audit log knows a principal, and under which its `Idempotency-Key`s are kept. */
export function actorOf({ kind, id }: Principal): string {
  return kind === "secret" ? id : `${kind}:${id}`;
}

/**
 * How rows are narrowed to what a scoped viewer may see: for each kind of scope a condition on the row. A kind without one is not let in:
 * `{}` is for what cannot be told apart by supplier or brand.
 */
export interface Visibility {
  supplier?: (supplierId: string) => SQL;
  brand?: (brandName: string) => SQL;
}

/** What a route asks of who calls it. */
export type Access = { level: "read"; visible: Visibility } | { level: "operate" } | { level: "administer" } | { level: "own" };

/** For a route that changes things: roles admin and operator. */
export const OPERATE: Access = { level: "operate" };
/** For what only role admin may: tokens and users. */
export const ADMINISTER: Access = { level: "administer" };
/** For what people do with their own account, whatever their role: what a program shows is no person. */
export const OWN: Access = { level: "own" };
/** For a route that reads: all roles but reporter; of viewers that are scoped, those whose scope it can be narrowed to. */
export function reads(visible: Visibility): Access {
  return { level: "read", visible };
}

/** Why a principal may not call a route, as a sentence for it; null where it may. Pure. */
export function refusalOf({ kind, role, scope }: Principal, access: Access): string | null {
  if (role === "reporter") return "A reporter's token only reports plays; it may call nothing else.";
  if (access.level === "own") return kind === "user" ? null : "This is for people who are signed in; a token is no person.";
  if (access.level === "administer") return role === "admin" ? null : `This takes role admin; ${whose(kind)} is ${role}.`;
  if (role !== "viewer") return null;
  if (access.level === "operate") return "A viewer may read and change nothing; this takes role operator or admin.";
  return scope === null || conditionOf(scope, access.visible) ? null : outOfScope(scope);
}

function whose(kind: Principal["kind"]): string {
  return kind === "user" ? "yours" : "the token's";
}

/** The conditions that narrow a query to a viewer's scope; none for who sees the whole network. @throws Problem `forbidden` where it cannot be narrowed. */
export function scopeTerms(scope: ViewerScope | null, visible: Visibility): SQL[] {
  if (scope === null) return [];
  const condition = conditionOf(scope, visible);
  if (!condition) throw new Problem("forbidden", outOfScope(scope), { code: "OUT_OF_SCOPE" });
  return [condition];
}

function conditionOf(scope: ViewerScope, visible: Visibility): SQL | undefined {
  return "supplier_id" in scope ? visible.supplier?.(scope.supplier_id) : visible.brand?.(scope.brand_name);
}

function outOfScope(scope: ViewerScope): string {
  return `The caller sees only one ${"supplier_id" in scope ? "supplier" : "brand"}, and this cannot be narrowed to it.`;
}

/** The callers that a route lets in, for OpenAPI: roles, and the kinds of scoped viewers. */
export function callersOf(access: Access): string[] {
  if (access.level === "own") return ["user"];
  if (access.level === "administer") return ["admin"];
  if (access.level === "operate") return ["admin", "operator"];
  const { supplier, brand } = access.visible;
  return ["admin", "operator", "viewer", ...(supplier ? ["viewer:supplier"] : []), ...(brand ? ["viewer:brand"] : [])];
}
