import { createRoute, z } from "@hono/zod-openapi";
import { guarded } from "../auth/access.ts";
import { reads } from "../auth/principal.ts";
import { KIND_HEAD_BYTES, kindOf } from "../content/kinds.ts";
import { readBytes } from "../platform/body.ts";
import { Problem } from "../platform/errors.ts";
import { sha256Now } from "../platform/hash.ts";
import { createRouter, problemSchema, responses } from "../platform/http.ts";
import { refuseFlood } from "../plays/intake/flood.ts";
import { callerOf } from "../plays/intake/receive.ts";
import { type DeviceStanding, requireStanding } from "./standing.ts";
import { authenticateDevice } from "./token.ts";

/** A picture of a 4K screen as JPEG, twice over. */
export const SCREENSHOT_MAX_BYTES = 4 * 1024 * 1024;
/** What a player may send as a picture: all of them are shown by browsers. */
const PICTURES = new Set(["image/png", "image/jpeg", "image/webp"]);
const SHA256 = /^[0-9a-f]{64}$/;

/** Where a screenshot lies in R2. */
export function screenshotKey(sha256: string): string {
  return `screenshots/${sha256}`;
}

/**
 * Pictures of screens, as evidence of plays: a play log names its picture by the hash. A device may send a picture before or after
 * its log, and again: the same bytes are the same picture.
 */
export const screenshotRoutes = createRouter();

const params = z.object({ sha256: z.string().meta({ description: "SHA-256 of the picture, in lower-case hex." }) });
const storedSchema = z.object({ sha256: z.string(), bytes: z.int(), mime: z.string() }).openapi("StoredScreenshot");

screenshotRoutes.put("/v1/device/screenshots/:sha256", async (c) => {
  const now = Date.now();
  const identity = await authenticateDevice(c.req.raw.headers, c.env, now);
  await refuseFlood(c.env, callerOf(c, identity), now, "one screenshot a play is enough");
  requireStanding(await readStanding(c.env.DB, identity.deviceId), identity);
  const sha256 = c.req.param("sha256");
  const picture = await readBytes(c.req.raw, SCREENSHOT_MAX_BYTES);
  const mime = requirePicture(picture, sha256);
  await c.env.BUCKET.put(screenshotKey(sha256), picture, {
    sha256,
    httpMetadata: { contentType: mime },
    customMetadata: { device_id: identity.deviceId },
  });
  return c.json({ sha256, bytes: picture.length, mime }, 201);
});

/** @throws Problem `validation-error` with code `HASH_MISMATCH` or `UNKNOWN_KIND` */
function requirePicture(picture: Uint8Array, sha256: string): string {
  if (!SHA256.test(sha256) || sha256Now(picture) !== sha256) {
    throw new Problem("validation-error", "The picture's SHA-256 is not the one in its address. Nothing is stored.", {
      code: "HASH_MISMATCH",
    });
  }
  const mime = kindOf(picture.subarray(0, KIND_HEAD_BYTES))?.mime ?? "";
  if (!PICTURES.has(mime)) throw new Problem("validation-error", "A screenshot is a PNG, a JPEG or a WebP.", { code: "UNKNOWN_KIND" });
  return mime;
}

async function readStanding(db: D1Database, deviceId: string): Promise<DeviceStanding | null> {
  return await db.prepare("SELECT status, token_family_id FROM devices WHERE id = ?1").bind(deviceId).first<DeviceStanding>();
}

const binary = { schema: z.string().meta({ format: "binary" }) };

// The route above reads its body itself, behind the token, and is described here for OpenAPI only.
screenshotRoutes.openAPIRegistry.registerPath({
  tags: ["Devices"],
  security: [{ device: [] }],
  method: "put",
  path: "/v1/device/screenshots/{sha256}",
  summary: "Send a picture of the screen",
  description: `Evidence of a play, whose log names it in \`screenshot_hash\`: PNG, JPEG or WebP, up to ${SCREENSHOT_MAX_BYTES} bytes. May be repeated.`,
  request: { params, body: { required: true, content: { "image/png": binary, "image/jpeg": binary, "image/webp": binary } } },
  responses: responses(201, "It is kept", storedSchema),
});

screenshotRoutes.openapi(
  createRoute({
    ...guarded(reads({})),
    method: "get",
    path: "/v1/admin/screenshots/{sha256}",
    tags: ["Devices"],
    summary: "A picture of a screen",
    request: { params },
    responses: {
      200: { description: "The picture", content: { "image/*": binary } },
      default: { description: "A problem (RFC 9457)", content: { "application/problem+json": { schema: problemSchema } } },
    },
  }),
  async (c) => {
    const { sha256 } = c.req.valid("param");
    const picture = SHA256.test(sha256) ? await c.env.BUCKET.get(screenshotKey(sha256)) : null;
    if (!picture) throw new Problem("not-found", "There is no screenshot of this hash, or it has not arrived yet.");
    return new Response(picture.body, {
      headers: {
        "Content-Type": picture.httpMetadata?.contentType ?? "application/octet-stream",
        "Content-Length": String(picture.size),
        "Content-Security-Policy": "sandbox",
        ETag: `"${sha256}"`,
      },
    });
  },
);
