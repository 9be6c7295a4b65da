import { createRoute, z } from "@hono/zod-openapi";
import { findVisible } from "../audit/changes.ts";
import { idParams } from "../audit/routes.ts";
import { guarded, viewerScope } from "../auth/access.ts";
import { reads, type ViewerScope } from "../auth/principal.ts";
import { deviceResource } from "../devices/devices.ts";
import { Problem } from "../platform/errors.ts";
import { dayField, idField, timeField } from "../platform/fields.ts";
import { createRouter, responses } from "../platform/http.ts";
import { decodeCursor, pageOf, pageQuery, pageSchema } from "../platform/paging.ts";
import { toIso, utcDay } from "../platform/time.ts";
import { eventRowsKeptFrom } from "../plays/ledger/retain.ts";
import { hotWindowStart } from "./source.ts";

/** Single plays of a device, as they were recorded: what a report's figures are made of. */
export const devicePlayRoutes = createRouter();

const RESULTS = ["COMPLETED", "PARTIAL", "SKIPPED", "INTERRUPTED", "ERROR"] as const;

const playSchema = z
  .object({
    event_id: z.string(),
    day: z.string().meta({ description: "The store's day that it counts for" }),
    started_at: timeField.meta({ description: "Corrected by the clock's offset" }),
    ended_at: timeField,
    started_at_raw: timeField.meta({ description: "As the device's clock had it" }),
    received_at: timeField,
    duration_ms: z.int(),
    expected_ms: z.int().nullable(),
    result: z.enum(RESULTS),
    billable: z.boolean(),
    quality: z.int(),
    flags: z.array(z.string()),
    door: z.string(),
    epoch: z.string(),
    sequence: z.int().nullable(),
    content_id: z.string(),
    content_name: z.string().nullable(),
    content_version: z.string().nullable(),
    campaign_id: z.string().nullable().meta({ description: "null: filler" }),
    campaign_name: z.string().nullable(),
    playlist_id: z.string().nullable(),
    slot_id: z.string().nullable(),
    store_id: z.string().nullable(),
    record_hash: z.string(),
    key_id: z.string().nullable(),
    policy_version: z.string(),
    correlation_id: z.string(),
  })
  .openapi("RecordedPlay");

const query = z.strictObject({
  ...pageQuery,
  day: dayField.optional().meta({ description: "A day of the store. Default: the latest with plays, of those that are kept." }),
  campaign_id: idField.optional(),
  content_id: idField.optional(),
  result: z.enum(RESULTS).optional(),
  billable: z.enum(["true", "false"]).optional(),
});

devicePlayRoutes.openapi(
  createRoute({
    ...guarded(reads(deviceResource.visible)),
    tags: ["Reports"],
    method: "get",
    path: "/v1/admin/devices/{id}/plays",
    summary: "A device's recorded plays of one day, newest first",
    description: "While single plays are kept in the database. Older ones lie in the archive, by the UTC day on which they were received.",
    request: { params: idParams, query },
    responses: responses(200, "A page of plays", pageSchema(playSchema)),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    const asked = c.req.valid("query");
    await findVisible(c.env.DB, deviceResource, id, viewerScope(c));
    const keptFrom = laterOf(hotWindowStart(Date.now(), eventRowsDays(c.env)), await eventRowsKeptFrom(c.env.DB));
    const day = asked.day ?? (await latestDay(c.env.DB, id)) ?? utcDay(Date.now());
    if (keptFrom === null || day < keptFrom) throw inArchive(day, keptFrom);
    const page = await readPlays(c.env.DB, id, day, asked, viewerScope(c));
    return c.json({ items: page.items.map(presentPlay), next_cursor: page.next_cursor }, 200);
  },
);

function eventRowsDays(env: Pick<Env, "EVENT_ROWS" | "EVENT_ROWS_DAYS">): number {
  return env.EVENT_ROWS === "off" ? 0 : Number(env.EVENT_ROWS_DAYS);
}

/** Null where no single plays are kept at all. */
function laterOf(windowFrom: string | null, keptFrom: string | null): string | null {
  return windowFrom !== null && keptFrom !== null && keptFrom > windowFrom ? keptFrom : windowFrom;
}

function inArchive(day: string, keptFrom: string | null): Problem {
  const since = keptFrom === null ? "None are kept in the database." : `Those from ${keptFrom} on are kept in the database.`;
  return new Problem(
    "unprocessable",
    `Single plays of ${day} are in the archive alone: plays/dt=<UTC day received>/ in the bucket, beside their manifest. ${since}`,
    { code: "IN_ARCHIVE" },
  );
}

async function latestDay(db: D1Database, deviceId: string): Promise<string | null> {
  return await db.prepare("SELECT max(day) AS day FROM proof_of_play_events WHERE device_id = ?").bind(deviceId).first<string>("day");
}

interface PlayRow extends Record<string, string | number | null> {
  event_id: string;
  started_at: number;
}

/** Reads along the key: the device's day. A position is a play's start and id. */
async function readPlays(db: D1Database, deviceId: string, day: string, asked: z.infer<typeof query>, scope: ViewerScope | null) {
  const terms = ["p.device_id = ?", "p.day = ?", "p.type <> 'PLAY_START'"];
  const values: (string | number)[] = [deviceId, day];
  const add = (term: string, ...bound: (string | number)[]) => {
    terms.push(term);
    values.push(...bound);
  };
  if (asked.campaign_id !== undefined) add("p.campaign_id = ?", asked.campaign_id);
  if (asked.content_id !== undefined) add("p.content_id = ?", asked.content_id);
  if (asked.result !== undefined) add("p.result = ?", asked.result);
  if (asked.billable !== undefined) add("p.billable = ?", asked.billable === "true" ? 1 : 0);
  // The plays keep the supplier that they had, whoever has the device now.
  if (scope !== null) add("p.supplier_id = ?", "supplier_id" in scope ? scope.supplier_id : "none");
  const position = decodeCursor(asked.cursor)?.split("|");
  if (position) add("(p.started_at, p.event_id) < (?, ?)", Number(position[0]) || 0, position[1] ?? "");
  const { results } = await db
    .prepare(
      `SELECT p.*, c.name AS content_name, g.name AS campaign_name FROM proof_of_play_events p
       LEFT JOIN content c ON c.id = p.content_id LEFT JOIN campaigns g ON g.id = p.campaign_id
       WHERE ${terms.join(" AND ")} ORDER BY p.started_at DESC, p.event_id DESC LIMIT ?`,
    )
    .bind(...values, asked.limit + 1)
    .all<PlayRow>();
  return pageOf(results, asked.limit, (row) => `${row.started_at}|${row.event_id}`);
}

function presentPlay(row: PlayRow): z.infer<typeof playSchema> {
  const text = (name: string) => String(row[name] ?? "");
  const orNull = (name: string) => text(name) || null;
  const time = (name: string) => toIso(Number(row[name]));
  const number = (name: string) => (row[name] === null ? null : Number(row[name]));
  return {
    event_id: row.event_id,
    day: text("day"),
    started_at: time("started_at"),
    ended_at: time("ended_at"),
    started_at_raw: time("started_at_raw"),
    received_at: time("received_at"),
    duration_ms: Number(row.duration_ms),
    expected_ms: number("expected_ms"),
    result: text("result") as (typeof RESULTS)[number],
    billable: row.billable === 1,
    quality: Number(row.quality),
    flags: text("flags").split(",").filter(Boolean),
    door: text("door"),
    epoch: text("epoch"),
    sequence: number("sequence"),
    content_id: text("content_id"),
    content_name: orNull("content_name"),
    content_version: orNull("content_version"),
    campaign_id: orNull("campaign_id"),
    campaign_name: orNull("campaign_name"),
    playlist_id: orNull("playlist_id"),
    slot_id: orNull("slot_id"),
    store_id: orNull("store_id"),
    record_hash: text("record_hash"),
    key_id: orNull("key_id"),
    policy_version: text("policy_version"),
    correlation_id: text("correlation_id"),
  };
}
