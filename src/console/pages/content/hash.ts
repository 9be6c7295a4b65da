import { sha256 } from "@noble/hashes/sha2.js";

const SLICE_BYTES = 2 * 1024 * 1024;
/** What is smaller is hashed at once, by the browser itself. */
const WHOLE_MAX_BYTES = 32 * 1024 * 1024;

/** SHA-256 of a file in lower-case hex, read piece by piece where it is large. @throws DOMException `AbortError` when told to stop. */
export async function hashFile(file: Blob, onRead: (bytes: number) => void, signal: AbortSignal): Promise<string> {
  if (file.size <= WHOLE_MAX_BYTES) {
    const digest = await crypto.subtle.digest("SHA-256", await file.arrayBuffer());
    onRead(file.size);
    return hex(new Uint8Array(digest));
  }
  const hash = sha256.create();
  for (let at = 0; at < file.size; at += SLICE_BYTES) {
    signal.throwIfAborted();
    hash.update(new Uint8Array(await file.slice(at, at + SLICE_BYTES).arrayBuffer()));
    onRead(Math.min(file.size, at + SLICE_BYTES));
  }
  return hex(hash.digest());
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
