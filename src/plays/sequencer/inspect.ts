import { createRoute, z } from "@hono/zod-openapi";
import { and, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { guarded, viewerScope } from "../../auth/access.ts";
import { reads, scopeTerms } from "../../auth/principal.ts";
import { devices } from "../../devices/tables.ts";
import { deviceVisible } from "../../devices/visible.ts";
import { Problem } from "../../platform/errors.ts";
import { type AppContext, createRouter, responses } from "../../platform/http.ts";
import { toIso } from "../../platform/time.ts";

/** What an administrator may see of a device's sequencer: what it refused lately, and how its plays stand. */
export const inspectRoutes = createRouter();

const params = z.object({ id: z.uuid() });
const described = { ...guarded(reads(deviceVisible)), tags: ["Play logs"] };

const refusedSchema = z
  .object({
    items: z.array(
      z.object({
        at: z.string(),
        door: z.string(),
        code: z.string(),
        error: z.string(),
        log_id: z.string().nullable(),
        record: z.string().meta({ description: "The record as received, cut where it is long." }),
      }),
    ),
  })
  .openapi("RefusedRecords");

inspectRoutes.openapi(
  createRoute({
    ...described,
    method: "get",
    path: "/v1/admin/devices/{id}/refused",
    summary: "The last 100 records that a device sent and that were refused, newest first",
    request: { params },
    responses: responses(200, "The records with their reasons", refusedSchema),
  }),
  async (c) => {
    const records = await (await sequencerOf(c, c.req.valid("param").id)).refused();
    return c.json({ items: records.map((record) => ({ ...record, at: toIso(record.at) ?? "" })) }, 200);
  },
);

const sequencerSchema = z
  .object({
    incarnation: z.string().nullable(),
    history_lost: z.boolean().meta({ description: "Its storage was lost: plays from before its birth wait for an operator's decision." }),
    accepted: z.int().meta({ description: "Plays ever accepted by this incarnation." }),
    waiting_plays: z.int(),
    unconfirmed_chunks: z.int(),
    unconfirmed_plays: z.int(),
    outbox_bytes: z.int(),
    uncounted_refusals: z.int(),
    epochs: z.array(
      z.object({
        epoch: z.string(),
        expected_sequence: z.int(),
        missing: z.array(z.array(z.int()).length(2)).meta({ description: "Numbers that never came, as ranges: the gaps." }),
      }),
    ),
  })
  .openapi("SequencerStatus");

inspectRoutes.openapi(
  createRoute({
    ...described,
    method: "get",
    path: "/v1/admin/devices/{id}/sequencer",
    summary: "How a device's plays stand: accepted, waiting, unconfirmed, and the gaps in its sequence",
    request: { params },
    responses: responses(200, "The sequencer's state", sequencerSchema),
  }),
  async (c) => c.json({ ...(await (await sequencerOf(c, c.req.valid("param").id)).status()) }, 200),
);

/** The device's sequencer. An object is only woken for a device that exists: asking for it would make one. */
async function sequencerOf(c: AppContext, id: string): Promise<ReturnType<Env["SEQUENCER"]["getByName"]>> {
  const seen = and(eq(devices.id, id), ...scopeTerms(viewerScope(c), deviceVisible));
  const known = await drizzle(c.env.DB).select({ id: devices.id }).from(devices).where(seen).get();
  if (!known) throw new Problem("not-found", `There is no device ${id}.`);
  return c.env.SEQUENCER.getByName(id);
}
