import { z } from "@hono/zod-openapi";
import type { HeartbeatRequest } from "../devices/heartbeat-desk.ts";
import { HEARTBEAT_BODY_MAX_BYTES } from "../devices/heartbeat-limits.ts";
import {
  type AskedHeartbeat,
  commandResult,
  findPlanEtag,
  heartbeatRefusal,
  readHeartbeat,
  resultFields,
  showHeartbeatAnswer,
} from "../devices/heartbeat-wire.ts";
import type { DeviceProfile } from "../devices/profile.ts";
import type { CommandResult } from "../devices/report.ts";
import type { DeviceIdentity } from "../devices/token.ts";
import { Problem } from "../platform/errors.ts";
import { validationProblem } from "../platform/http.ts";
import { inSpan } from "../platform/spans.ts";
import { DIALECTS } from "../plays/dialects/dialects.ts";
import { logRateExceeded, logRequest } from "../plays/intake/door-log.ts";
import { examine } from "../plays/intake/examine.ts";
import { readBatch, receivedAs, recordAnswers, wholeRefusal } from "../plays/intake/receive.ts";
import { doorPolicy } from "../plays/policy.ts";
import { type AdmitRequest, type RequestAnswer, readAnswers } from "../plays/sequencer/handover.ts";
import { type RateWindow, takeRequest } from "../plays/sequencer/rate.ts";
import { type Frame, type OutFrame, verdictsOf } from "./frames.ts";
import { STREAM_PATH } from "./protocol.ts";

/** What of the device's object frames are handed to: the same that the HTTP doors call. */
export interface FrameHost {
  env(): Env;
  /** The device's profile, fetched where the object has none yet; null: there is no such device. @throws where D1 does not answer. */
  profile(): Promise<DeviceProfile | null>;
  /** The requests of the last minute. */
  rate(): RateWindow;
  admit(request: AdmitRequest): Promise<RequestAnswer>;
  heartbeat(request: HeartbeatRequest): Promise<AskedHeartbeat>;
  takeResult(result: CommandResult): "taken" | "none" | "full";
}

/** A frame on its way, and whom it comes from. `receivedAt` in ms. */
export interface Arrival {
  frame: Frame;
  /** Of the frame's text, in UTF-8. */
  bytes: number;
  identity: DeviceIdentity;
  receivedAt: number;
  correlationId: string;
}

/**
 * Takes a frame as its HTTP door takes a request, and answers.
 * @throws Problem where it is refused as a whole.
 */
export async function takeFrame(arrival: Arrival, host: FrameHost): Promise<OutFrame> {
  const { frame } = arrival;
  switch (frame.type) {
    case "plays":
      return await inSpan("telemetry.ingest", () => takePlays(arrival, host));
    case "heartbeat":
      return await beat(arrival, host);
    case "command_result":
      return await takeCommandResult(arrival, host);
  }
}

async function takePlays({ frame, identity, receivedAt, correlationId }: Arrival, host: FrameHost): Promise<OutFrame> {
  const body = readBatch(frame.body, "stream");
  const signature = frame.body.batch_signature;
  await requireRate(host, receivedAt, identity, correlationId);
  const received = receivedAs("stream", identity, receivedAt, body);
  const examined = await inSpan("telemetry.validate", () =>
    examine(received, typeof signature === "string" ? signature : null, host.env().DB, correlationId),
  );
  const answer = await host.admit(examined.request);
  if (answer.kind !== "answered") throw await refused(answer, host, identity, correlationId);
  const answers = recordAnswers(examined, readAnswers(answer.logs), DIALECTS.stream);
  await logRequest(host.env(), { correlationId, door: "stream", deviceId: identity.deviceId }, answers);
  const { limit, remaining, resetS } = answer.rate;
  return {
    type: "verdicts",
    id: frame.id,
    ...verdictsOf(answers),
    epoch: answer.epoch,
    expected_sequence: answer.expectedSequence,
    rate: { limit, remaining, reset_s: resetS },
    correlation_id: correlationId,
  };
}

/** The exact rate is at hand here, so it is asked before any signature is checked; admission counts the request. */
async function requireRate(host: FrameHost, now: number, identity: DeviceIdentity, correlationId: string): Promise<void> {
  const profile = await host.profile();
  if (!profile) throw wholeRefusal({ kind: "unknown-device" });
  const rate = takeRequest(host.rate(), now, doorPolicy("stream", profile.policy).requestsPerMinute);
  if (!rate.ok) throw await refused({ kind: "rate-limited", rate: rate.state }, host, identity, correlationId);
}

async function refused(
  answer: Exclude<RequestAnswer, { kind: "answered" }>,
  host: FrameHost,
  { deviceId, familyId: tokenId }: DeviceIdentity,
  correlationId: string,
): Promise<Problem> {
  if (answer.kind === "rate-limited") {
    await logRateExceeded(host.env(), { correlationId, tokenId, deviceId, endpoint: STREAM_PATH });
  }
  return wholeRefusal(answer);
}

async function beat({ frame, bytes, identity, receivedAt }: Arrival, host: FrameHost): Promise<OutFrame> {
  if (bytes > HEARTBEAT_BODY_MAX_BYTES) {
    throw new Problem("payload-too-large", `A heartbeat may have ${HEARTBEAT_BODY_MAX_BYTES} bytes at most.`);
  }
  const heartbeat = readHeartbeat(frame.body, receivedAt);
  const [answer, planEtag] = await Promise.all([
    host.heartbeat({ ...heartbeat, familyId: identity.familyId }),
    findPlanEtag(host.env().DB, identity.deviceId, receivedAt),
  ]);
  if (answer.kind !== "taken") throw heartbeatRefusal(answer);
  return { type: "heartbeat_answer", id: frame.id, ...showHeartbeatAnswer(answer, planEtag, receivedAt) };
}

const resultSchema = z.object({ command_id: z.uuid().toLowerCase(), ...resultFields });

async function takeCommandResult({ frame, identity, receivedAt }: Arrival, host: FrameHost): Promise<OutFrame> {
  const parsed = resultSchema.safeParse(frame.body);
  if (!parsed.success) throw validationProblem(parsed.error);
  const profile = await host.profile();
  if (!profile) throw heartbeatRefusal({ kind: "unknown-device" });
  if (profile.status === "revoked") throw heartbeatRefusal({ kind: "revoked" });
  if (profile.status !== "active" || profile.familyId !== identity.familyId) throw heartbeatRefusal({ kind: "superseded" });
  const { command_id, status, detail } = parsed.data;
  const taken = host.takeResult(commandResult(command_id, status, detail ?? null, receivedAt));
  if (taken === "none") {
    throw new Problem("conflict", "Send a heartbeat first: results are kept and told with heartbeats.", { code: "HEARTBEAT_FIRST" });
  }
  if (taken === "full") {
    throw new Problem("service-unavailable", "Too many results wait already; send a heartbeat, and this again behind it.", {
      headers: { "Retry-After": "60" },
    });
  }
  return { type: "command_result_answer", id: frame.id, command_id };
}
