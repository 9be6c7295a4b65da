import { type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { Visibility } from "../auth/principal.ts";
import { devices } from "./tables.ts";

/** Devices that stand in a store of a supplier now: with a device that moves to another supplier's store goes what is told of it. */
export const deviceVisible = {
  supplier: (supplierId) => sql`${devices.store_id} IN (SELECT id FROM stores WHERE supplier_id = ${supplierId})`,
} satisfies Visibility;

/** Rows whose column names such a device. */
export function ofVisibleDevice(column: SQLWrapper): Visibility {
  return { supplier: (supplierId) => sql`${column} IN (${devicesOf(supplierId, "id")})` };
}

/** Rows whose column names a group in which such a device is. A group may be of several suppliers. */
export function ofVisibleGroup(column: SQLWrapper): Visibility {
  return { supplier: (supplierId) => sql`${column} IN (${devicesOf(supplierId, "group_id")})` };
}

function devicesOf(supplierId: string, column: "id" | "group_id"): SQL {
  return sql`SELECT d.${sql.raw(column)} FROM devices d JOIN stores s ON s.id = d.store_id WHERE s.supplier_id = ${supplierId}`;
}
