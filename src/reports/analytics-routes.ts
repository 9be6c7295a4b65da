import { createRoute, z } from "@hono/zod-openapi";
import { guarded, viewerScope } from "../auth/access.ts";
import { reads } from "../auth/principal.ts";
import { deviceVisible } from "../devices/visible.ts";
import { timedQuery } from "../monitoring/timings.ts";
import { Problem } from "../platform/errors.ts";
import { idField, timeField } from "../platform/fields.ts";
import { createRouter, problemSchema, responses } from "../platform/http.ts";
import { DAY_MS, parseInstant, toIso, utcDay } from "../platform/time.ts";
import { TELEMETRY_TYPES } from "../telemetry/event.ts";
import { foldTelemetry } from "../telemetry/fold.ts";
import { telemetryKeptFrom } from "../telemetry/retain.ts";
import { liveFeed } from "./analytics-live.ts";
import { contentVisible, readContent, readDevice, readRecent, readTopContent, titlesOf } from "./analytics-read.ts";
import { addDays } from "./query.ts";

/** Analytics of telemetry. They answer for what was recorded up to the request, and for as long as telemetry is kept. */
export const analyticsRoutes = createRouter();

const RANGE_DEFAULT_DAYS = 7;
const RANGE_MAX_DAYS = 400;
const MAX_COUNT = 100;
const MAX_RECENT = 200;

const byContent = { ...guarded(reads(contentVisible)), tags: ["Analytics"] };
const byDevice = { ...guarded(reads(deviceVisible)), tags: ["Analytics"] };

const idParams = z.object({ id: idField });
const rangeQuery = z.strictObject({
  from: z.iso
    .date()
    .optional()
    .meta({ description: `First UTC day. Default: ${RANGE_DEFAULT_DAYS} days up to \`to\`.` }),
  to: z.iso.date().optional().meta({ description: "Last UTC day, included. Default: today." }),
});

/** The range that was asked for. @throws Problem `validation-error` for one that ends before it begins, or is too long. */
function rangeOf({ from, to }: z.infer<typeof rangeQuery>, now: number): { from: string; to: string } {
  const range = { to: to ?? utcDay(now), from: "" };
  range.from = from ?? addDays(range.to, 1 - RANGE_DEFAULT_DAYS);
  if (range.from > range.to) throw faultOf("from", `${range.from} is after to (${range.to})`);
  if (addDays(range.from, RANGE_MAX_DAYS - 1) < range.to) throw faultOf("from", `a range covers ${RANGE_MAX_DAYS} days at most`);
  return range;
}

function faultOf(parameter: string, detail: string): Problem {
  return new Problem("validation-error", `/${parameter}: ${detail}`, { errors: [{ pointer: `/${parameter}`, detail }] });
}

const count = z.int().min(0);
const distinctSchema = z
  .object({
    count,
    standard_error: z
      .number()
      .meta({ description: "As a share of the count: 0 where it is exact (up to 256), else that of the sketch, 0.0163." }),
  })
  .openapi("Distinct");
const figures = {
  starts_count: count,
  completed_count: count,
  played_seconds: z.number().min(0).meta({ description: "Time listened or watched, by what sessions have grown." }),
};
const uniques = { unique_sessions: distinctSchema, unique_devices: distinctSchema };
const kept = { from: z.iso.date(), to: z.iso.date(), kept_from: z.iso.date().meta({ description: "The first day that is still kept." }) };

const contentSchema = z
  .object({
    content_id: z.uuid(),
    title: z.string(),
    ...kept,
    ...figures,
    ...uniques,
    days: z.array(z.object({ day: z.iso.date(), ...figures, ...uniques })).meta({ description: "Days with telemetry, the oldest first." }),
  })
  .openapi("ContentAnalytics");

analyticsRoutes.openapi(
  createRoute({
    ...byContent,
    middleware: [...byContent.middleware, timedQuery("content")],
    method: "get",
    path: "/v1/admin/analytics/content/{id}",
    summary: "Telemetry of a content, by day",
    request: { params: idParams, query: rangeQuery },
    responses: responses(200, "The range and each of its days", contentSchema),
  }),
  async (c) => {
    const now = Date.now();
    const { id } = c.req.valid("param");
    const range = rangeOf(c.req.valid("query"), now);
    const title = (await titlesOf(c.env.DB, [id], viewerScope(c))).get(id);
    if (title === undefined) throw new Problem("not-found", `There is no content ${id}.`);
    await foldTelemetry(c.env.DB, now);
    const analytics = await readContent(c.env.DB, id, range);
    return c.json({ content_id: id, title, ...range, kept_from: telemetryKeptFrom(c.env, now), ...analytics }, 200);
  },
);

const topSchema = z
  .object({ since: timeField, items: z.array(z.object({ content_id: z.uuid(), title: z.string(), ...figures })) })
  .openapi("TopContent");

analyticsRoutes.openapi(
  createRoute({
    ...byContent,
    middleware: [...byContent.middleware, timedQuery("top_content")],
    method: "get",
    path: "/v1/admin/analytics/top-content",
    summary: "The contents that were started most",
    request: {
      query: z.strictObject({
        count: z.coerce.number().int().min(1).max(MAX_COUNT).default(10),
        since: z.string().optional().meta({ description: "A day or an RFC 3339 time, taken to its hour. Default: 24 hours ago." }),
      }),
    },
    responses: responses(200, "Contents by starts, most first", topSchema),
  }),
  async (c) => {
    const now = Date.now();
    const query = c.req.valid("query");
    const since = query.since === undefined ? now - DAY_MS : sinceOf(query.since, now);
    await foldTelemetry(c.env.DB, now);
    const items = await readTopContent(c.env.DB, since, query.count, viewerScope(c));
    return c.json({ since: toIso(since) ?? "", items }, 200);
  },
);

function sinceOf(text: string, now: number): number {
  const at = parseInstant(/^\d{4}-\d{2}-\d{2}$/.test(text) ? `${text}T00:00:00.000Z` : text);
  if (at === null) throw faultOf("since", "must be a day (YYYY-MM-DD) or an RFC 3339 time");
  if (at > now) throw faultOf("since", "is in the future");
  return at;
}

const deviceSchema = z
  .object({
    device_id: z.uuid(),
    ...kept,
    plays_count: count.meta({ description: "Starts that telemetry told of. What is billed stands in the proof of play." }),
    completed_count: count,
    played_seconds: figures.played_seconds,
    distinct_contents: distinctSchema,
    last_activity_at: timeField.nullable().meta({ description: "null: none in the range." }),
  })
  .openapi("DeviceAnalytics");

analyticsRoutes.openapi(
  createRoute({
    ...byDevice,
    middleware: [...byDevice.middleware, timedQuery("device")],
    method: "get",
    path: "/v1/admin/analytics/devices/{id}",
    summary: "Telemetry of a device",
    description: "Or of a reporter's player, by the id that the feed shows.",
    request: { params: idParams, query: rangeQuery },
    responses: responses(200, "What it told in the range", deviceSchema),
  }),
  async (c) => {
    const now = Date.now();
    const { id } = c.req.valid("param");
    const range = rangeOf(c.req.valid("query"), now);
    await foldTelemetry(c.env.DB, now);
    const analytics = await readDevice(c.env.DB, id, range, viewerScope(c));
    return c.json({ ...range, kept_from: telemetryKeptFrom(c.env, now), ...analytics }, 200);
  },
);

const eventSchema = z
  .object({
    type: z.enum(TELEMETRY_TYPES),
    content_id: z.string(),
    title: z.string().nullable(),
    device_id: z.uuid().nullable().meta({ description: "null: a reporter that names no device." }),
    at: timeField.meta({ description: "By the player's clock." }),
    received_at: timeField,
    position_seconds: z.number().nullable(),
  })
  .openapi("TelemetryFeedEvent");

analyticsRoutes.openapi(
  createRoute({
    ...byContent,
    middleware: [...byContent.middleware, timedQuery("recent")],
    method: "get",
    path: "/v1/admin/analytics/recent",
    summary: "The newest events",
    description: "Of a commit that brings very many, the newest 50 are in the feed.",
    request: { query: z.strictObject({ count: z.coerce.number().int().min(1).max(MAX_RECENT).default(50) }) },
    responses: responses(200, "Newest first", z.object({ items: z.array(eventSchema) }).openapi("TelemetryFeed")),
  }),
  async (c) => c.json({ items: await readRecent(c.env.DB, c.req.valid("query").count, viewerScope(c)) }, 200),
);

analyticsRoutes.openapi(
  createRoute({
    ...byContent,
    method: "get",
    path: "/v1/admin/analytics/live",
    summary: "Events as they are recorded",
    description:
      "Server-sent events: `event: telemetry`, `data:` a list of events as in the feed, `id:` where to go on (`Last-Event-ID`). The stream ends after five minutes; come again.",
    responses: {
      200: { description: "The stream", content: { "text/event-stream": { schema: z.string() } } },
      default: { description: "A problem (RFC 9457)", content: { "application/problem+json": { schema: problemSchema } } },
    },
  }),
  (c) => {
    const after = c.req.header("Last-Event-ID");
    if (after !== undefined && !/^\d{1,15}$/.test(after)) throw faultOf("Last-Event-ID", "is none of this stream's ids");
    const stream = liveFeed(c.env.DB, { after: after === undefined ? null : Number(after), scope: viewerScope(c) });
    return c.body(stream, 200, { "Content-Type": "text/event-stream" });
  },
);
