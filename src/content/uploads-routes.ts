import { createRoute, z } from "@hono/zod-openapi";
import { uuidv7 } from "uuidv7";
import { createRow } from "../audit/changes.ts";
import { newRow, type Resource } from "../audit/resource.ts";
import { createdHeaders, createHeaders, idParams, noContent, tagOf } from "../audit/routes.ts";
import { guarded } from "../auth/access.ts";
import { OPERATE, reads } from "../auth/principal.ts";
import { idField, sha256Field, timeField } from "../platform/fields.ts";
import { type AppContext, createRouter, responses } from "../platform/http.ts";
import { readIdempotency } from "../platform/idempotency.ts";
import { presentRow } from "../platform/rows.ts";
import { DAY_MS } from "../platform/time.ts";
import { FILE_MAX_BYTES, PART_DEFAULT_BYTES, PART_MAX_BYTES, PART_MIN_BYTES, partsCount } from "./parts.ts";
import { openContentType } from "./publish.ts";
import { content, contentUploads } from "./tables.ts";
import { contentLength } from "./upload.ts";
import { completeUpload, findUpload, putPart, readParts, refuseComplete, removeUpload, stagingKey, type Upload } from "./uploads.ts";
import { VERSIONS_PATH, type Version, versionResource, versionSchema } from "./versions.ts";

const PATH = "/v1/admin/content/{id}/uploads";
const ONE = `${PATH}/{upload_id}`;

const createSchema = z
  .strictObject({
    sha256: sha256Field.meta({ description: "Of the whole file." }),
    bytes: z.int().min(1).max(FILE_MAX_BYTES).meta({ description: "Of the whole file." }),
    part_bytes: z
      .int()
      .min(PART_MIN_BYTES)
      .max(PART_MAX_BYTES)
      .default(PART_DEFAULT_BYTES)
      .meta({ description: "Of each part but the last, which has the rest." }),
    version_hash: z.string().trim().min(1).max(128).nullable().optional(),
    duration_ms: z.int().min(1).max(DAY_MS).nullable().optional(),
  })
  .openapi("ContentUploadCreate");

const uploadSchema = z
  .object({
    id: z.uuid(),
    content_id: z.uuid(),
    sha256: z.string(),
    bytes: z.int(),
    part_bytes: z.int(),
    version_hash: z.string().nullable(),
    duration_ms: z.int().nullable(),
    version_id: z.uuid().nullable().meta({ description: "Null until it is complete." }),
    created_at: timeField,
  })
  .openapi("ContentUpload");

const partSchema = z.object({ number: z.int(), bytes: z.int(), received_at: timeField }).openapi("ContentUploadPart");
const statusSchema = uploadSchema
  .extend({ parts_count: z.int(), parts: z.array(partSchema).meta({ description: "Those that have arrived." }) })
  .openapi("ContentUploadStatus");

/** A file on its way in parts. */
const uploadResource: Resource<Upload> = {
  noun: "content_upload",
  plural: "content",
  path: PATH,
  table: contentUploads,
  create: createSchema,
  change: z.strictObject({}),
  answer: uploadSchema,
  filters: {},
  visible: {},
  references: { content_id: content },
  hidden: ["r2_upload_id"],
};

const tags = [tagOf(versionResource)];
const reading = { ...guarded(reads(uploadResource.visible)), tags };
const changing = { ...guarded(OPERATE), tags };
const oneParams = idParams.extend({ upload_id: idField });

export const multipartRoutes = createRouter();

multipartRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: PATH,
    summary: "Begin the upload of a large file in parts",
    description: "An upload that is not completed within seven days is gone.",
    request: {
      params: idParams,
      headers: createHeaders,
      body: { required: true, content: { "application/json": { schema: createSchema } } },
    },
    responses: responses(201, "The upload; put its parts now", uploadSchema),
  }),
  async (c) => {
    const { id: contentId } = c.req.valid("param");
    const body = c.req.valid("json");
    const idempotency = await readIdempotency(c);
    await openContentType(c.env.DB, contentId);
    const id = uuidv7();
    const begun = await c.env.BUCKET.createMultipartUpload(stagingKey(id));
    const change = changeOf(c);
    const row = { ...newRow(contentUploads, body, id, change.now), content_id: contentId, r2_upload_id: begun.uploadId };
    const outcome = await createRow(change, uploadResource, row, idempotency);
    // Another one was begun for this key before.
    if (outcome.replayed) await begun.abort();
    return c.json(outcome.shown as z.infer<typeof uploadSchema>, 201, createdHeaders(PATH.replace("{id}", contentId), outcome));
  },
);

multipartRoutes.openapi(
  createRoute({
    ...reading,
    method: "get",
    path: ONE,
    summary: "An upload and the parts that have arrived",
    request: { params: oneParams },
    responses: responses(200, "The upload", statusSchema),
  }),
  async (c) => {
    const upload = await uploadOf(c, c.req.valid("param"));
    const parts = await readParts(c.env.DB, upload.id);
    const shown = presentRow(upload, uploadResource.hidden) as z.infer<typeof uploadSchema>;
    return c.json({ ...shown, parts_count: partsCount(upload), parts: parts.map(presentPart) }, 200);
  },
);

multipartRoutes.openapi(
  createRoute({
    ...changing,
    method: "put",
    path: `${ONE}/parts/{number}`,
    summary: "Put a part of a file",
    description: "The body is the part. Parts are numbered from 1 and come in any order; one that comes again replaces the first.",
    request: {
      params: oneParams.extend({ number: z.coerce.number().int().min(1) }),
      body: { required: true, content: { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } } },
    },
    responses: responses(200, "The part has arrived", partSchema),
  }),
  async (c) => {
    const params = c.req.valid("param");
    const upload = await uploadOf(c, params);
    const incoming = { body: c.req.raw.body, length: contentLength(c.req.raw.headers) };
    return c.json(presentPart(await putPart(changeOf(c), c.env.BUCKET, upload, params.number, incoming)), 200);
  },
);

multipartRoutes.openapi(
  createRoute({
    ...changing,
    method: "post",
    path: `${ONE}/complete`,
    summary: "Make a version of an upload",
    description: "The parts are put together, read back and verified. Where the hash or the kind is wrong, the upload is gone.",
    request: { params: oneParams },
    responses: {
      ...responses(201, "The version as it was made", versionSchema),
      200: { description: "The version that holds this file already", content: { "application/json": { schema: versionSchema } } },
    },
  }),
  async (c) => {
    const upload = await uploadOf(c, c.req.valid("param"));
    const outcome = await completeUpload(changeOf(c), c.env.BUCKET, upload);
    const headers = createdHeaders(VERSIONS_PATH.replace("{id}", upload.content_id), outcome);
    const version = outcome.shown as Version;
    return outcome.status === 200 ? c.json(version, 200, headers) : c.json(version, 201, headers);
  },
);

multipartRoutes.openapi(
  createRoute({
    ...changing,
    method: "delete",
    path: ONE,
    summary: "Abort an upload",
    request: { params: oneParams },
    responses: noContent("It is gone, and its parts with it"),
  }),
  async (c) => {
    const upload = await uploadOf(c, c.req.valid("param"));
    refuseComplete(upload);
    await removeUpload(changeOf(c), c.env.BUCKET, upload, "abort");
    return c.body(null, 204);
  },
);

async function uploadOf(c: AppContext, { id, upload_id }: { id: string; upload_id: string }): Promise<Upload> {
  return await findUpload(c.env.DB, id, upload_id);
}

function changeOf(c: AppContext) {
  return { db: c.env.DB, actor: c.get("actor"), now: Date.now() };
}

function presentPart({ number, bytes, received_at }: { number: number; bytes: number; received_at: number }) {
  return presentRow({ number, bytes, received_at }) as z.infer<typeof partSchema>;
}
