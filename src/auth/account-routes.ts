import { createRoute, z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { auditStatement } from "../audit/audit.ts";
import { idParams, noContent } from "../audit/routes.ts";
import { Problem } from "../platform/errors.ts";
import { nameField, timeField } from "../platform/fields.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { toIso } from "../platform/time.ts";
import { guarded, principalOf } from "./access.ts";
import { OWN, type Principal, ROLES, reads } from "./principal.ts";
import { endSessions, type SignedIn } from "./session.ts";
import { ownEntry } from "./sign-in.ts";
import { forgetCookie } from "./sign-in-routes.ts";
import { changeUser } from "./users.ts";

const PATH = "/v1/admin/me";
const MAX_SESSIONS_LISTED = 200;

/** Who one is may be asked by whoever is somebody. */
const anybody = { ...guarded(reads({ supplier: () => sql`TRUE`, brand: () => sql`TRUE` })), tags: ["Account"] };
const own = { ...guarded(OWN), tags: ["Account"] };

const meSchema = z
  .object({
    id: z.string(),
    kind: z.enum(["user", "token", "secret"]),
    name: z.string(),
    email: z.string().nullable(),
    role: z.enum(ROLES),
    scope: z.record(z.string(), z.unknown()).nullable(),
    two_factor_enabled: z.boolean().nullable(),
    session: z.object({ id: z.uuid(), created_at: timeField, expires_at: timeField }).nullable(),
  })
  .openapi("Me");

const sessionSchema = z
  .object({
    id: z.uuid(),
    current: z.boolean(),
    network: z.string().meta({ description: "From where: /24 of IPv4, /48 of IPv6.", example: "203.0.113.0/24" }),
    user_agent: z.string(),
    created_at: timeField,
    last_seen_at: timeField.meta({ description: "To some minutes." }),
    expires_at: timeField,
  })
  .openapi("Session");

/** One's own account. */
export const accountRoutes = createRouter();

accountRoutes.openapi(
  createRoute({ ...anybody, method: "get", path: PATH, summary: "Who one is", responses: responses(200, "Who sends this", meSchema) }),
  async (c) => c.json(await describe(c), 200),
);

accountRoutes.openapi(
  createRoute({
    ...own,
    method: "patch",
    path: PATH,
    summary: "Change one's own name",
    request: { body: { required: true, content: { "application/json": { schema: z.strictObject({ name: nameField }) } } } },
    responses: responses(200, "Who one is", meSchema),
  }),
  async (c) => {
    const signedIn = signedInOf(c);
    const { name } = c.req.valid("json");
    await changeUser({ db: c.env.DB, actor: c.get("actor"), now: Date.now() }, signedIn.id, { name }, undefined);
    return c.json(describeUser({ ...signedIn, name }, principalOf(c)), 200);
  },
);

accountRoutes.openapi(
  createRoute({
    ...own,
    method: "get",
    path: `${PATH}/sessions`,
    summary: "Where one is signed in",
    responses: responses(200, "One's sessions, the last used first", z.object({ items: z.array(sessionSchema) })),
  }),
  async (c) => {
    const { id, session_id } = signedInOf(c);
    const { results } = await c.env.DB.prepare(
      `SELECT id, network, user_agent, created_at, updated_at, expires_at FROM user_sessions
       WHERE user_id = ? AND expires_at > ? ORDER BY updated_at DESC, id LIMIT ${MAX_SESSIONS_LISTED}`,
    )
      .bind(id, Date.now())
      .all<{ id: string; network: string; user_agent: string; created_at: number; updated_at: number; expires_at: number }>();
    const items = results.map(({ created_at, updated_at, expires_at, ...session }) => ({
      ...session,
      current: session.id === session_id,
      created_at: toIso(created_at) ?? "",
      last_seen_at: toIso(updated_at) ?? "",
      expires_at: toIso(expires_at) ?? "",
    }));
    return c.json({ items }, 200);
  },
);

accountRoutes.openapi(
  createRoute({
    ...own,
    method: "delete",
    path: `${PATH}/sessions/{id}`,
    summary: "Sign out elsewhere",
    request: { params: idParams },
    responses: noContent("That session has ended"),
  }),
  async (c) => {
    const { id: userId, session_id } = signedInOf(c);
    const { id } = c.req.valid("param");
    const found = await c.env.DB.prepare("SELECT network, user_agent FROM user_sessions WHERE id = ? AND user_id = ?")
      .bind(id, userId)
      .first<{ network: string; user_agent: string }>();
    if (!found) throw new Problem("not-found", "You have no session with this id; it may have ended already.");
    await endSessions(c.env.DB, id, [
      c.env.DB.prepare("DELETE FROM user_sessions WHERE id = ?").bind(id),
      auditStatement(c.env.DB, ownEntry(userId, "end_session", { before: found }), Date.now()),
    ]);
    if (id === session_id) forgetCookie(c);
    return c.body(null, 204);
  },
);

accountRoutes.openapi(
  createRoute({
    ...own,
    method: "post",
    path: `${PATH}/sessions/revoke-all`,
    summary: "Sign out everywhere, here too",
    responses: responses(200, "All sessions have ended", z.object({ ended: z.int() })),
  }),
  async (c) => {
    const { id, session_id } = signedInOf(c);
    const ended = await endSessions(c.env.DB, session_id, [
      c.env.DB.prepare("DELETE FROM user_sessions WHERE user_id = ?").bind(id),
      auditStatement(c.env.DB, ownEntry(id, "sign_out_everywhere"), Date.now()),
    ]);
    forgetCookie(c);
    return c.json({ ended }, 200);
  },
);

function signedInOf(c: AppContext): SignedIn {
  const signedIn = c.get("signedIn");
  if (!signedIn) throw new Error("a route of one's own account let in who is not signed in");
  return signedIn;
}

type Me = z.infer<typeof meSchema>;

async function describe(c: AppContext): Promise<Me> {
  const principal = principalOf(c);
  const signedIn = c.get("signedIn");
  if (signedIn) return describeUser(signedIn, principal);
  const { id, kind } = principal;
  const token =
    kind === "token" ? await c.env.DB.prepare("SELECT name FROM api_tokens WHERE id = ?").bind(id).first<{ name: string }>() : null;
  return { ...rightsOf(principal), id, kind, name: token?.name ?? "ADMIN_TOKEN", email: null, two_factor_enabled: null, session: null };
}

function describeUser(signedIn: SignedIn, principal: Principal): Me {
  const { id, name, email, session_id, session_created_at, session_expires_at } = signedIn;
  const session = { id: session_id, created_at: toIso(session_created_at) ?? "", expires_at: toIso(session_expires_at) ?? "" };
  return { ...rightsOf(principal), id, kind: "user", name, email, two_factor_enabled: signedIn.two_factor_enabled === 1, session };
}

function rightsOf({ role, scope }: Principal): Pick<Me, "role" | "scope"> {
  return { role, scope: scope as Record<string, unknown> | null };
}
