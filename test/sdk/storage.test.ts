import { describe, expect, test } from "vitest";
import { decideStorage, filesOf } from "../../src/sdk/storage.ts";
import { HOUR_MS, item, planOf, SHA, segment, slot, T0 } from "./plan-fixture.ts";

const file = (sha256: string, bytes: number | null) => ({ sha256, bytes });
const kept = (sha256: string, bytes: number, complete = true) => ({ sha256, bytes, complete });

describe("the files of a plan", () => {
  test("are those of the time to come, in the order of the segments, each once", () => {
    expect(filesOf(planOf(), T0).map(({ sha256 }) => sha256)).toEqual([SHA.a, SHA.b, SHA.c]);
    expect(filesOf(planOf(), T0 + 8 * HOUR_MS - 1).map(({ sha256 }) => sha256)).toEqual([SHA.a, SHA.b, SHA.c]);
    expect(filesOf(planOf(), T0 + 8 * HOUR_MS)).toEqual([file(SHA.c, 100)]);
  });

  test("with those of the fallback, and without pages that are elsewhere", () => {
    const plan = planOf({
      items: { a: item(SHA.a, { type: "web", url: "https://offers.acme.com/" }), b: item(SHA.b), c: item(SHA.c) },
      segments: [segment(0, 96, [slot("k", 0, "c"), slot("k", 1, "a")], { fallback: [slot("f", 0, "b")] })],
    });
    expect(filesOf(plan, T0).map(({ sha256 }) => sha256)).toEqual([SHA.c, SHA.b]);
  });
});

describe("storage", () => {
  test("without a limit: what is missing is fetched, nothing goes but what was begun and is not needed", () => {
    const decision = decideStorage(
      [file("a", 10), file("b", 10)],
      [kept("a", 10), kept("b", 4, false), kept("x", 9), kept("y", 3, false)],
      null,
    );
    expect(decision).toEqual({ evict: ["y"], fetch: [file("b", 10)], tooMuch: [] });
  });

  test("what no plan needs goes where room is needed, the oldest first, and no more than that", () => {
    const have = [kept("old", 30), kept("mid", 30), kept("new", 30)];
    expect(decideStorage([file("a", 10)], have, 100)).toEqual({ evict: [], fetch: [file("a", 10)], tooMuch: [] });
    expect(decideStorage([file("a", 11)], have, 100)).toEqual({ evict: ["old"], fetch: [file("a", 11)], tooMuch: [] });
    expect(decideStorage([file("a", 41)], have, 100)).toEqual({ evict: ["old", "mid"], fetch: [file("a", 41)], tooMuch: [] });
  });

  test("what is needed first has the room, and what does not fit is said", () => {
    const needed = [file("a", 60), file("b", 60), file("c", 40)];
    expect(decideStorage(needed, [], 100)).toEqual({ evict: [], fetch: [file("a", 60), file("c", 40)], tooMuch: [file("b", 60)] });
    // The one that is needed later makes room last, behind what is not needed at all.
    expect(decideStorage(needed, [kept("b", 60), kept("x", 1)], 100)).toEqual({
      evict: ["x", "b"],
      fetch: [file("a", 60), file("c", 40)],
      tooMuch: [file("b", 60)],
    });
  });

  test("what is here whole is not fetched again, also where its size is not known", () => {
    expect(decideStorage([file("a", null), file("b", null)], [kept("a", 50)], 60)).toEqual({
      evict: [],
      fetch: [file("b", null)],
      tooMuch: [],
    });
  });
});
