import { z } from "@hono/zod-openapi";

/**
 * What a group's policy may set. Everything is optional: what is absent is the product's default
 * (`src/plays/policy.ts` for doors, `src/plays/limits.ts` for rates).
 */
export const groupPolicySchema = z
  .strictObject({
    requests_per_minute: z.int().min(1).max(1_000_000).optional(),
    /** Largest age of a play log at a door, in hours; never over seven days. */
    max_age_hours: z
      .strictObject({
        "playback-log": ageHours().optional(),
        impression: ageHours().optional(),
        stream: ageHours().optional(),
        "proof-event": ageHours().optional(),
      })
      .optional(),
    signature: z.enum(["required", "optional"]).optional(),
    /** Whether an unsigned play may be billed, where signatures are optional. */
    unsigned_billable: z.boolean().optional(),
    /** Whether a batch may be signed as a whole (header `Batch-Signature`). */
    batch_signature: z.boolean().optional(),
    storage_cap_bytes: z.int().min(0).optional(),
    heartbeat_interval_s: z.int().min(10).max(3600).optional(),
  })
  .openapi("GroupPolicy");

function ageHours() {
  return z
    .number()
    .positive()
    .max(7 * 24);
}

export type GroupPolicy = z.infer<typeof groupPolicySchema>;
