import { describe, expect, test } from "vitest";
import type { FoundSlot, PlanFinding } from "../../../src/plans/find-slot.ts";
import { doorPolicy } from "../../../src/plays/policy.ts";
import { type JudgedLog, judgePlay, type PlayFacts } from "../../../src/plays/sequencer/judge.ts";

const NOW = Date.parse("2026-11-20T05:00:00Z");

/** A signed play of 15 s with a campaign, that ended a minute ago, of a version of 15 s. */
function judge(planned: PlanFinding | null, log: Partial<JudgedLog> = {}, facts: Partial<PlayFacts> = {}) {
  const durationMs = log.durationMs ?? 15_000;
  const judged = judgePlay(
    {
      campaignId: "campaign",
      startedAt: NOW - 60_000 - durationMs,
      endedAt: NOW - 60_000,
      durationMs,
      deviceExpectedMs: null,
      status: "COMPLETED",
      location: null,
      ...log,
    },
    {
      receivedAt: NOW,
      clock: { offsetMs: 0 },
      policy: doorPolicy("playback-log", {}),
      assignments: [],
      catalogue: { campaign: "known", content: "known", versionDurationMs: 15_000 },
      signedBy: "record",
      sequence: null,
      planned,
      ...facts,
    },
  );
  if (!judged.ok) return judged.code;
  const { status, flags, quality, billable, expectedMs } = judged.judgement;
  return { status, flags, quality, billable, expectedMs };
}

const slot = (expected_ms: number | null, takeover = false): { slot: FoundSlot } => ({
  slot: { by: "slot", content_version_id: "version", expected_ms, takeover },
});
const ofVersion = (versionDurationMs: number | null, content: "known" | "unasked" = "known"): Partial<PlayFacts> => ({
  catalogue: { campaign: "known", content, versionDurationMs },
});
const fine = { status: "COMPLETED", flags: [], quality: 100, billable: true };

describe("the expected duration", () => {
  test("is the slot's, else the version's, else, flagged, the device's, else none", () => {
    expect(judge(slot(10_000), { deviceExpectedMs: 10_000 })).toEqual({ ...fine, expectedMs: 10_000 });
    expect(judge(slot(null))).toEqual({ ...fine, expectedMs: 15_000 });
    expect(judge(null)).toEqual({ ...fine, expectedMs: 15_000 });
    const unknown = { ...fine, flags: ["EXPECTED_UNKNOWN"], billable: false };
    expect(judge(slot(null), { deviceExpectedMs: 12_000 }, ofVersion(null))).toEqual({ ...unknown, expectedMs: 12_000 });
    expect(judge(slot(null), {}, ofVersion(null))).toEqual({ ...unknown, expectedMs: null });
  });

  test("of an image is the slot's alone: so its plays are billed", () => {
    expect(judge(slot(8000), { durationMs: 8000 }, ofVersion(null))).toEqual({ ...fine, expectedMs: 8000 });
    expect(judge(slot(8000), { durationMs: 8000 }, ofVersion(null, "unasked"))).toEqual({
      ...fine,
      flags: ["CATALOG_UNVERIFIED"],
      expectedMs: 8000,
    });
  });

  test("decides at 80 % of the slot's whether a play is complete", () => {
    expect(judge(slot(20_000), { durationMs: 16_000 })).toEqual({ ...fine, expectedMs: 20_000 });
    expect(judge(slot(20_000), { durationMs: 15_999 })).toEqual({
      status: "PARTIAL",
      flags: ["STATUS_CHANGED"],
      quality: 90,
      billable: false,
      expectedMs: 20_000,
    });
  });

  test("that the device names is measured by the slot's, not by the version's", () => {
    const flags = (ms: number) => {
      const judged = judge(slot(20_000), { durationMs: 20_000, deviceExpectedMs: ms });
      return typeof judged === "string" ? judged : [judged.flags, judged.billable];
    };
    expect(flags(22_000)).toEqual([[], true]);
    expect(flags(22_001)).toEqual([["EXPECTED_MISMATCH"], false]);
    expect(flags(17_999)).toEqual([["EXPECTED_MISMATCH"], false]);
    expect(flags(15_000)).toEqual([["EXPECTED_MISMATCH"], false]);
  });
});

describe("a play outside the plan", () => {
  test("loses 20 of its quality, and is billed as long as that leaves 50", () => {
    const outside = { slot: null };
    expect(judge(outside)).toEqual({ ...fine, flags: ["NOT_SCHEDULED"], quality: 80, expectedMs: 15_000 });
    expect(judge(outside, {}, { clock: { offsetMs: -700_000 }, receivedAt: NOW + 700_000 })).toEqual({
      ...fine,
      flags: ["CLOCK_DRIFT", "NOT_SCHEDULED"],
      quality: 50,
      expectedMs: 15_000,
    });
    expect(judge(outside, {}, { clock: { offsetMs: -700_000 }, receivedAt: NOW + 700_000 + 5 * 3_600_000 })).toEqual({
      ...fine,
      flags: ["CLOCK_DRIFT", "LATE", "NOT_SCHEDULED"],
      quality: 40,
      billable: false,
      expectedMs: 15_000,
    });
  });

  test("is none where no plan is known", () => {
    expect(judge(null)).toEqual({ ...fine, expectedMs: 15_000 });
  });
});

test("a play of a takeover is not billed, and no worse for it; the same play of a campaign's slot is", () => {
  expect(judge(slot(15_000, true))).toEqual({ ...fine, billable: false, expectedMs: 15_000 });
  expect(judge(slot(15_000))).toEqual({ ...fine, expectedMs: 15_000 });
});
