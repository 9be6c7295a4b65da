import { EXACT_RATE_MAX_REQUESTS, RATE_WINDOW_MS } from "../limits.ts";

/** The requests of the last minute: time (ms) and how many. */
export type RateWindow = [at: number, requests: number][];

export interface RateState {
  limit: number;
  remaining: number;
  /** Seconds until the window has room for one more (refused) or is empty again (let through). */
  resetS: number;
}

export type RateDecision = { ok: true; window: RateWindow; state: RateState } | { ok: false; state: RateState };

/**
 * Lets a request through while fewer than `limit` were let through in the minute before. Sliding and exact up to
 * 600 requests a minute; above that times are kept by the second, so that the window stays short.
 * A request that is refused does not count.
 */
export function takeRequest(window: RateWindow, now: number, limit: number): RateDecision {
  const live = window.filter(([at]) => at > now - RATE_WINDOW_MS);
  const used = live.reduce((sum, [, requests]) => sum + requests, 0);
  if (used >= limit) {
    return { ok: false, state: { limit, remaining: 0, resetS: secondsUntilFree(live, used - limit + 1, now) } };
  }
  const at = limit <= EXACT_RATE_MAX_REQUESTS ? now : Math.ceil(now / 1000) * 1000;
  const last = live.at(-1);
  if (last && last[0] === at) live[live.length - 1] = [at, last[1] + 1];
  else live.push([at, 1]);
  return { ok: true, window: live, state: { limit, remaining: limit - used - 1, resetS: secondsUntilFree(live, used + 1, now) } };
}

/** Seconds (rounded up) until so many requests have left the window. */
function secondsUntilFree(live: RateWindow, requests: number, now: number): number {
  let left = requests;
  for (const [at, count] of live) {
    left -= count;
    if (left <= 0) return Math.max(1, Math.ceil((at + RATE_WINDOW_MS - now) / 1000));
  }
  return Math.ceil(RATE_WINDOW_MS / 1000);
}
