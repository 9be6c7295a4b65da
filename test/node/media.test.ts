import { describe, expect, test } from "bun:test";
import { crc32, inflateSync } from "node:zlib";
import { videoOf } from "../../src/cli/media/mp4.ts";
import { pictureOf } from "../../src/cli/media/png.ts";
import { kindOf } from "../../src/content/kinds.ts";

const ascii = (bytes: Uint8Array) => String.fromCharCode(...bytes);

describe("a picture", () => {
  const png = pictureOf("Weather");

  test("is a PNG whose chunks are whole, and whose pixels are all there", () => {
    expect(kindOf(png)).toEqual({ mime: "image/png", type: "image" });
    const view = new DataView(png.buffer);
    const chunks = new Map<string, Uint8Array>();
    for (let at = 8; at < png.length; ) {
      const length = view.getUint32(at);
      const body = png.subarray(at + 4, at + 8 + length);
      expect(view.getUint32(at + 8 + length)).toBe(crc32(body));
      chunks.set(ascii(body.subarray(0, 4)), body.slice(4));
      at += length + 12;
    }
    expect([...chunks.keys()]).toEqual(["IHDR", "PLTE", "IDAT", "IEND"]);
    const pixels = inflateSync(chunks.get("IDAT") ?? new Uint8Array());
    expect(pixels.length).toBe(641 * 360);
    // Eight stripes of eighty pixels, behind the byte that says how a row is filtered.
    expect([0, 1, 80, 81, 640].map((x) => pixels[x])).toEqual([0, 0, 0, 1, 7]);
  });

  test("is another one for each name, and always the same for one", () => {
    expect(pictureOf("Weather")).toEqual(png);
    expect(pictureOf("Opening hours")).not.toEqual(png);
    expect(png.length).toBeLessThan(20_000);
  });
});

/** The boxes of a file or of a box, by name. */
function boxes(bytes: Uint8Array): Map<string, Uint8Array> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = new Map<string, Uint8Array>();
  for (let at = 0; at < bytes.length; at += view.getUint32(at)) {
    found.set(ascii(bytes.subarray(at + 4, at + 8)), bytes.subarray(at + 8, at + view.getUint32(at)));
  }
  return found;
}

function boxAt(bytes: Uint8Array, ...path: string[]): DataView {
  let inner = bytes;
  for (const name of path) inner = boxes(inner).get(name) ?? new Uint8Array();
  return new DataView(inner.buffer, inner.byteOffset, inner.byteLength);
}

describe("a video", () => {
  const mp4 = videoOf("Run on clouds", 15_400);
  const table = ["moov", "trak", "mdia", "minf", "stbl"];

  test("is an MP4 of its length", () => {
    expect(kindOf(mp4)).toEqual({ mime: "video/mp4", type: "video" });
    expect([...boxes(mp4).keys()]).toEqual(["ftyp", "moov", "mdat"]);
    const header = boxAt(mp4, "moov", "mvhd");
    expect([header.getUint32(12), header.getUint32(16)]).toEqual([1000, 15_400]);
    const times = boxAt(mp4, ...table, "stts");
    // Fifteen frames of a second, and one of 0.4 s.
    expect([4, 8, 12, 16, 20].map((at) => times.getUint32(at))).toEqual([2, 15, 1000, 1, 400]);
    expect(mp4.length).toBeLessThan(20_000);
  });

  test("has its frames where its table says: one that stands alone, then such as change nothing", () => {
    const offset = boxAt(mp4, ...table, "stco").getUint32(8);
    const sizes = boxAt(mp4, ...table, "stsz");
    const file = new DataView(mp4.buffer);
    let at = offset;
    const kinds = Array.from({ length: sizes.getUint32(8) }, (_, index) => {
      const size = sizes.getUint32(12 + 4 * index);
      expect(file.getUint32(at)).toBe(size - 4);
      const kind = file.getUint8(at + 4) & 31;
      at += size;
      return kind;
    });
    expect(kinds).toEqual([5, ...Array(15).fill(1)]);
    expect(at).toBe(mp4.length);
  });
});
