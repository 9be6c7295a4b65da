import { describe, expect, test } from "vitest";
import type { DeviceProfile } from "../../src/devices/profile.ts";
import { readPlaybackLog } from "../../src/plays/dialects/playback-log.ts";
import { type Door, doorPolicy } from "../../src/plays/policy.ts";
import { readClock } from "../../src/plays/sequencer/clock.ts";
import { judgePlay } from "../../src/plays/sequencer/judge.ts";
import vectors from "../vectors/verdicts.json";

interface Case {
  name: string;
  door: string;
  received_at: string;
  sent_at: string | null;
  state: {
    heartbeat_clock_offset_ms: number | null;
    expected_duration_ms: number | null;
    store: { timezone: string; lat: number; lng: number } | null;
  };
  record: Record<string, unknown>;
  expect: { verdict: string; code?: string };
}

const ids = {
  device_id: "aa705f37-c8cc-4726-a32f-315d7df12ae3",
  campaign_id: "134f86e7-7ad8-4962-a649-96572230be4a",
  content_id: "2b912e65-1320-4fc9-8e0f-e864fa59ad1e",
};

function judge({ door, received_at, sent_at, state, record }: Case) {
  const receivedAt = Date.parse(received_at);
  const shaped = readPlaybackLog({ ...ids, ...record });
  if (!shaped.ok) throw new Error(shaped.error);
  const heartbeat =
    state.heartbeat_clock_offset_ms === null ? null : { offsetMs: state.heartbeat_clock_offset_ms, at: receivedAt - 60_000 };
  const assignments: DeviceProfile["assignments"] = state.store ? [{ validFrom: 0, storeId: "s", supplierId: "p", ...state.store }] : [];
  const judged = judgePlay(shaped.log, {
    receivedAt,
    clock: readClock(sent_at === null ? null : Date.parse(sent_at), receivedAt, heartbeat),
    policy: doorPolicy(door as Door, {}),
    assignments,
    catalogue: { campaign: "known", content: "known", versionDurationMs: state.expected_duration_ms },
    signedBy: "record",
    sequence: null,
  });
  if (!judged.ok) return { verdict: "rejected", code: judged.code };
  const { status, flags, quality, billable, startedAt, day } = judged.judgement;
  return {
    verdict: "accepted",
    status,
    flags: [...flags].sort(),
    quality_score: quality,
    billable,
    corrected_started_at: new Date(startedAt).toISOString(),
    day,
  };
}

describe("what becomes of a play log (vectors made outside the project)", () => {
  test("there are 66 cases", () => expect(vectors.cases.length).toBe(66));
  test.each(vectors.cases as Case[])("$name", (vector) => {
    expect(judge(vector)).toEqual(vector.expect);
  });
});
