import { createRoute, z } from "@hono/zod-openapi";
import { findRow, listRows, refuseFields } from "../audit/changes.ts";
import { conditionsOf, createHeaders, idParams, listQuery } from "../audit/routes.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { readIdempotency } from "../platform/idempotency.ts";
import { pageSchema } from "../platform/paging.ts";
import type { Row } from "../platform/rows.ts";
import { guarded } from "./access.ts";
import {
  INVITATIONS_PATH,
  invitationResource,
  invitationSchema,
  type LinkAsked,
  makeLink,
  presentLink,
  requireEnabledUser,
  requireNewcomer,
  requireNobody,
  revokeLink,
} from "./invitations.ts";
import { linkOf } from "./links.ts";
import { ADMINISTER, USER_ROLES, type ViewerScope } from "./principal.ts";
import { viewerScopeSchema } from "./scope.ts";
import { emailField } from "./sign-in-routes.ts";
import { USERS_PATH } from "./users.ts";

const common = { ...guarded(ADMINISTER), tags: ["Invitations"] };

const once = {
  link: z.string().optional().meta({ description: "To be sent to whom it is for. Shown once, as the token in it: neither is kept." }),
  token: z.string().optional(),
};
const madeSchema = invitationSchema.extend(once).openapi("InvitationMade");

const inviteSchema = z
  .strictObject({
    email: emailField,
    role: z.enum(USER_ROLES),
    scope: viewerScopeSchema.nullable().optional().meta({ description: "For viewers. Absent or null: they see the whole network." }),
  })
  .openapi("InvitationCreate");

/** Links by which people come in and set their passwords. For role admin alone. */
export const invitationRoutes = createRouter();

invitationRoutes.openapi(
  createRoute({
    ...common,
    method: "post",
    path: INVITATIONS_PATH,
    summary: "Invite somebody",
    description: "Nothing is sent by e-mail: send the link in the answer yourself. It is good once, for seven days.",
    request: { headers: createHeaders, body: { required: true, content: { "application/json": { schema: inviteSchema } } } },
    responses: responses(201, "The invitation, with its link", madeSchema),
  }),
  async (c) => {
    const { email, role, scope } = c.req.valid("json");
    refuseFields(scope && role !== "viewer" ? [{ pointer: "/scope", detail: "is for viewers; other roles see everything" }] : []);
    await requireNewcomer(c.env.DB, email);
    return await answerMade(c, { kind: "invitation", email, role, scope: (scope ?? null) as ViewerScope | null });
  },
);

invitationRoutes.openapi(
  createRoute({
    ...common,
    method: "post",
    path: `${INVITATIONS_PATH}/setup`,
    summary: "Make the link of the first administrator",
    description: "For who sets the product up, with the secret ADMIN_TOKEN. Good once, for a day, and only while there is no user.",
    responses: responses(201, "The link", madeSchema),
  }),
  async (c) => {
    await requireNobody(c.env.DB);
    return await answerMade(c, { kind: "setup", role: "admin" });
  },
);

invitationRoutes.openapi(
  createRoute({
    ...common,
    method: "post",
    path: `${USERS_PATH}/{id}/reset-password`,
    summary: "Make a link by which a user sets a new password",
    description: "For somebody who forgot theirs, which works until the link is used. Good once, for a day.",
    request: { params: idParams },
    responses: responses(201, "The link", madeSchema),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    const { role } = await requireEnabledUser(c.env.DB, id);
    return await answerMade(c, { kind: "reset", user_id: id, role });
  },
);

const query = listQuery(invitationResource.filters);

invitationRoutes.openapi(
  createRoute({
    ...common,
    method: "get",
    path: INVITATIONS_PATH,
    summary: "List invitations, newest first",
    request: { query },
    responses: responses(200, "A page of invitations", pageSchema(invitationSchema)),
  }),
  async (c) => {
    const asked: Row = c.req.valid("query");
    const now = Date.now();
    const page = { limit: Number(asked.limit), ...(typeof asked.cursor === "string" ? { cursor: asked.cursor } : {}) };
    const terms = conditionsOf(invitationResource.filters, asked);
    const { items, next_cursor } = await listRows(c.env.DB, invitationResource.table, page, terms, "newest");
    return c.json({ items: items.map((row) => presentLink(row, now)), next_cursor }, 200);
  },
);

invitationRoutes.openapi(
  createRoute({
    ...common,
    method: "get",
    path: `${INVITATIONS_PATH}/{id}`,
    summary: "Get an invitation",
    request: { params: idParams },
    responses: responses(200, "The invitation, but for its link", invitationSchema),
  }),
  async (c) => c.json(presentLink(await findRow(c.env.DB, invitationResource, c.req.valid("param").id), Date.now()), 200),
);

invitationRoutes.openapi(
  createRoute({
    ...common,
    method: "post",
    path: `${INVITATIONS_PATH}/{id}/revoke`,
    summary: "Take an invitation back",
    request: { params: idParams },
    responses: responses(200, "The invitation; its link leads nowhere any more", invitationSchema),
  }),
  async (c) => {
    const change = { db: c.env.DB, actor: c.get("actor"), now: Date.now() };
    return c.json(presentLink(await revokeLink(change, c.req.valid("param").id), change.now), 200);
  },
);

async function answerMade(c: AppContext, asked: LinkAsked) {
  const change = { db: c.env.DB, actor: c.get("actor"), now: Date.now() };
  const { shown, token, outcome } = await makeLink(change, asked, await readIdempotency(c));
  const once = token === null ? {} : { token, link: linkOf(shown.kind, token, new URL(c.req.url).origin) };
  const headers = { Location: `${INVITATIONS_PATH}/${shown.id}`, ...(outcome.replayed ? { "Idempotency-Replayed": "true" } : {}) };
  return c.json({ ...shown, ...once }, 201, headers);
}
