import { DAY_MS } from "../platform/time.ts";
import type { Plan, PlanSlot } from "./plan.ts";
import { joined, type Times, within, without } from "./times.ts";

/** How long the slots of a plan are kept after their time: as long as a play of that time may come in. */
export const SLOT_HISTORY_MS = 9 * DAY_MS;

/** [content_version_id, content_id, sha256, expected duration in ms or null] */
export type SlotItem = [string, string, string, number | null];

/** One loop: when it played or plays, and its slots, as indexes into the book's items. */
export interface SlotLoop {
  /** When it was part of the plan that the device had been given last. */
  times: Times;
  /** When it was part of another one: of a plan that was replaced before, which the device may have played on, or of one that it had not yet. */
  other?: Times;
  slots: number[];
  /** Where it is the message of a takeover. */
  takeover?: true;
}

/**
 * The slots of the plans that a device was given, as they are kept: plain JSON, and small, since a loop is there once however
 * often it plays. A slot id is the key of its loop, `-`, and its place in the loop.
 */
export interface SlotBook {
  items: SlotItem[];
  loops: Record<string, SlotLoop>;
  /** The times whose plan is known: at all others, what is in no loop may have been planned all the same. */
  covered: Times;
}

/** No slots at all, of no time. */
export const EMPTY_BOOK: SlotBook = { items: [], loops: {}, covered: [] };

/** The slots of one plan. */
export function slotsOf(plan: Plan): SlotBook {
  const table = new ItemTable();
  const loops: SlotBook["loops"] = {};
  for (const { from, to, loop, fallback, takeover_id } of plan.segments) {
    for (const slots of [loop, fallback ?? []]) {
      const [first] = slots;
      if (!first) continue;
      const { key } = splitSlotId(first.slot_id);
      const known = loops[key];
      loops[key] = {
        times: joined([...(known?.times ?? []), [Date.parse(from), Date.parse(to)]]),
        slots: known?.slots ?? slots.map((slot) => table.numberOf(itemOf(plan, slot))),
        ...(takeover_id !== undefined && { takeover: true }),
      };
    }
  }
  return { items: table.items, loops, covered: [[Date.parse(plan.valid_from), Date.parse(plan.valid_to)]] };
}

/**
 * The slots of both books, where the device is given the plan of `added` at `now`: from then on that plan counts, and what the
 * plans before had for those times moves to `other`. Without the times that ended over 9 days before `now`.
 */
export function mergeSlots(kept: SlotBook, added: SlotBook, now: number): SlotBook {
  const since = now - SLOT_HISTORY_MS;
  const planned = within(added.covered, now, Infinity);
  const maker = new BookMaker();
  for (const key of new Set([...Object.keys(kept.loops), ...Object.keys(added.loops)])) {
    const [old, fresh] = [kept.loops[key], added.loops[key]];
    const times = joined([...without(old?.times ?? [], planned), ...within(fresh?.times ?? [], now, Infinity)]);
    const all = joined([...(old?.times ?? []), ...(old?.other ?? []), ...(fresh?.times ?? [])]);
    const recent = (list: Times) => list.filter(([, to]) => to >= since);
    maker.add(key, fresh ? added : kept, recent(times), recent(without(all, times)));
  }
  return maker.book(within(joined([...kept.covered, ...planned]), since, Infinity));
}

/** What of a book is about [`from`, `to`). */
export function slotsWithin(book: SlotBook, from: number, to: number): SlotBook {
  const maker = new BookMaker();
  for (const [key, { times, other = [] }] of Object.entries(book.loops))
    maker.add(key, book, within(times, from, to), within(other, from, to));
  return maker.book(within(book.covered, from, to));
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

/** Makes a book of loops of others. */
class BookMaker {
  readonly #items = new ItemTable();
  readonly #loops: SlotBook["loops"] = {};

  /** Adds a loop as `source` has it, at other times; none where it has no time. */
  add(key: string, source: SlotBook, times: Times, other: Times): void {
    const loop = source.loops[key];
    if (!loop || times.length + other.length === 0) return;
    this.#loops[key] = {
      times,
      ...(other.length > 0 && { other }),
      slots: loop.slots.flatMap((number) => source.items.slice(number, number + 1)).map((item) => this.#items.numberOf(item)),
      ...(loop.takeover && { takeover: true }),
    };
  }

  book(covered: Times): SlotBook {
    return { items: this.#items.items, loops: this.#loops, covered };
  }
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
