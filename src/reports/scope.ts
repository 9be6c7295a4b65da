import { sql } from "drizzle-orm";
import type { ViewerScope, Visibility } from "../auth/principal.ts";
import type { FilterColumn, ReportFilters } from "./query.ts";

/** The kinds of viewers that reports can be narrowed for, and by what: plays keep the supplier that they had, and cite their campaign. */
export const reportVisible = {
  supplier: (supplierId) => sql`supplier_id = ${supplierId}`,
  brand: (brandName) => sql`campaign_id IN (SELECT id FROM campaigns WHERE brand_name = ${brandName})`,
} satisfies Visibility;

/** A report's filters, narrowed to a viewer's scope: whatever it asks for, no play of others is read. */
export async function scopedFilters(db: D1Database, filters: ReportFilters, scope: ViewerScope | null): Promise<ReportFilters> {
  if (scope === null) return filters;
  if ("supplier_id" in scope) return narrowed(filters, "supplier_id", [scope.supplier_id]);
  const { results } = await db.prepare("SELECT id FROM campaigns WHERE brand_name = ?").bind(scope.brand_name).all<{ id: string }>();
  return narrowed(
    filters,
    "campaign_id",
    results.map(({ id }) => id),
  );
}

/** Filters that let through of a column only what is allowed, and of that only what was asked for. Pure. */
export function narrowed(filters: ReportFilters, column: FilterColumn, allowed: readonly string[]): ReportFilters {
  const asked = filters[column];
  return { ...filters, [column]: allowed.filter((id) => asked === undefined || asked.includes(id)) };
}
