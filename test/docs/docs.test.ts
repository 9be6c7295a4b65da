import { env, exports } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { exampleOf, typeOf } from "../../src/docs/schema.ts";
import { PROBLEM_TYPES } from "../../src/platform/errors.ts";
import { app } from "../../workers/http.ts";

interface OpenApi {
  openapi: string;
  paths: Record<string, Record<string, { security?: Record<string, unknown>[]; responses: Record<string, unknown>; tags?: string[] }>>;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, { type: string; scheme: string }> };
}

const get = (path: string, accept = "text/html") => exports.default.fetch(`http://localhost${path}`, { headers: { Accept: accept } });

async function openApi(): Promise<OpenApi> {
  return await (await get("/openapi.json")).json();
}

describe("/openapi.json", () => {
  test("is OpenAPI 3.1 and knows both kinds of token", async () => {
    const document = await openApi();
    expect(document.openapi).toBe("3.1.0");
    expect(document.components.securitySchemes).toMatchObject({
      admin: { type: "http", scheme: "bearer" },
      device: { type: "http", scheme: "bearer" },
    });
  });

  test("describes every route of the application's API, and each with its guard", async () => {
    const { paths } = await openApi();
    const served = app.routes.filter((route) => route.method !== "ALL" && /^\/(v1|api)\//.test(route.path));
    expect(served.length).toBeGreaterThan(25);
    for (const { method, path } of served) {
      const operation = paths[path.replaceAll(/:([A-Za-z0-9_]+)/g, "{$1}")]?.[method.toLowerCase()];
      expect(operation, `${method} ${path}`).toBeDefined();
      expect(operation?.tags, `${method} ${path}`).toHaveLength(1);
      const roles = expect.arrayContaining(["admin"]);
      const own = method !== "GET" ? path.startsWith("/v1/admin/me") : path.startsWith("/v1/admin/me/");
      if (path.startsWith("/v1/admin/"))
        expect(operation?.security, `${method} ${path}`).toEqual(own ? [{ session: ["user"] }] : [{ admin: roles }, { session: roles }]);
      if (path.startsWith("/api/v1/")) expect(operation?.security, `${method} ${path}`).toEqual([{ device: [] }]);
    }
  });

  test("every reference in it leads somewhere", async () => {
    const document = await openApi();
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map((match) => match[1] ?? "");
    expect(references.length).toBeGreaterThan(20);
    expect(references.filter((name) => !(name in document.components.schemas))).toEqual([]);
  });

  test("refuses unknown fields where the API does", async () => {
    const { components } = await openApi();
    expect(components.schemas.StoreCreate).toMatchObject({ additionalProperties: false, required: ["supplier_id", "name", "timezone"] });
  });
});

describe("pages", () => {
  const pages = ["/", "/docs", "/docs/api", "/docs/errors", "/docs/architecture", "/docs/errors/validation-error"];

  test.each(pages)("%s needs nothing from elsewhere and may run no script", async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Content-Type")).toMatch(/^text\/html/);
    expect(answer.headers.get("Content-Security-Policy")).toBe(
      "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    );
    expect(answer.headers.get("X-Content-Type-Options")).toBe("nosniff");
    expect(answer.headers.get("X-Frame-Options")).toBe("DENY");
    expect(answer.headers.get("Referrer-Policy")).toBe("no-referrer");
    const page = await answer.text();
    expect(page).not.toMatch(/<script|<style| style=|\son[a-z]+="/i);
    for (const [, url] of page.matchAll(/(?:src|href)="([^"]*)"/g)) expect(url).toMatch(/^(\/|#|data:,$)/);
  });

  test.each(pages)("every link on %s leads somewhere", async (path) => {
    const page = await (await get(path)).text();
    const links = new Set([...page.matchAll(/href="([^"]*)"/g)].map((match) => match[1] ?? ""));
    for (const link of links) {
      if (link.startsWith("#")) expect(page, link).toContain(`id="${link.slice(1)}"`);
      else if (link.startsWith("/")) expect((await get(link)).status, link).toBe(200);
    }
  });

  test("the style sheet is served as one", async () => {
    const answer = await get("/docs/style.css");
    expect(answer.headers.get("Content-Type")).toBe("text/css; charset=utf-8");
    expect(await answer.text()).not.toMatch(/url\(|@import/);
  });

  test.each(Object.entries(PROBLEM_TYPES))("/docs/errors/%s tells what it means and what to do", async (type, { status, title }) => {
    const page = await (await get(`/docs/errors/${type}`)).text();
    expect(page).toContain(`<h1>${title}</h1>`);
    expect(page).toContain(`<code>${status}</code>`);
    expect(page).toMatch(/What it means<\/h2><p>[A-Z`<]/);
    expect(page).toMatch(/What to do<\/h2><p>[A-Z`<]/);
  });

  test("the guide is rendered: headings, tables and blocks, not Markdown", async () => {
    const page = await (await get("/docs/architecture")).text();
    expect(page).toContain("<title>Architecture · Alive Signage</title>");
    expect(page).toContain('<h2 id="invariants">Invariants</h2>');
    expect(page).toContain("<table>");
    expect(page).not.toMatch(/^#|\*\*|^\|/m);
  });

  test("the reference shows each operation with its fields and a call", async () => {
    const page = await (await get("/docs/api")).text();
    expect(page).toContain('<span class="method">POST</span> <code>/v1/admin/stores</code>');
    expect(page).toContain("curl -X POST &quot;$BASE/v1/admin/stores&quot;");
    expect(page).toContain("Authorization: Bearer $ADMIN_TOKEN");
    expect(page).toContain("&quot;timezone&quot;");
    expect(page).toContain('<h3 id="schema-StoreCreate">StoreCreate</h3>');
    expect(page).not.toContain("[object Object]");
  });

  test.each(["/docs/nothing", "/docs/errors/nothing", "/docs/__proto__", "/docs/errors/constructor"])("%s is not found", async (path) => {
    const answer = await get(path);
    expect(answer.status).toBe(404);
    expect(await answer.json()).toMatchObject({ code: "NOT_FOUND" });
  });

  test.each(["/docs/", "/docs/architecture/", "/docs/errors/"])("%s leads to the page without the slash", async (path) => {
    const answer = await exports.default.fetch(`http://localhost${path}`, { redirect: "manual" });
    expect([answer.status, answer.headers.get("Location")]).toEqual([301, `http://localhost${path.slice(0, -1)}`]);
  });

  test("a program gets the root as JSON", async () => {
    expect(await (await get("/", "application/json")).json()).toMatchObject({ documentation: "/docs", openapi: "/openapi.json" });
  });
});

describe("/healthz", () => {
  test("tries every part", async () => {
    const answer = await get("/healthz", "application/json");
    expect(answer.status).toBe(200);
    expect(answer.headers.get("Cache-Control")).toBe("no-store");
    expect(await answer.json()).toEqual({ status: "ok", parts: { database: "ok", storage: "ok", queue: "ok" } });
  });
});

describe("/healthz of a broken platform", () => {
  test("is 503, names the part, and tells nothing of the cause", async () => {
    const broken = new Proxy(env, {
      get: (target, name) => (name === "BUCKET" ? { head: () => Promise.reject(new Error("secret cause")) } : Reflect.get(target, name)),
    });
    const answer = await app.request("/healthz", {}, broken);
    expect(answer.status).toBe(503);
    expect(await answer.json()).toEqual({ status: "failed", parts: { database: "ok", storage: "failed", queue: "ok" } });
  });
});

describe("schemas in words", () => {
  const schemas = { Point: { type: "object", required: ["x"], properties: { x: { type: "integer" }, y: { type: "integer" } } } };

  test.each([
    [{ $ref: "#/components/schemas/Point" }, "Point", "Point"],
    [{ type: "array", items: { $ref: "#/components/schemas/Point" } }, "Point[]", "Point"],
    [{ type: ["string", "null"], format: "uuid" }, "string | null (uuid)", null],
    [{ type: "string", enum: ["a", "b"] }, '"a" | "b"', null],
    [{ type: "integer", minimum: 1, maximum: 200 }, "integer 1…200", null],
    [
      { type: "object", properties: { items: { type: "array", items: { $ref: "#/components/schemas/Point" } }, next: { type: "null" } } },
      "{ items: Point[], next: null }",
      "Point",
    ],
    [{ anyOf: [{ type: "null" }, { $ref: "#/components/schemas/Point" }] }, "null | Point", "Point"],
  ])("%o is %s", (schema, text, ref) => {
    expect(typeOf(schema)).toEqual({ text, ref });
  });

  test("an example holds what is required, else one member, and ends where schemas hold themselves", () => {
    expect(exampleOf({ $ref: "#/components/schemas/Point" }, schemas)).toEqual({ x: 1 });
    expect(exampleOf({ type: "object", properties: { a: { type: "boolean" }, b: { type: "boolean" } } }, {})).toEqual({ a: true });
    const loop = { Node: { type: "object", required: ["next"], properties: { next: { $ref: "#/components/schemas/Node" } } } };
    expect(JSON.stringify(exampleOf({ $ref: "#/components/schemas/Node" }, loop))).toBe('{"next":{"next":{"next":{"next":{}}}}}');
  });
});
