/** As much of JSON Schema as OpenAPI documents made of zod schemas use. */
export interface Schema {
  $ref?: string;
  type?: string | string[];
  format?: string;
  enum?: unknown[];
  const?: unknown;
  items?: Schema;
  properties?: Record<string, Schema>;
  required?: string[];
  additionalProperties?: boolean | Schema;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  minimum?: number;
  maximum?: number;
  minLength?: number;
  maxLength?: number;
  default?: unknown;
  example?: unknown;
  examples?: unknown[];
  description?: string;
}

export type Schemas = Record<string, Schema>;

const REF_PREFIX = "#/components/schemas/";
/** How deep an example goes into objects: deeper ones say nothing more. */
const EXAMPLE_DEPTH = 4;

const FORMAT_EXAMPLES: Record<string, string> = {
  uuid: "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5",
  "date-time": "2026-02-05T10:00:00.000Z",
  date: "2026-02-05",
  uri: "https://example.com/file.mp4",
  ulid: "01ARZ3NDEKTSV4RRFFQ69G5FAV",
};

/** A schema's type in a few words, and the named schema that it is or holds. */
export function typeOf(schema: Schema): { text: string; ref: string | null } {
  if (schema.$ref) {
    const ref = schema.$ref.slice(REF_PREFIX.length);
    return { text: ref, ref };
  }
  if (schema.enum) return { text: schema.enum.map((value) => JSON.stringify(value)).join(" | "), ref: null };
  if (schema.const !== undefined) return { text: JSON.stringify(schema.const), ref: null };
  const parts = schema.anyOf ?? schema.oneOf ?? schema.allOf;
  if (parts) {
    const types = parts.map(typeOf);
    return { text: types.map((type) => type.text).join(schema.allOf ? " & " : " | "), ref: types.find((type) => type.ref)?.ref ?? null };
  }
  if (schema.items) {
    const item = typeOf(schema.items);
    return { text: `${item.text}[]`, ref: item.ref };
  }
  if (schema.properties) {
    const members = Object.entries(schema.properties).map(([member, value]) => ({ member, ...typeOf(value) }));
    const text = `{ ${members.map((member) => `${member.member}: ${member.text}`).join(", ")} }`;
    return { text, ref: members.find((member) => member.ref)?.ref ?? null };
  }
  const name = [schema.type ?? "any"].flat().join(" | ");
  return { text: [name, schema.format ? `(${schema.format})` : "", rangeOf(schema)].filter(Boolean).join(" "), ref: null };
}

function rangeOf({ minimum, maximum, minLength, maxLength }: Schema): string {
  if (minimum !== undefined || maximum !== undefined) return `${minimum ?? ""}…${maximum ?? ""}`;
  if (maxLength !== undefined) return `${minLength ?? 0} to ${maxLength} characters`;
  return "";
}

/** The members of an object schema; none for anything else. */
export function fieldsOf(schema: Schema, schemas: Schemas): { name: string; required: boolean; schema: Schema }[] {
  const target = resolve(schema, schemas);
  return Object.entries(target.properties ?? {}).map(([name, member]) => ({
    name,
    required: target.required?.includes(name) ?? false,
    schema: member,
  }));
}

function resolve(schema: Schema, schemas: Schemas): Schema {
  return schema.$ref ? (schemas[schema.$ref.slice(REF_PREFIX.length)] ?? {}) : schema;
}

/** A value that shows the schema: required members, or the first where none is, and the schema's own example where it has one. */
export function exampleOf(schema: Schema, schemas: Schemas, depth = 0): unknown {
  const target = resolve(schema, schemas);
  const given = target.example ?? target.examples?.[0] ?? target.default ?? target.const ?? target.enum?.[0];
  if (given !== undefined) return given;
  const part = (target.anyOf ?? target.oneOf ?? target.allOf)?.find((option) => option.type !== "null");
  if (part) return exampleOf(part, schemas, depth);
  const type = [target.type].flat().find((name) => name !== "null");
  if (type === "array") return depth < EXAMPLE_DEPTH && target.items ? [exampleOf(target.items, schemas, depth + 1)] : [];
  if (type === "object") {
    const fields = depth < EXAMPLE_DEPTH ? fieldsOf(target, schemas) : [];
    const required = fields.filter((field) => field.required);
    const shown = required.length > 0 ? required : fields.slice(0, 1);
    return Object.fromEntries(shown.map((field) => [field.name, exampleOf(field.schema, schemas, depth + 1)]));
  }
  if (type === "integer" || type === "number") return target.minimum !== undefined && target.minimum > 0 ? target.minimum : 1;
  if (type === "boolean") return true;
  return FORMAT_EXAMPLES[target.format ?? ""] ?? "…";
}
