import canonicalize from "canonicalize";

/**
 * A record as JCS (RFC 8785). Flat records, which nearly all are, are written by hand, at a quarter of the library's cost; whatever else is in
 * them is the library's. A property test holds the two together.
 * @throws Error for a lone surrogate, or a number that JSON cannot hold.
 */
export function canonicalJson(record: Record<string, unknown>): string {
  const keys = Object.keys(record).sort();
  let text = "{";
  for (const key of keys) {
    const value = record[key];
    if (value === undefined) continue;
    text += `${text.length > 1 ? "," : ""}${canonicalString(key)}:${canonicalValue(value)}`;
  }
  return `${text}}`;
}

function canonicalValue(value: unknown): string {
  switch (typeof value) {
    case "string":
      return canonicalString(value);
    case "number":
      if (!Number.isFinite(value)) throw new Error("a number that JSON cannot hold");
      // ECMAScript's own form of a number is JCS's.
      return JSON.stringify(value);
    case "boolean":
      return value ? "true" : "false";
    default:
      return value === null ? "null" : (canonicalize(value) ?? "null");
  }
}

/** Text that needs no escape stands for itself. */
const PLAIN = /^[\x20\x21\x23-\x5b\x5d-\x7e]*$/;

function canonicalString(text: string): string {
  if (PLAIN.test(text)) return `"${text}"`;
  if (!text.isWellFormed()) throw new Error("a lone surrogate");
  return JSON.stringify(text);
}
