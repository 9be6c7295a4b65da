import { type CleanedWhere, createAdapterFactory } from "better-auth/adapters";
import { and, asc, desc, getTableColumns, type Query, type SQL, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import type { SQLiteColumn, SQLiteTable } from "drizzle-orm/sqlite-core";
import { coarseNetwork } from "../platform/address.ts";
import { sha256Now } from "../platform/hash.ts";
import type { Row } from "../platform/rows.ts";
import { sessionEnd } from "./session.ts";
import { signInSteps, userAccounts, userSecondFactors, userSessions, users } from "./tables.ts";

const USER_AGENT_MAX_CHARS = 256;

/** The library's models, by the names of their tables. */
const TABLES: Record<string, SQLiteTable> = {
  users,
  user_accounts: userAccounts,
  user_sessions: userSessions,
  user_second_factors: userSecondFactors,
  sign_in_steps: signInSteps,
};

/** What the library writes: into which table, whether it makes a row, sets values or counts, with which values, and of which row. */
export interface AccountWrite {
  table: string;
  kind: "create" | "change" | "count";
  values: Row;
  where: Row;
}

/** What must be written in the same transaction as one of the library's writes. */
export type Beside = (write: AccountWrite) => D1PreparedStatement[];

export type OnFault = (fault: unknown) => void;

/**
 * The library's tables in D1, through drizzle. Made for one request.
 *  - Of a session's token the database has only the hash; the token itself is known while its request lasts.
 *  - Who is disabled is not there.
 *  - `beside` puts statements, as that of an audit row, into the transaction of a write.
 *  - `onFault` hears of what failed: the library takes some failures for an absent row.
 */
export function accountStore(db: D1Database, beside: Beside, onFault: OnFault) {
  const tokens = new Map<string, string>();
  const hashed = (token: unknown): unknown => {
    if (typeof token !== "string") return token;
    const hash = sha256Now(token);
    tokens.set(hash, token);
    return hash;
  };
  return createAdapterFactory({
    config: {
      adapterId: "d1",
      supportsBooleans: false,
      supportsNumericIds: false,
      customTransformInput: ({ data, field }) => {
        if (field === "token_hash") return Array.isArray(data) ? data.map(hashed) : hashed(data);
        return data instanceof Date ? data.getTime() : data;
      },
      customTransformOutput: ({ data, field, fieldAttributes }) => {
        if (field === "token") return tokens.get(String(data)) ?? data;
        return fieldAttributes.type === "date" && typeof data === "number" ? new Date(data) : data;
      },
    },
    adapter: ({ getFieldName }) => watched(new Store(db, beside, (model, field) => getFieldName({ model, field })), onFault),
  });
}

/** The store, whose failures are told before they are thrown. */
function watched(store: Store, onFault: OnFault): Store {
  return new Proxy(store, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function") return method;
      return async (...given: unknown[]) => {
        try {
          return await method.apply(target, given);
        } catch (error) {
          onFault(error);
          throw error;
        }
      };
    },
  });
}

/** What the library asks of a database. Names of columns come from its schema and are looked up in ours, so that no other gets into SQL. */
class Store {
  readonly #db: D1Database;
  readonly #beside: Beside;
  readonly #columnName: (model: string, field: string) => string;

  constructor(db: D1Database, beside: Beside, columnName: (model: string, field: string) => string) {
    this.#db = db;
    this.#beside = beside;
    this.#columnName = columnName;
  }

  async create<T extends Row>({ model, data }: { model: string; data: T }): Promise<T> {
    const values = known(model, model === "user_sessions" ? newSession(data) : data);
    const insert = drizzle(this.#db).insert(tableOf(model)).values(values).returning();
    return (await this.#write(insert, this.#beside({ table: model, kind: "create", values, where: {} }))) as T;
  }

  async update<T>({ model, where, update }: { model: string; where: CleanedWhere[]; update: T }): Promise<T | null> {
    return (await this.#change(model, where, known(model, update as Row), "change")) as T | null;
  }

  async updateMany({ model, where, update }: { model: string; where: CleanedWhere[]; update: Row }): Promise<number> {
    const query = drizzle(this.#db).update(tableOf(model)).set(known(model, update)).where(conditionOf(model, where));
    return (await prepared(this.#db, query).run()).meta.changes;
  }

  async findOne<T>({ model, where }: { model: string; where: CleanedWhere[] }): Promise<T | null> {
    const [row] = await this.#select(model, where, 1);
    return (row ?? null) as T | null;
  }

  async findMany<T>(query: {
    model: string;
    where?: CleanedWhere[] | undefined;
    limit: number;
    sortBy?: { field: string; direction: "asc" | "desc" } | undefined;
    offset?: number | undefined;
  }): Promise<T[]> {
    return (await this.#select(query.model, query.where ?? [], query.limit, query.sortBy, query.offset)) as T[];
  }

  async count({ model, where }: { model: string; where?: CleanedWhere[] | undefined }): Promise<number> {
    const query = drizzle(this.#db)
      .select({ count: sql<number>`count(*)` })
      .from(tableOf(model))
      .where(conditionOf(model, where ?? []));
    return (await prepared(this.#db, query).first<{ "count(*)": number }>())?.["count(*)"] ?? 0;
  }

  async delete({ model, where }: { model: string; where: CleanedWhere[] }): Promise<void> {
    await this.deleteMany({ model, where });
  }

  async deleteMany({ model, where }: { model: string; where: CleanedWhere[] }): Promise<number> {
    const query = drizzle(this.#db).delete(tableOf(model)).where(conditionOf(model, where));
    return (await prepared(this.#db, query).run()).meta.changes;
  }

  /** Takes a row away for one caller of several. */
  async consumeOne<T>({ model, where }: { model: string; where: CleanedWhere[] }): Promise<T | null> {
    const query = drizzle(this.#db).delete(tableOf(model)).where(conditionOf(model, where)).returning();
    return (await prepared(this.#db, query).first<Row>()) as T | null;
  }

  /** Adds to numbers, and sets others, of a row that is still as `where` says. */
  async incrementOne<T>(asked: {
    model: string;
    where: CleanedWhere[];
    increment: Record<string, number>;
    set?: Row | undefined;
  }): Promise<T | null> {
    const { model, where, increment, set = {} } = asked;
    const sums = Object.entries(increment).map(([name, by]) => [name, sql`coalesce(${column(model, name)}, 0) + ${by}`] as const);
    const kind = sums.length > 0 ? "count" : "change";
    return (await this.#change(model, where, known(model, { ...set, ...Object.fromEntries(sums) }), kind)) as T | null;
  }

  async #change(model: string, where: CleanedWhere[], values: Row, kind: "change" | "count"): Promise<Row | null> {
    // Whoever read the row before must know that it is another now.
    const versioned = model === "users" ? { ...values, version: sql`version + 1` } : values;
    const update = drizzle(this.#db).update(tableOf(model)).set(versioned).where(conditionOf(model, where)).returning();
    const named = Object.fromEntries(where.filter(({ operator }) => operator === "eq").map(({ field, value }) => [field, value]));
    return await this.#write(update, this.#beside({ table: model, kind, values, where: named }));
  }

  async #write(query: { toSQL(): Query }, beside: D1PreparedStatement[]): Promise<Row | null> {
    const [written] = await this.#db.batch<Row>([prepared(this.#db, query), ...beside]);
    return written?.results[0] ?? null;
  }

  async #select(
    model: string,
    where: CleanedWhere[],
    limit: number,
    sortBy?: { field: string; direction: "asc" | "desc" },
    offset = 0,
  ): Promise<Row[]> {
    // Of all that it passes, only this still has the library's own name.
    const order = sortBy ? [(sortBy.direction === "asc" ? asc : desc)(column(model, this.#columnName(model, sortBy.field)))] : [];
    const query = drizzle(this.#db)
      .select()
      .from(tableOf(model))
      .where(conditionOf(model, where))
      .orderBy(...order)
      .limit(limit)
      .offset(offset);
    return (await prepared(this.#db, query).all<Row>()).results;
  }
}

/** A new session lives as long as one that is used now, and says from where in no more words than the audit log does. */
function newSession(data: Row): Row {
  const createdAt = Number(data.created_at);
  const from = String(data.network ?? "");
  return {
    ...data,
    // One that takes another's place has its network already.
    network: from.includes("/") ? from : coarseNetwork(from),
    user_agent: String(data.user_agent ?? "").slice(0, USER_AGENT_MAX_CHARS),
    expires_at: sessionEnd(createdAt, createdAt),
  };
}

function prepared(db: D1Database, query: { toSQL(): Query }): D1PreparedStatement {
  const { sql: text, params } = query.toSQL();
  return db.prepare(text).bind(...params);
}

function tableOf(model: string): SQLiteTable {
  const table = TABLES[model];
  if (!table) throw new Error(`there is no table ${model}`);
  return table;
}

function column(model: string, name: string): SQLiteColumn {
  const found = getTableColumns(tableOf(model))[name];
  if (!found) throw new Error(`there is no column ${model}.${name}`);
  return found;
}

/** Of the values that the library would write, those that we keep. */
function known(model: string, values: Row): Row {
  const columns = getTableColumns(tableOf(model));
  return Object.fromEntries(Object.entries(values).filter(([name]) => name in columns));
}

function conditionOf(model: string, where: CleanedWhere[]): SQL | undefined {
  const terms = where.map((one) => term(model, one));
  if (where.some(({ connector }) => connector === "OR")) throw new Error("OR is not asked for by anything here");
  return and(...terms, ...(model === "users" ? [sql`${users.disabled_at} IS NULL`] : []));
}

function term(model: string, { field, operator, value }: CleanedWhere): SQL {
  const left = column(model, field);
  switch (operator) {
    case "eq":
      return value === null ? sql`${left} IS NULL` : sql`${left} = ${value}`;
    case "ne":
      return value === null ? sql`${left} IS NOT NULL` : sql`${left} <> ${value}`;
    case "lt":
      return sql`${left} < ${value}`;
    case "lte":
      return sql`${left} <= ${value}`;
    case "gt":
      return sql`${left} > ${value}`;
    case "gte":
      return sql`${left} >= ${value}`;
    case "in":
      return sql`${left} IN (SELECT value FROM json_each(${JSON.stringify(value)}))`;
    default:
      throw new Error(`${operator} is not asked for by anything here`);
  }
}
