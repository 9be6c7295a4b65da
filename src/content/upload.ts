import { createRoute, z } from "@hono/zod-openapi";
import { createRow } from "../audit/changes.ts";
import { createdHeaders, idParams, tagOf } from "../audit/routes.ts";
import { guarded } from "../auth/access.ts";
import { OPERATE } from "../auth/principal.ts";
import { Problem } from "../platform/errors.ts";
import { sha256Field } from "../platform/fields.ts";
import { createRouter, responses } from "../platform/http.ts";
import { DAY_MS } from "../platform/time.ts";
import { declaredHash } from "./digest.ts";
import { storeFile } from "./files.ts";
import { videoLengthMs } from "./length.ts";
import { openContentType, versionRow } from "./publish.ts";
import { refuseOtherLength, VERSIONS_PATH, type Version, versionResource, versionSchema } from "./versions.ts";

const PATH = `${VERSIONS_PATH}/upload`;

export const uploadRoutes = createRouter();

uploadRoutes.openapi(
  createRoute({
    ...guarded(OPERATE),
    tags: [tagOf(versionResource)],
    method: "post",
    path: PATH,
    summary: "Upload a file as a content version",
    description:
      "The body is the file; its kind is read from its first bytes, and Content-Type plays no part. Declare its SHA-256 by Content-Digest " +
      "or sha256, and up to 95 MB stream into storage, verified on the way; without it, 20 MB. Larger files go in parts. The same file " +
      "again answers the version that there is, with 200. Codes: HASH_MISMATCH, EMPTY_FILE, UNKNOWN_KIND, KIND_MISMATCH, UPLOAD_CUT.",
    request: {
      params: idParams,
      headers: z.object({
        "content-digest": z.string().optional().meta({ description: "RFC 9530: sha-256=:base64:", example: "sha-256=:47DEQpj8…:" }),
      }),
      query: z.strictObject({
        sha256: sha256Field.optional().meta({ description: "The same in hex, for those who set no headers." }),
        version_hash: z.string().trim().min(1).max(128).optional().meta({ description: "Another name of the version. Default: sha256." }),
        duration_ms: z.coerce
          .number()
          .int()
          .min(1)
          .max(DAY_MS)
          .optional()
          .meta({ description: "How long a video runs. Default: what an MP4 file says of itself." }),
      }),
      body: { required: true, content: { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } } },
    },
    responses: {
      ...responses(201, "The version as it was made", versionSchema),
      200: { description: "The version that holds this file already", content: { "application/json": { schema: versionSchema } } },
    },
  }),
  async (c) => {
    const { id } = c.req.valid("param");
    const { sha256: inQuery, ...fields } = c.req.valid("query");
    const type = await openContentType(c.env.DB, id);
    const declared = declaredHash(c.req.header("Content-Digest"), inQuery);
    if ("error" in declared) throw new Problem("validation-error", declared.error, { code: "INVALID_DIGEST" });
    const incoming = { body: c.req.raw.body, length: contentLength(c.req.raw.headers), sha256: declared.sha256 };
    const file = await storeFile(c.env.BUCKET, incoming, type);
    const now = Date.now();
    const row = versionRow(id, file, { ...fields, duration_ms: fields.duration_ms ?? (await videoLengthMs(c.env.BUCKET, file)) }, now);
    const outcome = await createRow({ db: c.env.DB, actor: c.get("actor"), now }, versionResource, row, null);
    const headers = createdHeaders(VERSIONS_PATH.replace("{id}", id), outcome);
    const version = outcome.shown as Version;
    refuseOtherLength(fields.duration_ms, version);
    return outcome.status === 200 ? c.json(version, 200, headers) : c.json(version, 201, headers);
  },
);

/** The length that a request announces; null where it comes in chunks. */
export function contentLength(headers: Headers): number | null {
  const text = headers.get("Content-Length");
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}

/** Whether a request's body is a file, or a part of one, and may be larger than what is JSON. */
export function carriesFile(path: string): boolean {
  return /^\/v1\/admin\/content\/[^/]+\/(?:versions\/upload|uploads\/[^/]+\/parts\/[^/]+)$/.test(path);
}
