import { MemoryFiles } from "./files.ts";
import type { Identity } from "./identity.ts";
import type { PlayerStorage, StorageLock, ValueStore } from "./kept.ts";
import { MemoryQueue } from "./memory-queue.ts";
import type { QueueLimits } from "./queue.ts";

/** What is forgotten with its process: for tests, and for players that may not write anything down. */
export class MemoryStorage implements PlayerStorage {
  readonly readableKeys = false;
  readonly queue: MemoryQueue;
  readonly files = new MemoryFiles();
  readonly evidence = new MemoryFiles();
  readonly #values = new Map<string, string>();
  #identity: Identity | null = null;
  #locked = false;

  constructor(limits: Partial<QueueLimits> = {}) {
    this.queue = new MemoryQueue(limits);
  }

  readonly identity = {
    load: async () => this.#identity,
    save: async (identity: Identity) => {
      this.#identity = identity;
    },
  };

  value<T>(name: string): ValueStore<T> {
    return {
      // By way of JSON, as on a disk: nobody changes what is kept by keeping a hand on it.
      load: async () => {
        const text = this.#values.get(name);
        return text === undefined ? null : (JSON.parse(text) as T);
      },
      save: async (value) => {
        this.#values.set(name, JSON.stringify(value));
      },
    };
  }

  async lock(): Promise<StorageLock | null> {
    if (this.#locked) return null;
    this.#locked = true;
    return {
      release: async () => {
        this.#locked = false;
      },
    };
  }

  async close(): Promise<void> {}
}
