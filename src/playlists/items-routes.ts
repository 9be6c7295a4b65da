import { createRoute, z } from "@hono/zod-openapi";
import { uuidv7 } from "uuidv7";
import { findVisible } from "../audit/changes.ts";
import { changeHeaders, createHeaders, idParams, noContent, tagOf } from "../audit/routes.ts";
import { guarded, viewerScope } from "../auth/access.ts";
import { OPERATE, reads } from "../auth/principal.ts";
import { Problem } from "../platform/errors.ts";
import { etagOf } from "../platform/etag.ts";
import { idField } from "../platform/fields.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { readIdempotency } from "../platform/idempotency.ts";
import { decodeCursor, pageOf, pageQuery, pageSchema } from "../platform/paging.ts";
import { HOUR_MS, SECOND_MS } from "../platform/time.ts";
import { addItem, changeItem, ITEM_WEIGHT_MAX, PLAYLIST_MAX_ITEMS, removeItem, replaceItems } from "./items.ts";
import { changeItems, type ItemsRequest } from "./items-commit.ts";
import { itemSchema, readItemsBehind, type ShownItem } from "./items-read.ts";
import { playlistResource } from "./playlists.ts";

const PATH = `${playlistResource.path}/{id}/items`;
/** No play is longer: a play log of more is refused. */
const ITEM_MAX_MS = 4 * HOUR_MS;

const changeable = {
  weight: z
    .int()
    .min(1)
    .max(ITEM_WEIGHT_MAX)
    .optional()
    .meta({ description: "How often it appears in one round, evenly spread. Default: 1." }),
  duration_ms: z
    .int()
    .min(SECOND_MS)
    .max(ITEM_MAX_MS)
    .nullable()
    .optional()
    .meta({ description: "How long an image or a page plays; 10 s where none is given. A video plays for its own length." }),
};
const place = z.int().min(0).optional().meta({ description: "From 0. Default: the end." });

const givenItem = { content_version_id: idField, ...changeable };
const listSchema = z
  .strictObject({
    items: z
      .array(
        z.strictObject({ id: idField.optional().meta({ description: "Of an item that is there already; it keeps it." }), ...givenItem }),
      )
      .max(PLAYLIST_MAX_ITEMS),
  })
  .openapi("PlaylistItems");
const addSchema = z.strictObject({ ...givenItem, order_index: place }).openapi("PlaylistItemCreate");
const changeSchema = z.strictObject({ ...changeable, order_index: z.int().min(0).optional() }).openapi("PlaylistItemChange");

const wholeList = z.object({ items: z.array(itemSchema), version: z.int().meta({ description: "The playlist's" }) });
const tags = [tagOf(playlistResource)];
const reading = { ...guarded(reads(playlistResource.visible)), tags };
const changing = { ...guarded(OPERATE), tags };
const itemParams = idParams.extend({ item_id: idField });
const jsonBody = <T extends z.ZodType>(schema: T) => ({ required: true, content: { "application/json": { schema } } });

/** The items of a playlist. Their ETag is the playlist's: a change of an item is a change of it. */
export const playlistItemRoutes = createRouter();

playlistItemRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: PATH,
    summary: "List a playlist's items",
    request: { params: idParams, query: z.strictObject(pageQuery) },
    responses: responses(200, "A page of items, in their order", pageSchema(itemSchema)),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    const { limit, cursor } = c.req.valid("query");
    const playlist = await findVisible(c.env.DB, playlistResource, id, viewerScope(c));
    const items = await readItemsBehind(c.env.DB, id, readPlace(cursor), limit + 1);
    const page = pageOf(items, limit, (item) => String(item.order_index));
    return c.json(page, 200, { ETag: etagOf(Number(playlist.version)) });
  },
);

playlistItemRoutes.openapi(
  createRoute({
    ...changing,
    method: "put",
    path: PATH,
    summary: "Replace or reorder a playlist's items",
    description:
      "The whole list in its new order, in one call. Items that are named by id stay what they are; those that are not named go. Send If-Match.",
    request: { params: idParams, headers: changeHeaders, body: jsonBody(listSchema) },
    responses: responses(200, "All items, in their new order", wholeList),
  }),
  async (c) => {
    const { items } = c.req.valid("json");
    const request = { action: "playlist.items.replace", change: replaceItems(items, uuidv7), pointer: (at: number) => `/items/${at}` };
    const result = await change(c, c.req.valid("param").id, request);
    return c.json({ items: result.items, version: result.version }, 200, { ETag: etagOf(result.version) });
  },
);

playlistItemRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: PATH,
    summary: "Add an item to a playlist",
    request: { params: idParams, headers: createHeaders.extend(changeHeaders.shape), body: jsonBody(addSchema) },
    responses: responses(201, "The item as it was made", itemSchema),
  }),
  async (c) => {
    const { order_index, ...given } = c.req.valid("json");
    const { id } = c.req.valid("param");
    const itemId = uuidv7();
    const made = (items: ShownItem[]) => items.find((item) => item.id === itemId);
    const idempotent = await readIdempotency(c);
    const result = await change(c, id, {
      action: "playlist.items.add",
      change: addItem(given, itemId, order_index),
      pointer: () => "",
      idempotency: idempotent && { request: idempotent, answer: made },
    });
    const item = result.replayed === null ? requireItem(made(result.items)) : (JSON.parse(result.replayed) as ShownItem);
    const replayed = result.replayed === null ? {} : { "Idempotency-Replayed": "true" };
    return c.json(item, 201, { Location: `${playlistResource.path}/${id}/items/${item.id}`, ETag: etagOf(result.version), ...replayed });
  },
);

playlistItemRoutes.openapi(
  createRoute({
    ...changing,
    method: "patch",
    path: `${PATH}/{item_id}`,
    summary: "Change or move an item of a playlist",
    request: { params: itemParams, headers: changeHeaders, body: jsonBody(changeSchema) },
    responses: responses(200, "The item as it is now", itemSchema),
  }),
  async (c) => {
    const { id, item_id } = c.req.valid("param");
    const request = { action: "playlist.items.change", change: changeItem(item_id, c.req.valid("json")), pointer: () => "" };
    const result = await change(c, id, request);
    return c.json(requireItem(result.items.find((item) => item.id === item_id)), 200, { ETag: etagOf(result.version) });
  },
);

playlistItemRoutes.openapi(
  createRoute({
    ...changing,
    method: "delete",
    path: `${PATH}/{item_id}`,
    summary: "Take an item out of a playlist",
    request: { params: itemParams, headers: changeHeaders },
    responses: noContent("It is taken out"),
  }),
  async (c) => {
    const { id, item_id } = c.req.valid("param");
    const result = await change(c, id, { action: "playlist.items.remove", change: removeItem(item_id), pointer: () => "" });
    return c.body(null, 204, { ETag: etagOf(result.version) });
  },
);

async function change(c: AppContext, playlistId: string, request: Omit<ItemsRequest, "playlistId" | "ifMatch">) {
  const by = { db: c.env.DB, actor: c.get("actor"), now: Date.now() };
  return await changeItems(by, { ...request, playlistId, ifMatch: c.req.header("If-Match") });
}

function requireItem(item: ShownItem | undefined): ShownItem {
  if (!item) throw new Problem("not-found", "This playlist has no item with this id.");
  return item;
}

/** The place behind which a page begins; before the first without a cursor. */
function readPlace(cursor: string | undefined): number {
  const key = decodeCursor(cursor);
  if (key === null) return -1;
  if (/^\d{1,6}$/.test(key)) return Number(key);
  const detail = "Not a cursor of this list; begin without one.";
  throw new Problem("validation-error", `/cursor: ${detail}`, { code: "INVALID_CURSOR", errors: [{ pointer: "/cursor", detail }] });
}
