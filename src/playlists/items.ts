import type { FieldError } from "../platform/errors.ts";

/** The most items of a playlist. */
export const PLAYLIST_MAX_ITEMS = 500;
/** The largest weight of an item: how often it appears in one round. */
export const ITEM_WEIGHT_MAX = 100;
/** The longest round of a playlist: the sum of its items' weights. A plan spells it out. */
export const PLAYLIST_MAX_ROUND = 2000;

/** One place in a playlist. Its order is its place in the list. */
export interface Item {
  id: string;
  content_version_id: string;
  weight: number;
  /** How long an image or a page plays, in ms; null: the default. */
  duration_ms: number | null;
}

/** An item as a body gives it; an `id` names one that is there. */
export interface GivenItem {
  id?: string | undefined;
  content_version_id: string;
  weight?: number | undefined;
  duration_ms?: number | null | undefined;
}

/** What becomes of a playlist's items: the whole new list, or why not. */
export type ItemsOutcome = { ok: true; items: Item[] } | { ok: false; errors: FieldError[] } | { ok: false; missing: string };

/** How items are changed. Pure functions of the list as it is. */
export type ItemsChange = (items: readonly Item[]) => ItemsOutcome;

/** The whole list in its new order. Items that are named by id keep it and must be the playlist's own; others get a new one. */
export function replaceItems(given: readonly GivenItem[], newId: () => string): ItemsChange {
  return (items) => {
    const known = new Set(items.map(({ id }) => id));
    const seen = new Set<string>();
    const errors = given.flatMap(({ id }, at): FieldError[] => {
      if (id === undefined) return [];
      const pointer = `/items/${at}/id`;
      if (!known.has(id)) return [{ pointer, detail: "This playlist has no item with this id; leave it out for a new one." }];
      if (seen.has(id)) return [{ pointer, detail: "This item stands in the list twice." }];
      seen.add(id);
      return [];
    });
    return errors.length > 0 ? { ok: false, errors } : checkItems(given.map((item) => itemOf(item, item.id ?? newId())));
  };
}

/** One more item, before the one at `at` (from 0), or at the end. */
export function addItem(given: GivenItem, id: string, at: number | undefined): ItemsChange {
  return (items) => {
    if (at !== undefined && at > items.length) {
      return { ok: false, errors: [{ pointer: "/order_index", detail: `It must be from 0 to ${items.length}, the end.` }] };
    }
    return checkItems(items.toSpliced(at ?? items.length, 0, itemOf(given, id)));
  };
}

/** Another weight, duration or place for one item. */
export function changeItem(
  id: string,
  change: { order_index?: number | undefined; weight?: number | undefined; duration_ms?: number | null | undefined },
): ItemsChange {
  return (items) => {
    const from = items.findIndex((item) => item.id === id);
    const item = items[from];
    if (!item) return { ok: false, missing: id };
    const to = change.order_index ?? from;
    if (to >= items.length) {
      return { ok: false, errors: [{ pointer: "/order_index", detail: `It must be from 0 to ${items.length - 1}, the last place.` }] };
    }
    const changed = {
      ...item,
      ...(change.weight === undefined ? {} : { weight: change.weight }),
      ...(change.duration_ms === undefined ? {} : { duration_ms: change.duration_ms }),
    };
    return checkItems(items.toSpliced(from, 1).toSpliced(to, 0, changed));
  };
}

/** Without one item. */
export function removeItem(id: string): ItemsChange {
  return (items) => {
    const kept = items.filter((item) => item.id !== id);
    return kept.length === items.length ? { ok: false, missing: id } : { ok: true, items: kept };
  };
}

function itemOf(given: GivenItem, id: string): Item {
  const { content_version_id, weight = 1, duration_ms = null } = given;
  return { id, content_version_id, weight, duration_ms };
}

function checkItems(items: Item[]): ItemsOutcome {
  if (items.length > PLAYLIST_MAX_ITEMS) {
    return { ok: false, errors: [{ pointer: "/items", detail: `A playlist has ${PLAYLIST_MAX_ITEMS} items at most.` }] };
  }
  const round = items.reduce((sum, { weight }) => sum + weight, 0);
  if (round > PLAYLIST_MAX_ROUND) {
    const detail = `The weights of a playlist's items sum up to ${PLAYLIST_MAX_ROUND} at most; these to ${round}.`;
    return { ok: false, errors: [{ pointer: "/items", detail }] };
  }
  return { ok: true, items };
}

/** Whether two lists are the same, order included. */
export function equalItems(a: readonly Item[], b: readonly Item[]): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
