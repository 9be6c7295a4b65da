import { createRoute, z } from "@hono/zod-openapi";
import { findVisible } from "../audit/changes.ts";
import { idParams } from "../audit/routes.ts";
import { guarded, viewerScope } from "../auth/access.ts";
import { reads, type ViewerScope } from "../auth/principal.ts";
import { deviceResource } from "../devices/devices.ts";
import type { HeartbeatAccount } from "../devices/heartbeat-desk.ts";
import { timeField } from "../platform/fields.ts";
import { createRouter, describeError, responses } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { DAY_MS, HOUR_MS, SECOND_MS, toIso, utcDay } from "../platform/time.ts";

/** The last day of one device, for a first look at it: heard of or not, plays and refusals by the hour. */
export const deviceActivityRoutes = createRouter();

const OBJECT_TIMEOUT_MS = 2 * SECOND_MS;
const HOURS = 24;

const activitySchema = z
  .object({
    from: timeField.meta({ description: "The beginning of the first hour" }),
    to: timeField.meta({ description: "Now" }),
    hours: z.array(
      z.object({
        at: timeField,
        plays_count: z.int().meta({ description: "Recorded plays that started in this hour" }),
        billable_count: z.int(),
        refused_count: z.int().meta({ description: "Records refused in this hour" }),
      }),
    ),
    heartbeats: z
      .object({
        last_at: timeField.nullable(),
        silent: z.boolean(),
        interval_s: z.number(),
        samples: z
          .array(
            z.object({
              at: timeField,
              clock_offset_ms: z.int(),
              disk_used_bytes: z.number(),
              disk_total_bytes: z.number().nullable(),
            }),
          )
          .meta({ description: "One in ten minutes, oldest first" }),
        silences: z.array(z.object({ from: timeField, to: timeField })).meta({ description: "When it was not heard of, and came back" }),
      })
      .nullable()
      .meta({ description: "null: it has never sent a heartbeat, or its object does not answer now." }),
  })
  .openapi("DeviceActivity");

deviceActivityRoutes.openapi(
  createRoute({
    ...guarded(reads(deviceResource.visible)),
    tags: ["Devices"],
    method: "get",
    path: "/v1/admin/devices/{id}/activity",
    summary: "A device's last 24 hours: heartbeats, plays and refusals",
    request: { params: idParams },
    responses: responses(200, "Its last day", activitySchema),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    const scope = viewerScope(c);
    await findVisible(c.env.DB, deviceResource, id, scope);
    const now = Date.now();
    const [hours, account] = await Promise.all([readHours(c.env.DB, id, scope, now), readHeartbeats(c.env, id)]);
    return c.json({ from: toIso(firstHour(now)), to: toIso(now), hours, heartbeats: account && presentAccount(account) }, 200);
  },
);

function firstHour(now: number): number {
  return now - (now % HOUR_MS) - (HOURS - 1) * HOUR_MS;
}

type Hour = z.infer<typeof activitySchema>["hours"][number];

/**
 * Each of the last hours, whether anything was in it or not. Plays are those that are kept as single rows, and keep the supplier that they
 * had, whoever has the device now.
 */
async function readHours(db: D1Database, deviceId: string, scope: ViewerScope | null, now: number): Promise<Hour[]> {
  const from = firstHour(now);
  const supplier = scope === null ? null : "supplier_id" in scope ? scope.supplier_id : "none";
  const starts = Array.from({ length: HOURS }, (_, index) => from + index * HOUR_MS);
  // A store's day may be ahead of UTC's by half a day, and behind it by one.
  const days = [utcDay(from - DAY_MS), utcDay(now + DAY_MS)];
  const [plays, refused] = await db.batch<{ at: number; plays: number; billable: number }>([
    db
      .prepare(
        `SELECT started_at - started_at % ?5 AS at, count(*) AS plays, sum(billable) AS billable FROM proof_of_play_events
         WHERE device_id = ?1 AND last_day >= ?2 AND first_day <= ?3 AND day BETWEEN ?2 AND ?3 AND started_at >= ?4 AND type <> 'PLAY_START'
           AND (?6 IS NULL OR supplier_id = ?6) GROUP BY 1`,
      )
      .bind(deviceId, days[0] ?? "", days[1] ?? "", from, HOUR_MS, supplier),
    db
      .prepare(
        `SELECT r.hour AS at, sum(r.count) AS plays, 0 AS billable FROM json_each(?2) h CROSS JOIN refusals_hourly r
         ON r.hour = h.value AND r.device_id = ?1 GROUP BY 1`,
      )
      .bind(deviceId, JSON.stringify(starts)),
  ]);
  const at = (result: typeof plays, hour: number) => result?.results.find((row) => row.at === hour);
  return starts.map((hour) => ({
    at: toIso(hour),
    plays_count: at(plays, hour)?.plays ?? 0,
    billable_count: at(plays, hour)?.billable ?? 0,
    refused_count: at(refused, hour)?.plays ?? 0,
  }));
}

/** What the device's object knows; null where it does not say. */
async function readHeartbeats(env: Pick<Env, "SEQUENCER">, deviceId: string): Promise<HeartbeatAccount | null> {
  try {
    const asked = env.SEQUENCER.getByName(deviceId).heartbeats() as Promise<HeartbeatAccount | null>;
    return await withTimeout(asked, OBJECT_TIMEOUT_MS, "heartbeats of a device");
  } catch (error) {
    log("warn", "heartbeats not read", { error: describeError(error) });
    return null;
  }
}

function presentAccount({ at, silent, intervalMs, samples, silences }: HeartbeatAccount) {
  return {
    last_at: toIso(at),
    silent,
    interval_s: intervalMs / SECOND_MS,
    samples: samples.map(({ at: when, offset_ms, ...disk }) => ({ at: toIso(when), clock_offset_ms: offset_ms, ...disk })),
    silences: silences.map(({ from, to }) => ({ from: toIso(from), to: toIso(to) })),
  };
}
