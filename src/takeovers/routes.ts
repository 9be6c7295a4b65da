import { createRoute } from "@hono/zod-openapi";
import { uuidv7 } from "uuidv7";
import { createRow, listRows } from "../audit/changes.ts";
import { newRow } from "../audit/resource.ts";
import { conditionsOf, createdHeaders, createHeaders, idParams, listQuery, tagOf } from "../audit/routes.ts";
import { guarded } from "../auth/access.ts";
import { OPERATE, reads } from "../auth/principal.ts";
import { createRouter, responses } from "../platform/http.ts";
import { readIdempotency } from "../platform/idempotency.ts";
import { pageSchema } from "../platform/paging.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { parseInstant } from "../platform/time.ts";
import { findTakeover, liftTakeover } from "./lift.ts";
import { takeovers } from "./tables.ts";
import { showTakeover, takeoverCreateSchema, takeoverResource, takeoverSchema } from "./takeovers.ts";

const PATH = takeoverResource.path;
const tags = [tagOf(takeoverResource)];
const reading = { ...guarded(reads(takeoverResource.visible)), tags };
const changing = { ...guarded(OPERATE), tags };

/** Emergency messages: begun, looked at, lifted. Never changed, so that what was shown stays on record. */
export const takeoverRoutes = createRouter();

takeoverRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: PATH,
    summary: "Start a takeover",
    description:
      "From now on it stands in place of every plan of its target; a device hears of it with its next heartbeat. Of several that reach a device, the one that was started last is shown. Its plays are never billed.",
    request: { headers: createHeaders, body: { required: true, content: { "application/json": { schema: takeoverCreateSchema } } } },
    responses: responses(201, "The takeover, which is on", takeoverSchema),
  }),
  async (c) => {
    const { ends_at, target_id, ...body } = c.req.valid("json");
    const now = Date.now();
    const actor = c.get("actor");
    const given = { started_at: now, ends_at: ends_at ? parseInstant(ends_at) : null, created_by: actor };
    const row = newRow(takeovers, { ...body, target_id: target_id ?? "" }, uuidv7(), now, given);
    const outcome = await createRow({ db: c.env.DB, actor, now }, takeoverResource, row, await readIdempotency(c));
    return c.json(showTakeover(outcome.shown, now), 201, createdHeaders(PATH, outcome));
  },
);

takeoverRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: PATH,
    summary: "List takeovers, newest first",
    request: { query: listQuery(takeoverResource.filters) },
    responses: responses(200, "A page of takeovers", pageSchema(takeoverSchema)),
  }),
  async (c) => {
    const query: Row = c.req.valid("query");
    const page = { limit: Number(query.limit), ...(typeof query.cursor === "string" ? { cursor: query.cursor } : {}) };
    const { items, next_cursor } = await listRows(c.env.DB, takeovers, page, conditionsOf(takeoverResource.filters, query), "newest");
    const now = Date.now();
    return c.json({ items: items.map((row) => showTakeover(presentRow(row), now)), next_cursor }, 200);
  },
);

takeoverRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: `${PATH}/{id}`,
    summary: "Get a takeover",
    request: { params: idParams },
    responses: responses(200, "The takeover", takeoverSchema),
  }),
  async (c) => c.json(showTakeover(presentRow(await findTakeover(c.env.DB, c.req.valid("param").id)), Date.now()), 200),
);

takeoverRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: `${PATH}/{id}/lift`,
    summary: "Lift a takeover",
    description:
      "Screens go back to what they would play without it, with their next heartbeat. Lifting twice changes nothing and has the same answer; one that ended by itself is refused with 409 and code TAKEOVER_ENDED.",
    request: { params: idParams },
    responses: responses(200, "The takeover, which is over", takeoverSchema),
  }),
  async (c) => {
    const now = Date.now();
    const lifted = await liftTakeover({ db: c.env.DB, actor: c.get("actor"), now }, c.req.valid("param").id);
    return c.json(showTakeover(presentRow(lifted), now), 200);
  },
);
