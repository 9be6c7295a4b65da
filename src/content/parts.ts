const MB = 1024 * 1024;

/** R2 takes no smaller part, but for the last one. */
export const PART_MIN_BYTES = 5 * MB;
/** The platform takes no request of 100 MB. */
export const PART_MAX_BYTES = 90 * MB;
export const PART_DEFAULT_BYTES = 32 * MB;
/** R2 writes no larger object at once, and a verified file is written at once. */
export const FILE_MAX_BYTES = 4 * 1024 * MB;

/** How a file is cut: into parts of `part_bytes`, but for the last. */
export interface Cut {
  bytes: number;
  part_bytes: number;
}

/** How many parts a file has. Parts are numbered from 1. */
export function partsCount({ bytes, part_bytes }: Cut): number {
  return Math.ceil(bytes / part_bytes);
}

/** How many bytes a part must have; null where there is no part of this number. Pure. */
export function partBytes(cut: Cut, number: number): number | null {
  const count = partsCount(cut);
  if (!Number.isInteger(number) || number < 1 || number > count) return null;
  return number < count ? cut.part_bytes : cut.bytes - (count - 1) * cut.part_bytes;
}

/** The numbers of the parts that have not arrived, in order. Pure. */
export function missingParts(cut: Cut, arrived: readonly number[]): number[] {
  const there = new Set(arrived);
  return Array.from({ length: partsCount(cut) }, (_, index) => index + 1).filter((number) => !there.has(number));
}
