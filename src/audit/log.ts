import { createRoute, z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { timeField } from "../platform/fields.ts";
import { createRouter, responses } from "../platform/http.ts";
import { pageSchema } from "../platform/paging.ts";
import { presentRow } from "../platform/rows.ts";
import { listRows } from "./changes.ts";
import { equals, type Filter } from "./resource.ts";
import { adminRoute, conditionsOf, listQuery } from "./routes.ts";
import { auditLog } from "./tables.ts";

const word = z.string().min(1).max(100);
const instant = z.iso.datetime({ offset: true });

/** `from` is inside, `to` is not. */
const filters: Record<string, Filter> = {
  target_type: equals(auditLog.target_type, word),
  target_id: equals(auditLog.target_id, word),
  action: equals(auditLog.action, word),
  actor_user_id: equals(auditLog.actor_user_id, word),
  from: { schema: instant.optional(), where: (value) => sql`${auditLog.created_at} >= ${Date.parse(String(value))}` },
  to: { schema: instant.optional(), where: (value) => sql`${auditLog.created_at} < ${Date.parse(String(value))}` },
};

const entrySchema = z
  .object({
    id: z.uuid(),
    actor_user_id: z.string(),
    action: z.string(),
    target_type: z.string(),
    target_id: z.string(),
    created_at: timeField,
    details: z.record(z.string(), z.unknown()),
  })
  .openapi("AuditEntry");

/** What administrators changed, newest first. */
export const auditRoutes = createRouter();

auditRoutes.openapi(
  createRoute({
    ...adminRoute,
    tags: ["Audit log"],
    method: "get",
    path: "/v1/admin/audit-log",
    summary: "List administrators' changes",
    request: { query: listQuery(filters) },
    responses: responses(200, "A page of entries, newest first", pageSchema(entrySchema)),
  }),
  async (c) => {
    const query = c.req.valid("query");
    const page = await listRows(c.env.DB, auditLog, query, conditionsOf(filters, query), "newest");
    return c.json({ ...page, items: page.items.map((row) => presentRow(row) as z.infer<typeof entrySchema>) }, 200);
  },
);
