import { createRoute, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { type Change, refuseFields } from "../audit/changes.ts";
import { changeHeaders, createHeaders, idParams, resourceRouter } from "../audit/routes.ts";
import { guarded } from "../auth/access.ts";
import { OPERATE } from "../auth/principal.ts";
import { isObject } from "../platform/body.ts";
import { Problem } from "../platform/errors.ts";
import { etagOf } from "../platform/etag.ts";
import { timeField } from "../platform/fields.ts";
import { type AppContext, type AppEnv, createRouter, responses } from "../platform/http.ts";
import { answerOnce, readIdempotency, replayedHeader } from "../platform/idempotency.ts";
import { toIso } from "../platform/time.ts";
import { dispatchWebhooksSoon } from "./dispatch.ts";
import { DEFAULT_SECRET_OVERLAP_S, MAX_RECOVERY_MS, MAX_SECRET_OVERLAP_S } from "./limits.ts";
import { messageParams, messageRoutes } from "./messages.ts";
import { type Keep, type OnTheWay, recoveredStatement, recoverMessages, resendMessage, sendTest } from "./resend.ts";
import { rotateSecret } from "./rotate.ts";
import { targetFault } from "./target.ts";
import { WEBHOOKS_PATH, webhookResource } from "./webhooks.ts";

const webhookPath = `${WEBHOOKS_PATH}/{id}` as const;
const changing = { ...guarded(OPERATE), tags: ["Webhooks"] };

/** Refuses a URL that leads back here, which only the request can tell. Everything else of a body is the schema's to judge. */
const refuseOwnHost: MiddlewareHandler<AppEnv> = async (c, next) => {
  if (c.req.method === "POST" || c.req.method === "PATCH") {
    const body: unknown = await c.req.json().catch(() => null);
    const url = isObject(body) && typeof body.url === "string" ? body.url : null;
    if (url !== null && targetFault(url) === null) {
      const fault = targetFault(url, new URL(c.req.url).host);
      refuseFields(fault ? [{ pointer: "/url", detail: fault }] : []);
    }
  }
  await next();
};

/** Webhooks: who is told, the messages to each, and how they went. */
export const webhookRoutes = createRouter();

webhookRoutes.use(`${WEBHOOKS_PATH}/*`, refuseOwnHost);
webhookRoutes.route("/", resourceRouter(webhookResource));
webhookRoutes.route("/", messageRoutes);

const rotatedSchema = z
  .object({
    id: z.uuid(),
    secret: z.string().meta({ description: "Shown once" }),
    secret_version: z.int(),
    previous_secret_expires_at: timeField.nullable(),
    version: z.int(),
  })
  .openapi("WebhookSecret");

webhookRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: `${webhookPath}/rotate-secret`,
    summary: "Give a webhook a new secret",
    description:
      "For overlap_s seconds (a day by default; 0 where the secret before has leaked) messages carry two signatures, by the new secret and " +
      "by the one before, so that the receiver can change over. A second rotation within that time ends the oldest one.",
    request: {
      params: idParams,
      headers: createHeaders.extend(changeHeaders.shape),
      body: {
        content: {
          "application/json": {
            schema: z.strictObject({ overlap_s: z.int().min(0).max(MAX_SECRET_OVERLAP_S).default(DEFAULT_SECRET_OVERLAP_S) }),
          },
        },
      },
    },
    responses: responses(200, "The new secret", rotatedSchema),
  }),
  async (c) => {
    const { overlap_s = DEFAULT_SECRET_OVERLAP_S } = c.req.valid("json");
    const request = { ifMatch: c.req.header("If-Match"), idempotency: await readIdempotency(c) };
    const rotated = await rotateSecret(c.env, changeOf(c), c.req.valid("param").id, overlap_s * 1000, request);
    const shown = { ...rotated, previous_secret_expires_at: toIso(rotated.previous_secret_expires_at) };
    return c.json(shown, 200, { ETag: etagOf(rotated.version) });
  },
);

const onTheWay = z.object({ message_id: z.string(), status: z.literal("pending") });

webhookRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: `${webhookPath}/test`,
    summary: "Send a test message",
    description: "Of type webhook.test, whatever the webhook subscribes to. How it went is among the attempts.",
    request: { params: idParams, headers: createHeaders },
    responses: responses(202, "It is on its way", onTheWay),
  }),
  async (c) => {
    const change = changeOf(c);
    const { id } = c.req.valid("param");
    const send = (keep: Keep<OnTheWay>) => sendTest(change, id, keep);
    const { answer, replayed } = await answerOnce(change.db, await readIdempotency(c), 202, change.now, send);
    c.executionCtx.waitUntil(dispatchWebhooksSoon(c.env));
    return c.json(answer, 202, replayedHeader(replayed));
  },
);

webhookRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: `${webhookPath}/messages/{message_id}/resend`,
    summary: "Send a message again",
    description: "Whatever became of it: under the same webhook-id, with all ten tries.",
    request: { params: messageParams, headers: createHeaders },
    responses: responses(202, "It is on its way", onTheWay),
  }),
  async (c) => {
    const change = changeOf(c);
    const { id, message_id } = c.req.valid("param");
    const resend = (keep: Keep<OnTheWay>) => resendMessage(change, id, message_id, keep);
    const { answer, replayed } = await answerOnce(change.db, await readIdempotency(c), 202, change.now, resend);
    c.executionCtx.waitUntil(dispatchWebhooksSoon(c.env));
    return c.json(answer, 202, replayedHeader(replayed));
  },
);

const instant = z.iso.datetime({ offset: true });

webhookRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: `${webhookPath}/recover`,
    summary: "Send again what a webhook missed",
    description:
      "Messages of the period that failed, and, where it subscribes to playback.logged, plays recorded while it was off or not there yet. " +
      "What was delivered is not sent again. The period may have seven days; to is now by default.",
    request: {
      params: idParams,
      headers: createHeaders,
      body: { required: true, content: { "application/json": { schema: z.strictObject({ from: instant, to: instant.optional() }) } } },
    },
    responses: responses(202, "How many messages are on their way", z.object({ messages: z.int() })),
  }),
  async (c) => {
    const change = changeOf(c);
    const { from, to } = periodOf(c.req.valid("json"), change.now);
    const { id } = c.req.valid("param");
    const request = await readIdempotency(c);
    const recover = async (keep: Keep<{ messages: number }>) => {
      const kept = request ? [...keep({ messages: 0 }), recoveredStatement(change.db, request, id, change.now)] : [];
      return { messages: await recoverMessages(change, id, from, to, kept) };
    };
    const { answer, replayed } = await answerOnce(change.db, request, 202, change.now, recover);
    c.executionCtx.waitUntil(dispatchWebhooksSoon(c.env));
    return c.json(answer, 202, replayedHeader(replayed));
  },
);

function periodOf(body: { from: string; to?: string | undefined }, now: number): { from: number; to: number } {
  const from = Date.parse(body.from);
  const to = body.to === undefined ? now : Date.parse(body.to);
  if (to <= from)
    throw new Problem("validation-error", "/to: must be after from.", { errors: [{ pointer: "/to", detail: "must be after from" }] });
  if (to - from > MAX_RECOVERY_MS) {
    const detail = "The period may have seven days at most; ask for it in parts.";
    throw new Problem("validation-error", `/from: ${detail}`, { errors: [{ pointer: "/from", detail }] });
  }
  return { from, to };
}

function changeOf(c: AppContext): Change {
  return { db: c.env.DB, actor: c.get("actor"), now: Date.now() };
}
