import type { DeviceProfile } from "../../devices/profile.ts";
import type { PlanFinding, SlotQuery } from "../../plans/find-slot.ts";
import type { Verdict } from "../chunk.ts";
import type { LogFacts, PlayVerdict } from "../play.ts";
import { type Door, type DoorPolicy, POLICY_VERSION } from "../policy.ts";
import type { RejectionCode } from "../rejection.ts";
import { missingSignature } from "../verify.ts";
import { type ClockReading, type HeartbeatClock, readClock } from "./clock.ts";
import { correctedTimes, judgePlay } from "./judge.ts";
import type { OpenPlays } from "./open-plays.ts";
import type { FindSeen } from "./seen.ts";
import { type EpochState, findSequence, noteAccepted, noteRefused, useEpoch } from "./sequence.ts";

/** What holds for all logs of one request. Times in ms. */
export interface RequestFacts {
  door: Door;
  receivedAt: number;
  /** By the device's clock, where the request says. */
  sentAt: number | null;
  correlationId: string;
}

/** A log's way through admission, by its place in the request. */
export type LogVerdict =
  | { verdict: "accepted"; told: PlayVerdict; found: Verdict }
  | { verdict: "duplicate"; told: PlayVerdict }
  | { verdict: "rejected"; code: RejectionCode };

/** Asks the device's plans about a play; null where they say nothing of its time. */
export type FindPlanned = (play: SlotQuery) => PlanFinding | null;

/** The judge's bench for one request: made once, used for each log in order. */
export interface Bench {
  request: RequestFacts;
  profile: DeviceProfile;
  policy: DoorPolicy;
  clock: ClockReading;
  /** Set where the object's storage was lost: plays that started before may have been counted by an earlier incarnation. */
  historyLostAt: number | null;
  findPlanned: FindPlanned;
}

export function makeBench(
  request: RequestFacts,
  profile: DeviceProfile,
  policy: DoorPolicy,
  heartbeat: HeartbeatClock | null,
  historyLostAt: number | null,
  findPlanned: FindPlanned,
): Bench {
  return { request, profile, policy, clock: readClock(request.sentAt, request.receivedAt, heartbeat), historyLostAt, findPlanned };
}

/**
 * Decides what becomes of one verified log, and notes its sequence number in `epochs` and its half of a play in `plays` (both changed in place).
 * Order: a retry · signature where the policy asks for one · id used before · catalogue · its start, where it is an end · times … place · status.
 * A log that was refused behind its signature still uses up its number; a duplicate has used it already.
 */
export function admitLog(log: LogFacts, bench: Bench, epochs: EpochState[], plays: OpenPlays, findSeen: FindSeen): LogVerdict {
  const seen = findSeen(log.id);
  const isRetry = seen !== null && seen.hash === log.hash;
  // First of all, so that a retry gets its first verdict whatever the policy has become since.
  if (isRetry) return { verdict: "duplicate", told: seen.told };
  const unsigned = missingSignature(log, bench.policy);
  if (unsigned) return { verdict: "rejected", code: unsigned };

  const epoch = log.sequence === null ? null : useEpoch(epochs, log.epoch);
  const refuse = (code: RejectionCode): LogVerdict => {
    if (epoch && log.sequence !== null) noteRefused(epoch, log.sequence);
    return { verdict: "rejected", code };
  };

  if (seen) return refuse("ID_CONFLICT");
  if (log.campaign === "unknown") return refuse("INVALID_CAMPAIGN");
  if (log.content === "unknown") return refuse("INVALID_CONTENT");
  const play = log.event?.kind === "end" ? plays.complete(log, log.event) : log;
  if (typeof play === "string") return refuse(play);

  const judged = judgePlay(play, {
    receivedAt: bench.request.receivedAt,
    clock: bench.clock,
    policy: bench.policy,
    assignments: bench.profile.assignments,
    catalogue: log,
    // A batch's signature counts only where the policy allows one.
    signedBy: log.signedBy === "batch" && !bench.policy.batchSignature ? "nobody" : log.signedBy,
    sequence: epoch && log.sequence !== null ? findSequence(epoch, log.sequence) : null,
    planned: bench.findPlanned({
      slotId: log.slotId,
      contentId: log.contentId,
      contentVersion: log.contentVersion,
      startedAt: correctedTimes(play, bench.clock).startedAt,
    }),
  });
  if (!judged.ok) return refuse(judged.code);
  const { judgement } = judged;
  if (bench.historyLostAt !== null && judgement.startedAt < bench.historyLostAt) return refuse("HISTORY_LOST");
  if (epoch && log.sequence !== null) noteAccepted(epoch, log.sequence);
  const told = { billable: judgement.billable, quality: judgement.quality, flags: judgement.flags };
  const found: Verdict = {
    day: judgement.day,
    store_id: judgement.storeId,
    supplier_id: judgement.supplierId,
    offset_ms: bench.clock.offsetMs ?? 0,
    expected_ms: judgement.expectedMs,
    result: log.event?.kind === "start" ? "" : judgement.status,
    billable: judgement.billable ? 1 : 0,
    quality: judgement.quality,
    flags: judgement.flags.join(","),
    policy_version: POLICY_VERSION,
  };
  if (log.event) {
    found.pieced = { started_at_raw: play.startedAt, duration_ms: play.durationMs };
    if (log.event.kind === "start") plays.noteStart(log, log.event, told, found);
    else plays.noteEnd(play, log.event, told);
  }
  return { verdict: "accepted", told, found };
}
