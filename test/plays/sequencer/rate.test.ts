import { describe, expect, test } from "vitest";
import { type RateWindow, takeRequest } from "../../../src/plays/sequencer/rate.ts";
import fc from "../../support/property.ts";

/** Sends requests at these times (ms) and tells which were let through. */
function send(times: number[], limit: number): boolean[] {
  let window: RateWindow = [];
  return times.map((now) => {
    const decision = takeRequest(window, now, limit);
    if (decision.ok) window = decision.window;
    return decision.ok;
  });
}

describe("the rate of a device", () => {
  test("120 requests pass, the 121st does not, and it passes when the first has left the minute", () => {
    expect(send([...Array(120).fill(1000), 1000], 120)).toEqual([...Array(120).fill(true), false]);
    expect(send([...Array(120).fill(1000), 60_999, 61_000], 120).slice(-2)).toEqual([false, true]);
  });

  test("tells what is left and when there is room again", () => {
    expect(takeRequest([], 0, 120)).toMatchObject({ ok: true, state: { limit: 120, remaining: 119, resetS: 60 } });
    expect(takeRequest([[5000, 120]], 20_500, 120)).toEqual({ ok: false, state: { limit: 120, remaining: 0, resetS: 45 } });
  });

  test("is exact: never more than the limit in any minute, and nothing refused while there is room", () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 3000 }), { maxLength: 300 });
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 20 }), (steps, limit) => {
        let now = 0;
        const times = steps.map((gap) => (now += gap));
        const passed: number[] = [];
        send(times, limit).forEach((ok, index) => {
          const at = times[index] ?? 0;
          const inWindow = passed.filter((time) => time > at - 60_000).length;
          expect(ok).toBe(inWindow < limit);
          if (ok) passed.push(at);
        });
      }),
    );
  });

  test("at a high rate the window stays short, and the limit still holds", () => {
    const times = Array.from({ length: 20_000 }, (_, index) => index * 2);
    let window: RateWindow = [];
    let passed = 0;
    for (const now of times) {
      const decision = takeRequest(window, now, 6000);
      if (!decision.ok) continue;
      window = decision.window;
      passed += 1;
    }
    expect(passed).toBe(6000);
    expect(window.length).toBeLessThanOrEqual(61);
  });
});
