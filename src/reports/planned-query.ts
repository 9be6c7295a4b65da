import { z } from "@hono/zod-openapi";
import {
  type GroupKey,
  groupBySchema,
  pageParameters,
  type QueryFault,
  type ReportPageQuery,
  type ReportQuery,
  reportPageQuery,
  wholeParameters,
  wholeReportQuery,
} from "./query.ts";

/** What planned against played is grouped by: a plan knows neither content nor status of a play that is to come. */
export const PLANNED_GROUPS = ["day", "device", "campaign", "store", "supplier"] as const satisfies readonly GroupKey[];

const { from, to, campaign_id, store_id, supplier_id, device_id, totals } = wholeParameters;
const group_by = groupBySchema(PLANNED_GROUPS);

/** Up to which day by default: one that has hardly begun anywhere is planned as a whole, and would make what was played look like little. */
const TODAY_IN_UTC = 0;

/** The query parameters of the whole report (CSV). Unknown ones are refused by name. */
export const wholePlannedParameters = z.strictObject({
  from,
  to: to.meta({ description: "Last day, included. Default: today (UTC).", example: "2026-11-30" }),
  group_by,
  campaign_id,
  store_id,
  supplier_id,
  device_id,
  totals,
});

/** The query parameters of a report in pages. */
export const plannedPageParameters = z.strictObject({ ...wholePlannedParameters.shape, ...pageParameters });

/** The report that parameters ask for at `now` (ms), with the defaults filled in. */
export function wholePlannedQuery(
  parameters: z.infer<typeof wholePlannedParameters>,
  now: number,
): { ok: true; query: ReportQuery } | QueryFault {
  return checked(wholeReportQuery(parameters, now, TODAY_IN_UTC));
}

/** The page that parameters ask for. A cursor keeps the range that the first page defaulted to, also over midnight. */
export function plannedPageQuery(
  parameters: z.infer<typeof plannedPageParameters>,
  now: number,
): { ok: true; query: ReportPageQuery } | QueryFault {
  const asked = checked(reportPageQuery(parameters, now, TODAY_IN_UTC));
  if (!asked.ok) return asked;
  const { after, groupBy, from, to } = asked.query;
  const day = after?.[groupBy.indexOf("day")];
  // The reading goes on from that day.
  if (day !== undefined && groupBy[0] === "day" && !(z.iso.date().safeParse(day).success && day >= from && day <= to)) {
    return { ok: false, parameter: "cursor", detail: "is not one of ours" };
  }
  return asked;
}

/** A network's devices are read a few at a time, in the order of the rows: so they lead the groups, or stand behind the day. */
function checked<Query extends ReportQuery>(asked: { ok: true; query: Query } | QueryFault): { ok: true; query: Query } | QueryFault {
  if (!asked.ok) return asked;
  const { groupBy, filters } = asked.query;
  const place = groupBy.indexOf("device");
  if (place < 1 || (place === 1 && groupBy[0] === "day") || filters.device_id) return asked;
  return { ok: false, parameter: "group_by", detail: "device comes first, or second behind day, unless device_id says which devices" };
}
