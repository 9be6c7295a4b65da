import canonicalize from "canonicalize";

/**
 * A record as JCS (RFC 8785). Flat records, which nearly all are, are written by hand, at a quarter of the library's cost; whatever else is in
 * them is the library's. A property test holds the two together.
 * @throws Error for a lone surrogate, or a number that JSON cannot hold.
 */
export function canonicalJson(record: Record<string, unknown>): string {
  return objectOf(sortedKeys(record).flatMap((key) => member(record, key)));
}

/** The two canonical forms of a record that matter. */
export interface CanonicalTexts {
  /** Without `signature`: what is signed. */
  signed: string;
  /** Without `signature` and `checksum`: what the checksum and the record's hash are of. */
  bare: string;
}

/** Both forms at once: see {@link canonicalJson}. */
export function canonicalTexts(record: Record<string, unknown>): CanonicalTexts {
  const members: string[] = [];
  let checksumAt = -1;
  for (const key of sortedKeys(record)) {
    if (key === "signature") continue;
    if (key === "checksum") checksumAt = members.length;
    members.push(...member(record, key));
  }
  const signed = objectOf(members);
  return { signed, bare: checksumAt < 0 ? signed : objectOf(members.toSpliced(checksumAt, 1)) };
}

function objectOf(members: string[]): string {
  return `{${members.join(",")}}`;
}

function member(record: Record<string, unknown>, key: string): string[] {
  const value = record[key];
  return value === undefined ? [] : [`${canonicalString(key)}:${canonicalValue(value)}`];
}

// The records of a device have the same fields in the same order, nearly always: these are the ones sorted last.
let lastKeys: string[] = [];
let lastSorted: string[] = [];

function sortedKeys(record: Record<string, unknown>): string[] {
  const keys = Object.keys(record);
  if (keys.length !== lastKeys.length || keys.some((key, index) => key !== lastKeys[index])) {
    lastKeys = keys;
    lastSorted = keys.toSorted();
  }
  return lastSorted;
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
