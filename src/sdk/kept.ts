import type { FileStore } from "./files.ts";
import type { IdentityStore } from "./identity.ts";
import type { PlayQueue } from "./queue.ts";

/** Where one value is kept, which JSON can say. What `save` wrote outlives a restart (but for a {@link MemoryStorage}). */
export interface ValueStore<T> {
  /** Null where nothing was saved. */
  load(): Promise<T | null>;
  save(value: T): Promise<void>;
}

/** Says that this player, and no other on the same storage, plays. It ends with its process at the latest. */
export interface StorageLock {
  release(): Promise<void>;
}

/** All that one player keeps: a database in a browser, files on a disk, or a process's memory. */
export interface PlayerStorage {
  /** Whether a private key must be readable to be kept here. In a browser it need not be, and is not. */
  readonly readableKeys: boolean;
  readonly identity: IdentityStore;
  /** The value of a name. */
  value<T>(name: string): ValueStore<T>;
  readonly queue: PlayQueue;
  /** Media. */
  readonly files: FileStore;
  /** Screenshots that wait to be sent. */
  readonly evidence: FileStore;
  /** Takes the right to play; null where another player has it. */
  lock(): Promise<StorageLock | null>;
  close(): Promise<void>;
}
