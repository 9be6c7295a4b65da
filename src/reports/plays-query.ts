import { z } from "@hono/zod-openapi";
import { dayField } from "../platform/fields.ts";
import { pageQuery } from "../platform/paging.ts";
import type { ArchiveRow } from "../plays/archive/segment.ts";
import { PLAY_STATUSES, type PlayStatus } from "../plays/play.ts";
import { FILTER_COLUMNS, type ReportFilters, wholeParameters } from "./query.ts";

/** Which plays: a day and what a report can be narrowed by, so that the plays behind each of its figures can be asked for. */
export interface PlaysQuery {
  day: string;
  filters: ReportFilters;
  status: PlayStatus | null;
  billable: boolean | null;
}

const { campaign_id, ad_group_id, store_id, supplier_id, device_id, content_id } = wholeParameters;

/** The query parameters of the plays behind a figure. */
export const playsParameters = z.strictObject({
  day: dayField.meta({ description: "The store's day that they count for, as in reports", example: "2026-11-01" }),
  campaign_id,
  ad_group_id,
  store_id,
  supplier_id,
  device_id,
  content_id,
  status: z.enum(PLAY_STATUSES).optional(),
  billable: z.enum(["true", "false"]).optional(),
  source: z
    .enum(["archive"])
    .optional()
    .meta({ description: "archive: read there, though single plays of the day are still in the database." }),
  ...pageQuery,
});

/** The plays that parameters ask for. Pure. */
export function playsQuery(parameters: z.infer<typeof playsParameters>): PlaysQuery {
  const filters: ReportFilters = {};
  for (const column of FILTER_COLUMNS) {
    const values = parameters[column];
    if (values) filters[column] = [...new Set(values)];
  }
  const { day, status = null, billable } = parameters;
  return { day, filters, status, billable: billable === undefined ? null : billable === "true" };
}

/** Whether an archived row is one of the plays asked for; a start is none. Pure. */
export function isAskedFor({ day, filters, status, billable }: PlaysQuery, { play, deviceId }: ArchiveRow): boolean {
  if (play.type === "PLAY_START" || play.day !== day) return false;
  if (status !== null && play.result !== status) return false;
  if (billable !== null && (play.billable === 1) !== billable) return false;
  return FILTER_COLUMNS.every((column) => {
    const allowed = filters[column];
    return allowed === undefined || allowed.includes(column === "device_id" ? deviceId : play[column]);
  });
}
