import { addressNetwork } from "../platform/address.ts";
import { keyedHash } from "../platform/log.ts";
import { MINUTE_MS, SECOND_MS } from "../platform/time.ts";

/** Over what time misses and requests for codes are counted. */
export const LIMIT_WINDOW_MS = 10 * MINUTE_MS;
/** Codes that an address may guess wrong, and all addresses together, in the window. */
export const MISSES_PER_ADDRESS = 20;
export const MISSES_IN_ALL = 600;
/** Codes that players at one address may ask for in the window: a shop full of screens behind one router. */
export const CLAIMS_PER_ADDRESS = 60;
/** Players' codes that may wait for an administrator at once. Administrators' own codes are not bound by it. */
export const PENDING_CLAIMS_IN_ALL = 1000;

/** Counts are kept by the minute, so that the window slides. */
export function limitMinute(now: number): number {
  return Math.floor(now / MINUTE_MS) * MINUTE_MS;
}

/** The first minute that still counts: the one in which the window began, whole. */
export function limitSince(now: number): number {
  return limitMinute(now) - LIMIT_WINDOW_MS;
}

/** Seconds until the oldest counted minute leaves the window, for `Retry-After`; at least one. */
export function limitRetryAfterS(oldestMinute: number | null, now: number): number {
  const leaves = (oldestMinute ?? limitMinute(now)) + LIMIT_WINDOW_MS + MINUTE_MS;
  return Math.max(1, Math.ceil((leaves - now) / SECOND_MS));
}

/** Under which name the tables count an address for a purpose. Nobody can tell the address from it. */
export async function addressKey(hashSecret: string, purpose: "claim" | "create", headers: Headers): Promise<string> {
  // Cloudflare sets the header on every request and overwrites what a client sends.
  return await keyedHash(hashSecret, `pairing-${purpose}:${addressNetwork(headers.get("CF-Connecting-IP") ?? "none")}`);
}
