import { html, raw } from "hono/html";
import { trimTrailingSlash } from "hono/trailing-slash";
import { PROBLEM_TYPES, Problem, type ProblemType } from "../platform/errors.ts";
import { createRouter } from "../platform/http.ts";
import { fileOf, guides, renderGuide } from "./guides.ts";
import type { OpenApiDocument } from "./openapi.ts";
import { answerPage, pageHeaders, STYLE_PATH } from "./page.ts";
import { PROBLEM_TEXTS } from "./problems.ts";
import { renderReference } from "./reference.ts";
import { STYLE } from "./style.ts";

/**
 * The documentation: guides, the API reference, the problems, and `/openapi.json`. Public, no script, no other origin.
 * @param describe gives the OpenAPI document of the whole application; asked once, at the first need.
 */
export function docsRoutes(describe: () => OpenApiDocument) {
  const router = createRouter();
  let described: OpenApiDocument | undefined;
  const document = () => {
    described ??= describe();
    return described;
  };

  for (const path of ["/", "/docs", "/docs/*", "/openapi.json"]) router.use(path, pageHeaders);
  router.use("/docs/*", trimTrailingSlash());
  router.get("/", async (c): Promise<Response> => {
    const links = { documentation: "/docs", openapi: "/openapi.json", health: "/healthz" };
    if (!c.req.header("Accept")?.includes("text/html")) return c.json({ name: "Alive Signage", ...links });
    return await answerPage(
      c,
      "Proof of play",
      html`<h1>Alive Signage</h1><p>Proof of play for digital signage. <a href="/docs">Documentation</a> · <a href="/healthz">Health</a></p>`,
    );
  });
  router.get("/openapi.json", (c) => c.json(document()));
  router.get(STYLE_PATH, (c) => c.body(STYLE, 200, { "Content-Type": "text/css; charset=utf-8", "Cache-Control": "public, max-age=300" }));
  router.get("/docs", (c) =>
    answerPage(
      c,
      "Documentation",
      html`<h1>Documentation</h1>
<h2>Guides</h2><ul>${guides().map((guide) => html`<li><a href="/docs/${guide.name}">${guide.title}</a></li>`)}</ul>
<h2>Reference</h2><ul><li><a href="/docs/api">API reference</a></li><li><a href="/docs/errors">Errors</a></li><li><a href="/openapi.json">OpenAPI document</a></li></ul>`,
    ),
  );
  router.get("/docs/api", (c) => answerPage(c, "API reference", renderReference(document())));
  router.get("/docs/errors", (c) => answerPage(c, "Errors", renderProblems()));
  router.get("/docs/errors/:type", (c) => {
    const type = c.req.param("type");
    if (!isProblemType(type)) throw new Problem("not-found", "There is no problem of this type.");
    return answerPage(c, PROBLEM_TYPES[type].title, renderProblem(type));
  });
  router.get("/docs/:guide", async (c): Promise<Response> => {
    const file = fileOf(c.req.param("guide"));
    if (file) return c.body(file.text, 200, { "Content-Type": file.type, "Cache-Control": "public, max-age=300" });
    const guide = renderGuide(c.req.param("guide"));
    if (!guide) throw new Problem("not-found", "There is no guide of this name.");
    return await answerPage(c, guide.title, html`${raw(guide.html)}`);
  });
  return router;
}

function isProblemType(type: string): type is ProblemType {
  return Object.hasOwn(PROBLEM_TYPES, type);
}

function renderProblems() {
  const types = Object.keys(PROBLEM_TYPES) as ProblemType[];
  return html`<h1>Errors</h1>
<p>Every error is <code>application/problem+json</code> (RFC 9457): <code>type</code> names a page below, <code>code</code> the exact case,
<code>errors</code> the fields by JSON pointer, <code>correlation_id</code> the request in the logs.</p>
<table>${types.map((type) => html`<tr><td><a href="/docs/errors/${type}">${type}</a></td><td><code>${PROBLEM_TYPES[type].status}</code></td><td>${PROBLEM_TYPES[type].title}</td></tr>`)}</table>`;
}

function renderProblem(type: ProblemType) {
  const { means, remedy } = PROBLEM_TEXTS[type];
  return html`<h1>${PROBLEM_TYPES[type].title}</h1>
<p class="muted"><code>${type}</code>, status <code>${PROBLEM_TYPES[type].status}</code></p>
<h2>What it means</h2><p>${inlineCode(means)}</p>
<h2>What to do</h2><p>${inlineCode(remedy)}</p>
<p><a href="/docs/errors">All errors</a></p>`;
}

/** Text in which backquotes mark code. */
function inlineCode(text: string) {
  return text.split("`").map((part, at) => (at % 2 === 1 ? html`<code>${part}</code>` : part));
}
