import { beforeEach, describe, expect, test } from "bun:test";
import { type BookedPlay, Books, compare, NO_PLAYS, type Refusals, type SumsByDevice, total } from "../../src/cli/fleet/books.ts";
import { StoredQueue } from "../../src/cli/fleet/queue.ts";
import { judge, reportLine } from "../../src/cli/fleet/report.ts";
import { FleetStore } from "../../src/cli/fleet/store.ts";

let store: FleetStore;
let books: Books;
beforeEach(() => {
  store = new FleetStore(":memory:");
  books = new Books(store);
});

const play = (logId: string, changes: Partial<BookedPlay> = {}): BookedPlay => ({
  ...{ logId, device: "d1", status: "COMPLETED", durationMs: 15_000, billable: true, refusal: null },
  ...changes,
});
function book(...plays: BookedPlay[]) {
  for (const one of plays) {
    books.write(one);
    books.handed(one.logId);
  }
}

describe("the books", () => {
  test("sum what must be recorded, by device and status, without what must be refused", () => {
    book(
      play("a"),
      play("b", { status: "SKIPPED", durationMs: 4000, billable: false }),
      play("c", { refusal: "INVALID_SIGNATURE" }),
      play("d", { device: "d2", status: "PARTIAL", durationMs: 7000, billable: false }),
    );
    expect(books.expected()).toEqual(
      new Map([
        ["d1", { ...NO_PLAYS, plays_count: 2, completed_count: 1, skipped_count: 1, billable_count: 1, total_duration_ms: 19_000 }],
        ["d2", { ...NO_PLAYS, plays_count: 1, partial_count: 1, total_duration_ms: 7000 }],
      ]),
    );
  });

  test("do not count a play before the SDK has it", () => {
    books.write(play("a"));
    expect(books.expected()).toEqual(new Map());
    books.handed("a");
    expect(books.expected().get("d1")?.plays_count).toBe(1);
  });

  test("know what was refused and what should have been, by code", () => {
    book(play("a", { refusal: "CLOCK_SKEW" }), play("b", { refusal: "CLOCK_SKEW" }), play("c"));
    books.refused("a", "CLOCK_SKEW");
    books.refused("c", "TOO_OLD");
    expect(books.refusals()).toEqual(
      new Map([
        ["CLOCK_SKEW", { booked: 2, refused: 1 }],
        ["TOO_OLD", { booked: 0, refused: 1 }],
      ]),
    );
  });

  test("after a crash leave out what the SDK never got, and take up what it has", async () => {
    books.write(play("lost"));
    books.write(play("queued"));
    books.write(play("refused", { refusal: "CLOCK_SKEW" }));
    books.handed("refused");
    const queue = new StoredQueue(store, "d1");
    await queue.append({ log_id: "queued", text: "{}" });
    await queue.settle({ acknowledged: [], refused: [{ log_id: "refused", text: "{}", code: "CLOCK_SKEW", error: "" }], deferred: [] });
    const again = new Books(store);
    expect(again.expected().get("d1")?.plays_count).toBe(1);
    expect(again.refusals()).toEqual(new Map([["CLOCK_SKEW", { booked: 1, refused: 1 }]]));
  });
});

const sums = (changes: Partial<typeof NO_PLAYS>): SumsByDevice => new Map([["d1", { ...NO_PLAYS, ...changes }]]);
const none: Refusals = new Map();

describe("the comparison", () => {
  test("agrees only when every figure of every device and every refusal does", () => {
    const booked = sums({ plays_count: 2, total_duration_ms: 30_000 });
    expect(compare(booked, sums({ plays_count: 2, total_duration_ms: 30_000 }), none)).toEqual({ agree: true });
    expect(compare(booked, sums({ plays_count: 2, total_duration_ms: 29_999 }), none)).toEqual({
      agree: false,
      differences: ["d1 total_duration_ms: booked 30000, recorded 29999"],
    });
    expect(compare(booked, booked, new Map([["CLOCK_SKEW", { booked: 3, refused: 2 }]]))).toEqual({
      agree: false,
      differences: ["CLOCK_SKEW: booked 3, refused 2"],
    });
  });

  test("finds a device that the books do not know, and one that the report does not", () => {
    expect(compare(new Map(), sums({ plays_count: 1 }), none)).toMatchObject({ agree: false });
    expect(compare(sums({ plays_count: 1 }), new Map(), none)).toMatchObject({ agree: false });
  });

  test("is patient with plays under way, but not with one too many, nor when nothing is under way any more", () => {
    const booked = sums({ plays_count: 5 });
    expect(judge(booked, sums({ plays_count: 3 }), none, false)).toEqual({ kind: "draining", behind: 2 });
    expect(judge(booked, sums({ plays_count: 3 }), none, true)).toMatchObject({ kind: "disagree" });
    expect(judge(booked, sums({ plays_count: 6 }), none, false)).toEqual({
      kind: "disagree",
      differences: ["d1 plays_count: booked 5, recorded 6"],
    });
    expect(judge(booked, null, none, true)).toEqual({ kind: "unknown" });
  });

  test("too many plays of one device are not hidden by too few of another", () => {
    const booked: SumsByDevice = new Map([...sums({ plays_count: 5 }), ["d2", { ...NO_PLAYS, plays_count: 5 }]]);
    const recorded: SumsByDevice = new Map([...sums({ plays_count: 6 }), ["d2", { ...NO_PLAYS, plays_count: 4 }]]);
    expect(total(booked)).toEqual(total(recorded));
    expect(judge(booked, recorded, none, false)).toMatchObject({ kind: "disagree" });
  });

  test("is told in one line", () => {
    const line = reportLine({
      ...{ elapsedMs: 63_400, phase: "resting", queued: 0, finding: { kind: "agree" } },
      counters: { sent: 120, accepted: 100, duplicate: 12 },
      refusals: new Map([["CLOCK_SKEW", { booked: 8, refused: 8 }]]),
      ...{ expected: sums({ plays_count: 100 }), recorded: sums({ plays_count: 100 }) },
    });
    expect(line).toBe(
      "01:03 resting | sent 120 | accepted 100 | duplicate 12 | refused 8 (CLOCK_SKEW 8) | queued 0 | recorded 100 of 100 | sums agree",
    );
  });
});
