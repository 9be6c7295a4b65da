import { z } from "@hono/zod-openapi";
import type { PlayVerdict } from "../play.ts";
import { REJECTIONS, type RejectionCode } from "../rejection.ts";
import type { RateState } from "../sequencer/rate.ts";

/** What became of one record of a request. `id` is as the device wrote it, or the one that was derived. */
export type RecordAnswer =
  | { index: number; id: string; status: "accepted" | "duplicate"; told: PlayVerdict }
  | { index: number; id: string | null; status: "rejected"; code: RejectionCode; error: string };

/** What became of a request; each door says it in its own dialect. */
export interface Answered {
  /** One for each record, in the order in which they came. */
  records: RecordAnswer[];
  epoch: string;
  expectedSequence: number;
  rate: RateState;
}

/** The refused records as every door tells them; only the id has another name at each. */
export function errorsOf<K extends string>(records: RecordAnswer[], idField: K) {
  return records.flatMap((record) =>
    record.status === "rejected"
      ? [
          {
            index: record.index,
            ...({ [idField]: record.id } as Record<K, string | null>),
            code: record.code,
            error: record.error,
            retryable: REJECTIONS[record.code].retryable,
          },
        ]
      : [],
  );
}

/** What {@link errorsOf} gives and where the device's sequence stands, for OpenAPI. */
export function answerFields<K extends string>(idField: K) {
  return {
    errors: z.array(
      z.object({
        index: z.int(),
        ...({ [idField]: z.string().nullable() } as Record<K, z.ZodNullable<z.ZodString>>),
        code: z.enum(Object.keys(REJECTIONS) as [RejectionCode, ...RejectionCode[]]),
        error: z.string(),
        retryable: z.boolean(),
      }),
    ),
    epoch: z.string(),
    expected_sequence: z.int(),
    correlation_id: z.string(),
  };
}

/** How many of a request's records were sent before. */
export function duplicatesAmong(records: RecordAnswer[]): number {
  return records.filter((record) => record.status === "duplicate").length;
}
