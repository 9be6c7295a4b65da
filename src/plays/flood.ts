import { MINUTE_MS } from "../platform/time.ts";
import { DEFAULT_REQUESTS_PER_MINUTE, FLOOD_CACHE_DEVICES } from "./limits.ts";

/** Requests of this minute by device, as this isolate has seen them. */
const seen = new Map<string, number>();
let seenIn = 0;

/**
 * Whether a device sends far too much: what stops a flood before a body is read or a signature checked. The exact rate is the sequencer's.
 * The platform's limiter is asked only about devices that this isolate alone has seen more often in a minute than their rate allows them,
 * so that one that keeps to it costs no call. `now` in ms.
 */
export async function isFlooding(limiter: RateLimit, deviceId: string, now: number): Promise<boolean> {
  const minute = Math.floor(now / MINUTE_MS);
  if (minute !== seenIn || seen.size >= FLOOD_CACHE_DEVICES) {
    seen.clear();
    seenIn = minute;
  }
  const requests = (seen.get(deviceId) ?? 0) + 1;
  seen.set(deviceId, requests);
  if (requests <= DEFAULT_REQUESTS_PER_MINUTE) return false;
  const { success } = await limiter.limit({ key: deviceId });
  return !success;
}
