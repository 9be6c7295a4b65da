import type { Identity } from "../identity.ts";
import type { PlayerStorage, StorageLock, ValueStore } from "../kept.ts";
import type { QueueLimits } from "../queue.ts";
import { Connection } from "./database.ts";
import { BrowserFiles } from "./files.ts";
import { BrowserQueue } from "./queue.ts";

export interface BrowserStorageOptions {
  /** Of the database: one player each. `alive-player` without it. */
  name?: string;
  limits?: Partial<QueueLimits>;
}

const NAME = "alive-player";
const KEY = "identity";

/** All that a player keeps in a browser: IndexedDB. Its private key is used there and never read. */
export class BrowserStorage implements PlayerStorage {
  readonly readableKeys = false;
  readonly queue: BrowserQueue;
  readonly files: BrowserFiles;
  readonly evidence: BrowserFiles;
  readonly #connection: Connection;
  readonly #name: string;

  constructor({ limits, name = NAME }: BrowserStorageOptions = {}) {
    this.#name = name;
    this.#connection = new Connection(name);
    this.queue = new BrowserQueue(this.#connection, limits);
    this.files = new BrowserFiles(this.#connection, "files");
    this.evidence = new BrowserFiles(this.#connection, "evidence");
  }

  readonly identity = {
    load: async () => (await (await this.#connection.database()).get("identity", KEY)) ?? null,
    save: async (identity: Identity) => {
      const tx = (await this.#connection.database()).transaction("identity", "readwrite", { durability: "strict" });
      await Promise.all([tx.store.put(identity, KEY), tx.done]);
    },
  };

  value<T>(name: string): ValueStore<T> {
    return {
      load: async () => ((await (await this.#connection.database()).get("kept", name)) ?? null) as T | null,
      save: async (value) => {
        const tx = (await this.#connection.database()).transaction("kept", "readwrite", { durability: "strict" });
        await Promise.all([tx.store.put(value, name), tx.done]);
      },
    };
  }

  /** By Web Locks: it ends with the page. */
  async lock(): Promise<StorageLock | null> {
    const held = Promise.withResolvers<void>();
    const answer = Promise.withResolvers<boolean>();
    const request = navigator.locks.request(`alive-signage:${this.#name}`, { ifAvailable: true }, async (lock) => {
      answer.resolve(lock !== null);
      if (lock) await held.promise;
    });
    request.catch(answer.reject);
    if (!(await answer.promise)) return null;
    return {
      release: async () => {
        held.resolve();
        await request;
      },
    };
  }

  async close(): Promise<void> {
    await this.#connection.close();
  }
}

/**
 * Opens the storage of the player in this browser, and asks the browser not to clear it when it wants room.
 * @throws DOMException where the browser keeps nothing.
 */
export async function openBrowserStorage(options: BrowserStorageOptions = {}): Promise<BrowserStorage> {
  const storage = new BrowserStorage(options);
  await storage.value("opened").load();
  // Some browsers ask a person, and some have no such thing: it is played either way.
  void navigator.storage?.persist?.().catch(() => false);
  return storage;
}
