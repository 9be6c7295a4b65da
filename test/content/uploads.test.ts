import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { fileKey } from "../../src/content/files.ts";
import { PART_MIN_BYTES } from "../../src/content/parts.ts";
import { stagingKey } from "../../src/content/uploads.ts";
import { admin, create } from "../support/admin.ts";
import { auditRows } from "../support/audit.ts";
import { fileOf, hashOf, send } from "../support/files.ts";

type File = Uint8Array<ArrayBuffer>;

/** An upload of a file in parts of the least size, none of which has arrived. */
async function begin(file: File, sha256?: string, type = "video") {
  const content = await create("content", { name: "c", type });
  const fields = { sha256: sha256 ?? (await hashOf(file)).hex, bytes: file.length, part_bytes: PART_MIN_BYTES, duration_ms: 30_000 };
  const { id } = await create(`content/${content.id}/uploads`, fields);
  const path = `/v1/admin/content/${content.id}/uploads/${id}`;
  const part = (number: number) => file.slice((number - 1) * PART_MIN_BYTES, number * PART_MIN_BYTES);
  return {
    id,
    path,
    contentId: content.id,
    sha256: fields.sha256,
    put: (number: number, body: File = part(number)) => send("PUT", `${path}/parts/${number}`, body),
    complete: () => admin("POST", `${path}/complete`),
    status: () => admin("GET", path),
  };
}

const actionsOn = async (target: string) => (await auditRows()).filter((row) => row.target_id === target).map(({ action }) => action);

describe("an upload in parts", () => {
  const LARGE = PART_MIN_BYTES * 2 + 1000;

  test("takes them in any order and again, says what has arrived, and becomes a version that was read back", async () => {
    const file = fileOf("mp4", LARGE);
    const upload = await begin(file);
    expect((await upload.put(3)).body).toMatchObject({ number: 3, bytes: 1000 });
    expect((await upload.put(1, fileOf("mp4", PART_MIN_BYTES))).status).toBe(200);
    const early = await upload.complete();
    expect(early.body).toMatchObject({ status: 409, code: "PARTS_MISSING", missing_parts: [2] });
    expect((await upload.status()).body).toMatchObject({
      parts_count: 3,
      version_id: null,
      parts: [
        { number: 1, bytes: PART_MIN_BYTES },
        { number: 3, bytes: 1000 },
      ],
    });
    await upload.put(2);
    expect((await upload.put(1)).status).toBe(200);
    const done = await upload.complete();
    expect(done.status, JSON.stringify(done.body)).toBe(201);
    expect(done.body).toMatchObject({
      content_id: upload.contentId,
      sha256: upload.sha256,
      bytes: LARGE,
      mime: "video/mp4",
      duration_ms: 30_000,
    });
    const stored = await env.BUCKET.get(fileKey(upload.sha256));
    expect((await hashOf(new Uint8Array((await stored?.arrayBuffer()) ?? new ArrayBuffer()))).hex).toBe(upload.sha256);
    expect(stored?.httpMetadata?.contentType).toBe("video/mp4");
    expect(await env.BUCKET.head(stagingKey(upload.id))).toBeNull();
    expect((await upload.status()).body.version_id).toBe(done.body.id);
    expect(await actionsOn(String(done.body.id))).toEqual(["content_version.create"]);
  });

  test("may be completed again, for the answer may have been lost; but takes no part and is not aborted any more", async () => {
    const upload = await begin(fileOf("webm"));
    await upload.put(1);
    const first = await upload.complete();
    const again = await upload.complete();
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(again.body).toEqual(first.body);
    expect((await upload.put(1)).body).toMatchObject({ status: 409, code: "UPLOAD_COMPLETE" });
    expect((await admin("DELETE", upload.path)).body).toMatchObject({ status: 409, code: "UPLOAD_COMPLETE" });
  });

  test("completes after a completion that got only as far as putting the parts together", async () => {
    const file = fileOf("mp4");
    const upload = await begin(file);
    await upload.put(1);
    await env.BUCKET.put(stagingKey(upload.id), file);
    expect((await upload.complete()).status).toBe(201);
  });

  test("aborted, is gone with its parts", async () => {
    const upload = await begin(fileOf("mp4"));
    await upload.put(1);
    expect((await admin("DELETE", upload.path)).status).toBe(204);
    expect((await upload.status()).status).toBe(404);
    expect((await upload.complete()).status).toBe(404);
    const parts = await env.DB.prepare("SELECT * FROM content_upload_parts WHERE upload_id = ?").bind(upload.id).all();
    expect(parts.results).toEqual([]);
    expect(await actionsOn(upload.id)).toEqual(expect.arrayContaining(["content_upload.create", "content_upload.abort"]));
  });

  test("begun twice under one Idempotency-Key is one", async () => {
    const content = await create("content", { name: "c", type: "video" });
    const asked = () =>
      admin("POST", `/v1/admin/content/${content.id}/uploads`, { sha256: "c".repeat(64), bytes: 5 }, { "Idempotency-Key": content.id });
    const [first, again] = [await asked(), await asked()];
    expect(again.body).toEqual(first.body);
    expect(first.body).not.toHaveProperty("r2_upload_id");
  });
});

describe("an upload in parts is refused", () => {
  test("where the whole has another hash: it is gone, and a file of the declared hash stays what it was", async () => {
    const good = fileOf("mp4");
    const first = await begin(good);
    await first.put(1);
    await first.complete();
    const bad = await begin(fileOf("mp4", 500), first.sha256);
    await bad.put(1);
    expect((await bad.complete()).body).toMatchObject({ status: 400, code: "HASH_MISMATCH" });
    expect((await bad.status()).status).toBe(404);
    expect(await env.BUCKET.head(stagingKey(bad.id))).toBeNull();
    expect((await env.BUCKET.head(fileKey(first.sha256)))?.size).toBe(good.length);
    expect((await admin("GET", `/v1/admin/content/${bad.contentId}/versions`)).body.items).toEqual([]);
    expect(await actionsOn(bad.id)).toContain("content_upload.refuse");
  });

  test("where its bytes are of another kind than the content", async () => {
    const upload = await begin(fileOf("html"), undefined, "image");
    await upload.put(1);
    expect((await upload.complete()).body).toMatchObject({ status: 400, code: "KIND_MISMATCH" });
    expect(await env.BUCKET.head(fileKey(upload.sha256))).toBeNull();
  });

  test("where a part has another size than its place, or no place", async () => {
    const upload = await begin(fileOf("mp4", PART_MIN_BYTES + 10));
    for (const [number, bytes] of [
      [1, PART_MIN_BYTES - 1],
      [1, PART_MIN_BYTES + 1],
      [2, 9],
      [2, 0],
    ] as const) {
      expect((await upload.put(number, new Uint8Array(bytes))).body, `${number}: ${bytes}`).toMatchObject({
        status: 400,
        code: "PART_SIZE",
      });
    }
    expect((await upload.put(3, new Uint8Array(10))).body).toMatchObject({ status: 400, code: "NO_SUCH_PART" });
    expect((await upload.put(0, new Uint8Array(10))).body).toMatchObject({ status: 400 });
    expect((await upload.status()).body.parts).toEqual([]);
  });

  test("where R2 has given it up", async () => {
    const upload = await begin(fileOf("mp4"));
    await upload.put(1);
    const row = await env.DB.prepare("SELECT r2_upload_id FROM content_uploads WHERE id = ?").bind(upload.id).first<string>("r2_upload_id");
    await env.BUCKET.resumeMultipartUpload(stagingKey(upload.id), row ?? "").abort();
    expect((await upload.put(1)).body).toMatchObject({ status: 409, code: "PARTS_LOST" });
    expect((await upload.complete()).body).toMatchObject({ status: 409, code: "PARTS_LOST" });
    expect((await admin("DELETE", upload.path)).status).toBe(204);
  });

  test("where it is asked for under another content, or its file is too large", async () => {
    const upload = await begin(fileOf("mp4"));
    const other = await create("content", { name: "c", type: "video" });
    expect((await admin("GET", `/v1/admin/content/${other.id}/uploads/${upload.id}`)).status).toBe(404);
    const huge = await admin("POST", `/v1/admin/content/${other.id}/uploads`, { sha256: upload.sha256, bytes: 5e9 });
    expect(huge.body).toMatchObject({ status: 400, errors: [{ pointer: "/bytes" }] });
  });
});
