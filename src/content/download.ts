import { createRoute, z } from "@hono/zod-openapi";
import { requireStanding } from "../devices/standing.ts";
import { authenticateDevice } from "../devices/token.ts";
import { Problem } from "../platform/errors.ts";
import { matchesAny } from "../platform/etag.ts";
import { type AppContext, createRouter, problemSchema } from "../platform/http.ts";
import { type ByteRange, rangeOf } from "../platform/range.ts";
import { findAccess } from "./access.ts";
import { fileKey } from "./files.ts";

const SHA256 = /^[0-9a-f]{64}$/;
const binary = { "application/octet-stream": { schema: z.string().meta({ format: "binary" }) } };

export const downloadRoutes = createRouter();

downloadRoutes.openapi(
  createRoute({
    method: "get",
    path: "/v1/device/content/{sha256}",
    tags: ["Devices"],
    security: [{ device: [] }],
    summary: "A file that the device plays",
    description:
      "Files in playlists that are scheduled on the device or its group, in the default playlist of its group, in takeovers that reach " +
      "it, and in the plan that it was last given; others are 404. A file never changes: keep it by its hash, and resume a download by Range.",
    request: {
      params: z.object({ sha256: z.string().meta({ description: "As the plan's items have it." }) }),
      headers: z.object({
        range: z.string().optional().meta({ description: "One range of bytes.", example: "bytes=1048576-" }),
        "if-range": z.string().optional(),
        "if-none-match": z.string().optional(),
      }),
    },
    responses: {
      200: { description: "The file", content: binary },
      206: { description: "A part of it; Content-Range says which", content: binary },
      304: { description: "The player has it" },
      default: { description: "A problem (RFC 9457)", content: { "application/problem+json": { schema: problemSchema } } },
    },
  }),
  (c) => download(c, Date.now()),
);

async function download(c: AppContext, now: number): Promise<Response> {
  const identity = await authenticateDevice(c.req.raw.headers, c.env, now);
  const sha256 = c.req.param("sha256") ?? "";
  const access = await findAccess(c.env.DB, identity.deviceId, sha256);
  requireStanding(access, identity);
  return await answerFile(c, access.allowed === 1 ? sha256 : "");
}

/** A stored file, whole or a range of it. @throws Problem `not-found` where there is none of this hash. */
export async function answerFile(c: AppContext, sha256: string): Promise<Response> {
  const file = SHA256.test(sha256) ? await c.env.BUCKET.head(fileKey(sha256)) : null;
  if (!file) throw noFile();
  const headers = { ...SAFE, ETag: `"${sha256}"`, "Cache-Control": "private, max-age=31536000, immutable", "Accept-Ranges": "bytes" };
  if (matchesAny(c.req.header("If-None-Match"), sha256)) return c.body(null, 304, headers);
  const range = askedRange(c, sha256, file.size);
  const content = {
    ...headers,
    "Content-Type": file.httpMetadata?.contentType ?? "application/octet-stream",
    "Content-Length": String(range === null ? file.size : range.last - range.first + 1),
    ...(range === null ? {} : { "Content-Range": `bytes ${range.first}-${range.last}/${file.size}` }),
  };
  // RFC 9110, 14.2: a range means nothing to HEAD; `askedRange` has passed it over.
  const body = c.req.method === "HEAD" ? null : await readFile(c.env.BUCKET, sha256, range);
  return new Response(body, { status: range === null ? 200 : 206, headers: content });
}

/**
 * Nothing that somebody uploaded may act as a page of this origin, which administrators' pages share: a browser that is led
 * here saves the file, and shows it, if it does, as a page of no origin.
 */
const SAFE = {
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "sandbox allow-scripts",
  "Content-Disposition": "attachment",
};

/**
 * The range to send; null for the whole file.
 * @throws Problem `range-not-satisfiable`
 */
function askedRange(c: AppContext, sha256: string, size: number): ByteRange | null {
  const ifRange = c.req.header("If-Range");
  // Compared strongly (RFC 9110, 13.1.5); a date cannot name what has no date.
  if (c.req.method !== "GET" || (ifRange !== undefined && ifRange.trim() !== `"${sha256}"`)) return null;
  const range = rangeOf(c.req.header("Range"), size);
  if (range === "unsatisfiable") {
    throw new Problem("range-not-satisfiable", `The file has ${size} bytes.`, { headers: { "Content-Range": `bytes */${size}` } });
  }
  return range === "whole" ? null : range;
}

async function readFile(bucket: R2Bucket, sha256: string, range: ByteRange | null): Promise<ReadableStream> {
  const options = range === null ? {} : { range: { offset: range.first, length: range.last - range.first + 1 } };
  const file = await bucket.get(fileKey(sha256), options);
  if (!file) throw noFile();
  return file.body;
}

function noFile(): Problem {
  return new Problem("not-found", "There is no file of this hash to be had here.");
}
