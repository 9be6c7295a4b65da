import { createRoute, z } from "@hono/zod-openapi";
import { findVisible } from "../audit/changes.ts";
import { idParams } from "../audit/routes.ts";
import { guarded, viewerScope } from "../auth/access.ts";
import { reads } from "../auth/principal.ts";
import { deviceResource } from "../devices/devices.ts";
import { requireStanding, superseded } from "../devices/standing.ts";
import { authenticateDevice } from "../devices/token.ts";
import { Problem } from "../platform/errors.ts";
import { matchesAny } from "../platform/etag.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { parseInstant } from "../platform/time.ts";
import { explanationSchema, planSchema } from "./answers.ts";
import { explainPlan } from "./explain.ts";
import { givePlan } from "./give.ts";
import { loadPlanInput } from "./load.ts";
import { readKeptPlan } from "./serve.ts";

export const planRoutes = createRouter();

planRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/device/plan",
    tags: ["Devices"],
    security: [{ device: [] }],
    summary: "What to play in the next 72 hours",
    description:
      "Ask with If-None-Match: while nothing changes and the store's day is the same, the answer is 304. Where the answer is 503, go on with the plan that you have, and ask again.",
    request: {
      headers: z.object({ "if-none-match": z.string().optional().meta({ description: "The ETag of the plan that the player has." }) }),
    },
    responses: {
      ...responses(200, "The plan", planSchema),
      304: { description: "The player has it" },
    },
  }),
  (c) => devicePlan(c, Date.now()),
);

async function devicePlan(c: AppContext, now: number): Promise<Response> {
  const identity = await authenticateDevice(c.req.raw.headers, c.env, now);
  const kept = await readKeptPlan(c.env.DB, identity.deviceId);
  requireStanding(kept, identity);
  const asked = c.req.header("If-None-Match");
  const served = await givePlan(c.env, identity.deviceId, kept, (etag) => matchesAny(asked, etag), now);
  if (!served) throw superseded();
  const headers = { ETag: `"${served.etag}"`, "Cache-Control": "private, no-cache" };
  return served.json === null ? c.body(null, 304, headers) : c.body(served.json, 200, { ...headers, "Content-Type": "application/json" });
}

planRoutes.openapi(
  createRoute({
    ...guarded(reads(deviceResource.visible)),
    method: "get",
    path: "/v1/admin/devices/{id}/plan",
    tags: ["Schedules"],
    summary: "What plays on a device at an instant, and why not the others",
    request: {
      params: idParams,
      query: z.strictObject({
        at: z
          .string()
          .refine((text) => parseInstant(text) !== null, "must be a date-time as of RFC 3339, with its offset")
          .optional()
          .meta({ description: "Default: now", example: "2026-11-27T14:00:00+07:00" }),
      }),
    },
    responses: responses(200, "What plays, and each schedule's reason", explanationSchema),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    const { at } = c.req.valid("query");
    await findVisible(c.env.DB, deviceResource, id, viewerScope(c));
    const loaded = await loadPlanInput(c.env.DB, id, true);
    if (!loaded) throw new Problem("not-found", "There is no device with this id.");
    return c.json(explainPlan(loaded.input, (at === undefined ? null : parseInstant(at)) ?? Date.now()), 200);
  },
);
