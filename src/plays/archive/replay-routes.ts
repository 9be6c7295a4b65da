import { createRoute, z } from "@hono/zod-openapi";
import { guarded } from "../../auth/access.ts";
import { OPERATE, reads } from "../../auth/principal.ts";
import { dayField, timeField } from "../../platform/fields.ts";
import { createRouter, describeError, responses } from "../../platform/http.ts";
import { readIdempotency } from "../../platform/idempotency.ts";
import { log } from "../../platform/log.ts";
import { pageQuery, pageSchema } from "../../platform/paging.ts";
import { toIso } from "../../platform/time.ts";
import { abandonReplay, listReplays, MAX_REPLAY_DAYS, type Replay, readReplay, startReplay } from "./replay.ts";
import { stepReplay } from "./replay-step.ts";

const reading = { ...guarded(reads({})), tags: ["Pipeline"] };
const changing = { ...guarded(OPERATE), tags: ["Pipeline"] };

const startedSchema = z
  .object({
    id: z.uuid(),
    status: z.literal("filling"),
    from_day: dayField,
    to_day: dayField,
    requested_by: z.string(),
    created_at: timeField,
  })
  .openapi("StartedReplay");

const replaySchema = z
  .object({
    id: z.uuid(),
    status: z.enum(["filling", "done", "incomplete", "abandoned"]).meta({
      description: "`incomplete`: something of the archive could not be read (see `damaged`), and the aggregates were left as they are.",
    }),
    from_day: dayField,
    to_day: dayField,
    segments_total: z.int().meta({ description: "Segments with plays of these days from before the replay began." }),
    segments_filled: z.int(),
    damaged: z
      .array(z.record(z.string(), z.unknown()))
      .meta({ description: "What could not be read, or is not there: segment, day or chunk." }),
    requested_by: z.string(),
    created_at: timeField,
    ended_at: timeField.nullable(),
  })
  .openapi("Replay");

const params = z.object({ id: z.uuid() });

const start = createRoute({
  ...changing,
  method: "post",
  path: "/v1/admin/pipeline/replay",
  summary: "Rebuild the aggregates of a range of days from the archive",
  description: `At most ${MAX_REPLAY_DAYS} days. Plays keep being recorded; reports change over day by day when all of the range is rebuilt. One replay at a time.`,
  request: {
    body: { required: true, content: { "application/json": { schema: z.strictObject({ from: dayField, to: dayField }) } } },
  },
  responses: responses(202, "The replay has begun", startedSchema),
});

const list = createRoute({
  ...reading,
  method: "get",
  path: "/v1/admin/pipeline/replays",
  summary: "List replays, the newest first",
  request: { query: z.strictObject(pageQuery) },
  responses: responses(200, "One page", pageSchema(replaySchema)),
});

const read = createRoute({
  ...reading,
  method: "get",
  path: "/v1/admin/pipeline/replays/{id}",
  summary: "How far a replay is",
  request: { params },
  responses: responses(200, "The replay", replaySchema),
});

const abandon = createRoute({
  ...changing,
  method: "post",
  path: "/v1/admin/pipeline/replays/{id}/abandon",
  summary: "End a replay that is running; the aggregates stay as they are",
  request: { params },
  responses: responses(200, "The replay, ended", replaySchema),
});

/** Rebuilding the aggregates from the archive. */
export const replayRoutes = createRouter()
  .openapi(start, async (c) => {
    const now = Date.now();
    const asker = { actor: c.get("actor"), idempotency: await readIdempotency(c) };
    const { replay, replayed } = await startReplay(c.env.DB, c.req.valid("json"), asker, now);
    // Cron takes it further; a small range need not wait for it.
    if (!replayed)
      c.executionCtx.waitUntil(
        stepReplay(c.env, now).catch((error: unknown) => log("warn", "replay's first step failed", { error: describeError(error) })),
      );
    return c.json(replay, 202, replayed ? { "Idempotency-Replayed": "true" } : {});
  })
  .openapi(list, async (c) => {
    const { limit, cursor } = c.req.valid("query");
    const page = await listReplays(c.env.DB, { limit, cursor });
    return c.json({ items: page.items.map(shownReplay), next_cursor: page.next_cursor }, 200);
  })
  .openapi(read, async (c) => c.json(shownReplay(await readReplay(c.env.DB, c.req.valid("param").id)), 200))
  .openapi(abandon, async (c) => {
    const replay = await abandonReplay(c.env.DB, c.req.valid("param").id, c.get("actor"), Date.now());
    return c.json(shownReplay(replay), 200);
  });

function shownReplay({ damaged_json, generation: _, created_at, ended_at, ...replay }: Replay) {
  return {
    ...replay,
    damaged: JSON.parse(damaged_json) as Record<string, unknown>[],
    created_at: toIso(created_at) ?? "",
    ended_at: toIso(ended_at),
  };
}
