import { createRoute, z } from "@hono/zod-openapi";
import { guarded } from "../../auth/access.ts";
import { reads } from "../../auth/principal.ts";
import { timeField } from "../../platform/fields.ts";
import { createRouter, responses } from "../../platform/http.ts";
import { HOUR_MS, toIso } from "../../platform/time.ts";
import { REJECTIONS, type RejectionCode } from "../rejection.ts";

/** What was refused lately in the whole network, and why. */
export const refusalRoutes = createRouter();

const MAX_HOURS = 168;
const LISTED_DEVICES = 5;

const refusalsSchema = z
  .object({
    from: timeField,
    to: timeField,
    items: z.array(
      z.object({
        code: z.string(),
        error: z.string().nullable().meta({ description: "What the code means" }),
        retryable: z.boolean(),
        count: z.int(),
        doors: z.array(z.string()),
        devices: z.int().meta({ description: "How many devices sent such records" }),
        most: z
          .array(z.object({ device_id: z.string(), device_name: z.string().nullable(), count: z.int() }))
          .meta({ description: `The ${LISTED_DEVICES} devices that sent the most of them` }),
      }),
    ),
    hours: z.array(z.object({ at: timeField, count: z.int() })).meta({ description: "Each hour, also those in which nothing was refused" }),
  })
  .openapi("Refusals");

refusalRoutes.openapi(
  createRoute({
    ...guarded(reads({})),
    tags: ["Pipeline"],
    method: "get",
    path: "/v1/admin/pipeline/refusals",
    summary: "Records refused lately, by reason",
    request: { query: z.strictObject({ hours: z.coerce.number().int().min(1).max(MAX_HOURS).default(24) }) },
    responses: responses(200, "Counts by code, the most first, and by hour", refusalsSchema),
  }),
  async (c) => c.json(await readRefusals(c.env.DB, c.req.valid("query").hours, Date.now()), 200),
);

interface CodeRow {
  code: string;
  device_id: string;
  device_name: string | null;
  door: string;
  count: number;
}

/** Counts of the last `hours` hours, this one included. @param now ms since 1970 */
export async function readRefusals(db: D1Database, hours: number, now: number): Promise<z.infer<typeof refusalsSchema>> {
  const from = now - (now % HOUR_MS) - (hours - 1) * HOUR_MS;
  const [byCode, byHour] = await db.batch<CodeRow & { hour: number }>([
    db
      .prepare(
        `SELECT r.code, r.device_id, d.external_name AS device_name, r.door, sum(r.count) AS count FROM refusals_hourly r
         LEFT JOIN devices d ON d.id = r.device_id WHERE r.hour >= ? GROUP BY r.code, r.device_id, r.door`,
      )
      .bind(from),
    db.prepare("SELECT hour, sum(count) AS count FROM refusals_hourly WHERE hour >= ? GROUP BY hour").bind(from),
  ]);
  const counts = new Map((byHour?.results ?? []).map(({ hour, count }) => [hour, count]));
  return {
    from: toIso(from),
    to: toIso(now),
    items: summed(byCode?.results ?? []),
    hours: Array.from({ length: hours }, (_, index) => {
      const at = from + index * HOUR_MS;
      return { at: toIso(at), count: counts.get(at) ?? 0 };
    }),
  };
}

/** Rows by code, device and door, as one entry for each code. Pure. */
function summed(rows: CodeRow[]): z.infer<typeof refusalsSchema>["items"] {
  const total = (some: CodeRow[]) => some.reduce((sum, { count }) => sum + count, 0);
  return [...Map.groupBy(rows, ({ code }) => code)]
    .map(([code, ofCode]) => {
      const known = code in REJECTIONS ? REJECTIONS[code as RejectionCode] : null;
      const devices = [...Map.groupBy(ofCode, ({ device_id }) => device_id)].map(([device_id, some]) => ({
        device_id,
        device_name: some[0]?.device_name ?? null,
        count: total(some),
      }));
      devices.sort((a, b) => b.count - a.count || (a.device_id < b.device_id ? -1 : 1));
      return {
        code,
        error: known?.error ?? null,
        retryable: known?.retryable ?? false,
        count: total(ofCode),
        doors: [...new Set(ofCode.map(({ door }) => door))].sort(),
        devices: devices.length,
        most: devices.slice(0, LISTED_DEVICES),
      };
    })
    .sort((a, b) => b.count - a.count || (a.code < b.code ? -1 : 1));
}
