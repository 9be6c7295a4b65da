import { MINUTE_MS } from "../platform/time.ts";
import { type SlotBook, type SlotItem, type SlotLoop, splitSlotId } from "./slots.ts";
import type { Times } from "./times.ts";

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
  /** Whether it shows the message of a takeover, whose plays are billed to nobody. */
  takeover: boolean;
}

/** What a device's plans say of a play: its slot, or null where it has none though the plan of its time is known. */
export interface PlanFinding {
  slot: FoundSlot | null;
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
 * What the plans say of a play. Null: nothing, since none is known for its time and for the tolerance around it. So a device is
 * never told that a play was not scheduled by somebody who cannot know.
 */
export function findPlanned(index: SlotIndex, play: SlotQuery): PlanFinding | null {
  const slot = findSlot(index, play);
  const [from, to] = [play.startedAt - SLOT_TOLERANCE_MS, play.startedAt + SLOT_TOLERANCE_MS];
  return slot || index.book.covered.some(([begin, end]) => begin <= from && to <= end) ? { slot } : null;
}

/**
 * The slot of a play: the one that it cites, if that shows this content and has its time when the play started; else one of the
 * same content at that time. Of several, the plan of that very moment goes before one that is a minute away, and that before
 * plans that the device had been given earlier or later; then a takeover's message goes first, whose plays are never billed;
 * then the longest: a play is complete only where it would be in any of them. Where a takeover shows the same content, a cited
 * slot of a plan that it replaced over a minute ago does not make the play anybody's. Null: not scheduled.
 */
export function findSlot({ book, byContent }: SlotIndex, play: SlotQuery, toleranceMs: number = SLOT_TOLERANCE_MS): FoundSlot | null {
  const cited = play.slotId ? citedSlot(book, play.slotId) : null;
  const citedNear = cited && isOf(cited.item, play) ? nearness(cited.loop, play.startedAt, toleranceMs) : null;
  if (cited && (citedNear === 0 || citedNear === 1)) return found("slot", cited.item, cited.loop);
  const best = nearestOfContent(byContent.get(play.contentId) ?? [], play, toleranceMs);
  const overridden = best !== null && best.near === 0 && best.slot.takeover;
  if (cited && citedNear !== null && !overridden) return found("slot", cited.item, cited.loop);
  return best?.slot ?? null;
}

interface Candidate {
  near: Nearness;
  slot: FoundSlot;
}

function nearestOfContent(
  items: readonly { item: SlotItem; loops: readonly SlotLoop[] }[],
  play: SlotQuery,
  toleranceMs: number,
): Candidate | null {
  const candidates = items
    .filter(({ item }) => isOf(item, play))
    .flatMap(({ item, loops }) =>
      loops.flatMap((loop): Candidate[] => {
        const near = nearness(loop, play.startedAt, toleranceMs);
        return near === null ? [] : [{ near, slot: found("content", item, loop) }];
      }),
    );
  const [best] = candidates.sort(
    (a, b) => a.near - b.near || Number(b.slot.takeover) - Number(a.slot.takeover) || (b.slot.expected_ms ?? 0) - (a.slot.expected_ms ?? 0),
  );
  return best ?? null;
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

/** How near a loop's times are to an instant: 0 at one, 1 as near as is allowed, 2 only as another plan had it. */
type Nearness = 0 | 1 | 2;

/** Null: not near. */
function nearness({ times, other = [] }: SlotLoop, at: number, toleranceMs: number): Nearness | null {
  if (times.some(([from, to]) => from <= at && at < to)) return 0;
  if (isNear(times, at, toleranceMs)) return 1;
  return isNear(other, at, toleranceMs) ? 2 : null;
}

function isNear(times: Times, at: number, toleranceMs: number): boolean {
  return times.some(([from, to]) => at >= from - toleranceMs && at <= to + toleranceMs);
}

function found(by: FoundSlot["by"], [content_version_id, , , expected_ms]: SlotItem, { takeover }: SlotLoop): FoundSlot {
  return { by, content_version_id, expected_ms, takeover: takeover === true };
}
