import { z } from "@hono/zod-openapi";
import { authenticateDevice } from "../devices/token.ts";
import { Problem } from "../platform/errors.ts";
import { createRouter, problemSchema } from "../platform/http.ts";
import { withTimeout } from "../platform/retry.ts";
import { isFlooding } from "../plays/flood.ts";
import { CONNECT_TIMEOUT_MS } from "./limits.ts";
import { readHandshake, SUBPROTOCOL } from "./protocol.ts";

/** The door for the live stream: authenticate · is it a handshake · the device's object, which holds the socket. */
export const streamRoutes = createRouter();

streamRoutes.get("/v1/device/stream", async (c) => {
  const now = Date.now();
  const { upgrade, version, authorization } = readHandshake(c.req.raw.headers);
  const shown = new Headers(authorization === null ? {} : { Authorization: authorization });
  const { deviceId } = await authenticateDevice(shown, c.env, now);
  if (await isFlooding(c.env.FLOOD_LIMIT, deviceId, now)) {
    throw new Problem("rate-limit-exceeded", "Far too many requests.", { headers: { "Retry-After": "60" } });
  }
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
    const opening = c.env.SEQUENCER.getByName(deviceId).fetch(new Request(c.req.raw, { headers }));
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
  path: "/v1/device/stream",
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
