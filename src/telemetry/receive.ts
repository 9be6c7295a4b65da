import { z } from "@hono/zod-openapi";
import { bearerToken } from "../auth/admin.ts";
import { authenticateReporter } from "../auth/reporter.ts";
import { TOKEN_PREFIX } from "../auth/tokens.ts";
import { authenticateDevice } from "../devices/token.ts";
import { isObject, readJson } from "../platform/body.ts";
import { Problem } from "../platform/errors.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { type LoggedCaller, logRateExceeded, logRequest } from "../plays/intake/door-log.ts";
import { refuseFlood } from "../plays/intake/flood.ts";
import { queuesInUse } from "../plays/queues.ts";
import { queueBacklog } from "./backlog.ts";
import { TELEMETRY_DOOR, TELEMETRY_REJECTIONS, TELEMETRY_TYPES } from "./event.ts";
import { MAX_AGE_BATCH_MS, MAX_AGE_SINGLE_MS, MAX_TELEMETRY_BODY_BYTES, MAX_TELEMETRY_EVENTS } from "./limits.ts";
import { type EventAnswer, rateHeaders, type Sender, type Submitted, submitEvents } from "./submit.ts";

/**
 * The door for telemetry, from devices and from reporters. A request: authenticate · body · shape and track of each event · one call of each
 * player's sequencer · answer. Telemetry bills nothing.
 */
export const telemetryRoutes = createRouter();

telemetryRoutes.post("/telemetry/playback", async (c) => {
  const { sender, receivedAt } = await enter(c);
  const { events, rate } = await submit(c, sender, receivedAt, [await readJson(c.req.raw, MAX_TELEMETRY_BODY_BYTES)], MAX_AGE_SINGLE_MS);
  const [event] = events;
  if (!event) throw new Error("unreachable: one event in, one out");
  if (event.status === "rejected") throw eventProblem(event, rateHeaders(rate));
  return c.json(
    { accepted: true, ...(event.status === "sampled" && { sampled: true }), correlationId: c.get("correlationId") },
    202,
    rateHeaders(rate),
  );
});

telemetryRoutes.post("/telemetry/playback/batch", async (c) => {
  const { sender, receivedAt } = await enter(c);
  const records = readBatch(await readJson(c.req.raw, MAX_TELEMETRY_BODY_BYTES));
  const { events, rate } = await submit(c, sender, receivedAt, records, MAX_AGE_BATCH_MS);
  const errors = events.flatMap((event, index) => {
    if (event.status !== "rejected") return [];
    const { code, error, eventId } = event;
    return [{ index, eventId: eventId ?? givenId(records[index]), code, error, retryable: TELEMETRY_REJECTIONS[code].retryable }];
  });
  const duplicates = countOf(events, "duplicate");
  const sampled = countOf(events, "sampled");
  return c.json(
    {
      accepted: events.length - errors.length - duplicates,
      rejected: errors.length,
      duplicates,
      ...(sampled > 0 && { sampled: true, sampledCount: sampled }),
      correlationId: c.get("correlationId"),
      errors,
    },
    202,
    rateHeaders(rate),
  );
});

/** Who comes, and when. A device's flood ends here, before a body is read. */
async function enter(c: AppContext): Promise<{ sender: Sender; receivedAt: number }> {
  const receivedAt = Date.now();
  const { headers } = c.req.raw;
  if (bearerToken(headers)?.startsWith(TOKEN_PREFIX)) {
    return { sender: { kind: "reporter", ...(await authenticateReporter(headers, c.env, receivedAt)) }, receivedAt };
  }
  const { deviceId, familyId } = await authenticateDevice(headers, c.env, receivedAt);
  const sender: Sender = { kind: "device", deviceId, familyId };
  await refuseFlood(c.env, loggedSender(c, sender), receivedAt, "send events in batches");
  return { sender, receivedAt };
}

function readBatch(body: unknown): unknown[] {
  if (!isObject(body) || !Array.isArray(body.events) || body.events.length === 0) {
    throw new Problem("validation-error", 'The body must be {"events":[…]} with 1 to 50 events.', {
      code: "VALIDATION_ERROR",
      errors: [{ pointer: "/events", detail: "must be an array that is not empty" }],
    });
  }
  if (body.events.length > MAX_TELEMETRY_EVENTS) {
    throw new Problem("batch-too-large", `A batch may hold ${MAX_TELEMETRY_EVENTS} events; this one holds ${body.events.length}.`);
  }
  return body.events;
}

async function submit(c: AppContext, sender: Sender, receivedAt: number, records: unknown[], maxAgeMs: number): Promise<Submitted> {
  const correlationId = c.get("correlationId");
  const queueMessages = queueBacklog(queuesInUse(c.env), receivedAt, (work) => c.executionCtx.waitUntil(work));
  try {
    const submitted = await submitEvents({ sender, records, receivedAt, correlationId, maxAgeMs, queueMessages }, c.env);
    const outcomes = submitted.events.map((event, index) => ({ ...event, index }));
    await logRequest(c.env, { ...loggedSender(c, sender), door: TELEMETRY_DOOR, eventTypes: typesOf(records) }, outcomes);
    return submitted;
  } catch (error) {
    if (error instanceof Problem && error.type === "rate-limit-exceeded") {
      await logRateExceeded(c.env, loggedSender(c, sender));
    }
    throw error;
  }
}

/** The type of each record where it is one, for log lines. */
function typesOf(records: unknown[]): string[] {
  return records.map((record) => {
    const type = isObject(record) && typeof record.eventType === "string" ? record.eventType.toLowerCase() : "";
    return TELEMETRY_TYPES.find((one) => one === type) ?? "unknown";
  });
}

/** Under what the sender stands in log lines, hashed. */
function loggedSender(c: AppContext, sender: Sender): LoggedCaller {
  const device = sender.kind === "device";
  return {
    correlationId: c.get("correlationId"),
    deviceId: device ? sender.deviceId : sender.tokenId,
    tokenId: device ? sender.familyId : sender.tokenId,
    endpoint: c.req.path,
  };
}

function countOf(events: EventAnswer[], status: EventAnswer["status"]): number {
  return events.filter((event) => event.status === status).length;
}

function givenId(record: unknown): string | null {
  return isObject(record) && typeof record.eventId === "string" ? record.eventId : null;
}

/** The problem for a single event that is refused. */
function eventProblem({ code, error }: Extract<EventAnswer, { status: "rejected" }>, headers: Record<string, string>): Problem {
  if (code === "TRACK_ACCESS_DENIED") return new Problem("track-access-denied", error, { headers });
  if (code === "ID_CONFLICT") return new Problem("conflict", error, { code, headers });
  const { field, error: rule } = TELEMETRY_REJECTIONS[code];
  const fields = field === null ? {} : { errors: [{ pointer: `/${field}`, detail: rule }] };
  return new Problem("validation-error", error, { code, headers, ...fields });
}

// The routes above check by themselves, in the order of the product's rules, and are described here for OpenAPI only.

const eventSchema = z
  .object({
    eventType: z.enum(TELEMETRY_TYPES).meta({ description: "In any case." }),
    trackId: z.string().meta({ description: "A content's id (UUID) or external id (ULID)." }),
    clientTimestamp: z.iso
      .datetime({ offset: true })
      .meta({ description: "At most 24 hours old, 7 days in a batch; at most 5 min ahead." }),
    positionSeconds: z.number().min(0).optional(),
    durationPlayedSeconds: z
      .number()
      .min(0)
      .optional()
      .meta({ description: "How much of the track was played in the session so far: only what it has grown by is added." }),
    sessionId: z.string().max(64).optional(),
    deviceId: z.string().max(64).optional().meta({ description: "A reporter's name for its player, hashed already." }),
    clientVersion: z.string().max(32).optional(),
    eventId: z.string().max(64).optional().meta({ description: "Absent: derived from the event, so that a retry still meets itself." }),
  })
  .openapi("TelemetryEvent");
const answerSchema = z
  .object({ accepted: z.literal(true), sampled: z.literal(true).optional(), correlationId: z.string() })
  .openapi("TelemetryAnswer");
const batchSchema = z
  .object({
    accepted: z.int().meta({ description: "Sampled ones among them." }),
    rejected: z.int(),
    duplicates: z.int(),
    sampled: z.literal(true).optional(),
    sampledCount: z.int().optional(),
    correlationId: z.string(),
    errors: z.array(
      z.object({
        index: z.int(),
        eventId: z.string().nullable(),
        code: z.enum(Object.keys(TELEMETRY_REJECTIONS)),
        error: z.string(),
        retryable: z.boolean(),
      }),
    ),
  })
  .openapi("TelemetryBatchAnswer");
const described = { tags: ["Telemetry"], security: [{ device: [] }, { reporter: [] }] };
telemetryRoutes.openAPIRegistry.registerPath({
  ...described,
  method: "post",
  path: "/telemetry/playback",
  summary: "Report one event of a showing",
  request: { body: { required: true, content: { "application/json": { schema: eventSchema } } } },
  responses: responses(202, "It is taken, be it for the first time or again. Sampled: it was left out under load.", answerSchema),
});
telemetryRoutes.openAPIRegistry.registerPath({
  ...described,
  method: "post",
  path: "/telemetry/playback/batch",
  summary: "Report up to 50 events",
  request: {
    body: {
      required: true,
      content: {
        "application/json": {
          schema: z.object({ events: z.array(eventSchema).min(1).max(MAX_TELEMETRY_EVENTS) }).openapi("TelemetryBatch"),
        },
      },
    },
  },
  responses: responses(202, "What became of them; accepted + rejected + duplicates = sent.", batchSchema),
});
