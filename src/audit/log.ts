import { createRoute, z } from "@hono/zod-openapi";
import { type SQL, sql } from "drizzle-orm";
import { guarded } from "../auth/access.ts";
import { reads } from "../auth/principal.ts";
import { CSV_TYPE, csvLines, textStream } from "../platform/csv.ts";
import { timeField } from "../platform/fields.ts";
import { type AppContext, createRouter, problemSchema, responses } from "../platform/http.ts";
import { PAGE_MAX_ROWS, pageSchema } from "../platform/paging.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { findRow, listRows } from "./changes.ts";
import { withNames } from "./names.ts";
import { addressHash } from "./origin.ts";
import { equals, type Filter } from "./resource.ts";
import { conditionsOf, idParams, listQuery } from "./routes.ts";
import { auditLog } from "./tables.ts";

const PATH = "/v1/admin/audit-log";
const word = z.string().min(1).max(100);
const instant = z.iso.datetime({ offset: true });

const filters: Record<string, Filter> = {
  target_type: equals(auditLog.target_type, word),
  target_id: equals(auditLog.target_id, word),
  action: equals(auditLog.action, word),
  actor_user_id: equals(auditLog.actor_user_id, word),
  from: {
    schema: instant.optional().meta({ description: "From this instant on" }),
    where: (value) => sql`${auditLog.created_at} >= ${Date.parse(String(value))}`,
  },
  to: {
    schema: instant.optional().meta({ description: "Before this instant" }),
    where: (value) => sql`${auditLog.created_at} < ${Date.parse(String(value))}`,
  },
};

/** The log knows addresses by keyed hash alone: the one that is asked for is hashed alike. */
const address = z
  .union([z.ipv4(), z.ipv6()])
  .optional()
  .meta({ description: "Changes that came from this IP address", example: "203.0.113.7" });

const pageParameters = listQuery(filters).extend({ address });
const fileParameters = pageParameters.omit({ limit: true, cursor: true });

const entrySchema = z
  .object({
    id: z.uuid(),
    actor_user_id: z.string(),
    actor_name: z.string().nullable().meta({ description: "What the user or token is called now; null: neither." }),
    action: z.string().meta({ example: "store.update" }),
    target_type: z.string(),
    target_id: z.string(),
    target_name: z.string().nullable().meta({ description: "What it is called now; null: it has no name, or is gone." }),
    created_at: timeField,
    details: z.record(z.string(), z.unknown()).meta({ description: "What was before and after, or what was asked." }),
    origin: z
      .object({
        network: z.string().meta({ example: "203.0.113.0/24" }),
        address_hash: z.string(),
        country: z.string(),
        correlation_id: z.string(),
      })
      .nullable()
      .meta({
        description: "From where: the address's network (/24, /48), its keyed hash and country. null: not from a person's request.",
      }),
  })
  .openapi("AuditEntry");

/** Who changed what is everybody's and nobody's: no supplier's, no brand's. */
const reading = { ...guarded(reads({})), tags: ["Audit log"] };

type Entry = Omit<z.infer<typeof entrySchema>, "actor_name" | "target_name">;

/** What administrators changed, newest first. */
export const auditRoutes = createRouter();

auditRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: PATH,
    summary: "List administrators' changes",
    request: { query: pageParameters },
    responses: responses(200, "A page of entries, newest first", pageSchema(entrySchema)),
  }),
  async (c) => {
    const query = c.req.valid("query");
    const page = await listRows(c.env.DB, auditLog, pageOfQuery(query), await conditions(c, query), "newest");
    return c.json({ ...page, items: await withNames(c.env.DB, page.items.map(presentEntry)) }, 200);
  },
);

auditRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: `${PATH}/{id}`,
    summary: "Get an entry of the audit log",
    request: { params: idParams },
    responses: responses(200, "The entry", entrySchema),
  }),
  async (c) => {
    const row = await findRow(c.env.DB, { table: auditLog, noun: "audit entry" }, c.req.valid("param").id);
    const [entry] = await withNames(c.env.DB, [presentEntry(row)]);
    return c.json(entry as z.infer<typeof entrySchema>, 200);
  },
);

auditRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: `${PATH}.csv`,
    summary: "Administrators' changes as CSV",
    description:
      "All entries that the filters let through, newest first, streamed (RFC 4180, UTF-8, CRLF). before, after and asked are JSON.",
    request: { query: fileParameters },
    responses: {
      200: { description: "The entries", content: { "text/csv": { schema: z.string() } } },
      default: { description: "A problem (RFC 9457)", content: { "application/problem+json": { schema: problemSchema } } },
    },
  }),
  async (c) => {
    const stream = await textStream(csvChunks(c.env.DB, await conditions(c, c.req.valid("query"))));
    return c.body(stream, 200, { "Content-Type": CSV_TYPE, "Content-Disposition": 'attachment; filename="audit-log.csv"' });
  },
);

async function conditions(c: AppContext, query: Row): Promise<SQL[]> {
  if (typeof query.address !== "string") return conditionsOf(filters, query);
  const hash = await addressHash(c.env.HASH_SECRET, query.address);
  return [...conditionsOf(filters, query), sql`${auditLog.origin_json} ->> '$.address_hash' = ${hash}`];
}

function pageOfQuery(query: Row): { limit: number; cursor?: string } {
  return { limit: Number(query.limit), ...(typeof query.cursor === "string" ? { cursor: query.cursor } : {}) };
}

function presentEntry(row: Row): Entry {
  return presentRow(row) as Entry;
}

const CSV_COLUMNS = [
  "created_at",
  "actor_user_id",
  "action",
  "target_type",
  "target_id",
  "before",
  "after",
  "asked",
  "network",
  "country",
  "address_hash",
  "correlation_id",
  "id",
];

/** The file, a page of entries at a time. `pageRows` is for tests. */
export async function* csvChunks(db: D1Database, where: SQL[], pageRows = PAGE_MAX_ROWS): AsyncGenerator<string, void> {
  yield csvLines([CSV_COLUMNS]);
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const page = await listRows(db, auditLog, { limit: pageRows, cursor }, where, "newest");
    yield csvLines(page.items.map((row) => csvRow(presentEntry(row))));
    cursor = page.next_cursor;
  }
}

function csvRow({ details, origin, ...entry }: Entry): string[] {
  const { before, after, ...asked } = details;
  const cells: Record<string, string> = {
    ...entry,
    ...origin,
    before: jsonOf(before),
    after: jsonOf(after),
    asked: Object.keys(asked).length === 0 ? "" : jsonOf(asked),
  };
  return CSV_COLUMNS.map((column) => cells[column] ?? "");
}

function jsonOf(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value);
}
