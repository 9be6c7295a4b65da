import { describe, expect, test } from "vitest";
import {
  findSilence,
  type HeartbeatFacts,
  type HeartbeatState,
  latestClock,
  mustWrite,
  silenceNotTold,
  takeHeartbeat,
} from "../../src/devices/heartbeat.ts";
import { HOUR_MS, MINUTE_MS, SECOND_MS } from "../../src/platform/time.ts";
import { heartbeat } from "../support/heartbeats.ts";

const T = Date.parse("2026-11-21T10:00:00Z");
const FACTS: HeartbeatFacts = { policy: {}, accepted: 0, missing: [] };

/** A device's object through many heartbeats, which forgets between any two of them what is not written. */
class Forgetful {
  written: HeartbeatState | null = null;
  writes = 0;
  told: number[] = [];

  beat(changes: Parameters<typeof heartbeat>[0] = {}, facts: Partial<HeartbeatFacts> = {}) {
    const beat = heartbeat(changes);
    const outcome = takeHeartbeat(beat, this.written, { ...FACTS, ...facts });
    if (mustWrite(this.written, outcome.state)) {
      this.written = outcome.state;
      this.writes += 1;
    }
    if (outcome.tell) this.told.push(beat.receivedAt);
    return outcome;
  }
}

describe("what a day of heartbeats costs", () => {
  test("of 1,440 heartbeats 576 are written down and 144 told, though the object forgets each time", () => {
    const object = new Forgetful();
    for (let minute = 0; minute < 1440; minute++) object.beat({ receivedAt: T + minute * MINUTE_MS });
    expect(object.writes).toBe(576);
    expect(object.told).toHaveLength(144);
    expect(new Set(object.told.slice(1).map((at, index) => at - (object.told[index] ?? 0)))).toEqual(new Set([10 * MINUTE_MS]));
  });

  test("an object that keeps its memory writes no more", () => {
    let state: HeartbeatState | null = null;
    let written: HeartbeatState | null = null;
    let writes = 0;
    for (let minute = 0; minute < 1440; minute++) {
      state = takeHeartbeat(heartbeat({ receivedAt: T + minute * MINUTE_MS }), state, FACTS).state;
      if (!mustWrite(written, state)) continue;
      written = state;
      writes += 1;
    }
    expect(writes).toBe(576);
  });
});

describe("silence", () => {
  const first = takeHeartbeat(heartbeat({ receivedAt: T }), null, FACTS).state;

  test("comes five heartbeats after the last that was written down, and at least three after any", () => {
    expect(findSilence(first, T + 5 * MINUTE_MS - 1)).toBeNull();
    expect(findSilence(first, T + 5 * MINUTE_MS)).toMatchObject({ silent: true, at: T });
    const object = new Forgetful();
    for (let minute = 0; minute < 60; minute++) {
      object.beat({ receivedAt: T + minute * MINUTE_MS });
      const waits = (object.written?.silentAt ?? 0) - (T + minute * MINUTE_MS);
      expect(waits).toBeGreaterThanOrEqual(3 * MINUTE_MS);
      expect(waits).toBeLessThanOrEqual(5 * MINUTE_MS);
    }
  });

  test("goes by the interval of the group's policy", () => {
    const state = takeHeartbeat(heartbeat({ receivedAt: T }), null, { ...FACTS, policy: { heartbeat_interval_s: 600 } }).state;
    expect(state.silentAt).toBe(T + 50 * MINUTE_MS);
  });

  test("is told once, again after five minutes where it could not be told, and ends with a heartbeat that is told at once", () => {
    const silent = findSilence(first, T + HOUR_MS);
    if (!silent) throw new Error("not silent");
    expect(findSilence(silent, T + 2 * HOUR_MS)).toBeNull();
    const later = silenceNotTold(silent, T + HOUR_MS);
    expect([later.silent, later.silentAt]).toEqual([false, T + HOUR_MS + 5 * MINUTE_MS]);
    const back = takeHeartbeat(heartbeat({ receivedAt: T + HOUR_MS }), silent, FACTS);
    expect([back.tell, back.state.silent, mustWrite(silent, back.state)]).toEqual([true, false, true]);
  });

  test("is no reason to call playing stuck: a player that was off begins anew", () => {
    const silent = findSilence(first, T + HOUR_MS);
    const back = takeHeartbeat(heartbeat({ receivedAt: T + 9 * HOUR_MS, nowPlaying: { slot_id: `s${T}` } }), silent, FACTS);
    expect(back.findings).toEqual([]);
  });
});

describe("the clock that plays are judged by", () => {
  const at = (offsetMs: number, minute: number) => ({ receivedAt: T + minute * MINUTE_MS, deviceTime: T + minute * MINUTE_MS + offsetMs });

  test("is written anew when what is written is off by over two seconds", () => {
    const { state } = takeHeartbeat(heartbeat(at(0, 0)), null, FACTS);
    expect(mustWrite(state, takeHeartbeat(heartbeat(at(2000, 1)), state, FACTS).state)).toBe(false);
    expect(mustWrite(state, takeHeartbeat(heartbeat(at(2001, 1)), state, FACTS).state)).toBe(true);
    expect(mustWrite(state, takeHeartbeat(heartbeat(at(-2001, 1)), state, FACTS).state)).toBe(true);
  });

  test("is the latest that is known", () => {
    const { state } = takeHeartbeat(heartbeat(at(7000, 0)), null, FACTS);
    expect(latestClock(null, null)).toBeNull();
    expect(latestClock(null, state)).toEqual({ offsetMs: 7000, at: T });
    expect(latestClock({ offsetMs: 1, at: T - 1 }, state)).toEqual({ offsetMs: 7000, at: T });
    expect(latestClock({ offsetMs: 1, at: T + 1 }, state)).toEqual({ offsetMs: 1, at: T + 1 });
  });
});

describe("what D1 is told", () => {
  const { state } = takeHeartbeat(heartbeat({ receivedAt: T }), null, FACTS);
  const next = (seconds: number, changes: Parameters<typeof heartbeat>[0] = {}) =>
    takeHeartbeat(heartbeat({ receivedAt: T + seconds * SECOND_MS, ...changes }), state, FACTS);

  test("nothing while nothing changes, all after ten minutes", () => {
    expect(next(60).tell).toBe(false);
    expect(next(599).tell).toBe(false);
    expect(next(600).tell).toBe(true);
  });

  test("what changes, at once, but not more often than each half minute", () => {
    expect(next(60, { diskUsedBytes: 91 })).toMatchObject({ tell: true, findings: [{ type: "LOW_STORAGE" }] });
    expect(next(29, { diskUsedBytes: 91 }).tell).toBe(false);
    expect(next(60, { playerVersion: "1.1" }).tell).toBe(true);
    expect(next(60, { results: [{ id: "c", status: "done", detail: null, at: T }] }).tell).toBe(true);
  });

  test("no more results than one report holds; the device says the others again", () => {
    const results = (from: number) =>
      Array.from({ length: 20 }, (_, n) => ({ id: `c${from + n}`, status: "done" as const, detail: null, at: T }));
    let told = state;
    for (const from of [0, 20, 40])
      told = takeHeartbeat(heartbeat({ receivedAt: T + 1000 + from, results: results(from) }), told, FACTS).state;
    expect(told.results.map(({ id }) => id)).toEqual([...results(0), ...results(20)].map(({ id }) => id));
    expect(told.settled).toEqual(told.results.map(({ id }) => id));
    const later = takeHeartbeat(heartbeat({ receivedAt: T + 2000, results: results(40) }), { ...told, results: [] }, FACTS).state;
    expect(later.results).toEqual(results(40));
  });

  test("a result once, however often the device says it", () => {
    const result = { id: "c", status: "done" as const, detail: null, at: T };
    const told = next(60, { results: [result, result] }).state;
    expect(told.results).toEqual([result]);
    const again = takeHeartbeat(heartbeat({ receivedAt: T + 120_000, results: [result] }), { ...told, results: [] }, FACTS);
    expect([again.tell, again.state.results]).toEqual([false, []]);
  });
});
