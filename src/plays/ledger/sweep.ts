import { describeError } from "../../platform/http.ts";
import { log } from "../../platform/log.ts";
import { DAY_MS, utcDay } from "../../platform/time.ts";

/** The name under which cron notes its runs, and this one finds where the last one stopped. */
export const SWEEP_JOB = "sweep outboxes";
const ACTIVE_WITHIN_MS = 3 * DAY_MS;
const FULL_SWEEP_UTC_HOUR = 3;
const MAX_DEVICES_PER_RUN = 8000;
const CALLS_AT_ONCE = 50;

/** What the hourly sweep found: outboxes that hold something, and how much. */
export interface SweepResult {
  devices: number;
  failed: number;
  /** Devices whose outbox is not empty. */
  holding: number;
  waiting_plays: number;
  unconfirmed_plays: number;
  /** The last device that this run called, where there are more than one run can: the next run goes on behind it. */
  next_after: string | null;
  /** Whether every paired device is called, active or not. */
  full: boolean;
}

/**
 * Calls the sequencer of each device that was active in the last three days, so that an alarm that got lost is armed again. A device is active
 * when plays or telemetry of it were recorded, when it was heard of, or when it was paired or changed. Once a day every paired device is called: one that
 * fell silent may have something left as well.
 */
export async function sweepOutboxes(env: Env, now: number): Promise<SweepResult> {
  const since = now - ACTIVE_WITHIN_MS;
  const resumed = await resumePoint(env.DB);
  const after = resumed?.after ?? "";
  const full = resumed?.full ?? new Date(now).getUTCHours() === FULL_SWEEP_UTC_HOUR;
  const { results } = await env.DB.prepare(
    `SELECT a.device_id AS id FROM aggregate_generations g JOIN device_activity_daily a ON a.generation = g.id WHERE g.live = 1 AND a.day >= ?1 AND a.device_id > ?4
     UNION SELECT id FROM devices WHERE status <> 'unpaired' AND (?5 OR updated_at >= ?2 OR last_seen_at >= ?2) AND id > ?4
     UNION SELECT device_id FROM sequencer_incarnations WHERE born_at >= ?2 AND device_id > ?4
     UNION SELECT device_id FROM telemetry_devices_daily WHERE day >= ?1 AND device_id > ?4
     ORDER BY id LIMIT ?3`,
  )
    .bind(utcDay(since - DAY_MS), since, MAX_DEVICES_PER_RUN + 1, after, full ? 1 : 0)
    .all<{ id: string }>();
  const devices = results.slice(0, MAX_DEVICES_PER_RUN).map(({ id }) => id);
  const result: SweepResult = {
    devices: devices.length,
    failed: 0,
    holding: 0,
    waiting_plays: 0,
    unconfirmed_plays: 0,
    next_after: results.length > devices.length ? (devices.at(-1) ?? null) : null,
    full,
  };
  for (let at = 0; at < devices.length; at += CALLS_AT_ONCE) {
    const outcomes = await Promise.allSettled(devices.slice(at, at + CALLS_AT_ONCE).map((id) => env.SEQUENCER.getByName(id).wake()));
    for (const outcome of outcomes) {
      if (outcome.status === "rejected") {
        result.failed += 1;
        log("warn", "sweep could not reach a sequencer", { error: describeError(outcome.reason) });
        continue;
      }
      const { waiting, unconfirmed } = outcome.value;
      if (waiting + unconfirmed > 0) result.holding += 1;
      result.waiting_plays += waiting;
      result.unconfirmed_plays += unconfirmed;
    }
  }
  return result;
}

/** Where the sweep goes on, and of which kind it is; null where the last run reached the end. */
async function resumePoint(db: D1Database): Promise<{ after: string; full: boolean } | null> {
  const run = await db
    .prepare("SELECT result_json ->> 'next_after' AS after, result_json ->> 'full' AS full FROM job_runs WHERE job = ?")
    .bind(SWEEP_JOB)
    .first<{ after: string | null; full: number | null }>();
  return run?.after ? { after: run.after, full: run.full === 1 } : null;
}
