import { createRoute } from "@hono/zod-openapi";
import { findRow, listRows } from "../audit/changes.ts";
import { changeHeaders, conditionsOf, idParams, listQuery, noContent } from "../audit/routes.ts";
import { etagOf } from "../platform/etag.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { pageSchema } from "../platform/paging.ts";
import type { Row } from "../platform/rows.ts";
import { guarded } from "./access.ts";
import { ADMINISTER } from "./principal.ts";
import { changeUser, presentUser, resetSecondFactor, USERS_PATH, userChangeSchema, userResource, userSchema } from "./users.ts";

const common = { ...guarded(ADMINISTER), tags: ["Users"] };

/** People who sign in: listed, changed, disabled. For role admin alone. */
export const userRoutes = createRouter();

userRoutes.openapi(
  createRoute({
    ...common,
    method: "get",
    path: USERS_PATH,
    summary: "List users",
    request: { query: listQuery(userResource.filters) },
    responses: responses(200, "A page of users, by id", pageSchema(userSchema)),
  }),
  async (c) => {
    const query: Row = c.req.valid("query");
    const page = { limit: Number(query.limit), ...(typeof query.cursor === "string" ? { cursor: query.cursor } : {}) };
    const { items, next_cursor } = await listRows(c.env.DB, userResource.table, page, conditionsOf(userResource.filters, query));
    return c.json({ items: items.map(presentUser), next_cursor }, 200);
  },
);

userRoutes.openapi(
  createRoute({
    ...common,
    method: "get",
    path: `${USERS_PATH}/{id}`,
    summary: "Get a user",
    request: { params: idParams },
    responses: responses(200, "The user", userSchema),
  }),
  async (c) => answerUser(c, await findRow(c.env.DB, userResource, c.req.valid("param").id)),
);

userRoutes.openapi(
  createRoute({
    ...common,
    method: "patch",
    path: `${USERS_PATH}/{id}`,
    summary: "Change a user",
    description:
      "It holds at their next request. Another role than viewer takes the scope away; disabling ends their sessions. Of the last " +
      "administrator neither role nor disabled can be changed: 409, code LAST_ADMINISTRATOR.",
    request: {
      params: idParams,
      headers: changeHeaders,
      body: { required: true, content: { "application/json": { schema: userChangeSchema } } },
    },
    responses: responses(200, "The user as they are now", userSchema),
  }),
  async (c) => {
    const body = c.req.valid("json");
    return answerUser(c, await changeUser(changeOf(c), c.req.valid("param").id, body, c.req.header("If-Match")));
  },
);

userRoutes.openapi(
  createRoute({
    ...common,
    method: "delete",
    path: `${USERS_PATH}/{id}`,
    summary: "Disable a user and end their sessions",
    description: "Nobody is deleted: the audit log names them. PATCH with disabled false takes it back.",
    request: { params: idParams, headers: changeHeaders },
    responses: noContent("They are disabled"),
  }),
  async (c) => {
    await changeUser(changeOf(c), c.req.valid("param").id, { disabled: true }, c.req.header("If-Match"));
    return c.body(null, 204);
  },
);

userRoutes.openapi(
  createRoute({
    ...common,
    method: "post",
    path: `${USERS_PATH}/{id}/reset-two-factor`,
    summary: "Take a user's second factor away",
    description: "For somebody who lost it. Their sessions end; they sign in by the password alone, and can set up another.",
    request: { params: idParams },
    responses: responses(200, "The user as they are now", userSchema),
  }),
  async (c) => answerUser(c, await resetSecondFactor(changeOf(c), c.req.valid("param").id)),
);

function changeOf(c: AppContext) {
  return { db: c.env.DB, actor: c.get("actor"), now: Date.now() };
}

function answerUser(c: AppContext, row: Row) {
  return c.json(presentUser(row), 200, { ETag: etagOf(Number(row.version)) });
}
