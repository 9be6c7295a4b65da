import { createRoute, z } from "@hono/zod-openapi";
import { guarded, viewerScope } from "../auth/access.ts";
import { reads, type ViewerScope } from "../auth/principal.ts";
import { timedQuery } from "../monitoring/timings.ts";
import { CSV_TYPE } from "../platform/csv.ts";
import { Problem } from "../platform/errors.ts";
import { createRouter, problemSchema, responses } from "../platform/http.ts";
import { eventRowsKeptFrom } from "../plays/ledger/retain.ts";
import { reportCsv } from "./csv.ts";
import { readReport } from "./proof-of-play.ts";
import {
  GROUP_COLUMNS,
  type GroupKey,
  type QueryFault,
  type ReportQuery,
  reportPageParameters,
  reportPageQuery,
  wholeReportParameters,
  wholeReportQuery,
} from "./query.ts";
import { reportVisible, scopedFilters } from "./scope.ts";
import { chooseSource, type ReportSource } from "./source.ts";

const id = z.string().nullable().optional();
const name = z.string().nullable().optional();
const count = z.int().min(0);

const rowSchema = z
  .object({
    day: z.string().optional(),
    campaign_id: id.openapi({ description: "null: filler, played without a campaign." }),
    campaign_name: name,
    ad_group_id: id,
    ad_group_name: name,
    store_id: id,
    store_name: name,
    supplier_id: id,
    supplier_name: name,
    content_id: id,
    content_name: name,
    device_id: id,
    device_name: name,
    status: z.enum(["COMPLETED", "PARTIAL", "SKIPPED", "INTERRUPTED", "ERROR"]).optional(),
    plays_count: count.openapi({ description: "Accepted plays of any status." }),
    completed_count: count.optional(),
    partial_count: count.optional(),
    skipped_count: count.optional(),
    interrupted_count: count.optional(),
    error_count: count.optional(),
    billable_count: count,
    starts_count: count.optional().openapi({ description: "Reported starts; a start is not a play." }),
    total_duration_ms: count
      .nullable()
      .openapi({ description: "null by status, unless source is events: the aggregates keep no duration by status." }),
  })
  .openapi("ProofOfPlayRow");

const totalsSchema = rowSchema
  .pick({
    plays_count: true,
    completed_count: true,
    partial_count: true,
    skipped_count: true,
    interrupted_count: true,
    error_count: true,
    billable_count: true,
    starts_count: true,
  })
  .extend({ total_duration_ms: count });

const reportSchema = z
  .object({
    source: z.enum(["aggregates", "events", "device_activity"]).openapi({
      description:
        "What was read. aggregates: sums, for as long as the product runs. events: single plays, for questions by device inside the hot window. device_activity: sums by device and day, beyond it: plays, billable and duration only.",
    }),
    generated_at: z.iso.datetime(),
    from: z.iso.date(),
    to: z.iso.date(),
    group_by: z.array(z.enum(Object.keys(GROUP_COLUMNS) as [GroupKey, ...GroupKey[]])),
    items: z.array(rowSchema),
    next_cursor: z.string().nullable(),
    totals: totalsSchema.optional(),
  })
  .openapi("ProofOfPlayReport");

const reading = { ...guarded(reads(reportVisible)), tags: ["Reports"] };

const reportRoute = createRoute({
  ...reading,
  middleware: [...reading.middleware, timedQuery("proof_of_play")],
  method: "get",
  path: "/v1/admin/reports/proof-of-play",
  summary: "Proof of play",
  description:
    "Plays summed up by any groups. Right as of the moment of the request: what was recorded before is in it, once. A page and its totals are of one state.",
  request: { query: reportPageParameters },
  responses: responses(200, "A page of the report", reportSchema),
});

const csvRoute = createRoute({
  ...reading,
  method: "get",
  path: "/v1/admin/reports/proof-of-play.csv",
  summary: "Proof of play as CSV",
  description:
    "The whole report, streamed (RFC 4180, UTF-8, CRLF). Text cells that begin with = + - @ tab or CR get a leading apostrophe, so that no spreadsheet runs them. With totals=true the last line sums up the file's own rows: its first cell is `total` where the whole file is of one state (always so up to 10,000 rows, but for groups that are led by day and go across both stores and campaigns or contents), and says so where plays were recorded while a longer file was written; then each row stands once, at some moment of the download, and nothing recorded before it began is missing.",
  request: { query: wholeReportParameters },
  responses: {
    200: { description: "The report", content: { "text/csv": { schema: z.string() } } },
    default: { description: "A problem (RFC 9457)", content: { "application/problem+json": { schema: problemSchema } } },
  },
});

/** The proof-of-play report, as JSON pages and as one CSV file. */
export const reports = createRouter()
  .openapi(reportRoute, async (c) => {
    const now = Date.now();
    const asked = reportPageQuery(c.req.valid("query"), now);
    if (!asked.ok) throw queryProblem(asked);
    const scope = viewerScope(c);
    const query = { ...asked.query, filters: await scopedFilters(c.env.DB, asked.query.filters, scope) };
    const report = await readReport(c.env.DB, query, await sourceFor(query, scope, now, c.env), now);
    c.header("Cache-Control", "no-store");
    return c.json(report as unknown as z.infer<typeof reportSchema>, 200);
  })
  .openapi(csvRoute, async (c) => {
    const now = Date.now();
    const asked = wholeReportQuery(c.req.valid("query"), now);
    if (!asked.ok) throw queryProblem(asked);
    const scope = viewerScope(c);
    const query = { ...asked.query, filters: await scopedFilters(c.env.DB, asked.query.filters, scope) };
    const stream = await reportCsv(c.env.DB, query, await sourceFor(query, scope, now, c.env));
    return c.body(stream, 200, {
      "Content-Type": CSV_TYPE,
      "Content-Disposition": `attachment; filename="proof-of-play_${query.from}_${query.to}.csv"`,
      "Cache-Control": "no-store",
    });
  });

/** The answer to a fault of the query. */
export function queryProblem({ parameter, detail }: QueryFault): Problem {
  return new Problem("validation-error", `/${parameter}: ${detail}`, { errors: [{ pointer: `/${parameter}`, detail }] });
}

/** Where a report's plays are read from. @throws Problem `unprocessable` (422, BEYOND_HOT_WINDOW) for a question that the database cannot answer any more. */
export async function sourceFor(query: ReportQuery, scope: ViewerScope | null, now: number, env: Env): Promise<ReportSource> {
  const days = eventRowsDays(env);
  const byAge = chooseSource(query, now, days);
  // Where the database was too large, single plays went before their time.
  const choice = byAge.ok && byAge.source === "events" ? chooseSource(query, now, days, await eventRowsKeptFrom(env.DB)) : byAge;
  if (choice.ok) return choice.source;
  const kept =
    choice.hotFrom === null
      ? "Single plays are not kept in the database"
      : `Single plays are kept in the database from ${choice.hotFrom} on`;
  if (scope !== null) {
    throw new Problem("unprocessable", `${kept}; what came before cannot be told by device to who sees only a part of the network.`, {
      code: "BEYOND_HOT_WINDOW",
      extra: { hot_from: choice.hotFrom },
    });
  }
  throw new Problem(
    "unprocessable",
    `${kept}; before that, a device's plays are known by device and day alone. Group by device and day, with no filter but device_id, or read the archive: the Parquet files under plays/dt=YYYY-MM-DD/ hold every play.`,
    { code: "BEYOND_HOT_WINDOW", extra: { hot_from: choice.hotFrom, archive: "plays/dt=YYYY-MM-DD/*.parquet" } },
  );
}

/** How many days single plays are kept, today included. */
export function eventRowsDays(env: Env): number {
  const days = Number(env.EVENT_ROWS_DAYS);
  if (!Number.isInteger(days) || days < 0) throw new Error(`EVENT_ROWS_DAYS is no number of days: ${env.EVENT_ROWS_DAYS}`);
  return days;
}
