import type { DeviceProfile } from "../devices/profile.ts";
import { HOUR_MS } from "../platform/time.ts";
import { type ClockReading, type HeartbeatClock, readClock } from "./clock.ts";
import { judgePlay } from "./judge.ts";
import type { AcceptedPlay, PlayVerdict, Proof, VerifiedLog } from "./play.ts";
import { type Door, type DoorPolicy, POLICY_VERSION } from "./policy.ts";
import type { RateWindow } from "./rate.ts";
import { REJECTIONS, type RejectionCode } from "./rejection.ts";
import type { SeenEntry } from "./seen.ts";
import { type EpochState, findSequence, noteAccepted, noteRefused, useEpoch } from "./sequence.ts";
import { missingSignature } from "./verify.ts";

/** What a sequencer keeps between requests besides what it has seen and what it still has to send. Plain data, stored as JSON. */
export interface SequencerHead {
  rate: RateWindow;
  epochs: EpochState[];
  heartbeat: HeartbeatClock | null;
  /** Refused logs that no chunk has carried yet, by `hour|door|code`. */
  refusals: Record<string, number>;
  /** Logs ever accepted; with the ledger it tells whether one is missing. */
  accepted: number;
}

export const EMPTY_HEAD: SequencerHead = { rate: [], epochs: [], heartbeat: null, refusals: {}, accepted: 0 };

/** What holds for all logs of one request. Times in ms. */
export interface RequestFacts {
  door: Door;
  receivedAt: number;
  /** By the device's clock, where the request says. */
  sentAt: number | null;
  keyId: string;
  correlationId: string;
}

/** A log's way through admission, by its index in the request. */
export type LogVerdict =
  | { verdict: "accepted"; play: AcceptedPlay; proof: Proof; told: PlayVerdict }
  | { verdict: "duplicate"; told: PlayVerdict }
  | { verdict: "rejected"; code: RejectionCode; error: string };

/** Looks up what was seen under an id. */
export type FindSeen = (id: string) => SeenEntry | null;

/** The judge's bench for one request: made once, used for each log in order. */
export interface Bench {
  request: RequestFacts;
  profile: DeviceProfile;
  policy: DoorPolicy;
  clock: ClockReading;
  /** Set where the object's storage was lost: plays that started before may have been counted by an earlier incarnation. */
  historyLostAt: number | null;
}

export function makeBench(
  request: RequestFacts,
  profile: DeviceProfile,
  policy: DoorPolicy,
  heartbeat: HeartbeatClock | null,
  historyLostAt: number | null,
): Bench {
  return { request, profile, policy, clock: readClock(request.sentAt, request.receivedAt, heartbeat), historyLostAt };
}

/**
 * Decides what becomes of one verified log, and notes its sequence number in `epochs` (changed in place).
 * Order: a retry · signature where the policy asks for one · id used before · catalogue · times … place · status.
 * A log that was refused behind its signature still uses up its number; a duplicate has used it already.
 */
export function admitLog(verified: VerifiedLog, bench: Bench, epochs: EpochState[], findSeen: FindSeen): LogVerdict {
  const { log, proof } = verified;
  const seen = findSeen(log.id);
  const isRetry = seen !== null && seen.hash === shortHash(proof.recordHash);
  // First of all, so that a retry gets its first verdict whatever the policy has become since.
  if (isRetry) return { verdict: "duplicate", told: seen.told };
  const unsigned = missingSignature(proof, bench.policy);
  if (unsigned) return reject(unsigned);

  const epoch = log.sequence === null ? null : useEpoch(epochs, log.epoch);
  const refuse = (code: RejectionCode): LogVerdict => {
    if (epoch && log.sequence !== null) noteRefused(epoch, log.sequence);
    return reject(code);
  };

  if (seen) return refuse("ID_CONFLICT");
  if (verified.catalogue.campaign === "unknown") return refuse("INVALID_CAMPAIGN");
  if (verified.catalogue.content === "unknown") return refuse("INVALID_CONTENT");

  const judged = judgePlay(log, {
    receivedAt: bench.request.receivedAt,
    clock: bench.clock,
    policy: bench.policy,
    assignments: bench.profile.assignments,
    catalogue: verified.catalogue,
    // A batch's signature counts only where the policy allows one.
    signedBy: proof.signedBy === "batch" && !bench.policy.batchSignature ? "nobody" : proof.signedBy,
    sequence: epoch && log.sequence !== null ? findSequence(epoch, log.sequence) : null,
  });
  if (!judged.ok) return refuse(judged.code);
  const { judgement } = judged;
  if (bench.historyLostAt !== null && judgement.startedAt < bench.historyLostAt) return refuse("HISTORY_LOST");
  if (epoch && log.sequence !== null) noteAccepted(epoch, log.sequence);
  return {
    verdict: "accepted",
    proof,
    told: { billable: judgement.billable, quality: judgement.quality, flags: judgement.flags },
    play: {
      event_id: log.id,
      day: judgement.day,
      store_id: judgement.storeId,
      supplier_id: judgement.supplierId,
      campaign_id: log.campaignId,
      ad_group_id: log.adGroupId,
      playlist_id: log.playlistId,
      content_id: log.contentId,
      content_version: log.contentVersion,
      slot_id: log.slotId,
      type: log.type,
      started_at_raw: log.startedAt,
      ended_at_raw: log.endedAt,
      started_at: judgement.startedAt,
      ended_at: judgement.endedAt,
      received_at: bench.request.receivedAt,
      duration_ms: log.durationMs,
      expected_ms: judgement.expectedMs,
      result: judgement.status,
      billable: judgement.billable ? 1 : 0,
      quality: judgement.quality,
      flags: judgement.flags.join(","),
      door: bench.request.door,
      epoch: log.epoch,
      sequence: log.sequence,
      record_hash: proof.recordHash,
      key_id: bench.request.keyId,
      policy_version: POLICY_VERSION,
      correlation_id: bench.request.correlationId,
    },
  };
}

/** The part of a record's hash that a sequencer keeps: 8 bytes, in hex. */
export function shortHash(recordHash: string): string {
  return recordHash.slice(0, 16);
}

/** Counts a refused log by hour, door and reason. */
export function countRefusal(refusals: Record<string, number>, now: number, door: Door, code: RejectionCode): void {
  const key = `${Math.floor(now / HOUR_MS) * HOUR_MS}|${door}|${code}`;
  refusals[key] = (refusals[key] ?? 0) + 1;
}

function reject(code: RejectionCode): LogVerdict {
  return { verdict: "rejected", code, error: REJECTIONS[code].error };
}
