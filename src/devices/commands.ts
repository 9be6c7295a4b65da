import { z } from "@hono/zod-openapi";
import { HOUR_MS } from "../platform/time.ts";

/** How long a command waits for its device where the request does not say, and at most. */
export const COMMAND_LIFETIME_MS = 24 * HOUR_MS;
export const COMMAND_LIFETIME_MAX_S = 7 * 24 * 3600;
/** Commands that may wait for one device. */
export const MAX_WAITING_COMMANDS = 20;

const none = z.strictObject({}).default({});
const volume = z.strictObject({ level: z.int().min(0).max(100).meta({ description: "Percent" }) });
const release = z.strictObject({
  version: z.string().trim().min(1).max(64).optional().meta({ description: "Without it: the newest that the player knows of." }),
});

const lifetime = {
  expires_in_s: z.int().min(60).max(COMMAND_LIFETIME_MAX_S).optional().meta({ description: "How long it waits; a day without it." }),
};

/** What a player can be told to do. */
export const commandSchema = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("reboot"), params: none, ...lifetime }),
    z.strictObject({ type: z.literal("refresh_plan"), params: none, ...lifetime }),
    z.strictObject({ type: z.literal("screenshot"), params: none, ...lifetime }),
    z.strictObject({ type: z.literal("set_volume"), params: volume, ...lifetime }),
    z.strictObject({ type: z.literal("clear_cache"), params: none, ...lifetime }),
    z.strictObject({ type: z.literal("update"), params: release.default({}), ...lifetime }),
  ])
  .openapi("DeviceCommandCreate");

export const COMMAND_TYPES = ["reboot", "refresh_plan", "screenshot", "set_volume", "clear_cache", "update"] as const;
export const COMMAND_STATUSES = ["waiting", "done", "failed", "expired", "cancelled"] as const;
export type CommandType = (typeof COMMAND_TYPES)[number];

/** A command that waits for its device, as the device's object holds it. Times in ms. */
export interface OpenCommand {
  id: string;
  type: CommandType;
  params: Record<string, unknown>;
  createdAt: number;
  expiresAt: number;
}

/** Its row, as far as the object needs it. */
export interface WaitingRow {
  id: string;
  type: CommandType;
  params_json: string;
  created_at: number;
  expires_at: number;
}

/** Reads the commands that wait for a device, oldest first. */
export function openCommandsStatement(db: D1Database, deviceId: string, now: number): D1PreparedStatement {
  return db
    .prepare(
      `SELECT id, type, params_json, created_at, expires_at FROM device_commands
       WHERE status = 'waiting' AND device_id = ? AND expires_at > ? ORDER BY id LIMIT ${MAX_WAITING_COMMANDS}`,
    )
    .bind(deviceId, now);
}

export function openCommand(row: WaitingRow): OpenCommand {
  const { id, type, params_json, created_at: createdAt, expires_at: expiresAt } = row;
  return { id, type, params: JSON.parse(params_json) as Record<string, unknown>, createdAt, expiresAt };
}

/** The commands that a heartbeat's answer carries: all that wait, until their results come. Pure. */
export function dueCommands(commands: readonly OpenCommand[], settled: readonly string[], now: number): OpenCommand[] {
  return commands.filter(({ id, expiresAt }) => expiresAt > now && !settled.includes(id));
}

/** Marks commands that nobody fetched in time. For cron. Returns how many. */
export async function expireCommands(db: D1Database, now: number): Promise<number> {
  const { meta } = await db
    .prepare("UPDATE device_commands SET status = 'expired', settled_at = ?1 WHERE status = 'waiting' AND expires_at <= ?1")
    .bind(now)
    .run();
  return meta.changes;
}
