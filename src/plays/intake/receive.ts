import { superseded, unknownDevice } from "../../devices/standing.ts";
import { authenticateDevice, type DeviceIdentity } from "../../devices/token.ts";
import { isObject, readJson } from "../../platform/body.ts";
import { Problem } from "../../platform/errors.ts";
import type { AppContext } from "../../platform/http.ts";
import { withTimeout } from "../../platform/retry.ts";
import { inSpan } from "../../platform/spans.ts";
import { parseInstant } from "../../platform/time.ts";
import type { Dialect } from "../dialects/dialect.ts";
import { DIALECTS } from "../dialects/dialects.ts";
import { ADMIT_TIMEOUT_MS, MAX_BODY_BYTES } from "../limits.ts";
import { type Door, MAX_RECORDS } from "../policy.ts";
import { REJECTIONS } from "../rejection.ts";
import { type LogAnswer, type RequestAnswer, readAnswers } from "../sequencer/handover.ts";
import type { RateState } from "../sequencer/rate.ts";
import type { Answered, RecordAnswer } from "./answers.ts";
import { type LoggedCaller, logRateExceeded, logRequest } from "./door-log.ts";
import { type Examined, examine, type Received } from "./examine.ts";
import { refuseFlood } from "./flood.ts";

/** Who comes, and when. The cheap checks stand before the costly ones: a flood ends here, before a body is read. */
async function enter(c: AppContext): Promise<{ identity: DeviceIdentity; receivedAt: number }> {
  const receivedAt = Date.now();
  const identity = await authenticateDevice(c.req.raw.headers, c.env, receivedAt);
  await refuseFlood(c.env, callerOf(c, identity), receivedAt, "send logs in batches");
  return { identity, receivedAt };
}

/** A device's request, for log lines. */
export function callerOf(c: AppContext, { familyId: tokenId, deviceId }: DeviceIdentity): LoggedCaller {
  return { correlationId: c.get("correlationId"), tokenId, deviceId, endpoint: c.req.path };
}

/** A request's records, and the time sent where its body says it. */
interface ReadBody {
  records: unknown[];
  sentAt: string | undefined;
}

/** The one record that a body is. */
export function readSingle(body: unknown): ReadBody {
  if (!isObject(body))
    throw new Problem("validation-error", "The body must be one playback log, a JSON object.", { code: "VALIDATION_ERROR" });
  return { records: [body], sentAt: undefined };
}

/** The records that a body lists, as many as the door takes. */
export function readBatch(body: unknown, door: Door): ReadBody {
  const field = DIALECTS[door].listField;
  const records = isObject(body) ? body[field] : null;
  const refuse = (title: string, detail: string) =>
    new Problem("validation-error", title, { code: "VALIDATION_ERROR", errors: [{ pointer: `/${field}`, detail }] });
  if (!isObject(body) || !Array.isArray(records)) throw refuse(`The body must be {"${field}":[…]}.`, "must be an array");
  if (records.length === 0) throw refuse(`The batch holds no ${field}.`, "must not be empty");
  const most = MAX_RECORDS[door];
  if (records.length > most) throw new Problem("batch-too-large", `A batch may hold ${most} ${field}; this one holds ${records.length}.`);
  return { records, sentAt: typeof body.sent_at === "string" ? body.sent_at : undefined };
}

/**
 * What every door does with a request: authenticate · body · shape, checksum and signature of each record · one call of the device's
 * sequencer, which judges and keeps. Nothing is read from storage here but the catalogue, which is cached. The doors differ in their dialect
 * (`dialects/`), their preset (`policy.ts`) and their answer; `read` finds the records in the body. What refuses the request is thrown.
 */
export async function receive(c: AppContext, door: Door, read: (body: unknown) => ReadBody): Promise<Answered> {
  const { identity, receivedAt } = await enter(c);
  const { records, sentAt } = read(await readJson(c.req.raw, MAX_BODY_BYTES));
  return await admit(c, receivedAs(door, identity, receivedAt, { records, sentAt: c.req.header("Sent-At") || sentAt }));
}

/** A request's records as they came in at a door. */
export function receivedAs(door: Door, identity: DeviceIdentity, receivedAt: number, { records, sentAt }: ReadBody): Received {
  const sentAtText = sentAt || null;
  return { door, receivedAt, identity, records, sentAtText, sentAt: sentAtText === null ? null : parseInstant(sentAtText) };
}

/** Hands the request to the device's sequencer; what refuses it as a whole is thrown. */
async function admit(c: AppContext, received: Received): Promise<Answered> {
  const { identity } = received;
  const examined = await inSpan("telemetry.validate", () =>
    examine(received, c.req.header("Batch-Signature") ?? null, c.env.DB, c.get("correlationId")),
  );
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
    const records = recordAnswers(examined, readAnswers(answer.logs), DIALECTS[received.door]);
    await logRequest(c.env, { correlationId: c.get("correlationId"), door: received.door, deviceId: identity.deviceId }, records);
    return { records, epoch, expectedSequence, rate };
  }
  if (answer.kind === "rate-limited") {
    await logRateExceeded(c.env, callerOf(c, identity));
  }
  throw wholeRefusal(answer);
}

/** What the sequencer answered and what was refused before it, record by record. */
export function recordAnswers(examined: Examined, answers: LogAnswer[], { errors }: Dialect): RecordAnswer[] {
  const judged = examined.logs.map(({ index, givenId: id }, at): RecordAnswer => {
    const answer = answers[at];
    if (!answer) throw new Error("unreachable: one answer for each log");
    if (answer.status === "rejected") return { index, id, ...answer, error: errors[answer.code] ?? REJECTIONS[answer.code].error };
    return { index, id, ...answer };
  });
  if (examined.refused.length === 0) return judged;
  const refused = examined.refused.map(
    ({ index, logId: id, code, error }): RecordAnswer => ({ index, id, status: "rejected", code, error }),
  );
  return [...judged, ...refused].sort((a, b) => a.index - b.index);
}

export function wholeRefusal(answer: Exclude<RequestAnswer, { kind: "answered" }>): Problem {
  switch (answer.kind) {
    case "unknown-device":
      return unknownDevice();
    case "superseded":
      return superseded();
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
export function rateHeaders(rate: RateState): Record<string, string> {
  return { "RateLimit-Policy": `"device";q=${rate.limit};w=60`, RateLimit: `"device";r=${rate.remaining};t=${rate.resetS}` };
}
