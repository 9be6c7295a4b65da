import { createRoute, z } from "@hono/zod-openapi";
import { createRouter, describeError } from "./http.ts";
import { log } from "./log.ts";
import { SECOND_MS } from "./time.ts";

const PROBE_TIMEOUT_MS = 2 * SECOND_MS;

const partSchema = z.enum(["ok", "failed"]);
const healthSchema = z
  .object({ status: partSchema, parts: z.object({ database: partSchema, storage: partSchema, queue: partSchema }) })
  .openapi("Health");

/** Tries each part of the platform that the product cannot do without, for two seconds at most. Failures are logged. */
async function probe(name: string, attempt: Promise<unknown>): Promise<"ok" | "failed"> {
  const done = new AbortController();
  try {
    const late = scheduler.wait(PROBE_TIMEOUT_MS, { signal: done.signal }).then(() => {
      throw new Error(`no answer within ${PROBE_TIMEOUT_MS} ms`);
    });
    await Promise.race([attempt, late]);
    return "ok";
  } catch (error) {
    log("error", "health probe failed", { part: name, error: describeError(error) });
    return "failed";
  } finally {
    done.abort();
  }
}

/** @param queues the queues that work depends on: all must answer */
export function healthRoutes(queues: (env: Env) => Queue[]) {
  return createRouter().openapi(
    createRoute({
      tags: ["Health"],
      method: "get",
      path: "/healthz",
      summary: "Try the database, the storage and the queue",
      responses: {
        200: { description: "All parts answer", content: { "application/json": { schema: healthSchema } } },
        503: { description: "A part does not answer", content: { "application/json": { schema: healthSchema } } },
      },
    }),
    async (c) => {
      const [database, storage, queue] = await Promise.all([
        probe("database", c.env.DB.prepare("SELECT 1").run()),
        probe("storage", c.env.BUCKET.head("healthz")),
        probe("queue", Promise.all(queues(c.env).map((queue) => queue.metrics()))),
      ]);
      const parts = { database, storage, queue };
      const well = Object.values(parts).every((part) => part === "ok");
      c.header("Cache-Control", "no-store");
      return c.json({ status: well ? ("ok" as const) : ("failed" as const), parts }, well ? 200 : 503);
    },
  );
}
