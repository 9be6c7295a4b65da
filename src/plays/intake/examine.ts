import type { DeviceIdentity } from "../../devices/token.ts";
import { isObject } from "../../platform/body.ts";
import { TextBuffer } from "../../platform/encoding.ts";
import type { Dialect } from "../dialects/dialect.ts";
import { DIALECTS } from "../dialects/dialects.ts";
import { MAX_REFUSED_RECORD_CHARS } from "../limits.ts";
import type { CatalogueFinding, VerifiedLog } from "../play.ts";
import type { Door } from "../policy.ts";
import { REJECTIONS } from "../rejection.ts";
import { type AdmitRequest, handOver, type RefusedByWorker } from "../sequencer/handover.ts";
import { type CanonicalRecord, canonicalRecord, derivedId, type Refusal, verifyBatch, verifyRecord } from "../verify.ts";
import { consultCatalogue } from "./catalogue.ts";

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

/** A request of which every record was looked at. */
export interface Examined {
  /** For the sequencer. */
  request: AdmitRequest;
  /** Of each log in {@link Examined.request}: which record it was, and its id as the device wrote it, so that it finds it again. */
  logs: { index: number; givenId: string }[];
  /** The records that were refused here. */
  refused: RefusedRecord[];
}

/** A record that was refused before the sequencer saw it. */
export interface RefusedRecord extends RefusedByWorker {
  index: number;
}

/** About what the texts and the signature of a record take, with the room that writing them asks for. */
const TEXTS_OF_RECORD_BYTES = 4096;

/** Shape, device, checksum and signature of all records, and what the catalogue says of those that hold. */
export async function examine(received: Received, batchSignature: string | null, db: D1Database, correlationId: string): Promise<Examined> {
  const { identity, records, door, receivedAt } = received;
  const texts = new TextBuffer(records.length * TEXTS_OF_RECORD_BYTES);
  const candidates = records.map(
    (record, index): Candidate => ({ index, record, canonical: isObject(record) ? canonicalRecord(record, texts) : notAnObject() }),
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
  const dialect = DIALECTS[door];
  const outcomes = await Promise.all(candidates.map((candidate) => verifyOne(candidate, dialect, identity, batchState, texts)));
  const logs: Verified[] = [];
  const refused: RefusedRecord[] = [];
  for (const outcome of outcomes) {
    if ("proof" in outcome) logs.push(outcome);
    else refused.push(outcome);
  }
  const findings = await consultCatalogue(
    db,
    logs.map(({ log }) => log),
    receivedAt,
  );
  return {
    request: handOver({
      door,
      receivedAt,
      sentAt: received.sentAt,
      familyId: identity.familyId,
      correlationId,
      keyId: identity.key?.kid ?? "",
      batch,
      logs: logs.map(({ log, proof }, at) => ({ log, proof, catalogue: findings[at] ?? UNASKED })),
      refused: refused.map(({ index: _, ...record }) => record),
    }),
    logs: logs.map(({ index, givenId, log }) => ({ index, givenId: givenId ?? log.id })),
    refused,
  };
}

const UNASKED: CatalogueFinding = { campaign: "unasked", content: "unasked", versionDurationMs: null };

interface Verified extends VerifiedLog {
  index: number;
  givenId: string | null;
}

async function verifyOne(
  candidate: Candidate,
  dialect: Dialect,
  identity: DeviceIdentity,
  batch: "none" | "holds" | "broken",
  texts: TextBuffer,
): Promise<Verified | RefusedRecord> {
  const { index, record, canonical } = candidate;
  const shaped = dialect.read(record, identity.deviceId);
  const refuse = ({ code, error }: Refusal, logId: string | null): RefusedRecord => ({
    index,
    code,
    error,
    logId,
    record: ("code" in canonical ? asText(record) : canonical.signedText).slice(0, MAX_REFUSED_RECORD_CHARS),
  });
  if (!shaped.ok) return refuse({ code: "VALIDATION_ERROR", error: shaped.error }, givenId(record, dialect));
  if ("code" in canonical) return refuse(canonical, givenId(record, dialect));
  if (shaped.deviceId !== identity.deviceId)
    return refuse({ code: "DEVICE_MISMATCH", error: REJECTIONS.DEVICE_MISMATCH.error }, givenId(record, dialect));
  // A batch's signature that does not hold proves nothing for the records that rely on it.
  const proof =
    batch === "broken" && canonical.signature === null
      ? ({ code: "INVALID_SIGNATURE", error: "The batch's signature does not hold." } satisfies Refusal)
      : await verifyRecord(canonical, identity.key, batch === "holds", texts);
  const { log } = shaped;
  // A log that names itself keeps its object: this is the way of nearly every play.
  const named = log.id === "" ? { ...log, id: await derivedId(identity.deviceId, log) } : log;
  if ("code" in proof) return refuse(proof, givenId(record, dialect) ?? named.id);
  return { index, givenId: givenId(record, dialect), log: named, proof };
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
function givenId(record: unknown, { idField }: Dialect): string | null {
  const id = isObject(record) ? record[idField] : null;
  return typeof id === "string" ? id.slice(0, 64) : null;
}
