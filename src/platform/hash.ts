import { createHash } from "node:crypto";

/** SHA-256 in lower-case hex, at once: where many small texts are hashed, a promise for each costs more than the hash. */
export function sha256Now(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}
