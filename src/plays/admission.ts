import type { DeviceProfile } from "../devices/profile.ts";
import {
  admitLog,
  countRefusal,
  type FindSeen,
  type LogVerdict,
  makeBench,
  type RequestFacts,
  type SequencerHead,
  shortHash,
} from "./admit.ts";
import { encodePlays } from "./chunk.ts";
import { MAX_CHUNK_BYTES, MAX_REFUSED_RECORD_CHARS, OUTBOX_FULL_RETRY_AFTER_S } from "./limits.ts";
import type { BatchProof, PlayVerdict, VerifiedLog } from "./play.ts";
import { doorPolicy } from "./policy.ts";
import { type RateState, takeRequest } from "./rate.ts";
import type { RejectionCode } from "./rejection.ts";
import type { SeenEntry } from "./seen.ts";
import { expectedSequence } from "./sequence.ts";
import type { RefusedRecord } from "./sequencer-store.ts";

export { EMPTY_HEAD, type SequencerHead } from "./admit.ts";

/** A record that the Worker refused, before the sequencer saw it. */
export interface RefusedByWorker {
  index: number;
  code: RejectionCode;
  error: string;
  logId: string | null;
  record: string;
}

/** One request, as the Worker hands it to the sequencer. */
export interface AdmitRequest extends RequestFacts {
  familyId: string;
  /** `givenId` is the id as the device wrote it, so that it finds its record again. */
  logs: (VerifiedLog & { index: number; givenId: string | null })[];
  refused: RefusedByWorker[];
  batch: BatchProof | null;
}

/** What became of one record of a request. */
export type RecordAnswer =
  | { index: number; logId: string; status: "accepted" | "duplicate"; told: PlayVerdict }
  | { index: number; logId: string | null; status: "rejected"; code: RejectionCode; error: string };

export type RequestAnswer =
  | { kind: "answered"; records: RecordAnswer[]; epoch: string; expectedSequence: number; rate: RateState }
  | { kind: "unknown-device" }
  | { kind: "revoked" }
  | { kind: "superseded" }
  | { kind: "rate-limited"; rate: RateState }
  | { kind: "outbox-full"; retryAfterS: number }
  | { kind: "unavailable"; retryAfterS: number };

/** What the sequencer knows when a request comes. */
export interface AdmissionState {
  profile: DeviceProfile;
  head: SequencerHead;
  historyLostAt: number | null;
  outboxBytes: number;
  maxOutboxBytes: number;
  findSeen: FindSeen;
}

/** The answer, and what must be durable before it leaves; nothing is kept where the whole request is refused. */
export interface Admission {
  answer: RequestAnswer;
  keep: { head: SequencerHead; seen: SeenEntry[]; bodies: { bytes: Uint8Array; plays: number }[]; refused: RefusedRecord[] } | null;
}

/**
 * Decides a whole request: device active · player current · outbox has room · rate · then each log in order (`admit.ts`).
 * Pure but for `findSeen`, which reads. `state` is not changed.
 */
export function decideRequest(request: AdmitRequest, state: AdmissionState): Admission {
  const { profile } = state;
  if (profile.status === "revoked") return turnedAway({ kind: "revoked" });
  if (profile.status !== "active" || profile.familyId !== request.familyId) return turnedAway({ kind: "superseded" });
  if (state.outboxBytes >= state.maxOutboxBytes) return turnedAway({ kind: "outbox-full", retryAfterS: OUTBOX_FULL_RETRY_AFTER_S });
  const policy = doorPolicy(request.door, profile.policy);
  const rate = takeRequest(state.head.rate, request.receivedAt, policy.requestsPerMinute);
  if (!rate.ok) return turnedAway({ kind: "rate-limited", rate: rate.state });

  const head: SequencerHead = { ...structuredClone(state.head), rate: rate.window };
  const bench = makeBench(request, profile, policy, head.heartbeat, state.historyLostAt);
  const seenNow = new Map<string, SeenEntry>();
  const findSeen: FindSeen = (id) => seenNow.get(id) ?? state.findSeen(id);
  const verdicts = request.logs.map((verified) => {
    const verdict = admitLog(verified, bench, head.epochs, findSeen);
    if (verdict.verdict === "accepted") {
      seenNow.set(verified.log.id, { id: verified.log.id, hash: shortHash(verified.proof.recordHash), told: verdict.told });
    }
    return { verified, verdict };
  });

  const accepted = verdicts.flatMap(({ verdict }) => (verdict.verdict === "accepted" ? [verdict] : []));
  head.accepted += accepted.length;
  const refused = [...refusedByWorker(request), ...refusedHere(verdicts, request)].sort((a, b) => a.index - b.index);
  for (const { code } of refused) countRefusal(head.refusals, request.receivedAt, request.door, code);

  const epoch = head.epochs.at(-1);
  return {
    answer: {
      kind: "answered",
      records: [
        ...verdicts.map(recordAnswer),
        ...refusedByWorker(request).map(
          ({ index, log_id, code, error }): RecordAnswer => ({ index, logId: log_id, status: "rejected", code, error }),
        ),
      ].sort((a, b) => a.index - b.index),
      epoch: epoch?.epoch ?? "0",
      expectedSequence: epoch ? expectedSequence(epoch) : 1,
      rate: rate.state,
    },
    keep: {
      head,
      seen: [...seenNow.values()],
      bodies: encodePlays(accepted, request.batch, MAX_CHUNK_BYTES),
      refused: refused.map(({ index: _, ...record }) => record),
    },
  };
}

type IndexedRefusal = RefusedRecord & { index: number; code: RejectionCode };

interface Judged {
  verified: AdmitRequest["logs"][number];
  verdict: LogVerdict;
}

function turnedAway(answer: RequestAnswer): Admission {
  return { answer, keep: null };
}

function recordAnswer({ verified, verdict }: Judged): RecordAnswer {
  const { index } = verified;
  const logId = verified.givenId ?? verified.log.id;
  if (verdict.verdict === "rejected") return { index, logId, status: "rejected", code: verdict.code, error: verdict.error };
  return { index, logId, status: verdict.verdict, told: verdict.told };
}

function refusedByWorker(request: AdmitRequest): IndexedRefusal[] {
  return request.refused.map(({ index, code, error, logId, record }) => ({
    index,
    at: request.receivedAt,
    door: request.door,
    code,
    error,
    log_id: logId,
    record,
  }));
}

function refusedHere(verdicts: Judged[], request: AdmitRequest): IndexedRefusal[] {
  return verdicts.flatMap(({ verified, verdict }) => {
    if (verdict.verdict !== "rejected") return [];
    const { code, error } = verdict;
    const record = verified.proof.record.slice(0, MAX_REFUSED_RECORD_CHARS);
    return [{ index: verified.index, at: request.receivedAt, door: request.door, code, error, log_id: verified.log.id, record }];
  });
}
