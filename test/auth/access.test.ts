import { env, exports } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { requireAdmin } from "../../src/auth/admin.ts";
import { correlate, createRouter, onError } from "../../src/platform/http.ts";
import { app } from "../../workers/http.ts";
import { admin, call, create } from "../support/admin.ts";
import { type SignedInBrowser, signedIn } from "../support/people.ts";
import { bearer, makeExpired, makeToken } from "../support/tokens.ts";

const under = (paths: string[]) => paths.map((path) => `GET /v1/admin/${path}`);

const posting = (paths: string[]) => paths.map((path) => `POST /v1/admin/${path}`);

/** What only role admin may call. */
const ADMIN_ONLY = [
  ...under(["tokens", "tokens/:id", "users", "users/:id", "invitations", "invitations/:id"]),
  ...posting(["tokens", "tokens/:id/revoke", "users/:id/reset-two-factor", "users/:id/reset-password"]),
  ...posting(["invitations", "invitations/setup", "invitations/:id/revoke"]),
  "PATCH /v1/admin/users/:id",
  "DELETE /v1/admin/users/:id",
];

const SIGN_OUT_EVERYWHERE = "POST /v1/admin/me/sessions/revoke-all";
/** What people may do with their own account, and no token. */
const OWN = ["PATCH /v1/admin/me", ...under(["me/sessions"]), "DELETE /v1/admin/me/sessions/:id", SIGN_OUT_EVERYWHERE];

const REPORTS = under([
  ...["reports/proof-of-play", "reports/proof-of-play.csv", "reports/planned", "reports/planned.csv"],
  ...["plays", "plays/:device_id/:event_id"],
]);

/** What a viewer of one supplier may read. */
const BY_SUPPLIER = [
  ...under(["suppliers", "suppliers/:id", "stores", "stores/:id", "device-groups", "device-groups/:id", "devices", "devices/:id"]),
  ...under([
    "devices/:id/commands",
    "devices/:id/commands/:command_id",
    "devices/:id/plan",
    "devices/:id/plan/timeline",
    "devices/:id/refused",
  ]),
  ...under(["devices/:id/plays", "devices/:id/activity", "overview"]),
  ...under(["devices/:id/sequencer", "incidents", "incidents/:id", "analytics/devices/:id"]),
  ...REPORTS,
  ...under(["me"]),
];

/** What a viewer of one brand may read. */
const BY_BRAND = [
  ...under(["campaigns", "campaigns/:id", "ad-groups", "ad-groups/:id", "playlists", "playlists/:id", "playlists/:id/items"]),
  ...under(["schedules", "schedules/:id", "content", "content/:id", "content/:id/versions", "content/:id/versions/:version_id"]),
  ...under(["content/:id/versions/:version_id/file", "content-versions"]),
  ...under(["analytics/content/:id", "analytics/top-content", "analytics/recent", "analytics/live"]),
  ...REPORTS,
  ...under(["me"]),
];

const CREATE_CLAIM = "POST /v1/device/pairing/create-claim";
const routes = [
  ...new Set(
    app.routes
      .filter(({ method, path }) => method !== "ALL" && path.startsWith("/v1/admin/"))
      .map(({ method, path }) => `${method} ${path}`),
  ),
  CREATE_CLAIM,
];

/** Who may call a route, in the words of OpenAPI. */
function callersOf(route: string): string[] {
  if (ADMIN_ONLY.includes(route)) return ["admin"];
  if (OWN.includes(route)) return ["user"];
  if (!route.startsWith("GET ")) return ["admin", "operator"];
  return [
    "admin",
    "operator",
    "viewer",
    ...(BY_SUPPLIER.includes(route) ? ["viewer:supplier"] : []),
    ...(BY_BRAND.includes(route) ? ["viewer:brand"] : []),
  ];
}

async function send(route: string, headers: Record<string, string>): Promise<Response> {
  const [method = "", path = ""] = route.split(" ");
  const url = `http://localhost${path.replaceAll(/:[A-Za-z_]+(\{[^}]*\})?/g, "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5")}`;
  const body = method === "GET" ? {} : { body: "{}" };
  return await exports.default.fetch(url, { method, headers: { "Content-Type": "application/json", ...headers }, ...body });
}

/** Tokens by the callers that they are. */
const callers: Record<string, string> = {};
/** People who are signed in, likewise. */
const people: Record<string, SignedInBrowser> = {};
/** Headers that open nothing, and the code that says why. */
const closed: [code: string, headers: Record<string, string>][] = [];

beforeAll(async () => {
  const supplier = await create("suppliers", { name: "Chain" });
  await create("campaigns", { brand_name: "Cola", name: "Autumn" });
  for (const role of ["admin", "operator", "viewer", "reporter"]) callers[role] = (await makeToken(role)).token;
  callers["viewer:supplier"] = (await makeToken("viewer", { supplier_id: supplier.id })).token;
  callers["viewer:brand"] = (await makeToken("viewer", { brand_name: "Cola" })).token;
  for (const role of ["admin", "operator", "viewer"]) people[role] = await signedIn(role);
  people["viewer:supplier"] = await signedIn("viewer", { supplier_id: supplier.id });
  people["viewer:brand"] = await signedIn("viewer", { brand_name: "Cola" });
  const revoked = await makeToken("admin");
  await admin("POST", `/v1/admin/tokens/${revoked.id}/revoke`);
  closed.push(
    ["TOKEN_MISSING", { Authorization: `Basic ${btoa("admin:test-admin-token")}` }],
    ["TOKEN_UNKNOWN", bearer("wrong")],
    ["TOKEN_UNKNOWN", bearer(`alive_${"A".repeat(43)}`)],
    ["TOKEN_EXPIRED", bearer((await makeExpired("admin")).token)],
    ["TOKEN_REVOKED", bearer(revoked.token)],
  );
});

test("the tables above name routes that there are", () => {
  expect(routes).toEqual(expect.arrayContaining([...ADMIN_ONLY, ...OWN, ...BY_SUPPLIER, ...BY_BRAND]));
  expect(routes.length).toBeGreaterThan(95);
});

describe("every route lets in whom it may, and nobody else", () => {
  test.each(routes)("%s", async (route) => {
    const admitted = callersOf(route);
    const judge = async (caller: string, admits: boolean, answer: Response) => {
      if (admits) {
        expect([401, 403, 500], caller).not.toContain(answer.status);
      } else {
        expect(answer.status, caller).toBe(403);
        expect(await answer.json(), caller).toMatchObject({ type: "/docs/errors/forbidden", detail: expect.stringMatching(/[a-z]/) });
      }
    };
    for (const [caller, token] of Object.entries(callers)) {
      await judge(`token of ${caller}`, admitted.includes(caller), await send(route, bearer(token)));
    }
    for (const [caller, browser] of Object.entries(people)) {
      const admits = admitted.includes(caller) || admitted.includes("user");
      await judge(`user ${caller}`, admits, await send(route, browser.headers));
      if (route === SIGN_OUT_EVERYWHERE) await browser.signIn(browser.person.email);
    }
  });

  test.each(routes)("%s is closed to cookies that open nothing, and to other sites", async (route) => {
    const { Cookie = "", ...page } = people.admin?.headers ?? {};
    for (const wrong of [`${Cookie}x`, Cookie.replace(/=(.)/, "=x$1"), "alive.session_token=x", Cookie.replace(/%3D$/, "")]) {
      const answer = await send(route, { ...page, Cookie: wrong });
      expect(answer.status, wrong).toBe(401);
      expect(await answer.json()).toMatchObject({ type: "/docs/errors/unauthorized", code: "SESSION_EXPIRED" });
    }
    if (route.startsWith("GET ") || route === CREATE_CLAIM) return;
    for (const changed of [{ Origin: "https://evil.example" }, { Origin: "null" }, { "X-Requested-With": "XMLHttpRequest" }]) {
      const answer = await send(route, { ...page, Cookie, ...changed });
      expect(answer.status).toBe(403);
      expect(await answer.json()).toMatchObject({ code: "CROSS_SITE" });
    }
  });

  test.each(routes)("%s is closed to tokens that are not in force", async (route) => {
    for (const [code, headers] of closed) {
      const answer = await send(route, headers);
      expect(answer.status, code).toBe(401);
      expect(answer.headers.get("WWW-Authenticate")).toBe('Bearer realm="admin"');
      expect(await answer.json()).toMatchObject({ type: "/docs/errors/unauthorized", code });
    }
    // Without a header a player asks for a code of its own.
    if (route !== CREATE_CLAIM) expect(await (await send(route, {})).json()).toMatchObject({ status: 401, code: "TOKEN_MISSING" });
  });

  test("and OpenAPI says the same", async () => {
    const { paths } = await (await exports.default.fetch("http://localhost/openapi.json")).json<{
      paths: Record<string, Record<string, { security?: unknown }>>;
    }>();
    for (const route of routes.filter((one) => one !== CREATE_CLAIM)) {
      const [method = "", path = ""] = route.split(" ");
      const operation = paths[path.replaceAll(/:([A-Za-z0-9_]+)/g, "{$1}")]?.[method.toLowerCase()];
      const callers = callersOf(route);
      const session = { session: callers };
      expect(operation?.security, route).toEqual(OWN.includes(route) ? [session] : [{ admin: callers }, session]);
    }
  });
});

test("a viewer may ask for headers alone", async () => {
  const head = async (caller: string) => {
    const url = "http://localhost/v1/admin/stores";
    return await exports.default.fetch(url, { method: "HEAD", headers: bearer(callers[caller] ?? "") });
  };
  expect((await head("viewer")).status).toBe(200);
  expect(await (await head("viewer")).text()).toBe("");
  expect((await head("reporter")).status).toBe(403);
});

test("a path that does not exist is not told apart without a token, and is 404 with any", async () => {
  expect((await call("GET", "/v1/admin/nothing", undefined, bearer("wrong"))).status).toBe(401);
  expect((await call("GET", "/v1/admin/nothing", undefined, bearer(callers.reporter ?? ""))).status).toBe(404);
});

test("a route that forgot to say who may call it answers nobody", async () => {
  const forgetful = createRouter();
  forgetful.onError(onError);
  forgetful.use(correlate, requireAdmin);
  forgetful.get("/v1/admin/forgotten", (c) => c.json({ secret: "of all suppliers" }));
  const answer = await forgetful.request("/v1/admin/forgotten", { headers: bearer("test-admin-token") }, env);
  expect(answer.status).toBe(500);
  expect(await answer.text()).not.toContain("of all suppliers");
});

test("a role's refusal comes before anything is read of the request", async () => {
  const answer = await call("POST", "/v1/admin/stores", "not even JSON", {
    ...bearer(callers.viewer ?? ""),
    "Content-Type": "application/json",
  });
  expect(answer.body).toMatchObject({ status: 403, detail: "A viewer may read and change nothing; this takes role operator or admin." });
});
