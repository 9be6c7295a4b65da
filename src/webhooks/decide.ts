import { DISABLE_AFTER_MS, JITTER, MAX_RETRY_AFTER_MS, MAX_TRIES, RETRY_DELAYS_MS } from "./limits.ts";

/** How an attempt went. */
export const OUTCOMES = ["delivered", "refused", "gone", "redirect", "timeout", "unreachable", "forbidden_target", "unreadable"] as const;
/**
 * `refused`: any answer but 2xx. `gone`: 410. `redirect`: 3xx, which nobody follows. `forbidden_target`: the URL may not be called.
 * `unreadable`: the plays cannot be read from the archive, so nothing was sent.
 */
export type Outcome = (typeof OUTCOMES)[number];

/** Why a webhook was switched off: by an administrator, by an answer of 410, or after days in which nothing got through. */
export type DisabledReason = "BY_HAND" | "GONE" | "FAILURES";

export interface AttemptResult {
  outcome: Outcome;
  /** What the receiver asked for by `Retry-After`, ms; null for nothing. */
  retryAfterMs: number | null;
}

/** What follows from an attempt. Times in ms. */
export interface Consequence {
  status: "pending" | "delivered" | "failed";
  nextAttemptAt: number | null;
  failingSince: number | null;
  /** Why the webhook is to be switched off; null: it stays on. */
  disable: DisabledReason | null;
}

/**
 * What becomes of a message and its webhook. Pure.
 * @param tries attempts at the message so far, this one included
 * @param failingSince since when nothing got through to the webhook, before this attempt
 * @param random from 0 to 1
 */
export function consequenceOf(
  { outcome, retryAfterMs }: AttemptResult,
  tries: number,
  failingSince: number | null,
  now: number,
  random: number,
): Consequence {
  if (outcome === "delivered") return { status: "delivered", nextAttemptAt: null, failingSince: null, disable: null };
  const since = outcome === "unreadable" ? failingSince : (failingSince ?? now);
  if (outcome === "gone") return { status: "failed", nextAttemptAt: null, failingSince: since, disable: "GONE" };
  const disable = outcome !== "unreadable" && since !== null && now - since >= DISABLE_AFTER_MS ? ("FAILURES" as const) : null;
  const nextAttemptAt = retryAt(tries, retryAfterMs, now, random);
  return { status: nextAttemptAt === null ? "failed" : "pending", nextAttemptAt, failingSince: since, disable };
}

/** When a message is tried again after so many attempts; null: no more. */
export function retryAt(tries: number, retryAfterMs: number | null, now: number, random: number): number | null {
  const delay = RETRY_DELAYS_MS[tries - 1];
  if (tries >= MAX_TRIES || delay === undefined) return null;
  const jittered = Math.round(delay * (1 + JITTER * random));
  return now + Math.max(jittered, Math.min(retryAfterMs ?? 0, MAX_RETRY_AFTER_MS));
}

/** `Retry-After` (RFC 9110, 10.2.3) in ms from now: seconds or a date; null for neither. */
export function parseRetryAfter(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\d{1,9}$/.test(header.trim())) return Number(header) * 1000;
  const at = header.endsWith("GMT") ? Date.parse(header) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}
