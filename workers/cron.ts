import { forgetSignIns } from "../src/auth/tries.ts";
import { sweepContent } from "../src/content/sweep.ts";
import { expireCommands } from "../src/devices/commands.ts";
import { deliverProfiles } from "../src/devices/push.ts";
import { watchOffline } from "../src/monitoring/offline.ts";
import { watchPipeline } from "../src/monitoring/pipeline-lag.ts";
import { timedAggregation } from "../src/monitoring/timings.ts";
import { forgetPlanned, sumPlanned } from "../src/plans/planned-upkeep.ts";
import { forgetIdempotencyKeys } from "../src/platform/idempotency.ts";
import { type Job, runJobs } from "../src/platform/jobs.ts";
import { log } from "../src/platform/log.ts";
import { compact } from "../src/plays/archive/compact.ts";
import { reconcile } from "../src/plays/archive/reconcile.ts";
import { stepReplay } from "../src/plays/archive/replay-step.ts";
import { sweepArchive } from "../src/plays/archive/sweep.ts";
import { mergePending } from "../src/plays/ledger/daily-sums.ts";
import { foldLedger } from "../src/plays/ledger/fold.ts";
import { retain } from "../src/plays/ledger/retain.ts";
import { ROLLUP_QUIET_MS, rollUp } from "../src/plays/ledger/rollup.ts";
import { SWEEP_JOB, sweepOutboxes } from "../src/plays/ledger/sweep.ts";
import { tellPlans } from "../src/stream/tell.ts";
import { foldWhenDue } from "../src/telemetry/fold.ts";
import { forgetTelemetry } from "../src/telemetry/retain.ts";
import { forgetWebhookMessages } from "../src/webhooks/attempts.ts";
import { dispatchWebhooks } from "../src/webhooks/dispatch.ts";

/** Which jobs run at which cron expression of `wrangler.toml`, in order. */
const JOBS: Record<string, Record<string, Job>> = {
  "* * * * *": {
    "deliver profiles": (env) => deliverProfiles(env),
    "tell plans": (env) => tellPlans(env),
    "merge daily sums": timedAggregation(
      "daily_sums",
      (env) => mergePending(env.DB),
      ({ rows }) => rows === 0,
    ),
    "fold telemetry": timedAggregation(
      "telemetry",
      (env, now) => foldWhenDue(env.DB, now),
      ({ commits }) => commits === 0,
    ),
    // Ahead of the webhooks: what these find goes out in the same minute.
    "watch for offline devices": (env, now) => watchOffline(env, now),
    "watch the pipeline": (env, now) => watchPipeline(env, now),
    "dispatch webhooks": (env, now) => dispatchWebhooks(env, now),
    "step the replay": (env, now) => stepReplay(env, now),
  },
  "7 * * * *": {
    "roll up": timedAggregation("daily", (env, now) => rollUp(env.DB, now, { quietMs: ROLLUP_QUIET_MS })),
    "sum up plans": timedAggregation("planned", (env) => sumPlanned(env.DB)),
    [SWEEP_JOB]: sweepOutboxes,
    "expire commands": (env, now) => expireCommands(env.DB, now),
    "forget idempotency keys": (env, now) => forgetIdempotencyKeys(env.DB, now),
    "forget sign-ins": (env, now) => forgetSignIns(env.DB, now),
    retain: (env, now) => retain(env, now),
    "forget telemetry": (env, now) => forgetTelemetry(env, now),
    "compact the archive": (env, now) => compact(env, now),
  },
  "23 3 * * *": {
    reconcile: (env, now) => reconcile(env, now),
    "fold the ledger": (env, now) => foldLedger(env.DB, now),
    "sweep the archive": (env, now) => sweepArchive(env, now),
    "sweep content": (env, now) => sweepContent(env, now),
    "forget plans": (env, now) => forgetPlanned(env, now),
    "forget webhook messages": (env, now) => forgetWebhookMessages(env.DB, now),
  },
};

/** Runs the jobs of a cron expression. */
export async function runCron(controller: ScheduledController, env: Env, _ctx: ExecutionContext): Promise<void> {
  const jobs = JOBS[controller.cron];
  if (!jobs) {
    log("error", "no job for this cron expression", { cron: controller.cron });
    return;
  }
  await runJobs(jobs, env, controller.scheduledTime);
}
