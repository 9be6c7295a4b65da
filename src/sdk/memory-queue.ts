import {
  droppedLog,
  expiredLog,
  isDue,
  isOwnRefusal,
  type NewLog,
  type PlayQueue,
  QUEUE_LIMITS,
  type QueueCounts,
  type QueuedLog,
  type QueueLimits,
  type RefusedLog,
  type Settlement,
} from "./queue.ts";

/** A queue that forgets with its process. */
export class MemoryQueue implements PlayQueue {
  readonly #logs = new Map<string, QueuedLog & { notBefore: number }>();
  readonly #limits: QueueLimits;
  #refused: RefusedLog[] = [];
  #counts = { refused: 0, droppedFull: 0, droppedOld: 0 };

  constructor(limits: Partial<QueueLimits> = {}) {
    this.#limits = { ...QUEUE_LIMITS, ...limits };
  }

  async append(log: NewLog): Promise<void> {
    if (this.#logs.has(log.log_id) || this.#refused.some(({ log_id }) => log_id === log.log_id)) return;
    const yielding = this.#logs.size >= this.#limits.logs ? this.#yielding() : undefined;
    if (yielding) {
      this.#refuse(droppedLog(yielding));
      this.#counts.droppedFull += 1;
    }
    this.#logs.set(log.log_id, { ...log, deferrals: 0, notBefore: 0 });
  }

  async ready(now: number, limit: number): Promise<QueuedLog[]> {
    const found: QueuedLog[] = [];
    for (const { notBefore, ...log } of this.#logs.values()) {
      if (found.length === limit) break;
      if (isDue(notBefore, now)) found.push(log);
    }
    return found;
  }

  async settle(settlement: Settlement): Promise<void> {
    for (const id of settlement.acknowledged) {
      this.#logs.delete(id);
      // It may have made room while its request was under way.
      this.#refused = this.#refused.filter((log) => log.log_id !== id || !isOwnRefusal(log.code));
    }
    for (const log of settlement.refused) {
      this.#refuse(log);
      this.#counts.refused += 1;
    }
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

  async expire(now: number): Promise<number> {
    const old = [...this.#logs.values()].filter(({ madeAt }) => madeAt !== undefined && madeAt < now - this.#limits.ageMs);
    for (const log of old) this.#refuse(expiredLog(log));
    this.#counts.droppedOld += old.length;
    return old.length;
  }

  async counts(): Promise<QueueCounts> {
    return { waiting: this.#logs.size, ...this.#counts };
  }

  #yielding(): QueuedLog | undefined {
    if (this.#limits.drop === "filler") for (const log of this.#logs.values()) if (log.filler) return log;
    return this.#logs.values().next().value;
  }

  #refuse(log: RefusedLog): void {
    this.#logs.delete(log.log_id);
    this.#refused.push(log);
    if (this.#refused.length > this.#limits.refused) this.#refused.shift();
  }
}
