import { Problem } from "../../platform/errors.ts";
import { describeError } from "../../platform/http.ts";
import { log } from "../../platform/log.ts";
import { MINUTE_MS } from "../../platform/time.ts";
import { DEFAULT_REQUESTS_PER_MINUTE, FLOOD_CACHE_DEVICES } from "../limits.ts";
import { type LoggedCaller, logRateExceeded } from "./door-log.ts";

/** Requests of this minute by device, as this isolate has seen them. */
const seen = new Map<string, number>();
/** Devices that were turned away in this minute. */
const flooding = new Set<string>();
let seenIn = 0;

/** What an answer to a flood says: the limit of `FLOOD_LIMIT` in `wrangler.toml`. That tells not when its minute ends. */
export const FLOOD_HEADERS = { "RateLimit-Policy": '"flood";q=300;w=60', RateLimit: '"flood";r=0;t=60', "Retry-After": "60" };

/**
 * Whether a device sends far too much: what stops a flood before a body is read or a signature checked. The exact rate is the sequencer's.
 * The platform's limiter is asked only about devices that this isolate alone has seen more often in a minute than their rate allows them,
 * so that one that keeps to it costs no call. `now` in ms.
 */
export async function isFlooding(limiter: RateLimit, deviceId: string, now: number): Promise<boolean> {
  const minute = Math.floor(now / MINUTE_MS);
  if (minute !== seenIn || seen.size >= FLOOD_CACHE_DEVICES) {
    seen.clear();
    flooding.clear();
    seenIn = minute;
  }
  const requests = (seen.get(deviceId) ?? 0) + 1;
  seen.set(deviceId, requests);
  if (requests <= DEFAULT_REQUESTS_PER_MINUTE) return false;
  try {
    const { success } = await limiter.limit({ key: deviceId });
    return !success;
  } catch (error) {
    // Who asks has done nothing wrong, and the exact rate holds without it.
    log("warn", "limiter not asked", { error: describeError(error) });
    return false;
  }
}

/**
 * Turns a flood away, before anything costly is done for it.
 * @param advice what the caller may do about it, as the end of a sentence
 * @throws Problem `rate-limit-exceeded`
 */
export async function refuseFlood(
  env: Pick<Env, "FLOOD_LIMIT" | "HASH_SECRET">,
  caller: LoggedCaller,
  now: number,
  advice: string,
): Promise<void> {
  if (!(await isFlooding(env.FLOOD_LIMIT, caller.deviceId, now))) return;
  if (isNewFlood(caller.deviceId)) await logRateExceeded(env, caller);
  throw new Problem("rate-limit-exceeded", `Far too many requests; ${advice}.`, { headers: FLOOD_HEADERS });
}

/** Whether a flood that {@link isFlooding} found is new in this minute: a line for each of its requests would be a flood of its own. */
function isNewFlood(deviceId: string): boolean {
  if (flooding.has(deviceId)) return false;
  flooding.add(deviceId);
  return true;
}
