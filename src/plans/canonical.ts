import canonicalize from "canonicalize";

/** Plain data as JCS (RFC 8785): the same text for the same data, whatever the order of its keys. Keys that are undefined are not there. */
export function canonicalText(data: unknown): string {
  return canonicalize(data) ?? "null";
}
