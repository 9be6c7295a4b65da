import { brotliDecompressSync } from "node:zlib";
import type { AsyncBuffer } from "hyparquet";

/** What the archive's files are compressed with, beside what hyparquet reads by itself. */
export const compressors = {
  BROTLI: (page: Uint8Array, maxOutputLength: number): Uint8Array => brotliDecompressSync(page, { maxOutputLength }),
};

/** A Parquet file in memory, for hyparquet. */
export function asyncBufferFrom(buffer: ArrayBuffer): AsyncBuffer {
  return { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) };
}
