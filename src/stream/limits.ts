import { SECOND_MS } from "../platform/time.ts";
import { MAX_BODY_BYTES } from "../plays/limits.ts";

/** Every limit of the live stream, with its unit in its name. Rates, ages and records are those of the doors (`src/plays/policy.ts`). */

/** A frame, in UTF-8: as large as a request's body. */
export const MAX_FRAME_BYTES = MAX_BODY_BYTES;
export const MAX_FRAME_ID_CHARS = 64;
/** Frames of one socket are taken one after the other. What waits lies in memory: a player that sends faster than that is closed. */
export const MAX_FRAMES_WAITING = 32;
export const MAX_WAITING_BYTES = 8 * MAX_FRAME_BYTES;

export const CONNECT_TIMEOUT_MS = 10 * SECOND_MS;
/** What D1 is given to note that a device is connected, or is not any more. */
export const NOTE_TIMEOUT_MS = 5 * SECOND_MS;

// Telling connected devices that their plans have changed.
export const TOLD_PER_PAGE = 500;
export const TOLD_AT_ONCE = 32;
export const TELL_TIMEOUT_MS = 5 * SECOND_MS;
/** A request's `waitUntil` lasts 30 s at most; cron tells those that are left. */
export const TELL_BEHIND_REQUEST_MS = 20 * SECOND_MS;
