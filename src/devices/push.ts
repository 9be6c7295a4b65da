import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";

/** The most sequencers that one request tells at once; cron tells the others, a minute later at most. */
const PUSHES_PER_REQUEST = 50;
const PUSHES_PER_CRON = 500;
const PUSHES_AT_ONCE = 6;

interface OpenPush {
  device_id: string;
  version: number;
}

/**
 * Tells the device's sequencer to fetch its profile, and notes that it has it.
 * @throws what the sequencer or D1 throws: the push then stays open and cron repeats it.
 */
export async function pushProfile(env: Env, deviceId: string): Promise<void> {
  const version = await env.SEQUENCER.getByName(deviceId).refreshProfile();
  await env.DB.prepare("UPDATE profile_pushes SET acknowledged_at = ? WHERE device_id = ? AND id <= ? AND acknowledged_at IS NULL")
    .bind(Date.now(), deviceId, version)
    .run();
}

/** Pushes what is open, oldest first. Failures are logged and stay open. Returns how many sequencers were told. */
export async function deliverProfiles(env: Env, most = PUSHES_PER_CRON): Promise<number> {
  const { results } = await env.DB.prepare(
    `SELECT device_id, max(id) AS version FROM profile_pushes WHERE acknowledged_at IS NULL
     GROUP BY device_id ORDER BY min(id) LIMIT ?`,
  )
    .bind(most)
    .all<OpenPush>();
  let delivered = 0;
  for (let at = 0; at < results.length; at += PUSHES_AT_ONCE) {
    const outcomes = await Promise.allSettled(results.slice(at, at + PUSHES_AT_ONCE).map((push) => pushProfile(env, push.device_id)));
    for (const outcome of outcomes) {
      if (outcome.status === "fulfilled") delivered += 1;
      else log("warn", "profile push failed", { error: describeError(outcome.reason) });
    }
  }
  return delivered;
}

/** What a request does behind its commit, in `waitUntil`: the first pushes at once, the rest by cron. */
export async function deliverProfilesSoon(env: Env): Promise<void> {
  await deliverProfiles(env, PUSHES_PER_REQUEST).catch((error) =>
    log("warn", "profile pushes not delivered", { error: describeError(error) }),
  );
}
