import { beforeEach, describe, expect, test } from "bun:test";
import { knownScreens, noteScreens, switchedOff, switchScreens } from "../../src/cli/demo/switches.ts";
import { Books } from "../../src/cli/fleet/books.ts";
import { StoredFiles } from "../../src/cli/fleet/files.ts";
import { nextStep } from "../../src/cli/fleet/steps.ts";
import { FleetStore } from "../../src/cli/fleet/store.ts";
import type { PlayingSlot } from "../../src/sdk/what-plays.ts";

let store: FleetStore;
beforeEach(() => {
  store = new FleetStore(":memory:");
});

describe("switches", () => {
  test("stay as a person left them, each screen for itself", () => {
    expect([...switchedOff(store)]).toEqual([]);
    switchScreens(store, ["a", "b"], false);
    switchScreens(store, ["a", "c"], false);
    expect([...switchedOff(store)]).toEqual(["a", "b", "c"]);
    switchScreens(store, ["b", "d"], true);
    expect([...switchedOff(store)]).toEqual(["a", "c"]);
  });

  test("have the names of the screens that ran last", () => {
    expect(knownScreens(store)).toEqual([]);
    noteScreens(store, [{ name: "Umeda 1", deviceId: "a" }]);
    expect(knownScreens(store)).toEqual([{ name: "Umeda 1", deviceId: "a" }]);
  });
});

test("refusals are counted of all screens, or of those that are on", () => {
  const books = new Books(store);
  for (const [logId, device] of [
    ["1", "a"],
    ["2", "a"],
    ["3", "b"],
  ] as const) {
    books.write({ logId, device, status: "COMPLETED", durationMs: 1, billable: true, refusal: "CLOCK_SKEW" });
    books.handed(logId);
  }
  books.refused("1", "CLOCK_SKEW");
  expect(books.refusals()).toEqual(new Map([["CLOCK_SKEW", { booked: 3, refused: 1 }]]));
  expect(books.refusals(new Set(["a"]))).toEqual(new Map([["CLOCK_SKEW", { booked: 2, refused: 1 }]]));
  expect(books.refusals(new Set())).toEqual(new Map());
});

describe("a screen's next step", () => {
  const slot: PlayingSlot = {
    kind: "slot",
    slot: { slot_id: "k-0", item: "v", playlist_id: null },
    item: {
      ...{ content_id: "c", type: "image", sha256: "", url: null, bytes: null },
      ...{ duration_ms: 1000, campaign_id: null, ad_group_id: null, caps: {} },
    },
    terms: { duration_ms: 1000, campaign_id: null, ad_group_id: null, caps: {} },
    ...{ startsAt: 5000, endsAt: 6000 },
  };

  test("is a play from its slot's beginning to its end, and from its middle a wait for the next", () => {
    expect(nextStep(slot, 5000)).toEqual({ to: 6000, play: slot });
    expect(nextStep(slot, 5001)).toEqual({ to: 6000, play: null });
  });

  test("goes over the time where nothing plays, and ends with the plan", () => {
    expect(nextStep({ kind: "nothing", until: 9000 }, 5000)).toEqual({ to: 9000, play: null });
    expect(nextStep({ kind: "before", from: 7000 }, 5000)).toEqual({ to: 7000, play: null });
    expect(nextStep({ kind: "over" }, 5000)).toBe(null);
  });
});

test("files are kept in pieces, by device, in the order in which they were begun", async () => {
  const [files, other] = [new StoredFiles(store, "d1"), new StoredFiles(store, "d2")];
  const contentOf = async (from: StoredFiles, sha256: string) => {
    const bytes: number[] = [];
    for await (const piece of from.read(sha256)) bytes.push(...piece);
    return bytes;
  };
  await files.append("b", Uint8Array.of(1, 0));
  await files.append("a", Uint8Array.of(9));
  await files.append("b", Uint8Array.of(2, 255));
  await other.append("b", Uint8Array.of(7));
  await files.complete("b");
  expect(await files.list()).toEqual([
    { sha256: "b", bytes: 4, complete: true },
    { sha256: "a", bytes: 1, complete: false },
  ]);
  expect(await other.list()).toEqual([{ sha256: "b", bytes: 1, complete: false }]);
  expect(await contentOf(files, "b")).toEqual([1, 0, 2, 255]);
  await files.remove("b");
  expect(await files.list()).toEqual([{ sha256: "a", bytes: 1, complete: false }]);
  expect([await contentOf(files, "b"), await contentOf(other, "b")]).toEqual([[], [7]]);
  await files.append("b", Uint8Array.of(3));
  expect((await files.list())[1]).toEqual({ sha256: "b", bytes: 1, complete: false });
});
