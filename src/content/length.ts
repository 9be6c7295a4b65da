import { DAY_MS } from "../platform/time.ts";
import { fileKey, type StoredFile } from "./files.ts";

/** What a box's head and a movie header need: 16 and 36 bytes, one behind the other. */
const READ_BYTES = 64;
/** Boxes that are looked at: the movie's is among the first few, at either end of the file. */
const MAX_BOXES = 24;

/** Reads some bytes of a file; fewer at its end. */
type ReadBytes = (offset: number, length: number) => Promise<Uint8Array>;

/** How long a stored video runs, in ms; null for what is no MP4, or does not say. */
export async function videoLengthMs(bucket: R2Bucket, { sha256, bytes, mime }: StoredFile): Promise<number | null> {
  if (mime !== "video/mp4") return null;
  return await mp4LengthMs(async (offset, length) => {
    const part = await bucket.get(fileKey(sha256), { range: { offset, length: Math.min(length, bytes - offset) } });
    return part === null ? new Uint8Array(0) : new Uint8Array(await part.arrayBuffer());
  }, bytes);
}

/**
 * How long an MP4 video runs by its movie header (ISO/IEC 14496-12, 8.2.2), in ms, rounded. Null where the header is not found, says
 * nothing, or says what is no length: over a day, or under a millisecond.
 * @param size of the file, in bytes
 */
export async function mp4LengthMs(read: ReadBytes, size: number): Promise<number | null> {
  let at = 0;
  for (let boxes = 0; boxes < MAX_BOXES && at + 8 <= size; boxes++) {
    const bytes = await read(at, Math.min(READ_BYTES, size - at));
    const box = boxOf(bytes);
    if (!box) return null;
    if (box.type === "mvhd") return headerLengthMs(bytes.subarray(box.headBytes));
    // The movie's own boxes stand inside it: it is entered, all others are passed over.
    at += box.type === "moov" ? box.headBytes : box.bytes;
  }
  return null;
}

/** A box by its first bytes (4.2); null for what is none, or runs to the end of the file. */
function boxOf(bytes: Uint8Array): { type: string; bytes: number; headBytes: number } | null {
  if (bytes.length < 16) return null;
  const view = viewOf(bytes);
  const type = Buffer.from(bytes.subarray(4, 8)).toString("latin1");
  const short = view.getUint32(0);
  const [length, headBytes] = short === 1 ? [Number(view.getBigUint64(8)), 16] : [short, 8];
  return length < headBytes ? null : { type, bytes: length, headBytes };
}

/** @param header of the box `mvhd`, behind its head */
function headerLengthMs(header: Uint8Array): number | null {
  const long = header[0] === 1;
  if (header.length < (long ? 32 : 20)) return null;
  const view = viewOf(header);
  const unitsPerSecond = view.getUint32(long ? 20 : 12);
  const units = long ? view.getBigUint64(24) : BigInt(view.getUint32(16));
  // All ones: not known (8.2.2.3). Zero: the length stands elsewhere, as in a fragmented file.
  const ms = unitsPerSecond === 0 ? 0 : Math.round((Number(units) * 1000) / unitsPerSecond);
  return units === (long ? 0xffffffffffffffffn : 0xffffffffn) || ms < 1 || ms > DAY_MS ? null : ms;
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
