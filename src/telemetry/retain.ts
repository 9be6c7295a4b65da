import { DAY_MS, utcDay } from "../platform/time.ts";
import { FEED_COMMITS_KEPT, FEED_KEPT_MS } from "./limits.ts";

/** What a run did, for its log line. */
export interface ForgetResult {
  hourly: number;
  daily: number;
  devices: number;
  commits: number;
}

/**
 * Ends what telemetry keeps for a while only: aggregates of days that are over `TELEMETRY_DAYS` days old (UTC, today included), and commits
 * that are folded and that the feed needs no more. Safe twice and while telemetry is recorded.
 * @param now ms since 1970
 * @throws Error where the variable is no number of days
 */
export async function forgetTelemetry(env: Pick<Env, "DB" | "TELEMETRY_DAYS">, now: number): Promise<ForgetResult> {
  const keptFrom = telemetryKeptFrom(env, now);
  const run = (sql: string, ...values: (string | number)[]) => env.DB.prepare(sql).bind(...values);
  const [hourly, daily, devices, commits] = await env.DB.batch([
    run("DELETE FROM telemetry_hourly WHERE hour < ?", Date.parse(keptFrom)),
    run("DELETE FROM telemetry_daily WHERE day < ?", keptFrom),
    run("DELETE FROM telemetry_devices_daily WHERE day < ?", keptFrom),
    run(
      `DELETE FROM telemetry_commits WHERE id <= (SELECT through FROM telemetry_folded)
         AND id <= (SELECT max(id) FROM telemetry_commits) - ? AND recorded_at < ?`,
      FEED_COMMITS_KEPT,
      now - FEED_KEPT_MS,
    ),
  ]);
  const gone = (result: D1Result | undefined) => result?.meta.changes ?? 0;
  return { hourly: gone(hourly), daily: gone(daily), devices: gone(devices), commits: gone(commits) };
}

/** The first UTC day of which telemetry is kept: `TELEMETRY_DAYS` days, today included. */
export function telemetryKeptFrom({ TELEMETRY_DAYS }: Pick<Env, "TELEMETRY_DAYS">, now: number): string {
  const days = Number(TELEMETRY_DAYS);
  if (!Number.isInteger(days) || days < 1) throw new Error(`TELEMETRY_DAYS is no number of days: ${TELEMETRY_DAYS}`);
  return utcDay(now - (days - 1) * DAY_MS);
}
