import { z } from "zod";
import { WATCHED_TYPES } from "./heartbeat-watch.ts";

const resultSchema = z.object({
  id: z.string(),
  status: z.enum(["done", "failed"]),
  detail: z.record(z.string(), z.unknown()).nullable(),
  at: z.number(),
});

/** What a device reported of a command that it executed, or could not. `at` in ms, by the server's clock. */
export type CommandResult = z.infer<typeof resultSchema>;

/**
 * What a device's object tells D1 through the queue `device-reports`: a whole picture each time, so that one that is lost or comes twice
 * does no harm. Messages outlive deploys: `v` grows with a change that older code cannot read.
 */
export const reportSchema = z.object({
  v: z.literal(1),
  device_id: z.string(),
  /** When the device was last heard of, in ms. */
  at: z.number(),
  /** Whether it has fallen silent since. Then nothing is known of what else is wrong with it. */
  silent: z.boolean(),
  player_version: z.string().nullable(),
  heartbeat: z.record(z.string(), z.unknown()).nullable(),
  findings: z.array(z.object({ type: z.enum(WATCHED_TYPES), details: z.record(z.string(), z.unknown()) })),
  results: z.array(resultSchema),
});

export type DeviceReport = z.infer<typeof reportSchema>;
