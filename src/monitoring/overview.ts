import { createRoute, z } from "@hono/zod-openapi";
import { guarded, viewerScope } from "../auth/access.ts";
import { reads, type ViewerScope } from "../auth/principal.ts";
import { deviceVisible } from "../devices/visible.ts";
import { timeField } from "../platform/fields.ts";
import { createRouter, responses } from "../platform/http.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, toIso } from "../platform/time.ts";

/** The network at a glance. */
export const overviewRoutes = createRouter();

const MINUTES = 60;

const overviewSchema = z
  .object({
    generated_at: timeField,
    devices: z
      .object({
        online: z.int(),
        offline: z.int().meta({ description: "Paired, and fallen silent" }),
        never_seen: z.int().meta({ description: "Paired, and has sent no heartbeat yet" }),
        unpaired: z.int(),
        revoked: z.int(),
      })
      .meta({ description: "How many there are of each" }),
    minutes: z
      .array(z.object({ at: timeField, plays_count: z.int() }))
      .nullable()
      .meta({ description: "Plays by the minute in which they were recorded, the last hour's. null to a viewer of one supplier." }),
    refused: z
      .array(z.object({ code: z.string(), count: z.int(), devices: z.int() }))
      .meta({ description: "What was refused in the last 24 hours, by code, the most first" }),
    incidents: z
      .object({ high: z.int(), medium: z.int(), low: z.int(), unacknowledged: z.int() })
      .meta({ description: "Those that are open" }),
  })
  .openapi("Overview");

type Overview = z.infer<typeof overviewSchema>;

overviewRoutes.openapi(
  createRoute({
    ...guarded(reads(deviceVisible)),
    tags: ["Incidents"],
    method: "get",
    path: "/v1/admin/overview",
    summary: "Devices, plays a minute, what is refused, open incidents",
    responses: responses(200, "The network at a glance", overviewSchema),
  }),
  async (c) => c.json(await readOverview(c.env.DB, viewerScope(c), Date.now()), 200),
);

/** Reads all of it as of one moment. @param now ms since 1970 */
export async function readOverview(db: D1Database, scope: ViewerScope | null, now: number): Promise<Overview> {
  const supplier = scope !== null && "supplier_id" in scope ? scope.supplier_id : null;
  const own = (column: string) =>
    `(?1 IS NULL OR ${column} IN (SELECT d.id FROM devices d JOIN stores s ON s.id = d.store_id WHERE s.supplier_id = ?1))`;
  const [devices, incidents, refused, segments] = await db.batch<Record<string, number | string | null>>([
    db
      .prepare(
        `SELECT CASE WHEN status <> 'active' THEN status WHEN offline_at IS NOT NULL THEN 'offline' WHEN last_seen_at IS NULL THEN 'never_seen'
           ELSE 'online' END AS state, count(*) AS count FROM devices WHERE ${own("id")} GROUP BY 1`,
      )
      .bind(supplier),
    db
      .prepare(
        `SELECT severity, count(*) AS count, sum(acknowledged_at IS NULL) AS unacknowledged FROM incidents
         WHERE resolved_at IS NULL AND ${own("device_id")} GROUP BY 1`,
      )
      .bind(supplier),
    db
      .prepare(
        `SELECT code, sum(count) AS count, count(DISTINCT device_id) AS devices FROM refusals_hourly
         WHERE hour > ?2 AND ${own("device_id")} GROUP BY 1 ORDER BY 2 DESC, 1`,
      )
      .bind(supplier, now - DAY_MS - HOUR_MS),
    // By their ids, which begin with the time at which they were made: no index stands on the times themselves.
    db
      .prepare(
        `SELECT recorded_at - recorded_at % ?3 AS at, sum(plays_count) AS count FROM segments
         WHERE ?1 IS NULL AND id >= ?2 AND recorded_at >= ?4 GROUP BY 1`,
      )
      .bind(supplier, idFrom(firstMinute(now) - HOUR_MS), MINUTE_MS, firstMinute(now)),
  ]);
  const rows = (result: typeof devices) => result?.results ?? [];
  const countOf = (result: typeof devices, name: string, value: string) =>
    Number(rows(result).find((row) => row[name] === value)?.count ?? 0);
  return {
    generated_at: toIso(now),
    devices: {
      online: countOf(devices, "state", "online"),
      offline: countOf(devices, "state", "offline"),
      never_seen: countOf(devices, "state", "never_seen"),
      unpaired: countOf(devices, "state", "unpaired"),
      revoked: countOf(devices, "state", "revoked"),
    },
    minutes: supplier === null ? minutesOf(rows(segments), now) : null,
    refused: rows(refused).map((row) => ({ code: String(row.code), count: Number(row.count), devices: Number(row.devices) })),
    incidents: {
      high: countOf(incidents, "severity", "high"),
      medium: countOf(incidents, "severity", "medium"),
      low: countOf(incidents, "severity", "low"),
      unacknowledged: rows(incidents).reduce((sum, row) => sum + Number(row.unacknowledged), 0),
    },
  };
}

/** The beginning of the first of the minutes that are told, the last of which has just ended. */
function firstMinute(now: number): number {
  return now - (now % MINUTE_MS) - MINUTES * MINUTE_MS;
}

function minutesOf(rows: Record<string, number | string | null>[], now: number): { at: string; plays_count: number }[] {
  return Array.from({ length: MINUTES }, (_, index) => {
    const at = firstMinute(now) + index * MINUTE_MS;
    return { at: toIso(at), plays_count: Number(rows.find((row) => row.at === at)?.count ?? 0) };
  });
}

/** The least UUID v7 (RFC 9562) of an instant. */
function idFrom(ms: number): string {
  const hex = ms.toString(16).padStart(12, "0");
  return `${hex.slice(0, 8)}-${hex.slice(8)}`;
}
