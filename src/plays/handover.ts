import type { LogVerdict, RequestFacts } from "./admit.ts";
import { type ColumnChecks, isOneOf, isText, isWhole, isWholeOrNull, type PackedRows, packRows, unpackRows } from "./packed.ts";
import { type Parcel, sealParcels } from "./parcel.ts";
import {
  type BatchProof,
  type CatalogueFinding,
  type LogFacts,
  PLAY_STATUSES,
  type PlayVerdict,
  shortHash,
  type VerifiedLog,
} from "./play.ts";
import type { Flag } from "./policy.ts";
import type { RateState } from "./rate.ts";
import type { RejectionCode } from "./rejection.ts";

// What goes from the Worker to a device's sequencer, and back: one call a request, so it is packed.

/** A record that the Worker refused, before the sequencer saw it. */
export interface RefusedByWorker {
  code: RejectionCode;
  error: string;
  logId: string | null;
  record: string;
}

/** One request, as the Worker hands it to the sequencer. */
export interface AdmitRequest extends RequestFacts {
  familyId: string;
  /** {@link LogFacts} of the logs that the Worker let through, in order. */
  logs: PackedRows;
  /** The same logs in the same order, sealed: what the sequencer keeps without reading it. */
  parcels: Parcel[];
  refused: RefusedByWorker[];
}

/** What became of a log that the sequencer judged. */
export type LogAnswer = { status: "accepted" | "duplicate"; told: PlayVerdict } | { status: "rejected"; code: RejectionCode };

/** The sequencer's answer. `logs` is read by {@link readAnswers}. */
export type RequestAnswer =
  | { kind: "answered"; logs: PackedRows; epoch: string; expectedSequence: number; rate: RateState }
  | { kind: "unknown-device" }
  | { kind: "revoked" }
  | { kind: "superseded" }
  | { kind: "rate-limited"; rate: RateState }
  | { kind: "outbox-full"; retryAfterS: number }
  | { kind: "unavailable"; retryAfterS: number };

/** A request's logs as they came out of the Worker's checks, and what the catalogue says of each. */
export interface CheckedRequest extends RequestFacts {
  familyId: string;
  /** `''` for a device without a key. */
  keyId: string;
  batch: BatchProof | null;
  logs: (VerifiedLog & { catalogue: CatalogueFinding })[];
  refused: RefusedByWorker[];
}

/** Packs a request for the sequencer. */
export function handOver(checked: CheckedRequest): AdmitRequest {
  const { door, receivedAt, sentAt, correlationId, familyId, keyId, batch, logs, refused } = checked;
  return {
    door,
    receivedAt,
    sentAt,
    correlationId,
    familyId,
    logs: packRows(logs.map(factsOf), LOG_FACT_COLUMNS),
    parcels: sealParcels({ door, received_at: receivedAt, key_id: keyId, correlation_id: correlationId, batch }, logs),
    refused,
  };
}

function factsOf({ log, proof, catalogue }: CheckedRequest["logs"][number]): LogFacts {
  return {
    id: log.id,
    hash: shortHash(proof.recordHash),
    campaignId: log.campaignId,
    startedAt: log.startedAt,
    endedAt: log.endedAt,
    durationMs: log.durationMs,
    deviceExpectedMs: log.deviceExpectedMs,
    status: log.status,
    epoch: log.epoch,
    sequence: log.sequence,
    location: log.location,
    signedBy: proof.signedBy,
    campaign: catalogue.campaign,
    content: catalogue.content,
    versionDurationMs: catalogue.versionDurationMs,
  };
}

/** The Worker is of the same deploy, nearly always: this finds out when it is not. */
const LOG_FACTS: ColumnChecks<LogFacts> = {
  id: isText,
  hash: isText,
  campaignId: isText,
  startedAt: isWhole,
  endedAt: isWhole,
  // Whole in every log that is let in; what cannot be is refused by the rules.
  durationMs: (value) => typeof value === "number",
  deviceExpectedMs: isWholeOrNull,
  status: isOneOf(PLAY_STATUSES),
  epoch: isText,
  sequence: isWholeOrNull,
  location: (value) => typeof value === "object",
  signedBy: isOneOf(["record", "batch", "nobody"]),
  campaign: isOneOf(["known", "unknown", "unasked"]),
  content: isOneOf(["known", "unknown", "unasked"]),
  versionDurationMs: isWholeOrNull,
};
const LOG_FACT_COLUMNS = Object.keys(LOG_FACTS) as (keyof LogFacts)[];

/**
 * The logs of a request, as the sequencer judges them.
 * @throws Error where the request is not one of {@link handOver}'s.
 */
export function readFacts(request: AdmitRequest): LogFacts[] {
  const logs = unpackRows<LogFacts>(request.logs, LOG_FACTS);
  if (request.parcels.reduce((sum, parcel) => sum + parcel.logs, 0) !== logs.length)
    throw new Error("the parcels hold other logs than the request");
  return logs;
}

interface AnswerRow {
  status: "accepted" | "duplicate" | "rejected";
  code: RejectionCode | null;
  billable: boolean;
  quality: number;
  flags: string;
}

const ANSWER_ROWS: ColumnChecks<AnswerRow> = {
  status: isText,
  code: (value) => value === null || isText(value),
  billable: (value) => typeof value === "boolean",
  quality: isWhole,
  flags: isText,
};

/** Packs what became of each log. */
export function packAnswers(verdicts: LogVerdict[]): PackedRows {
  const rows = verdicts.map((verdict): AnswerRow => {
    if (verdict.verdict === "rejected") return { status: "rejected", code: verdict.code, billable: false, quality: 0, flags: "" };
    const { billable, quality, flags } = verdict.told;
    return { status: verdict.verdict, code: null, billable, quality, flags: flags.join(",") };
  });
  return packRows(rows, Object.keys(ANSWER_ROWS) as (keyof AnswerRow)[]);
}

/** What became of each log of a request, in its order. */
export function readAnswers(logs: PackedRows): LogAnswer[] {
  return unpackRows<AnswerRow>(logs, ANSWER_ROWS).map(({ status, code, billable, quality, flags }): LogAnswer => {
    if (status !== "rejected") return { status, told: { billable, quality, flags: flags === "" ? [] : (flags.split(",") as Flag[]) } };
    if (code === null) throw new Error("what is rejected has a reason");
    return { status, code };
  });
}
