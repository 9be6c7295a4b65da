import type { Database } from "bun:sqlite";
import {
  droppedLog,
  expiredLog,
  isOwnRefusal,
  type NewLog,
  type PlayQueue,
  QUEUE_LIMITS,
  type QueueCounts,
  type QueuedLog,
  type RefusedLog,
  type Settlement,
} from "../../sdk/queue.ts";
import type { FleetStore } from "./store.ts";

interface QueueRow {
  log: string;
  deferrals: number;
}

/** One device's queue in the store. It makes room by its oldest log. */
export class StoredQueue implements PlayQueue {
  readonly #db: Database;
  readonly #limits: typeof QUEUE_LIMITS;
  readonly #counts: Omit<QueueCounts, "waiting"> = { refused: 0, droppedFull: 0, droppedOld: 0 };

  constructor(
    store: FleetStore,
    readonly device: string,
    limits: Partial<typeof QUEUE_LIMITS> = {},
  ) {
    this.#db = store.db;
    this.#limits = { ...QUEUE_LIMITS, ...limits };
  }

  async append(log: NewLog): Promise<void> {
    this.#db.transaction(() => {
      const oldest = this.#size() >= this.#limits.logs ? this.#oldest() : null;
      if (oldest) this.#refuse(droppedLog(oldest));
      this.#db
        .query("INSERT OR IGNORE INTO queue (device, log_id, log) VALUES (?, ?, ?)")
        .run(this.device, log.log_id, JSON.stringify(log));
    })();
  }

  async ready(now: number, limit: number): Promise<QueuedLog[]> {
    return this.#db
      .query<QueueRow, [string, number, number]>(
        "SELECT log, deferrals FROM queue WHERE device = ? AND not_before <= ? ORDER BY position LIMIT ?",
      )
      .all(this.device, now, limit)
      .map(readRow);
  }

  async settle(settlement: Settlement): Promise<void> {
    this.#db.transaction(() => {
      for (const id of settlement.acknowledged) {
        this.#remove(id);
        this.#db.query("DELETE FROM refused WHERE device = ? AND log_id = ? AND code LIKE 'QUEUE_%'").run(this.device, id);
      }
      for (const log of settlement.refused) this.#refuse(log);
      for (const { log_id, notBefore } of settlement.deferred)
        this.#db
          .query("UPDATE queue SET deferrals = deferrals + 1, not_before = ? WHERE device = ? AND log_id = ?")
          .run(notBefore, this.device, log_id);
    })();
  }

  async expire(now: number): Promise<number> {
    const oldest = this.#oldest();
    if (oldest?.madeAt === undefined || oldest.madeAt >= now - this.#limits.ageMs) return 0;
    this.#refuse(expiredLog(oldest));
    return 1 + (await this.expire(now));
  }

  async waiting(): Promise<number> {
    return this.#size();
  }

  async counts(): Promise<QueueCounts> {
    return { waiting: this.#size(), ...this.#counts };
  }

  async refused(): Promise<RefusedLog[]> {
    return this.#db
      .query<RefusedLog, [string]>("SELECT log_id, text, code, error FROM refused WHERE device = ? ORDER BY position")
      .all(this.device);
  }

  /** The waiting log of this id; null where there is none. */
  find(logId: string): QueuedLog | null {
    const row = this.#db
      .query<QueueRow, [string, string]>("SELECT log, deferrals FROM queue WHERE device = ? AND log_id = ?")
      .get(this.device, logId);
    return row && readRow(row);
  }

  #size(): number {
    return this.#db.query<{ n: number }, [string]>("SELECT count(*) AS n FROM queue WHERE device = ?").get(this.device)?.n ?? 0;
  }

  #oldest(): QueuedLog | null {
    const row = this.#db
      .query<QueueRow, [string]>("SELECT log, deferrals FROM queue WHERE device = ? ORDER BY position LIMIT 1")
      .get(this.device);
    return row && readRow(row);
  }

  #remove(logId: string): void {
    this.#db.query("DELETE FROM queue WHERE device = ? AND log_id = ?").run(this.device, logId);
  }

  #refuse(log: RefusedLog): void {
    if (!isOwnRefusal(log.code)) this.#counts.refused += 1;
    else if (log.code === "QUEUE_FULL") this.#counts.droppedFull += 1;
    else this.#counts.droppedOld += 1;
    this.#remove(log.log_id);
    this.#db
      .query("INSERT INTO refused (device, log_id, text, code, error) VALUES (?, ?, ?, ?, ?)")
      .run(this.device, log.log_id, log.text, log.code, log.error);
    this.#db
      .query(
        `DELETE FROM refused WHERE device = ?1 AND position NOT IN
           (SELECT position FROM refused WHERE device = ?1 ORDER BY position DESC LIMIT ?2)`,
      )
      .run(this.device, this.#limits.refused);
  }
}

function readRow({ log, deferrals }: QueueRow): QueuedLog {
  return { ...(JSON.parse(log) as NewLog), deferrals };
}
