import {
  SEEN_CACHE_BYTES,
  SEEN_FILTER_CACHE_BYTES,
  SEEN_PACK_AFTER_MS,
  SEEN_PACK_ENTRIES,
  SEEN_PACK_MAX_ENTRIES,
  SEEN_RETENTION_MS,
} from "../limits.ts";
import { ENTRY_BYTES, entryAt, type FilterHash, filterHash, mayHold, type SeenEntry, searchPack, sortedPack, unpackSeen } from "./seen.ts";
import type { KeptArrival, PackFilter, SequencerStore } from "./store.ts";

const BLOCK_ENTRIES = 1024;

/**
 * Everything that a device's sequencer has seen, in bounded memory: the newest entries as they were written, with a map to find them,
 * the older ones in sorted packs that stay in storage and are loaded where their filter says that they may hold an id.
 */
export class SeenIndex {
  /** By id: which of {@link #blocks}, times {@link BLOCK_ENTRIES}, and the place in it. Numbers, not objects: what lives for an hour costs the collector. */
  readonly #fresh = new Map<string, number>();
  /** The newest entries, packed: each request's by themselves, and at most {@link BLOCK_ENTRIES} together. */
  #blocks: Uint8Array[] = [];
  #freshSince: number | null = null;
  /** The newest packs' filters, newest first. */
  #filters: PackFilter[] = [];
  /** Whether older packs' filters had no room: those are read for each id that is looked up. */
  #hasMore = false;
  /** Packs loaded last, least used first. */
  readonly #loaded = new Map<number, Uint8Array>();
  #loadedBytes = 0;

  constructor(
    private readonly store: SequencerStore,
    arrivals: KeptArrival[],
  ) {
    for (const { at, seen } of arrivals) {
      if (seen === null) continue;
      this.#freshSince ??= at;
      this.#addBlocks(
        seen,
        unpackSeen(seen).map(({ id }) => id),
      );
    }
    this.#loadFilters();
  }

  #loadFilters(): void {
    const { filters, more } = this.store.filters(SEEN_FILTER_CACHE_BYTES);
    this.#filters = filters;
    this.#hasMore = more;
  }

  find(id: string): SeenEntry | null {
    const fresh = this.#fresh.get(id);
    if (fresh !== undefined) return this.#freshAt(fresh);
    const hash = filterHash(id);
    const found = this.#findIn(this.#filters, id, hash);
    if (found || !this.#hasMore) return found;
    return this.#findIn(this.store.filtersBelow(this.#filters.at(-1)?.id ?? 0), id, hash);
  }

  #findIn(filters: Iterable<PackFilter>, id: string, hash: FilterHash): SeenEntry | null {
    for (const { id: pack, filter } of filters) {
      if (!mayHold(filter, hash)) continue;
      const entry = searchPack(this.#entries(pack), id);
      if (entry) return entry;
    }
    return null;
  }

  /** Takes entries whose arrival was written: as they were packed, and their ids in the same order. */
  add(packed: Uint8Array, ids: string[], now: number): void {
    if (ids.length === 0) return;
    this.#freshSince ??= now;
    this.#addBlocks(packed, ids);
  }

  #addBlocks(packed: Uint8Array, ids: string[]): void {
    for (let from = 0; from < ids.length; from += BLOCK_ENTRIES) {
      const first = this.#blocks.length * BLOCK_ENTRIES;
      this.#blocks.push(packed.subarray(from * ENTRY_BYTES, (from + BLOCK_ENTRIES) * ENTRY_BYTES));
      for (let place = from; place < Math.min(from + BLOCK_ENTRIES, ids.length); place++)
        this.#fresh.set(ids[place] ?? "", first + place - from);
    }
  }

  #freshAt(at: number): SeenEntry | null {
    const block = this.#blocks[Math.floor(at / BLOCK_ENTRIES)];
    return block ? entryAt(block, at % BLOCK_ENTRIES) : null;
  }

  /** Whether the newest entries are many or old enough for a pack. */
  packIsDue(now: number): boolean {
    return this.#fresh.size >= SEEN_PACK_ENTRIES || (this.#freshSince !== null && now - this.#freshSince >= SEEN_PACK_AFTER_MS);
  }

  /** When a pack falls due by age; null where there is nothing to pack. */
  packDueAt(): number | null {
    return this.#freshSince === null ? null : this.#freshSince + SEEN_PACK_AFTER_MS;
  }

  /** Packs the newest entries and drops the packs that are too old. Call it in a transaction, and what it returns when that held. */
  pack(now: number, confirmed: [number, number][]): () => void {
    this.#addPacks(
      [...this.#fresh.values()].flatMap((at) => this.#freshAt(at) ?? []),
      now,
    );
    this.store.clearSeen(confirmed);
    const dropped = this.store.dropPacksBefore(now - SEEN_RETENTION_MS);
    return () => {
      this.#fresh.clear();
      this.#blocks = [];
      this.#freshSince = null;
      this.#loadFilters();
      for (const gone of dropped) this.#forget(gone);
    };
  }

  /** Takes entries of an earlier incarnation, straight into packs. Call it in a transaction, and what it returns when that held. */
  restore(entries: SeenEntry[], now: number): () => void {
    this.#addPacks(entries, now);
    return () => {
      this.#loadFilters();
    };
  }

  #addPacks(entries: SeenEntry[], until: number): void {
    for (let at = 0; at < entries.length; at += SEEN_PACK_MAX_ENTRIES) {
      this.store.addPack(sortedPack(entries.slice(at, at + SEEN_PACK_MAX_ENTRIES)), until);
    }
  }

  #entries(pack: number): Uint8Array {
    const known = this.#loaded.get(pack);
    if (known) {
      this.#loaded.delete(pack);
      this.#loaded.set(pack, known);
      return known;
    }
    const entries = this.store.packEntries(pack);
    this.#loaded.set(pack, entries);
    this.#loadedBytes += entries.length;
    for (const oldest of this.#loaded.keys()) {
      if (this.#loadedBytes <= SEEN_CACHE_BYTES || oldest === pack) break;
      this.#forget(oldest);
    }
    return entries;
  }

  #forget(pack: number): void {
    this.#loadedBytes -= this.#loaded.get(pack)?.length ?? 0;
    this.#loaded.delete(pack);
  }
}
