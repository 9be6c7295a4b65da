import type { DeviceIdentity } from "../devices/token.ts";
import { isObject } from "../platform/body.ts";
import type { AdmitRequest, RefusedByWorker } from "./admission.ts";
import { consultCatalogue } from "./catalogue.ts";
import { readPlaybackLog } from "./dialects/playback-log.ts";
import { MAX_REFUSED_RECORD_CHARS } from "./limits.ts";
import type { VerifiedLog } from "./play.ts";
import type { Door } from "./policy.ts";
import { REJECTIONS } from "./rejection.ts";
import { type CanonicalRecord, canonicalRecord, derivedId, type Refusal, verifyBatch, verifyRecord } from "./verify.ts";

/** A request whose body was read: records as they came, not yet looked at. */
export interface Received {
  door: Door;
  receivedAt: number;
  identity: DeviceIdentity;
  records: unknown[];
  /** The time sent as its text and as ms; null where there is none that can be read. */
  sentAtText: string | null;
  sentAt: number | null;
}

/** A record on its way through the Worker's checks. */
interface Candidate {
  index: number;
  record: unknown;
  canonical: CanonicalRecord | Refusal;
}

/** Shape, device, checksum and signature of all records, and what the catalogue says of those that hold. */
export async function examine(
  received: Received,
  batchSignature: string | null,
  db: D1Database,
  correlationId: string,
): Promise<AdmitRequest> {
  const { identity, records } = received;
  const candidates = records.map(
    (record, index): Candidate => ({ index, record, canonical: isObject(record) ? canonicalRecord(record) : notAnObject() }),
  );
  const batch =
    batchSignature === null
      ? null
      : await verifyBatch(
          identity.deviceId,
          received.sentAtText,
          candidates.map(({ canonical }) => canonical),
          batchSignature,
          identity.key,
        );
  const batchState = batchSignature === null ? "none" : batch ? "holds" : "broken";
  const outcomes = await Promise.all(candidates.map((candidate) => verifyOne(candidate, identity, batchState)));
  const logs = outcomes.flatMap((outcome) => ("proof" in outcome ? [outcome] : []));
  const findings = await consultCatalogue(
    db,
    logs.map(({ log }) => log),
    received.receivedAt,
  );
  return {
    door: received.door,
    receivedAt: received.receivedAt,
    sentAt: received.sentAt,
    keyId: identity.key?.kid ?? "",
    familyId: identity.familyId,
    correlationId,
    logs: logs.map((verified, at) => ({
      ...verified,
      catalogue: findings[at] ?? { campaign: "unasked", content: "unasked", versionDurationMs: null },
    })),
    refused: outcomes.flatMap((outcome) => ("proof" in outcome ? [] : [outcome])),
    batch,
  };
}

type Verified = Omit<VerifiedLog, "catalogue"> & { index: number; givenId: string | null };

async function verifyOne(
  candidate: Candidate,
  identity: DeviceIdentity,
  batch: "none" | "holds" | "broken",
): Promise<Verified | RefusedByWorker> {
  const { index, record, canonical } = candidate;
  const shaped = readPlaybackLog(record);
  const refuse = ({ code, error }: Refusal, logId: string | null): RefusedByWorker => ({
    index,
    code,
    error,
    logId,
    record: ("code" in canonical ? asText(record) : canonical.signedText).slice(0, MAX_REFUSED_RECORD_CHARS),
  });
  if (!shaped.ok) return refuse({ code: "VALIDATION_ERROR", error: shaped.error }, givenId(record));
  if ("code" in canonical) return refuse(canonical, givenId(record));
  if (shaped.deviceId !== identity.deviceId)
    return refuse({ code: "DEVICE_MISMATCH", error: REJECTIONS.DEVICE_MISMATCH.error }, givenId(record));
  // A batch's signature that does not hold proves nothing for the records that rely on it.
  const proof =
    batch === "broken" && canonical.signature === null
      ? ({ code: "INVALID_SIGNATURE", error: "The batch's signature does not hold." } satisfies Refusal)
      : await verifyRecord(canonical, identity.key, batch === "holds");
  const id = shaped.log.id || (await derivedId(identity.deviceId, shaped.log));
  if ("code" in proof) return refuse(proof, givenId(record) ?? id);
  return { index, givenId: givenId(record), log: { ...shaped.log, id }, proof };
}

function notAnObject(): Refusal {
  return { code: "VALIDATION_ERROR", error: "The record is not a JSON object." };
}

/** The record as text to look at; empty where it is nested too deep for that. */
function asText(record: unknown): string {
  try {
    return JSON.stringify(record);
  } catch {
    return "";
  }
}

/** The id as the device wrote it, so that it finds its record again. */
function givenId(record: unknown): string | null {
  return isObject(record) && typeof record.log_id === "string" ? record.log_id.slice(0, 64) : null;
}
