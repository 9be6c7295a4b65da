import { createRoute, z } from "@hono/zod-openapi";
import { type SQL, sql } from "drizzle-orm";
import { uuidv7 } from "uuidv7";
import { auditStatement } from "../audit/audit.ts";
import { type Change, createRow, findRow, listRows, refuseFields } from "../audit/changes.ts";
import { contains, equals, newRow, type Resource } from "../audit/resource.ts";
import { conditionsOf, createHeaders, idParams, listQuery } from "../audit/routes.ts";
import { idField, nameField, timeField } from "../platform/fields.ts";
import { createRouter, responses } from "../platform/http.ts";
import { readIdempotency } from "../platform/idempotency.ts";
import { pageSchema } from "../platform/paging.ts";
import { refuseWhereStatement } from "../platform/requirement.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { DAY_MS, toIso } from "../platform/time.ts";
import { guarded, principalOf } from "./access.ts";
import { ADMINISTER, type Principal, ROLES } from "./principal.ts";
import { scopeColumnRequirements, viewerScopeSchema } from "./scope.ts";
import { apiTokens } from "./tables.ts";
import { forgetToken, newToken, TOKEN_FRESH_MS, TOKEN_PREFIX, type TokenState, tokenState } from "./tokens.ts";

const PATH = "/v1/admin/tokens";
export const TOKEN_DEFAULT_LIFETIME_MS = 90 * DAY_MS;
export const TOKEN_MAX_LIFETIME_MS = 5 * 366 * DAY_MS;
const MAX_SCOPE_CONTENTS = 1000;
const MAX_SCOPE_CAMPAIGNS = 100;
const STATES = ["active", "expired", "revoked"] as const satisfies TokenState[];

type TokenRow = typeof apiTokens.$inferSelect;

const reporterScopeSchema = z
  .strictObject({
    all_content: z.literal(true).optional(),
    content_ids: z.array(idField).min(1).max(MAX_SCOPE_CONTENTS).optional(),
    campaign_ids: z.array(idField).min(1).max(MAX_SCOPE_CAMPAIGNS).optional().meta({ description: "The content that plays for them" }),
  })
  .refine(
    (scope) => (scope.all_content === undefined) === (scope.content_ids !== undefined || scope.campaign_ids !== undefined),
    "names content_ids, campaign_ids or both; or else all_content",
  );

const given = {
  name: nameField.meta({ description: "Who uses it, and for what", example: "Billing export" }),
  expires_at: z.iso
    .datetime({ offset: true })
    .optional()
    .meta({ description: "Five years ahead at most, and not after the end of the token that makes it. Default: in 90 days." }),
};
const createSchema = z
  .discriminatedUnion("role", [
    z.strictObject({ ...given, role: z.enum(["admin", "operator"]) }),
    z.strictObject({
      ...given,
      role: z.literal("viewer"),
      scope: viewerScopeSchema.nullable().optional().meta({ description: "Absent or null: it sees the whole network." }),
    }),
    z.strictObject({ ...given, role: z.literal("reporter"), scope: reporterScopeSchema }),
  ])
  .openapi("ApiTokenCreate");

const shownSchema = z
  .object({
    id: z.uuid(),
    name: z.string(),
    role: z.enum(ROLES),
    scope: z.record(z.string(), z.unknown()).nullable().meta({ description: "What it is held to; null: nothing." }),
    state: z.enum(STATES),
    created_by: z.string(),
    created_at: timeField,
    expires_at: timeField,
    revoked_at: timeField.nullable(),
    last_used_at: timeField.nullable().meta({ description: "To the hour." }),
  })
  .openapi("ApiToken");
const createdSchema = shownSchema
  .extend({
    token: z
      .string()
      .optional()
      .meta({
        description: "Shown once: it is kept nowhere, so an answer that is repeated for an Idempotency-Key is without it.",
        example: `${TOKEN_PREFIX}…`,
      }),
  })
  .openapi("ApiTokenCreated");

type Shown = z.infer<typeof shownSchema>;

/** What a program shows to call the API. It is never changed: who needs other rights gets another one. */
const tokenResource: Resource<TokenRow> = {
  noun: "api_token",
  plural: "API tokens",
  path: PATH,
  table: apiTokens,
  // The body is a union by role, which the route below reads itself.
  create: z.strictObject({}),
  change: z.strictObject({}),
  answer: shownSchema,
  filters: { role: equals(apiTokens.role, z.enum(ROLES)), q: contains(apiTokens.name) },
  visible: {},
  hidden: ["token_hash"],
  requirements: (before, { scope_json }) => (before ? [] : scopeColumnRequirements(scope_json)),
};

const common = { ...guarded(ADMINISTER), tags: ["API tokens"] };
const query = listQuery(tokenResource.filters).extend({ state: z.enum(STATES).optional() });

/** API tokens: made, listed, revoked. For role admin alone. */
export const tokenRoutes = createRouter();

tokenRoutes.openapi(
  createRoute({
    ...common,
    method: "post",
    path: PATH,
    summary: "Make an API token",
    description:
      "The answer shows the token, this once. Roles: admin may do everything; operator everything but tokens and policies; viewer reads, " +
      "all or what its scope names; reporter only reports plays of what its scope names, for players that are no paired devices.",
    request: { headers: createHeaders, body: { required: true, content: { "application/json": { schema: createSchema } } } },
    responses: responses(201, "The token", createdSchema),
  }),
  async (c) => {
    const { expires_at, ...fields } = c.req.valid("json");
    const now = Date.now();
    const latest = await latestEnd(c.env.DB, principalOf(c), now);
    const expiresAt = expires_at === undefined ? Math.min(now + TOKEN_DEFAULT_LIFETIME_MS, latest.at) : Date.parse(expires_at);
    const late = lifetimeFault(expiresAt, now, latest);
    refuseFields(late ? [{ pointer: "/expires_at", detail: late }] : []);
    const { token, hash } = await newToken();
    const actor = c.get("actor");
    const row = newRow(apiTokens, { ...fields, expires_at: expiresAt }, uuidv7(), now, { created_by: actor, token_hash: hash });
    const { shown, replayed } = await createRow({ db: c.env.DB, actor, now }, tokenResource, row, await readIdempotency(c));
    const headers = { Location: `${PATH}/${shown.id}`, ...(replayed ? { "Idempotency-Replayed": "true" } : {}) };
    return c.json({ ...stated(shown, now), ...(replayed ? {} : { token }) }, 201, headers);
  },
);

/** The latest end that a new token may have, in ms, and what one that is later is told. */
interface LatestEnd {
  at: number;
  fault: string;
}

/** A token makes none that outlives it: else whoever found one for an hour would have it for years. */
async function latestEnd(db: D1Database, { kind, id }: Principal, now: number): Promise<LatestEnd> {
  const own =
    kind === "token" ? await db.prepare("SELECT expires_at AS at FROM api_tokens WHERE id = ?").bind(id).first<number>("at") : null;
  const most = mostAhead(now);
  return own === null || own >= most.at ? most : { at: own, fault: `must not be after the end of the token that makes it, ${toIso(own)}` };
}

function mostAhead(now: number): LatestEnd {
  return { at: now + TOKEN_MAX_LIFETIME_MS, fault: "must be five years ahead at most" };
}

/** What is wrong with the end of a token's life, in ms; null where nothing is. Pure. */
export function lifetimeFault(expiresAt: number, now: number, latest = mostAhead(now)): string | null {
  if (expiresAt <= now) return "must be in the future";
  return expiresAt > latest.at ? latest.fault : null;
}

tokenRoutes.openapi(
  createRoute({
    ...common,
    method: "get",
    path: PATH,
    summary: "List API tokens, newest first",
    request: { query },
    responses: responses(200, "A page of tokens", pageSchema(shownSchema)),
  }),
  async (c) => {
    const asked: Row = c.req.valid("query");
    const now = Date.now();
    const conditions = [...conditionsOf(tokenResource.filters, asked), ...stateTerms(asked.state, now)];
    const page = { limit: Number(asked.limit), ...(typeof asked.cursor === "string" ? { cursor: asked.cursor } : {}) };
    const { items, next_cursor } = await listRows(c.env.DB, apiTokens, page, conditions, "newest");
    return c.json({ items: items.map((row) => shownToken(row, now)), next_cursor }, 200);
  },
);

function stateTerms(state: unknown, now: number): SQL[] {
  switch (state) {
    case "active":
      return [sql`${apiTokens.revoked_at} IS NULL AND ${apiTokens.expires_at} > ${now}`];
    case "expired":
      return [sql`${apiTokens.revoked_at} IS NULL AND ${apiTokens.expires_at} <= ${now}`];
    case "revoked":
      return [sql`${apiTokens.revoked_at} IS NOT NULL`];
    default:
      return [];
  }
}

tokenRoutes.openapi(
  createRoute({
    ...common,
    method: "get",
    path: `${PATH}/{id}`,
    summary: "Get an API token",
    request: { params: idParams },
    responses: responses(200, "The token, but for the secret", shownSchema),
  }),
  async (c) => c.json(shownToken(await findRow(c.env.DB, tokenResource, c.req.valid("param").id), Date.now()), 200),
);

tokenRoutes.openapi(
  createRoute({
    ...common,
    method: "post",
    path: `${PATH}/{id}/revoke`,
    summary: "Revoke an API token",
    description: `It opens nothing any more: here at once, everywhere within ${TOKEN_FRESH_MS / 1000} seconds. Doing it twice changes nothing.`,
    request: { params: idParams },
    responses: responses(200, "The token is revoked", shownSchema),
  }),
  async (c) => {
    const change = { db: c.env.DB, actor: c.get("actor"), now: Date.now() };
    return c.json(shownToken(await revokeToken(change, c.req.valid("param").id), change.now), 200);
  },
);

/** @throws Problem `not-found` */
async function revokeToken({ db, actor, now }: Change, id: string): Promise<Row> {
  const before = await findRow(db, tokenResource, id);
  if (before.revoked_at !== null) return before;
  const details = { before: presentRow({ revoked_at: null }), after: presentRow({ revoked_at: now }) };
  try {
    await db.batch([
      // Revoked by another call meanwhile: one audit row stays one.
      refuseWhereStatement(db, "SELECT 1 FROM api_tokens WHERE id = ? AND revoked_at IS NOT NULL", [id]),
      db.prepare("UPDATE api_tokens SET revoked_at = ? WHERE id = ?").bind(now, id),
      auditStatement(db, { actor, action: "api_token.revoke", targetType: "api_token", targetId: id, details }, now),
    ]);
  } catch (error) {
    const current = await findRow(db, tokenResource, id);
    if (current.revoked_at === null) throw error;
  }
  forgetToken(String(before.token_hash));
  return await findRow(db, tokenResource, id);
}

function shownToken(row: Row, now: number): Shown {
  return stated(presentRow(row, tokenResource.hidden), now);
}

function stated(shown: Row, now: number): Shown {
  const time = (value: unknown) => (typeof value === "string" ? Date.parse(value) : null);
  const state = tokenState({ expires_at: time(shown.expires_at) ?? 0, revoked_at: time(shown.revoked_at) }, now);
  return { ...shown, state } as Shown;
}
