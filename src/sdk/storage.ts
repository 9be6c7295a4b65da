import type { Plan } from "../plans/plan.ts";
import type { KeptFile } from "./files.ts";

/** A file that a plan needs. */
export interface NeededFile {
  sha256: string;
  /** Null: nobody knows. */
  bytes: number | null;
}

/** What to do with the files that are kept. */
export interface StorageDecision {
  /** To be removed, in this order. */
  evict: string[];
  /** To be fetched, in this order. */
  fetch: NeededFile[];
  /** Needed, and not to be had within the cap. */
  tooMuch: NeededFile[];
}

/** The path of a file of this hash at the server. */
export function contentPath(sha256: string): string {
  return `/v1/device/content/${sha256}`;
}

/**
 * The files that a plan needs from `at` (ms) on, in the order of their segments. Items whose address is elsewhere are pages on
 * the web, of which there is nothing to keep. Pure.
 */
export function filesOf(plan: Plan, at: number): NeededFile[] {
  const ahead = plan.segments.filter(({ to }) => Date.parse(to) > at);
  const ids = new Set(ahead.flatMap(({ loop, fallback }) => [...loop, ...(fallback ?? [])]).map(({ item }) => item));
  const files = new Map<string, NeededFile>();
  for (const id of ids) {
    const item = plan.items[id];
    if (item && item.url === contentPath(item.sha256)) files.set(item.sha256, { sha256: item.sha256, bytes: item.bytes });
  }
  return [...files.values()];
}

/**
 * What to fetch and what to remove, so that what is needed first is here first and everything stays within `capBytes` (null:
 * without limit). A file that no plan needs any more stays while there is room, since what was taken out of a plan often
 * comes back; then the oldest goes first. One that was begun and is not needed goes at once. Pure.
 */
export function decideStorage(needed: readonly NeededFile[], kept: readonly KeptFile[], capBytes: number | null): StorageDecision {
  const here = new Map(kept.map((file) => [file.sha256, file]));
  let room = capBytes ?? Number.POSITIVE_INFINITY;
  const wanted = new Set<string>();
  const tooMuch: NeededFile[] = [];
  for (const file of needed) {
    const size = file.bytes ?? here.get(file.sha256)?.bytes ?? 0;
    if (size > room) {
      tooMuch.push(file);
      continue;
    }
    room -= size;
    wanted.add(file.sha256);
  }
  const unwanted = new Set(tooMuch.map(({ sha256 }) => sha256));
  const others = kept.filter(({ sha256 }) => !wanted.has(sha256));
  const leftovers = others.filter(({ complete, sha256 }) => !complete && !unwanted.has(sha256));
  // Those that are needed, but later than the room reaches, go last.
  const spare = others
    .filter((file) => !leftovers.includes(file))
    .sort((a, b) => Number(unwanted.has(a.sha256)) - Number(unwanted.has(b.sha256)));
  let over = spare.reduce((sum, { bytes }) => sum + bytes, 0) - room;
  const evicted = spare.filter(({ bytes }) => {
    if (over <= 0) return false;
    over -= bytes;
    return true;
  });
  return {
    evict: [...leftovers, ...evicted].map(({ sha256 }) => sha256),
    fetch: needed.filter(({ sha256 }) => wanted.has(sha256) && here.get(sha256)?.complete !== true),
    tooMuch,
  };
}
