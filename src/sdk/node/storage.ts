import { chmodSync, closeSync, openSync } from "node:fs";
import type { FileStore } from "../files.ts";
import { exportIdentity, type Identity, identityFromJwk, type PrivateJwk } from "../identity.ts";
import type { PlayerStorage, StorageLock, ValueStore } from "../kept.ts";
import type { QueueLimits } from "../queue.ts";
import { FolderFiles } from "./folder-files.ts";
import { lockFile, openSqlite, type SqliteDatabase, type SqliteOptions } from "./sqlite.ts";
import { SqliteFiles } from "./sqlite-files.ts";
import { SqliteQueue } from "./sqlite-queue.ts";

const SCHEMA = [
  "CREATE TABLE IF NOT EXISTS kept (player TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (player, name)) WITHOUT ROWID",
  `CREATE TABLE IF NOT EXISTS queue (
     position INTEGER PRIMARY KEY AUTOINCREMENT, player TEXT NOT NULL, log_id TEXT NOT NULL, text TEXT NOT NULL, clock TEXT, made_at INTEGER,
     filler INTEGER NOT NULL DEFAULT 0, deferrals INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0, UNIQUE (player, log_id))`,
  "CREATE INDEX IF NOT EXISTS queue_order ON queue (player, position)",
  `CREATE TABLE IF NOT EXISTS refused (
     position INTEGER PRIMARY KEY AUTOINCREMENT, player TEXT NOT NULL, log_id TEXT NOT NULL, text TEXT NOT NULL, code TEXT NOT NULL, error TEXT NOT NULL)`,
  "CREATE INDEX IF NOT EXISTS refused_player ON refused (player, position)",
  "CREATE INDEX IF NOT EXISTS refused_log ON refused (player, log_id)",
  "CREATE TABLE IF NOT EXISTS tallies (player TEXT NOT NULL, name TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (player, name)) WITHOUT ROWID",
  "CREATE TABLE IF NOT EXISTS pieces (position INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL, sha256 TEXT NOT NULL, bytes BLOB NOT NULL)",
  "CREATE INDEX IF NOT EXISTS pieces_file ON pieces (owner, sha256, position)",
  "CREATE TABLE IF NOT EXISTS complete_files (owner TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (owner, sha256)) WITHOUT ROWID",
];

/** Only who runs the player may read its key. */
const PRIVATE_MODE = 0o600;
const KEY = "identity";

export interface SqliteStorageOptions {
  limits?: Partial<QueueLimits>;
  /** Where media are kept as files; in the database without it. */
  filesFolder?: string;
}

/** What one of several players keeps in one file of SQLite. */
export class SqliteStorage implements PlayerStorage {
  readonly readableKeys = true;
  readonly queue: SqliteQueue;
  readonly files: FileStore;
  readonly evidence: FileStore;
  readonly #db: SqliteDatabase;
  readonly #player: string;

  /** @param player what tells it from the others in the file */
  constructor(db: SqliteDatabase, player: string, { filesFolder, limits }: SqliteStorageOptions = {}) {
    prepare(db);
    this.#db = db;
    this.#player = player;
    this.queue = new SqliteQueue(db, player, limits);
    this.files = filesFolder === undefined ? new SqliteFiles(db, `files ${player}`) : new FolderFiles(filesFolder);
    this.evidence = new SqliteFiles(db, `evidence ${player}`);
  }

  readonly identity = {
    load: async () => {
      const jwk = await this.value<PrivateJwk>(KEY).load();
      return jwk && (await identityFromJwk(jwk, true));
    },
    save: async (identity: Identity) => await this.value<PrivateJwk>(KEY).save(await exportIdentity(identity)),
  };

  value<T>(name: string): ValueStore<T> {
    return {
      load: async () => {
        const [row] = this.#db.all<{ value: string }>("SELECT value FROM kept WHERE player = ? AND name = ?", this.#player, name);
        return row ? (JSON.parse(row.value) as T) : null;
      },
      save: async (value) =>
        this.#db.run("INSERT OR REPLACE INTO kept (player, name, value) VALUES (?, ?, ?)", this.#player, name, JSON.stringify(value)),
    };
  }

  async lock(): Promise<StorageLock | null> {
    return await holdersOf(this.#db).take(this.#player);
  }

  /** The file is closed by who opened it. */
  async close(): Promise<void> {}
}

/** Opens the storage of one player: a file of SQLite, which is made where there is none. */
export async function openSqliteStorage(path: string, options: SqliteStorageOptions & SqliteOptions = {}): Promise<SqliteStorage> {
  if (path !== ":memory:") {
    // Before SQLite makes it: what it writes beside the file has the file's mode.
    closeSync(openSync(path, "a", PRIVATE_MODE));
    chmodSync(path, PRIVATE_MODE);
  }
  return new OwnStorage(await openSqlite(path, options), options);
}

class OwnStorage extends SqliteStorage {
  readonly #own: SqliteDatabase;

  constructor(db: SqliteDatabase, options: SqliteStorageOptions) {
    super(db, "", options);
    this.#own = db;
  }

  override async close(): Promise<void> {
    this.#own.close();
  }
}

const prepared = new WeakSet<SqliteDatabase>();

function prepare(db: SqliteDatabase): void {
  if (prepared.has(db)) return;
  for (const statement of SCHEMA) db.run(statement);
  prepared.add(db);
}

/** The players of one file that run in this process. The first of them takes the file for the process, the last one gives it back. */
class Holders {
  readonly #path: string;
  readonly #players = new Set<string>();
  #file: Promise<(() => void) | null> | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  async take(player: string): Promise<StorageLock | null> {
    if (this.#players.has(player)) return null;
    this.#players.add(player);
    this.#file ??= this.#path === ":memory:" ? Promise.resolve(() => {}) : lockFile(`${this.#path}.lock`);
    const file = await this.#file.catch((error: unknown) => {
      this.#leave(player);
      throw error;
    });
    if (!file) {
      this.#leave(player);
      return null;
    }
    let held = true;
    return {
      release: async () => {
        if (held) this.#leave(player);
        held = false;
      },
    };
  }

  #leave(player: string): void {
    this.#players.delete(player);
    if (this.#players.size > 0) return;
    void this.#file?.then((release) => release?.()).catch(() => undefined);
    this.#file = null;
  }
}

const holders = new WeakMap<SqliteDatabase, Holders>();

function holdersOf(db: SqliteDatabase): Holders {
  const known = holders.get(db) ?? new Holders(db.path);
  holders.set(db, known);
  return known;
}
