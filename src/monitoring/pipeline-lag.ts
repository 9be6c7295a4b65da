import { MINUTE_MS, toIso } from "../platform/time.ts";
import { backlogOf } from "../plays/ledger/pipeline.ts";
import { SWEEP_JOB } from "../plays/ledger/sweep.ts";
import { type PlayQueueEnv, playQueues } from "../plays/queues.ts";
import { commitIncidents, type Finding, incidentChanges, openIncidentsOf } from "./incidents.ts";

/** How long anything may wait on the way from a sequencer to D1, or back. A report lags by seconds. */
export const PIPELINE_LAG_MS = 15 * MINUTE_MS;

/** How far behind the pipeline is. Times in ms; null where nothing waits, or nobody says. */
export interface PipelineMeasures {
  /** The oldest message of each queue. */
  queues: Record<string, number | null>;
  /** The oldest change that a sequencer was not told of. */
  oldestPushAt: number | null;
  /** When plays were last recorded. */
  recordedAt: number | null;
  /** What the last sweep of all outboxes found. */
  sweep: { at: number; heldPlays: number } | null;
}

/** One thing that lags. */
export interface Lag {
  part: string;
  since: string | null;
  held_plays?: number;
}

/** All that lags. Pure. */
export function findLags({ queues, oldestPushAt, recordedAt, sweep }: PipelineMeasures, now: number): Lag[] {
  const late = (at: number | null): at is number => at !== null && now - at > PIPELINE_LAG_MS;
  const lags: Lag[] = Object.entries(queues).flatMap(([part, at]) => (late(at) ? [{ part, since: toIso(at) }] : []));
  if (late(oldestPushAt)) lags.push({ part: "profile-pushes", since: toIso(oldestPushAt) });
  // Plays lay in outboxes then, and none has been recorded since, though that takes seconds.
  const stalled = sweep !== null && sweep.heldPlays > 0 && now - sweep.at > PIPELINE_LAG_MS && (recordedAt ?? 0) <= sweep.at;
  if (stalled) lags.push({ part: "outboxes", since: toIso(recordedAt), held_plays: sweep.heldPlays });
  return lags;
}

type LagEnv = PlayQueueEnv & Pick<Env, "DB" | "PLAY_EVENTS_DEAD" | "DEVICE_REPORTS">;

/** Opens `PIPELINE_LAG` while anything lags, and resolves it when nothing does. For cron, each minute. Returns what lags. */
export async function watchPipeline(env: LagEnv, now: number): Promise<Lag[]> {
  const lags = findLags(await measure(env), now);
  const findings: Finding[] = lags.length > 0 ? [{ deviceId: "", type: "PIPELINE_LAG", details: { lags } }] : [];
  await commitIncidents(env.DB, now, async () => {
    const open = await openIncidentsOf(env.DB, [""]);
    return { changes: incidentChanges(findings, open, ({ type }) => type === "PIPELINE_LAG"), result: undefined };
  });
  return lags;
}

interface MeasuresRow {
  push_at: number | null;
  recorded_at: number | null;
  swept_at: number | null;
  held: number | null;
}

async function measure(env: LagEnv): Promise<PipelineMeasures> {
  const oldest = async (queue: Queue) => {
    const { oldest_message_at } = await backlogOf(queue);
    return oldest_message_at === null ? null : Date.parse(oldest_message_at);
  };
  const [plays, dead, reports, row] = await Promise.all([
    Promise.all(playQueues(env).map(async ({ name, queue }) => [name, await oldest(queue)] as const)),
    oldest(env.PLAY_EVENTS_DEAD),
    oldest(env.DEVICE_REPORTS),
    env.DB.prepare(
      `SELECT (SELECT created_at FROM profile_pushes WHERE acknowledged_at IS NULL ORDER BY id LIMIT 1) AS push_at,
         (SELECT recorded_at FROM segments ORDER BY id DESC LIMIT 1) AS recorded_at,
         j.ran_at AS swept_at, (j.result_json ->> 'waiting_plays') + (j.result_json ->> 'unconfirmed_plays') AS held
       FROM (SELECT 1) LEFT JOIN job_runs j ON j.job = ?1 AND j.ok = 1`,
    )
      .bind(SWEEP_JOB)
      .first<MeasuresRow>(),
  ]);
  return {
    queues: { ...Object.fromEntries(plays), "play-events-dead": dead, "device-reports": reports },
    oldestPushAt: row?.push_at ?? null,
    recordedAt: row?.recorded_at ?? null,
    sweep: typeof row?.swept_at === "number" ? { at: row.swept_at, heldPlays: row.held ?? 0 } : null,
  };
}
