import { MINUTE_MS } from "../platform/time.ts";
import { type SlotBook, type SlotItem, type SlotLoop, splitSlotId } from "./slots.ts";

/** A play may start this long before its slot's time or after it; exactly as long is still inside. */
export const SLOT_TOLERANCE_MS = MINUTE_MS;

/** What a play says of itself that its slot is found by. */
export interface SlotQuery {
  /** What it cites; `''` or null: nothing. */
  slotId: string | null;
  contentId: string;
  /** SHA-256 of the file; `''` or null: it doesn't say. */
  contentVersion: string | null;
  /** Corrected, in milliseconds. */
  startedAt: number;
}

export interface FoundSlot {
  /** Whether it is the slot that the play cites, or one that shows the same content at that time. */
  by: "slot" | "content";
  content_version_id: string;
  /** Null: nobody knows. */
  expected_ms: number | null;
}

/** A slot book, made ready to be searched. */
export interface SlotIndex {
  book: SlotBook;
  /** By content: its items, with the loops that show them. */
  byContent: ReadonlyMap<string, readonly { item: SlotItem; loops: readonly SlotLoop[] }[]>;
}

/** Makes a slot book ready: once for each book, not for each play. */
export function indexSlots(book: SlotBook): SlotIndex {
  const loopsOf = book.items.map((item) => ({ item, loops: [] as SlotLoop[] }));
  for (const loop of Object.values(book.loops)) for (const number of new Set(loop.slots)) loopsOf[number]?.loops.push(loop);
  return { book, byContent: Map.groupBy(loopsOf, ({ item: [, contentId] }) => contentId) };
}

/**
 * The slot of a play: the one that it cites, if that shows this content and has its time when the play started; else one of the
 * same content at that time. Of several that differ in length, the longest counts: a play is complete only where it would be
 * in any of them. Null: not scheduled.
 */
export function findSlot({ book, byContent }: SlotIndex, play: SlotQuery, toleranceMs: number = SLOT_TOLERANCE_MS): FoundSlot | null {
  const cited = play.slotId ? citedSlot(book, play.slotId) : null;
  if (cited && isOf(cited.item, play) && hasTime(cited.loop, play.startedAt, toleranceMs)) return found("slot", cited.item);
  const [longest] = (byContent.get(play.contentId) ?? [])
    .filter(({ item, loops }) => isOf(item, play) && loops.some((loop) => hasTime(loop, play.startedAt, toleranceMs)))
    .map(({ item }) => item)
    .sort((a, b) => (b[3] ?? 0) - (a[3] ?? 0));
  return longest ? found("content", longest) : null;
}

function citedSlot({ items, loops }: SlotBook, slotId: string): { item: SlotItem; loop: SlotLoop } | null {
  const { key, place } = splitSlotId(slotId);
  const loop = Object.hasOwn(loops, key) ? loops[key] : undefined;
  const item = items[loop?.slots[place] ?? -1];
  return loop && item ? { item, loop } : null;
}

function isOf([, contentId, sha256]: SlotItem, { contentId: played, contentVersion }: SlotQuery): boolean {
  return contentId === played && (!contentVersion || contentVersion === sha256);
}

function hasTime({ times }: SlotLoop, at: number, toleranceMs: number): boolean {
  return times.some(([from, to]) => at >= from - toleranceMs && at <= to + toleranceMs);
}

function found(by: FoundSlot["by"], [content_version_id, , , expected_ms]: SlotItem): FoundSlot {
  return { by, content_version_id, expected_ms };
}
