import { type SignatureAlg, verifySignature } from "../devices/keys.ts";
import { decodeBase64, sha256, sha256Hex, TextBuffer, uuid8 } from "../platform/encoding.ts";
import { type CanonicalTexts, canonicalTexts } from "./canonical.ts";
import { MAX_RECORD_BYTES, MAX_RECORD_DEPTH } from "./limits.ts";
import type { BatchProof, PlayLog, Proof } from "./play.ts";
import type { DoorPolicy } from "./policy.ts";
import { REJECTIONS, type RejectionCode } from "./rejection.ts";

/** A device's key, ready to verify. */
export interface VerifyingKey {
  kid: string;
  alg: SignatureAlg;
  cryptoKey: CryptoKey;
}

export interface Refusal {
  code: RejectionCode;
  error: string;
}

/** A record in the forms that checksum, signature and identity are about. */
export interface CanonicalRecord {
  /** Without `signature`, as JCS (RFC 8785): what is signed. */
  signedText: string;
  signedBytes: Uint8Array;
  /** Without `signature` and `checksum`, as JCS: what is hashed. */
  bareBytes: Uint8Array;
  checksum: string | null;
  /** As received; null where it is absent or null. */
  signature: string | null;
}

const encoder = new TextEncoder();

/**
 * Puts a record into canonical form. Refused (`VALIDATION_ERROR`): what JCS cannot express (a lone surrogate, a number
 * beyond what JSON's numbers hold), records over 16 KB, and records nested over 64 deep. The bytes lie in `texts`.
 */
export function canonicalRecord(record: Record<string, unknown>, texts = new TextBuffer()): CanonicalRecord | Refusal {
  const { signature, checksum } = record;
  if (isTooDeep(record, MAX_RECORD_DEPTH))
    return { code: "VALIDATION_ERROR", error: `The record is nested over ${MAX_RECORD_DEPTH} deep.` };
  let canonical: CanonicalTexts;
  try {
    canonical = canonicalTexts(record);
  } catch {
    return { code: "VALIDATION_ERROR", error: "The record holds a lone surrogate or a number that JSON cannot hold." };
  }
  const signedBytes = texts.encode(canonical.signed);
  if (signedBytes.length + (typeof signature === "string" ? signature.length : 0) > MAX_RECORD_BYTES) {
    return { code: "VALIDATION_ERROR", error: `The record is over ${MAX_RECORD_BYTES} bytes.` };
  }
  return {
    signedText: canonical.signed,
    signedBytes,
    bareBytes: canonical.bare === canonical.signed ? signedBytes : texts.encode(canonical.bare),
    checksum: typeof checksum === "string" ? checksum : null,
    signature: typeof signature === "string" ? signature : null,
  };
}

/** Whether a value is nested deeper than so many levels. Looks no deeper itself. No list is made of its values: each record comes by here. */
function isTooDeep(value: object, levels: number): boolean {
  if (levels === 0) return true;
  for (const key in value) {
    const inner: unknown = value[key as keyof typeof value];
    if (typeof inner === "object" && inner !== null && isTooDeep(inner, levels - 1)) return true;
  }
  return false;
}

/**
 * Checks checksum and signature of a record, in that order. A signature that is there is judged, an empty one too; one that
 * is not there is judged by {@link missingSignature}, since only the sequencer knows the group's policy.
 * The algorithm is the key's, never the message's. The signature's bytes lie in `texts`.
 */
export async function verifyRecord(
  record: CanonicalRecord,
  key: VerifyingKey | null,
  batchHolds: boolean,
  texts = new TextBuffer(),
): Promise<Proof | Refusal> {
  const recordHash = await sha256Hex(record.bareBytes);
  if (record.checksum !== null && record.checksum !== recordHash) return refusal("CHECKSUM_MISMATCH");
  if (record.signature !== null) {
    const signature = texts.decodeBase64(record.signature);
    if (!key || !signature?.length || !(await verifySignature(key.alg, key.cryptoKey, signature, record.signedBytes))) {
      return refusal("INVALID_SIGNATURE");
    }
    return { record: record.signedText, recordHash, signedBy: "record", signature };
  }
  return { record: record.signedText, recordHash, signedBy: batchHolds ? "batch" : "nobody", signature: null };
}

/** What a door's policy says of a record that its device did not sign by itself: a refusal, or null where it may pass. */
export function missingSignature(proof: Pick<Proof, "signedBy">, policy: DoorPolicy): RejectionCode | null {
  if (proof.signedBy === "record" || !policy.signatureRequired) return null;
  return proof.signedBy === "batch" && policy.batchSignature ? null : "SIGNATURE_REQUIRED";
}

const BATCH_SIGNATURE_VERSION = "alive-batch-v1";

/**
 * Verifies the signature over a whole batch: over the lines `alive-batch-v1`, device id, `Sent-At`, and the SHA-256 in hex of
 * each record without its `signature` as JCS, in order, joined by `\n`.
 * Null where it does not hold, where no `Sent-At` was given, or where a record has no canonical form.
 */
export async function verifyBatch(
  deviceId: string,
  sentAt: string | null,
  records: (CanonicalRecord | Refusal)[],
  signature: string,
  key: VerifyingKey | null,
): Promise<BatchProof | null> {
  const bytes = decodeBase64(signature);
  if (!key || !bytes?.length || sentAt === null) return null;
  const signed: Uint8Array[] = [];
  for (const record of records) {
    if ("code" in record) return null;
    signed.push(record.signedBytes);
  }
  const hashes = await Promise.all(signed.map((one) => sha256Hex(one)));
  const lines = [BATCH_SIGNATURE_VERSION, deviceId, sentAt, ...hashes].join("\n");
  return (await verifySignature(key.alg, key.cryptoKey, bytes, encoder.encode(lines))) ? { lines, signature } : null;
}

/**
 * The id of a record that names none: SHA-256 of device, content, start, end and type, as a UUID of version 8 (RFC 9562),
 * so that a retry meets itself.
 */
export async function derivedId(deviceId: string, log: Pick<PlayLog, "contentId" | "startedAt" | "endedAt" | "type">): Promise<string> {
  return uuid8(await sha256(JSON.stringify([deviceId, log.contentId, log.startedAt, log.endedAt, log.type])));
}

function refusal(code: RejectionCode): Refusal {
  return { code, error: REJECTIONS[code].error };
}
