import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../platform/time.ts";

/** Every limit of telemetry, with its unit in its name. What it shares with plays (rate, outbox, chunks) stands in `src/plays/limits.ts`. */

// What comes in.
export const MAX_TELEMETRY_BODY_BYTES = 256 * 1024;
export const MAX_TELEMETRY_EVENTS = 50;
export const MAX_ID_CHARS = 64;
export const MAX_CLIENT_VERSION_CHARS = 32;
/** Positions and durations: one showing of one content never lasts longer than a day. */
export const MAX_SECONDS = 86_400;
export const MAX_AGE_SINGLE_MS = 24 * HOUR_MS;
export const MAX_AGE_BATCH_MS = 7 * DAY_MS;
export const MAX_AHEAD_MS = 5 * MINUTE_MS;

// Reporters: players that are no paired devices.
export const MAX_PLAYERS_PER_TOKEN = 1000;
/** Players of reporters that an isolate knows to be theirs. */
export const KNOWN_PLAYERS_MAX = 20_000;
export const PLAYER_REQUESTS_PER_MINUTE = 120;
/** Of all events together that name no device. */
export const NAMELESS_REQUESTS_PER_MINUTE = 60;

// Who may report on what.
export const ACCESS_FRESH_MS = MINUTE_MS;
export const ACCESS_WAIT_MS = 500;
export const ACCESS_MAX_ENTRIES = 20_000;

// Sessions, of one player.
export const MAX_SESSIONS = 256;
/** Of all players together that a reporter gives no name: at their rate, as many as report once a minute. */
export const MAX_NAMELESS_SESSIONS = 4096;

// The outbox, which telemetry shares with plays.
/** Of its room this share is telemetry's as well: in a long outage what bills nothing must not keep out what is billed. */
export const OUTBOX_SHARE = 0.5;

// Thinning.
/** Of the player's own chunks, sent and unconfirmed: a pipeline that is well has one or two. */
export const THIN_FROM_CHUNKS = 8;
export const THIN_MOST_CHUNKS = 48;
/** Of the queue, as the platform counts it. */
export const THIN_FROM_MESSAGES = 5_000;
export const THIN_MOST_MESSAGES = 50_000;
export const THIN_LEAST_SHARE = 0.1;
export const THIN_MOST_SHARE = 0.5;
export const BACKLOG_FRESH_MS = 30 * SECOND_MS;

// What the consumer keeps.
/** The newest events of a commit, for the feed. */
export const FEED_EVENTS_PER_COMMIT = 50;
/** So many commits always stay for the feed, however old. */
export const FEED_COMMITS_KEPT = 200;
export const FEED_KEPT_MS = HOUR_MS;
/** A fold writes each row that it touches anew, so commits wait for each other: until so many wait, or for so long. */
export const FOLD_FROM_COMMITS = 500;
export const FOLD_AFTER_MS = 15 * MINUTE_MS;
/** What one transaction of a fold reads, but for the last commit, which may be as large as a parameter: the keys in it must fit one, too. */
export const FOLD_BYTES = 800_000;
export const FOLD_TURNS_PER_RUN = 100;
