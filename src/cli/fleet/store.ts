import { Database } from "bun:sqlite";
import { Stop } from "../tools.ts";

const SCHEMA = `
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS kept (device TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (device, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue (
  position INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, log_id TEXT NOT NULL, log TEXT NOT NULL,
  deferrals INTEGER NOT NULL DEFAULT 0, not_before INTEGER NOT NULL DEFAULT 0, UNIQUE (device, log_id)
);
CREATE TABLE IF NOT EXISTS refused (
  position INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, log_id TEXT NOT NULL, text TEXT NOT NULL, code TEXT NOT NULL, error TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS refused_device ON refused (device, position);
CREATE TABLE IF NOT EXISTS plays (
  log_id TEXT PRIMARY KEY, device TEXT NOT NULL, status TEXT NOT NULL, duration_ms INTEGER NOT NULL, billable INTEGER NOT NULL,
  must_be_refused_as TEXT, handed INTEGER NOT NULL DEFAULT 0, acknowledged INTEGER NOT NULL DEFAULT 0, refused_as TEXT,
  lost INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS plays_device ON plays (device);
CREATE TABLE IF NOT EXISTS pieces (position INTEGER PRIMARY KEY AUTOINCREMENT, device TEXT NOT NULL, sha256 TEXT NOT NULL, bytes BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS pieces_file ON pieces (device, sha256, position);
CREATE TABLE IF NOT EXISTS complete_files (device TEXT NOT NULL, sha256 TEXT NOT NULL, PRIMARY KEY (device, sha256)) WITHOUT ROWID;
`;
const SCHEMA_VERSION = 2;

/**
 * What a fleet keeps between two starts: its screens' storage, and its own books. A file of SQLite, so that a crash leaves it
 * whole; one for all screens, so that a thousand of them are no thousand open files.
 */
export class FleetStore {
  readonly db: Database;

  /** @throws Stop where the file is that of an older version. */
  constructor(path: string) {
    this.db = new Database(path, { create: true, strict: true });
    // `bun run screens` writes to it while the demo runs.
    this.db.run("PRAGMA busy_timeout = 5000");
    this.db.run("PRAGMA journal_mode = WAL");
    this.db.run("PRAGMA synchronous = NORMAL");
    const { user_version: version } = this.db.query<{ user_version: number }, []>("PRAGMA user_version").get() ?? { user_version: 0 };
    const used = this.db.query("SELECT 1 FROM sqlite_master WHERE name = 'facts'").get() !== null;
    if (used && version !== SCHEMA_VERSION)
      throw new Stop(`${path} was written by another version of this program. Begin anew with --fresh.`);
    this.db.run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
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
