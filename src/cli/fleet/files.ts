import type { FileStore, KeptFile } from "../../sdk/files.ts";
import type { FleetStore } from "./store.ts";

/** One device's files of content in the store. */
export class StoredFiles implements FileStore {
  constructor(
    readonly store: FleetStore,
    readonly device: string,
  ) {}

  async list(): Promise<KeptFile[]> {
    const rows = this.store.db
      .query<{ sha256: string; bytes: number; complete: number }, [string]>(
        `SELECT p.sha256, sum(length(p.bytes)) AS bytes, c.sha256 IS NOT NULL AS complete
         FROM pieces p LEFT JOIN complete_files c ON c.device = p.device AND c.sha256 = p.sha256
         WHERE p.device = ? GROUP BY p.sha256 ORDER BY min(p.position)`,
      )
      .all(this.device);
    return rows.map(({ sha256, bytes, complete }) => ({ sha256, bytes, complete: complete === 1 }));
  }

  async append(sha256: string, bytes: Uint8Array): Promise<void> {
    this.store.db.query("INSERT INTO pieces (device, sha256, bytes) VALUES (?, ?, ?)").run(this.device, sha256, bytes);
  }

  async *read(sha256: string): AsyncIterable<Uint8Array> {
    const pieces = this.store.db
      .query<{ bytes: Uint8Array }, [string, string]>("SELECT bytes FROM pieces WHERE device = ? AND sha256 = ? ORDER BY position")
      .all(this.device, sha256);
    for (const { bytes } of pieces) yield bytes;
  }

  async complete(sha256: string): Promise<void> {
    this.store.db.query("INSERT OR IGNORE INTO complete_files (device, sha256) VALUES (?, ?)").run(this.device, sha256);
  }

  async remove(sha256: string): Promise<void> {
    this.store.db.transaction(() => {
      for (const table of ["pieces", "complete_files"])
        this.store.db.query(`DELETE FROM ${table} WHERE device = ? AND sha256 = ?`).run(this.device, sha256);
    })();
  }
}
