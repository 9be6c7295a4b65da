import { createRoute, z } from "@hono/zod-openapi";
import type { SQL } from "drizzle-orm";
import { uuidv7 } from "uuidv7";
import { guarded, principalOf, viewerScope } from "../auth/access.ts";
import { OPERATE, reads, scopeTerms } from "../auth/principal.ts";
import { Problem } from "../platform/errors.ts";
import { etagOf } from "../platform/etag.ts";
import { idField } from "../platform/fields.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { readIdempotency } from "../platform/idempotency.ts";
import { pageQuery, pageSchema } from "../platform/paging.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { type CreateOutcome, changeRow, createRow, findVisible, listRows } from "./changes.ts";
import { deleteRow } from "./delete.ts";
import { type Filter, labelOf, newRow, type Resource } from "./resource.ts";

export const idParams = z.object({ id: idField });

/** Headers that every POST of a resource may carry, for OpenAPI. */
export const createHeaders = z.object({
  "Idempotency-Key": z.string().optional().meta({ description: "The same key and body get the first answer again, for 24 hours." }),
});
export const changeHeaders = z.object({
  "If-Match": z.string().optional().meta({ description: "The ETag that was read; 412 where it is no longer the row's." }),
});

/** The heading under which a resource's routes stand in the reference. */
export function tagOf({ plural }: Pick<Resource, "plural">): string {
  return plural.charAt(0).toUpperCase() + plural.slice(1);
}

/** The routes of a resource: create, list, get, change, and delete where there is that. */
export function resourceRouter(resource: Resource) {
  const router = createRouter();
  addCreate(router, resource);
  addList(router, resource);
  addGet(router, resource);
  addChange(router, resource);
  if (resource.deletable) addDelete(router, resource);
  return router;
}

type Router = ReturnType<typeof createRouter>;

function readingOf(resource: Resource) {
  return { ...guarded(reads(resource.visible)), tags: [tagOf(resource)] };
}

function changingOf(resource: Resource) {
  return { ...guarded(OPERATE), tags: [tagOf(resource)] };
}

/** @throws Problem `forbidden` for a field that only role admin may send. */
function refuseAdministered(c: AppContext, resource: Resource, body: Row): void {
  if (principalOf(c).role === "admin") return;
  const errors = (resource.administered ?? [])
    .filter((field) => body[field] !== undefined)
    .map((field) => ({ pointer: `/${field}`, detail: "Only role admin may set this; leave it out." }));
  const [first] = errors;
  if (first) throw new Problem("forbidden", `${first.pointer}: ${first.detail}`, { errors });
}

function addCreate(router: Router, resource: Resource): void {
  const route = createRoute({
    ...changingOf(resource),
    method: "post",
    path: resource.path,
    summary: `Create: ${labelOf(resource)}`,
    request: { headers: createHeaders, body: { required: true, content: { "application/json": { schema: resource.create } } } },
    responses: responses(201, `The ${labelOf(resource)} as it was made`, resource.created ?? resource.answer),
  });
  router.openapi(route, async (c) => {
    const body: Row = c.req.valid("json");
    refuseAdministered(c, resource, body);
    const now = Date.now();
    const row = newRow(resource.table, body, typeof body.id === "string" ? body.id : uuidv7(), now, resource.initial?.(now));
    const outcome = await createRow({ db: c.env.DB, actor: c.get("actor"), now }, resource, row, await readIdempotency(c));
    if (outcome.effects) deliverSoon(c, resource);
    const revealed = (await resource.revealed?.(c.env, outcome.shown)) ?? {};
    return c.json({ ...outcome.shown, ...revealed }, 201, createdHeaders(resource.path, outcome));
  });
}

function addList(router: Router, resource: Resource): void {
  const route = createRoute({
    ...readingOf(resource),
    method: "get",
    path: resource.path,
    summary: `List ${resource.plural}`,
    request: { query: listQuery(resource.filters) },
    responses: responses(200, `A page of ${resource.plural}, by id`, pageSchema(resource.answer)),
  });
  router.openapi(route, async (c) => {
    const query = c.req.valid("query");
    const conditions = [...conditionsOf(resource.filters, query), ...scopeTerms(viewerScope(c), resource.visible)];
    const page = await listRows(c.env.DB, resource.table, query, conditions);
    return c.json({ ...page, items: page.items.map((row) => presentRow(row, resource.hidden)) }, 200);
  });
}

function addGet(router: Router, resource: Resource): void {
  const route = createRoute({
    ...readingOf(resource),
    method: "get",
    path: `${resource.path}/{id}`,
    summary: `Get: ${labelOf(resource)}`,
    request: { params: idParams },
    responses: responses(200, `The ${labelOf(resource)}`, resource.answer),
  });
  router.openapi(route, async (c) => {
    return await answerRow(c, resource, await findVisible(c.env.DB, resource, c.req.valid("param").id, viewerScope(c)));
  });
}

function addChange(router: Router, resource: Resource): void {
  const body = { required: true, content: { "application/json": { schema: resource.change } } };
  const route = createRoute({
    ...changingOf(resource),
    method: "patch",
    path: `${resource.path}/{id}`,
    summary: `Change: ${labelOf(resource)}`,
    request: { params: idParams, headers: changeHeaders, body },
    responses: responses(200, `The ${labelOf(resource)} as it is now`, resource.answer),
  });
  router.openapi(route, async (c) => {
    const change = { db: c.env.DB, actor: c.get("actor"), now: Date.now() };
    const { id } = c.req.valid("param");
    const asked: Row = c.req.valid("json");
    refuseAdministered(c, resource, asked);
    const { row, effects } = await changeRow(change, resource, id, asked, c.req.header("If-Match"));
    if (effects) deliverSoon(c, resource);
    return await answerRow(c, resource, row);
  });
}

function addDelete(router: Router, resource: Resource): void {
  const route = createRoute({
    ...changingOf(resource),
    method: "delete",
    path: `${resource.path}/{id}`,
    summary: `Delete: ${labelOf(resource)}`,
    description: "Refused with 409 and code IN_USE while it is used: used_by lists by what. The audit log keeps what it was.",
    request: { params: idParams, headers: changeHeaders },
    responses: noContent("It is gone"),
  });
  router.openapi(route, async (c) => {
    const change = { db: c.env.DB, actor: c.get("actor"), now: Date.now() };
    const { effects } = await deleteRow(change, resource, c.req.valid("param").id, c.req.header("If-Match"));
    if (effects) deliverSoon(c, resource);
    return c.body(null, 204);
  });
}

/** The OpenAPI responses of a route that answers without a body. */
export function noContent(description: string) {
  const { default: problem } = responses(200, "", z.unknown());
  return { 204: { description }, default: problem };
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
