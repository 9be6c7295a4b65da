import { Problem } from "./errors.ts";

/** The strong ETag (RFC 9110) of a row's version. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/**
 * Holds an `If-Match` header against a row's version. Without a header anything goes; a weak tag never matches (RFC 9110, 13.1.1).
 * @throws Problem `precondition-failed` (412) where none of the tags is the row's.
 */
export function requireMatch(ifMatch: string | undefined, version: number): void {
  if (ifMatch === undefined || ifMatch.trim() === "*") return;
  const tags = ifMatch.split(",").map((tag) => tag.trim());
  if (tags.includes(etagOf(version))) return;
  throw new Problem("precondition-failed", "It was changed since you read it. Read it again, and send its new ETag in If-Match.", {
    headers: { ETag: etagOf(version) },
  });
}

/**
 * Whether an `If-None-Match` header names a tag (RFC 9110, 13.1.2: compared weakly). Tags without quotes, which players are
 * known to send, are taken as if they had them.
 */
export function matchesAny(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(",").map((tag) =>
    tag
      .trim()
      .replace(/^W\//, "")
      .replace(/^"(.*)"$/, "$1"),
  );
  return tags.includes("*") || tags.includes(etag);
}
