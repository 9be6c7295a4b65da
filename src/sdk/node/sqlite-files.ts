import type { FileStore, KeptFile } from "../files.ts";
import type { SqliteDatabase } from "./sqlite.ts";

/** One player's files in a file of SQLite, in the pieces in which they came: for small ones, and for many players in one file. */
export class SqliteFiles implements FileStore {
  readonly #db: SqliteDatabase;
  /** What they belong to: a player, and what they are to it. */
  readonly #owner: string;

  constructor(db: SqliteDatabase, owner: string) {
    this.#db = db;
    this.#owner = owner;
  }

  async list(): Promise<KeptFile[]> {
    return this.#db
      .all<{ sha256: string; bytes: number; complete: number }>(
        `SELECT p.sha256, sum(length(p.bytes)) AS bytes, c.sha256 IS NOT NULL AS complete
         FROM pieces p LEFT JOIN complete_files c ON c.owner = p.owner AND c.sha256 = p.sha256
         WHERE p.owner = ? GROUP BY p.sha256 ORDER BY min(p.position)`,
        this.#owner,
      )
      .map(({ sha256, bytes, complete }) => ({ sha256, bytes, complete: complete === 1 }));
  }

  async append(sha256: string, bytes: Uint8Array): Promise<void> {
    this.#db.run("INSERT INTO pieces (owner, sha256, bytes) VALUES (?, ?, ?)", this.#owner, sha256, bytes);
  }

  async *read(sha256: string): AsyncIterable<Uint8Array> {
    const positions = this.#db.all<{ position: number }>(
      "SELECT position FROM pieces WHERE owner = ? AND sha256 = ? ORDER BY position",
      this.#owner,
      sha256,
    );
    for (const { position } of positions) {
      const piece = this.#db.all<{ bytes: Uint8Array }>("SELECT bytes FROM pieces WHERE position = ?", position)[0];
      if (piece) yield piece.bytes;
    }
  }

  async complete(sha256: string): Promise<void> {
    this.#db.run("INSERT OR IGNORE INTO complete_files (owner, sha256) VALUES (?, ?)", this.#owner, sha256);
  }

  async remove(sha256: string): Promise<void> {
    this.#db.transaction(() => {
      this.#db.run("DELETE FROM pieces WHERE owner = ? AND sha256 = ?", this.#owner, sha256);
      this.#db.run("DELETE FROM complete_files WHERE owner = ? AND sha256 = ?", this.#owner, sha256);
    });
  }
}
