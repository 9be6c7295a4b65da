import canonicalize from "canonicalize";

/**
 * A record as JCS (RFC 8785). Flat records, which nearly all are, are written by hand, at a quarter of the library's cost; whatever else is in
 * them is the library's. A property test holds the two together.
 * @throws Error for a lone surrogate, or a number that JSON cannot hold.
 */
export function canonicalJson(record: Record<string, unknown>): string {
  return canonicalTexts(record, null).signed;
}

/** The two canonical forms of a record that matter. */
export interface CanonicalTexts {
  /** Without `signature`: what is signed. */
  signed: string;
  /** Without `signature` and `checksum`: what the checksum and the record's hash are of. */
  bare: string;
}

/** Both forms at once: see {@link canonicalJson}. `without`: the member that stands in neither. */
export function canonicalTexts(record: Record<string, unknown>, without: string | null = "signature"): CanonicalTexts {
  let signed = "";
  // The same text until the checksum's place.
  let bare: string | null = null;
  for (const { key, name } of sortedMembers(record)) {
    const value = record[key];
    if (key === without || value === undefined) continue;
    if (key === "checksum") bare = signed;
    const member = name + canonicalValue(value);
    if (bare !== null && key !== "checksum") bare = bare === "" ? member : `${bare},${member}`;
    signed = signed === "" ? member : `${signed},${member}`;
  }
  const whole = `{${signed}}`;
  return { signed: whole, bare: bare === null ? whole : `{${bare}}` };
}

/** A member's key, and as it stands before its value. */
interface Member {
  key: string;
  name: string;
}

// The records of a device have the same fields in the same order, nearly always: these are the ones sorted last.
let lastKeys: string[] = [];
let lastSorted: Member[] = [];

function sortedMembers(record: Record<string, unknown>): Member[] {
  const keys = Object.keys(record);
  if (keys.length !== lastKeys.length || keys.some((key, index) => key !== lastKeys[index])) {
    const sorted = keys.toSorted().map((key) => ({ key, name: `${canonicalString(key)}:` }));
    lastKeys = keys;
    lastSorted = sorted;
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
