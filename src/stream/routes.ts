import { z } from "@hono/zod-openapi";
import { authenticateDevice } from "../devices/token.ts";
import { Problem } from "../platform/errors.ts";
import { createRouter, problemSchema } from "../platform/http.ts";
import { withTimeout } from "../platform/retry.ts";
import { refuseFlood } from "../plays/intake/flood.ts";
import { callerOf } from "../plays/intake/receive.ts";
import { CONNECT_TIMEOUT_MS } from "./limits.ts";
import { readHandshake, STREAM_PATH, SUBPROTOCOL } from "./protocol.ts";

/** The door for the live stream: authenticate · is it a handshake · the device's object, which holds the socket. */
export const streamRoutes = createRouter();

streamRoutes.get(STREAM_PATH, async (c) => {
  const now = Date.now();
  const { upgrade, version, authorization } = readHandshake(c.req.raw.headers);
  const shown = new Headers(authorization === null ? {} : { Authorization: authorization });
  const identity = await authenticateDevice(shown, c.env, now);
  await refuseFlood(c.env, callerOf(c, identity), now, "keep the stream open");
  if (!upgrade) {
    throw new Problem("upgrade-required", "Open this as a WebSocket.", { headers: { Upgrade: "websocket", Connection: "Upgrade" } });
  }
  if (!version) {
    throw new Problem("validation-error", `Offer the subprotocol ${SUBPROTOCOL}.`, { code: "SUBPROTOCOL_REQUIRED" });
  }
  const headers = new Headers(c.req.raw.headers);
  headers.set("Authorization", authorization ?? "");
  headers.set("X-Correlation-Id", c.get("correlationId"));
  // Here it has done its work, and in the object nobody needs it.
  headers.delete("Sec-WebSocket-Protocol");
  try {
    const opening = c.env.SEQUENCER.getByName(identity.deviceId).fetch(new Request(c.req.raw, { headers }));
    return await withTimeout(opening, CONNECT_TIMEOUT_MS, "opening of a stream");
  } catch (cause) {
    throw new Problem("service-unavailable", "The device's object does not answer now.", { headers: { "Retry-After": "5" }, cause });
  }
});

// The route above answers with a WebSocket, and is described here for OpenAPI only.
streamRoutes.openAPIRegistry.registerPath({
  tags: ["Play logs"],
  security: [{ device: [] }],
  method: "get",
  path: STREAM_PATH,
  summary: "Open the live stream: logs, heartbeats and results in, verdicts, plans and commands out",
  description:
    "A WebSocket. A client that can send no headers names its token as the subprotocol `bearer.<token>`, beside `alive.v1`. " +
    "The frames and the codes with which the server closes are in the guide [The live stream](/docs/stream).",
  request: {
    headers: z.object({
      "Sec-WebSocket-Protocol": z.string().meta({ description: "`alive.v1`, or `alive.v1, bearer.<token>`." }),
    }),
  },
  responses: {
    101: { description: "The stream is open" },
    default: { description: "A problem (RFC 9457)", content: { "application/problem+json": { schema: problemSchema } } },
  },
});
