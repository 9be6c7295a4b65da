import { describe, expect, test } from "bun:test";
import { type AccountInput, closeBooks } from "../../src/cli/fleet/account.ts";
import { NO_PLAYS, type Sums, type SumsByDevice } from "../../src/cli/fleet/books.ts";
import { zonesWhereToday } from "../../src/cli/fleet/catalogue.ts";
import { progressLine } from "../../src/cli/fleet/progress.ts";
import { RunLog } from "../../src/cli/fleet/run-log.ts";

const of = (changes: Partial<Sums>, device = "d1"): SumsByDevice => new Map([[device, { ...NO_PLAYS, ...changes }]]);
const ten = of({ plays_count: 10, completed_count: 10, billable_count: 8, total_duration_ms: 150_000 });
const equal: AccountInput = {
  fates: { made: 14, accepted: 10, refused: 3, lost: 1, contradictory: 0 },
  queued: 0,
  expected: ten,
  acknowledged: ten,
  recorded: ten,
  refusals: new Map([["CLOCK_SKEW", { booked: 3, refused: 3 }]]),
};

describe("the account", () => {
  test("is equal where every play came to one end and the report has what the books say", () => {
    const { differences, lines } = closeBooks(equal);
    expect(differences).toEqual([]);
    expect(lines.slice(0, 2)).toEqual([
      "made 14 = accepted 10 + refused 3 + still queued 0 + lost with their storage 1",
      "refused, as booked: CLOCK_SKEW 3",
    ]);
    expect(lines.find((line) => line.includes("billable_count"))).toBe("  billable_count                   8             8");
  });

  test("is not where a play is missing, or came to two ends", () => {
    expect(closeBooks({ ...equal, fates: { ...equal.fates, made: 15 } }).differences).toEqual([
      "made 15, and accepted + refused + lost + queued 14",
    ]);
    expect(closeBooks({ ...equal, fates: { ...equal.fates, contradictory: 1 } }).differences).toEqual(["1 plays came to two ends"]);
  });

  test("is not where the report differs in any figure of any device, by one", () => {
    for (const figure of Object.keys(NO_PLAYS) as (keyof Sums)[]) {
      const recorded = of({ ...ten.get("d1"), [figure]: (ten.get("d1")?.[figure] ?? 0) + 1 });
      expect(closeBooks({ ...equal, recorded }).differences).toHaveLength(1);
    }
    expect(closeBooks({ ...equal, recorded: new Map([...ten, ...of({ plays_count: 1 }, "d2")]) }).differences).toEqual([
      "d2 plays_count: booked 0, recorded 1",
    ]);
    expect(closeBooks({ ...equal, recorded: null }).differences).toEqual(["the server's report could not be read"]);
  });

  test("is not where the server acknowledged what it should have refused, or refused it for another reason", () => {
    const refusals = new Map([
      ["CLOCK_SKEW", { booked: 3, refused: 2 }],
      ["TOO_OLD", { booked: 0, refused: 1 }],
    ]);
    expect(closeBooks({ ...equal, refusals }).differences).toEqual([
      "acknowledged otherwise than booked: CLOCK_SKEW: booked 3, refused 2",
      "acknowledged otherwise than booked: TOO_OLD: booked 0, refused 1",
    ]);
    const acknowledged = of({ ...ten.get("d1"), plays_count: 11 });
    expect(closeBooks({ ...equal, acknowledged, recorded: ten }).differences).toEqual([
      "acknowledged otherwise than booked: d1 plays_count: booked 10, recorded 11",
    ]);
  });

  test("what is still queued may be in the report or not, and nothing else", () => {
    const half: AccountInput = {
      ...equal,
      fates: { made: 14, accepted: 6, refused: 3, lost: 1, contradictory: 0 },
      queued: 4,
      acknowledged: of({ plays_count: 6, completed_count: 6, billable_count: 5, total_duration_ms: 90_000 }),
      recorded: of({ plays_count: 7, completed_count: 7, billable_count: 6, total_duration_ms: 105_000 }),
    };
    expect(closeBooks(half).differences).toEqual([]);
    expect(closeBooks({ ...half, queued: 3 }).differences).toHaveLength(1);
    expect(closeBooks({ ...half, recorded: of({ ...half.recorded?.get("d1"), plays_count: 5 }) }).differences).toEqual([
      "d1 plays_count: acknowledged 6, booked 10, recorded 5",
    ]);
    expect(closeBooks({ ...half, recorded: of({ ...half.recorded?.get("d1"), plays_count: 11 }) }).differences).toHaveLength(1);
  });
});

test("progress is told in one line", () => {
  const line = progressLine({
    ...{ elapsedMs: 83_400, phase: "playing", share: 0.426, queued: 20, stopped: 0 },
    fates: { made: 130, accepted: 100, refused: 8, lost: 2, contradictory: 0 },
    log: { sentLogs: 121, duplicates: 12 },
  });
  expect(line).toBe("01:23 playing 42 % | made 130 | sent 121 | accepted 100 | duplicate 12 | refused 8 | queued 20 | lost 2");
});

test("a run's fingerprint does not depend on the order of decisions, but on each of them, and how often it was made", () => {
  const fingerprint = (...plays: string[]) => {
    const log = new RunLog();
    for (const play of plays) log.decided(play);
    return log.fingerprint;
  };
  expect(fingerprint("a", "b", "c")).toBe(fingerprint("c", "a", "b"));
  expect(new Set([fingerprint("a"), fingerprint("b"), fingerprint("a", "a"), fingerprint("a", "a", "a"), fingerprint()]).size).toBe(5);
});

describe("the zones of a run's stores", () => {
  const at = (time: string) => Date.parse(`2026-03-01T${time}Z`);
  test("are such that the plan's first day reaches back to the run's beginning", () => {
    for (let hour = 0; hour < 24; hour++) {
      for (const agoMs of [0, 3_600_000, 20 * 3_600_000]) {
        const now = at(`${String(hour).padStart(2, "0")}:30:00`);
        const zones = zonesWhereToday(now, agoMs);
        expect(zones.length).toBeGreaterThan(0);
        for (const timeZone of zones) {
          const day = (ms: number) => new Intl.DateTimeFormat("en-CA", { timeZone, dateStyle: "short" }).format(ms);
          expect(day(now - agoMs)).toBe(day(now));
        }
      }
    }
  });
});
