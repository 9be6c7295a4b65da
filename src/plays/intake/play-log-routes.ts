import { z } from "@hono/zod-openapi";
import { isObject } from "../../platform/body.ts";
import { Problem } from "../../platform/errors.ts";
import { type AppContext, createRouter, responses } from "../../platform/http.ts";
import { playbackLogSchema } from "../dialects/playback-log.ts";
import { REJECTIONS } from "../rejection.ts";
import { type Answered, answerFields, duplicatesAmong, errorsOf } from "./answers.ts";
import { rateHeaders, readBatch, readSingle, receive } from "./receive.ts";

/** The doors that take play logs: playback logs, and impressions, which are the same under another address and with a shorter memory. */
export const playLogRoutes = createRouter();

playLogRoutes.post("/api/v1/playback-logs", async (c) => answerSingle(c, await receive(c, "playback-log", readSingle)));
playLogRoutes.post("/api/v1/playback-logs/batch", async (c) =>
  answerBatch(c, await receive(c, "playback-log", (body) => readBatch(body, "playback-log"))),
);
playLogRoutes.post("/v1/device/impressions", async (c) => {
  let several = false;
  const answered = await receive(c, "impression", (body) => {
    several = isObject(body) && "impressions" in body;
    return several ? readBatch(body, "impression") : readSingle(body);
  });
  return several ? answerBatch(c, answered) : answerSingle(c, answered);
});

function answerSingle(c: AppContext, { records, epoch, expectedSequence, rate }: Answered): Response {
  const [record] = records;
  if (!record) throw new Error("unreachable: one record in, one out");
  if (record.status === "rejected") {
    throw new Problem("play-refused", record.error, {
      code: record.code,
      headers: rateHeaders(rate),
      extra: { log_id: record.id, retryable: REJECTIONS[record.code].retryable },
    });
  }
  const { billable, quality, flags } = record.told;
  return c.json(
    {
      log_id: record.id,
      status: record.status,
      billable,
      quality_score: quality,
      flags,
      epoch,
      expected_sequence: expectedSequence,
      correlation_id: c.get("correlationId"),
    },
    202,
    rateHeaders(rate),
  );
}

function answerBatch(c: AppContext, { records, epoch, expectedSequence, rate }: Answered): Response {
  const errors = errorsOf(records, "log_id");
  return c.json(
    {
      processed: records.length - errors.length,
      duplicates: duplicatesAmong(records),
      failed: errors.length,
      errors,
      epoch,
      expected_sequence: expectedSequence,
      correlation_id: c.get("correlationId"),
    },
    202,
    rateHeaders(rate),
  );
}

// The routes above check by themselves, in the order of the product's rules, and are described here for OpenAPI only.

const headers = z.object({
  "Sent-At": z.string().optional().meta({ description: "When the request leaves, by the device's clock (RFC 3339)." }),
  "Batch-Signature": z.string().optional().meta({ description: "A signature over the whole batch, where the group's policy allows it." }),
});
const verdictSchema = z
  .object({
    log_id: z.uuid(),
    status: z.enum(["accepted", "duplicate"]),
    billable: z.boolean(),
    quality_score: z.int(),
    flags: z.array(z.string()),
    epoch: z.string(),
    expected_sequence: z.int(),
    correlation_id: z.string(),
  })
  .openapi("PlayVerdict");
const batchAnswerSchema = z
  .object({
    processed: z.int(),
    duplicates: z.int(),
    failed: z.int(),
    ...answerFields("log_id"),
  })
  .openapi("BatchAnswer");
const log = playbackLogSchema.openapi("PlaybackLog");
const sentAt = z.string().optional();
const described = { method: "post" as const, tags: ["Play logs"], security: [{ device: [] }] };
playLogRoutes.openAPIRegistry.registerPath({
  ...described,
  path: "/api/v1/playback-logs",
  summary: "Report one play",
  request: { headers, body: { required: true, content: { "application/json": { schema: log } } } },
  responses: responses(202, "What became of it; a retry gets the first verdict again. A refused log is a 422 problem.", verdictSchema),
});
playLogRoutes.openAPIRegistry.registerPath({
  ...described,
  path: "/api/v1/playback-logs/batch",
  summary: "Report up to 100 plays",
  request: {
    headers,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.object({ sent_at: sentAt, logs: z.array(log).min(1).max(100) }).openapi("PlaybackLogBatch"),
        },
      },
    },
  },
  responses: responses(202, "What became of each record; processed + failed = sent.", batchAnswerSchema),
});
playLogRoutes.openAPIRegistry.registerPath({
  ...described,
  path: "/v1/device/impressions",
  summary: "Report one play, or up to 100, of the last 4 hours",
  request: {
    headers,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.union([log, z.object({ sent_at: sentAt, impressions: z.array(log).min(1).max(100) }).openapi("ImpressionBatch")]),
        },
      },
    },
  },
  responses: responses(
    202,
    "As playback logs: of one play its verdict, of several what became of each.",
    z.union([verdictSchema, batchAnswerSchema]),
  ),
});
