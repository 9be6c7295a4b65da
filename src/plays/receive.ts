import { z } from "@hono/zod-openapi";
import { authenticateDevice, type DeviceIdentity } from "../devices/token.ts";
import { isObject, readJson } from "../platform/body.ts";
import { Problem } from "../platform/errors.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { hashId, log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { parseInstant } from "../platform/time.ts";
import { playbackLogSchema } from "./dialects/playback-log.ts";
import { type Examined, examine, type Received } from "./examine.ts";
import { isFlooding } from "./flood.ts";
import { type LogAnswer, type RequestAnswer, readAnswers } from "./handover.ts";
import { ADMIT_TIMEOUT_MS, MAX_BODY_BYTES } from "./limits.ts";
import type { PlayVerdict } from "./play.ts";
import { type Door, MAX_RECORDS } from "./policy.ts";
import type { RateState } from "./rate.ts";
import { REJECTIONS, type RejectionCode } from "./rejection.ts";

/**
 * The door for playback logs. A request: authenticate · body · shape, checksum and signature of each record · one call of the
 * device's sequencer, which judges and keeps · answer. Nothing is read from storage here but the catalogue, which is cached.
 */
export const playbackLogRoutes = createRouter();

playbackLogRoutes.post("/api/v1/playback-logs", async (c) => {
  const { identity, receivedAt } = await enter(c);
  const body = await readJson(c.req.raw, MAX_BODY_BYTES);
  if (!isObject(body))
    throw new Problem("validation-error", "The body must be one playback log, a JSON object.", { code: "VALIDATION_ERROR" });
  const answer = await admit(c, receive("playback-log", identity, receivedAt, [body], c.req.header("Sent-At")));
  const [record] = answer.records;
  if (!record) throw new Error("unreachable: one record in, one out");
  if (record.status === "rejected") {
    throw new Problem("play-refused", record.error, {
      code: record.code,
      headers: rateHeaders(answer.rate),
      extra: { log_id: record.logId, retryable: REJECTIONS[record.code].retryable },
    });
  }
  return c.json(
    {
      log_id: record.logId,
      status: record.status,
      billable: record.told.billable,
      quality_score: record.told.quality,
      flags: record.told.flags,
      epoch: answer.epoch,
      expected_sequence: answer.expectedSequence,
      correlation_id: c.get("correlationId"),
    },
    202,
    rateHeaders(answer.rate),
  );
});

playbackLogRoutes.post("/api/v1/playback-logs/batch", async (c) => {
  const { identity, receivedAt } = await enter(c);
  const { records, sentAt } = readBatch(await readJson(c.req.raw, MAX_BODY_BYTES), MAX_RECORDS["playback-log"]);
  const answer = await admit(c, receive("playback-log", identity, receivedAt, records, c.req.header("Sent-At") || sentAt));
  const errors = answer.records.flatMap((record) =>
    record.status === "rejected"
      ? [
          {
            index: record.index,
            log_id: record.logId,
            code: record.code,
            error: record.error,
            retryable: REJECTIONS[record.code].retryable,
          },
        ]
      : [],
  );
  return c.json(
    {
      processed: records.length - errors.length,
      duplicates: answer.records.filter((record) => record.status === "duplicate").length,
      failed: errors.length,
      errors,
      epoch: answer.epoch,
      expected_sequence: answer.expectedSequence,
      correlation_id: c.get("correlationId"),
    },
    202,
    rateHeaders(answer.rate),
  );
});

/** Who comes, and when. The cheap checks stand before the costly ones: a flood ends here, before a body is read. */
async function enter(c: AppContext): Promise<{ identity: DeviceIdentity; receivedAt: number }> {
  const receivedAt = Date.now();
  const identity = await authenticateDevice(c.req.raw.headers, c.env, receivedAt);
  if (await isFlooding(c.env.FLOOD_LIMIT, identity.deviceId, receivedAt)) {
    throw new Problem("rate-limit-exceeded", "Far too many requests; send logs in batches.", { headers: { "Retry-After": "60" } });
  }
  return { identity, receivedAt };
}

/** Reads a batch's body. @throws Problem where it is none, or holds too many records. */
export function readBatch(body: unknown, most: number): { records: unknown[]; sentAt: string | undefined } {
  if (!isObject(body) || !Array.isArray(body.logs)) {
    throw new Problem("validation-error", 'The body must be {"logs":[…]}.', {
      code: "VALIDATION_ERROR",
      errors: [{ pointer: "/logs", detail: "must be an array" }],
    });
  }
  if (body.logs.length === 0) {
    throw new Problem("validation-error", "The batch holds no logs.", {
      code: "VALIDATION_ERROR",
      errors: [{ pointer: "/logs", detail: "must not be empty" }],
    });
  }
  if (body.logs.length > most) {
    throw new Problem("batch-too-large", `A batch may hold ${most} logs; this one holds ${body.logs.length}.`);
  }
  return { records: body.logs, sentAt: typeof body.sent_at === "string" ? body.sent_at : undefined };
}

/** A request's records as they came in at a door. */
export function receive(
  door: Door,
  identity: DeviceIdentity,
  receivedAt: number,
  records: unknown[],
  sentAtText: string | undefined,
): Received {
  return {
    door,
    receivedAt,
    identity,
    records,
    sentAtText: sentAtText ?? null,
    sentAt: sentAtText === undefined ? null : parseInstant(sentAtText),
  };
}

/** What became of one record of a request. */
export type RecordAnswer =
  | { index: number; logId: string; status: "accepted" | "duplicate"; told: PlayVerdict }
  | { index: number; logId: string | null; status: "rejected"; code: RejectionCode; error: string };

interface Answered {
  /** One for each record, in the order in which they came. */
  records: RecordAnswer[];
  epoch: string;
  expectedSequence: number;
  rate: RateState;
}

/** Hands the request to the device's sequencer; what refuses it as a whole is thrown. */
async function admit(c: AppContext, received: Received): Promise<Answered> {
  const { identity } = received;
  const examined = await examine(received, c.req.header("Batch-Signature") ?? null, c.env.DB, c.get("correlationId"));
  let answer: RequestAnswer;
  try {
    const sequencer = c.env.SEQUENCER.getByName(identity.deviceId);
    answer = (await withTimeout(sequencer.admit(examined.request) as Promise<unknown>, ADMIT_TIMEOUT_MS, "admission")) as RequestAnswer;
  } catch (cause) {
    throw new Problem("service-unavailable", "The device's sequencer does not answer now; send the same logs again.", {
      headers: { "Retry-After": "5" },
      cause,
    });
  }
  if (answer.kind === "answered") {
    const { epoch, expectedSequence, rate } = answer;
    const records = recordAnswers(examined, readAnswers(answer.logs));
    logRefusals(records, received, c.get("correlationId"));
    return { records, epoch, expectedSequence, rate };
  }
  if (answer.kind === "rate-limited") {
    log("warn", "rate limit exceeded", {
      correlation_id: c.get("correlationId"),
      device: await hashId(c.env.HASH_SECRET, identity.deviceId),
      endpoint: c.req.path,
    });
  }
  throw wholeRefusal(answer);
}

/** What the sequencer answered and what was refused before it, record by record. */
export function recordAnswers(examined: Examined, answers: LogAnswer[]): RecordAnswer[] {
  const judged = examined.logs.map(({ index, givenId: logId }, at): RecordAnswer => {
    const answer = answers[at];
    if (!answer) throw new Error("unreachable: one answer for each log");
    if (answer.status === "rejected") return { index, logId, ...answer, error: REJECTIONS[answer.code].error };
    return { index, logId, ...answer };
  });
  if (examined.refused.length === 0) return judged;
  const refused = examined.refused.map(
    ({ index, logId, code, error }): RecordAnswer => ({ index, logId, status: "rejected", code, error }),
  );
  return [...judged, ...refused].sort((a, b) => a.index - b.index);
}

export function wholeRefusal(answer: Exclude<RequestAnswer, { kind: "answered" }>): Problem {
  switch (answer.kind) {
    case "unknown-device":
      return new Problem("unauthorized", "There is no such device.", { code: "DEVICE_UNKNOWN" });
    case "superseded":
      return new Problem("unauthorized", "The token belongs to a player that is no longer this device's.", { code: "TOKEN_SUPERSEDED" });
    case "revoked":
      return new Problem("device-revoked", "The device was revoked; it writes nothing any more.");
    case "rate-limited":
      return new Problem("rate-limit-exceeded", "Over the device's rate; send logs in batches.", {
        headers: { ...rateHeaders(answer.rate), "Retry-After": String(answer.rate.resetS) },
      });
    case "outbox-full":
      return new Problem("service-unavailable", "The device's outbox is full; what it holds is safe. Send these logs again later.", {
        code: "OUTBOX_FULL",
        headers: { "Retry-After": String(answer.retryAfterS) },
      });
    case "unavailable":
      return new Problem("service-unavailable", "Cannot be judged now; send the same logs again.", {
        headers: { "Retry-After": String(answer.retryAfterS) },
      });
  }
}

/** The rate's headers (draft-ietf-httpapi-ratelimit-headers). */
function rateHeaders(rate: RateState): Record<string, string> {
  return { "RateLimit-Policy": `"device";q=${rate.limit};w=60`, RateLimit: `"device";r=${rate.remaining};t=${rate.resetS}` };
}

export function logRefusals(records: RecordAnswer[], received: Received, correlationId: string): void {
  const codes: Record<string, number> = {};
  for (const record of records) if (record.status === "rejected") codes[record.code] = (codes[record.code] ?? 0) + 1;
  if (Object.keys(codes).length > 0) log("warn", "play logs refused", { correlation_id: correlationId, door: received.door, codes });
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
    errors: z.array(
      z.object({
        index: z.int(),
        log_id: z.string().nullable(),
        code: z.enum(Object.keys(REJECTIONS)),
        error: z.string(),
        retryable: z.boolean(),
      }),
    ),
    epoch: z.string(),
    expected_sequence: z.int(),
    correlation_id: z.string(),
  })
  .openapi("BatchAnswer");
const described = { tags: ["Play logs"], security: [{ device: [] }] };
playbackLogRoutes.openAPIRegistry.registerPath({
  ...described,
  method: "post",
  path: "/api/v1/playback-logs",
  summary: "Report one play",
  request: { headers, body: { required: true, content: { "application/json": { schema: playbackLogSchema.openapi("PlaybackLog") } } } },
  responses: responses(202, "What became of it; a retry gets the first verdict again. A refused log is a 422 problem.", verdictSchema),
});
playbackLogRoutes.openAPIRegistry.registerPath({
  ...described,
  method: "post",
  path: "/api/v1/playback-logs/batch",
  summary: "Report up to 100 plays",
  request: {
    headers,
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z
            .object({ sent_at: z.string().optional(), logs: z.array(playbackLogSchema).min(1).max(100) })
            .openapi("PlaybackLogBatch"),
        },
      },
    },
  },
  responses: responses(202, "What became of each record; processed + failed = sent.", batchAnswerSchema),
});
