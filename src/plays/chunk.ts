import { z } from "zod";
import { type AcceptedPlay, type BatchProof, PLAY_COLUMNS, PLAY_STATUSES, type Proof } from "./play.ts";
import { DOORS } from "./policy.ts";

/**
 * A chunk on the wire, in UTF-8, line by line:
 *
 *     {"v":1,"device_id":…,"incarnation":…,"number":…,"plays":2,"refusals":[[hour,door,code,count],…]}
 *     {"lines":…,"signature":…}                       a batch's proof, for the plays behind it that it signed; where there is one
 *     [values of PLAY_COLUMNS …,signed_by,signature]  a play
 *     {…}                                             its record as JCS, without the signature: what was signed
 *
 * JCS and JSON.stringify write no raw line feed, so a line feed always ends a line. Messages outlive deploys: a reader
 * takes every version that was ever sent.
 */
export const CHUNK_VERSION = 1;

/** What became of so many logs that were refused: hour (ms), door, code, count. */
export type RefusalCount = [hour: number, door: string, code: string, count: number];

export interface ChunkHeader {
  /** The version under which its plays were written. */
  v: number;
  device_id: string;
  incarnation: string;
  number: number;
  plays: number;
  refusals: RefusalCount[];
}

/** A play as the consumer gets it. */
export interface ChunkPlay {
  play: AcceptedPlay;
  proof: Pick<Proof, "record" | "signedBy" | "signature">;
  batch: BatchProof | null;
}

export interface Chunk {
  header: ChunkHeader;
  plays: ChunkPlay[];
}

/** A chunk's name everywhere: device, incarnation, number. */
export function chunkId(chunk: Pick<ChunkHeader, "device_id" | "incarnation" | "number">): string {
  return `${chunk.device_id}.${chunk.incarnation}.${chunk.number}`;
}

const encoder = new TextEncoder();
const LINE_FEED = 10;

/** The lines of plays that came in one request, split into bodies of at most `maxBytes` each (a single play may be larger). */
export function encodePlays(
  plays: { play: AcceptedPlay; proof: Proof }[],
  batch: BatchProof | null,
  maxBytes: number,
): { bytes: Uint8Array; plays: number }[] {
  const bodies: { bytes: Uint8Array; plays: number }[] = [];
  const opening = batch ? `${JSON.stringify(batch)}\n` : "";
  let text = opening;
  let count = 0;
  let size = opening.length;
  for (const { play, proof } of plays) {
    const lines = `${JSON.stringify([...PLAY_COLUMNS.map((column) => play[column]), proof.signedBy, proof.signature])}\n${proof.record}\n`;
    // A character is up to 3 bytes; records are nearly all ASCII, so length alone would do for most, but not for all.
    const bytes = Buffer.byteLength(lines);
    if (count > 0 && size + bytes > maxBytes) {
      bodies.push({ bytes: encoder.encode(text), plays: count });
      text = opening;
      count = 0;
      size = opening.length;
    }
    text += lines;
    count += 1;
    size += bytes;
  }
  if (count > 0) bodies.push({ bytes: encoder.encode(text), plays: count });
  return bodies;
}

/** Puts a sealed chunk together: always the same bytes for the same header and bodies. */
export function encodeChunk(header: ChunkHeader, bodies: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const { v, device_id, incarnation, number, plays, refusals } = header;
  const first = encoder.encode(`${JSON.stringify({ v, device_id, incarnation, number, plays, refusals })}\n`);
  const bytes = new Uint8Array(first.length + bodies.reduce((sum, body) => sum + body.length, 0));
  bytes.set(first);
  let at = first.length;
  for (const body of bodies) {
    bytes.set(body, at);
    at += body.length;
  }
  return bytes;
}

const headerSchema = z.object({
  v: z.literal(CHUNK_VERSION),
  device_id: z.uuid(),
  incarnation: z.uuid(),
  number: z.int().min(1),
  plays: z.int().min(0),
  refusals: z.array(z.tuple([z.int(), z.string(), z.string(), z.int().min(1)])),
});

const batchSchema = z.object({ lines: z.string(), signature: z.string() });

const id = z.string();
const ms = z.int();
/** The tuple of PLAY_COLUMNS, then who signed, then the signature. */
const playSchema = z.tuple([
  id.min(1),
  z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  ...([id, id, id, id, id, id, id, id] as const),
  z.string(),
  ...([ms, ms, ms, ms, ms, ms] as const),
  ms.nullable(),
  z.enum(PLAY_STATUSES),
  z.union([z.literal(0), z.literal(1)]),
  z.int(),
  z.string(),
  z.enum(DOORS),
  z.string(),
  z.int().nullable(),
  z.string(),
  z.string(),
  z.string(),
  z.string(),
  z.enum(["record", "batch", "nobody"]),
  z.string().nullable(),
]);

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The header of a chunk whose rest may be unreadable; null where it has none. */
export function readChunkHeader(bytes: Uint8Array): ChunkHeader | null {
  try {
    const end = bytes.indexOf(LINE_FEED);
    return headerSchema.parse(JSON.parse(decoder.decode(bytes.subarray(0, end < 0 ? bytes.length : end))));
  } catch {
    return null;
  }
}

/**
 * Reads a chunk.
 * @throws Error where the bytes are no chunk of a version that is known: such a message can never be recorded as it is.
 */
export function decodeChunk(bytes: Uint8Array): Chunk {
  if (bytes.at(-1) !== LINE_FEED) throw new Error("the chunk is cut short");
  const lines = decoder.decode(bytes).split("\n");
  lines.pop();
  const header = headerSchema.parse(JSON.parse(lines[0] ?? ""));
  const plays: ChunkPlay[] = [];
  let batch: BatchProof | null = null;
  for (let at = 1; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line.startsWith("{")) {
      batch = batchSchema.parse(JSON.parse(line));
      continue;
    }
    const record = lines[at + 1];
    if (!record?.startsWith("{")) throw new Error(`the record of play ${plays.length} is missing`);
    plays.push(decodePlay(JSON.parse(line), record, batch));
    at += 1;
  }
  if (plays.length !== header.plays) throw new Error(`the chunk says ${header.plays} plays and holds ${plays.length}`);
  return { header, plays };
}

function decodePlay(value: unknown, record: string, batch: BatchProof | null): ChunkPlay {
  const values = playSchema.parse(value);
  const play = Object.fromEntries(PLAY_COLUMNS.map((column, index) => [column, values[index]])) as unknown as AcceptedPlay;
  const signedBy = values[PLAY_COLUMNS.length] as Proof["signedBy"];
  const signature = values[PLAY_COLUMNS.length + 1] as string | null;
  if (signedBy === "batch" && batch === null) throw new Error("a play says that its batch was signed, and no batch's proof is there");
  return { play, proof: { record, signedBy, signature }, batch: signedBy === "batch" ? batch : null };
}
