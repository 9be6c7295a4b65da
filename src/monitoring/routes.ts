import { createRoute, z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { findVisible, listRows } from "../audit/changes.ts";
import { equals, type Filter } from "../audit/resource.ts";
import { changeHeaders, conditionsOf, idParams, listQuery } from "../audit/routes.ts";
import { guarded, viewerScope } from "../auth/access.ts";
import { OPERATE, reads, scopeTerms } from "../auth/principal.ts";
import { ofVisibleDevice } from "../devices/visible.ts";
import { etagOf } from "../platform/etag.ts";
import { idField, timeField } from "../platform/fields.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { pageSchema } from "../platform/paging.ts";
import type { Row } from "../platform/rows.ts";
import type { IncidentAct } from "./decide.ts";
import { actOnIncident } from "./incident-acts.ts";
import { type IncidentPeople, type IncidentPlace, readNames } from "./incident-names.ts";
import { INCIDENT_TYPES, presentIncident } from "./incidents.ts";
import { incidents } from "./tables.ts";

const PATH = "/v1/admin/incidents";
const NOTES_MAX_CHARS = 4000;
const SEVERITIES = ["low", "medium", "high"] as const;

const incidentSchema = z
  .object({
    id: z.uuid(),
    device_id: z.string().nullable().meta({ description: "null for what is no device's." }),
    device_name: z.string().nullable(),
    store_id: z.string().nullable().meta({ description: "Where the device stands now" }),
    store_name: z.string().nullable(),
    timezone: z.string().nullable().meta({ description: "The store's" }),
    type: z.enum(INCIDENT_TYPES),
    severity: z.enum(SEVERITIES),
    details: z.record(z.string(), z.unknown()),
    created_at: timeField,
    acknowledged_at: timeField.nullable(),
    acknowledged_by: z.string().nullable(),
    acknowledged_by_name: z
      .string()
      .nullable()
      .meta({ description: "What that user or token is called now; null for who sees only a part." }),
    notes: z.string().nullable(),
    resolved_at: timeField.nullable(),
    resolved_by: z.string().nullable().meta({ description: "Who resolved it; null where it resolved itself." }),
    resolved_by_name: z.string().nullable(),
    version: z.int(),
  })
  .openapi("Incident");

const filters: Record<string, Filter> = {
  device_id: equals(incidents.device_id, idField),
  type: equals(incidents.type, z.enum(INCIDENT_TYPES)),
  severity: equals(incidents.severity, z.enum(SEVERITIES)),
  state: {
    schema: z.enum(["open", "resolved"]).optional(),
    where: (value) => (value === "open" ? sql`${incidents.resolved_at} IS NULL` : sql`${incidents.resolved_at} IS NOT NULL`),
  },
  acknowledged: {
    schema: z.enum(["true", "false"]).optional(),
    where: (value) => (value === "true" ? sql`${incidents.acknowledged_at} IS NOT NULL` : sql`${incidents.acknowledged_at} IS NULL`),
  },
  store_id: {
    schema: idField.optional().meta({ description: "Of the devices that stand in this store now" }),
    where: (value) => sql`${incidents.device_id} IN (SELECT id FROM devices WHERE store_id = ${value})`,
  },
};

const visible = ofVisibleDevice(incidents.device_id);
const tags = ["Incidents"];
const reading = { ...guarded(reads(visible)), tags };
const changing = { ...guarded(OPERATE), tags };

/** What is wrong, and what people do about it. Incidents open and resolve by themselves. */
export const incidentRoutes = createRouter();

incidentRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: PATH,
    summary: "List incidents, newest first",
    request: { query: listQuery(filters) },
    responses: responses(200, "A page of incidents", pageSchema(incidentSchema)),
  }),
  async (c) => {
    const query: Row = c.req.valid("query");
    const page = { limit: Number(query.limit), ...(typeof query.cursor === "string" ? { cursor: query.cursor } : {}) };
    const conditions = [...conditionsOf(filters, query), ...scopeTerms(viewerScope(c), visible)];
    const { items, next_cursor } = await listRows(c.env.DB, incidents, page, conditions, "newest");
    const namesOf = await readNames(c.env.DB, items, viewerScope(c) === null);
    return c.json({ items: items.map((incident) => shown(incident, namesOf(incident))), next_cursor }, 200);
  },
);

incidentRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: `${PATH}/{id}`,
    summary: "Get an incident",
    request: { params: idParams },
    responses: responses(200, "The incident", incidentSchema),
  }),
  async (c) =>
    await answer(c, await findVisible(c.env.DB, { table: incidents, noun: "incident", visible }, c.req.valid("param").id, viewerScope(c))),
);

const changeRequest = { params: idParams, headers: changeHeaders };

incidentRoutes.openapi(
  createRoute({
    ...changing,
    method: "patch",
    path: `${PATH}/{id}`,
    summary: "Write notes on an incident",
    request: {
      ...changeRequest,
      body: {
        required: true,
        content: {
          "application/json": { schema: z.strictObject({ notes: z.string().max(NOTES_MAX_CHARS).nullable() }).openapi("IncidentChange") },
        },
      },
    },
    responses: responses(200, "The incident as it is now", incidentSchema),
  }),
  async (c) => await act(c, c.req.valid("param").id, { kind: "note", notes: c.req.valid("json").notes }),
);

incidentRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: `${PATH}/{id}/acknowledge`,
    summary: "Acknowledge an incident",
    description: "Says that somebody looks after it. It stays open until its cause is gone. Doing it twice changes nothing.",
    request: changeRequest,
    responses: responses(200, "The incident as it is now", incidentSchema),
  }),
  async (c) => await act(c, c.req.valid("param").id, { kind: "acknowledge" }),
);

incidentRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: `${PATH}/{id}/resolve`,
    summary: "Resolve an incident by hand",
    description: "For what cannot resolve itself, as CHUNK_CONFLICT. Where the cause is not gone, another one opens.",
    request: changeRequest,
    responses: responses(200, "The incident as it is now", incidentSchema),
  }),
  async (c) => await act(c, c.req.valid("param").id, { kind: "resolve" }),
);

async function act(c: AppContext, id: string, what: IncidentAct) {
  const change = { db: c.env.DB, actor: c.get("actor"), now: Date.now() };
  return await answer(c, await actOnIncident(change, id, what, c.req.header("If-Match")));
}

async function answer(c: AppContext, incident: Row) {
  const namesOf = await readNames(c.env.DB, [incident], viewerScope(c) === null);
  return c.json(shown(incident, namesOf(incident)), 200, { ETag: etagOf(Number(incident.version)) });
}

function shown(incident: Row, names: IncidentPlace & IncidentPeople): z.infer<typeof incidentSchema> {
  return { ...presentIncident(incident), ...names } as z.infer<typeof incidentSchema>;
}
