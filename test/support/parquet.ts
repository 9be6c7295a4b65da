import type { AsyncBuffer } from "hyparquet";

/** A Parquet file in memory, for hyparquet. */
export function asyncBufferFrom(buffer: ArrayBuffer): AsyncBuffer {
  return { byteLength: buffer.byteLength, slice: (start, end) => buffer.slice(start, end) };
}
