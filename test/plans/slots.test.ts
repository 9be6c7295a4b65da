import { describe, expect, test } from "vitest";
import { findPlanned, findSlot, indexSlots, type SlotQuery } from "../../src/plans/find-slot.ts";
import type { PlanInput } from "../../src/plans/input.ts";
import { fitSlots } from "../../src/plans/slot-desk.ts";
import { EMPTY_BOOK, mergeSlots, type SlotBook, slotsOf, slotsWithin } from "../../src/plans/slots.ts";
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
    expect(find(slotsOf(capped), { contentId: "content-d" })).toEqual({
      by: "content",
      content_version_id: "d",
      expected_ms: 15_000,
      takeover: false,
    });
  });
});

describe("the slot of a play", () => {
  const book = slotsOf(plan);

  test("is the one that it cites", () => {
    expect(find(book, { slotId: slotB, contentId: "content-b" })).toEqual({
      by: "slot",
      content_version_id: "b",
      expected_ms: 8000,
      takeover: false,
    });
    expect(find(book, { slotId: slotA, contentVersion: "sha-a" })).toEqual({
      by: "slot",
      content_version_id: "a",
      expected_ms: 15_000,
      takeover: false,
    });
  });

  test("may be a minute off on either side, exactly a minute included", () => {
    const found = (startedAt: number) => find(book, { slotId: slotA, startedAt })?.by ?? null;
    expect(found(lunchStart - MINUTE_MS)).toBe("slot");
    expect(found(lunchStart - MINUTE_MS - 1)).toBeNull();
    expect(found(lunchEnd + MINUTE_MS)).toBe("slot");
    expect(found(lunchEnd + MINUTE_MS + 1)).toBeNull();
  });

  test("is one of the same content where it cites none, a strange one, or that of something else", () => {
    const byContent = { by: "content", content_version_id: "a", expected_ms: 15_000, takeover: false };
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
    expect(find(during, { contentId: "content-fire" })).toEqual({
      by: "content",
      content_version_id: "fire",
      expected_ms: 15_000,
      takeover: true,
    });
    expect(find(during, {})).toBeNull();
    // Until the device hears of it, it plays the plan that it was given before: that one's slots are kept too.
    expect(find(mergeSlots(book, during, NOON), {})?.content_version_id).toBe("a");
  });
});

describe("a plan that replaces another at noon", () => {
  const day = (ms: number) => planOf({ schedules: [schedule("p")], playlists: [playlist("p", [["a", 1, ms], "b"])] });
  const slotOf = (of: ReturnType<typeof day>) => of.segments[0]?.loop[0]?.slot_id ?? "";
  const [before, after] = [day(30_000), day(8000)];
  const morning = NOON - 5 * HOUR_MS;
  const kept = mergeSlots(EMPTY_BOOK, slotsOf(before), morning);
  const both = mergeSlots(kept, slotsOf(after), NOON);
  const midnight = NOON - 12 * HOUR_MS;
  const end = midnight + 4 * DAY_MS;

  test("counts from then on, and the other one until then", () => {
    const at = (startedAt: number) => find(both, { startedAt })?.expected_ms;
    expect([at(NOON - 2 * MINUTE_MS), at(NOON + 2 * MINUTE_MS), at(end - 1)]).toEqual([30_000, 8000, 8000]);
    expect([at(NOON - 1), at(NOON)]).toEqual([30_000, 8000]);
  });

  test("leaves the other one's slots to a player that has not changed over, or cites what it played", () => {
    const cite = (plan: typeof before, startedAt: number) => find(both, { slotId: slotOf(plan), startedAt });
    expect(cite(before, NOON + HOUR_MS)).toMatchObject({ by: "slot", expected_ms: 30_000 });
    expect(cite(after, NOON - HOUR_MS)).toMatchObject({ by: "slot", expected_ms: 8000 });
    expect(both.loops[slotOf(before).slice(0, 16)]).toMatchObject({
      times: [[morning, NOON]],
      other: [
        [midnight, morning],
        [NOON, end],
      ],
    });
    expect(both.loops[slotOf(after).slice(0, 16)]).toMatchObject({ times: [[NOON, end]], other: [[midnight, NOON]] });
  });

  test("and is replaced by the first one again, gives it back its time", () => {
    const again = mergeSlots(both, slotsOf(before), NOON + HOUR_MS);
    expect(find(again, { startedAt: NOON + 30 * MINUTE_MS })?.expected_ms).toBe(8000);
    expect(find(again, { startedAt: NOON + 90 * MINUTE_MS })?.expected_ms).toBe(30_000);
    expect(again.loops[slotOf(before).slice(0, 16)]?.times).toEqual([
      [morning, NOON],
      [NOON + HOUR_MS, end],
    ]);
  });

  test("that is a takeover of the same content is billed neither then nor a minute around it, unless another slot is cited that was given up just then", () => {
    const takeovers = [{ id: "t", from: NOON, to: NOON + 10 * MINUTE_MS, items: items([["a", 1, 5000]]) }];
    const during = planOf({ schedules: [schedule("p")], playlists: [playlist("p", ["b"])], takeovers });
    const book = mergeSlots(kept, slotsOf(during), NOON);
    const at = (startedAt: number, slotId: string | null = null) => {
      const slot = find(book, { startedAt, slotId });
      return slot && [slot.takeover, slot.expected_ms];
    };
    expect(at(NOON - 1)).toEqual([false, 30_000]);
    expect(at(NOON)).toEqual([true, 5000]);
    expect(at(NOON + 10 * MINUTE_MS + 30_000)).toEqual([true, 5000]);
    expect(at(NOON + 12 * MINUTE_MS)).toEqual([false, 30_000]);
    // A player may take a minute to change over; after it, the message is nobody's, whatever is cited.
    expect(at(NOON + MINUTE_MS, slotOf(before))).toEqual([false, 30_000]);
    expect(at(NOON + MINUTE_MS + 1, slotOf(before))).toEqual([true, 5000]);
    expect(at(NOON + 12 * MINUTE_MS, slotOf(before))).toEqual([false, 30_000]);
    expect(at(NOON - MINUTE_MS, during.segments.find(({ takeover_id }) => takeover_id)?.loop[0]?.slot_id)).toEqual([true, 5000]);
  });
});

describe("what the plans say of a play", () => {
  const book = mergeSlots(EMPTY_BOOK, slotsOf(plan), NOON);
  const say = (over: Partial<SlotQuery>, of: SlotBook = book) =>
    findPlanned(indexSlots(of), { slotId: null, contentId: "content-z", contentVersion: null, startedAt: NOON, ...over });
  const end = NOON - 12 * HOUR_MS + 4 * DAY_MS;

  test("is nothing before the device was given one, nor after its end: a minute is left on either side", () => {
    expect(book.covered).toEqual([[NOON, end]]);
    for (const startedAt of [NOON + MINUTE_MS, NOON + DAY_MS, end - MINUTE_MS])
      expect([startedAt, say({ startedAt })]).toEqual([startedAt, { slot: null }]);
    for (const startedAt of [NOON - HOUR_MS, NOON, NOON + MINUTE_MS - 1, end - MINUTE_MS + 1, end + DAY_MS]) {
      expect([startedAt, say({ startedAt })]).toEqual([startedAt, null]);
    }
    expect(say({}, EMPTY_BOOK)).toBeNull();
  });

  test("is the slot where there is one, though the device was given the plan later that day", () => {
    expect(say({ contentId: "content-a", startedAt: lunchStart })?.slot?.content_version_id).toBe("a");
  });

  test("is that nothing plays, where the plan has nothing to play", () => {
    const empty = mergeSlots(EMPTY_BOOK, slotsOf(planOf({})), NOON);
    expect(empty).toEqual({ items: [], loops: {}, covered: [[NOON, end]] });
    expect(say({ startedAt: NOON + HOUR_MS }, empty)).toEqual({ slot: null });
  });

  test("is nothing for the days in which the device was given no plan", () => {
    const later = mergeSlots(book, slotsOf(planOf(shape, end + DAY_MS)), end + DAY_MS);
    expect(later.covered).toEqual([
      [NOON, end],
      [end + DAY_MS, end + 5 * DAY_MS],
    ]);
    expect(say({ startedAt: end + 12 * HOUR_MS }, later)).toBeNull();
  });

  test("reaches 9 days back", () => {
    const now = end + 8 * DAY_MS;
    expect(mergeSlots(book, EMPTY_BOOK, now).covered).toEqual([[now - 9 * DAY_MS, end]]);
  });
});

describe("too many slots for a row", () => {
  /** Lunches of ten days to come and ten days past, each of another loop. */
  const hours = (days: number) => NOON + days * DAY_MS;
  const book: SlotBook = { items: [], loops: {}, covered: [[hours(-10), hours(10)]] };
  for (let days = -10; days < 10; days++) {
    book.items.push([`version${days}`, `content${days}`, "sha", 1000]);
    book.loops[`loop${days}`] = { times: [[hours(days), hours(days) + HOUR_MS]], slots: [book.items.length - 1] };
  }
  const size = (of: SlotBook) => JSON.stringify(JSON.stringify(of)).length;
  const now = NOON - HOUR_MS;
  const days = (of: SlotBook) => Object.keys(of.loops).map((key) => Number(key.slice(4)));

  test("stay as they are while they fit", () => {
    expect(fitSlots(book, now, size(book))).toEqual({ book, text: JSON.stringify(book), dropped: null });
  });

  test("lose the oldest first, and what is left is all that is known", () => {
    const fit = fitSlots(book, now, size(book) - 1);
    expect(days(fit.book)).toEqual(Array.from({ length: 19 }, (_, index) => index - 9));
    expect(fit.dropped).toEqual({ bytes: size(book), known_from: hours(-10) + HOUR_MS, known_to: null });
    expect(fit.book.covered).toEqual([[hours(-10) + HOUR_MS, hours(10)]]);
    expect(fit.book.items.length).toBe(19);
    expect(JSON.parse(fit.text)).toEqual(fit.book);
    expect(indexSlots(fit.book).byContent.get("content9")?.[0]?.loops).toEqual([fit.book.loops.loop9]);
  });

  test("lose the latest where those to come are too many by themselves, and all where one is", () => {
    const two = slotsWithin(book, now, hours(2));
    expect(days(two)).toEqual([0, 1]);
    const fit = fitSlots(book, now, size(two));
    expect([days(fit.book), fit.dropped]).toEqual([[0, 1], { bytes: size(book), known_from: now, known_to: hours(2) }]);
    expect(fitSlots(book, now, 60).book).toEqual(EMPTY_BOOK);
  });
});
