import type { PlanSlot, SlotTerms } from "../plans/plan.ts";
import type { ValueStore } from "./kept.ts";

/** How often what is capped was shown in an hour and a day of the store's clock, by playlist and cap. Plain data. */
export type CapUses = Record<string, { hour: string; inHour: number; day: string; inDay: number }>;

/** A clock hour and a day, as a wall clock of a zone names them. */
export interface WallTime {
  hour: string;
  day: string;
}

/**
 * The clock hour and the day of an instant (ms since 1970) in an IANA zone. An hour that a clock change repeats is two: its name
 * has the zone's distance from UTC. Where the machine does not know the zone, UTC. Pure.
 */
export function wallTimeOf(at: number, timezone: string): WallTime {
  const parts = Object.fromEntries(
    formatOf(timezone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  );
  const day = `${parts.year}-${parts.month}-${parts.day}`;
  return { hour: `${day} ${parts.hour} ${parts.timeZoneName}`, day };
}

/** What a cap holds for: all slots of a playlist that have it. Null where there is none. Pure. */
export function capKey(slot: PlanSlot, { caps }: SlotTerms): string | null {
  const { max_plays_per_hour, max_plays_per_day } = caps;
  if (max_plays_per_hour === undefined && max_plays_per_day === undefined) return null;
  return JSON.stringify([slot.playlist_id, max_plays_per_hour ?? null, max_plays_per_day ?? null]);
}

/** Whether a slot's cap is used up in this hour or on this day. Pure. */
export function isUsedUp(uses: CapUses, slot: PlanSlot, terms: SlotTerms, now: WallTime): boolean {
  const key = capKey(slot, terms);
  const used = key === null ? undefined : uses[key];
  if (!used) return false;
  const { max_plays_per_hour = Number.POSITIVE_INFINITY, max_plays_per_day = Number.POSITIVE_INFINITY } = terms.caps;
  return (used.hour === now.hour && used.inHour >= max_plays_per_hour) || (used.day === now.day && used.inDay >= max_plays_per_day);
}

/** The uses after one more showing. What is of another day is forgotten. Pure. */
export function withUse(uses: CapUses, key: string, { hour, day }: WallTime): CapUses {
  const today = Object.entries(uses).filter(([, used]) => used.day === day);
  const used = uses[key];
  const inHour = used?.hour === hour ? used.inHour + 1 : 1;
  const inDay = used?.day === day ? used.inDay + 1 : 1;
  return { ...Object.fromEntries(today), [key]: { hour, inHour, day, inDay } };
}

/** Counts showings of what is capped, over restarts too. */
export class CapCounter {
  readonly #store: ValueStore<CapUses>;
  #uses: CapUses;
  #last: Promise<void> = Promise.resolve();

  private constructor(store: ValueStore<CapUses>, uses: CapUses) {
    this.#store = store;
    this.#uses = uses;
  }

  static async open(store: ValueStore<CapUses>): Promise<CapCounter> {
    return new CapCounter(store, (await store.load()) ?? {});
  }

  /** Whether a slot must be passed over at an instant (ms since 1970 by the server). */
  isUsedUp(slot: PlanSlot, terms: SlotTerms, at: number, timezone: string): boolean {
    return capKey(slot, terms) !== null && isUsedUp(this.#uses, slot, terms, wallTimeOf(at, timezone));
  }

  /** A slot is shown at an instant (ms since 1970 by the server). Where the disk does not take it, it counts until the next restart. */
  use(slot: PlanSlot, terms: SlotTerms, at: number, timezone: string): void {
    const key = capKey(slot, terms);
    if (key === null) return;
    this.#uses = withUse(this.#uses, key, wallTimeOf(at, timezone));
    this.#last = this.#last.then(() => this.#store.save(this.#uses)).catch(() => undefined);
  }
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** To make one costs much more than to use it. */
function formatOf(timezone: string): Intl.DateTimeFormat {
  const known = formats.get(timezone);
  if (known) return known;
  const made = makeFormat(timezone) ?? makeFormat("UTC") ?? new Intl.DateTimeFormat("en-CA");
  formats.set(timezone, made);
  return made;
}

function makeFormat(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat("en-CA", {
      ...{ timeZone, year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", hourCycle: "h23", timeZoneName: "longOffset" },
    });
  } catch {
    return null;
  }
}
