import { PROFILE, StripesEncoder, type Yuv } from "./h264.ts";
import { coloursOf, joined } from "./png.ts";

const COLUMNS = 20;
const ROWS = 11;
const STRIPES = 5;
const FRAME_MS = 1000;
/** Ticks a second of all tracks: milliseconds. */
const TIMESCALE = 1000;
const MATRIX = [0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000];

/** A video of its own for each name, of a length in ms: stripes that stand still, in H.264 (ISO/IEC 14496-12 and -15). About 8 KB. */
export function videoOf(name: string, durationMs: number): Uint8Array<ArrayBuffer> {
  const encoder = new StripesEncoder(COLUMNS, ROWS);
  const stripes = coloursOf(name, STRIPES).map(yuvOf);
  const colours = Array.from({ length: COLUMNS }, (_, column) => stripes[Math.floor((column * STRIPES) / COLUMNS)] ?? yuvOf([0, 0, 0]));
  const frames = Math.ceil(durationMs / FRAME_MS);
  const samples = Array.from({ length: frames }, (_, number) => sized(number === 0 ? encoder.first(colours) : encoder.again(number)));
  const begin = box("ftyp", text("isom"), u32(0x200), text("isomiso2avc1mp41"));
  const movie = (offset: number) => movieOf(encoder, samples, durationMs, offset);
  const dataAt = begin.length + movie(0).length + 8;
  return joined([begin, movie(dataAt), box("mdat", ...samples)]);
}

/** ITU-R BT.601, from 16 to 235. */
function yuvOf([red, green, blue]: [number, number, number]): Yuv {
  const y = 16 + (65.481 * red + 128.553 * green + 24.966 * blue) / 255;
  const u = 128 + (-37.797 * red - 74.203 * green + 112 * blue) / 255;
  const v = 128 + (112 * red - 93.786 * green - 18.214 * blue) / 255;
  return [Math.round(y), Math.round(u), Math.round(v)];
}

function movieOf(encoder: StripesEncoder, samples: Uint8Array[], durationMs: number, dataAt: number): Uint8Array {
  const { width, height } = encoder;
  const sampleTable = box(
    "stbl",
    full("stsd", 0, u32(1), sampleEntry(encoder)),
    full("stts", 0, ...timesOf(samples.length, durationMs)),
    full("stss", 0, u32(1, 1)),
    full("stsc", 0, u32(1, 1, samples.length, 1)),
    full("stsz", 0, u32(0, samples.length, ...samples.map(({ length }) => length))),
    full("stco", 0, u32(1, dataAt)),
  );
  const media = box(
    "mdia",
    full("mdhd", 0, u32(0, 0, TIMESCALE, durationMs), u16(0x55c4, 0)),
    full("hdlr", 0, u32(0), text("vide"), u32(0, 0, 0), text("Demo\0")),
    box("minf", full("vmhd", 1, u16(0, 0, 0, 0)), box("dinf", full("dref", 0, u32(1), full("url ", 1))), sampleTable),
  );
  const track = full("tkhd", 3, u32(0, 0, 1, 0, durationMs, 0, 0), u16(0, 0, 0, 0), u32(...MATRIX, width * 0x10000, height * 0x10000));
  const header = full("mvhd", 0, u32(0, 0, TIMESCALE, durationMs, 0x10000), u16(0x100, 0), u32(0, 0, ...MATRIX, 0, 0, 0, 0, 0, 0, 2));
  return box("moov", header, box("trak", track, media));
}

/** Runs of equal lengths: all frames, and the last, which has what is left. */
function timesOf(frames: number, durationMs: number): Uint8Array[] {
  const last = durationMs - (frames - 1) * FRAME_MS;
  return frames === 1 ? [u32(1, 1, last)] : [u32(2, frames - 1, FRAME_MS, 1, last)];
}

function sampleEntry(encoder: StripesEncoder): Uint8Array {
  const [sps, pps] = [encoder.sps(), encoder.pps()];
  // Sizes in four bytes, one set of each kind of parameters.
  const configuration = box("avcC", Uint8Array.of(1, ...PROFILE, 0xff, 0xe1), u16(sps.length), sps, Uint8Array.of(1), u16(pps.length), pps);
  const picture = [u16(encoder.width, encoder.height), u32(0x480000, 0x480000, 0), u16(1), new Uint8Array(32), u16(24, 0xffff)];
  return box("avc1", new Uint8Array(6), u16(1), new Uint8Array(16), ...picture, configuration);
}

/** A unit behind its size, as samples hold it. */
function sized(unit: Uint8Array): Uint8Array {
  return joined([u32(unit.length), unit]);
}

function box(type: string, ...parts: Uint8Array[]): Uint8Array {
  const body = joined(parts);
  return joined([u32(body.length + 8), text(type), body]);
}

/** A box of version 0 with flags. */
function full(type: string, flags: number, ...parts: Uint8Array[]): Uint8Array {
  return box(type, u32(flags), ...parts);
}

function text(characters: string): Uint8Array {
  return new TextEncoder().encode(characters);
}

function u32(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 4);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint32(index * 4, value);
  return bytes;
}

function u16(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.length * 2);
  const view = new DataView(bytes.buffer);
  for (const [index, value] of values.entries()) view.setUint16(index * 2, value);
  return bytes;
}
