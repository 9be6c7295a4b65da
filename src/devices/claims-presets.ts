import { z } from "@hono/zod-openapi";
import type { UseQuery } from "../platform/uses.ts";
import { fieldProblem } from "./pairing-proof.ts";

const NAME_MAX_CHARS = 200;

/** What an administrator decides about a player before it is paired. */
export const claimPresetsShape = {
  store_id: z.uuid().nullish().meta({ description: "Where the new device stands" }),
  group_id: z.uuid().nullish().meta({ description: "Whose policy it follows" }),
  name: z.string().trim().min(1).max(NAME_MAX_CHARS).nullish(),
  device_id: z.uuid().nullish().meta({
    description: "The device whose player is placed or replaced. It keeps its store, group and name, so these are then left out.",
  }),
};

export interface ClaimPresets {
  store_id?: string | null | undefined;
  group_id?: string | null | undefined;
  name?: string | null | undefined;
  device_id?: string | null | undefined;
}

/** Codes that would still put a player into a store or group: it can be neither archived nor deleted until they end. */
export function openClaims(field: "store_id" | "group_id", id: string, now: number): UseQuery {
  return {
    type: "claim",
    query: `SELECT id, name FROM claims WHERE ${field} = ? AND status IN ('pending', 'approved') AND expires_at >= ?`,
    values: [id, now],
  };
}

/**
 * Demands that presets name what exists, and that a device to be replaced stands alone.
 * @throws Problem `validation-error` that points at the field.
 */
export async function requirePresets(db: D1Database, presets: ClaimPresets): Promise<void> {
  const { store_id, group_id, name, device_id } = presets;
  if (device_id && (store_id || group_id || name)) {
    throw fieldProblem("/device_id", "A replaced player's device keeps its store, group and name; send device_id alone.");
  }
  const row = await db
    .prepare(
      `SELECT EXISTS (SELECT 1 FROM stores WHERE id = ?1 AND archived_at IS NULL) AS store_id, EXISTS (SELECT 1 FROM device_groups WHERE id = ?2) AS group_id,
              EXISTS (SELECT 1 FROM devices WHERE id = ?3) AS device_id`,
    )
    .bind(store_id ?? null, group_id ?? null, device_id ?? null)
    .first<{ store_id: number; group_id: number; device_id: number }>();
  for (const field of ["store_id", "group_id", "device_id"] as const) {
    if (presets[field] && row?.[field] !== 1) throw fieldProblem(`/${field}`, "There is none with this id, or it is archived.");
  }
}
