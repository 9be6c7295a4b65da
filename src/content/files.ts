import { Problem } from "../platform/errors.ts";
import { sha256Now } from "../platform/hash.ts";
import { type FileKind, KIND_HEAD_BYTES, kindOf } from "./kinds.ts";

/** The most that one request may carry: the platform takes 100 MB. */
export const UPLOAD_MAX_BYTES = 95_000_000;
/** The most that is held in memory to be hashed, where the sender did not declare the hash. */
export const UNDECLARED_MAX_BYTES = 20_000_000;

/** R2's code for an object whose bytes have another hash than was said. */
const BAD_DIGEST = "(10037)";

/** A file as it lies in R2, verified. */
export interface StoredFile {
  sha256: string;
  bytes: number;
  mime: string;
}

/** What a request brings: its body, and what its sender says of it. */
export interface IncomingFile {
  body: ReadableStream<Uint8Array> | null;
  /** `Content-Length`; null where the body comes in chunks. */
  length: number | null;
  /** Lower-case hex; null where the sender did not declare it. */
  sha256: string | null;
}

/** Where a file lies in R2. Named by its hash, so the same bytes are stored once. */
export function fileKey(sha256: string): string {
  return `content/${sha256}`;
}

/**
 * Stores a file under its hash. With hash and length declared it streams, and R2 refuses it where the hash is another;
 * else it is read into memory and hashed there. A file that is there already is written anew, with the same bytes: so it is
 * verified all the same, and what sweeps files that nobody cites sees a young one.
 * @param type the type of content that it is for
 * @throws Problem `payload-too-large`, or `validation-error` with code `EMPTY_FILE`, `UNKNOWN_KIND`, `KIND_MISMATCH`,
 * `HASH_MISMATCH` or `UPLOAD_CUT`. Nothing is stored then.
 */
export async function storeFile(bucket: R2Bucket, incoming: IncomingFile, type: FileKind["type"]): Promise<StoredFile> {
  const { body, length, sha256 } = incoming;
  const maxBytes = sha256 !== null && length !== null ? UPLOAD_MAX_BYTES : UNDECLARED_MAX_BYTES;
  if (length !== null && length > maxBytes) throw tooLarge(maxBytes);
  if (body === null || length === 0) throw emptyFile();
  const reader = body.getReader();
  if (sha256 === null || length === null) return await storeFromMemory(bucket, await readAll(reader, maxBytes), sha256, type);
  const head = await readHead(reader);
  const { mime } = requireKind(head, type);
  reader.releaseLock();
  await putStream(bucket, { head, rest: body, length, sha256, mime });
  return { sha256, bytes: length, mime };
}

/**
 * The kind of a file by its first bytes.
 * @throws Problem `validation-error` with code `EMPTY_FILE`, `UNKNOWN_KIND` or `KIND_MISMATCH`.
 */
export function requireKind(head: Uint8Array, type: FileKind["type"]): FileKind {
  if (head.length === 0) throw emptyFile();
  const kind = kindOf(head);
  if (isForm(head)) {
    const detail = "The body is a form (multipart/form-data). Send the file itself as the body: with curl, --data-binary @file.";
    throw new Problem("validation-error", detail, { code: "UNKNOWN_KIND" });
  }
  if (!kind) {
    const detail = "The file's first bytes are of no kind that screens are given: mp4, webm, jpeg, png, gif, webp, avif, html.";
    throw new Problem("validation-error", detail, { code: "UNKNOWN_KIND" });
  }
  if (kind.type !== type) {
    throw new Problem("validation-error", `The file is ${kind.mime}, and the content is of type ${type}.`, { code: "KIND_MISMATCH" });
  }
  return kind;
}

function isForm(head: Uint8Array): boolean {
  return /^--[^\r\n]{1,70}\r\nContent-Disposition: form-data/i.test(Buffer.from(head).toString("latin1"));
}

/** Whether an error is R2's word that the bytes have another hash than was said. */
export function isBadDigest(error: unknown): boolean {
  return error instanceof Error && error.message.includes(BAD_DIGEST);
}

export function hashMismatch(): Problem {
  return new Problem("validation-error", "The file's SHA-256 is not the one that was declared. Nothing is stored.", {
    code: "HASH_MISMATCH",
  });
}

export function tooLarge(maxBytes: number): Problem {
  const how =
    maxBytes === UNDECLARED_MAX_BYTES
      ? `Without a declared SHA-256 and a Content-Length, a file may have ${maxBytes} bytes at most.`
      : `One request may carry ${maxBytes} bytes at most; send a larger file in parts.`;
  return new Problem("payload-too-large", how);
}

function emptyFile(): Problem {
  return new Problem("validation-error", "The body is the file, and it has no bytes.", { code: "EMPTY_FILE" });
}

type Reader = ReadableStreamDefaultReader<Uint8Array>;

async function readAll(reader: Reader, maxBytes: number): Promise<Uint8Array> {
  return await readWhile(reader, (size) => {
    if (size > maxBytes) throw tooLarge(maxBytes);
    return true;
  });
}

/** As many of the first chunks as hold what tells a file's kind, or all of a shorter file. */
async function readHead(reader: Reader): Promise<Uint8Array> {
  return await readWhile(reader, (size) => size < KIND_HEAD_BYTES);
}

/** Reads chunks for as long as `more` says of the size so far. */
async function readWhile(reader: Reader, more: (size: number) => boolean): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  while (more(size)) {
    const { done, value } = await reader.read().catch((cause: unknown) => {
      throw uploadCut(cause);
    });
    if (done) break;
    parts.push(value);
    size += value.length;
  }
  return Buffer.concat(parts);
}

async function storeFromMemory(bucket: R2Bucket, file: Uint8Array, declared: string | null, type: FileKind["type"]): Promise<StoredFile> {
  const { mime } = requireKind(file.subarray(0, KIND_HEAD_BYTES), type);
  const sha256 = sha256Now(file);
  if (declared !== null && declared !== sha256) throw hashMismatch();
  await bucket.put(fileKey(sha256), file, { sha256, httpMetadata: { contentType: mime } });
  return { sha256, bytes: file.length, mime };
}

interface StreamedFile {
  head: Uint8Array;
  rest: ReadableStream<Uint8Array>;
  length: number;
  sha256: string;
  mime: string;
}

async function putStream(bucket: R2Bucket, { head, rest, length, sha256, mime }: StreamedFile): Promise<void> {
  const options = { sha256, httpMetadata: { contentType: mime } };
  try {
    await streamInto(length, head, rest, (readable) => bucket.put(fileKey(sha256), readable, options));
  } catch (error) {
    throw isBadDigest(error) ? hashMismatch() : error;
  }
}

/**
 * Hands a body on as a stream of known length, which is what R2 takes.
 * @param head what was read of the body already
 * @throws Problem `validation-error` with code `UPLOAD_CUT` where the body has another length; else what `take` throws.
 */
export async function streamInto<T>(
  length: number,
  head: Uint8Array,
  rest: ReadableStream<Uint8Array>,
  take: (readable: ReadableStream<Uint8Array>) => Promise<T>,
): Promise<T> {
  const { readable, writable } = new FixedLengthStream(length);
  const [taken, fed] = await Promise.allSettled([take(readable), feed(writable, head, rest)]);
  if (taken.status === "fulfilled") return taken.value;
  if (isBadDigest(taken.reason)) throw taken.reason;
  throw fed.status === "rejected" || isCutShort(taken.reason) ? uploadCut(taken.reason) : taken.reason;
}

/** Whether a `FixedLengthStream` was closed before its length: the error comes out at its readable end. */
function isCutShort(error: unknown): boolean {
  return error instanceof TypeError && error.message.startsWith("FixedLengthStream did not see all expected bytes");
}

async function feed(writable: WritableStream<Uint8Array>, head: Uint8Array, rest: ReadableStream<Uint8Array>): Promise<void> {
  const writer = writable.getWriter();
  if (head.length > 0) await writer.write(head);
  writer.releaseLock();
  await rest.pipeTo(writable);
}

function uploadCut(cause: unknown): Problem {
  return new Problem("validation-error", "The body ended before the file was whole. Send it again.", { code: "UPLOAD_CUT", cause });
}
