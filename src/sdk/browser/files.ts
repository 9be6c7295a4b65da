import type { FileStore, KeptFile } from "../files.ts";
import type { Connection } from "./database.ts";

/** Files in IndexedDB, in the pieces in which they came: what is on the screen is read from the disk as it is shown. */
export class BrowserFiles implements FileStore {
  readonly #connection: Connection;
  readonly #owner: string;

  /** @param owner what tells these files from others in the database */
  constructor(connection: Connection, owner: string) {
    this.#connection = connection;
    this.#owner = owner;
  }

  async list(): Promise<KeptFile[]> {
    const rows = await (await this.#connection.database()).getAllFromIndex("files", "owner", this.#owner);
    return rows.sort((a, b) => a.begunAt - b.begunAt).map(({ sha256, bytes, complete }) => ({ sha256, bytes, complete }));
  }

  async append(sha256: string, bytes: Uint8Array): Promise<void> {
    const piece = new Blob([new Uint8Array(bytes)]);
    const tx = (await this.#connection.database()).transaction(["files", "pieces"], "readwrite");
    const files = tx.objectStore("files");
    const known = await files.get([this.#owner, sha256]);
    const row = known ?? { owner: this.#owner, sha256, bytes: 0, pieces: 0, complete: false, begunAt: Date.now() };
    const [added, noted] = [
      tx.objectStore("pieces").put(piece, [this.#owner, sha256, row.pieces]),
      files.put({ ...row, bytes: row.bytes + bytes.length, pieces: row.pieces + 1 }),
    ];
    await Promise.all([added, noted, tx.done]);
  }

  async *read(sha256: string): AsyncIterable<Uint8Array> {
    const db = await this.#connection.database();
    const row = await db.get("files", [this.#owner, sha256]);
    for (let at = 0; at < (row?.pieces ?? 0); at++) {
      const piece = await db.get("pieces", [this.#owner, sha256, at]);
      if (piece) yield new Uint8Array(await piece.arrayBuffer());
    }
  }

  /** A file that is complete, to be shown by an object URL; null where it is not. Its bytes stay on the disk. */
  async blob(sha256: string, type = ""): Promise<Blob | null> {
    const db = await this.#connection.database();
    const row = await db.get("files", [this.#owner, sha256]);
    if (!row?.complete) return null;
    const pieces = await db.getAll("pieces", this.#pieces(sha256));
    return new Blob(pieces, { type });
  }

  async complete(sha256: string): Promise<void> {
    const tx = (await this.#connection.database()).transaction("files", "readwrite", { durability: "strict" });
    const row = await tx.store.get([this.#owner, sha256]);
    if (row) await tx.store.put({ ...row, complete: true });
    await tx.done;
  }

  async remove(sha256: string): Promise<void> {
    const tx = (await this.#connection.database()).transaction(["files", "pieces"], "readwrite");
    const removed = [tx.objectStore("files").delete([this.#owner, sha256]), tx.objectStore("pieces").delete(this.#pieces(sha256))];
    await Promise.all([...removed, tx.done]);
  }

  #pieces(sha256: string): IDBKeyRange {
    return IDBKeyRange.bound([this.#owner, sha256, 0], [this.#owner, sha256, Number.POSITIVE_INFINITY]);
  }
}
