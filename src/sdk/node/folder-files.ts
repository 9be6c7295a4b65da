import { createReadStream } from "node:fs";
import { appendFile, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import type { FileStore, KeptFile } from "../files.ts";

const PART = ".part";
const NAME = /^([0-9a-f]{64})(\.part)?$/;

/** Files in a folder of their own, each under its hash; what is not whole yet ends in `.part`. A player can open them by their paths. */
export class FolderFiles implements FileStore {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Where the file of this hash is, once it is complete. */
  pathOf(sha256: string): string {
    if (!NAME.test(sha256) || sha256.endsWith(PART)) throw new TypeError(`${sha256} is no SHA-256.`);
    return join(this.#folder, sha256);
  }

  async list(): Promise<KeptFile[]> {
    await mkdir(this.#folder, { recursive: true });
    const files: (KeptFile & { begunAt: number })[] = [];
    for (const name of await readdir(this.#folder)) {
      const [, sha256, part] = NAME.exec(name) ?? [];
      if (sha256 === undefined) continue;
      const { birthtimeMs, mtimeMs, size } = await stat(join(this.#folder, name));
      files.push({ sha256, bytes: size, complete: part === undefined, begunAt: birthtimeMs || mtimeMs });
    }
    return files.sort((a, b) => a.begunAt - b.begunAt).map(({ begunAt: _, ...file }) => file);
  }

  async append(sha256: string, bytes: Uint8Array): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    await appendFile(this.pathOf(sha256) + PART, bytes, { flush: true });
  }

  async *read(sha256: string): AsyncIterable<Uint8Array> {
    const path = this.pathOf(sha256);
    const found = (await exists(path)) ? path : (await exists(path + PART)) ? path + PART : null;
    if (found !== null) yield* createReadStream(found) as AsyncIterable<Uint8Array>;
  }

  async complete(sha256: string): Promise<void> {
    const path = this.pathOf(sha256);
    if (await exists(path + PART)) await rename(path + PART, path);
  }

  async remove(sha256: string): Promise<void> {
    const path = this.pathOf(sha256);
    await Promise.all([path, path + PART].map((one) => rm(one, { force: true })));
  }
}

async function exists(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    () => false,
  );
}
