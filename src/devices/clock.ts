import { createRoute, z } from "@hono/zod-openapi";
import { createRouter, responses } from "../platform/http.ts";
import { smallBody } from "./pairing-body.ts";

const route = createRoute({
  method: "post",
  path: "/v1/device/time",
  tags: ["Devices"],
  summary: "Compare clocks",
  description:
    "NTP's timestamps (RFC 5905), in milliseconds since 1970: t0 when the player asked, t1 when the request came in, t2 when the answer left. " +
    "With t3 at its arrival, the player's clock is ahead by ((t0 - t1) + (t3 - t2)) / 2.",
  middleware: [smallBody] as const,
  request: {
    body: { required: true, content: { "application/json": { schema: z.strictObject({ t0: z.number() }) } } },
  },
  responses: responses(200, "The server's clock", z.object({ t0: z.number(), t1: z.number(), t2: z.number() })),
});

/** The clock that players measure theirs against. Public: it tells nothing and stores nothing. */
export const clockRoutes = createRouter().openapi(route, async (c) => {
  const t1 = Date.now();
  return c.json({ t0: c.req.valid("json").t0, t1, t2: Date.now() }, 200, { "Cache-Control": "no-store" });
});
