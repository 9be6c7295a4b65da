import { expect, test, vi } from "vitest";
import { systemHost } from "../../src/sdk/host.ts";
import { retryAfterMs } from "../../src/sdk/http.ts";

test("who sleeps for longer than a timer can hold is not woken at once", async () => {
  const setTimer = vi.spyOn(globalThis, "setTimeout");
  const stop = new AbortController();
  const slept = systemHost.sleep(365 * 86_400_000, stop.signal);
  expect(setTimer.mock.lastCall?.[1]).toBe(2 ** 31 - 1);
  setTimer.mockRestore();
  stop.abort();
  await slept;
});

test.each([
  ["9", 9000],
  ["99999999999", 3_600_000],
  ["Fri, 20 Nov 2026 12:00:09 GMT", 9000],
  ["Sat, 20 Nov 2027 12:00:00 GMT", 3_600_000],
  ["Fri, 20 Nov 2026 11:00:00 GMT", 0],
  ["soon", null],
  [null, null],
])("Retry-After %s is at most an hour, whatever the clock that reads it says", (header, expected) => {
  expect(retryAfterMs(header, Date.parse("2026-11-20T12:00:00.000Z"))).toBe(expected);
});
