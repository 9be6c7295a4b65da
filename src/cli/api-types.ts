import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { plugin } from "bun";
import type { Schema } from "../docs/schema.ts";
import { main, ROOT } from "./tools.ts";

type Content = Record<string, { schema?: Schema }>;

interface Operation {
  parameters?: { name: string; in: string; required?: boolean; schema?: Schema }[];
  requestBody?: { content?: Content };
  responses: Record<string, { content?: Content }>;
}

export interface ApiDocument {
  paths: Record<string, Record<string, Operation>>;
  components: { schemas: Record<string, Schema> };
}

const METHODS = ["get", "post", "put", "patch", "delete"];
const FILE = resolve(ROOT, "src/console/api/schema.ts");

/** The TypeScript of an OpenAPI document: one type for each named schema, and `Api`, which maps `METHOD /path` to what goes in and comes out. Pure. */
export function typesOf({ paths, components }: ApiDocument): string {
  const named = Object.entries(components.schemas)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, schema]) => `${comment(schema, "")}export type ${name} = ${typeText(schema, "")};\n`);
  const calls = Object.entries(paths).flatMap(([path, item]) =>
    METHODS.flatMap((method) => (item[method] ? [callText(method, path, item[method])] : [])),
  );
  return `// Made of the Worker's OpenAPI document by \`bun run types\`. Not edited by hand.

${named.join("\n")}
/** Every call of the API. */
export interface Api {
${calls.sort().join("\n")}
}
`;
}

function callText(method: string, path: string, { parameters = [], requestBody, responses }: Operation): string {
  const members = (place: string) => {
    const found = parameters.filter((one) => one.in === place);
    const text = found.map((one) => `${key(one.name)}${one.required ? "" : "?"}: ${typeText(one.schema ?? {}, "    ")}`);
    return found.length > 0 ? `{ ${text.join("; ")} }` : "undefined";
  };
  const answers = Object.entries(responses)
    .filter(([status]) => /^2/.test(status))
    .map(([, { content }]) => jsonOf(content) ?? "null");
  return `  ${JSON.stringify(`${method.toUpperCase()} ${path}`)}: {
    path: ${members("path")};
    query: ${members("query")};
    body: ${jsonOf(requestBody?.content) ?? "undefined"};
    answer: ${[...new Set(answers)].join(" | ") || "null"};
  };`;
}

function jsonOf(content: Content | undefined): string | null {
  if (!content) return null;
  const json = content["application/json"]?.schema;
  if (json) return typeText(json, "    ");
  return Object.values(content).some(({ schema }) => schema?.format === "binary") ? "Blob" : "string";
}

function typeText(schema: Schema, indent: string): string {
  if (schema.$ref) return schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
  if (schema.enum) return schema.enum.map((value) => JSON.stringify(value)).join(" | ");
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices) return choices.map((one) => typeText(one, indent)).join(" | ");
  if (schema.allOf) return schema.allOf.map((one) => `(${typeText(one, indent)})`).join(" & ");
  const types = [schema.type ?? []].flat();
  if (types.length === 0) return schema.properties ? objectText(schema, indent) : "unknown";
  return types.map((type) => simpleText(type, schema, indent)).join(" | ");
}

function simpleText(type: string, schema: Schema, indent: string): string {
  if (type === "object") return objectText(schema, indent);
  if (type === "array") return `(${typeText(schema.items ?? {}, indent)})[]`;
  return type === "integer" ? "number" : type;
}

function objectText({ properties = {}, required = [], additionalProperties }: Schema, indent: string): string {
  const inner = `${indent}  `;
  const members = Object.entries(properties).map(
    ([name, schema]) => `${comment(schema, inner)}${inner}${key(name)}${required.includes(name) ? "" : "?"}: ${typeText(schema, inner)};\n`,
  );
  const rest = additionalProperties && typeof additionalProperties === "object" ? typeText(additionalProperties, inner) : "unknown";
  if (members.length === 0) return `Record<string, ${rest}>`;
  return `{\n${members.join("")}${indent}}`;
}

function key(name: string): string {
  return /^[A-Za-z_]\w*$/.test(name) ? name : JSON.stringify(name);
}

function comment({ description }: Schema, indent: string): string {
  return description ? `${indent}/** ${description.replaceAll("*/", "*\\/").replaceAll("\n", " ")} */\n` : "";
}

/** Asks the Worker's own code for its document. What only the Workers runtime has is not needed to describe routes. */
async function describeWorker(): Promise<ApiDocument> {
  plugin({
    name: "as-in-the-worker",
    setup(build) {
      build.onLoad({ filter: /\.(md|svg)$/ }, () => ({ exports: { default: "" }, loader: "object" }));
      build.module("cloudflare:workers", () => ({
        exports: { DurableObject: class {}, WorkerEntrypoint: class {}, env: {} },
        loader: "object",
      }));
    },
  });
  const { app } = await import(resolve(ROOT, "workers/http.ts"));
  const { describeApi } = await import(resolve(ROOT, "src/docs/openapi.ts"));
  return describeApi(app) as ApiDocument;
}

if (import.meta.main) {
  await main(async () => {
    const { values } = parseArgs({ args: Bun.argv.slice(2), options: { check: { type: "boolean", default: false } } });
    const made = typesOf(await describeWorker());
    if (!values.check) writeFileSync(FILE, made);
    else if (made !== readFileSync(FILE, "utf8")) {
      console.error("src/console/api/schema.ts is not what the Worker describes.");
      return 1;
    }
    return 0;
  });
}
