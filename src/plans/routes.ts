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
import { planZone } from "./input.ts";
import { type LoadedInput, loadPlanInput } from "./load.ts";
import { resolvePlan } from "./resolve.ts";
import { readKeptPlan } from "./serve.ts";
import { planWindow } from "./zone.ts";

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

const atQuery = z.strictObject({
  at: z
    .string()
    .refine((text) => parseInstant(text) !== null, "must be a date-time as of RFC 3339, with its offset")
    .optional()
    .meta({ description: "Default: now", example: "2026-11-27T14:00:00+07:00" }),
});

planRoutes.openapi(
  createRoute({
    ...guarded(reads(deviceResource.visible)),
    method: "get",
    path: "/v1/admin/devices/{id}/plan/timeline",
    tags: ["Schedules"],
    summary: "All that a device's plan of a day plays: 72 hours and more from the store's midnight",
    description: "Worked out as the device would be given it then, of the schedules as they are now; nothing is kept or sent.",
    request: { params: idParams, query: atQuery },
    responses: responses(200, "The plan", planSchema),
  }),
  async (c) => {
    const { input } = await planInputOf(c, c.req.valid("param").id);
    const at = parseInstant(c.req.valid("query").at ?? "") ?? Date.now();
    return c.json(resolvePlan(input, planWindow(planZone(input), at)), 200);
  },
);

planRoutes.openapi(
  createRoute({
    ...guarded(reads(deviceResource.visible)),
    method: "get",
    path: "/v1/admin/devices/{id}/plan",
    tags: ["Schedules"],
    summary: "What plays on a device at an instant, and why not the others",
    request: { params: idParams, query: atQuery },
    responses: responses(200, "What plays, and each schedule's reason", explanationSchema),
  }),
  async (c) => {
    const { input } = await planInputOf(c, c.req.valid("param").id, true);
    return c.json(explainPlan(input, parseInstant(c.req.valid("query").at ?? "") ?? Date.now()), 200);
  },
);

/** What a device's plan is made of. @throws Problem `not-found` where there is no such device, or it is not for the caller to see. */
async function planInputOf(c: AppContext, id: string, archived = false): Promise<LoadedInput> {
  await findVisible(c.env.DB, deviceResource, id, viewerScope(c));
  const loaded = await loadPlanInput(c.env.DB, id, archived);
  if (!loaded) throw new Problem("not-found", "There is no device with this id.");
  return loaded;
}
