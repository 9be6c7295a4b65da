/** A signed log that waits to be sent. Its text never changes, so that a retry is the same record byte by byte. */
export interface QueuedLog {
  log_id: string;
  text: string;
  /** How often the server put it off. */
  deferrals: number;
}

/** A log that will never be counted, kept to be looked at. */
export interface RefusedLog {
  log_id: string;
  text: string;
  /** The server's code, or `QUEUE_FULL`. */
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
  /** Adds behind all others. When the queue is full the oldest log makes room and is kept among the refused. */
  append(log: { log_id: string; text: string }): Promise<void>;
  /** The oldest logs that may be sent now. */
  ready(now: number, limit: number): Promise<QueuedLog[]>;
  settle(settlement: Settlement): Promise<void>;
  waiting(): Promise<number>;
  /** The refused logs, oldest first; the queue keeps the last of them only. */
  refused(): Promise<RefusedLog[]>;
}

/** At 15 s a play, more than two weeks: older ones would be refused for their age. */
export const QUEUE_CAPACITY_LOGS = 100_000;
export const REFUSED_CAPACITY_LOGS = 1000;

/** The refusal of a log that had to make room. */
export function droppedLog(log: { log_id: string; text: string }): RefusedLog {
  return { log_id: log.log_id, text: log.text, code: "QUEUE_FULL", error: "The device's queue was full, and this log was its oldest." };
}

/** A queue that forgets with its process. */
export class MemoryQueue implements LogQueue {
  readonly #logs = new Map<string, QueuedLog & { notBefore: number }>();
  #refused: RefusedLog[] = [];

  constructor(
    readonly capacity = QUEUE_CAPACITY_LOGS,
    readonly refusedCapacity = REFUSED_CAPACITY_LOGS,
  ) {}

  async append(log: { log_id: string; text: string }): Promise<void> {
    const oldest = this.#logs.size >= this.capacity ? this.#logs.values().next().value : undefined;
    if (oldest) this.#refuse(droppedLog(oldest));
    this.#logs.set(log.log_id, { ...log, deferrals: 0, notBefore: 0 });
  }

  async ready(now: number, limit: number): Promise<QueuedLog[]> {
    const found: QueuedLog[] = [];
    for (const { notBefore, ...log } of this.#logs.values()) {
      if (found.length === limit) break;
      if (notBefore <= now) found.push(log);
    }
    return found;
  }

  async settle(settlement: Settlement): Promise<void> {
    for (const id of settlement.acknowledged) {
      this.#logs.delete(id);
      // It may have made room while its request was under way.
      this.#refused = this.#refused.filter((log) => log.log_id !== id || log.code !== "QUEUE_FULL");
    }
    for (const log of settlement.refused) this.#refuse(log);
    for (const { log_id, notBefore } of settlement.deferred) {
      const log = this.#logs.get(log_id);
      if (log) this.#logs.set(log_id, { ...log, deferrals: log.deferrals + 1, notBefore });
    }
  }

  async waiting(): Promise<number> {
    return this.#logs.size;
  }

  async refused(): Promise<RefusedLog[]> {
    return [...this.#refused];
  }

  #refuse(log: RefusedLog): void {
    this.#logs.delete(log.log_id);
    this.#refused.push(log);
    if (this.#refused.length > this.refusedCapacity) this.#refused.shift();
  }
}
