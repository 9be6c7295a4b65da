import { Database } from "bun:sqlite";
import {
  droppedLog,
  type LogQueue,
  QUEUE_CAPACITY_LOGS,
  type QueuedLog,
  REFUSED_CAPACITY_LOGS,
  type RefusedLog,
  type Settlement,
} from "../../sdk/queue.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue (
  position INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, log_id TEXT NOT NULL, text TEXT NOT NULL,
  deferrals INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0, UNIQUE (device, log_id)
);
CREATE TABLE IF NOT EXISTS refused (
  position INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, log_id TEXT NOT NULL, text TEXT NOT NULL, code TEXT NOT NULL, error TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS refused_device ON refused (device, position);
CREATE TABLE IF NOT EXISTS books (
  log_id TEXT PRIMARY KEY, device TEXT NOT NULL, status TEXT NOT NULL, duration_ms INTEGER NOT NULL, billable INTEGER NOT NULL,
  refusal TEXT, handed INTEGER NOT NULL DEFAULT 0, refused_as TEXT
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS books_device ON books (device);
CREATE TABLE IF NOT EXISTS pieces (position INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, sha256 TEXT NOT NULL, bytes BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS pieces_file ON pieces (device, sha256, position);
CREATE TABLE IF NOT EXISTS complete_files (device TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (device, sha256)) WITHOUT ROWID;
`;

/** What the fleet keeps between two starts: keys, tokens, queues, books. A file of SQLite, so that a crash leaves it whole. */
export class DemoStore {
  readonly db: Database;

  constructor(path: string) {
    this.db = new Database(path, { create: true, strict: true });
    // `bun run screens` writes to it while the demo runs.
    this.db.run("PRAGMA busy_timeout = 5000");
    this.db.run("PRAGMA journal_mode = WAL");
    this.db.run("PRAGMA synchronous = NORMAL");
    this.db.run(SCHEMA);
  }

  /** What was noted under a name; null where nothing was. The caller knows what it wrote. */
  fact<T>(name: string): T | null {
    const row = this.db.query<{ value: string }, [string]>("SELECT value FROM facts WHERE name = ?").get(name);
    return row ? (JSON.parse(row.value) as T) : null;
  }

  note(name: string, value: unknown): void {
    this.db.query("INSERT OR REPLACE INTO facts (name, value) VALUES (?, ?)").run(name, JSON.stringify(value));
  }

  /** The fact of this name, made on the first call. */
  once<T>(name: string, make: () => T): T {
    const known = this.fact<T>(name);
    if (known !== null) return known;
    const made = make();
    this.note(name, made);
    return made;
  }

  close(): void {
    this.db.close();
  }
}

interface QueueRow {
  log_id: string;
  text: string;
  deferrals: number;
}

/** One device's queue in the store. */
export class StoredQueue implements LogQueue {
  readonly #db: Database;

  constructor(
    store: DemoStore,
    readonly device: string,
    readonly capacity = QUEUE_CAPACITY_LOGS,
    readonly refusedCapacity = REFUSED_CAPACITY_LOGS,
  ) {
    this.#db = store.db;
  }

  async append(log: { log_id: string; text: string }): Promise<void> {
    this.#db.transaction(() => {
      const oldest = this.#size() >= this.capacity ? this.#oldest() : null;
      if (oldest) this.#refuse(droppedLog(oldest));
      this.#db.query("INSERT OR IGNORE INTO queue (device, log_id, text) VALUES (?, ?, ?)").run(this.device, log.log_id, log.text);
    })();
  }

  async ready(now: number, limit: number): Promise<QueuedLog[]> {
    return this.#db
      .query<QueueRow, [string, number, number]>(
        "SELECT log_id, text, deferrals FROM queue WHERE device = ? AND not_before <= ? ORDER BY position LIMIT ?",
      )
      .all(this.device, now, limit);
  }

  async settle(settlement: Settlement): Promise<void> {
    this.#db.transaction(() => {
      for (const id of settlement.acknowledged) {
        this.#remove(id);
        this.#db.query("DELETE FROM refused WHERE device = ? AND log_id = ? AND code = 'QUEUE_FULL'").run(this.device, id);
      }
      for (const log of settlement.refused) this.#refuse(log);
      for (const { log_id, notBefore } of settlement.deferred)
        this.#db
          .query("UPDATE queue SET deferrals = deferrals + 1, not_before = ? WHERE device = ? AND log_id = ?")
          .run(notBefore, this.device, log_id);
    })();
  }

  async waiting(): Promise<number> {
    return this.#size();
  }

  async refused(): Promise<RefusedLog[]> {
    return this.#db
      .query<RefusedLog, [string]>("SELECT log_id, text, code, error FROM refused WHERE device = ? ORDER BY position")
      .all(this.device);
  }

  #size(): number {
    return this.#db.query<{ n: number }, [string]>("SELECT count(*) AS n FROM queue WHERE device = ?").get(this.device)?.n ?? 0;
  }

  #oldest(): QueueRow | null {
    return this.#db
      .query<QueueRow, [string]>("SELECT log_id, text, deferrals FROM queue WHERE device = ? ORDER BY position LIMIT 1")
      .get(this.device);
  }

  #remove(logId: string): void {
    this.#db.query("DELETE FROM queue WHERE device = ? AND log_id = ?").run(this.device, logId);
  }

  #refuse(log: RefusedLog): void {
    this.#remove(log.log_id);
    this.#db
      .query("INSERT INTO refused (device, log_id, text, code, error) VALUES (?, ?, ?, ?, ?)")
      .run(this.device, log.log_id, log.text, log.code, log.error);
    this.#db
      .query(
        `DELETE FROM refused WHERE device = ?1 AND position NOT IN
           (SELECT position FROM refused WHERE device = ?1 ORDER BY position DESC LIMIT ?2)`,
      )
      .run(this.device, this.refusedCapacity);
  }
}
