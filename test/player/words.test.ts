import { describe, expect, test } from "vitest";
import { contactOf } from "../../src/player/connection.ts";
import { verdictOf } from "../../src/player/ending.ts";
import { noticeOf } from "../../src/player/notices.ts";
import { EMPTY_STAGE } from "../../src/player/stage.ts";
import { planOf } from "../sdk/plan-fixture.ts";

describe("how a play is recorded", () => {
  const still = { ranMs: null, toRunMs: null };

  test("a picture that stood to its end is finished; what was cut, taken or hidden is interrupted; what broke has failed", () => {
    expect(verdictOf({ kind: "finish" }, still, 10_000)).toBe("finish");
    expect(verdictOf({ kind: "interrupt", why: "takeover" }, still, 10_000)).toBe("interrupt");
    expect(verdictOf({ kind: "fail", error: "decoder" }, still, 10_000)).toBe("fail");
  });

  test("a video is finished where it ran for at least four fifths of its time, or to its own end", () => {
    expect(verdictOf({ kind: "finish" }, { ranMs: 8000, toRunMs: 15_000 }, 10_000)).toBe("finish");
    expect(verdictOf({ kind: "finish" }, { ranMs: 7999, toRunMs: 15_000 }, 10_000)).toBe("interrupt");
    expect(verdictOf({ kind: "finish" }, { ranMs: 4000, toRunMs: 5000 }, 10_000)).toBe("finish");
    expect(verdictOf({ kind: "finish" }, { ranMs: 0, toRunMs: null }, 10_000)).toBe("interrupt");
  });
});

describe("the way to the server", () => {
  const wait = (reason: string) => contactOf({ type: "beat", outcome: { kind: "wait", retryAfterMs: null, reason } });

  test("is there where the server said no, or not now; it is not where the network says so in its own words", () => {
    expect(wait("RATE_LIMITED")).toEqual({ reached: true, said: "beat: RATE_LIMITED" });
    expect(wait("HTTP_503")?.reached).toBe(true);
    expect(wait("Failed to fetch")).toEqual({ reached: false, said: "beat: Failed to fetch" });
    expect(contactOf({ type: "plan", outcome: { kind: "unchanged" } })).toEqual({ reached: true, said: "plan: unchanged" });
  });

  test("is not told by a queue that has nothing to send, nor by a stream that closed", () => {
    expect(contactOf({ type: "round", outcome: { kind: "idle" } })).toBeNull();
    expect(contactOf({ type: "stream", open: false })).toBeNull();
    expect(contactOf({ type: "stream", open: true })?.reached).toBe(true);
  });
});

describe("what the player says in place of content", () => {
  const running = { kind: "running", deviceId: "d" } as const;
  const actions = { pairAgain: () => {} };
  const title = (stage: Parameters<typeof noticeOf>[1], idleForMs = 0, ready = true) =>
    noticeOf(running, stage, { idleForMs, ready }, actions)?.title ?? null;

  test("is why nothing is shown, for a minute; then the screen stays dark", () => {
    expect(title(EMPTY_STAGE)).toBe("Waiting for a plan");
    const planned = { ...EMPTY_STAGE, plan: planOf() };
    expect(title({ ...planned, idle: "empty" })).toBe("Nothing is scheduled now");
    expect(title({ ...planned, idle: "passed" }, 0, false)).toBe("Getting the content");
    expect(title({ ...planned, idle: "passed" })).toBe("Nothing can be shown now");
    expect(title({ ...planned, idle: "over" })).toBe("There is no plan for this time");
    expect(title({ ...planned, idle: null })).toBeNull();
    expect(title({ ...planned, idle: "empty" }, 60_001)).toBeNull();
  });

  test("of a device that was taken out offers to pair it again, for as long as it takes", () => {
    const notice = noticeOf({ kind: "stopped", code: "DEVICE_REVOKED" }, EMPTY_STAGE, { idleForMs: 1e9, ready: true }, actions);
    expect([notice?.text, notice?.button?.label]).toEqual(["The server takes nothing more from it (DEVICE_REVOKED).", "Pair it again"]);
    expect(noticeOf({ kind: "elsewhere" }, EMPTY_STAGE, { idleForMs: 1e9, ready: true }, actions)).not.toBeNull();
  });
});
