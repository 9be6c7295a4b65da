import { z } from "@hono/zod-openapi";
import { isObject } from "../platform/body.ts";
import { Problem, problemBody } from "../platform/errors.ts";
import { validationProblem } from "../platform/http.ts";
import { duplicatesAmong, errorsOf, type RecordAnswer } from "../plays/intake/answers.ts";
import { MAX_FRAME_ID_CHARS } from "./limits.ts";

/** What a device calls a frame: the answer carries it. */
export type FrameId = string | number;

export const FRAME_TYPES = ["plays", "heartbeat", "command_result"] as const;

/** A frame from a device. Its body is the frame itself, and is read by what its type asks for. */
export interface Frame {
  id: FrameId;
  type: (typeof FRAME_TYPES)[number];
  body: Record<string, unknown>;
}

/** A frame to a device. */
export type OutFrame = { type: string } & Record<string, unknown>;

const idSchema = z.union([z.string().min(1).max(MAX_FRAME_ID_CHARS), z.int()], {
  error: (issue) =>
    issue.input === undefined ? "is missing" : `must be a text of 1 to ${MAX_FRAME_ID_CHARS} characters, or a whole number`,
});
const frameSchema = z.object({ id: idSchema, type: z.enum(FRAME_TYPES) });

/** Reads a text frame. Never throws; `id` is null where the frame has none that can be told back. */
export function readFrame(text: string): { frame: Frame } | { id: FrameId | null; problem: Problem } {
  let body: unknown;
  try {
    body = JSON.parse(text);
  } catch {
    return { id: null, problem: new Problem("validation-error", "The frame is no JSON.", { code: "INVALID_JSON" }) };
  }
  if (!isObject(body)) {
    return { id: null, problem: new Problem("validation-error", "A frame is a JSON object.", { code: "VALIDATION_ERROR" }) };
  }
  const parsed = frameSchema.safeParse(body);
  if (parsed.success) return { frame: { ...parsed.data, body } };
  const id = idSchema.safeParse(body.id);
  return { id: id.success ? id.data : null, problem: validationProblem(parsed.error) };
}

/** Why a frame was refused as a whole: the problem document that the same request over HTTP is answered with. */
export function errorFrame(id: FrameId | null, problem: Problem, correlationId: string): OutFrame {
  const retryAfterS = Number(problem.options.headers?.["Retry-After"]);
  return {
    type: "error",
    id,
    problem: problemBody(problem, correlationId),
    ...(Number.isFinite(retryAfterS) ? { retry_after_s: retryAfterS } : {}),
  };
}

/** What became of the logs of a frame, in the words of a batch's answer, with a verdict for each that the platform now holds. */
export function verdictsOf(records: RecordAnswer[]): Record<string, unknown> {
  const errors = errorsOf(records, "log_id");
  const verdicts = records.flatMap((record) => {
    if (record.status === "rejected") return [];
    const { billable, quality, flags } = record.told;
    return [{ index: record.index, log_id: record.id, status: record.status, billable, quality_score: quality, flags }];
  });
  return {
    processed: verdicts.length,
    duplicates: duplicatesAmong(records),
    failed: errors.length,
    errors,
    verdicts,
  };
}
