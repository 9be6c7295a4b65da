import { type CallOptions, call } from "../../api/client.ts";
import { type ApiError, asApiError } from "../../api/error.ts";
import { createStore } from "../../api/store.ts";
import { type ContentType, readContentAgain } from "./content.ts";
import { hashFile } from "./hash.ts";
import { putPart } from "./put-part.ts";
import { forgetUnfinished, keepUnfinished, unfinishedOf } from "./unfinished.ts";

const MB = 1024 * 1024;
const PART_BYTES = 5 * MB;
/** Above this, parts are larger, so that there are not too many. */
const LARGE_BYTES = 500 * MB;
const LARGE_PART_BYTES = 32 * MB;
const FILES_AT_ONCE = 2;
const PARTS_AT_ONCE = 2;
const RETRY_FIRST_MS = 1000;
const RETRY_MOST_MS = 15_000;

/** How far a file has come. */
export type Stage = "waiting" | "hashing" | "sending" | "retrying" | "paused" | "checking" | "done" | "failed";

export interface Upload {
  id: string;
  file: File;
  /** The content that it is a new version of; null: it becomes content of its own. */
  contentId: string | null;
  stage: Stage;
  /** Bytes hashed, then bytes that have arrived. */
  done: number;
  sha256: string | null;
  /** How many bytes were there already from an earlier try. */
  resumedAt: number;
  /** What it has come to: the content, and whether that had the file before. */
  result: { contentId: string; existed: boolean } | null;
  error: ApiError | null;
}

/** All uploads of this tab, oldest first. They go on while one looks at other pages. */
export const uploads = createStore<readonly Upload[]>([]);
const stops = new Map<string, AbortController>();

/** Takes up files: several go at once, the others wait. */
export function addUploads(files: readonly File[], contentId: string | null = null): void {
  const added = files.map(
    (file): Upload => ({
      id: crypto.randomUUID(),
      file,
      contentId,
      stage: "waiting",
      done: 0,
      sha256: null,
      resumedAt: 0,
      result: null,
      error: null,
    }),
  );
  uploads.set([...uploads.get(), ...added]);
  startNext();
}

export function pauseUpload(id: string): void {
  change(id, { stage: "paused" });
  stops.get(id)?.abort();
}

/** Goes on with a paused or failed upload where it was. */
export function resumeUpload(id: string): void {
  change(id, { stage: "waiting", error: null });
  startNext();
}

/** Takes an upload off the list. What has arrived of it stays for a while, so that it can be gone on with. */
export function dismissUpload(id: string): void {
  stops.get(id)?.abort();
  uploads.set(uploads.get().filter((upload) => upload.id !== id));
  startNext();
}

export function isUnderWay({ stage }: Upload): boolean {
  return stage === "hashing" || stage === "sending" || stage === "retrying" || stage === "checking";
}

addEventListener("beforeunload", (event) => {
  if (uploads.get().some((upload) => isUnderWay(upload) || upload.stage === "waiting")) event.preventDefault();
});

function change(id: string, part: Partial<Upload>): void {
  uploads.set(uploads.get().map((upload) => (upload.id === id ? { ...upload, ...part } : upload)));
}

function find(id: string): Upload | undefined {
  return uploads.get().find((upload) => upload.id === id);
}

function startNext(): void {
  const free = FILES_AT_ONCE - uploads.get().filter(isUnderWay).length;
  const next = uploads.get().filter(({ stage }) => stage === "waiting");
  for (const { id, sha256 } of next.slice(0, Math.max(0, free))) {
    // It is under way from here on, or it would be started twice.
    change(id, { stage: sha256 ? "sending" : "hashing" });
    void run(id);
  }
}

/** Brings one upload to its end. Where the server is away it waits, and goes on by itself. */
async function run(id: string): Promise<void> {
  const stop = new AbortController();
  stops.set(id, stop);
  for (let wait = RETRY_FIRST_MS; ; wait = Math.min(wait * 2, RETRY_MOST_MS)) {
    try {
      const result = await bring(id, stop.signal);
      change(id, { stage: "done", result });
      await readContentAgain();
      break;
    } catch (error) {
      if (stop.signal.aborted || !find(id)) break;
      const fault = asApiError(error);
      if (!fault.transient) {
        change(id, { stage: "failed", error: fault });
        break;
      }
      change(id, { stage: "retrying", error: fault });
      await pause(wait, stop.signal);
      if (stop.signal.aborted) break;
    }
  }
  if (stops.get(id) === stop) stops.delete(id);
  startNext();
}

async function bring(id: string, signal: AbortSignal): Promise<NonNullable<Upload["result"]>> {
  const { file, contentId } = mustFind(id);
  const sha256 = mustFind(id).sha256 ?? (await hashed(id, file, signal));
  const begun = unfinishedOf(sha256, contentId);
  const existing = begun ? null : await existingOf(sha256, contentId, signal);
  if (existing) return { contentId: existing, existed: true };
  const target = begun?.contentId ?? contentId ?? (await makeContent(id, file));
  const upload = await arrivedOf(target, begun?.uploadId ?? null, { file, sha256 }, signal);
  keepUnfinished({ sha256, contentId: target, uploadId: upload.id, name: file.name, bytes: file.size, forContent: contentId });
  await sendParts(id, file, upload, signal);
  change(id, { stage: "checking", done: file.size });
  const version = await call("POST /v1/admin/content/{id}/uploads/{upload_id}/complete", {
    path: { id: target, upload_id: upload.id },
    signal,
  } as CallOptions<"POST /v1/admin/content/{id}/uploads/{upload_id}/complete">).catch((error: unknown) => {
    // What the server refuses at the end is gone there; another try begins anew.
    if (!asApiError(error).transient && asApiError(error).status !== 0) forgetUnfinished(sha256);
    throw error;
  });
  forgetUnfinished(sha256);
  if (version.sha256 !== sha256) throw new Error("The server holds another file than was sent.");
  return { contentId: target, existed: false };
}

async function hashed(id: string, file: File, signal: AbortSignal): Promise<string> {
  change(id, { stage: "hashing", done: 0 });
  const sha256 = await hashFile(file, (done) => change(id, { done }), signal);
  change(id, { sha256, done: 0 });
  return sha256;
}

/** The content that holds the file already: any, or the one that it is for. */
async function existingOf(sha256: string, contentId: string | null, signal: AbortSignal): Promise<string | null> {
  const query = { sha256, limit: 1, ...(contentId ? { content_id: contentId } : {}) };
  const { items } = await call("GET /v1/admin/content-versions", { query, signal });
  return items[0]?.content_id ?? null;
}

async function makeContent(id: string, file: File): Promise<string> {
  const body = { name: file.name.replace(/\.[^.]+$/, "") || file.name, type: typeOf(file) };
  return (await call("POST /v1/admin/content", { body, idempotencyKey: id })).id;
}

/** What content a file is, by what the browser takes it for. The server looks at its bytes. */
export function typeOf({ type }: Pick<File, "type">): ContentType {
  if (type.startsWith("video/")) return "video";
  return type === "text/html" ? "web" : "image";
}

/** The upload on the server: the one that was begun before, where it is still there, or a new one. */
async function arrivedOf(
  contentId: string,
  uploadId: string | null,
  { file, sha256 }: { file: File; sha256: string },
  signal: AbortSignal,
) {
  if (uploadId) {
    try {
      return await call("GET /v1/admin/content/{id}/uploads/{upload_id}", { path: { id: contentId, upload_id: uploadId }, signal });
    } catch (error) {
      if (asApiError(error).status !== 404) throw error;
    }
  }
  const duration_ms = await videoLengthMs(file);
  const part_bytes = file.size > LARGE_BYTES ? LARGE_PART_BYTES : PART_BYTES;
  const body = { sha256, bytes: file.size, part_bytes, ...(duration_ms ? { duration_ms } : {}) };
  const made = await call("POST /v1/admin/content/{id}/uploads", { path: { id: contentId }, body, signal });
  return { ...made, parts: [] as { number: number; bytes: number }[] };
}

interface Arrived {
  id: string;
  content_id: string;
  part_bytes: number;
  parts: { number: number; bytes: number }[];
}

async function sendParts(id: string, file: File, upload: Arrived, signal: AbortSignal): Promise<void> {
  const there = new Set(upload.parts.map(({ number }) => number));
  const arrived = upload.parts.reduce((sum, { bytes }) => sum + bytes, 0);
  const missing = Array.from({ length: Math.ceil(file.size / upload.part_bytes) }, (_, at) => at + 1).filter(
    (number) => !there.has(number),
  );
  const sent = new Map<number, number>();
  const tell = (number: number, bytes: number) => {
    sent.set(number, bytes);
    change(id, { done: arrived + [...sent.values()].reduce((sum, part) => sum + part, 0) });
  };
  change(id, { stage: "sending", done: arrived, resumedAt: arrived, error: null });
  const next = async (): Promise<void> => {
    for (let number = missing.shift(); number !== undefined; number = missing.shift()) {
      const at = number;
      const part = file.slice((at - 1) * upload.part_bytes, at * upload.part_bytes);
      await putPart({ id: upload.content_id, upload_id: upload.id, number: at }, part, (bytes) => tell(at, bytes), signal).catch(
        (error: unknown) => {
          missing.length = 0;
          throw error;
        },
      );
      tell(at, part.size);
    }
  };
  // Where one part fails, those on their way still arrive, and need not be sent again.
  const ended = await Promise.allSettled(Array.from({ length: PARTS_AT_ONCE }, next));
  const failed = ended.find((one) => one.status === "rejected");
  if (failed) throw failed.reason;
}

/** How long a video runs, as the browser reads it; null where it cannot. */
async function videoLengthMs(file: File): Promise<number | null> {
  // The server reads it of an MP4 file itself.
  if (typeOf(file) !== "video" || file.type === "video/mp4") return null;
  const video = document.createElement("video");
  const url = URL.createObjectURL(file);
  try {
    return await new Promise((resolve) => {
      video.onloadedmetadata = () => resolve(Number.isFinite(video.duration) ? Math.round(video.duration * 1000) || null : null);
      video.onerror = () => resolve(null);
      video.preload = "metadata";
      video.src = url;
    });
  } finally {
    URL.revokeObjectURL(url);
  }
}

function mustFind(id: string): Upload {
  const upload = find(id);
  if (!upload) throw new DOMException("Taken off the list", "AbortError");
  return upload;
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
