import { createRoute, z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { findRow, listRows } from "../audit/changes.ts";
import { equals, type Filter } from "../audit/resource.ts";
import { conditionsOf, idParams, listQuery } from "../audit/routes.ts";
import { guarded } from "../auth/access.ts";
import { reads } from "../auth/principal.ts";
import { Problem } from "../platform/errors.ts";
import { idField, timeField } from "../platform/fields.ts";
import { createRouter, problemSchema, responses } from "../platform/http.ts";
import { pageSchema } from "../platform/paging.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { OUTCOMES } from "./decide.ts";
import { EVENT_TYPES, TEST_EVENT_TYPE } from "./events.ts";
import { bodyOf, readPlays } from "./payload.ts";
import { type MessageRow, webhookAttempts, webhookMessages } from "./tables.ts";
import { WEBHOOKS_PATH, webhookResource } from "./webhooks.ts";

const messageId = z.string().regex(/^msg_[0-9a-f_-]{36,64}$/, "must be a message's id");
export const messageParams = z.object({ id: idField, message_id: messageId });

const STATUSES = ["pending", "delivered", "failed"] as const;
const messageSchema = z
  .object({
    id: z.string().meta({ description: "The webhook-id that the receiver sees, at every attempt", example: "msg_0192f0c1-…" }),
    webhook_id: z.uuid(),
    type: z.enum([...EVENT_TYPES, TEST_EVENT_TYPE]),
    created_at: timeField.meta({ description: "When it happened" }),
    status: z.enum(STATUSES),
    tries: z.int(),
    next_attempt_at: timeField.nullable(),
    ended_at: timeField.nullable(),
    segment_id: z.string().nullable().meta({ description: "Of playback.logged: the segment of the archive whose plays it tells" }),
    part: z.int().nullable().meta({ description: "Which 500 of the segment's plays, from 1" }),
  })
  .openapi("WebhookMessage");

const attemptSchema = z
  .object({
    id: z.uuid(),
    webhook_id: z.uuid(),
    message_id: z.string(),
    created_at: timeField,
    outcome: z.enum(OUTCOMES),
    status_code: z.int().nullable(),
    duration_ms: z.int(),
    error: z.string().nullable(),
    response: z.string().nullable().meta({ description: "The beginning of the answer's body" }),
    body_sha256: z.string().nullable().meta({ description: "Of the body that was sent" }),
  })
  .openapi("WebhookAttempt");

const messageFilters: Record<string, Filter> = {
  status: equals(webhookMessages.status, z.enum(STATUSES)),
  type: equals(webhookMessages.type, z.enum([...EVENT_TYPES, TEST_EVENT_TYPE])),
};
const attemptFilters: Record<string, Filter> = {
  message_id: equals(webhookAttempts.message_id, messageId),
  outcome: equals(webhookAttempts.outcome, z.enum(OUTCOMES)),
};

/** What a webhook was and is to be told, and how each attempt went. Both are kept for 30 days. */
export const messageRoutes = createRouter();

const reading = { ...guarded(reads(webhookResource.visible)), tags: ["Webhooks"] };
const path = `${WEBHOOKS_PATH}/{id}` as const;

messageRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: `${path}/messages`,
    summary: "List a webhook's messages",
    request: { params: idParams, query: listQuery(messageFilters) },
    responses: responses(200, "A page of messages, newest first", pageSchema(messageSchema)),
  }),
  async (c) => {
    const query: Row = c.req.valid("query");
    const { id } = c.req.valid("param");
    await findRow(c.env.DB, webhookResource, id);
    const own = [sql`${webhookMessages.webhook_id} = ${id}`, ...conditionsOf(messageFilters, query)];
    const page = await listRows(c.env.DB, webhookMessages, pageOfQuery(query), own, "newest");
    return c.json({ ...page, items: page.items.map((row) => presentRow(row, ["data_json"]) as z.infer<typeof messageSchema>) }, 200);
  },
);

messageRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: `${path}/messages/{message_id}/body`,
    summary: "What a message tells",
    description: "The same bytes that the receiver gets: their SHA-256 is in the attempts. Plays are read from the archive.",
    request: { params: messageParams },
    responses: {
      200: { description: "The body", content: { "application/json": { schema: z.object({ type: z.string(), timestamp: timeField }) } } },
      default: { description: "A problem (RFC 9457)", content: { "application/problem+json": { schema: problemSchema } } },
    },
  }),
  async (c) => {
    const { id, message_id } = c.req.valid("param");
    const message = await c.env.DB.prepare("SELECT * FROM webhook_messages WHERE webhook_id = ? AND id = ?")
      .bind(id, message_id)
      .first<MessageRow>();
    if (!message) throw new Problem("not-found", "The webhook has no message with this id.");
    const read = message.segment_id === null ? ({ ok: true, plays: [] } as const) : await readPlays(c.env, message.segment_id);
    if (!read.ok) throw new Problem("unprocessable", `The plays cannot be read: ${read.reason}`, { code: "PLAYS_UNREADABLE" });
    return c.json(JSON.parse(bodyOf(message, [...read.plays])) as { type: string; timestamp: string }, 200);
  },
);

messageRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: `${path}/attempts`,
    summary: "List the attempts at a webhook's messages",
    request: { params: idParams, query: listQuery(attemptFilters) },
    responses: responses(200, "A page of attempts, newest first", pageSchema(attemptSchema)),
  }),
  async (c) => {
    const query: Row = c.req.valid("query");
    const { id } = c.req.valid("param");
    await findRow(c.env.DB, webhookResource, id);
    const own = [sql`${webhookAttempts.webhook_id} = ${id}`, ...conditionsOf(attemptFilters, query)];
    const page = await listRows(c.env.DB, webhookAttempts, pageOfQuery(query), own, "newest");
    return c.json({ ...page, items: page.items.map((row) => presentRow(row) as z.infer<typeof attemptSchema>) }, 200);
  },
);

function pageOfQuery(query: Row): { limit: number; cursor?: string } {
  return { limit: Number(query.limit), ...(typeof query.cursor === "string" ? { cursor: query.cursor } : {}) };
}
