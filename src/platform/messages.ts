import type { z } from "@hono/zod-openapi";

const NOUNS: Record<string, string> = {
  array: "a list",
  boolean: "true or false",
  int: "a whole number",
  number: "a number",
  object: "an object",
  record: "an object",
  string: "a string",
};

const FORMATS: Record<string, string> = {
  date: "a day such as 2026-12-24",
  datetime: "a date-time such as 2026-12-24T08:00:00Z",
  ulid: "a ULID",
  url: "a URL",
  uuid: "a UUID",
};

/** What a limit of a string or a list counts: one, many. */
const COUNTED: Record<string, [one: string, many: string]> = { string: ["character", "characters"], array: ["entry", "entries"] };

/**
 * What is wrong with a value, said of its field: `must be …`. Where this knows no better, or the schema has words of its own,
 * these are taken. Pure.
 */
export function messageOf(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      return issue.input === undefined ? "is missing" : `must be ${NOUNS[issue.expected] ?? issue.expected}`;
    case "invalid_value": {
      const values = issue.values.map((value) => JSON.stringify(value));
      const known = values.length === 1 ? `must be ${values[0]}` : `must be one of ${values.join(", ")}`;
      return issue.input === undefined ? `is missing; it ${known}` : known;
    }
    case "too_small":
      return limitText(issue.origin, issue.inclusive === false ? "over" : "at least", issue.minimum);
    case "too_big":
      return limitText(issue.origin, issue.inclusive === false ? "less than" : "at most", issue.maximum);
    case "invalid_format":
      // An empty field of a form, whatever it should hold.
      if (issue.input === "") return "is missing";
      return FORMATS[issue.format] && `must be ${FORMATS[issue.format]}`;
    default:
      return undefined;
  }
}

function limitText(origin: string, how: string, limit: number | bigint): string {
  const counted = COUNTED[origin];
  if (!counted) return `must be ${how} ${limit}`;
  const [one, many] = counted;
  if (how === "at least" && Number(limit) === 1) return origin === "string" ? "must not be empty" : `must have at least one ${one}`;
  return `must have ${how} ${limit} ${Number(limit) === 1 ? one : many}`;
}
