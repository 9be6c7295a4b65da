import { describe, expect, test } from "vitest";
import { findSlot, indexSlots, type SlotQuery } from "../../src/plans/find-slot.ts";
import type { PlanInput } from "../../src/plans/input.ts";
import { EMPTY_BOOK, mergeSlots, type SlotBook, slotsOf } from "../../src/plans/slots.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/platform/time.ts";
import { items, NOON, planOf, playlist, schedule, version } from "./fixture.ts";

/** Lunch is 11:00 to 13:00: 04:00 to 06:00 UTC. NOON is 05:00 UTC. */
const shape: Partial<PlanInput> = {
  schedules: [schedule("p", { dayparts: [{ from: "11:00", to: "13:00" }] })],
  playlists: [playlist("p", ["a", ["b", 1, 8000]], "campaign"), playlist("d", ["d"])],
  default_playlist_id: "d",
};
const plan = planOf(shape);
const lunch = plan.segments[1];
const [slotA = "", slotB = ""] = (lunch?.loop ?? []).map(({ slot_id }) => slot_id);
const [slotD = ""] = (plan.segments[0]?.loop ?? []).map(({ slot_id }) => slot_id);
const lunchStart = NOON - HOUR_MS;
const lunchEnd = NOON + HOUR_MS;

function find(book: SlotBook, query: Partial<SlotQuery>) {
  return findSlot(indexSlots(book), { slotId: null, contentId: "content-a", contentVersion: null, startedAt: NOON, ...query });
}

describe("slot ids", () => {
  test("are the same at all times of a loop, on other days, on other devices and after a rebuild", () => {
    const lunches = plan.segments.filter(({ schedule_ids }) => schedule_ids.length > 0);
    expect(lunches.length).toBe(4);
    expect(new Set(lunches.flatMap(({ loop }) => loop.map(({ slot_id }) => slot_id)))).toEqual(new Set([slotA, slotB]));
    expect(planOf({ ...shape, device_id: "other" }, NOON + DAY_MS).segments[1]?.loop).toEqual(lunch?.loop);
  });

  test("differ by place, and with anything that a play is judged by", () => {
    const idsWith = (over: Partial<PlanInput>) => planOf({ ...shape, ...over }).segments[1]?.loop[0]?.slot_id;
    const playlists = (...args: Parameters<typeof playlist>) => ({ playlists: [playlist(...args), playlist("d", ["d"])] });
    expect(slotA).not.toBe(slotB);
    const others = [
      idsWith(playlists("p", ["a", ["b", 1, 9000]], "campaign")),
      idsWith(playlists("p", ["a", ["b", 1, 8000]], "other")),
      idsWith(playlists("p", [["b", 1, 8000], "a"], "campaign")),
      idsWith(
        playlists(
          "p",
          [
            ["a", 2],
            ["b", 1, 8000],
          ],
          "campaign",
        ),
      ),
      idsWith({ versions: ["a", "b", "d"].map((id) => version(id, { duration_ms: 16_000 })) }),
    ];
    expect(new Set([slotA, ...others]).size).toBe(6);
  });
});

describe("the slots of a plan", () => {
  test("are small: each loop once, with its times", () => {
    const times = (from: number, to: number) => Array.from({ length: 4 }, (_, day) => [from + day * DAY_MS, to + day * DAY_MS]);
    const book = slotsOf(plan);
    expect(book.items).toEqual([
      ["d", "content-d", "sha-d", 15_000],
      ["a", "content-a", "sha-a", 15_000],
      ["b", "content-b", "sha-b", 8000],
    ]);
    expect(Object.keys(book.loops)).toEqual([slotD.slice(0, 16), slotA.slice(0, 16)]);
    expect(book.loops[slotA.slice(0, 16)]).toEqual({ times: times(lunchStart, lunchEnd), slots: [1, 2] });
    expect(book.loops[slotD.slice(0, 16)]?.times.length).toBe(5);
  });

  test("of the next day's plan add nothing but its last day", () => {
    const next = slotsOf(planOf(shape, NOON + DAY_MS));
    const both = mergeSlots(mergeSlots(EMPTY_BOOK, slotsOf(plan), NOON), next, NOON + DAY_MS);
    expect(both.items).toEqual(slotsOf(plan).items);
    expect(both.loops[slotA.slice(0, 16)]?.times.length).toBe(5);
    expect(mergeSlots(both, next, NOON + DAY_MS)).toEqual(both);
  });

  test("go 9 days after their time, and their items with them", () => {
    const lastEnd = lunchEnd + 3 * DAY_MS;
    const kept = mergeSlots(slotsOf(plan), EMPTY_BOOK, lastEnd + 9 * DAY_MS);
    expect(kept.loops[slotA.slice(0, 16)]?.times).toEqual([[lastEnd - 2 * HOUR_MS, lastEnd]]);
    const later = mergeSlots(kept, EMPTY_BOOK, lastEnd + 9 * DAY_MS + 1);
    expect(later.loops[slotA.slice(0, 16)]).toBeUndefined();
    expect(later.items.map(([id]) => id)).toEqual(["d"]);
    expect(mergeSlots(kept, EMPTY_BOOK, lastEnd + 30 * DAY_MS)).toEqual(EMPTY_BOOK);
  });

  test("have the fallback among them", () => {
    const capped = planOf({ ...shape, schedules: [schedule("p", { frequency_cap: { max_plays_per_hour: 1 } })] });
    expect(find(slotsOf(capped), { contentId: "content-d" })).toEqual({ by: "content", content_version_id: "d", expected_ms: 15_000 });
  });
});

describe("the slot of a play", () => {
  const book = slotsOf(plan);

  test("is the one that it cites", () => {
    expect(find(book, { slotId: slotB, contentId: "content-b" })).toEqual({ by: "slot", content_version_id: "b", expected_ms: 8000 });
    expect(find(book, { slotId: slotA, contentVersion: "sha-a" })).toEqual({ by: "slot", content_version_id: "a", expected_ms: 15_000 });
  });

  test("may be a minute off on either side, exactly a minute included", () => {
    const found = (startedAt: number) => find(book, { slotId: slotA, startedAt })?.by ?? null;
    expect(found(lunchStart - MINUTE_MS)).toBe("slot");
    expect(found(lunchStart - MINUTE_MS - 1)).toBeNull();
    expect(found(lunchEnd + MINUTE_MS)).toBe("slot");
    expect(found(lunchEnd + MINUTE_MS + 1)).toBeNull();
  });

  test("is one of the same content where it cites none, a strange one, or that of something else", () => {
    const byContent = { by: "content", content_version_id: "a", expected_ms: 15_000 };
    for (const slotId of [null, "", "x", slotB, `${slotA}0`, `${slotA.slice(0, 16)}-7`, "constructor-0", "__proto__-0", "-", `-${slotA}`]) {
      expect([slotId, find(book, { slotId })]).toEqual([slotId, byContent]);
    }
  });

  test("is none for content that is not in the plan then, nor for another version of it", () => {
    expect(find(book, { contentId: "content-d" })).toBeNull();
    expect(find(book, { contentId: "content-z" })).toBeNull();
    expect(find(book, { slotId: slotA, contentVersion: "sha-old" })).toBeNull();
    expect(find(EMPTY_BOOK, { slotId: slotA })).toBeNull();
  });

  test("is the longest of those that it may be", () => {
    const twice = planOf({
      schedules: [schedule("p")],
      playlists: [
        playlist("p", [
          ["a", 1, 8000],
          ["a", 1, 12_000],
          ["a", 1, 9000],
        ]),
      ],
    });
    const slots = twice.segments[0]?.loop.map(({ slot_id }) => slot_id) ?? [];
    expect(find(slotsOf(twice), {})?.expected_ms).toBe(12_000);
    expect(slots.map((slotId) => find(slotsOf(twice), { slotId })?.expected_ms)).toEqual([8000, 12_000, 9000]);
  });

  test("of a takeover is there, and what it hid is not", () => {
    const takeovers = [{ id: "t", from: NOON - 30 * MINUTE_MS, to: null, items: items(["fire"]) }];
    const during = slotsOf(planOf({ ...shape, versions: ["a", "b", "d", "fire"].map((id) => version(id)), takeovers }));
    expect(find(during, { contentId: "content-fire" })?.content_version_id).toBe("fire");
    expect(find(during, {})).toBeNull();
    // Until the device hears of it, it plays the plan that it was given before: that one's slots are kept too.
    expect(find(mergeSlots(book, during, NOON), {})?.content_version_id).toBe("a");
  });
});
