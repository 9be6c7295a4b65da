import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { findPlanned, indexSlots, type PlanFinding, type SlotIndex, type SlotQuery } from "./find-slot.ts";
import { EMPTY_BOOK, mergeSlots, type SlotBook, slotsWithin } from "./slots.ts";

/** A row of an object's storage holds 2 MB. */
const KEPT_SLOTS_MAX_BYTES = 1_900_000;

/** What of a device's plans is still known where their slots were too many. Times in ms; `known_to` null: as far as they go. */
export interface DroppedSlots {
  bytes: number;
  known_from: number;
  known_to: number | null;
}

/**
 * The slots of the plans that a device was given, inside its object: one row, read with the others when the object wakes up,
 * parsed for the first play that asks, and made ready once.
 */
export class SlotDesk {
  #text: string | null;
  #index: SlotIndex | null = null;

  /**
   * @param text a {@link SlotBook} as JSON; null: the device was given no plan.
   * @param write keeps such a text: one row.
   */
  constructor(
    text: string | null,
    private readonly write: (text: string) => void,
  ) {
    this.#text = text;
  }

  /** Keeps the slots of a plan that the device is about to be given. Returns what had to go, where it is too much. */
  keep(added: SlotBook, now: number): DroppedSlots | null {
    const merged = mergeSlots(this.#read()?.book ?? EMPTY_BOOK, added, now);
    const { book, text, dropped } = fitSlots(merged, now, KEPT_SLOTS_MAX_BYTES);
    this.write(text);
    this.#text = null;
    this.#index = indexSlots(book);
    return dropped;
  }

  /** What the plans say of a play; null where they say nothing of its time. */
  find(play: SlotQuery): PlanFinding | null {
    const index = this.#read();
    return index && findPlanned(index, play);
  }

  #read(): SlotIndex | null {
    if (this.#text === null) return this.#index;
    try {
      this.#index = indexSlots(JSON.parse(this.#text) as SlotBook);
    } catch (error) {
      // Plays must come in: what is not known refuses and flags nothing. The next plan brings new slots.
      log("error", "slots of plans cannot be read", { error: describeError(error) });
    }
    this.#text = null;
    return this.#index;
  }
}

/**
 * A book and its text, cut where that needs over `maxBytes`: the oldest times go first, and where those since `now` are too
 * many by themselves, the latest.
 */
export function fitSlots(book: SlotBook, now: number, maxBytes: number): { book: SlotBook; text: string; dropped: DroppedSlots | null } {
  const whole = JSON.stringify(book);
  const bytes = storedBytes(whole);
  if (bytes <= maxBytes) return { book, text: whole, dropped: null };
  const windows = windowsOf(book, now);
  let [low, high] = [0, windows.length - 1];
  // The last window is empty, and always fits.
  while (low < high) {
    const middle = (low + high) >> 1;
    if (storedBytes(JSON.stringify(slotsWithin(book, ...windowAt(windows, middle)))) <= maxBytes) high = middle;
    else low = middle + 1;
  }
  const [from, to] = windowAt(windows, low);
  const fitting = slotsWithin(book, from, to);
  return { book: fitting, text: JSON.stringify(fitting), dropped: { bytes, known_from: from, known_to: to === Infinity ? null : to } };
}

/** What may be kept of a book, the most first: from the end of each time in the past on, then until the start of each time to come. */
function windowsOf({ loops }: SlotBook, now: number): [number, number][] {
  const times = Object.values(loops).flatMap(({ times, other = [] }) => [...times, ...other]);
  const ends = [...new Set(times.map(([, to]) => to).filter((to) => to < now))].sort((a, b) => a - b);
  const starts = [...new Set(times.map(([from]) => from).filter((from) => from > now))].sort((a, b) => b - a);
  return [
    ...ends.map((end): [number, number] => [end, Infinity]),
    [now, Infinity],
    ...starts.map((start): [number, number] => [now, start]),
    [now, now],
  ];
}

function windowAt(windows: readonly [number, number][], index: number): [number, number] {
  const window = windows[index];
  if (!window) throw new Error("unreachable: there is always the empty window");
  return window;
}

const encoder = new TextEncoder();

/** The row's value is the text as a string of JSON. */
function storedBytes(text: string): number {
  return encoder.encode(JSON.stringify(text)).length;
}

/**
 * The statement that has all plans of a device handed over again, for an object that D1 does not know yet: it goes before the one that
 * makes it known. Where there was another one, its storage is gone, and the slots with it.
 */
export function slotsLostStatement(db: D1Database, deviceId: string, incarnation: string): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE playout_plans SET slots_etag = NULL WHERE device_id = ?1
         AND NOT EXISTS (SELECT 1 FROM sequencer_incarnations WHERE device_id = ?1 AND incarnation = ?2)`,
    )
    .bind(deviceId, incarnation);
}
