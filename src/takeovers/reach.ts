import { DAY_MS } from "../platform/time.ts";

/**
 * How long behind its end a takeover is still read for plans. A plan begins with the local day, and says of that day's past
 * what it was; so more than the longest day is enough. The plan itself cuts to the millisecond.
 */
const ENDED_KEPT_MS = 2 * DAY_MS;

/** SQL: whether a takeover `t` is part of plans: it was not lifted, and did not end before their first day. */
export const TAKEOVER_PLANNED = `t.lifted_at IS NULL AND (t.ends_at IS NULL OR t.ends_at > unixepoch() * 1000 - ${ENDED_KEPT_MS})`;

/** SQL: whether a takeover `t` is about a device `td`, by where it stands now. */
export const TAKEOVER_REACHES = `(t.target_type = 'ALL' OR (t.target_type = 'GROUP' AND t.target_id = td.group_id)
  OR (t.target_type = 'STORE' AND t.target_id = td.store_id))`;

/** SQL that follows a SELECT of columns of `t`: the takeovers in the plan of a device (?1). */
export const FROM_TAKEOVERS_OF_DEVICE = `FROM takeovers t JOIN devices td ON td.id = ?1 AND ${TAKEOVER_REACHES} WHERE ${TAKEOVER_PLANNED}`;
