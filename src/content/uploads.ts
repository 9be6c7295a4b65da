import { auditStatement } from "../audit/audit.ts";
import { type Change, type CreateOutcome, createRow, findRow } from "../audit/changes.ts";
import { Problem } from "../platform/errors.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { fileKey, hashMismatch, isBadDigest, requireKind, type StoredFile, streamInto } from "./files.ts";
import { KIND_HEAD_BYTES } from "./kinds.ts";
import { videoLengthMs } from "./length.ts";
import { type Cut, missingParts, partBytes } from "./parts.ts";
import { openContentType, versionRow } from "./publish.ts";
import type { contentUploads } from "./tables.ts";
import { versionResource } from "./versions.ts";

export type Upload = typeof contentUploads.$inferSelect;

/** A part that has arrived. */
export interface Part {
  number: number;
  bytes: number;
  etag: string;
  received_at: number;
}

/** R2's codes for an upload that is no more, and for a part that is another by now. */
const LOST = /\((?:10024|10025)\)/;
const MAX_MISSING_NAMED = 20;

/** Where the parts of an upload are put together, until the whole is verified. */
export function stagingKey(id: string): string {
  return `uploads/${id}`;
}

/** @throws Problem `not-found` where this content has no such upload. */
export async function findUpload(db: D1Database, contentId: string, id: string): Promise<Upload> {
  const upload = await db.prepare("SELECT * FROM content_uploads WHERE id = ? AND content_id = ?").bind(id, contentId).first<Upload>();
  if (!upload) throw new Problem("not-found", "There is no upload with this id.");
  return upload;
}

/** The parts that have arrived, in order. */
export async function readParts(db: D1Database, id: string): Promise<Part[]> {
  const parts = db.prepare("SELECT number, bytes, etag, received_at FROM content_upload_parts WHERE upload_id = ? ORDER BY number");
  return (await parts.bind(id).all<Part>()).results;
}

/**
 * Takes one part, in any order; sent again, it replaces what came before.
 * @throws Problem `validation-error` with code `NO_SUCH_PART`, `PART_SIZE` or `UPLOAD_CUT`; `conflict` with code
 * `UPLOAD_COMPLETE` or `PARTS_LOST`.
 */
export async function putPart(
  change: Change,
  bucket: R2Bucket,
  upload: Upload,
  number: number,
  incoming: { body: ReadableStream<Uint8Array> | null; length: number | null },
): Promise<Part> {
  refuseComplete(upload);
  const bytes = requirePart(upload, number, incoming.length);
  if (!incoming.body) throw partSize(number, bytes);
  const target = bucket.resumeMultipartUpload(stagingKey(upload.id), upload.r2_upload_id);
  const { etag } = await streamInto(bytes, new Uint8Array(0), incoming.body, (readable) => target.uploadPart(number, readable)).catch(lost);
  const part = { number, bytes, etag, received_at: change.now };
  const { db, actor, now } = change;
  await db.batch([
    db
      .prepare(
        `INSERT INTO content_upload_parts (upload_id, number, bytes, etag, received_at) VALUES (?, ?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET etag = excluded.etag, received_at = excluded.received_at`,
      )
      .bind(upload.id, number, bytes, etag, now),
    auditStatement(
      db,
      { actor, action: "content_upload.part", targetType: "content_upload", targetId: upload.id, details: { number, bytes } },
      now,
    ),
  ]);
  return part;
}

/**
 * Makes a version of an upload whose parts are all there: they are put together apart, read back, and only what has the hash
 * that was declared becomes a file. Safe to repeat after any failure: what was completed answers its version again.
 * @throws Problem `conflict` with code `PARTS_MISSING` or `PARTS_LOST`; `validation-error` with code `HASH_MISMATCH`,
 * `UNKNOWN_KIND` or `KIND_MISMATCH`, after which the upload is gone.
 */
export async function completeUpload(change: Change, bucket: R2Bucket, upload: Upload): Promise<CreateOutcome> {
  if (upload.version_id !== null) return repeated(await findRow(change.db, versionResource, upload.version_id));
  const type = await openContentType(change.db, upload.content_id);
  await assemble(change.db, bucket, upload);
  let file: StoredFile;
  try {
    file = await verifyStaged(bucket, upload, type);
  } catch (error) {
    if (error instanceof Problem && error.status === 400) await removeUpload(change, bucket, upload, "refuse", { code: error.code });
    throw error;
  }
  const duration_ms = upload.duration_ms ?? (await videoLengthMs(bucket, file));
  const row = versionRow(upload.content_id, file, { ...upload, duration_ms }, change.now);
  const finish = (id: string) => change.db.prepare("UPDATE content_uploads SET version_id = ? WHERE id = ?").bind(id, upload.id);
  const resource: typeof versionResource = {
    ...versionResource,
    effects: (db, before, after, now) => [...(versionResource.effects?.(db, before, after, now) ?? []), finish(after.id)],
  };
  const outcome = await createRow(change, resource, row, null);
  if (outcome.status === 200) await finish(String(outcome.shown.id)).run();
  await bucket.delete(stagingKey(upload.id));
  return outcome;
}

/**
 * Ends an upload: its parts, its row and what was put together go, with one audit row.
 * @param verb what the audit log calls it; null for one that is complete, whose end changes nothing
 */
export async function removeUpload(
  { db, actor, now }: Change,
  bucket: R2Bucket,
  upload: Upload,
  verb: "abort" | "refuse" | "expire" | null,
  details: Record<string, unknown> = {},
): Promise<void> {
  try {
    await bucket.resumeMultipartUpload(stagingKey(upload.id), upload.r2_upload_id).abort();
  } catch (error) {
    // It was completed, or R2 ended it by itself.
    if (!LOST.test(String(error))) throw error;
  }
  await bucket.delete(stagingKey(upload.id));
  const target = { action: `content_upload.${verb}`, targetType: "content_upload", targetId: upload.id };
  const about = { ...details, content_id: upload.content_id, sha256: upload.sha256, bytes: upload.bytes };
  await db.batch([
    db.prepare("DELETE FROM content_upload_parts WHERE upload_id = ?").bind(upload.id),
    db.prepare("DELETE FROM content_uploads WHERE id = ?").bind(upload.id),
    ...(verb === null ? [] : [auditStatement(db, { actor, ...target, details: about }, now)]),
  ]);
}

function repeated(version: Row): CreateOutcome {
  return { status: 200, shown: presentRow(version), replayed: false, effects: false };
}

/** @throws Problem `conflict`, code `UPLOAD_COMPLETE`. */
export function refuseComplete(upload: Upload): void {
  if (upload.version_id === null) return;
  throw new Problem("conflict", "The upload is complete; its version stays.", { code: "UPLOAD_COMPLETE" });
}

function requirePart(cut: Cut, number: number, length: number | null): number {
  const bytes = partBytes(cut, number);
  if (bytes === null) throw new Problem("validation-error", "The upload has no part of this number.", { code: "NO_SUCH_PART" });
  if (length !== null && length !== bytes) throw partSize(number, bytes);
  return bytes;
}

function partSize(number: number, bytes: number): Problem {
  return new Problem("validation-error", `Part ${number} must have ${bytes} bytes.`, { code: "PART_SIZE" });
}

async function assemble(db: D1Database, bucket: R2Bucket, upload: Upload): Promise<void> {
  const parts = await readParts(db, upload.id);
  const missing = missingParts(
    upload,
    parts.map(({ number }) => number),
  );
  if (missing.length > 0) {
    throw new Problem("conflict", `${missing.length} parts have not arrived.`, {
      code: "PARTS_MISSING",
      extra: { missing_parts: missing.slice(0, MAX_MISSING_NAMED) },
    });
  }
  // An earlier completion came as far as this.
  if (await bucket.head(stagingKey(upload.id))) return;
  const target = bucket.resumeMultipartUpload(stagingKey(upload.id), upload.r2_upload_id);
  await target.complete(parts.map(({ number, etag }) => ({ partNumber: number, etag }))).catch(lost);
}

/** Copies what was put together to its place as a file. R2 hashes what it reads, and refuses what has another hash. */
async function verifyStaged(bucket: R2Bucket, upload: Upload, type: Awaited<ReturnType<typeof openContentType>>): Promise<StoredFile> {
  const key = stagingKey(upload.id);
  const head = await bucket.get(key, { range: { offset: 0, length: Math.min(KIND_HEAD_BYTES, upload.bytes) } });
  // Where another completion was faster: asked again, this one answers the version.
  if (!head) throw partsLost();
  const { mime } = requireKind(new Uint8Array(await head.arrayBuffer()), type);
  const staged = await bucket.get(key);
  if (!staged) throw partsLost();
  try {
    await bucket.put(fileKey(upload.sha256), staged.body, { sha256: upload.sha256, httpMetadata: { contentType: mime } });
  } catch (error) {
    throw isBadDigest(error) ? hashMismatch() : error;
  }
  return { sha256: upload.sha256, bytes: staged.size, mime };
}

function lost(error: unknown): never {
  throw LOST.test(String(error)) ? partsLost() : error;
}

function partsLost(): Problem {
  return new Problem(
    "conflict",
    "The parts are no longer as they were sent. Look at the upload; where it is not complete, abort it and begin another.",
    {
      code: "PARTS_LOST",
    },
  );
}
