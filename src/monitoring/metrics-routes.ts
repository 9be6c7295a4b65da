import { createRoute, z } from "@hono/zod-openapi";
import type { MiddlewareHandler } from "hono";
import { authorize } from "../auth/access.ts";
import { bearerToken, identify } from "../auth/admin.ts";
import { callersOf, reads } from "../auth/principal.ts";
import { equalSecrets } from "../platform/encoding.ts";
import { type AppEnv, createRouter, problemSchema } from "../platform/http.ts";
import { METRICS_TYPE, type Reading, readMetrics, renderMetrics } from "../platform/metrics.ts";
import { backlogOf } from "../plays/ledger/pipeline.ts";
import { playQueues } from "../plays/queues.ts";

/** Counts over the whole network: they cannot be narrowed to a supplier or a brand. */
const ACCESS = reads({});

/** Lets through who shows `METRICS_TOKEN`, which opens nothing else, or a token that may read the whole network. */
const requireReader: MiddlewareHandler<AppEnv> = async (c, next) => {
  const token = bearerToken(c.req.raw.headers);
  const { METRICS_TOKEN } = c.env;
  if (!METRICS_TOKEN || token === null || !(await equalSecrets(token, METRICS_TOKEN))) {
    await identify(c, Date.now());
    authorize(c, ACCESS);
  }
  await next();
  c.header("Cache-Control", "no-store");
};

/** The metrics for Prometheus. */
export const metricsRoutes = createRouter();

metricsRoutes.openapi(
  createRoute({
    tags: ["Monitoring"],
    method: "get",
    path: "/metrics",
    summary: "The metrics, in Prometheus' text format",
    description: "Takes the secret METRICS_TOKEN, or a token that may read the whole network.",
    security: [{ admin: callersOf(ACCESS) }],
    middleware: [requireReader],
    responses: {
      200: { description: "All metrics", content: { "text/plain": { schema: z.string() } } },
      default: { description: "A problem (RFC 9457)", content: { "application/problem+json": { schema: problemSchema } } },
    },
  }),
  async (c) => {
    const [stored, failed, waiting] = await Promise.all([readMetrics(c.env.DB), failedPlays(c.env.DB), waitingMessages(c.env)]);
    const text = renderMetrics(stored, { telemetry_events_processed_total: failed, telemetry_worker_lag_messages: waiting });
    return c.text(text, 200, { "Content-Type": METRICS_TYPE });
  },
);

/** Plays that ever came among the dead letters. Their rows stay, redriven or not, so this never falls. */
async function failedPlays(db: D1Database): Promise<Reading[]> {
  const row = await db.prepare("SELECT coalesce(sum(plays_count), 0) AS plays FROM dead_letters").first<{ plays: number }>();
  return [[["play", "failure"], row?.plays ?? 0]];
}

/** Of a queue that does not say how much waits in it, nothing is shown: that is not the same as 0. */
async function waitingMessages(env: Env): Promise<Reading[]> {
  const backlogs = await Promise.all(playQueues(env).map(async ({ name, queue }) => ({ name, ...(await backlogOf(queue)) })));
  return backlogs.flatMap(({ name, backlog_count }): Reading[] => (backlog_count === null ? [] : [[[name], backlog_count]]));
}
