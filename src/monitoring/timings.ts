import type { MiddlewareHandler } from "hono";
import { type AppEnv, describeError } from "../platform/http.ts";
import type { Job } from "../platform/jobs.ts";
import { log } from "../platform/log.ts";
import { type DurationName, MetricDeltas, Observations } from "../platform/metrics.ts";

/** Adds one duration (ms) to the metrics: a row written. That it cannot be written is logged, and no reason for anything to fail. */
async function noteDuration(db: D1Database, name: DurationName, label: string, durationMs: number): Promise<void> {
  const deltas = new MetricDeltas();
  const observations = new Observations(name);
  observations.add(durationMs);
  deltas.observe(observations, [label]);
  try {
    await db.batch(deltas.statements(db));
  } catch (error) {
    log("warn", "duration not noted", { metric: name, label, error: describeError(error) });
  }
}

/**
 * Measures how long a report or an analysis takes to answer, up to its first byte. It is written down behind the answer, and of those
 * that were answered only. Goes among a route's middleware, behind its guard.
 */
export function timedQuery(queryType: string): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const from = Date.now();
    await next();
    if (!c.res.ok) return;
    c.executionCtx.waitUntil(noteDuration(c.env.DB, "analytics_query_duration_ms", queryType, Date.now() - from));
  };
}

/** A job of cron that sums up, measured; not where `didNothing` says so of its result. */
export function timedAggregation<T>(
  aggregateType: string,
  job: (env: Env, now: number) => Promise<T>,
  didNothing: (result: T) => boolean = () => false,
): Job {
  return async (env, now) => {
    const from = Date.now();
    const result = await job(env, now);
    if (!didNothing(result)) {
      await noteDuration(env.DB, "telemetry_aggregation_duration_ms", aggregateType, Date.now() - from);
    }
    return result;
  };
}
