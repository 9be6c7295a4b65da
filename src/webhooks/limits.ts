import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../platform/time.ts";

/** Every limit of webhooks, with its unit in its name. */

export const MAX_URL_CHARS = 2048;
/** What a cron run or a commit looks through stays small. */
export const MAX_WEBHOOKS = 50;

/** Plays that one message carries. Which part of a segment a message's id names follows from it: another number needs other ids. */
export const PLAYS_PER_MESSAGE = 500;

/** How long a receiver may take, its answer's beginning included (Standard Webhooks: 15 to 30 s). */
export const ATTEMPT_TIMEOUT_MS = 15 * SECOND_MS;
/** What of an answer is read, and what of that is kept. */
export const MAX_RESPONSE_BYTES = 2048;
export const MAX_RESPONSE_CHARS = 500;

/** Delays before the second to the tenth attempt, 75 hours in all (Standard Webhooks' example). */
export const RETRY_DELAYS_MS = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
] as const;
export const MAX_TRIES = RETRY_DELAYS_MS.length + 1;
/** Each delay is longer by up to this part of it, so that what failed together does not come back together. */
export const JITTER = 0.2;
/** The longest `Retry-After` that is honoured. */
export const MAX_RETRY_AFTER_MS = DAY_MS;

/** A webhook to which nothing got through for so long is switched off. */
export const DISABLE_AFTER_MS = 5 * DAY_MS;

/** Messages of one webhook under way at a time: while all is well, and while it fails. */
export const MESSAGES_AT_ONCE = 4;
export const MESSAGES_AT_ONCE_FAILING = 1;
/** What one alarm sends; should every one of them take the whole time limit, it ends well within the platform's 15 min. */
export const MESSAGES_PER_ALARM = 20;
/** When a dispatcher that could not reach D1 or R2 looks again. */
export const OUTAGE_WAIT_MS = 30 * SECOND_MS;

/** Events that one statement takes out of the outbox, and statements a run. */
export const EVENTS_PER_FAN_OUT = 100;
export const FAN_OUTS_PER_RUN = 50;
export const WAKE_TIMEOUT_MS = 5 * SECOND_MS;

export const DEFAULT_SECRET_OVERLAP_S = DAY_MS / 1000;
export const MAX_SECRET_OVERLAP_S = (7 * DAY_MS) / 1000;

/** How far apart the ends of a period may be whose messages are sent again at once. */
export const MAX_RECOVERY_MS = 7 * DAY_MS;
/** How many messages that may be, so that it is a matter of seconds for D1. */
export const MAX_RECOVERY_MESSAGES = 100_000;

/** Messages that ended, and attempts, go after this time. */
export const LOG_KEPT_MS = 30 * DAY_MS;
export const FORGET_ROWS_PER_STATEMENT = 5000;
export const FORGET_STATEMENTS_PER_RUN = 100;
