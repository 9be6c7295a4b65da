import { call } from "../../api/client.ts";
import { createStore } from "../../api/store.ts";

/** An upload that was begun and has not ended, kept so that it can be gone on with after the page was closed. */
export interface Unfinished {
  sha256: string;
  contentId: string;
  uploadId: string;
  /** The file's. */
  name: string;
  bytes: number;
  /** The content that it was to be a new version of; null: content of its own. */
  forContent: string | null;
}

const KEY = "alive.uploads";

/** All of this browser, oldest first. */
export const unfinished = createStore<readonly Unfinished[]>(read());

function read(): Unfinished[] {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(kept) ? (kept as Unfinished[]) : [];
  } catch {
    return [];
  }
}

function write(list: readonly Unfinished[]): void {
  localStorage.setItem(KEY, JSON.stringify(list));
  unfinished.set(list);
}

export function keepUnfinished(one: Unfinished): void {
  write([...read().filter(({ sha256 }) => sha256 !== one.sha256), one]);
}

export function forgetUnfinished(sha256: string): void {
  write(read().filter((one) => one.sha256 !== sha256));
}

/** The upload of this file that was cut off, for the same purpose. */
export function unfinishedOf(sha256: string, contentId: string | null): Unfinished | null {
  return read().find((one) => one.sha256 === sha256 && one.forContent === contentId) ?? null;
}

/** Gives one up: what has arrived of it is deleted on the server. */
export async function discardUnfinished({ sha256, contentId, uploadId }: Unfinished): Promise<void> {
  forgetUnfinished(sha256);
  await call("DELETE /v1/admin/content/{id}/uploads/{upload_id}", { path: { id: contentId, upload_id: uploadId } });
}
