import { describe, expect, test } from "vitest";
import { type HeartbeatState, takeHeartbeat } from "../../src/devices/heartbeat.ts";
import { HOUR_MS, MINUTE_MS } from "../../src/platform/time.ts";
import { heartbeat } from "../support/heartbeats.ts";

const T = Date.parse("2026-11-21T10:00:00Z");
const FACTS = { policy: {}, accepted: 0, missing: [] };

/** The state after heartbeats at these minutes, one after the other. */
function stateAfter(minutes: number[]): HeartbeatState {
  let state: HeartbeatState | null = null;
  for (const minute of minutes) {
    const receivedAt = T + minute * MINUTE_MS;
    state = takeHeartbeat(heartbeat({ receivedAt, deviceTime: receivedAt + 1500, diskUsedBytes: minute }), state, FACTS).state;
  }
  if (!state) throw new Error("no heartbeat");
  return state;
}

const minutes = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, index) => from + index);
const samplesOf = (state: HeartbeatState) => state.history?.samples.map(({ at }) => (at - T) / MINUTE_MS);

describe("the history of heartbeats", () => {
  test("it keeps one in ten minutes, with what it said", () => {
    const state = stateAfter(minutes(0, 25));
    expect(samplesOf(state)).toEqual([0, 10, 20]);
    expect(state.history?.samples[1]).toEqual({ at: T + 10 * MINUTE_MS, offset_ms: 1500, disk_used_bytes: 10, disk_total_bytes: 100 });
    expect(state.history?.silences).toEqual([]);
  });

  test("it notes when a device was not heard of, and came back", () => {
    const state = stateAfter([...minutes(0, 3), 33, 34]);
    expect(samplesOf(state)).toEqual([0, 33]);
    expect(state.history?.silences).toEqual([{ from: T + 3 * MINUTE_MS, to: T + 33 * MINUTE_MS }]);
  });

  test("three missed heartbeats are a silence, and two with the slack are none", () => {
    expect(stateAfter([0, 5]).history?.silences).toEqual([]);
    expect(stateAfter([0, 6]).history?.silences).toEqual([{ from: T, to: T + 6 * MINUTE_MS }]);
  });

  test("it forgets what is older than a day", () => {
    const every = (hours: number) => minutes(0, (hours * HOUR_MS) / MINUTE_MS);
    const state = stateAfter([0, 30, ...every(26).map((minute) => 60 + minute)]);
    const oldest = samplesOf(state)?.[0] ?? 0;
    expect((state.at - T) / MINUTE_MS - oldest).toBeLessThanOrEqual(24 * 60);
    expect(state.history?.samples.length).toBe(145);
    expect(state.history?.silences).toEqual([]);
  });
});
