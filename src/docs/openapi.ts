import type { OpenAPIHono } from "@hono/zod-openapi";
import type { AppEnv } from "../platform/http.ts";

export type OpenApiDocument = ReturnType<OpenAPIHono<AppEnv>["getOpenAPI31Document"]>;

/** Describes every route of an application that was made by `createRoute`: OpenAPI 3.1. */
export function describeApi(app: OpenAPIHono<AppEnv>): OpenApiDocument {
  const document = app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Alive Signage",
      version: "1",
      description:
        "Proof of play for digital signage: every play that a screen reports is counted exactly once, or refused with a reason. " +
        "All errors are problem documents (RFC 9457). Every answer carries X-Correlation-Id.",
    },
  });
  return {
    ...document,
    components: {
      ...document.components,
      securitySchemes: {
        admin: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "alive_…",
          description:
            "An API token, or the secret ADMIN_TOKEN, which is of role admin. Each operation names the roles that it lets in; " +
            "viewer:supplier and viewer:brand are viewers that see only one supplier or brand, to which the answer is narrowed.",
        },
        session: {
          type: "apiKey",
          in: "cookie",
          name: "__Host-alive.session_token",
          description:
            "Who is signed in at the console. What changes something must come from a page of the same origin and carry the header " +
            "X-Requested-With: alive-console. Over plain HTTP on this machine the cookie is called alive.session_token.",
        },
        device: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "JWT",
          description: "A device token, from pairing or POST /v1/device/token.",
        },
        reporter: {
          type: "http",
          scheme: "bearer",
          bearerFormat: "alive_…",
          description: "An API token of role reporter, which sends telemetry for players that are no paired devices.",
        },
      },
    },
  };
}
