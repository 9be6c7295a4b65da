import type { SQL } from "drizzle-orm";
import { Problem } from "../platform/errors.ts";

export const ROLES = ["admin", "operator", "viewer", "reporter"] as const;
export type Role = (typeof ROLES)[number];

/** What a viewer is held to: one supplier, or one brand by the name that its campaigns carry, letter for letter. */
export type ViewerScope = { supplier_id: string } | { brand_name: string };

/** What a reporter may report on: every content; or the contents that are named, and those of the named campaigns. */
export type ReporterScope = { all_content: true } | { content_ids?: string[]; campaign_ids?: string[] };

/**
 * Who sends a request. `secret` is whoever holds `ADMIN_TOKEN`, `token` a program with an API token. A viewer's scope is null where it
 * sees the whole network.
 */
export type Principal = { kind: "secret" | "token"; id: string } & (
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
export type Access = { level: "read"; visible: Visibility } | { level: "operate" } | { level: "administer" };

/** For a route that changes things: roles admin and operator. */
export const OPERATE: Access = { level: "operate" };
/** For what only role admin may: tokens and users. */
export const ADMINISTER: Access = { level: "administer" };
/** For a route that reads: all roles but reporter; of viewers that are scoped, those whose scope it can be narrowed to. */
export function reads(visible: Visibility): Access {
  return { level: "read", visible };
}

/** Why a principal may not call a route, as a sentence for it; null where it may. Pure. */
export function refusalOf({ role, scope }: Principal, access: Access): string | null {
  if (role === "reporter") return "A reporter's token only reports plays; it may call nothing else.";
  if (access.level === "administer") return role === "admin" ? null : `This takes role admin; the token's is ${role}.`;
  if (role !== "viewer") return null;
  if (access.level === "operate") return "A viewer may read and change nothing; this takes role operator or admin.";
  return scope === null || conditionOf(scope, access.visible) ? null : outOfScope(scope);
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
  return `The token sees only one ${"supplier_id" in scope ? "supplier" : "brand"}, and this cannot be narrowed to it.`;
}

/** The callers that a route lets in, for OpenAPI: roles, and the kinds of scoped viewers. */
export function callersOf(access: Access): string[] {
  if (access.level === "administer") return ["admin"];
  if (access.level === "operate") return ["admin", "operator"];
  const { supplier, brand } = access.visible;
  return ["admin", "operator", "viewer", ...(supplier ? ["viewer:supplier"] : []), ...(brand ? ["viewer:brand"] : [])];
}
