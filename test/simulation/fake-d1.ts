import { Database, type SQLQueryBindings } from "bun:sqlite";
import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { type Life, never, type World } from "./world.ts";

const MIGRATIONS = resolve(import.meta.dirname, "../../migrations");
let template: Uint8Array | null = null;

/** The real migrations, applied once and copied for each run. */
function migrated(): Database {
  if (!template) {
    const db = new Database(":memory:");
    for (const file of readdirSync(MIGRATIONS).sort()) db.run(readFileSync(resolve(MIGRATIONS, file), "utf8"));
    template = db.serialize();
    db.close();
  }
  return Database.deserialize(template);
}

/** A statement as D1 prepares it. */
class Statement {
  constructor(
    private readonly d1: FakeD1,
    private readonly life: Life,
    private readonly gate: () => Promise<void>,
    readonly sql: string,
    readonly params: SQLQueryBindings[] = [],
  ) {}

  bind(...params: SQLQueryBindings[]): Statement {
    return new Statement(this.d1, this.life, this.gate, this.sql, params);
  }

  all(): Promise<StatementResult> {
    return this.d1.call(this.life, this.gate, () => this.d1.execute(this));
  }

  run(): Promise<StatementResult> {
    return this.all();
  }

  async first(): Promise<unknown> {
    return (await this.all()).results[0] ?? null;
  }
}

interface StatementResult {
  success: true;
  results: unknown[];
  meta: { changes: number };
}

/** D1 over real SQLite: each statement by itself or each batch in one transaction, at the far end of a network that fails. */
export class FakeD1 {
  readonly db = migrated();
  /** While it is away, every call fails. */
  awayUntil = 0;

  constructor(private readonly world: World) {}

  /** The binding as one caller has it. `gate` holds calls back until what the caller wrote before is durable. */
  for(life: Life, gate: () => Promise<void> = async () => {}): D1Database {
    return {
      prepare: (sql: string) => new Statement(this, life, gate, sql),
      batch: (statements: Statement[]) => this.call(life, gate, () => this.#transaction(statements)),
    } as unknown as D1Database;
  }

  call<T>(life: Life, gate: () => Promise<void>, work: () => T): Promise<T> {
    const { world } = this;
    return life.call(async () => {
      await gate();
      await world.latency();
      if (world.now < this.awayUntil || world.fault("D1 fails before")) throw new Error("D1_ERROR: Network connection lost.");
      if (world.fault("D1 hangs")) await never();
      if (world.fault("D1 late")) await world.sleep(world.random.between(1000, 20_000));
      const result = work();
      if (world.fault("D1 fails after")) throw new Error("D1_ERROR: Network connection lost.");
      await world.latency();
      return result;
    });
  }

  execute({ sql, params }: Statement): StatementResult {
    try {
      const statement = this.db.query(sql);
      if (/^\s*(SELECT|WITH)/i.test(sql) || /\bRETURNING\b/i.test(sql))
        return { success: true, results: statement.all(...params), meta: { changes: 0 } };
      return { success: true, results: [], meta: { changes: statement.run(...params).changes } };
    } catch (error) {
      throw new Error(`D1_ERROR: ${error instanceof Error ? error.message : error}: ${codeOf(error)}`);
    }
  }

  #transaction(statements: Statement[]): StatementResult[] {
    this.db.run("BEGIN");
    try {
      const results = statements.map((statement) => this.execute(statement));
      this.db.run("COMMIT");
      return results;
    } catch (error) {
      this.db.run("ROLLBACK");
      throw error;
    }
  }

  /** What stands there, past the network: for the checks. */
  rows<T>(sql: string, ...params: SQLQueryBindings[]): T[] {
    return this.db.query(sql).all(...params) as T[];
  }
}

/** D1 names the group of the error: SQLITE_CONSTRAINT, not SQLITE_CONSTRAINT_PRIMARYKEY. */
function codeOf(error: unknown): string {
  const code = typeof error === "object" && error !== null && "code" in error ? String(error.code) : "SQLITE_ERROR";
  return code.split("_").slice(0, 2).join("_");
}
