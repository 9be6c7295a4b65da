import { describeError } from "./http.ts";
import { log } from "./log.ts";

/** A job that cron runs: safe to run twice, late, or after a missed turn. */
export type Job = (env: Env, now: number) => Promise<unknown>;

/** Runs jobs one after the other, each by itself: one that fails is logged and does not stop the others. Notes when each ran, with its result. */
export async function runJobs(jobs: Record<string, Job>, env: Env, now: number): Promise<void> {
  for (const [name, job] of Object.entries(jobs)) {
    let ok = true;
    let result: unknown;
    try {
      result = (await job(env, now)) ?? null;
    } catch (error) {
      ok = false;
      result = { error: describeError(error).slice(0, 1000) };
    }
    log(ok ? "info" : "error", ok ? "job done" : "job failed", { job: name, result });
    try {
      await env.DB.prepare("INSERT OR REPLACE INTO job_runs (job, ran_at, ok, result_json) VALUES (?, ?, ?, ?)")
        .bind(name, now, ok ? 1 : 0, JSON.stringify(result))
        .run();
    } catch (error) {
      log("warn", "job run not noted", { job: name, error: describeError(error) });
    }
  }
}
