import type { FileStore } from "../../sdk/files.ts";
import { exportIdentity, type Identity, type IdentityStore, identityFromJwk, type PrivateJwk } from "../../sdk/identity.ts";
import type { PlayerStorage, StorageLock, ValueStore } from "../../sdk/kept.ts";
import type { PlayQueue } from "../../sdk/queue.ts";
import { StoredFiles } from "./files.ts";
import { StoredQueue } from "./queue.ts";
import type { FleetStore } from "./store.ts";

/** Names of values that are left where a player keeps its key; `credentials` is the SDK's. */
const KEY = "key";
const CREDENTIALS = "credentials";

/** One player's storage: its part of the fleet's store. */
export class DeviceStorage implements PlayerStorage {
  readonly readableKeys = true;
  readonly queue: PlayQueue;
  readonly files: FileStore;
  readonly evidence: FileStore;
  readonly identity: IdentityStore;
  readonly #store: FleetStore;

  /**
   * @param name under which its things are kept.
   * @param overlook stands between the player and its queue.
   */
  constructor(
    store: FleetStore,
    readonly name: string,
    overlook: (queue: StoredQueue) => PlayQueue = (queue) => queue,
  ) {
    this.#store = store;
    this.queue = overlook(new StoredQueue(store, name));
    this.files = new StoredFiles(store, name);
    this.evidence = new StoredFiles(store, `${name} evidence`);
    const key = this.value<PrivateJwk>(KEY);
    this.identity = {
      load: async () => {
        const jwk = await key.load();
        return jwk && (await identityFromJwk(jwk));
      },
      save: async (identity: Identity) => key.save(await exportIdentity(identity)),
    };
  }

  value<T>(name: string): ValueStore<T> {
    const { db } = this.#store;
    return {
      load: async () => {
        const row = db
          .query<{ value: string }, [string, string]>("SELECT value FROM kept WHERE device = ? AND name = ?")
          .get(this.name, name);
        return row ? (JSON.parse(row.value) as T) : null;
      },
      save: async (value: T) => {
        db.query("INSERT OR REPLACE INTO kept (device, name, value) VALUES (?, ?, ?)").run(this.name, name, JSON.stringify(value));
      },
    };
  }

  /** One fleet has the store, and each of its screens one player at a time. */
  async lock(): Promise<StorageLock> {
    return { release: async () => {} };
  }

  async close(): Promise<void> {}

  /** Loses everything: queue, files, plan, sequence; and its key and tokens, unless they lie elsewhere. */
  wipe(keepsKey: boolean): void {
    const { db } = this.#store;
    db.transaction(() => {
      for (const table of ["queue", "refused", "pieces", "complete_files"])
        db.query(`DELETE FROM ${table} WHERE device IN (?, ?)`).run(this.name, `${this.name} evidence`);
      if (keepsKey) db.query("DELETE FROM kept WHERE device = ? AND name NOT IN (?, ?)").run(this.name, KEY, CREDENTIALS);
      else db.query("DELETE FROM kept WHERE device = ?").run(this.name);
    })();
  }
}
