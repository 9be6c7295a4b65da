import { html } from "hono/html";
import type { OpenApiDocument } from "./openapi.ts";
import type { Html } from "./page.ts";
import { exampleOf, fieldsOf, type Schema, type Schemas, typeOf } from "./schema.ts";

const METHODS = ["get", "post", "put", "patch", "delete"] as const;

interface Parameter {
  name: string;
  in: string;
  required?: boolean;
  description?: string;
  schema?: Schema;
}

interface Operation {
  method: string;
  path: string;
  anchor: string;
  tag: string;
  summary: string;
  description: string;
  security: string[];
  /** The roles that it lets in. */
  roles: string[];
  parameters: Parameter[];
  body: Schema | null;
  answers: { status: string; description: string; schema: Schema | null }[];
}

/** What the page needs of each operation of a document, in the document's order. Pure. */
export function operationsOf(document: OpenApiDocument): Operation[] {
  return Object.entries(document.paths ?? {}).flatMap(([path, item]) =>
    METHODS.flatMap((method) => {
      const operation = item[method];
      if (!operation) return [];
      const body = operation.requestBody && "content" in operation.requestBody ? operation.requestBody.content : {};
      return {
        method: method.toUpperCase(),
        path,
        anchor: `${method}${path.replace(/[^A-Za-z0-9]+/g, "-")}`.replace(/-$/, ""),
        tag: operation.tags?.[0] ?? "other",
        summary: operation.summary ?? "",
        description: operation.description ?? "",
        security: (operation.security ?? []).flatMap((scheme) => Object.keys(scheme)),
        roles: [...new Set((operation.security ?? []).flatMap((scheme) => Object.values(scheme).flat()))],
        parameters: (operation.parameters ?? []) as Parameter[],
        body: schemaOf(body),
        answers: Object.entries(operation.responses ?? {}).map(([status, answer]) => ({
          status,
          description: String(answer.description ?? ""),
          schema: schemaOf(answer.content),
        })),
      };
    }),
  );
}

function schemaOf(content: unknown): Schema | null {
  const [media] = Object.values((content ?? {}) as Record<string, { schema?: Schema }>);
  return media?.schema ?? null;
}

/** The reference as a page: operations by tag, then the schemas that they name. */
export function renderReference(document: OpenApiDocument): Html {
  const operations = operationsOf(document);
  const schemas = (document.components?.schemas ?? {}) as Schemas;
  const tags = [...new Set(operations.map((operation) => operation.tag))].sort();
  return html`<h1>API reference</h1>
<p>${document.info.description}</p>
<ul class="toc">${tags.map((tag) => html`<li><a href="#${tag.replaceAll(" ", "-")}">${tag}</a></li>`)}<li><a href="#schemas">Schemas</a></li></ul>
${tags.map(
  (tag) => html`<h2 id="${tag.replaceAll(" ", "-")}">${tag}</h2>
${operations.filter((operation) => operation.tag === tag).map((operation) => renderOperation(operation, schemas))}`,
)}
<h2 id="schemas">Schemas</h2>
${Object.entries(schemas).map(([name, schema]) => html`<h3 id="schema-${name}">${name}</h3>${renderFields(schema, schemas)}`)}`;
}

function renderOperation(operation: Operation, schemas: Schemas): Html {
  const { body, parameters, security, roles } = operation;
  return html`<section id="${operation.anchor}">
<h3><span class="method">${operation.method}</span> <code>${operation.path}</code></h3>
<p>${operation.summary}${operation.description ? html`. ${operation.description}` : ""}
<span class="muted">${security.length > 0 ? `By: ${security.join(" or ")}${roles.length > 0 ? ` (${roles.join(", ")})` : ""}.` : "Public."}</span></p>
${
  parameters.length > 0
    ? html`<h4>Parameters</h4><table>${parameters.map(
        (parameter) =>
          html`<tr><td><code>${parameter.name}</code></td><td>${parameter.in}${parameter.required ? ", required" : ""}</td><td>${typeOf(parameter.schema ?? {}).text}</td><td>${parameter.description ?? parameter.schema?.description ?? ""}</td></tr>`,
      )}</table>`
    : ""
}
${body ? html`<h4>Body</h4>${renderFields(body, schemas)}` : ""}
<h4>Answers</h4>
<table>${operation.answers.map((answer) => html`<tr><td><code>${answer.status}</code></td><td>${answer.description}</td><td>${answer.schema ? renderType(answer.schema) : ""}</td></tr>`)}</table>
<h4>Example</h4>
<pre><code>${curlOf(operation, schemas)}</code></pre>
</section>`;
}

function renderType(schema: Schema): Html {
  const { text, ref } = typeOf(schema);
  return ref ? html`<a href="#schema-${ref}">${text}</a>` : html`${text}`;
}

function renderFields(schema: Schema, schemas: Schemas): Html {
  const { ref } = typeOf(schema);
  const fields = fieldsOf(schema, schemas);
  const named = ref ? html`<p><a href="#schema-${ref}">${ref}</a></p>` : "";
  if (fields.length === 0) return html`${named}<p>${renderType(schema)}</p>`;
  return html`${named}<table>${fields.map(
    (field) =>
      html`<tr><td><code>${field.name}</code></td><td>${field.required ? "required" : ""}</td><td>${renderType(field.schema)}</td><td>${field.schema.description ?? ""}</td></tr>`,
  )}</table>`;
}

/** A call as one would type it. Pure. */
export function curlOf(operation: Operation, schemas: Schemas): string {
  const path = operation.path.replaceAll(/\{([^}]+)\}/g, (_, name: string) => `$${name.toUpperCase()}`);
  const lines = [`curl ${operation.method === "GET" ? "" : `-X ${operation.method} `}"$BASE${path}"`];
  if (operation.security.includes("device")) lines.push(`-H "Authorization: Bearer $DEVICE_TOKEN"`);
  else if (operation.security.length > 0) lines.push(`-H "Authorization: Bearer $ADMIN_TOKEN"`);
  if (operation.body) {
    const example = JSON.stringify(exampleOf(operation.body, schemas)).replaceAll("'", "'\\''");
    lines.push(`-H "Content-Type: application/json"`, `-d '${example}'`);
  }
  return lines.join(" \\\n  ");
}
