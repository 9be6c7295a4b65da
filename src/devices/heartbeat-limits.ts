import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../platform/time.ts";

/** Every limit of heartbeats, with its unit in its name. Limits of what counts as wrong are strict: exactly on them is still right. */

export const DEFAULT_HEARTBEAT_INTERVAL_S = 60;
export const HEARTBEAT_BODY_MAX_BYTES = 64 * 1024;

/** Heartbeats that a device misses before it is offline. */
export const MISSED_HEARTBEATS = 3;
/**
 * A silence is noticed up to so many heartbeats later: so the object writes down at every third heartbeat only that it was heard of,
 * and moves its alarm as seldom. At 60 s, 5,000 devices then write 5 million rows a day (alarms among them) instead of 14 million.
 */
export const SILENCE_SLACK_HEARTBEATS = 2;
/** How long until a silence that could not be reported is reported again. */
export const SILENCE_RETRY_MS = 5 * MINUTE_MS;

/** How often D1 hears of a device that is well, at most. */
export const REPORT_EVERY_MS = 10 * MINUTE_MS;
/** How often it hears of one where something changed, at most. */
export const REPORT_CHANGE_EVERY_MS = 30 * SECOND_MS;

/** By how much the clock offset that is written down may be off before it is written anew: less than what judging ignores. */
export const CLOCK_KEPT_WITHIN_MS = 2 * SECOND_MS;
/** When activity that was seen but not written down is written down. */
export const ACTIVITY_WRITTEN_AFTER_MS = 5 * MINUTE_MS;

export const CLOCK_DRIFT_MS = 10 * MINUTE_MS;
export const STORAGE_FULL_SHARE = 0.9;
/** An open incident about storage ends at so much under the limit, so that it does not open and end all the time. */
export const STORAGE_RELIEF_SHARE = 0.02;
export const DOWNLOAD_FAILURES = 3;
export const DOWNLOAD_FAILURES_WITHIN_MS = HOUR_MS;
export const RESTARTS = 3;
export const RESTARTS_WITHIN_MS = 10 * MINUTE_MS;
export const STUCK_AFTER_MS = 15 * MINUTE_MS;
export const STUCK_AFTER_ITEMS = 3;
export const GAP_OPEN_AFTER_MS = HOUR_MS;
/** No door lets in what is older: numbers that are missing for longer will never come, and are history. */
export const GAP_FORGOTTEN_AFTER_MS = 8 * DAY_MS;
/** Gaps that are followed, the oldest first. */
export const MAX_GAPS_FOLLOWED = 32;

export const MAX_RESULTS_PER_HEARTBEAT = 20;
/** Results that wait for D1 to be told: with them, a report stays well under the 128 KB of a message. */
export const MAX_RESULTS_KEPT = 40;
/** Of a result's detail, as JSON; a larger one is cut to so many characters. */
export const RESULT_DETAIL_MAX_BYTES = 2000;
export const RESULT_DETAIL_CUT_CHARS = 500;
export const MAX_SETTLED_KEPT = 50;
/** Of an error that a player tells; what is longer is cut. */
export const MAX_TEXT_CHARS = 500;
