import { exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { app } from "../workers/http.ts";

/** What anybody may call. Everything else must demand a token, whoever adds it. */
const PUBLIC = [
  "GET /",
  "GET /docs",
  "GET /docs/style.css",
  "GET /docs/api",
  "GET /docs/errors",
  "GET /docs/errors/:type",
  "GET /docs/:guide",
  "GET /openapi.json",
  "GET /healthz",
  "GET /console",
  "GET /console/*",
  "GET /console/assets/*",
  "GET /player",
  "GET /player/*",
  "GET /player/assets/*",
  "GET /player/files.json",
  "GET /player/sw.js",
  "POST /v1/device/pairing/create-claim",
  "POST /v1/device/pairing/claim",
  "POST /v1/device/token",
  "POST /v1/device/time",
];

/** What anybody may call from the console's own pages, and from nowhere else. */
const FOR_PAGES = [
  ...["sign-in/email", "sign-out", "change-password", "two-factor/verify-totp", "two-factor/verify-backup-code", "two-factor/enable"].map(
    (path) => `POST /api/auth/${path}`,
  ),
  ...["two-factor/disable", "two-factor/generate-backup-codes"].map((path) => `POST /api/auth/${path}`),
  "POST /v1/invitations/look",
  "POST /v1/invitations/accept",
];

// Middleware is registered for all methods; a route never is.
const routes = [...new Set(app.routes.filter((route) => route.method !== "ALL").map((route) => `${route.method} ${route.path}`))];

async function send(route: string, headers: Record<string, string>): Promise<Response> {
  const [method = "", path = ""] = route.split(" ");
  const url = `http://localhost${path.replaceAll(/:[A-Za-z_]+(\{[^}]*\})?/g, "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5")}`;
  const body = method === "GET" ? {} : { body: "{}" };
  return await exports.default.fetch(url, { method, headers: { "Content-Type": "application/json", ...headers }, ...body });
}

describe("every route that is not public demands a token", () => {
  const guarded = routes.filter((route) => !PUBLIC.includes(route) && !FOR_PAGES.includes(route));

  test("and there are such routes, of the registry and of all doors", () => {
    expect(guarded).toEqual(expect.arrayContaining(["POST /v1/admin/stores", "PATCH /v1/admin/devices/:id", "GET /v1/admin/audit-log"]));
  });

  test.each(guarded)("%s", async (route) => {
    for (const headers of [{}, { Authorization: "Bearer wrong" }, { Authorization: "Basic dGVzdC1hZG1pbi10b2tlbg==" }]) {
      const answer = await send(route, headers);
      expect(answer.status).toBe(401);
      expect(answer.headers.get("WWW-Authenticate")).toMatch(/^Bearer /);
      expect(await answer.json()).toMatchObject({ type: "/docs/errors/unauthorized", status: 401 });
    }
  });

  test("a path under /v1/admin that does not exist is not told apart without a token", async () => {
    expect((await send("GET /v1/admin/nothing", {})).status).toBe(401);
  });
});

test("administrators' answers, errors among them, stay out of caches and frames", async () => {
  for (const headers of [{ Authorization: "Bearer test-admin-token" }, {}]) {
    const answer = await send("GET /v1/admin/stores", headers);
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    expect(answer.headers.get("X-Content-Type-Options")).toBe("nosniff");
  }
});

test("every public route is there and lets anybody in", async () => {
  expect(routes).toEqual(expect.arrayContaining(PUBLIC));
  for (const route of PUBLIC) expect((await send(route, {})).status, route).not.toBe(401);
});

describe("what is for the console's pages is refused to all others", () => {
  const page = { Origin: "http://localhost", "X-Requested-With": "alive-console" };

  test.each(FOR_PAGES)("%s", async (route) => {
    expect(routes).toContain(route);
    for (const headers of [{}, { ...page, Origin: "" }, { ...page, Origin: "https://evil.example" }, { ...page, Origin: "null" }]) {
      const answer = await send(route, headers);
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ code: "CROSS_SITE" });
    }
    expect((await send(route, { Origin: "http://localhost" })).status).toBe(403);
    const answer = await send(route, page);
    expect(answer.status).not.toBe(403);
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
  });

  test("and nothing else of the library that does it can be called", async () => {
    for (const path of [
      "sign-up/email",
      "get-session",
      "list-sessions",
      "update-user",
      "request-password-reset",
      "two-factor/send-otp",
      "ok",
    ]) {
      for (const method of ["GET", "POST"]) expect((await send(`${method} /api/auth/${path}`, page)).status, path).toBe(404);
    }
  });
});

describe("CORS", () => {
  const preflight = (path: string) =>
    exports.default.fetch(`http://localhost${path}`, {
      method: "OPTIONS",
      headers: {
        Origin: "https://player.example",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,sent-at,batch-signature",
      },
    });

  test.each(["/v1/device/pairing/claim", "/api/v1/playback-logs", "/api/v1/playback-logs/batch"])(
    "%s answers any origin, without credentials",
    async (path) => {
      const answer = await preflight(path);
      expect(answer.status).toBe(204);
      expect(answer.headers.get("Access-Control-Allow-Origin")).toBe("*");
      expect(answer.headers.get("Access-Control-Allow-Credentials")).toBeNull();
      const allowed = answer.headers.get("Access-Control-Allow-Headers")?.split(",");
      expect(allowed).toEqual([
        "Authorization",
        "Content-Type",
        "Sent-At",
        "Batch-Signature",
        "X-Correlation-Id",
        "Idempotency-Key",
        "If-None-Match",
        "Range",
        "If-Range",
      ]);
    },
  );

  test("an error at a device's door can be read by a page, with its headers", async () => {
    const answer = await exports.default.fetch("http://localhost/v1/device/nothing", { headers: { Origin: "https://player.example" } });
    expect(answer.status).toBe(404);
    expect(answer.headers.get("Access-Control-Allow-Origin")).toBe("*");
    expect(answer.headers.get("Access-Control-Expose-Headers")).toBe(
      "X-Correlation-Id,Retry-After,RateLimit,RateLimit-Policy,ETag,Accept-Ranges,Content-Range",
    );
  });

  test("the administrators' API answers no other origin", async () => {
    const answer = await preflight("/v1/admin/stores");
    expect(answer.headers.get("Access-Control-Allow-Origin")).toBeNull();
  });
});
