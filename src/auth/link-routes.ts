import { createRoute, z } from "@hono/zod-openapi";
import { nameField, timeField } from "../platform/fields.ts";
import { createRouter, responses } from "../platform/http.ts";
import { toIso } from "../platform/time.ts";
import { acceptLink } from "./accept.ts";
import { findOpenLink } from "./links.ts";
import { USER_ROLES } from "./principal.ts";
import { emailField, passwordField } from "./sign-in-routes.ts";

const TOKEN_MAX_CHARS = 128;
const tokenField = z.string().max(TOKEN_MAX_CHARS).meta({ description: "Of the link" });
const description = "For the console's pages: from the same origin, with the header X-Requested-With: alive-console.";

/** What somebody does who follows a link, and is nobody yet. */
export const linkRoutes = createRouter();

linkRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/invitations/look",
    tags: ["Sign-in"],
    summary: "See what a link is for",
    description,
    request: { body: { required: true, content: { "application/json": { schema: z.strictObject({ token: tokenField }) } } } },
    responses: responses(
      200,
      "What it is for",
      z.object({
        kind: z.enum(["setup", "invitation", "reset"]),
        email: z.string().nullable(),
        name: z.string().nullable(),
        role: z.enum(USER_ROLES),
        scope: z.record(z.string(), z.unknown()).nullable(),
        expires_at: timeField,
      }),
    ),
  }),
  async (c) => {
    const link = await findOpenLink(c.env.DB, c.req.valid("json").token, Date.now());
    const user =
      link.user_id === null
        ? null
        : await c.env.DB.prepare("SELECT name, email FROM users WHERE id = ?").bind(link.user_id).first<{ name: string; email: string }>();
    const scope = link.scope_json === null ? null : (JSON.parse(link.scope_json) as Record<string, unknown>);
    const { kind, role } = link;
    const whom = { email: user?.email ?? link.email, name: user?.name ?? null };
    return c.json({ kind, ...whom, role, scope, expires_at: toIso(link.expires_at) ?? "" }, 200);
  },
);

linkRoutes.openapi(
  createRoute({
    method: "post",
    path: "/v1/invitations/accept",
    tags: ["Sign-in"],
    summary: "Set a password by a link",
    description: `${description} It signs nobody in: sign in with the new password next.`,
    request: {
      body: {
        required: true,
        content: {
          "application/json": {
            schema: z.strictObject({
              token: tokenField,
              password: passwordField.meta({ description: "12 characters at least" }),
              name: nameField.optional().meta({ description: "Of somebody new", example: "Ann Nguyen" }),
              email: emailField.optional().meta({ description: "Of the first administrator" }),
            }),
          },
        },
      },
    },
    responses: responses(
      201,
      "The password is set",
      z.object({ id: z.uuid(), name: z.string(), email: z.string(), role: z.enum(USER_ROLES) }),
    ),
  }),
  async (c) => {
    const { id, name, email, role } = await acceptLink(c.env.DB, c.req.valid("json"), Date.now());
    return c.json({ id, name, email, role }, 201);
  },
);
