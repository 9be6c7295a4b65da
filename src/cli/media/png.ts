import { crc32, deflateSync } from "node:zlib";

const WIDTH = 640;
const HEIGHT = 360;
const STRIPES = 8;
const SIGNATURE = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
const PALETTE_COLOURS = 8;

/** A picture of its own for each name: stripes in colours drawn from the name. A PNG of a few hundred bytes (W3C PNG, palette of 8 bits). */
export function pictureOf(name: string): Uint8Array<ArrayBuffer> {
  const header = new Uint8Array(13);
  const view = new DataView(header.buffer);
  view.setUint32(0, WIDTH);
  view.setUint32(4, HEIGHT);
  // 8 bits a pixel, colours by palette.
  header.set([8, 3], 8);
  const row = Uint8Array.from({ length: WIDTH + 1 }, (_, x) => (x === 0 ? 0 : Math.floor(((x - 1) * STRIPES) / WIDTH) % PALETTE_COLOURS));
  const pixels = new Uint8Array((WIDTH + 1) * HEIGHT);
  for (let y = 0; y < HEIGHT; y++) pixels.set(row, y * (WIDTH + 1));
  const palette = coloursOf(name, PALETTE_COLOURS).flat();
  const chunks = [
    chunk("IHDR", header),
    chunk("PLTE", Uint8Array.from(palette)),
    chunk("IDAT", deflateSync(pixels)),
    chunk("IEND", new Uint8Array()),
  ];
  return joined([SIGNATURE, ...chunks]);
}

/** Colours that belong to a name, as red, green and blue from 0 to 255. */
export function coloursOf(name: string, count: number): [number, number, number][] {
  const bytes = new Bun.CryptoHasher("sha256").update(name).digest();
  return Array.from({ length: count }, (_, index) => {
    const [red = 0, green = 0, blue = 0] = bytes.subarray(index * 3, index * 3 + 3);
    return [red, green, blue];
  });
}

/** Bytes one after the other. */
export function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = joined([new TextEncoder().encode(type), data]);
  const framed = new Uint8Array(body.length + 8);
  const view = new DataView(framed.buffer);
  view.setUint32(0, data.length);
  framed.set(body, 4);
  view.setUint32(body.length + 4, crc32(body));
  return framed;
}
