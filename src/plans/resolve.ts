import { sha256Now } from "../platform/hash.ts";
import { canonicalText } from "./canonical.ts";
import { planEtag } from "./etag.ts";
import { type PlanInput, planZone } from "./input.ts";
import { type Entry, type Loop, LoopMaker } from "./loop.ts";
import type { Plan, PlanItem, PlanSegment, PlanSlot, SlotTerms, Span } from "./plan.ts";
import { type Stretch, scheduleTimes, timeline } from "./timeline.ts";

const LOOP_KEY_CHARS = 16;

/**
 * What one device plays in a window (`planWindow`), from its schedules, playlists and content, by the clocks of their zones.
 * The same inputs give the same bytes, whatever the order of their lists.
 * @throws RangeError for a zone that there is not.
 */
export function resolvePlan(input: PlanInput, window: Span): Plan {
  const maker = new LoopMaker(input);
  const takeovers = input.takeovers.filter(({ items }) => maker.ofItems(items).length > 0);
  const stretches = timeline(scheduleTimes(input, window), takeovers, window);
  const loops = new Map<string, Loop>();
  const loopOf = (stretch: Stretch): Loop => {
    const key = stretch.takeover ? `takeover ${stretch.takeover.id}` : canonicalText(stretch.schedules.map(({ id }) => id));
    const loop = loops.get(key) ?? makeLoop(maker, stretch);
    loops.set(key, loop);
    return loop;
  };
  const cut = stretches.map((stretch) => ({ stretch, loop: loopOf(stretch) }));
  const items = itemsOf([...loops.values()].flatMap(({ entries, fallback }) => [...entries, ...fallback]));
  const slots = slotNamer(items);
  return {
    device_id: input.device_id,
    store_id: input.store?.id ?? null,
    timezone: planZone(input),
    valid_from: rfc3339(window.from),
    valid_to: rfc3339(window.to),
    etag: planEtag(input, window.from),
    segments: cut.map(({ stretch, loop }) => segmentOf(stretch, slots(loop.entries), slots(loop.fallback))),
    items,
  };
}

function makeLoop(maker: LoopMaker, { schedules, takeover }: Stretch): Loop {
  return takeover ? { entries: maker.ofItems(takeover.items), fallback: [] } : maker.of(schedules);
}

function segmentOf({ from, to, schedules, takeover }: Stretch, loop: PlanSlot[], fallback: PlanSlot[]): PlanSegment {
  return {
    from: rfc3339(from),
    to: rfc3339(to),
    schedule_ids: schedules.map(({ id }) => id),
    loop,
    ...(fallback.length > 0 && { fallback }),
    ...(takeover && { takeover_id: takeover.id }),
  };
}

/**
 * The items of a plan, by content version. Where a version plays on several terms, those without a campaign stand here, else
 * the first in the order of their text; slots on other terms say so themselves.
 */
function itemsOf(entries: readonly Entry[]): Record<string, PlanItem> {
  const items = new Map<string, { order: string; item: PlanItem }>();
  for (const { version, terms } of new Set(entries)) {
    const order = `${terms.campaign_id ?? ""} ${canonicalText(terms)}`;
    const known = items.get(version.id);
    if (known && known.order <= order) continue;
    const { content_id, type, sha256, url, bytes } = version;
    items.set(version.id, { order, item: { content_id, type, sha256, url, bytes, ...termsOf(terms) } });
  }
  return Object.fromEntries([...items].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, { item }]) => [id, item]));
}

function termsOf({ duration_ms, campaign_id, ad_group_id, caps }: SlotTerms): SlotTerms {
  return { duration_ms, campaign_id, ad_group_id, caps: { ...caps } };
}

/**
 * Gives a loop's entries their names. A slot is named by its loop's contents and its place in it, so the same loop has the
 * same slots at all its times, on all devices and after each rebuild, and one that differs in anything, a duration too, has
 * others.
 */
function slotNamer(items: Record<string, PlanItem>): (entries: readonly Entry[]) => PlanSlot[] {
  const loops = new Map<readonly Entry[], PlanSlot[]>();
  // Loops show the same few entries over and over.
  const known = new Map<Entry, DrawnEntry>();
  const draw = (entry: Entry): DrawnEntry => {
    const drawn = known.get(entry) ?? drawnEntry(entry, items);
    known.set(entry, drawn);
    return drawn;
  };
  return (entries) => {
    const named = loops.get(entries) ?? nameSlots(entries.map(draw));
    loops.set(entries, named);
    return named;
  };
}

interface DrawnEntry {
  /** All that the entry is. */
  text: string;
  slot: Omit<PlanSlot, "slot_id">;
}

function drawnEntry({ version, playlistId, terms }: Entry, items: Record<string, PlanItem>): DrawnEntry {
  return {
    text: canonicalText([version.id, playlistId, termsOf(terms)]),
    slot: { item: version.id, playlist_id: playlistId, ...difference(terms, items[version.id]) },
  };
}

function nameSlots(drawn: readonly DrawnEntry[]): PlanSlot[] {
  // Long loops repeat few entries: each is hashed once, and then where it stands.
  const numbers = new Map<DrawnEntry, number>();
  for (const entry of drawn) if (!numbers.has(entry)) numbers.set(entry, numbers.size);
  const entries = [...numbers.keys()].map(({ text }) => text);
  const key = sha256Now(`${entries.join()} ${drawn.map((entry) => numbers.get(entry)).join()}`).slice(0, LOOP_KEY_CHARS);
  return drawn.map(({ slot }, place) => ({ slot_id: `${key}-${place}`, ...slot }));
}

/** The terms that are not those of the item. */
function difference(terms: SlotTerms, item: PlanItem | undefined): Partial<SlotTerms> {
  const { duration_ms, campaign_id, ad_group_id, caps } = termsOf(terms);
  return {
    ...(duration_ms !== item?.duration_ms && { duration_ms }),
    ...(campaign_id !== item?.campaign_id && { campaign_id }),
    ...(ad_group_id !== item?.ad_group_id && { ad_group_id }),
    ...(canonicalText(caps) !== canonicalText(item?.caps) && { caps }),
  };
}

function rfc3339(ms: number): string {
  return new Date(ms).toISOString();
}
