import { z } from "@hono/zod-openapi";
import { pointerOf } from "../../platform/http.ts";
import { parseInstant } from "../../platform/time.ts";
import type { ShapedRecord } from "./dialect.ts";

// What fields of play logs are made of, in whatever dialect.

/** `null` is absent. */
export function optional<T extends z.ZodType>(schema: T) {
  return schema.nullish().transform((value) => value ?? undefined);
}

export const uuid = z.uuid().toLowerCase();

export const sha256 = z
  .string()
  .regex(/^[0-9a-fA-F]{64}$/, "must be a SHA-256 in hex")
  .toLowerCase();

/** An RFC 3339 date-time, as ms since 1970. */
export const instant = z.string().transform((text, context) => {
  const ms = parseInstant(text);
  if (ms !== null) return ms;
  context.addIssue({ code: "custom", message: "must be an RFC 3339 date-time" });
  return z.NEVER;
});

/** What a record is told that has not the shape of its dialect: the first field that is wrong. */
export function firstIssue(error: z.ZodError): ShapedRecord {
  const issue = error.issues[0];
  const pointer = pointerOf(issue?.path ?? []);
  return { ok: false, pointer, error: `${pointer || "The record"}: ${issue?.message ?? "is not valid"}` };
}
