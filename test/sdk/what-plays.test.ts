import { describe, expect, test } from "vitest";
import { type WhatPlays, whatPlays } from "../../src/sdk/what-plays.ts";
import { HOUR_MS, item, planOf, SHA, segment, slot, T0 } from "./plan-fixture.ts";

/** The slot, and its times in seconds behind the plan's beginning. */
function told(playing: WhatPlays): unknown {
  if (playing.kind !== "slot") return playing;
  return [playing.slot.slot_id, (playing.startsAt - T0) / 1000, (playing.endsAt - T0) / 1000];
}

describe("what plays", () => {
  // The loop takes 35 s: 10, 20 and 5.
  test.each([
    [0, ["k-0", 0, 10]],
    [9999, ["k-0", 0, 10]],
    [10_000, ["k-1", 10, 30]],
    [29_999, ["k-1", 10, 30]],
    [30_000, ["k-2", 30, 35]],
    [35_000, ["k-0", 35, 45]],
    // 8 h are 822 rounds and 30 s more.
    [8 * HOUR_MS - 30_000, ["k-0", 28_770, 28_780]],
    [8 * HOUR_MS - 1, ["k-1", 28_780, 28_800]],
  ])("%d ms into a segment is by the loop's arithmetic", (ms, expected) => {
    expect(told(whatPlays(planOf(), T0 + ms))).toEqual(expected);
  });

  test("a slot that its segment cuts ends with the segment", () => {
    const plan = planOf({ segments: [segment(0, 0.002, [slot("k", 0, "a")]), segment(0.002, 96, [])] });
    expect(told(whatPlays(plan, T0 + 1000))).toEqual(["k-0", 0, 7.2]);
  });

  test("a slot has its own terms before its item's, and a video of unknown length none", () => {
    const terms = (ms: number) => {
      const playing = whatPlays(planOf(), T0 + ms);
      return playing.kind === "slot" && playing.terms;
    };
    expect(terms(10_000)).toEqual({ duration_ms: 20_000, campaign_id: null, ad_group_id: null, caps: {} });
    expect(terms(30_000)).toEqual({ duration_ms: 5000, campaign_id: "brand", ad_group_id: null, caps: {} });
    expect(terms(12 * HOUR_MS)).toEqual({ duration_ms: null, campaign_id: null, ad_group_id: null, caps: {} });
    expect(told(whatPlays(planOf(), T0 + 12 * HOUR_MS + 25_000))).toEqual(["m-0", 43_220, 43_230]);
  });

  test("in a segment without a loop nothing, until its end; and outside of the plan it does not say", () => {
    expect(whatPlays(planOf(), T0 + 9 * HOUR_MS)).toEqual({ kind: "nothing", until: T0 + 12 * HOUR_MS });
    expect(whatPlays(planOf(), T0 - 1)).toEqual({ kind: "before", from: T0 });
    expect(told(whatPlays(planOf(), T0 + 96 * HOUR_MS - 1))).toEqual(["m-0", 345_590, 345_600]);
    expect(whatPlays(planOf(), T0 + 96 * HOUR_MS)).toEqual({ kind: "over" });
  });
});

describe("a slot that is passed over", () => {
  test("leaves its place to the next one, from that instant on", () => {
    expect(told(whatPlays(planOf(), T0 + 12_000, ({ item }) => item === "b"))).toEqual(["k-0", 12, 22]);
    expect(told(whatPlays(planOf(), T0 + 12_000, ({ slot_id }) => slot_id === "k-1"))).toEqual(["k-2", 12, 17]);
    expect(told(whatPlays(planOf(), T0 + 8 * HOUR_MS - 3000, ({ slot_id }) => slot_id === "k-1"))).toEqual(["k-2", 28_797, 28_800]);
  });

  test("where all are, the fallback plays, and without one nothing until the next slot begins", () => {
    expect(whatPlays(planOf(), T0 + 12_000, () => true)).toEqual({ kind: "nothing", until: T0 + 30_000 });
    const plan = planOf({
      items: { a: item(SHA.a), b: item(SHA.b) },
      segments: [segment(0, 96, [slot("k", 0, "a")], { fallback: [slot("f", 0, "b")] })],
    });
    expect(told(whatPlays(plan, T0 + 12_000, ({ item }) => item === "a"))).toEqual(["f-0", 10, 20]);
    expect(told(whatPlays(plan, T0 + 12_000))).toEqual(["k-0", 10, 20]);
  });
});
