import { describe, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../../src/platform/time.ts";
import { consequenceOf, parseRetryAfter, retryAt } from "../../src/webhooks/decide.ts";
import { MAX_TRIES, RETRY_DELAYS_MS } from "../../src/webhooks/limits.ts";

const NOW = Date.UTC(2026, 10, 21);
const refused = { outcome: "refused" as const, retryAfterMs: null };

describe("when a message is tried again", () => {
  test("ten tries, the delays of Standard Webhooks", () => {
    expect(MAX_TRIES).toBe(10);
    const delays = Array.from({ length: 10 }, (_, index) => retryAt(index + 1, null, NOW, 0)).map((at) => at && at - NOW);
    const hours = [2, 5, 10, 14, 20, 24].map((count) => count * HOUR_MS);
    expect(delays).toEqual([5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, ...hours, null]);
  });

  test("each a little later by chance, by a fifth at most", () => {
    for (const [index, delay] of RETRY_DELAYS_MS.entries()) {
      expect(retryAt(index + 1, null, NOW, 0.5)).toBe(NOW + delay * 1.1);
      expect(retryAt(index + 1, null, NOW, 1)).toBe(NOW + delay * 1.2);
    }
  });

  test("a later time that the receiver asks for holds, up to a day; an earlier one does not", () => {
    expect(retryAt(1, HOUR_MS, NOW, 0)).toBe(NOW + HOUR_MS);
    expect(retryAt(1, 90 * DAY_MS, NOW, 0)).toBe(NOW + DAY_MS);
    expect(retryAt(4, 1, NOW, 0)).toBe(NOW + 2 * HOUR_MS);
    expect(retryAt(10, HOUR_MS, NOW, 0)).toBeNull();
  });

  test.each([
    ["120", 120_000],
    ["Sat, 21 Nov 2026 00:01:00 GMT", MINUTE_MS],
    ["Fri, 20 Nov 2026 00:00:00 GMT", 0],
    ["soon", null],
    ["-5", null],
    [null, null],
  ])("Retry-After: %s", (header, ms) => {
    expect(parseRetryAfter(header, NOW)).toBe(ms);
  });
});

describe("what follows from an attempt", () => {
  test("delivered: done, and the webhook is well again", () => {
    const delivered = { outcome: "delivered" as const, retryAfterMs: null };
    expect(consequenceOf(delivered, 3, NOW - 9 * DAY_MS, NOW, 0)).toEqual({
      status: "delivered",
      nextAttemptAt: null,
      failingSince: null,
      disable: null,
    });
  });

  test("the first failure starts the webhook's count of days, later ones do not move it", () => {
    expect(consequenceOf(refused, 1, null, NOW, 0)).toEqual({
      status: "pending",
      nextAttemptAt: NOW + 5000,
      failingSince: NOW,
      disable: null,
    });
    expect(consequenceOf(refused, 2, NOW - 1, NOW, 0).failingSince).toBe(NOW - 1);
  });

  test("410 ends the message and the webhook", () => {
    const gone = { outcome: "gone" as const, retryAfterMs: null };
    expect(consequenceOf(gone, 1, null, NOW, 0)).toEqual({ status: "failed", nextAttemptAt: null, failingSince: NOW, disable: "GONE" });
  });

  test("five days of failures end the webhook; its messages wait", () => {
    expect(consequenceOf(refused, 2, NOW - 5 * DAY_MS + 1, NOW, 0)).toMatchObject({ status: "pending", disable: null });
    expect(consequenceOf(refused, 2, NOW - 5 * DAY_MS, NOW, 0)).toMatchObject({ status: "pending", disable: "FAILURES" });
  });

  test("plays that cannot be read are not held against the receiver", () => {
    const unreadable = { outcome: "unreadable" as const, retryAfterMs: null };
    expect(consequenceOf(unreadable, 1, null, NOW, 0)).toMatchObject({ status: "pending", failingSince: null, disable: null });
    expect(consequenceOf(unreadable, 10, NOW - 9 * DAY_MS, NOW, 0)).toMatchObject({ status: "failed", disable: null });
  });
});
