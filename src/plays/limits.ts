import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../platform/time.ts";

/** Every limit on the way of a play, with its unit in its name. What a group's policy may change stands in `policy.ts`. */

// What comes in.
export const MAX_BODY_BYTES = 1024 * 1024;
/** How long a request waits for its sequencer. What that kept meanwhile, a retry finds. */
export const ADMIT_TIMEOUT_MS = 10 * SECOND_MS;
export const MAX_RECORD_BYTES = 16 * 1024;
/** Deeper nesting has no use, and costs time out of all proportion. */
export const MAX_RECORD_DEPTH = 64;
export const MAX_SLOT_ID_CHARS = 128;
export const MAX_EXPECTED_MS = DAY_MS;

// The catalogue.
export const CATALOGUE_FRESH_MS = 60 * SECOND_MS;
export const CATALOGUE_WAIT_MS = 500;
export const CATALOGUE_MAX_ENTRIES = 20_000;

// The rate (a sliding window).
export const RATE_WINDOW_MS = MINUTE_MS;
export const DEFAULT_REQUESTS_PER_MINUTE = 120;
/** Devices whose requests of this minute an isolate counts by itself; more, and it begins anew. */
export const FLOOD_CACHE_DEVICES = 50_000;
/** Above this rate, times are kept by the second: a list of each would grow with the rate. */
export const EXACT_RATE_MAX_REQUESTS = 600;

// What was seen.
/** The oldest record that any door lets in (7 days), and one day more. */
export const SEEN_RETENTION_MS = 8 * DAY_MS;
export const SEEN_PACK_ENTRIES = 4096;
export const SEEN_PACK_AFTER_MS = HOUR_MS;
export const SEEN_CACHE_BYTES = 4 * 1024 * 1024;
/** A pack is one row of storage, which may have 2 MB. */
export const SEEN_PACK_MAX_ENTRIES = 32_000;
export const SEEN_FILTER_CACHE_BYTES = 8 * 1024 * 1024;
export const MAX_REFUSED_KEPT = 100;
export const MAX_REFUSED_RECORD_CHARS = 2048;

// Sequence.
export const MAX_EPOCHS = 16;
export const MAX_RANGES_PER_EPOCH = 200;

// Starts and ends.
/** As many as one request of proof events brings. A device with more open ones has lost their ends: the oldest are taken as timed out. */
export const MAX_OPEN_STARTS = 500;
/** Ends that named no start and met none, remembered for a start that comes late. Those that name theirs are remembered as long as ids are. */
export const MAX_LOOSE_ENDS = 64;

// The outbox.
/** A queue message may have 128 KB; a chunk stays well under it. */
export const MAX_CHUNK_BYTES = 100_000;
/** What a request's logs may have, sealed; beside it there is room in a chunk for their verdicts. */
export const MAX_PARCEL_BYTES = 80_000;
/** What a parcel's text may have, unpacked: far more than a request's body can bring. */
export const MAX_PARCEL_TEXT_BYTES = 8 * 1024 * 1024;
export const MAX_CHUNKS_UNCONFIRMED = 64;
/** Arrivals that one alarm looks at; a longer queue is drained by the next. */
export const MAX_ARRIVALS_PER_ALARM = 10_000;
export const MAX_SEND_BYTES = 250_000;
export const MAX_SEND_MESSAGES = 100;
export const DRAIN_AFTER_MS = SECOND_MS;
/**
 * Of a device that goes on reporting, small requests wait this long for each other. As long as {@link OWED_WRITE_MS}: so one alarm does
 * both, and is not set twice.
 */
export const DRAIN_EVERY_MS = 8 * SECOND_MS;
/** A request of so many plays is worth a chunk of its own, sealed and sent with the answer; fewer wait for others. */
export const SEAL_AT_ONCE_PLAYS = 20;
/**
 * What changed in memory only is written this much later. An object that rests stays in memory for ten seconds at least
 * (https://developers.cloudflare.com/durable-objects/concepts/durable-object-lifecycle/); where it dies before, chunks are sent once more.
 */
export const OWED_WRITE_MS = 8 * SECOND_MS;
/** Refusals that no play travels with wait a little for one. */
export const REFUSALS_WAIT_MS = MINUTE_MS;
export const ALARM_OVERDUE_MS = MINUTE_MS;
export const QUEUE_SEND_TIMEOUT_MS = 5 * SECOND_MS;
export const RESEND_BACKOFF_MAX_MS = 6 * HOUR_MS;
export const OUTBOX_FULL_RETRY_AFTER_S = 60;

// Breakers: the queue from the sequencer, D1 and R2 from the consumer.
export const BREAKER_FAILURES = 5;
export const BREAKER_OPEN_MS = 30 * SECOND_MS;

// The consumer.
/** Plays that wait longer are recorded before requests are answered: the queue takes up a rush, but does not grow for as long as one lasts. */
export const RECORDING_LATE_MS = MINUTE_MS;
/** D1 takes values of 2 MB; a parameter stays under this. */
export const MAX_D1_PARAMETER_BYTES = 1_800_000;
export const D1_WRITE_TIMEOUT_MS = 5 * SECOND_MS;
export const R2_TIMEOUT_MS = 10 * SECOND_MS;
export const SEQUENCER_TIMEOUT_MS = 5 * SECOND_MS;
export const D1_READ_TIMEOUT_MS = 2 * SECOND_MS;
export const RETRY_DELAY_FIRST_S = 2;
export const RETRY_DELAY_MAX_S = 600;
/** After so many retries the outage is a long one, and the delays grow further. */
export const PATIENT_RETRIES = 40;
export const RETRY_DELAY_PATIENT_MAX_S = 3 * 3600;
/** A message that failed so often with no neighbour to blame is written to the dead letters. */
export const MAX_LONE_FAILURES = 5;
/** How often a commit that another consumer was faster at starts again. */
export const MAX_COMMIT_ROUNDS = 5;
