import { decodeBase64 } from "../platform/encoding.ts";

const SHA256_BYTES = 32;

/** What a sender says of a body's hash: hex, or null where it says nothing, or what is wrong with what it says. */
export type DeclaredHash = { sha256: string | null } | { error: string };

/**
 * The SHA-256 that a request declares of its body, by `Content-Digest` (RFC 9530: `sha-256=:base64:`) or in its query.
 * Digests by other algorithms are passed over, as the RFC has it. Pure.
 * @param inQuery lower-case hex
 */
export function declaredHash(contentDigest: string | undefined, inQuery: string | undefined): DeclaredHash {
  const inHeader = contentDigest === undefined ? null : digestOf(contentDigest);
  if (inHeader === "unreadable") return { error: "Content-Digest must have the form sha-256=:base64 of the 32 bytes:" };
  if (inHeader !== null && inQuery !== undefined && inHeader !== inQuery) {
    return { error: "Content-Digest and sha256 declare different hashes." };
  }
  return { sha256: inHeader ?? inQuery ?? null };
}

function digestOf(contentDigest: string): string | null {
  const member = contentDigest
    .split(",")
    .map((part) => part.trim())
    .find((part) => part.startsWith("sha-256="));
  if (member === undefined) return /^[a-z][a-z0-9-]*=:[A-Za-z0-9+/=]*:/.test(contentDigest.trim()) ? null : "unreadable";
  const base64 = /^sha-256=:([A-Za-z0-9+/]+={0,2}):$/.exec(member)?.[1];
  const bytes = base64 === undefined ? null : decodeBase64(base64);
  return bytes?.length === SHA256_BYTES ? bytes.toHex() : "unreadable";
}
