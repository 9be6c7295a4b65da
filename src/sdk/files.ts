/** A file of content as it is kept, named by its hash. */
export interface KeptFile {
  sha256: string;
  /** How much of it is here. */
  bytes: number;
  /** Whether it is whole, and its hash was found right. */
  complete: boolean;
}

/** Where files of content are kept: a folder, a browser's storage. What it wrote outlives a restart (but for {@link MemoryFiles}). */
export interface FileStore {
  /** All of them, those first that were begun first. */
  list(): Promise<KeptFile[]>;
  /** Adds to the end of a file that is not complete; begins it where it is not there. */
  append(sha256: string, bytes: Uint8Array): Promise<void>;
  /** The bytes of a file, in pieces. */
  read(sha256: string): AsyncIterable<Uint8Array>;
  complete(sha256: string): Promise<void>;
  /** Nothing happens where it is not there. */
  remove(sha256: string): Promise<void>;
}

/** Files that are forgotten with their process. */
export class MemoryFiles implements FileStore {
  readonly #files = new Map<string, { pieces: Uint8Array[]; complete: boolean }>();

  async list(): Promise<KeptFile[]> {
    return [...this.#files].map(([sha256, { pieces, complete }]) => ({
      sha256,
      bytes: pieces.reduce((sum, piece) => sum + piece.length, 0),
      complete,
    }));
  }

  async append(sha256: string, bytes: Uint8Array): Promise<void> {
    const file = this.#files.get(sha256) ?? { pieces: [], complete: false };
    file.pieces.push(bytes.slice());
    this.#files.set(sha256, file);
  }

  async *read(sha256: string): AsyncIterable<Uint8Array> {
    yield* this.#files.get(sha256)?.pieces ?? [];
  }

  async complete(sha256: string): Promise<void> {
    const file = this.#files.get(sha256);
    if (file) file.complete = true;
  }

  async remove(sha256: string): Promise<void> {
    this.#files.delete(sha256);
  }
}
