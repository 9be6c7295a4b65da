type Name = string | number;

/**
 * Chance by name: the same seed and name give the same number, whenever and in whatever order they are asked for. So a
 * decision depends on what is decided (the 812th play of the 7th screen), and never on how fast the network was before.
 */
export class Draws {
  readonly #seed: bigint;

  /** @param seed a whole number from 0. */
  constructor(readonly seed: number) {
    this.#seed = BigInt(seed);
  }

  /** At least 0, less than 1, in steps of 2⁻⁵³. */
  fraction(...name: Name[]): number {
    return Number(this.#bits(name) >> 11n) / 2 ** 53;
  }

  /** Whether something happens that happens this often. */
  happens(chance: number, ...name: Name[]): boolean {
    return this.fraction(...name) < chance;
  }

  /** A whole number from `least` to `most`, both included. */
  between(least: number, most: number, ...name: Name[]): number {
    return least + Math.floor(this.fraction(...name) * (most - least + 1));
  }

  /** One of the names, as often as its weight says; null where none has any. */
  weighted<K extends string>(weights: readonly (readonly [K, number])[], ...name: Name[]): K | null {
    let left = this.fraction(...name) * weights.reduce((sum, [, weight]) => sum + weight, 0);
    for (const [one, weight] of weights) {
      left -= weight;
      if (left < 0) return one;
    }
    return null;
  }

  /** A UUID of version 8 (RFC 9562): the same for the same name. */
  uuid(...name: Name[]): string {
    const hex = [0, 1]
      .map((half) =>
        this.#bits([...name, half])
          .toString(16)
          .padStart(16, "0"),
      )
      .join("");
    const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
  }

  #bits(name: Name[]): bigint {
    return Bun.hash.xxHash64(name.join("\u0000"), this.#seed);
  }
}
