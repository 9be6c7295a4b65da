import type { PlayVerdict } from "../play.ts";
import { FLAGS } from "../policy.ts";

/**
 * What a sequencer remembers of a log that it accepted: enough to tell a retry (same hash) from another record under the same
 * id, and to give a retry its first verdict again. Packed into 28 bytes: id 16, hash 8, verdict 4.
 */
export interface SeenEntry {
  /** The log's id, lower-case UUID. */
  id: string;
  /** The first 8 bytes of the record's hash, hex. */
  hash: string;
  told: PlayVerdict;
}

/** Looks up what was seen under an id. */
export type FindSeen = (id: string) => SeenEntry | null;

export const ENTRY_BYTES = 28;
const BILLABLE_BIT = 0x100;
const FLAGS_SHIFT = 9;

/** Packs entries in the order given. As one text in hex, since one call that reads it is faster than a loop over each id's digits. */
export function packSeen(entries: SeenEntry[]): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(
    entries.map(({ id, hash, told }) => `${id.replaceAll("-", "")}${hash}${packVerdict(told).toString(16).padStart(8, "0")}`).join(""),
  );
}

/** Unpacks all entries. */
export function unpackSeen(bytes: Uint8Array): SeenEntry[] {
  return Array.from({ length: bytes.length / ENTRY_BYTES }, (_, index) => entryAt(bytes, index));
}

/** A pack that can be searched: entries in the order of their ids, and a filter that tells most absent ids without a look at them. */
export interface SortedPack {
  entries: Uint8Array<ArrayBuffer>;
  filter: Uint8Array<ArrayBuffer>;
}

export function sortedPack(entries: SeenEntry[]): SortedPack {
  const sorted = entries.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  return { entries: packSeen(sorted), filter: makeFilter(sorted.map((entry) => entry.id)) };
}

/** Finds an id in a sorted pack's entries, by halving. */
export function searchPack(entries: Uint8Array, id: string): SeenEntry | null {
  const wanted = idBytes(id);
  let low = 0;
  let high = entries.length / ENTRY_BYTES - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const order = compareAt(entries, middle * ENTRY_BYTES, wanted);
    if (order === 0) return entryAt(entries, middle);
    if (order < 0) low = middle + 1;
    else high = middle - 1;
  }
  return null;
}

function compareAt(entries: Uint8Array, at: number, wanted: Uint8Array): number {
  for (let i = 0; i < 16; i++) {
    const difference = (entries[at + i] ?? 0) - (wanted[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** The entry at a place of a pack, sorted or not. */
export function entryAt(bytes: Uint8Array, index: number): SeenEntry {
  const at = index * ENTRY_BYTES;
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, ENTRY_BYTES);
  return {
    id: bytes
      .subarray(at, at + 16)
      .toHex()
      .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5"),
    hash: bytes.subarray(at + 16, at + 24).toHex(),
    told: unpackVerdict(view.getUint32(24)),
  };
}

function packVerdict(told: PlayVerdict): number {
  const flags = told.flags.reduce((bits, flag) => bits | (1 << FLAGS.indexOf(flag)), 0);
  return (told.quality | (told.billable ? BILLABLE_BIT : 0) | (flags << FLAGS_SHIFT)) >>> 0;
}

function unpackVerdict(bits: number): PlayVerdict {
  return {
    quality: bits & 0xff,
    billable: (bits & BILLABLE_BIT) !== 0,
    flags: FLAGS.filter((_, index) => (bits >>> FLAGS_SHIFT) & (1 << index)),
  };
}

function idBytes(id: string): Uint8Array {
  return Uint8Array.fromHex(id.replaceAll("-", ""));
}

// The filter is a Bloom filter: 16 bits an id, 6 probes, so that about one absent id in a thousand costs a look at the pack.
const FILTER_BITS_PER_ID = 16;
const FILTER_PROBES = 6;

function makeFilter(ids: string[]): Uint8Array<ArrayBuffer> {
  const filter = new Uint8Array(Math.max(8, Math.ceil((ids.length * FILTER_BITS_PER_ID) / 8)));
  for (const id of ids) {
    for (const bit of probes(filterHash(id), filter.length * 8)) filter[bit >> 3] = (filter[bit >> 3] ?? 0) | (1 << (bit & 7));
  }
  return filter;
}

/** Two hashes of an id, made once for all the filters that it is looked up in. */
export type FilterHash = [first: number, second: number];

/** Hashes an id for {@link mayHold}: FNV-1a, then the finaliser of MurmurHash3, since ids need not be random. */
export function filterHash(id: string): FilterHash {
  let hash = 0x811c9dc5;
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193);
  return [mix(hash), (mix(hash ^ 0x9e3779b9) | 1) >>> 0];
}

function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

function probes([first, second]: FilterHash, bits: number): number[] {
  return Array.from({ length: FILTER_PROBES }, (_, i) => (first + i * second) % bits);
}

/** False where the pack surely does not hold the id. */
export function mayHold(filter: Uint8Array, [first, second]: FilterHash): boolean {
  const bits = filter.length * 8;
  for (let i = 0; i < FILTER_PROBES; i++) {
    const bit = (first + i * second) % bits;
    if (!((filter[bit >> 3] ?? 0) & (1 << (bit & 7)))) return false;
  }
  return true;
}
