import { type DBSchema, type IDBPDatabase, openDB } from "idb";
import type { Identity } from "../identity.ts";
import type { NewLog, RefusedLog } from "../queue.ts";

/** A log in the queue. `filler` is 1 or absent, so that the index holds those alone. */
export interface QueueRow extends Omit<NewLog, "filler"> {
  filler?: 1;
  deferrals: number;
  notBefore: number;
}

/** What is known of a file; its bytes are in `pieces`, numbered from 0. */
export interface FileRow {
  owner: string;
  sha256: string;
  bytes: number;
  pieces: number;
  complete: boolean;
  /** Ms since 1970 by the machine. */
  begunAt: number;
}

export interface PlayerSchema extends DBSchema {
  kept: { key: string; value: unknown };
  identity: { key: string; value: Identity };
  queue: { key: number; value: QueueRow; indexes: { log_id: string; filler: number; madeAt: number } };
  refused: { key: number; value: RefusedLog; indexes: { log_id: string } };
  tallies: { key: string; value: number };
  files: { key: [string, string]; value: FileRow; indexes: { owner: string } };
  pieces: { key: [string, string, number]; value: Blob };
}

export type PlayerDatabase = IDBPDatabase<PlayerSchema>;

const VERSION = 1;

/** A connection with a database of IndexedDB that is opened when it is needed, and again where the browser has closed it. */
export class Connection {
  readonly #name: string;
  #open: Promise<PlayerDatabase> | null = null;

  constructor(name: string) {
    this.#name = name;
  }

  /** @throws DOMException where the browser has no room, or keeps nothing in this mode. */
  async database(): Promise<PlayerDatabase> {
    this.#open ??= this.#connect();
    return await this.#open.catch((error: unknown) => {
      this.#open = null;
      throw error;
    });
  }

  async close(): Promise<void> {
    const open = this.#open;
    this.#open = null;
    (await open?.catch(() => null))?.close();
  }

  async #connect(): Promise<PlayerDatabase> {
    return await openDB<PlayerSchema>(this.#name, VERSION, {
      upgrade: (db) => {
        db.createObjectStore("kept");
        db.createObjectStore("identity");
        const queue = db.createObjectStore("queue", { autoIncrement: true });
        queue.createIndex("log_id", "log_id", { unique: true });
        queue.createIndex("filler", "filler");
        queue.createIndex("madeAt", "madeAt");
        db.createObjectStore("refused", { autoIncrement: true }).createIndex("log_id", "log_id");
        db.createObjectStore("tallies");
        db.createObjectStore("files", { keyPath: ["owner", "sha256"] }).createIndex("owner", "owner");
        db.createObjectStore("pieces");
      },
      // A newer player's page wants to change the database: this one opens it again when it needs it.
      blocking: () => void this.close(),
      terminated: () => {
        this.#open = null;
      },
    });
  }
}
