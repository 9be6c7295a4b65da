import { sha256 } from "@noble/hashes/sha2.js";
import { askAsDevice, type DeviceAccess, type Withheld } from "./authorised.ts";
import { hex, joined } from "./encoding.ts";
import type { FileStore } from "./files.ts";
import { errorText, readAnswer, refusalOf } from "./http.ts";
import { contentPath, type NeededFile } from "./storage.ts";

/** What came of fetching a file. Where it is not complete, the bytes that came stay for the next try, unless they were wrong. */
export type Downloaded =
  | { kind: "complete" }
  /** The bytes have another hash. They are gone. */
  | { kind: "wrong" }
  /** The server does not give the file, or the connection brings nothing of it. */
  | { kind: "failed"; error: string }
  /** The store does not take it. */
  | { kind: "disk"; error: string }
  | Withheld;

export interface DownloadOptions extends DeviceAccess {
  store: FileStore;
  /** How much is written down at once, but for what comes last; 512 KiB without it. */
  pieceBytes?: number;
}

/** A file may take as long as this in one go; the next try goes on behind what has come by then. */
const TIMEOUT_MS = 30 * 60_000;

/** A network brings a few kilobytes at a time; to write each of them down by itself would take longer than to fetch them. */
const PIECE_BYTES = 512 * 1024;

/** WebCrypto hashes only what is in memory as a whole, and a video may be larger than a player's memory. */
type Hash = ReturnType<typeof sha256.create>;

/** What of a file is here, and the hash of that. */
interface Kept {
  bytes: number;
  hash: Hash;
}

/**
 * Fetches a file, from where `keptBytes` end, and checks its SHA-256 before it is complete. Never throws.
 * @param keptBytes how much of it the store has.
 */
export async function download(options: DownloadOptions, file: NeededFile, keptBytes: number, signal: AbortSignal): Promise<Downloaded> {
  try {
    const tooMuch = file.bytes !== null && keptBytes > file.bytes;
    const kept = tooMuch ? await beginAnew(options, file) : await readKept(options, file);
    // It broke off between its last byte and the check.
    if (file.bytes !== null && kept.bytes === file.bytes) return await settle(options, file, kept);
    // A strong validator: a part of another file would never fit (RFC 9110, 13.1.5).
    const headers: Record<string, string> = kept.bytes > 0 ? { Range: `bytes=${kept.bytes}-`, "If-Range": `"${file.sha256}"` } : {};
    const asked = await askAsDevice(options, contentPath(file.sha256), { method: "GET", headers, timeoutMs: TIMEOUT_MS });
    return asked.kind === "answered" ? await take(options, file, kept, asked.response, signal) : asked;
  } catch (error) {
    return { kind: "disk", error: errorText(error) };
  }
}

async function take(options: DownloadOptions, file: NeededFile, kept: Kept, response: Response, signal: AbortSignal): Promise<Downloaded> {
  switch (response.status) {
    case 200:
      return await receive(options, file, kept.bytes > 0 ? await beginAnew(options, file) : kept, response, signal);
    case 206:
      if (response.headers.get("Content-Range")?.startsWith(`bytes ${kept.bytes}-`))
        return await receive(options, file, kept, response, signal);
      await response.body?.cancel();
      await beginAnew(options, file);
      return { kind: "wrong" };
    case 416:
      await response.body?.cancel();
      // There is no more of it than what is here.
      return await settle(options, file, kept);
    default: {
      const answer = await readAnswer(options.host, response);
      if (answer.kind === "unreachable") return { kind: "wait", retryAfterMs: null, reason: answer.error };
      return { kind: "failed", error: `File ${file.sha256}: ${refusalOf(answer).code}` };
    }
  }
}

async function receive(
  options: DownloadOptions,
  file: NeededFile,
  kept: Kept,
  response: Response,
  signal: AbortSignal,
): Promise<Downloaded> {
  const begunAt = kept.bytes;
  const broken = await appendAll(options, file, kept, response, signal);
  if (signal.aborted) return { kind: "wait", retryAfterMs: null, reason: "ENDED" };
  const short = file.bytes !== null && kept.bytes < file.bytes;
  if (broken === null && !short) return await settle(options, file, kept);
  const reason = broken ?? `it ended after ${kept.bytes} bytes`;
  if (kept.bytes > begunAt) return { kind: "wait", retryAfterMs: null, reason };
  return { kind: "failed", error: `File ${file.sha256}: ${reason}` };
}

/**
 * Appends what comes, in pieces that a disk takes well. Returns why it broke off; null where it ended, or became longer than the
 * file can be. @throws what the store throws.
 */
async function appendAll(
  { pieceBytes = PIECE_BYTES, store }: DownloadOptions,
  file: NeededFile,
  kept: Kept,
  response: Response,
  signal: AbortSignal,
): Promise<string | null> {
  const reader = response.body?.getReader();
  if (!reader) return null;
  const hangUp = () => void reader.cancel().catch(() => undefined);
  signal.addEventListener("abort", hangUp, { once: true });
  const gathered: Uint8Array[] = [];
  let bytes = 0;
  const flush = async () => {
    if (bytes > 0) await store.append(file.sha256, joined(gathered));
    gathered.length = 0;
    bytes = 0;
  };
  try {
    while (!signal.aborted && (file.bytes === null || kept.bytes <= file.bytes)) {
      const piece = await reader.read().catch((error: unknown) => errorText(error));
      if (typeof piece === "string" || piece.done) {
        await flush();
        return typeof piece === "string" ? piece : null;
      }
      gathered.push(piece.value);
      bytes += piece.value.length;
      kept.hash.update(piece.value);
      kept.bytes += piece.value.length;
      if (bytes >= pieceBytes) await flush();
    }
    await flush();
    return null;
  } finally {
    signal.removeEventListener("abort", hangUp);
    hangUp();
  }
}

async function settle({ store }: DownloadOptions, file: NeededFile, kept: Kept): Promise<Downloaded> {
  if (hex(kept.hash.digest()) !== file.sha256) {
    await store.remove(file.sha256);
    return { kind: "wrong" };
  }
  await store.complete(file.sha256);
  return { kind: "complete" };
}

async function readKept({ store }: DownloadOptions, file: NeededFile): Promise<Kept> {
  const kept: Kept = { bytes: 0, hash: sha256.create() };
  for await (const piece of store.read(file.sha256)) {
    kept.hash.update(piece);
    kept.bytes += piece.length;
  }
  return kept;
}

async function beginAnew({ store }: DownloadOptions, file: NeededFile): Promise<Kept> {
  await store.remove(file.sha256);
  return { bytes: 0, hash: sha256.create() };
}
