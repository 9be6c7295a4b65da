import { createRoute, z } from "@hono/zod-openapi";
import { guarded, viewerScope } from "../auth/access.ts";
import { reads, type ViewerScope } from "../auth/principal.ts";
import { timedQuery } from "../monitoring/timings.ts";
import { CSV_TYPE } from "../platform/csv.ts";
import { createRouter, problemSchema, responses } from "../platform/http.ts";
import { readPlanned } from "./planned.ts";
import { plannedCsv } from "./planned-csv.ts";
import { PLANNED_GROUPS, plannedPageParameters, plannedPageQuery, wholePlannedParameters, wholePlannedQuery } from "./planned-query.ts";
import type { ReportQuery } from "./query.ts";
import { queryProblem, sourceFor } from "./routes.ts";
import { reportVisible, scopedFilters } from "./scope.ts";
import { byDeviceAndDay, type ReportSource } from "./source.ts";

const key = z.string().nullable().optional();
const count = z.int().min(0);

const figuresSchema = z.object({
  planned_plays: count.nullable().openapi({
    description: "Plays that start in the plan's time. null: no plan stood, so nothing is known; 0: one stood, and had nothing of this.",
  }),
  planned_ms: count.nullable(),
  played_plays: count.openapi({ description: "Accepted plays of any status." }),
  completed: count.nullable().openapi({ description: "null where source is device_activity: by device and day alone." }),
  billable_plays: count,
  played_ms: count,
  delivery: z
    .number()
    .min(0)
    .nullable()
    .openapi({ description: "played_plays / planned_plays, to four places; null where none was planned." }),
});

const rowSchema = z
  .object({
    day: z.string().optional(),
    device_id: key,
    device_name: key,
    campaign_id: key.openapi({ description: "null: filler, and messages of takeovers." }),
    campaign_name: key,
    store_id: key,
    store_name: key,
    supplier_id: key,
    supplier_name: key,
  })
  .extend(figuresSchema.shape)
  .openapi("PlannedRow");

const reportSchema = z
  .object({
    source: z.enum(["aggregates", "events", "device_activity"]).openapi({ description: "Where the plays were read, as of proof of play." }),
    generated_at: z.iso.datetime(),
    from: z.iso.date(),
    to: z.iso.date(),
    group_by: z.array(z.enum(PLANNED_GROUPS)),
    items: z.array(rowSchema),
    next_cursor: z.string().nullable().openapi({ description: "Follow it to null: a page may hold fewer rows than asked for, even none." }),
    totals: figuresSchema.optional(),
  })
  .openapi("PlannedReport");

const reading = { ...guarded(reads(reportVisible)), tags: ["Reports"] };

const reportRoute = createRoute({
  ...reading,
  middleware: [...reading.middleware, timedQuery("planned")],
  method: "get",
  path: "/v1/admin/reports/planned",
  summary: "Planned against played",
  description:
    "What devices were told to play, and what they played. A plan that is replaced counts for what was before, the new one from then on; a device that asks for no plan has one for 72 hours at least. A day counts whole: today's plan too. By device and campaign, plays are known inside the hot window of single plays; beyond it the answer is 422. Kept for 400 days.",
  request: { query: plannedPageParameters },
  responses: responses(200, "A page of the report", reportSchema),
});

const csvRoute = createRoute({
  ...reading,
  method: "get",
  path: "/v1/admin/reports/planned.csv",
  summary: "Planned against played as CSV",
  description:
    "The whole report, streamed (RFC 4180, UTF-8, CRLF). Text cells that begin with = + - @ tab or CR get a leading apostrophe, so that no spreadsheet runs them; null is an empty cell. With totals=true the last line sums up the file's own rows.",
  request: { query: wholePlannedParameters },
  responses: {
    200: { description: "The report", content: { "text/csv": { schema: z.string() } } },
    default: { description: "A problem (RFC 9457)", content: { "application/problem+json": { schema: problemSchema } } },
  },
});

/** The report of planned against played, as JSON pages and as one CSV file. */
export const plannedReports = createRouter()
  .openapi(reportRoute, async (c) => {
    const now = Date.now();
    const asked = plannedPageQuery(c.req.valid("query"), now);
    if (!asked.ok) throw queryProblem(asked);
    const scope = viewerScope(c);
    const query = { ...asked.query, filters: await scopedFilters(c.env.DB, asked.query.filters, scope) };
    const report = await readPlanned(c.env.DB, query, await plannedSource(query, scope, now, c.env), now);
    c.header("Cache-Control", "no-store");
    return c.json(report as unknown as z.infer<typeof reportSchema>, 200);
  })
  .openapi(csvRoute, async (c) => {
    const now = Date.now();
    const asked = wholePlannedQuery(c.req.valid("query"), now);
    if (!asked.ok) throw queryProblem(asked);
    const scope = viewerScope(c);
    const query = { ...asked.query, filters: await scopedFilters(c.env.DB, asked.query.filters, scope) };
    const stream = await plannedCsv(c.env.DB, query, await plannedSource(query, scope, now, c.env));
    return c.body(stream, 200, {
      "Content-Type": CSV_TYPE,
      "Content-Disposition": `attachment; filename="planned_${query.from}_${query.to}.csv"`,
      "Cache-Control": "no-store",
    });
  });

/**
 * Where plays are read from: as proof of play does, but by device and day always from the sums by device and day. A network's single
 * plays of a month are too many to be read for what sums tell. @throws Problem `unprocessable` (422, BEYOND_HOT_WINDOW)
 */
async function plannedSource(query: ReportQuery, scope: ViewerScope | null, now: number, env: Env): Promise<ReportSource> {
  const ofDevices = query.groupBy.includes("device") || query.filters.device_id !== undefined;
  return ofDevices && byDeviceAndDay(query) ? "device_activity" : await sourceFor(query, scope, now, env);
}
