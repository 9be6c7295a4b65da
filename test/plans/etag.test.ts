import { describe, expect, test } from "vitest";
import { planEtag } from "../../src/plans/etag.ts";
import type { PlanInput } from "../../src/plans/input.ts";
import { resolvePlan } from "../../src/plans/resolve.ts";
import { planWindow } from "../../src/plans/zone.ts";
import { input, items, NOON, playlist, schedule, version } from "./fixture.ts";

const window = planWindow("Asia/Ho_Chi_Minh", NOON);
const base: PlanInput = input({
  schedules: [
    schedule("p", { priority: 1, dayparts: [{ from: "08:00", to: "12:00" }] }, { name: "Mornings" }),
    schedule("q", { weight: 2 }),
  ],
  playlists: [playlist("p", ["a", "b"], "campaign"), playlist("q", ["c"]), playlist("d", ["d"])],
  default_playlist_id: "d",
  takeovers: [{ id: "t", from: NOON, to: null, items: items(["e"]) }],
});
const etag = planEtag(base, window.from);

/** The inputs, with a change made to a copy of them. */
function changed(
  change: (
    copy: {
      -readonly [K in keyof PlanInput]: PlanInput[K];
    },
  ) => void,
): string {
  const copy = structuredClone(base);
  change(copy);
  return planEtag(copy, window.from);
}

describe("a plan's ETag", () => {
  test("is the plan's own, known without making it", () => expect(resolvePlan(base, window).etag).toBe(etag));

  test.each<[string, Parameters<typeof changed>[0]]>([
    ["the device", (copy) => (copy.device_id = "other")],
    ["the store", (copy) => (copy.store = { id: "other", timezone: "Asia/Ho_Chi_Minh" })],
    ["the store's zone", (copy) => (copy.store = { id: "store", timezone: "Asia/Kolkata" })],
    ["a rule", (copy) => (copy.schedules = [schedule("p", { priority: 2 }), schedule("q", { weight: 2 })])],
    ["a schedule's zone", (copy) => (copy.schedules = copy.schedules.map((each) => ({ ...each, timezone: "UTC" })))],
    ["a schedule that goes", (copy) => (copy.schedules = copy.schedules.slice(1))],
    ["a schedule that is archived", (copy) => (copy.schedules = copy.schedules.map((each) => ({ ...each, archived: true })))],
    ["a playlist's order", (copy) => (copy.playlists = [playlist("p", ["b", "a"], "campaign"), ...copy.playlists.slice(1)])],
    ["a weight", (copy) => (copy.playlists = [playlist("p", [["a", 2], "b"], "campaign"), ...copy.playlists.slice(1)])],
    ["an item's duration", (copy) => (copy.playlists = [playlist("p", [["a", 1, 5000], "b"], "campaign"), ...copy.playlists.slice(1)])],
    ["a campaign", (copy) => (copy.playlists = [playlist("p", ["a", "b"], "other"), ...copy.playlists.slice(1)])],
    ["the default playlist", (copy) => (copy.default_playlist_id = null)],
    ["a file's address", (copy) => (copy.versions = copy.versions.map((each) => ({ ...each, url: "https://other" })))],
    ["a takeover that is lifted", (copy) => (copy.takeovers = [])],
    [
      "a takeover that begins",
      (copy) => (copy.takeovers = [...copy.takeovers, { id: "u", from: NOON + 1, to: null, items: items(["e"]) }]),
    ],
    ["a takeover's end", (copy) => (copy.takeovers = copy.takeovers.map((each) => ({ ...each, to: NOON + 1 })))],
  ])("changes with %s", (_, change) => {
    expect(changed(change)).not.toBe(etag);
  });

  test("does not change by a takeover that ended before the plan begins; it does by one that ended on its first day", () => {
    const ended = (to: number) =>
      changed((copy) => (copy.takeovers = [...copy.takeovers, { id: "u", from: window.from - 5000, to, items: items(["a"]) }]));
    expect(ended(window.from)).toBe(etag);
    expect(ended(window.from + 1)).not.toBe(etag);
  });

  test("changes with the day, and not within it", () => {
    expect(planEtag(base, planWindow("Asia/Ho_Chi_Minh", NOON + 1).from)).toBe(etag);
    expect(planEtag(base, planWindow("Asia/Ho_Chi_Minh", NOON + 86_400_000).from)).not.toBe(etag);
  });

  test.each<[string, Parameters<typeof changed>[0]]>([
    ["a schedule's name", (copy) => (copy.schedules = copy.schedules.map((each) => ({ ...each, name: "Other" })))],
    ["the order of lists", (copy) => (copy.schedules = [...copy.schedules].reverse())],
    ["a playlist that nothing here uses", (copy) => (copy.playlists = [...copy.playlists, playlist("z", ["z"])])],
    ["a file that nothing here uses", (copy) => (copy.versions = [version("z"), ...copy.versions])],
    ["an archived schedule", (copy) => (copy.schedules = [...copy.schedules, schedule("z", {}, { archived: true })])],
  ])("does not change with %s", (_, change) => {
    expect(changed(change)).toBe(etag);
  });
});
