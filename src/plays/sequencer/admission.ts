import type { DeviceProfile } from "../../devices/profile.ts";
import { encodeBody } from "../chunk.ts";
import { MAX_REFUSED_RECORD_CHARS, OUTBOX_FULL_RETRY_AFTER_S } from "../limits.ts";
import { type Parcel, recordsOf } from "../parcel.ts";
import type { LogFacts } from "../play.ts";
import { doorPolicy } from "../policy.ts";
import { REJECTIONS, type RejectionCode } from "../rejection.ts";
import { admitLog, type FindPlanned, type LogVerdict, makeBench } from "./admit.ts";
import { type AdmitRequest, packAnswers, type RequestAnswer, readFacts } from "./handover.ts";
import { countRefusal, type SequencerHead } from "./head.ts";
import { OpenPlays } from "./open-plays.ts";
import { takeRequest } from "./rate.ts";
import type { FindSeen, SeenEntry } from "./seen.ts";
import { expectedSequence } from "./sequence.ts";
import type { RefusedRecord } from "./store.ts";
import { timedOutPlays } from "./timed-out.ts";

/** What the sequencer knows when a request comes. */
export interface AdmissionState {
  profile: DeviceProfile;
  head: SequencerHead;
  historyLostAt: number | null;
  outboxBytes: number;
  maxOutboxBytes: number;
  findSeen: FindSeen;
  findPlanned: FindPlanned;
}

/** The answer, and what must be durable before it leaves; nothing is kept where the whole request is refused. */
export interface Admission {
  answer: RequestAnswer;
  keep: { head: SequencerHead; seen: SeenEntry[]; bodies: { bytes: Uint8Array; plays: number }[]; refused: RefusedRecord[] } | null;
}

/**
 * Decides a whole request: device active · player current · outbox has room · rate · then each log in order (`admit.ts`).
 * Pure but for `findSeen` and `findPlanned`, which read. `state` is not changed.
 */
export function decideRequest(request: AdmitRequest, state: AdmissionState): Admission {
  const { profile } = state;
  if (profile.status === "revoked") return turnedAway({ kind: "revoked" });
  if (profile.status !== "active" || profile.familyId !== request.familyId) return turnedAway({ kind: "superseded" });
  if (state.outboxBytes >= state.maxOutboxBytes) return turnedAway({ kind: "outbox-full", retryAfterS: OUTBOX_FULL_RETRY_AFTER_S });
  const policy = doorPolicy(request.door, profile.policy);
  const rate = takeRequest(state.head.rate, request.receivedAt, policy.requestsPerMinute);
  if (!rate.ok) return turnedAway({ kind: "rate-limited", rate: rate.state });

  const head: SequencerHead = { ...copyHead(state.head), rate: rate.window };
  const bench = makeBench(request, profile, policy, head.heartbeat, state.historyLostAt, state.findPlanned);
  const seenNow = new Map<string, SeenEntry>();
  const findSeen: FindSeen = (id) => seenNow.get(id) ?? state.findSeen(id);
  const plays = new OpenPlays(state.head.plays, findSeen);
  const logs = readFacts(request);
  const verdicts = inOrder(logs, (log) => {
    const verdict = admitLog(log, bench, head.epochs, plays, findSeen);
    if (verdict.verdict === "accepted") seenNow.set(log.id, { id: log.id, hash: log.hash, told: verdict.told });
    return verdict;
  });
  const overdue = plays.takeOverdue();
  const timedOut = timedOutPlays(overdue, profile.deviceId, request.receivedAt, request.correlationId);

  head.accepted += seenNow.size + overdue.length;
  head.plays = plays.state;
  const refused = [...refusedByWorker(request), ...refusedHere(request, logs, verdicts)];
  for (const { code } of refused) countRefusal(head.refusals, request.receivedAt, request.door, code);

  const epoch = head.epochs.at(-1);
  return {
    answer: {
      kind: "answered",
      logs: packAnswers(verdicts),
      epoch: epoch?.epoch ?? "0",
      expectedSequence: epoch ? expectedSequence(epoch) : 1,
      rate: rate.state,
    },
    keep: {
      head,
      seen: [...seenNow.values(), ...plays.taken, ...timedOut.seen],
      bodies: [...bodiesOf(request.parcels, verdicts), ...timedOut.bodies],
      refused,
    },
  };
}

/** Judges each log: as they came, but starts and ends as they happened. Returns what became of them in the order in which they came. */
function inOrder(logs: LogFacts[], judge: (log: LogFacts) => LogVerdict): LogVerdict[] {
  if (logs.every(({ event }) => event === null)) return logs.map(judge);
  const judged = new Map<LogFacts, LogVerdict>();
  for (const log of logs.toSorted((a, b) => a.endedAt - b.endedAt)) judged.set(log, judge(log));
  return logs.flatMap((log) => judged.get(log) ?? []);
}

/** A copy whose numbers and lists a request may change; what is in the lists is never changed in place. */
function copyHead(head: SequencerHead): SequencerHead {
  return { ...head, epochs: head.epochs.map((epoch) => ({ ...epoch })), refusals: { ...head.refusals } };
}

function turnedAway(answer: RequestAnswer): Admission {
  return { answer, keep: null };
}

/** The parcels with an accepted log in them, each with its verdicts. */
function bodiesOf(parcels: Parcel[], verdicts: LogVerdict[]): { bytes: Uint8Array; plays: number }[] {
  let first = 0;
  return parcels.flatMap((parcel) => {
    const own = verdicts.slice(first, first + parcel.logs).map((verdict) => (verdict.verdict === "accepted" ? verdict.found : null));
    first += parcel.logs;
    const plays = own.filter((found) => found !== null).length;
    return plays === 0 ? [] : [{ bytes: encodeBody(parcel.bytes, own), plays }];
  });
}

function refusedByWorker(request: AdmitRequest): (RefusedRecord & { code: RejectionCode })[] {
  const { receivedAt: at, door } = request;
  return request.refused.map(({ code, error, logId, record }) => ({ at, door, code, error, log_id: logId, record }));
}

/** What the sequencer refuses itself is rare; only then are parcels opened here, for the records that people look at. */
function refusedHere(request: AdmitRequest, logs: LogFacts[], verdicts: LogVerdict[]): (RefusedRecord & { code: RejectionCode })[] {
  if (verdicts.every(({ verdict }) => verdict !== "rejected")) return [];
  const records = request.parcels.flatMap(({ bytes }) => recordsOf(bytes));
  return verdicts.flatMap((verdict, index) => {
    if (verdict.verdict !== "rejected") return [];
    const { code } = verdict;
    const record = (records[index] ?? "").slice(0, MAX_REFUSED_RECORD_CHARS);
    return [{ at: request.receivedAt, door: request.door, code, error: REJECTIONS[code].error, log_id: logs[index]?.id ?? null, record }];
  });
}
