import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { fileKey, storeFile, UNDECLARED_MAX_BYTES, UPLOAD_MAX_BYTES } from "../../src/content/files.ts";
import { admin, create } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { bytesOf, fileOf, hashOf, upload } from "../support/files.ts";

const content = async (type: "video" | "image" | "web") => (await create("content", { name: "c", type })).id;
const versionsOf = async (id: string) => (await admin("GET", `/v1/admin/content/${id}/versions`)).body.items as unknown[];

/** A body that comes in chunks, of a length that nobody announces. */
function chunked(...chunks: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

describe("an upload", () => {
  test.each([
    ["with Content-Digest", true],
    ["without a hash", false],
  ])("%s becomes a version, of the kind that its bytes say, with one audit row", async (_, declared) => {
    const id = await content("image");
    const file = fileOf("png", 100_000);
    const { hex, digest } = await hashOf(file);
    const answer = await upload(id, file, { "Content-Type": "text/html", ...(declared ? { "Content-Digest": digest } : {}) });
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    expect(answer.body).toMatchObject({
      content_id: id,
      sha256: hex,
      version_hash: hex,
      bytes: 100_000,
      mime: "image/png",
      url: null,
      duration_ms: null,
    });
    expect(answer.headers.get("Location")).toBe(`/v1/admin/content/${id}/versions/${answer.body.id}`);
    const stored = await env.BUCKET.get(fileKey(hex));
    expect(new Uint8Array((await stored?.arrayBuffer()) ?? new ArrayBuffer())).toEqual(file);
    expect(stored?.httpMetadata?.contentType).toBe("image/png");
    const audited = (await auditRows()).filter((row) => row.target_id === answer.body.id);
    expect(audited).toMatchObject([{ action: "content_version.create", details: { after: { sha256: hex, mime: "image/png" } } }]);
  });

  test("larger than the limit of JSON bodies streams in, its hash declared in the query", async () => {
    const id = await content("video");
    const file = fileOf("mp4", 6_000_000);
    const { hex } = await hashOf(file);
    const answer = await upload(id, file, {}, `?sha256=${hex}&duration_ms=15000&version_hash=spot-1`);
    expect(answer.status, JSON.stringify(answer.body)).toBe(201);
    expect(answer.body).toMatchObject({ sha256: hex, bytes: 6_000_000, mime: "video/mp4", duration_ms: 15_000, version_hash: "spot-1" });
    expect((await env.BUCKET.head(fileKey(hex)))?.size).toBe(6_000_000);
  });

  test("in chunks of no announced length is hashed here, and held to the hash that is declared", async () => {
    const id = await content("image");
    const file = fileOf("jpeg", 9000);
    const { hex, digest } = await hashOf(file);
    const answer = await upload(id, chunked(file.slice(0, 2), file.slice(2)), { "Content-Digest": digest });
    expect(answer.body).toMatchObject({ sha256: hex, bytes: 9000, mime: "image/jpeg" });
    const wrong = await upload(id, chunked(fileOf("jpeg")), { "Content-Digest": digest });
    expect(wrong.body.code).toBe("HASH_MISMATCH");
  });

  test("of the same file again answers the version that there is; another content has its own, and the bytes lie there once", async () => {
    const [one, other] = [await content("image"), await content("image")];
    const file = fileOf("png");
    const { hex } = await hashOf(file);
    const first = await upload(one, file);
    const again = await upload(one, file, {}, `?sha256=${hex}`);
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual(first.body);
    expect((await upload(other, file)).status).toBe(201);
    expect((await env.BUCKET.list({ prefix: fileKey(hex) })).objects).toHaveLength(1);
  });
});

describe("an upload is refused, and neither version nor file stays", () => {
  const html = bytesOf("<!doctype html><script>alert(1)</script>");
  const svg = bytesOf('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
  test.each([
    ["an HTML page that is called an image", "image", html, "KIND_MISMATCH"],
    ["an image for a video", "video", fileOf("jpeg"), "KIND_MISMATCH"],
    ["a video for an image", "image", fileOf("webm"), "KIND_MISMATCH"],
    ["an SVG", "image", svg, "UNKNOWN_KIND"],
    ["an SVG as a web page", "web", svg, "UNKNOWN_KIND"],
    ["nothing", "image", new Uint8Array(0), "EMPTY_FILE"],
  ] as const)("%s: %s", async (_, type, file, code) => {
    const id = await content(type);
    const { hex, digest } = await hashOf(file);
    for (const headers of [{ "Content-Type": "image/png" }, { "Content-Type": "image/png", "Content-Digest": digest }]) {
      const answer = await upload(id, file, headers);
      expect(answer.body).toMatchObject({ status: 400, type: "/docs/errors/validation-error", code });
    }
    expect(await versionsOf(id)).toEqual([]);
    expect(await env.BUCKET.head(fileKey(hex))).toBeNull();
  });

  test("a form that holds the file, with what to do instead", async () => {
    const id = await content("image");
    const form = new FormData();
    form.set("file", new Blob([fileOf("png")]), "poster.png");
    const { headers, body } = new Response(form);
    const answer = await upload(id, new Uint8Array(await new Response(body).arrayBuffer()), {
      "Content-Type": headers.get("Content-Type") ?? "",
    });
    expect(answer.body).toMatchObject({ status: 400, code: "UNKNOWN_KIND", detail: expect.stringContaining("--data-binary @file") });
  });

  test("bytes of another hash than was declared, by R2 itself; and a file of that hash stays what it was", async () => {
    const id = await content("image");
    const good = fileOf("png");
    const { hex, digest } = await hashOf(good);
    const bad = fileOf("png", 200_000);
    expect((await upload(id, bad, { "Content-Digest": digest })).body).toMatchObject({ status: 400, code: "HASH_MISMATCH" });
    expect(await env.BUCKET.head(fileKey(hex))).toBeNull();
    expect((await upload(id, good)).status).toBe(201);
    expect((await upload(id, bad, {}, `?sha256=${hex}`)).body.code).toBe("HASH_MISMATCH");
    expect((await env.BUCKET.head(fileKey(hex)))?.size).toBe(good.length);
    expect(await versionsOf(id)).toHaveLength(1);
  });

  test("a digest that cannot be read, and one that the query contradicts", async () => {
    const id = await content("image");
    const { digest } = await hashOf(fileOf("png"));
    expect((await upload(id, fileOf("png"), { "Content-Digest": "sha-256=abc" })).body.code).toBe("INVALID_DIGEST");
    expect((await upload(id, fileOf("png"), { "Content-Digest": digest }, `?sha256=${"0".repeat(64)}`)).body.code).toBe("INVALID_DIGEST");
  });

  test("a file over the limit: announced, and in chunks while it comes", async () => {
    const id = await content("video");
    const chunk = new Uint8Array(UNDECLARED_MAX_BYTES / 4);
    const announced = await upload(id, new Uint8Array(UNDECLARED_MAX_BYTES + 1));
    expect(announced.body).toMatchObject({ status: 413, type: "/docs/errors/payload-too-large" });
    expect((await upload(id, chunked(fileOf("mp4"), chunk, chunk, chunk, chunk))).body).toMatchObject({ status: 413 });
    const declared = await upload(id, new Uint8Array(UPLOAD_MAX_BYTES + 1), {}, `?sha256=${"0".repeat(64)}`);
    expect(declared.body).toMatchObject({ status: 413, detail: expect.stringContaining("in parts") });
  });

  test("content that is not there, or archived", async () => {
    expect((await upload(crypto.randomUUID(), fileOf("png"))).status).toBe(404);
    const id = await content("image");
    await admin("PATCH", `/v1/admin/content/${id}`, { archived: true });
    expect((await upload(id, fileOf("png"))).body).toMatchObject({ status: 409, code: "CONTENT_ARCHIVED" });
  });

  test.each([
    ["breaks off", (controller: ReadableStreamDefaultController) => controller.error(new Error("the line is gone"))],
    ["ends before the length that was announced", (controller: ReadableStreamDefaultController) => controller.close()],
  ])("a body that %s", async (_, end) => {
    const file = fileOf("png", 50_000);
    const { hex: sha256 } = await hashOf(file);
    const chunks = [file.slice(0, 20_000)];
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        const chunk = chunks.shift();
        if (chunk) controller.enqueue(chunk);
        else end(controller);
      },
    });
    const stored = storeFile(env.BUCKET, { body, length: file.length, sha256 }, "image");
    await expect(stored).rejects.toMatchObject({ status: 400, code: "UPLOAD_CUT" });
    expect(await env.BUCKET.head(fileKey(sha256))).toBeNull();
  });
});
