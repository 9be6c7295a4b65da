import { z } from "@hono/zod-openapi";
import { DAY_MS, HOUR_MS, utcDay } from "../platform/time.ts";

/** What a report groups by, and the column that each key is. */
export const GROUP_COLUMNS = {
  day: "day",
  campaign: "campaign_id",
  ad_group: "ad_group_id",
  store: "store_id",
  supplier: "supplier_id",
  content: "content_id",
  device: "device_id",
  status: "status",
} as const;

export type GroupKey = keyof typeof GROUP_COLUMNS;
const GROUP_KEYS = Object.keys(GROUP_COLUMNS) as GroupKey[];

/** The columns that a report can be narrowed by. */
export const FILTER_COLUMNS = ["campaign_id", "ad_group_id", "store_id", "supplier_id", "device_id", "content_id"] as const;
export type FilterColumn = (typeof FILTER_COLUMNS)[number];
export type ReportFilters = Partial<Record<FilterColumn, string[]>>;

const RANGE_MAX_DAYS = 400;
const RANGE_DEFAULT_DAYS = 7;
/** Days are the stores' own: where clocks are furthest ahead of UTC, a day begins so much earlier. */
const MOST_AHEAD_MS = 14 * HOUR_MS;
const FILTER_VALUES_MAX = 100;
const PAGE_ROWS_DEFAULT = 100;
export const PAGE_ROWS_MAX = 1000;
const CURSOR_MAX_CHARS = 2000;

/** A report as asked for: days `YYYY-MM-DD`, both ends included; an absent id is `''`. */
export interface ReportQuery {
  from: string;
  to: string;
  groupBy: GroupKey[];
  filters: ReportFilters;
  totals: boolean;
}

/** Where a page goes on: behind the row with these values of the group's columns, in their order. */
export type GroupPosition = string[];

export interface ReportPageQuery extends ReportQuery {
  limit: number;
  after: GroupPosition | null;
}

const daySchema = (description: string, example: string) =>
  z.iso.date("must be a day, as YYYY-MM-DD").optional().openapi({ description, example });

const ID_OR_NONE = /^(none|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** One id or several (the parameter repeats); `none` is the absent one. */
function idsSchema(description: string) {
  const id = z
    .string()
    .toLowerCase()
    .regex(ID_OR_NONE, "must be a UUID, or none")
    .transform((text) => (text === "none" ? "" : text));
  return z
    .preprocess(
      (value) => (value === undefined || Array.isArray(value) ? value : [value]),
      z.array(id).max(FILTER_VALUES_MAX, `may repeat ${FILTER_VALUES_MAX} times at most`).optional(),
    )
    .openapi({ description, type: "array", items: { type: "string" }, param: { style: "form", explode: true } });
}

/** The groups of a report, of those allowed. */
export function groupBySchema(allowed: readonly GroupKey[]) {
  const isAllowed = (key: string): key is GroupKey => (allowed as readonly string[]).includes(key);
  return z
    .string()
    .default("day")
    .transform((text, context) => {
      const keys = text.split(",");
      const unknown = keys.filter((key) => !isAllowed(key));
      if (unknown.length > 0) {
        context.addIssue({ code: "custom", message: `"${unknown[0]}" is no group; allowed are ${allowed.join(", ")}` });
      } else if (new Set(keys).size < keys.length) context.addIssue({ code: "custom", message: "names a group twice" });
      return keys.filter(isAllowed);
    })
    .openapi({
      type: "string",
      description: `Comma list of ${allowed.join(", ")}. Rows are sorted by these, in this order.`,
      example: "day,campaign",
    });
}

/** The parameters that reports share. */
export const wholeParameters = {
  from: daySchema(
    `First day, as the stores' calendars had it when the play was accepted. Without from and to: the last ${RANGE_DEFAULT_DAYS} days, today included. ${RANGE_MAX_DAYS} days at most.`,
    "2026-11-01",
  ),
  to: daySchema("Last day, included. Default: today, where it began first.", "2026-11-30"),
  group_by: groupBySchema(GROUP_KEYS),
  campaign_id: idsSchema("Only this campaign; repeat it for several; `none` is filler."),
  ad_group_id: idsSchema("Only this ad group; repeats; `none`: plays without one."),
  store_id: idsSchema("Only this store; repeats; `none`: plays of devices that had none."),
  supplier_id: idsSchema("Only this supplier; repeats; `none`: plays of devices without a store."),
  device_id: idsSchema("Only this device; repeats."),
  content_id: idsSchema("Only this content; repeats."),
  totals: z
    .enum(["true", "false"])
    .default("false")
    .openapi({ description: "true adds the sums of the whole range, which do not depend on the page." }),
};

/** The query parameters of the whole report (CSV). Unknown ones are refused by name. */
export const wholeReportParameters = z.strictObject(wholeParameters);

/** The parameters that say which page. */
export const pageParameters = {
  limit: z.coerce.number().int().min(1).max(PAGE_ROWS_MAX).default(PAGE_ROWS_DEFAULT).openapi({ description: "Rows a page." }),
  cursor: z
    .string()
    .max(CURSOR_MAX_CHARS)
    .optional()
    .openapi({ description: "`next_cursor` of the page before, with the same parameters." }),
};

/** The query parameters of a report in pages. */
export const reportPageParameters = z.strictObject({ ...wholeParameters, ...pageParameters });

type WholeParameters = z.infer<typeof wholeReportParameters>;
type PageParameters = z.infer<typeof reportPageParameters>;

/** A fault of the query that concerns more than one parameter; `parameter` is the one to mend. */
export interface QueryFault {
  ok: false;
  parameter: string;
  detail: string;
}

/**
 * The report that parameters ask for at `now` (ms), with the defaults filled in: up to the latest day that has begun in any zone, or where
 * clocks are `aheadMs` ahead of UTC.
 */
export function wholeReportQuery(
  parameters: WholeParameters,
  now: number,
  aheadMs = MOST_AHEAD_MS,
): { ok: true; query: ReportQuery } | QueryFault {
  const range = rangeOf(parameters.from, parameters.to, now, aheadMs);
  if (!range.ok) return range;
  const filters: ReportFilters = {};
  for (const column of FILTER_COLUMNS) {
    const values = parameters[column];
    if (values) filters[column] = [...new Set(values)];
  }
  const { from, to } = range;
  return { ok: true, query: { from, to, groupBy: parameters.group_by, filters, totals: parameters.totals === "true" } };
}

/** The page that parameters ask for. A cursor keeps the range that the first page defaulted to, also over midnight. */
export function reportPageQuery(
  parameters: PageParameters,
  now: number,
  aheadMs = MOST_AHEAD_MS,
): { ok: true; query: ReportPageQuery } | QueryFault {
  const cursor = parameters.cursor === undefined ? null : decodeCursor(parameters.cursor);
  if (parameters.cursor !== undefined && cursor === null) return fault("cursor", "is not one of ours");
  const whole = wholeReportQuery(
    cursor ? { ...parameters, from: parameters.from ?? cursor.from, to: parameters.to ?? cursor.to } : parameters,
    now,
    aheadMs,
  );
  if (!whole.ok) return whole;
  const { query } = whole;
  if (cursor && (cursor.from !== query.from || cursor.to !== query.to || cursor.groupBy !== query.groupBy.join(","))) {
    return fault("cursor", "belongs to a report with another range or other groups");
  }
  return { ok: true, query: { ...query, limit: parameters.limit, after: cursor?.after ?? null } };
}

type Range = { ok: true; from: string; to: string } | QueryFault;

function rangeOf(givenFrom: string | undefined, givenTo: string | undefined, now: number, aheadMs: number): Range {
  const to = givenTo ?? utcDay(now + aheadMs);
  const from = givenFrom ?? addDays(givenTo ?? utcDay(now), 1 - RANGE_DEFAULT_DAYS);
  if (from > to) return fault("from", `${from} is after to (${to})`);
  if (addDays(from, RANGE_MAX_DAYS - 1) < to) return fault("from", `a report covers ${RANGE_MAX_DAYS} days at most`);
  return { ok: true, from, to };
}

/** The calendar day `count` days later. */
export function addDays(day: string, count: number): string {
  return utcDay(Date.parse(day) + count * DAY_MS);
}

function fault(parameter: string, detail: string): QueryFault {
  return { ok: false, parameter, detail };
}

interface Cursor {
  from: string;
  to: string;
  groupBy: string;
  after: GroupPosition;
}

const cursorSchema = z.tuple([z.iso.date(), z.iso.date(), z.string(), z.array(z.string())]);

/** The opaque text from which the next page starts behind `after`. */
export function encodeCursor(query: ReportQuery, after: GroupPosition): string {
  const text = JSON.stringify([query.from, query.to, query.groupBy.join(","), after]);
  return new TextEncoder().encode(text).toBase64({ alphabet: "base64url", omitPadding: true });
}

function decodeCursor(text: string): Cursor | null {
  try {
    const bytes = Uint8Array.fromBase64(text, { alphabet: "base64url" });
    const [from, to, groupBy, after] = cursorSchema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    return after.length === groupBy.split(",").length ? { from, to, groupBy, after } : null;
  } catch {
    return null;
  }
}
