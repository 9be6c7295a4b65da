import type { FileStore } from "../../src/sdk/files.ts";

/** One thing that every store of files does: throws where the store does not. */
export interface FilesCase {
  name: string;
  check: (files: FileStore, same: (found: unknown, expected: unknown) => void) => Promise<void>;
}

const [A, B] = ["a".repeat(64), "b".repeat(64)];

async function all(files: FileStore, sha256: string): Promise<number[]> {
  const bytes: number[] = [];
  for await (const piece of files.read(sha256)) bytes.push(...piece);
  return bytes;
}

/** What every store of files does, wherever it keeps them. */
export const FILES_CASES: FilesCase[] = [
  {
    name: "keeps the pieces of a file in their order, whole or not",
    check: async (files, same) => {
      same(await files.list(), []);
      await files.append(A, Uint8Array.of(1, 2, 3));
      await files.append(A, Uint8Array.of(4));
      same(await files.list(), [{ sha256: A, bytes: 4, complete: false }]);
      same(await all(files, A), [1, 2, 3, 4]);
      await files.complete(A);
      same(await files.list(), [{ sha256: A, bytes: 4, complete: true }]);
      same(await all(files, A), [1, 2, 3, 4]);
    },
  },
  {
    name: "removes one file and no other, be it there or not",
    check: async (files, same) => {
      for (const sha256 of [A, B]) await files.append(sha256, Uint8Array.of(7));
      await files.complete(A);
      await files.remove(A);
      await files.remove(A);
      same(await files.list(), [{ sha256: B, bytes: 1, complete: false }]);
      same([await all(files, A), await all(files, B)], [[], [7]]);
      await files.append(A, Uint8Array.of(9));
      same(await all(files, A), [9]);
    },
  },
  {
    name: "takes a piece as it is when it is given",
    check: async (files, same) => {
      const piece = Uint8Array.of(1, 2);
      await files.append(A, piece.subarray(1));
      piece.fill(0);
      same(await all(files, A), [2]);
    },
  },
];
