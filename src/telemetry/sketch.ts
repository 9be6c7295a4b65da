/** How many different things were seen, and how far off that may be. */
export interface Distinct {
  count: number;
  /** Standard error, as a share of the count: 0 where it is exact. */
  standard_error: number;
}

const INDEX_BITS = 12;
const REGISTERS = 2 ** INDEX_BITS;
/** Bits of a hash behind its index. */
const RANK_BITS = 64 - INDEX_BITS;
/** Up to so many hashes are kept as they are: that is exact, and smaller than the registers. */
const EXACT_HASHES = 256;
const HASH_BYTES = 8;

/** Of HyperLogLog: 1.04 / √m (Flajolet et al., 2007); rounded up. */
export const SKETCH_STANDARD_ERROR = Math.ceil((1.04 / Math.sqrt(REGISTERS)) * 10_000) / 10_000;

const EXACT_MARK = "x";
const REGISTERS_MARK = "r";

/**
 * Counts different things without keeping them: HyperLogLog with 4,096 registers, exact up to 256 things. Sketches of parts merge into
 * that of the whole, in any order and any number of times. Things are given as 64-bit hashes in 16 hex digits.
 */
export class Sketch {
  #hashes: Set<string> | null = new Set();
  #registers: Uint8Array<ArrayBuffer> = new Uint8Array(0);

  add(hash: string): void {
    if (this.#hashes === null) this.#note(hash);
    else {
      this.#hashes.add(hash);
      if (this.#hashes.size > EXACT_HASHES) this.#spread();
    }
  }

  merge(other: Sketch): void {
    if (other.#hashes !== null) for (const hash of other.#hashes) this.add(hash);
    else {
      if (this.#hashes !== null) this.#spread();
      for (let at = 0; at < REGISTERS; at++) {
        this.#registers[at] = Math.max(this.#registers[at] ?? 0, other.#registers[at] ?? 0);
      }
    }
  }

  /** From hashes to registers. */
  #spread(): void {
    const hashes = this.#hashes ?? [];
    this.#hashes = null;
    this.#registers = new Uint8Array(REGISTERS);
    for (const hash of hashes) this.#note(hash);
  }

  #note(hash: string): void {
    const index = Number.parseInt(hash.slice(0, 3), 16);
    this.#registers[index] = Math.max(this.#registers[index] ?? 0, rankOf(hash));
  }

  distinct(): Distinct {
    if (this.#hashes !== null) return { count: this.#hashes.size, standard_error: 0 };
    return { count: Math.round(estimate(this.#registers)), standard_error: SKETCH_STANDARD_ERROR };
  }

  /** As text, for storage: 1 to 5,500 characters. */
  toString(): string {
    if (this.#hashes === null) return REGISTERS_MARK + this.#registers.toBase64();
    return EXACT_MARK + Uint8Array.fromHex([...this.#hashes].sort().join("")).toBase64();
  }

  /** @throws Error where the text is no sketch. */
  static parse(text: string): Sketch {
    const sketch = new Sketch();
    const bytes = Uint8Array.fromBase64(text.slice(1));
    if (text.startsWith(REGISTERS_MARK) && bytes.length === REGISTERS) {
      sketch.#hashes = null;
      sketch.#registers = bytes;
    } else if (text.startsWith(EXACT_MARK) && bytes.length % HASH_BYTES === 0) {
      const hex = bytes.toHex();
      for (let at = 0; at < hex.length; at += 2 * HASH_BYTES) sketch.add(hex.slice(at, at + 2 * HASH_BYTES));
    } else throw new Error("not a sketch");
    return sketch;
  }
}

/** The place of the first 1 among a hash's bits behind its index, counted from 1; one more than there are where none is. */
function rankOf(hash: string): number {
  const high = Number.parseInt(hash.slice(3, 8), 16);
  if (high !== 0) return Math.clz32(high) - 12 + 1;
  const low = Number.parseInt(hash.slice(8, 16), 16);
  return low === 0 ? RANK_BITS + 1 : 20 + Math.clz32(low) + 1;
}

/** The improved raw estimator, which needs no tables of corrections (Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017). */
function estimate(registers: Uint8Array): number {
  const counts = new Array<number>(RANK_BITS + 2).fill(0);
  for (const rank of registers) counts[rank] = (counts[rank] ?? 0) + 1;
  let z = REGISTERS * tau(1 - (counts[RANK_BITS + 1] ?? 0) / REGISTERS);
  for (let rank = RANK_BITS; rank >= 1; rank--) z = 0.5 * (z + (counts[rank] ?? 0));
  z += REGISTERS * sigma((counts[0] ?? 0) / REGISTERS);
  return REGISTERS ** 2 / (2 * Math.LN2 * z);
}

function sigma(share: number): number {
  if (share === 1) return Number.POSITIVE_INFINITY;
  let x = share;
  let y = 1;
  let z = x;
  for (let before = Number.NaN; z !== before; ) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let x = share;
  let y = 1;
  let z = 1 - x;
  for (let before = Number.NaN; z !== before; ) {
    x = Math.sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1 - x) ** 2 * y;
  }
  return z / 3;
}
