import { type ColumnChecks, cell, isOneOf, isText, isWhole, isWholeOrNull, type PackedRows, packColumns, readColumns } from "../packed.ts";
import { type Parcel, sealParcels } from "../parcel.ts";
import {
  type BatchProof,
  type CatalogueFinding,
  type LogFacts,
  PLAY_STATUSES,
  type PlayVerdict,
  shortHash,
  type VerifiedLog,
} from "../play.ts";
import type { Flag } from "../policy.ts";
import type { RejectionCode } from "../rejection.ts";
import type { LogVerdict, RequestFacts } from "./admit.ts";
import type { RateState } from "./rate.ts";

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
    logs: packFacts(logs),
    parcels: sealParcels({ door, received_at: receivedAt, key_id: keyId, correlation_id: correlationId, batch }, logs),
    refused,
  };
}

function packFacts(logs: CheckedRequest["logs"]): PackedRows {
  return packColumns<LogFacts>(logs.length, {
    id: logs.map(({ log }) => log.id),
    hash: logs.map(({ proof }) => shortHash(proof.recordHash)),
    event: logs.map(({ log }) => log.event ?? null),
    campaignId: logs.map(({ log }) => log.campaignId),
    contentId: logs.map(({ log }) => log.contentId),
    contentVersion: logs.map(({ log }) => log.contentVersion),
    slotId: logs.map(({ log }) => log.slotId),
    startedAt: logs.map(({ log }) => log.startedAt),
    endedAt: logs.map(({ log }) => log.endedAt),
    durationMs: logs.map(({ log }) => log.durationMs),
    deviceExpectedMs: logs.map(({ log }) => log.deviceExpectedMs),
    status: logs.map(({ log }) => log.status),
    epoch: logs.map(({ log }) => log.epoch),
    sequence: logs.map(({ log }) => log.sequence),
    location: logs.map(({ log }) => log.location),
    signedBy: logs.map(({ proof }) => proof.signedBy),
    campaign: logs.map(({ catalogue }) => catalogue.campaign),
    content: logs.map(({ catalogue }) => catalogue.content),
    versionDurationMs: logs.map(({ catalogue }) => catalogue.versionDurationMs),
  });
}

/** The Worker is of the same deploy, nearly always: this finds out when it is not. */
const LOG_FACTS: ColumnChecks<LogFacts> = {
  id: isText,
  hash: isText,
  event: (value) => typeof value === "object",
  campaignId: isText,
  contentId: isText,
  contentVersion: isText,
  slotId: isText,
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

/**
 * The logs of a request, as the sequencer judges them.
 * @throws Error where the request is not one of {@link handOver}'s.
 */
export function readFacts(request: AdmitRequest): LogFacts[] {
  const { count } = request.logs;
  if (request.parcels.reduce((sum, parcel) => sum + parcel.logs, 0) !== count)
    throw new Error("the parcels hold other logs than the request");
  const log = readColumns<LogFacts>(request.logs, LOG_FACTS);
  return Array.from(
    { length: count },
    (_, at): LogFacts => ({
      id: cell(log.id, at),
      hash: cell(log.hash, at),
      event: cell(log.event, at),
      campaignId: cell(log.campaignId, at),
      contentId: cell(log.contentId, at),
      contentVersion: cell(log.contentVersion, at),
      slotId: cell(log.slotId, at),
      startedAt: cell(log.startedAt, at),
      endedAt: cell(log.endedAt, at),
      durationMs: cell(log.durationMs, at),
      deviceExpectedMs: cell(log.deviceExpectedMs, at),
      status: cell(log.status, at),
      epoch: cell(log.epoch, at),
      sequence: cell(log.sequence, at),
      location: cell(log.location, at),
      signedBy: cell(log.signedBy, at),
      campaign: cell(log.campaign, at),
      content: cell(log.content, at),
      versionDurationMs: cell(log.versionDurationMs, at),
    }),
  );
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
  return packColumns<AnswerRow>(verdicts.length, {
    status: verdicts.map(({ verdict }) => verdict),
    code: verdicts.map((verdict) => (verdict.verdict === "rejected" ? verdict.code : null)),
    billable: verdicts.map((verdict) => verdict.verdict !== "rejected" && verdict.told.billable),
    quality: verdicts.map((verdict) => (verdict.verdict === "rejected" ? 0 : verdict.told.quality)),
    flags: verdicts.map((verdict) => (verdict.verdict === "rejected" ? "" : verdict.told.flags.join(","))),
  });
}

/** What became of each log of a request, in its order. */
export function readAnswers(logs: PackedRows): LogAnswer[] {
  const row = readColumns<AnswerRow>(logs, ANSWER_ROWS);
  return Array.from({ length: logs.count }, (_, at): LogAnswer => {
    const status = cell(row.status, at);
    if (status !== "rejected") {
      const flags = cell(row.flags, at);
      return {
        status,
        told: { billable: cell(row.billable, at), quality: cell(row.quality, at), flags: flags === "" ? [] : (flags.split(",") as Flag[]) },
      };
    }
    const code = cell(row.code, at);
    if (code === null) throw new Error("what is rejected has a reason");
    return { status, code };
  });
}
