import { OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context, MiddlewareHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import { uuidv7 } from "uuidv7";
import { type FieldError, Problem, problemBody } from "./errors.ts";
import { log } from "./log.ts";
import { messageOf } from "./messages.ts";
import { isOutage } from "./outage.ts";

/** What every route of the product knows of its request. */
export interface AppEnv {
  Bindings: Env;
  Variables: {
    correlationId: string;
    /** Who changes things: set by `authorize`. */
    actor: string;
  };
}

export type AppContext = Context<AppEnv>;

z.config({ customError: messageOf });

const CORRELATION_ID = /^[A-Za-z0-9._-]{8,64}$/;
const OUTAGE_RETRY_AFTER_S = "5";
const TRACEPARENT = /^[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}/;

/** The request's own correlation id, else the trace id of W3C `traceparent`, else a new one. */
export function correlationIdOf(headers: Headers): string {
  const own = headers.get("X-Correlation-Id");
  if (own && CORRELATION_ID.test(own)) return own;
  return TRACEPARENT.exec(headers.get("traceparent") ?? "")?.[1] ?? uuidv7();
}

/** Gives the request its correlation id and sends it back with every answer. */
export const correlate: MiddlewareHandler<AppEnv> = async (c, next) => {
  const correlationId = correlationIdOf(c.req.raw.headers);
  c.set("correlationId", correlationId);
  // Before, since a header that is added to an answer makes another answer; behind, for those that were made without Hono.
  c.header("X-Correlation-Id", correlationId);
  await next();
  if (!c.res.headers.has("X-Correlation-Id")) c.header("X-Correlation-Id", correlationId);
};

/** The one place where an error becomes an answer. What is not a {@link Problem} is a fault of ours: logged whole, told as little. */
export function onError(error: Error, c: AppContext): Response {
  const correlationId = c.get("correlationId") ?? uuidv7();
  const problem = asProblem(error);
  if (problem.status >= 500) {
    log("error", "request failed", {
      correlation_id: correlationId,
      path: c.req.path,
      type: problem.type,
      error: describeError(problem.cause ?? problem),
    });
  }
  return c.body(JSON.stringify(problemBody(problem, correlationId)), problem.status, {
    "Content-Type": "application/problem+json",
    "X-Correlation-Id": correlationId,
    ...problem.options.headers,
  });
}

/** What an error tells the caller: the problem that it is, or one that says little of a fault of ours. */
export function asProblem(error: unknown): Problem {
  if (error instanceof Problem) return error;
  // What the router's own validators throw before any schema is asked.
  if (error instanceof HTTPException && error.status === 415) {
    return new Problem("unsupported-media-type", "Send the body as application/json, and say so in Content-Type.");
  }
  if (error instanceof HTTPException && error.status === 400) {
    return new Problem("validation-error", "The body is not readable as JSON.", { code: "INVALID_JSON" });
  }
  if (isOutage(error)) {
    const detail = "A part of the platform cannot be reached now. Send it again; a POST with the same Idempotency-Key makes nothing twice.";
    return new Problem("service-unavailable", detail, { headers: { "Retry-After": OUTAGE_RETRY_AFTER_S }, cause: error });
  }
  return new Problem("internal-error", "The fault is logged under the correlation id.", { cause: error });
}

export function describeError(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** A JSON pointer (RFC 6901) to a zod issue's place. */
export function pointerOf(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

/** Zod's issues as the `errors` of a problem document. */
export function fieldErrors(error: z.core.$ZodError): FieldError[] {
  return error.issues.flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => ({ pointer: pointerOf([...issue.path, key]), detail: `There is no field ${JSON.stringify(key)} here.` }))
      : [{ pointer: pointerOf(issue.path), detail: issue.message }],
  );
}

/** The problem for input that a schema refuses; its detail names the first field. */
export function validationProblem(error: z.core.$ZodError): Problem {
  const errors = fieldErrors(error);
  const first = errors[0];
  return new Problem("validation-error", first ? `${first.pointer || "The body"}: ${first.detail}` : "The request is not valid.", {
    errors,
  });
}

/** A router whose validated routes answer with problem+json. Every feature makes its own and `workers/http.ts` mounts it. */
export function createRouter() {
  return new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (!result.success) throw validationProblem(result.error);
    },
  });
}

/** The body of a problem document, for OpenAPI. */
export const problemSchema = z
  .object({
    type: z.string().meta({ example: "/docs/errors/validation-error" }),
    title: z.string(),
    status: z.int(),
    detail: z.string(),
    code: z.string(),
    correlation_id: z.string(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .openapi("Problem");

/** The OpenAPI responses of a route: one success and the problem that every failure is. */
export function responses<S extends number, T extends z.ZodType>(status: S, description: string, schema: T) {
  return {
    [status]: { description, content: { "application/json": { schema } } },
    default: { description: "A problem (RFC 9457)", content: { "application/problem+json": { schema: problemSchema } } },
  } as { [K in S]: { description: string; content: { "application/json": { schema: T } } } } & {
    default: { description: string; content: { "application/problem+json": { schema: typeof problemSchema } } };
  };
}
