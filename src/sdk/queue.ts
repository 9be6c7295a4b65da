/** A signed log as it is put into the queue. */
export interface NewLog {
  log_id: string;
  /** Its JSON. It never changes, so that a retry is the same record byte by byte. */
  text: string;
  /** The clock that its times are by, where the device has had more than one ({@link DeviceClock}). */
  clock?: string;
  /** When it was made, ms since 1970 by the server; absent where that was not known. */
  madeAt?: number;
  /** Whether it is of no campaign, and bills nobody. */
  filler?: boolean;
}

/** A signed log that waits to be sent. */
export interface QueuedLog extends NewLog {
  /** How often the server put it off. */
  deferrals: number;
}

/** A log that will never be counted, kept to be looked at. */
export interface RefusedLog {
  log_id: string;
  text: string;
  /** The server's code, or `QUEUE_FULL` or `QUEUE_TOO_OLD` for a log that the device dropped. */
  code: string;
  error: string;
}

/** What became of the logs of one request. */
export interface Settlement {
  acknowledged: string[];
  refused: RefusedLog[];
  /** Not before this time (ms, the device's clock). */
  deferred: { log_id: string; notBefore: number }[];
}

/**
 * Store and forward: a log stays until the server has answered for it. Every call is one transaction,
 * and what it wrote outlives a restart (but for {@link MemoryQueue}).
 */
export interface LogQueue {
  /**
   * Adds behind all others; one whose id is there already, or among the refused that are kept, stays as it is. When the queue
   * is full a log makes room, by the queue's policy, and is kept among the refused.
   */
  append(log: NewLog): Promise<void>;
  /** The oldest logs that may be sent now, see {@link isDue}. */
  ready(now: number, limit: number): Promise<QueuedLog[]>;
  settle(settlement: Settlement): Promise<void>;
  waiting(): Promise<number>;
  /** The refused logs, oldest first; the queue keeps the last of them only. */
  refused(): Promise<RefusedLog[]>;
}

/** What a queue holds, and what it had to drop since it was made. */
export interface QueueCounts {
  waiting: number;
  /** Finally refused by the server, all of them. */
  refused: number;
  droppedFull: number;
  droppedOld: number;
}

/** A queue that is bounded in its size and in the age of what it holds, and counts what it drops. */
export interface PlayQueue extends LogQueue {
  /** Drops what is older than the limits allow. `now` in ms since 1970 by the server. Returns how many. */
  expire(now: number): Promise<number>;
  counts(): Promise<QueueCounts>;
}

/** What a queue holds at most, and what makes room. */
export interface QueueLimits {
  logs: number;
  /** Refused logs that are kept to be looked at. */
  refused: number;
  ageMs: number;
  /** `oldest`: the oldest log; `filler`: the oldest of those that bill nobody, and where there is none, the oldest. */
  drop: "oldest" | "filler";
}

/** At 15 s a play, more than two weeks: older ones would be refused for their age. */
export const QUEUE_CAPACITY_LOGS = 100_000;
export const REFUSED_CAPACITY_LOGS = 1000;
/** No door takes a play that is older, whatever a group's policy says. */
const QUEUE_AGE_MS = 7 * 24 * 3_600_000;

export const QUEUE_LIMITS: QueueLimits = {
  logs: QUEUE_CAPACITY_LOGS,
  refused: REFUSED_CAPACITY_LOGS,
  ageMs: QUEUE_AGE_MS,
  drop: "filler",
};

/** No log is put off for longer, ms. */
export const PUT_OFF_MOST_MS = 10 * 60_000;

/**
 * Whether a log that was put off may be sent; both times by the device's clock. What seems to be put off for longer than any log
 * is, was so by a clock that has been set back since, and would lie there for as long as that was. Pure.
 */
export function isDue(notBefore: number, now: number): boolean {
  return notBefore <= now || notBefore > now + PUT_OFF_MOST_MS;
}

/** The refusal of a log that had to make room. */
export function droppedLog(log: { log_id: string; text: string }): RefusedLog {
  return { log_id: log.log_id, text: log.text, code: "QUEUE_FULL", error: "The device's queue was full, and this log had to make room." };
}

/** The refusal of a log that waited longer than any server takes it. */
export function expiredLog(log: { log_id: string; text: string }): RefusedLog {
  return { log_id: log.log_id, text: log.text, code: "QUEUE_TOO_OLD", error: "The log waited too long to be sent." };
}

/** Whether a refusal is the device's own, and was no word of the server's: it is taken back where the server did get the log. */
export function isOwnRefusal(code: string): boolean {
  return code === "QUEUE_FULL" || code === "QUEUE_TOO_OLD";
}
