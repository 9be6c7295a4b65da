import { deliverProfiles } from "../src/devices/push.ts";
import { describeError } from "../src/platform/http.ts";
import { forgetIdempotencyKeys } from "../src/platform/idempotency.ts";
import { log } from "../src/platform/log.ts";
import { ROLLUP_QUIET_MS, rollUp } from "../src/plays/rollup.ts";

type Job = (env: Env, now: number) => Promise<unknown>;

/** Which jobs run at which cron expression of `wrangler.toml`. */
const JOBS: Record<string, Record<string, Job>> = {
  "* * * * *": { "deliver profiles": (env) => deliverProfiles(env) },
  "7 * * * *": {
    "forget idempotency keys": (env, now) => forgetIdempotencyKeys(env.DB, now),
    "roll up": (env, now) => rollUp(env.DB, now, { quietMs: ROLLUP_QUIET_MS }),
  },
};

/** Runs the jobs of a cron expression, each by itself: one that fails is logged and does not stop the others. */
export async function runCron(controller: ScheduledController, env: Env, _ctx: ExecutionContext): Promise<void> {
  const jobs = Object.entries(JOBS[controller.cron] ?? {});
  if (jobs.length === 0) log("error", "no job for this cron expression", { cron: controller.cron });
  for (const [name, job] of jobs) {
    try {
      log("info", "job done", { job: name, result: await job(env, controller.scheduledTime) });
    } catch (error) {
      log("error", "job failed", { job: name, error: describeError(error) });
    }
  }
}
