import { brotliDecompressSync } from "node:zlib";
import type { AsyncBuffer } from "hyparquet";

/** The Workers runtime makes room in steps, and counts it all. */
const ROOM = 64 * 1024;

/** What the archive's files are compressed with, beside what hyparquet reads by itself. */
export const compressors = {
  BROTLI: (page: Uint8Array, bytes: number): Uint8Array => brotliDecompressSync(page, { maxOutputLength: bytes + ROOM }),
};

/** A Parquet file in memory, for hyparquet. */
export function asyncBufferFrom(buffer: ArrayBuffer): AsyncBuffer {
  return { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) };
}
