import type { IDBPTransaction } from "idb";
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
} from "../queue.ts";
import type { Connection, PlayerSchema, QueueRow } from "./database.ts";

const STORES = ["queue", "refused", "tallies"] as const;
type Writing = IDBPTransaction<PlayerSchema, typeof STORES, "readwrite">;

/** The queue in IndexedDB. Every call is one transaction, which is on the disk when it resolves. */
export class BrowserQueue implements PlayQueue {
  readonly #connection: Connection;
  readonly #limits: QueueLimits;

  constructor(connection: Connection, limits: Partial<QueueLimits> = {}) {
    this.#connection = connection;
    this.#limits = { ...QUEUE_LIMITS, ...limits };
  }

  async append({ filler, ...log }: NewLog): Promise<void> {
    await this.#write(async (tx) => {
      const queue = tx.objectStore("queue");
      if ((await queue.index("log_id").getKey(log.log_id)) !== undefined) return;
      if ((await tx.objectStore("refused").index("log_id").getKey(log.log_id)) !== undefined) return;
      if ((await queue.count()) >= this.#limits.logs) {
        const yielding = await this.#yielding(tx);
        if (yielding) {
          await this.#refuse(tx, droppedLog(yielding));
          await count(tx, "dropped_full", 1);
        }
      }
      await queue.add({ ...log, ...(filler ? { filler: 1 as const } : {}), deferrals: 0, notBefore: 0 });
    });
  }

  async ready(now: number, limit: number): Promise<QueuedLog[]> {
    const db = await this.#connection.database();
    const found: QueuedLog[] = [];
    for (let cursor = await db.transaction("queue").store.openCursor(); cursor && found.length < limit; cursor = await cursor.continue())
      if (isDue(cursor.value.notBefore, now)) found.push(logOf(cursor.value));
    return found;
  }

  async settle(settlement: Settlement): Promise<void> {
    await this.#write(async (tx) => {
      const queue = tx.objectStore("queue");
      for (const id of settlement.acknowledged) {
        await this.#remove(tx, id);
        await takeBack(tx, id);
      }
      for (const log of settlement.refused) await this.#refuse(tx, log);
      await count(tx, "refused", settlement.refused.length);
      for (const { log_id, notBefore } of settlement.deferred) {
        const key = await queue.index("log_id").getKey(log_id);
        const row = key === undefined ? undefined : await queue.get(key);
        if (row) await queue.put({ ...row, deferrals: row.deferrals + 1, notBefore }, key);
      }
    });
  }

  async waiting(): Promise<number> {
    return await (await this.#connection.database()).count("queue");
  }

  async refused(): Promise<RefusedLog[]> {
    return await (await this.#connection.database()).getAll("refused");
  }

  async expire(now: number): Promise<number> {
    return await this.#write(async (tx) => {
      const old = await tx
        .objectStore("queue")
        .index("madeAt")
        .getAll(IDBKeyRange.upperBound(now - this.#limits.ageMs, true));
      for (const row of old) await this.#refuse(tx, expiredLog(row));
      await count(tx, "dropped_old", old.length);
      return old.length;
    });
  }

  async counts(): Promise<QueueCounts> {
    const tx = (await this.#connection.database()).transaction(STORES);
    const tallies = tx.objectStore("tallies");
    const [waiting, refused, droppedFull, droppedOld] = await Promise.all([
      tx.objectStore("queue").count(),
      tallies.get("refused"),
      tallies.get("dropped_full"),
      tallies.get("dropped_old"),
    ]);
    return { waiting, refused: refused ?? 0, droppedFull: droppedFull ?? 0, droppedOld: droppedOld ?? 0 };
  }

  /** Nothing but the database may be waited for in `work`: the transaction would end. */
  async #write<T>(work: (tx: Writing) => Promise<T>): Promise<T> {
    const tx = (await this.#connection.database()).transaction(STORES, "readwrite", { durability: "strict" });
    try {
      const result = await work(tx);
      await tx.done;
      return result;
    } catch (error) {
      abort(tx);
      await tx.done.catch(() => undefined);
      throw error;
    }
  }

  async #yielding(tx: Writing): Promise<QueueRow | undefined> {
    const queue = tx.objectStore("queue");
    const filler = this.#limits.drop === "filler" ? await queue.index("filler").openCursor() : null;
    return (filler ?? (await queue.openCursor()))?.value;
  }

  async #remove(tx: Writing, logId: string): Promise<void> {
    const queue = tx.objectStore("queue");
    const key = await queue.index("log_id").getKey(logId);
    if (key !== undefined) await queue.delete(key);
  }

  async #refuse(tx: Writing, log: RefusedLog): Promise<void> {
    await this.#remove(tx, log.log_id);
    const refused = tx.objectStore("refused");
    await refused.add(log);
    let over = (await refused.count()) - this.#limits.refused;
    for (let cursor = await refused.openCursor(); cursor && over > 0; cursor = await cursor.continue(), over -= 1) await cursor.delete();
  }
}

/** All of it or nothing, also where it was no request that failed. */
function abort(tx: Writing): void {
  try {
    tx.abort();
  } catch {
    // It has aborted by itself.
  }
}

/** It may have made room while its request was under way. */
async function takeBack(tx: Writing, logId: string): Promise<void> {
  const index = tx.objectStore("refused").index("log_id");
  for (let cursor = await index.openCursor(logId); cursor; cursor = await cursor.continue())
    if (isOwnRefusal(cursor.value.code)) await cursor.delete();
}

async function count(tx: Writing, name: string, more: number): Promise<void> {
  if (more === 0) return;
  const tallies = tx.objectStore("tallies");
  await tallies.put(((await tallies.get(name)) ?? 0) + more, name);
}

function logOf({ notBefore: _, filler, ...log }: QueueRow): QueuedLog {
  return { ...log, ...(filler ? { filler: true } : {}) };
}
