import { z } from "zod";
import { type AcceptedPlay, type BatchProof, PLAY_COLUMNS, PLAY_STATUSES, type Proof } from "./play.ts";
import { DOORS } from "./policy.ts";

/**
 * A chunk on the wire, in UTF-8, line by line:
 *
 *     {"v":1,"device_id":…,"incarnation":…,"number":…,"plays":2,"refusals":[[hour,door,code,count],…]}
 *     {"lines":…,"signature":…}                       a batch's proof, for the plays behind it that it signed; where there is one
 *     [values of PLAY_COLUMNS …]                      a play, in the very form in which D1 takes it
 *     record c2lnbmF0dXJl {…}                         who signed · the signature, or - · the record as JCS, without it: what was signed
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

/** A play of a chunk that was just read, with its line: its columns as a JSON array. */
export interface ReceivedPlay extends ChunkPlay {
  line: string;
}

/** A chunk that was just read. */
export interface ReceivedChunk extends Chunk {
  plays: ReceivedPlay[];
}

/** A chunk's name everywhere: device, incarnation, number. */
export function chunkId(chunk: Pick<ChunkHeader, "device_id" | "incarnation" | "number">): string {
  return `${chunk.device_id}.${chunk.incarnation}.${chunk.number}`;
}

const encoder = new TextEncoder();
const LINE_FEED = 10;
const NO_SIGNATURE = "-";

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
    const lines = `${JSON.stringify(PLAY_COLUMNS.map((column) => play[column]))}\n${proof.signedBy} ${proof.signature ?? NO_SIGNATURE} ${proof.record}\n`;
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

/** The columns that are no text. The others are. */
const INTEGERS = new Set<string>([
  "started_at_raw",
  "ended_at_raw",
  "started_at",
  "ended_at",
  "received_at",
  "duration_ms",
  "expected_ms",
  "billable",
  "quality",
  "sequence",
]);
const NULLABLE = new Set<string>(["expected_ms", "sequence"]);

/** What a column's value must be, by its place in the line. */
const COLUMN_CHECKS: ((value: unknown) => boolean)[] = PLAY_COLUMNS.map((column) => {
  if (column === "result") return (value) => (PLAY_STATUSES as readonly unknown[]).includes(value);
  if (column === "door") return (value) => (DOORS as readonly unknown[]).includes(value);
  if (column === "day") return (value) => typeof value === "string" && /^\d{4}-\d{2}-\d{2}$/.test(value);
  if (column === "billable") return (value) => value === 0 || value === 1;
  if (NULLABLE.has(column)) return (value) => value === null || Number.isSafeInteger(value);
  return INTEGERS.has(column) ? Number.isSafeInteger : (value) => typeof value === "string";
});

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
export function decodeChunk(bytes: Uint8Array): ReceivedChunk {
  if (bytes.at(-1) !== LINE_FEED) throw new Error("the chunk is cut short");
  const lines = decoder.decode(bytes).split("\n");
  lines.pop();
  const header = headerSchema.parse(JSON.parse(lines[0] ?? ""));
  const plays: ReceivedPlay[] = [];
  let batch: BatchProof | null = null;
  for (let at = 1; at < lines.length; at += 1) {
    const line = lines[at] ?? "";
    if (line.startsWith("{")) {
      batch = batchSchema.parse(JSON.parse(line));
      continue;
    }
    at += 1;
    plays.push(decodePlay(line, lines[at] ?? "", batch));
  }
  if (plays.length !== header.plays) throw new Error(`the chunk says ${header.plays} plays and holds ${plays.length}`);
  return { header, plays };
}

function decodePlay(line: string, proofLine: string, batch: BatchProof | null): ReceivedPlay {
  const values: unknown = JSON.parse(line);
  if (!Array.isArray(values) || values.length !== PLAY_COLUMNS.length) throw new Error("a play has another number of columns");
  const wrong = COLUMN_CHECKS.findIndex((check, index) => !check(values[index]));
  if (wrong >= 0) throw new Error(`a play's ${PLAY_COLUMNS[wrong]} cannot be ${JSON.stringify(values[wrong])}`);
  const play: Record<string, unknown> = {};
  PLAY_COLUMNS.forEach((column, index) => {
    play[column] = values[index];
  });
  return { play: play as unknown as AcceptedPlay, line, ...decodeProof(proofLine, batch) };
}

function decodeProof(line: string, batch: BatchProof | null): Pick<ReceivedPlay, "proof" | "batch"> {
  const first = line.indexOf(" ");
  const second = line.indexOf(" ", first + 1);
  const signedBy = line.slice(0, first);
  const signature = line.slice(first + 1, second);
  const record = line.slice(second + 1);
  if (first < 0 || second < 0 || !record.startsWith("{") || !isSignedBy(signedBy)) throw new Error("a play's proof is missing");
  if (signedBy === "batch" && batch === null) throw new Error("a play says that its batch was signed, and no batch's proof is there");
  return {
    proof: { record, signedBy, signature: signature === NO_SIGNATURE ? null : signature },
    batch: signedBy === "batch" ? batch : null,
  };
}

function isSignedBy(text: string): text is Proof["signedBy"] {
  return text === "record" || text === "batch" || text === "nobody";
}
