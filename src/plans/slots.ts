import { DAY_MS } from "../platform/time.ts";
import type { Plan, PlanSlot } from "./plan.ts";

/** How long the slots of a plan are kept after their time: as long as a play of that time may come in. */
export const SLOT_HISTORY_MS = 9 * DAY_MS;

/** [content_version_id, content_id, sha256, expected duration in ms or null] */
export type SlotItem = [string, string, string, number | null];

/** One loop: when it played or plays, as [from, to) in milliseconds, in order; and its slots, as indexes into the book's items. */
export interface SlotLoop {
  times: [number, number][];
  slots: number[];
}

/**
 * The slots of the plans that a device was given, as they are kept: plain JSON, and small, since a loop is there once however
 * often it plays. A slot id is the key of its loop, `-`, and its place in the loop.
 */
export interface SlotBook {
  items: SlotItem[];
  loops: Record<string, SlotLoop>;
}

/** No slots at all. */
export const EMPTY_BOOK: SlotBook = { items: [], loops: {} };

/** The slots of one plan. */
export function slotsOf(plan: Plan): SlotBook {
  const table = new ItemTable();
  const loops: SlotBook["loops"] = {};
  for (const { from, to, loop, fallback } of plan.segments) {
    for (const slots of [loop, fallback ?? []]) {
      const [first] = slots;
      if (!first) continue;
      const { key } = splitSlotId(first.slot_id);
      const known = loops[key];
      loops[key] = {
        times: joined([...(known?.times ?? []), [Date.parse(from), Date.parse(to)]]),
        slots: known?.slots ?? slots.map((slot) => table.numberOf(itemOf(plan, slot))),
      };
    }
  }
  return { items: table.items, loops };
}

/** The slots of both books, without the times that ended over 9 days before `now`. */
export function mergeSlots(kept: SlotBook, added: SlotBook, now: number): SlotBook {
  const table = new ItemTable();
  const loops: SlotBook["loops"] = {};
  for (const book of [kept, added]) {
    for (const [key, { times, slots }] of Object.entries(book.loops)) {
      const known = loops[key];
      const recent = joined([...(known?.times ?? []), ...times.filter(([, to]) => to >= now - SLOT_HISTORY_MS)]);
      if (recent.length === 0) continue;
      const items = known ? [] : slots.flatMap((number) => book.items.slice(number, number + 1));
      loops[key] = { times: recent, slots: known?.slots ?? items.map((item) => table.numberOf(item)) };
    }
  }
  return { items: table.items, loops };
}

/** The parts of a slot id; `place` is NaN where it is no slot id. */
export function splitSlotId(slotId: string): { key: string; place: number } {
  const dash = slotId.lastIndexOf("-");
  const place = slotId.slice(dash + 1);
  return { key: slotId.slice(0, Math.max(0, dash)), place: /^(?:0|[1-9]\d{0,5})$/.test(place) ? Number(place) : Number.NaN };
}

function itemOf({ items }: Plan, slot: PlanSlot): SlotItem {
  const item = items[slot.item];
  if (!item) throw new Error(`the plan has a slot of ${slot.item}, but no such item`);
  return [slot.item, item.content_id, item.sha256, slot.duration_ms === undefined ? item.duration_ms : slot.duration_ms];
}

/** Items by number, each once. */
class ItemTable {
  readonly items: SlotItem[] = [];
  readonly #numbers = new Map<string, number>();

  numberOf(item: SlotItem): number {
    const key = JSON.stringify(item);
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    this.#numbers.set(key, this.items.length);
    return this.items.push(item) - 1;
  }
}

/** Times in order, with those made one that touch or overlap. */
function joined(times: readonly [number, number][]): [number, number][] {
  const result: [number, number][] = [];
  for (const [from, to] of [...times].sort(([a], [b]) => a - b)) {
    const last = result.at(-1);
    if (last && from <= last[1]) last[1] = Math.max(last[1], to);
    else result.push([from, to]);
  }
  return result;
}
