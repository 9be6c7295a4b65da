import type { Assignment } from "../../devices/profile.ts";
import type { PlanFinding } from "../../plans/find-slot.ts";
import type { CatalogueFinding, PlayLog, PlayStatus, SignedBy } from "../play.ts";
import { type DoorPolicy, FLAG_EFFECTS, FLAGS, type Flag, RULES } from "../policy.ts";
import type { RejectionCode } from "../rejection.ts";
import type { ClockReading } from "./clock.ts";
import { distanceM, isPlace } from "./place.ts";
import type { SequenceFinding } from "./sequence.ts";
import { storeDay } from "./store-day.ts";

/** All that a play is judged by, besides itself. */
export interface PlayFacts {
  receivedAt: number;
  clock: ClockReading;
  policy: DoorPolicy;
  /** Where the device has stood, oldest first. */
  assignments: Assignment[];
  catalogue: CatalogueFinding;
  signedBy: SignedBy;
  sequence: SequenceFinding | null;
  /** What the device's plans say of the play; absent or null: nothing. */
  planned?: PlanFinding | null;
}

/** What of a log is judged. */
export type JudgedLog = Pick<PlayLog, "campaignId" | "startedAt" | "endedAt" | "durationMs" | "deviceExpectedMs" | "status" | "location">;

/** What was found of a play that is let in. */
export interface Judgement {
  status: PlayStatus;
  /** In the order of {@link FLAGS}. */
  flags: Flag[];
  quality: number;
  billable: boolean;
  startedAt: number;
  endedAt: number;
  expectedMs: number | null;
  storeId: string;
  supplierId: string;
  day: string;
}

export type Judged = { ok: true; judgement: Judgement } | { ok: false; code: RejectionCode };

/** A play's times, corrected by the device's clock. */
interface CorrectedTimes {
  startedAt: number;
  endedAt: number;
}

/**
 * Judges a play whose shape and signature are right and whose id is new: times, durations, future, age, skew, then sequence,
 * place and status as flags. Everything it returns is fixed at acceptance and never changed after.
 */
export function judgePlay(log: JudgedLog, facts: PlayFacts): Judged {
  const times = correctedTimes(log, facts.clock);
  const code = refuseByTime(log, times, facts);
  if (code) return { ok: false, code };

  const assignment = assignmentAt(facts.assignments, times.startedAt);
  const knownMs = facts.planned?.slot?.expected_ms ?? facts.catalogue.versionDurationMs;
  const expectedMs = knownMs ?? (log.deviceExpectedMs !== null && log.deviceExpectedMs > 0 ? log.deviceExpectedMs : null);
  const status = settleStatus(log, expectedMs);
  const found: Flag[] = [
    ...flagsOfClock(times, facts),
    ...flagsOfDuration(log, knownMs, facts.catalogue),
    ...flagsOfSequence(facts.sequence),
    ...flagsOfOrigin(log, facts, assignment),
    ...(facts.planned?.slot === null ? (["NOT_SCHEDULED"] as const) : []),
    ...(status === log.status ? [] : (["STATUS_CHANGED"] as const)),
  ];
  const flags = found.length < 2 ? found : FLAGS.filter((flag) => found.includes(flag));
  const quality = Math.max(
    0,
    flags.reduce((sum, flag) => sum + FLAG_EFFECTS[flag].quality, 100),
  );
  return {
    ok: true,
    judgement: {
      status,
      flags,
      quality,
      billable: isBillable(log, status, flags, quality, facts),
      ...times,
      expectedMs,
      storeId: assignment?.storeId ?? "",
      supplierId: assignment?.supplierId ?? "",
      day: storeDay(times.startedAt, assignment?.timezone ?? null),
    },
  };
}

/** A play's times by the server's clock: `raw − offset`, as raw where the offset is unknown. */
export function correctedTimes(log: Pick<PlayLog, "startedAt" | "endedAt">, { offsetMs }: ClockReading): CorrectedTimes {
  return { startedAt: log.startedAt - (offsetMs ?? 0), endedAt: log.endedAt - (offsetMs ?? 0) };
}

/** Times, durations, future, age, skew: in this order. All limits are strict. */
function refuseByTime(log: JudgedLog, times: CorrectedTimes, facts: PlayFacts): RejectionCode | null {
  const span = log.endedAt - log.startedAt;
  if (span < 0) return "INVALID_TIME_RANGE";
  if (log.durationMs < 0 || log.durationMs > RULES.duration.maxMs || log.durationMs > span + RULES.duration.overSpanMs)
    return "INVALID_DURATION";
  const { offsetMs } = facts.clock;
  const ahead = offsetMs === null ? RULES.future.clockUnknownMs : RULES.future.clockKnownMs;
  if (times.endedAt - facts.receivedAt > ahead) return "FUTURE_TIMESTAMP";
  if (facts.receivedAt - times.endedAt > facts.policy.maxAgeMs) return "TOO_OLD";
  // A clock that was set during the play: its start is no time at all, and must not name the day that is billed.
  if (facts.receivedAt - times.startedAt > facts.policy.maxAgeMs + RULES.duration.maxMs) return "TOO_OLD";
  if (offsetMs !== null && Math.abs(offsetMs) > RULES.clock.maxSkewMs) return "CLOCK_SKEW";
  return null;
}

function flagsOfClock(times: CorrectedTimes, { clock, receivedAt }: PlayFacts): Flag[] {
  const flags: Flag[] = [];
  if (clock.offsetMs === null) flags.push("CLOCK_UNVERIFIED");
  else if (Math.abs(clock.offsetMs) > RULES.clock.driftMs) flags.push("CLOCK_DRIFT");
  if (receivedAt - times.endedAt > RULES.lateMs) flags.push("LATE");
  return flags;
}

/** @param knownMs how long the play should last by its slot, else by its version; null: neither says. */
function flagsOfDuration(log: JudgedLog, knownMs: number | null, catalogue: CatalogueFinding): Flag[] {
  const flags: Flag[] = [];
  if (exceeds(log.endedAt - log.startedAt - log.durationMs, log.durationMs)) flags.push("DURATION_MISMATCH");
  if (knownMs === null) {
    // A catalogue that could not be asked has not said that it does not know: the device's word counts, under the flag for that.
    if (catalogue.content !== "unasked") flags.push("EXPECTED_UNKNOWN");
  } else if (log.deviceExpectedMs !== null && exceeds(Math.abs(log.deviceExpectedMs - knownMs), knownMs)) {
    flags.push("EXPECTED_MISMATCH");
  }
  return flags;
}

/** Whether a difference is over 2 s and over 10 % of what it is measured by. */
function exceeds(differenceMs: number, ofMs: number): boolean {
  return differenceMs > RULES.duration.toleranceMs && differenceMs > ofMs * RULES.duration.toleranceShare;
}

function flagsOfSequence(finding: SequenceFinding | null): Flag[] {
  if (finding === "gap") return ["SEQUENCE_GAP"];
  if (finding === "out-of-order") return ["OUT_OF_ORDER"];
  return finding === "conflict" ? ["SEQUENCE_CONFLICT"] : [];
}

function flagsOfOrigin(log: JudgedLog, facts: PlayFacts, assignment: Assignment | null): Flag[] {
  const flags: Flag[] = [];
  if (log.location && assignment && assignment.lat !== null && assignment.lng !== null) {
    const store = { lat: assignment.lat, lng: assignment.lng };
    if (!isPlace(log.location) || distanceM(log.location, store) > RULES.maxDistanceM) flags.push("LOCATION_MISMATCH");
  }
  if (facts.signedBy === "nobody") flags.push("UNSIGNED");
  if (facts.catalogue.content === "unasked" || facts.catalogue.campaign === "unasked") flags.push("CATALOG_UNVERIFIED");
  return flags;
}

/** A log that its device calls COMPLETED stays so at 80 % of what is expected; the others stay as reported, since nothing is billed that the device does not claim. */
function settleStatus(log: JudgedLog, expectedMs: number | null): PlayStatus {
  if (log.status !== "COMPLETED" || expectedMs === null) return log.status;
  return log.durationMs >= expectedMs * RULES.completedShare ? "COMPLETED" : "PARTIAL";
}

function isBillable(log: JudgedLog, status: PlayStatus, flags: Flag[], quality: number, { policy, planned }: PlayFacts): boolean {
  if (status !== "COMPLETED" || log.campaignId === "" || quality < RULES.billableQuality) return false;
  // An emergency message is nobody's to pay, whatever campaign the device names.
  if (planned?.slot?.takeover) return false;
  return flags.every((flag) => FLAG_EFFECTS[flag].billable || (flag === "UNSIGNED" && policy.unsignedBillable));
}

/** The assignment in force at an instant. Before a device's first one, that one: clocks differ by seconds, and nobody says where else it stood. */
function assignmentAt(assignments: Assignment[], ms: number): Assignment | null {
  return assignments.findLast((assignment) => assignment.validFrom <= ms) ?? assignments[0] ?? null;
}
