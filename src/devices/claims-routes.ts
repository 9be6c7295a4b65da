import { createRoute, z } from "@hono/zod-openapi";
import { guarded } from "../auth/access.ts";
import { OPERATE, reads } from "../auth/principal.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { readIdempotency } from "../platform/idempotency.ts";
import { pageQuery, pageSchema } from "../platform/paging.ts";
import { type DecisionOutcome, decideOnClaim, listClaims } from "./claims.ts";
import { claimPresetsShape } from "./claims-presets.ts";

const CODE_MAX_CHARS = 64;
/** Who asks for a code stands in no store yet: claims are no supplier's. */
const reading = { ...guarded(reads({})), tags: ["Pairing"] };
const changing = { ...guarded(OPERATE), tags: ["Pairing"] };

const claimSchema = z
  .object({
    id: z.uuid(),
    status: z.enum(["pending", "approved", "rejected", "used", "expired"]),
    asked_by: z.enum(["admin", "device"]),
    device_info: z.record(z.string(), z.unknown()).nullable(),
    has_key: z.boolean(),
    store_id: z.string().nullable(),
    group_id: z.string().nullable(),
    name: z.string().nullable(),
    device_id: z.string().nullable(),
    created_at: z.iso.datetime(),
    expires_at: z.iso.datetime(),
    decided_at: z.iso.datetime().nullable(),
    decided_by: z.string().nullable(),
    used_at: z.iso.datetime().nullable(),
    used_kid: z.string().nullable(),
  })
  .openapi("Claim");

const idParam = z.object({ id: z.uuid() });

const list = createRoute({
  ...reading,
  method: "get",
  path: "/v1/admin/claims",
  summary: "List claims, those that wait for a decision first",
  request: {
    query: z.strictObject({
      ...pageQuery,
      status: z.enum(["pending", "approved", "rejected", "used", "expired"]).optional(),
      claim_code: z.string().max(CODE_MAX_CHARS).optional().meta({ description: "The code that a screen shows" }),
    }),
  },
  responses: responses(200, "One page", pageSchema(claimSchema)),
});

const approve = createRoute({
  ...changing,
  method: "post",
  path: "/v1/admin/claims/{id}/approve",
  summary: "Approve a player's own claim",
  request: {
    params: idParam,
    body: { required: true, content: { "application/json": { schema: z.strictObject(claimPresetsShape) } } },
  },
  responses: responses(200, "The claim; its player is paired when it asks next", claimSchema),
});

const reject = createRoute({
  ...changing,
  method: "post",
  path: "/v1/admin/claims/{id}/reject",
  summary: "Reject a player's own claim",
  request: { params: idParam },
  responses: responses(200, "The claim", claimSchema),
});

/** What administrators see of claims, and decide. */
export const claimsRoutes = createRouter()
  .openapi(list, async (c) => {
    const { limit, cursor, ...filter } = c.req.valid("query");
    return c.json(await listClaims(c.env, filter, { limit, cursor }, Date.now()), 200);
  })
  .openapi(approve, async (c) => {
    const verdict = { status: "approved" as const, presets: c.req.valid("json") };
    const outcome = await decideOnClaim(c.env, c.req.valid("param").id, verdict, await deciderOf(c), Date.now());
    return c.json(outcome.claim, 200, replayHeader(outcome));
  })
  .openapi(reject, async (c) => {
    const outcome = await decideOnClaim(c.env, c.req.valid("param").id, { status: "rejected" }, await deciderOf(c), Date.now());
    return c.json(outcome.claim, 200, replayHeader(outcome));
  });

async function deciderOf(c: AppContext) {
  return { actor: c.get("actor"), idempotency: await readIdempotency(c) };
}

function replayHeader(outcome: DecisionOutcome): Record<string, string> {
  return outcome.replayed ? { "Idempotency-Replayed": "true" } : {};
}
