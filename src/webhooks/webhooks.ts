import { z } from "@hono/zod-openapi";
import { contains, equals, type Resource } from "../audit/resource.ts";
import { nameField, timeField } from "../platform/fields.ts";
import { EVENT_TYPES } from "./events.ts";
import { MAX_URL_CHARS, MAX_WEBHOOKS } from "./limits.ts";
import { signingSecret } from "./signature.ts";
import { type WebhookRow, webhooks } from "./tables.ts";
import { targetFault } from "./target.ts";

export const WEBHOOKS_PATH = "/v1/admin/webhooks";
const STATUSES = ["active", "disabled"] as const;

const urlField = z.string().max(MAX_URL_CHARS).meta({
  description: "https on port 443 of a public domain name. Redirects are not followed.",
  example: "https://billing.acme.com/plays",
});
const eventsField = z
  .array(z.enum(EVENT_TYPES))
  .min(1)
  .refine((types) => new Set(types).size === types.length, "names an event twice")
  .meta({ example: ["playback.logged"] });

const answer = z
  .object({
    id: z.uuid(),
    name: z.string(),
    url: z.string(),
    events: z.array(z.enum(EVENT_TYPES)),
    status: z.enum(STATUSES),
    disabled_reason: z.enum(["BY_HAND", "GONE", "FAILURES"]).nullable().meta({
      description: "BY_HAND: by an administrator. GONE: the receiver answered 410. FAILURES: nothing got through for five days.",
    }),
    disabled_at: timeField.nullable(),
    failing_since_at: timeField.nullable().meta({ description: "Since when nothing got through; null: the last attempt did" }),
    secret_version: z.int().meta({ description: "Grows with each new secret" }),
    previous_secret_expires_at: timeField.nullable().meta({ description: "Until when messages are signed with the secret before, too" }),
    created_at: timeField,
    updated_at: timeField,
    version: z.int(),
    messages_pending: z.int().optional().meta({ description: "Messages that are still to be delivered; of a single webhook" }),
  })
  .openapi("Webhook");

/** Somebody who is told of events over HTTPS. */
export const webhookResource: Resource<WebhookRow> = {
  noun: "webhook",
  plural: "webhooks",
  path: WEBHOOKS_PATH,
  table: webhooks,
  // Its id is not the client's to choose: the secret is derived from it, and must never come back.
  create: z.strictObject({ name: nameField, url: urlField, events: eventsField }).openapi("WebhookCreate"),
  change: z
    .strictObject({
      name: nameField.optional(),
      url: urlField.optional(),
      events: eventsField.optional(),
      status: z.enum(STATUSES).optional(),
    })
    .openapi("WebhookChange"),
  answer,
  created: answer
    .extend({ secret: z.string().meta({ description: "Signs the messages (Standard Webhooks). Shown once.", example: "whsec_…" }) })
    .openapi("WebhookCreated"),
  async revealed(env, shown) {
    return { secret: await signingSecret(env.HASH_SECRET, String(shown.id), 1) };
  },
  visible: {},
  filters: { status: equals(webhooks.status, z.enum(STATUSES)), q: contains(webhooks.name) },
  check({ url }) {
    const fault = targetFault(url);
    return fault ? [{ pointer: "/url", detail: fault }] : [];
  },
  implied(before, values, now) {
    if (values.status === undefined || values.status === before.status) return {};
    return values.status === "disabled"
      ? { disabled_reason: "BY_HAND", disabled_at: now }
      : { disabled_reason: null, disabled_at: null, failing_since_at: null };
  },
  requirements(before, after) {
    if (before) return [];
    return [
      {
        breaches: `SELECT NULL AS at WHERE (SELECT count(*) FROM webhooks WHERE id <> ?) >= ${MAX_WEBHOOKS}`,
        values: [after.id],
        pointer: () => "",
        detail: `There may be ${MAX_WEBHOOKS} webhooks at most.`,
        code: "TOO_MANY_WEBHOOKS",
      },
    ];
  },
  deletable: true,
  async detail(db, { id }) {
    const row = await db
      .prepare("SELECT count(*) AS n FROM webhook_messages WHERE webhook_id = ? AND status = 'pending'")
      .bind(id)
      .first<{ n: number }>();
    return { messages_pending: row?.n ?? 0 };
  },
};
