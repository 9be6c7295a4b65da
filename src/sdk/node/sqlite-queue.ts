import {
  droppedLog,
  expiredLog,
  type NewLog,
  type PlayQueue,
  PUT_OFF_MOST_MS,
  QUEUE_LIMITS,
  type QueueCounts,
  type QueuedLog,
  type QueueLimits,
  type RefusedLog,
  type Settlement,
} from "../queue.ts";
import type { SqliteDatabase } from "./sqlite.ts";

interface QueueRow {
  log_id: string;
  text: string;
  clock: string | null;
  made_at: number | null;
  filler: number;
  deferrals: number;
}

type Tally = "refused" | "dropped_full" | "dropped_old";

const COLUMNS = "log_id, text, clock, made_at, filler, deferrals";

/** One player's queue in a file of SQLite. Every call is one transaction. */
export class SqliteQueue implements PlayQueue {
  readonly #db: SqliteDatabase;
  readonly #player: string;
  readonly #limits: QueueLimits;

  constructor(db: SqliteDatabase, player: string, limits: Partial<QueueLimits> = {}) {
    this.#db = db;
    this.#player = player;
    this.#limits = { ...QUEUE_LIMITS, ...limits };
  }

  async append(log: NewLog): Promise<void> {
    this.#db.transaction(() => {
      if (this.#holds("queue", log.log_id) || this.#holds("refused", log.log_id)) return;
      const yielding = this.#size() >= this.#limits.logs ? this.#yielding() : undefined;
      if (yielding) {
        this.#refuse(droppedLog(yielding));
        this.#count("dropped_full", 1);
      }
      this.#db.run(
        "INSERT INTO queue (player, log_id, text, clock, made_at, filler) VALUES (?, ?, ?, ?, ?, ?)",
        this.#player,
        log.log_id,
        log.text,
        log.clock ?? null,
        log.madeAt ?? null,
        log.filler ? 1 : 0,
      );
    });
  }

  async ready(now: number, limit: number): Promise<QueuedLog[]> {
    return this.#db
      .all<QueueRow>(
        `SELECT ${COLUMNS} FROM queue WHERE player = ? AND (not_before <= ? OR not_before > ?) ORDER BY position LIMIT ?`,
        this.#player,
        now,
        now + PUT_OFF_MOST_MS,
        limit,
      )
      .map(logOf);
  }

  async settle(settlement: Settlement): Promise<void> {
    this.#db.transaction(() => {
      for (const id of settlement.acknowledged) {
        this.#remove(id);
        // It may have made room while its request was under way.
        this.#db.run("DELETE FROM refused WHERE player = ? AND log_id = ? AND code LIKE 'QUEUE_%'", this.#player, id);
      }
      for (const log of settlement.refused) this.#refuse(log);
      this.#count("refused", settlement.refused.length);
      for (const { log_id, notBefore } of settlement.deferred)
        this.#db.run(
          "UPDATE queue SET deferrals = deferrals + 1, not_before = ? WHERE player = ? AND log_id = ?",
          notBefore,
          this.#player,
          log_id,
        );
    });
  }

  async waiting(): Promise<number> {
    return this.#size();
  }

  async refused(): Promise<RefusedLog[]> {
    return this.#db.all<RefusedLog>("SELECT log_id, text, code, error FROM refused WHERE player = ? ORDER BY position", this.#player);
  }

  async expire(now: number): Promise<number> {
    return this.#db.transaction(() => {
      const old = this.#db.all<QueueRow>(
        `SELECT ${COLUMNS} FROM queue WHERE player = ? AND made_at < ? ORDER BY position`,
        this.#player,
        now - this.#limits.ageMs,
      );
      for (const row of old) this.#refuse(expiredLog(row));
      this.#count("dropped_old", old.length);
      return old.length;
    });
  }

  async counts(): Promise<QueueCounts> {
    const rows = this.#db.all<{ name: Tally; n: number }>("SELECT name, n FROM tallies WHERE player = ?", this.#player);
    const tally = (name: Tally) => rows.find((row) => row.name === name)?.n ?? 0;
    return { waiting: this.#size(), refused: tally("refused"), droppedFull: tally("dropped_full"), droppedOld: tally("dropped_old") };
  }

  #size(): number {
    return this.#db.all<{ n: number }>("SELECT count(*) AS n FROM queue WHERE player = ?", this.#player)[0]?.n ?? 0;
  }

  #holds(table: "queue" | "refused", logId: string): boolean {
    return this.#db.all(`SELECT 1 FROM ${table} WHERE player = ? AND log_id = ? LIMIT 1`, this.#player, logId).length > 0;
  }

  #yielding(): QueueRow | undefined {
    const first = (filler: string) =>
      this.#db.all<QueueRow>(`SELECT ${COLUMNS} FROM queue WHERE player = ?${filler} ORDER BY position LIMIT 1`, this.#player)[0];
    return (this.#limits.drop === "filler" ? first(" AND filler = 1") : undefined) ?? first("");
  }

  #remove(logId: string): void {
    this.#db.run("DELETE FROM queue WHERE player = ? AND log_id = ?", this.#player, logId);
  }

  #refuse({ log_id, text, code, error }: RefusedLog): void {
    this.#remove(log_id);
    this.#db.run("INSERT INTO refused (player, log_id, text, code, error) VALUES (?, ?, ?, ?, ?)", this.#player, log_id, text, code, error);
    this.#db.run(
      `DELETE FROM refused WHERE player = ?1 AND position <=
         (SELECT position FROM refused WHERE player = ?1 ORDER BY position DESC LIMIT 1 OFFSET ?2)`,
      this.#player,
      this.#limits.refused,
    );
  }

  #count(name: Tally, more: number): void {
    if (more === 0) return;
    this.#db.run(
      "INSERT INTO tallies (player, name, n) VALUES (?, ?, ?) ON CONFLICT (player, name) DO UPDATE SET n = n + excluded.n",
      this.#player,
      name,
      more,
    );
  }
}

function logOf({ clock, deferrals, filler, log_id, made_at, text }: QueueRow): QueuedLog {
  return {
    log_id,
    text,
    deferrals,
    ...(clock === null ? {} : { clock }),
    ...(made_at === null ? {} : { madeAt: made_at }),
    ...(filler === 1 ? { filler: true } : {}),
  };
}
