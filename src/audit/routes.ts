import { createRoute, z } from "@hono/zod-openapi";
import type { SQL } from "drizzle-orm";
import { uuidv7 } from "uuidv7";
import { requireAdmin } from "../auth/admin.ts";
import { etagOf } from "../platform/etag.ts";
import { idField } from "../platform/fields.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { readIdempotency } from "../platform/idempotency.ts";
import { pageQuery, pageSchema } from "../platform/paging.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { type CreateOutcome, changeRow, createRow, findRow, listRows } from "./changes.ts";
import { type Filter, newRow, type Resource } from "./resource.ts";

export const idParams = z.object({ id: idField });

/** Headers that every POST of a resource may carry, for OpenAPI. */
export const createHeaders = z.object({
  "Idempotency-Key": z.string().optional().meta({ description: "The same key and body get the first answer again, for 24 hours." }),
});
const changeHeaders = z.object({
  "If-Match": z.string().optional().meta({ description: "The ETag that was read; 412 where it is no longer the row's." }),
});

/** What every administrator's route says of itself in OpenAPI, and who guards it. */
export const adminRoute = { security: [{ admin: [] }], middleware: [requireAdmin] };

/** The heading under which a resource's routes stand in the reference. */
export function tagOf({ plural }: Pick<Resource, "plural">): string {
  return plural.charAt(0).toUpperCase() + plural.slice(1);
}

/** The four routes of a resource: create, list, get, change. */
export function resourceRouter(resource: Resource) {
  const router = createRouter();
  const { path } = resource;
  const label = resource.noun.replaceAll("_", " ");
  const common = { ...adminRoute, tags: [tagOf(resource)] };
  const item = `${path}/{id}`;

  router.openapi(
    createRoute({
      ...common,
      method: "post",
      path,
      summary: `Create a ${label}`,
      request: { headers: createHeaders, body: { required: true, content: { "application/json": { schema: resource.create } } } },
      responses: responses(201, `The ${label} as it was made`, resource.answer),
    }),
    async (c) => {
      const body: Row = c.req.valid("json");
      const now = Date.now();
      const row = newRow(resource.table, body, typeof body.id === "string" ? body.id : uuidv7(), now, resource.initial?.(now));
      const outcome = await createRow({ db: c.env.DB, actor: c.get("actor"), now }, resource, row, await readIdempotency(c));
      if (outcome.effects) deliverSoon(c, resource);
      return c.json(outcome.shown, 201, createdHeaders(path, outcome));
    },
  );

  const querySchema = listQuery(resource.filters);
  router.openapi(
    createRoute({
      ...common,
      method: "get",
      path,
      summary: `List ${resource.plural}`,
      request: { query: querySchema },
      responses: responses(200, `A page of ${resource.plural}, by id`, pageSchema(resource.answer)),
    }),
    async (c) => {
      const query = c.req.valid("query");
      const page = await listRows(c.env.DB, resource.table, query, conditionsOf(resource.filters, query));
      return c.json({ ...page, items: page.items.map((row) => presentRow(row, resource.hidden)) }, 200);
    },
  );

  router.openapi(
    createRoute({
      ...common,
      method: "get",
      path: item,
      summary: `Get a ${label}`,
      request: { params: idParams },
      responses: responses(200, `The ${label}`, resource.answer),
    }),
    async (c) => await answerRow(c, resource, await findRow(c.env.DB, resource, c.req.valid("param").id)),
  );

  router.openapi(
    createRoute({
      ...common,
      method: "patch",
      path: item,
      summary: `Change a ${label}`,
      request: {
        params: idParams,
        headers: changeHeaders,
        body: { required: true, content: { "application/json": { schema: resource.change } } },
      },
      responses: responses(200, `The ${label} as it is now`, resource.answer),
    }),
    async (c) => {
      const change = { db: c.env.DB, actor: c.get("actor"), now: Date.now() };
      const { id } = c.req.valid("param");
      const { row, effects } = await changeRow(change, resource, id, c.req.valid("json"), c.req.header("If-Match"));
      if (effects) deliverSoon(c, resource);
      return await answerRow(c, resource, row);
    },
  );
  return router;
}

function deliverSoon(c: AppContext, resource: Resource): void {
  if (resource.deliver) c.executionCtx.waitUntil(resource.deliver(c.env));
}

async function answerRow(c: AppContext, resource: Resource, row: Row) {
  const detail = (await resource.detail?.(c.env.DB, row)) ?? {};
  return c.json({ ...presentRow(row, resource.hidden), ...detail }, 200, { ETag: etagOf(Number(row.version)) });
}

/** The headers of a POST's answer: where the thing is, its ETag, and whether this answer was given before. */
export function createdHeaders(path: string, { shown, replayed }: CreateOutcome): Record<string, string> {
  return {
    Location: `${path}/${shown.id}`,
    ETag: etagOf(Number(shown.version ?? 1)),
    ...(replayed ? { "Idempotency-Replayed": "true" } : {}),
  };
}

/** The query of a list: paging and the filters; anything else is refused by name. */
export function listQuery(filters: Record<string, Filter>) {
  return z.strictObject({ ...pageQuery, ...Object.fromEntries(Object.entries(filters).map(([name, filter]) => [name, filter.schema])) });
}

/** The conditions that the given ones of a list's filters make. */
export function conditionsOf(filters: Record<string, Filter>, query: Row): SQL[] {
  return Object.entries(filters).flatMap(([name, filter]) => (query[name] === undefined ? [] : [filter.where(query[name])]));
}
