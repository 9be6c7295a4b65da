import { joined } from "./png.ts";

/** Baseline profile, level 3. */
export const PROFILE = Uint8Array.of(66, 0xc0, 30);
const MACROBLOCK = 16;
const FRAME_NUMBER_BITS = 4;
/** Kinds of NAL units, with the bits that say that others refer to them. */
const NAL = { sliceP: 0x61, sliceIdr: 0x65, sps: 0x67, pps: 0x68 };
/** `mb_type` of a slice of kind I: samples as they are, and 16x16 predicted from above without residual. */
const I_PCM = 25;
const I_FROM_ABOVE = 1;
const CHROMA_FROM_ABOVE = 2;

export type Yuv = [y: number, u: number, v: number];

/** Pictures of H.264 (ITU-T H.264, Annex B without start codes): upright stripes that stand still. */
export class StripesEncoder {
  readonly width: number;
  readonly height: number;
  readonly #columns: number;
  readonly #rows: number;

  /** @param columns @param rows in macroblocks of 16 samples. */
  constructor(columns: number, rows: number) {
    this.#columns = columns;
    this.#rows = rows;
    this.width = columns * MACROBLOCK;
    this.height = rows * MACROBLOCK;
  }

  /** The parameters of the sequence (7.3.2.1.1). */
  sps(): Uint8Array {
    const bits = new Bits();
    for (const byte of PROFILE) bits.fixed(byte, 8);
    // Id; bits of frame numbers − 4; order of output as decoded; one picture to refer to; none missing.
    bits
      .ue(0)
      .ue(FRAME_NUMBER_BITS - 4)
      .ue(2)
      .ue(1)
      .fixed(0, 1);
    bits.ue(this.#columns - 1).ue(this.#rows - 1);
    // Frames only; direct_8x8_inference; neither cropped nor described further.
    bits.fixed(1, 1).fixed(1, 1).fixed(0, 1).fixed(0, 1);
    return nalUnit(NAL.sps, bits.ended());
  }

  /** The parameters of the pictures (7.3.2.2). */
  pps(): Uint8Array {
    const bits = new Bits();
    // Ids; variable-length codes; one slice group; one picture to refer to in either list; no weights.
    bits.ue(0).ue(0).fixed(0, 1).fixed(0, 1).ue(0).ue(0).ue(0).fixed(0, 3);
    // Quantisers; the deblocking filter is told by slice; nothing constrained, nothing redundant.
    bits.se(0).se(0).se(0).fixed(1, 1).fixed(0, 1).fixed(0, 1);
    return nalUnit(NAL.pps, bits.ended());
  }

  /** A picture that stands alone: the colours of its columns, as in its first row. */
  first(colours: readonly Yuv[]): Uint8Array {
    const bits = new Bits();
    // First macroblock; slice of kind I alone; parameters; frame number; id; nothing long-term.
    bits.ue(0).ue(7).ue(0).fixed(0, FRAME_NUMBER_BITS).ue(0).fixed(0, 2);
    filterOff(bits);
    for (let column = 0; column < this.#columns; column++) {
      const [y, u, v] = colours[column % colours.length] ?? [16, 128, 128];
      bits.ue(I_PCM).align();
      bits.bytes(y, 256).bytes(u, 64).bytes(v, 64);
    }
    for (let at = this.#columns; at < this.#columns * this.#rows; at++) {
      bits.ue(I_FROM_ABOVE).ue(CHROMA_FROM_ABOVE).se(0);
      // No coefficients, by the code that fits those of the neighbours (9.2.1): below samples as they are, they count as 16.
      if (at < 2 * this.#columns) bits.fixed(0b000011, 6);
      else bits.fixed(1, 1);
    }
    return nalUnit(NAL.sliceIdr, bits.ended());
  }

  /** The same picture again, `number` pictures after the first: all of it skipped. */
  again(number: number): Uint8Array {
    const bits = new Bits();
    // First macroblock; slice of kind P alone; parameters; frame number; the usual references, kept as usual.
    bits
      .ue(0)
      .ue(5)
      .ue(0)
      .fixed(number % 2 ** FRAME_NUMBER_BITS, FRAME_NUMBER_BITS)
      .fixed(0, 3);
    filterOff(bits);
    bits.ue(this.#columns * this.#rows);
    return nalUnit(NAL.sliceP, bits.ended());
  }
}

/** The end of a slice's header: its quantiser as it is, no deblocking. */
function filterOff(bits: Bits): void {
  bits.se(0).ue(1);
}

/** A unit with the bytes put in that keep start codes out of it (7.4.1). */
function nalUnit(kind: number, payload: Uint8Array): Uint8Array {
  const bytes = [kind];
  let zeros = 0;
  for (const byte of payload) {
    if (zeros >= 2 && byte <= 3) {
      bytes.push(3);
      zeros = 0;
    }
    bytes.push(byte);
    zeros = byte === 0 ? zeros + 1 : 0;
  }
  return Uint8Array.from(bytes);
}

/** Bits one after the other, the highest first. */
class Bits {
  readonly #parts: Uint8Array[] = [];
  #byte = 0;
  #filled = 0;

  fixed(value: number, count: number): this {
    for (let bit = count - 1; bit >= 0; bit--) {
      this.#byte = (this.#byte << 1) | ((value >> bit) & 1);
      if (++this.#filled === 8) this.#flush();
    }
    return this;
  }

  /** Exp-Golomb (9.1). */
  ue(value: number): this {
    const length = 32 - Math.clz32(value + 1);
    return this.fixed(0, length - 1).fixed(value + 1, length);
  }

  se(value: number): this {
    return this.ue(value > 0 ? 2 * value - 1 : -2 * value);
  }

  align(): this {
    return this.#filled === 0 ? this : this.fixed(0, 8 - this.#filled);
  }

  /** A byte, repeated, on the border of bytes. */
  bytes(value: number, count: number): this {
    this.#parts.push(new Uint8Array(count).fill(value));
    return this;
  }

  /** With the stop bit behind. */
  ended(): Uint8Array {
    this.fixed(1, 1).align();
    return joined(this.#parts);
  }

  #flush(): void {
    this.#parts.push(Uint8Array.of(this.#byte));
    this.#byte = 0;
    this.#filled = 0;
  }
}
