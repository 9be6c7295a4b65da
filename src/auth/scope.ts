import { z } from "@hono/zod-openapi";
import { idField, nameField } from "../platform/fields.ts";
import type { Requirement } from "../platform/requirement.ts";
import type { ReporterScope, ViewerScope } from "./principal.ts";

/** What a viewer is held to, in a body. */
export const viewerScopeSchema = z
  .strictObject({
    supplier_id: idField.optional(),
    brand_name: nameField.optional().meta({ description: "As its campaigns have it, letter for letter", example: "Cola" }),
  })
  .refine((scope) => Object.keys(scope).length === 1, "names either supplier_id or brand_name");

/** What a scope names must be there: a name that was mistyped would be a token or a person that sees nothing. */
export function scopeRequirements(scope: ViewerScope | ReporterScope): Requirement[] {
  const common = { code: "REFERENCE_NOT_FOUND", detail: "There is nothing with this id." };
  const listed = (field: "content_ids" | "campaign_ids", table: string, ids: string[] | undefined): Requirement => ({
    ...common,
    breaches: `SELECT e.key AS at FROM json_each(?) e WHERE NOT EXISTS (SELECT 1 FROM ${table} WHERE id = e.value)`,
    values: [JSON.stringify(ids ?? [])],
    pointer: (at) => `/scope/${field}/${at}`,
  });
  if ("supplier_id" in scope) {
    const breaches = "SELECT NULL AS at WHERE NOT EXISTS (SELECT 1 FROM suppliers WHERE id = ?)";
    return [{ ...common, breaches, values: [scope.supplier_id], pointer: () => "/scope/supplier_id" }];
  }
  if ("brand_name" in scope) {
    const breaches = "SELECT NULL AS at WHERE NOT EXISTS (SELECT 1 FROM campaigns WHERE brand_name = ?)";
    const detail = "No campaign has this brand_name.";
    return [{ ...common, breaches, detail, values: [scope.brand_name], pointer: () => "/scope/brand_name" }];
  }
  if ("all_content" in scope) return [];
  return [listed("content_ids", "content", scope.content_ids), listed("campaign_ids", "campaigns", scope.campaign_ids)];
}

/** The requirements of a `scope_json` column that is new; none for null. */
export function scopeColumnRequirements(scopeJson: string | null): Requirement[] {
  return scopeJson === null ? [] : scopeRequirements(JSON.parse(scopeJson) as ViewerScope | ReporterScope);
}
