import { createRoute, z } from "@hono/zod-openapi";
import { sql } from "drizzle-orm";
import { uuidv7 } from "uuidv7";
import { createRow, findRow, findVisible, listRows } from "../audit/changes.ts";
import { newRow, type Resource } from "../audit/resource.ts";
import { createdHeaders, createHeaders, idParams, tagOf } from "../audit/routes.ts";
import { guarded, viewerScope } from "../auth/access.ts";
import { OPERATE, reads } from "../auth/principal.ts";
import { Problem } from "../platform/errors.ts";
import { etagOf } from "../platform/etag.ts";
import { idField, sha256Field, timeField } from "../platform/fields.ts";
import { sha256Now } from "../platform/hash.ts";
import { createRouter, responses } from "../platform/http.ts";
import { readIdempotency } from "../platform/idempotency.ts";
import { pageQuery, pageSchema } from "../platform/paging.ts";
import type { Requirement } from "../platform/requirement.ts";
import { presentRow, type Row } from "../platform/rows.ts";
import { DAY_MS, MINUTE_MS } from "../platform/time.ts";
import { contentResource } from "./content.ts";
import { content, contentVersions } from "./tables.ts";

export const VERSIONS_PATH = "/v1/admin/content/{id}/versions";
const MIME = /^[a-z0-9][a-z0-9!#$&^_.+-]*\/[a-z0-9][a-z0-9!#$&^_.+-]*$/;

const createSchema = z
  .strictObject({
    id: idField.optional(),
    sha256: sha256Field
      .optional()
      .meta({ description: "Of the file; it names the version. A page on the web has that of its address by default." }),
    version_hash: z.string().trim().min(1).max(128).optional().meta({ description: "Another name of the version. Default: sha256." }),
    url: z
      .url({ protocol: /^https$/, error: "must be an https URL" })
      .max(2048)
      .nullable()
      .optional()
      .meta({ description: "Where players get it, if it is not kept here." }),
    bytes: z.int().min(0).nullable().optional(),
    duration_ms: z.int().min(1).max(DAY_MS).nullable().optional(),
    mime: z.string().max(128).regex(MIME, "must be a media type such as video/mp4").nullable().optional(),
  })
  .openapi("ContentVersionCreate");

export const versionSchema = z
  .object({
    id: z.uuid(),
    content_id: z.uuid(),
    version_hash: z.string(),
    url: z.string().nullable(),
    sha256: z.string(),
    bytes: z.int().nullable(),
    duration_ms: z.int().nullable(),
    mime: z.string().nullable(),
    created_at: timeField,
  })
  .openapi("ContentVersion");

type VersionRow = typeof contentVersions.$inferSelect;

/** An uploaded file of a piece of content. Immutable: a play that cites it must find it as it was. */
export const versionResource: Resource<VersionRow> = {
  noun: "content_version",
  plural: "content",
  path: VERSIONS_PATH,
  table: contentVersions,
  create: createSchema,
  change: z.strictObject({}),
  answer: versionSchema,
  filters: {},
  visible: {},
  references: { content_id: content },
  existing: findExisting,
  requirements: (before, after) => (before ? [] : [notBeingRemoved(after)]),
  effects: (db, _before, after) => [requireSingleFile(db, after)],
};

/** How long the deletion of a file may take, and a version's row behind the arrival of its file: both with much to spare. */
const REMOVAL_MAX_MS = 30 * MINUTE_MS;

/** A file that no version named and that is being deleted right now must not get one: it would have no file. */
function notBeingRemoved({ sha256, created_at }: VersionRow): Requirement {
  return {
    breaches: "SELECT NULL AS at FROM content_removals WHERE sha256 = ? AND removed_at > ?",
    values: [sha256, created_at - REMOVAL_MAX_MS],
    pointer: () => "/sha256",
    detail: "An old copy of this file, which nothing used, is being deleted. Send the file again in half an hour.",
    code: "FILE_BEING_REMOVED",
  };
}

const VERSION_ETAG = etagOf(1);
const tags = [tagOf(versionResource)];
const reading = { ...guarded(reads(contentResource.visible)), tags };
const changing = { ...guarded(OPERATE), tags };

export const versionRoutes = createRouter();

versionRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: VERSIONS_PATH,
    summary: "Create a content version",
    description: "The same file again answers the version that there is, with 200.",
    request: {
      params: idParams,
      headers: createHeaders,
      body: { required: true, content: { "application/json": { schema: createSchema } } },
    },
    responses: {
      ...responses(201, "The version as it was made", versionSchema),
      200: { description: "The version that holds this file already", content: { "application/json": { schema: versionSchema } } },
    },
  }),
  async (c) => {
    const db = c.env.DB;
    const { id: contentId } = c.req.valid("param");
    const body = c.req.valid("json");
    const { type } = await findRow(db, contentResource, contentId);
    const now = Date.now();
    const sha256 = body.sha256 ?? addressHash(type, body.url ?? null);
    const fields = { ...body, sha256, version_hash: body.version_hash ?? sha256 };
    const row = { ...newRow(contentVersions, fields, body.id ?? uuidv7(), now), content_id: contentId };
    const outcome = await createRow({ db, actor: c.get("actor"), now }, versionResource, row, await readIdempotency(c));
    const version = outcome.shown as Version;
    refuseOtherLength(body.duration_ms, version);
    const headers = createdHeaders(VERSIONS_PATH.replace("{id}", contentId), outcome);
    return outcome.status === 200 ? c.json(version, 200, headers) : c.json(version, 201, headers);
  },
);

versionRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: VERSIONS_PATH,
    summary: "List a content's versions",
    request: { params: idParams, query: z.strictObject(pageQuery) },
    responses: responses(200, "A page of versions, by id", pageSchema(versionSchema)),
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    await findVisible(c.env.DB, contentResource, id, viewerScope(c));
    const page = await listRows(c.env.DB, contentVersions, c.req.valid("query"), [sql`${contentVersions.content_id} = ${id}`]);
    return c.json({ ...page, items: page.items.map(presentVersion) }, 200);
  },
);

versionRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: `${VERSIONS_PATH}/{version_id}`,
    summary: "Get a content version",
    request: { params: idParams.extend({ version_id: idField }) },
    responses: responses(200, "The version", versionSchema),
  }),
  async (c) => {
    const { id, version_id } = c.req.valid("param");
    await findVisible(c.env.DB, contentResource, id, viewerScope(c));
    const row = await findRow(c.env.DB, versionResource, version_id);
    if (row.content_id !== id) throw new Problem("not-found", "There is no content version with this id.");
    return c.json(presentVersion(row), 200, { ETag: VERSION_ETAG });
  },
);

/**
 * A file that is there already is answered as it is; another length than it has must not be passed over, for plays are billed by it.
 * @throws Problem `conflict`, code `DURATION_DIFFERS`.
 */
export function refuseOtherLength(asked: number | null | undefined, version: Pick<Version, "id" | "duration_ms">): void {
  if (asked === undefined || asked === null || asked === version.duration_ms) return;
  const known = version.duration_ms === null ? "no duration_ms" : `a duration_ms of ${version.duration_ms}`;
  const detail = `This content has this file already, as version ${version.id} with ${known}, and a version never changes. Make another content of it.`;
  throw new Problem("conflict", detail, { code: "DURATION_DIFFERS", errors: [{ pointer: "/duration_ms", detail }] });
}

/**
 * What names the version that a page on the web is: there is no file, so its address does.
 * @throws Problem `validation-error` where a file's hash is missing.
 */
function addressHash(type: unknown, url: string | null): string {
  if (type === "web" && url !== null) return sha256Now(url);
  const detail =
    type === "web" ? "Give the file's sha256, or the url of a page on the web." : "is missing: a version is named by its file's hash";
  throw new Problem("validation-error", `/sha256: ${detail}`, { errors: [{ pointer: "/sha256", detail }] });
}

export type Version = z.infer<typeof versionSchema>;

function presentVersion(row: Row): Version {
  return presentRow(row) as Version;
}

/**
 * The version of this content that holds this file.
 * @throws Problem `conflict` where the version's name is taken by another file.
 */
async function findExisting(db: D1Database, { content_id, sha256, version_hash }: VersionRow): Promise<Row | null> {
  const version = await db
    .prepare("SELECT * FROM content_versions WHERE content_id = ?1 AND (sha256 = ?2 OR version_hash = ?3) ORDER BY sha256 = ?2 DESC, id")
    .bind(content_id, sha256, version_hash)
    .first<Row>();
  if (!version || version.sha256 === sha256) return version;
  const detail = "Another file of this content has this version_hash.";
  throw new Problem("conflict", detail, { code: "ALREADY_EXISTS", errors: [{ pointer: "/version_hash", detail }] });
}

/** Takes the transaction back where the content has the file already, under another name: `sha256` may not be NULL. */
function requireSingleFile(db: D1Database, { id, content_id, sha256 }: VersionRow): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE content_versions SET sha256 = CASE WHEN
         (SELECT count(*) FROM content_versions WHERE content_id = ?2 AND sha256 = ?3) = 1 THEN sha256 END WHERE id = ?1`,
    )
    .bind(id, content_id, sha256);
}
