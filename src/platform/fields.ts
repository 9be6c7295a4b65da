import { z } from "@hono/zod-openapi";

/** Field schemas that many features' bodies and answers share. */

export const NAME_MAX_CHARS = 200;

/** An id as it is stored and cited: a UUID in lower case. */
export const idField = z.uuid().toLowerCase();

export const nameField = z.string().trim().min(1).max(NAME_MAX_CHARS).meta({ example: "Saigon Centre" });

export const TAG_MAX_CHARS = 64;
export const MAX_TAGS = 50;

export const tagField = z.string().trim().min(1).max(TAG_MAX_CHARS);

/** Free words by which lists are narrowed (`?tag=`). */
export const tagsField = z
  .array(tagField)
  .max(MAX_TAGS)
  .refine((tags) => new Set(tags).size === tags.length, "names a tag twice")
  .meta({ example: ["autumn"] });

/** A calendar day, `YYYY-MM-DD`. */
export const dayField = z.iso.date();

/** A file's SHA-256 in lower-case hex. */
export const sha256Field = z
  .string()
  .regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hex digits")
  .meta({ example: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" });

/** An instant in an answer: RFC 3339 in UTC with milliseconds. */
export const timeField = z.iso.datetime({ precision: 3 });

const ZONE_NAME = /^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/;

/** An IANA time zone by name; offsets such as `+07:00` are none. */
export const zoneField = z
  .string()
  .max(64)
  .refine(isZone, "must be an IANA time zone such as Asia/Ho_Chi_Minh")
  .meta({ example: "Asia/Ho_Chi_Minh" });

/** Whether this runtime knows an IANA time zone of this name. */
export function isZone(name: string): boolean {
  if (!ZONE_NAME.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en", { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
