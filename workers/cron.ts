/** Which jobs run at which cron expression of `wrangler.toml`. */
export async function runCron(_controller: ScheduledController, _env: Env, _ctx: ExecutionContext): Promise<void> {}
