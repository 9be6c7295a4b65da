/** What a parameter of a statement may be. */
export type SqlValue = string | number | null | Uint8Array;

/** A file of SQLite, by whichever runtime's own library. */
export interface SqliteDatabase {
  readonly path: string;
  run(sql: string, ...params: SqlValue[]): void;
  /** The rows, whose form the caller knows. */
  all<T>(sql: string, ...params: SqlValue[]): T[];
  /** All of what is done in it, or nothing. */
  transaction<T>(work: () => T): T;
  close(): void;
}

export interface SqliteOptions {
  /**
   * Whether what was written has survived when the power goes (`synchronous = FULL`); true without it. Otherwise the last second
   * may be lost, and the file is whole all the same.
   */
  durable?: boolean;
  /** How long to wait for another program that writes, ms. */
  busyTimeoutMs?: number;
}

interface Statement {
  run(...params: SqlValue[]): unknown;
  all(...params: SqlValue[]): unknown[];
}

interface Driver {
  prepare(sql: string): Statement;
  close(): void;
}

const BUSY_TIMEOUT_MS = 5000;
const IN_MEMORY = ":memory:";

/** Opens a file of SQLite, and makes it where there is none. By `bun:sqlite` in Bun, `node:sqlite` in Node. */
export async function openSqlite(
  path: string,
  { durable = true, busyTimeoutMs = BUSY_TIMEOUT_MS }: SqliteOptions = {},
): Promise<SqliteDatabase> {
  const database = new OpenDatabase(path, await openDriver(path));
  database.all(`PRAGMA busy_timeout = ${busyTimeoutMs}`);
  if (path !== IN_MEMORY) database.all("PRAGMA journal_mode = WAL");
  database.run(`PRAGMA synchronous = ${durable ? "FULL" : "NORMAL"}`);
  return database;
}

/**
 * Takes the file for this process alone, until what is returned is called, or the process ends in whichever way: the lock is the
 * operating system's. Null where another has it.
 */
export async function lockFile(path: string): Promise<(() => void) | null> {
  const database = new OpenDatabase(path, await openDriver(path));
  try {
    database.all("PRAGMA busy_timeout = 0");
    database.run("BEGIN EXCLUSIVE");
    return () => database.close();
  } catch (error) {
    database.close();
    if (error instanceof Error && /locked|busy/i.test(error.message)) return null;
    throw error;
  }
}

async function openDriver(path: string): Promise<Driver> {
  if ("Bun" in globalThis) {
    // By name, so that bundlers for other runtimes do not look for it.
    const library = "bun:sqlite";
    const { Database } = (await import(library)) as typeof import("bun:sqlite");
    const database = new Database(path, { create: true });
    return { prepare: (sql) => database.prepare(sql), close: () => database.close() };
  }
  const { DatabaseSync } = await import("node:sqlite");
  const database = new DatabaseSync(path);
  return { prepare: (sql) => plainRows(database.prepare(sql)), close: () => database.close() };
}

/** Node's rows have no prototype: not every code that takes objects takes those. */
function plainRows(statement: Statement): Statement {
  return {
    run: (...params) => statement.run(...params),
    all: (...params) => statement.all(...params).map((row) => ({ ...(row as object) })),
  };
}

class OpenDatabase implements SqliteDatabase {
  readonly #driver: Driver;
  readonly #statements = new Map<string, Statement>();
  #depth = 0;

  constructor(
    readonly path: string,
    driver: Driver,
  ) {
    this.#driver = driver;
  }

  run(sql: string, ...params: SqlValue[]): void {
    this.#prepared(sql).run(...params);
  }

  all<T>(sql: string, ...params: SqlValue[]): T[] {
    return this.#prepared(sql).all(...params) as T[];
  }

  transaction<T>(work: () => T): T {
    if (this.#depth > 0) return work();
    this.run("BEGIN IMMEDIATE");
    this.#depth += 1;
    try {
      const result = work();
      this.run("COMMIT");
      return result;
    } catch (error) {
      this.run("ROLLBACK");
      throw error;
    } finally {
      this.#depth -= 1;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#driver.close();
  }

  #prepared(sql: string): Statement {
    const known = this.#statements.get(sql);
    if (known) return known;
    const made = this.#driver.prepare(sql);
    this.#statements.set(sql, made);
    return made;
  }
}
