import { readJson } from "../platform/body.ts";
import { Problem } from "../platform/errors.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { withTimeout } from "../platform/retry.ts";
import { SECOND_MS } from "../platform/time.ts";
import { refuseFlood } from "../plays/intake/flood.ts";
import { callerOf } from "../plays/intake/receive.ts";
import type { HeartbeatRequest } from "./heartbeat-desk.ts";
import { HEARTBEAT_BODY_MAX_BYTES } from "./heartbeat-limits.ts";
import {
  type AskedHeartbeat,
  findPlanEtag,
  heartbeatAnswerSchema,
  heartbeatRefusal,
  heartbeatSchema,
  readHeartbeat,
  showHeartbeatAnswer,
} from "./heartbeat-wire.ts";
import { authenticateDevice } from "./token.ts";

const HEARTBEAT_TIMEOUT_MS = 10 * SECOND_MS;

/** The door for heartbeats: authenticate · read · one call of the device's object, and beside it one look for the plan's ETag. */
export const heartbeatRoutes = createRouter();

heartbeatRoutes.post("/v1/device/heartbeat", async (c) => {
  const receivedAt = Date.now();
  const identity = await authenticateDevice(c.req.raw.headers, c.env, receivedAt);
  await refuseFlood(c.env, callerOf(c, identity), receivedAt, "one heartbeat in next_heartbeat_s is enough");
  const beat = readHeartbeat(await readJson(c.req.raw, HEARTBEAT_BODY_MAX_BYTES), receivedAt);
  const [answer, planEtag] = await Promise.all([
    ask(c, identity.deviceId, { ...beat, familyId: identity.familyId }),
    findPlanEtag(c.env.DB, identity.deviceId, receivedAt),
  ]);
  if (answer.kind !== "taken") throw heartbeatRefusal(answer);
  return c.json(showHeartbeatAnswer(answer, planEtag, receivedAt), 200, { "Cache-Control": "no-store" });
});

async function ask(c: AppContext, deviceId: string, request: HeartbeatRequest): Promise<AskedHeartbeat> {
  try {
    const sequencer = c.env.SEQUENCER.getByName(deviceId);
    return (await withTimeout(sequencer.heartbeat(request) as Promise<unknown>, HEARTBEAT_TIMEOUT_MS, "heartbeat")) as AskedHeartbeat;
  } catch (cause) {
    throw new Problem("service-unavailable", "The device's object does not answer now.", { headers: { "Retry-After": "5" }, cause });
  }
}

// The route above reads its body itself, behind the token, and is described here for OpenAPI only.
heartbeatRoutes.openAPIRegistry.registerPath({
  tags: ["Devices"],
  security: [{ device: [] }],
  method: "post",
  path: "/v1/device/heartbeat",
  summary: "Tell that the player is alive and how it does",
  description: "Every next_heartbeat_s. A command is repeated with each answer until its result comes; the player executes each id once.",
  request: { body: { required: true, content: { "application/json": { schema: heartbeatSchema } } } },
  responses: responses(200, "The clock, the plan's ETag, what to do, and when to come again", heartbeatAnswerSchema),
});
