import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { fileKey } from "../../src/content/files.ts";
import { ORPHAN_AGE_MS, sweepContent, UPLOAD_LIFETIME_MS } from "../../src/content/sweep.ts";
import { MINUTE_MS } from "../../src/platform/time.ts";
import { admin, create } from "../support/admin.ts";
import { fileOf, hashOf, upload } from "../support/files.ts";

const HOUR_MS = 60 * MINUTE_MS;

/** A file in R2 that no version names. */
async function orphan() {
  const file = fileOf("png");
  const { hex } = await hashOf(file);
  await env.BUCKET.put(fileKey(hex), file);
  return { file, hex };
}

test("a file that no version names goes after a day, and one that is named stays", async () => {
  const { hex } = await orphan();
  const content = await create("content", { name: "c", type: "image" });
  const named = await upload(content.id, fileOf("png"));
  await sweepContent(env, Date.now() + ORPHAN_AGE_MS - HOUR_MS);
  expect(await env.BUCKET.head(fileKey(hex))).not.toBeNull();
  const { files } = await sweepContent(env, Date.now() + ORPHAN_AGE_MS + HOUR_MS);
  expect(files).toBeGreaterThanOrEqual(1);
  expect(await env.BUCKET.head(fileKey(hex))).toBeNull();
  expect(await env.BUCKET.head(fileKey(String(named.body.sha256)))).not.toBeNull();
});

test("while a file is being deleted no version can name it; half an hour later it can", async () => {
  const { file, hex } = await orphan();
  const content = await create("content", { name: "c", type: "image" });
  const claimedAt = (ms: number) =>
    env.DB.prepare("INSERT OR REPLACE INTO content_removals (sha256, removed_at) VALUES (?, ?)").bind(hex, ms).run();
  await claimedAt(Date.now() - 29 * MINUTE_MS);
  expect((await upload(content.id, file)).body).toMatchObject({ status: 400, code: "FILE_BEING_REMOVED" });
  const cited = await admin("POST", `/v1/admin/content/${content.id}/versions`, { sha256: hex });
  expect(cited.body).toMatchObject({ status: 400, code: "FILE_BEING_REMOVED" });
  await claimedAt(Date.now() - 31 * MINUTE_MS);
  expect((await upload(content.id, file)).status).toBe(201);
});

test("an upload that was left goes after a week, with its parts and an audit row", async () => {
  const content = await create("content", { name: "c", type: "video" });
  const left = await create(`content/${content.id}/uploads`, { sha256: "d".repeat(64), bytes: 3 });
  const path = `/v1/admin/content/${content.id}/uploads/${left.id}`;
  await sweepContent(env, Date.now() + UPLOAD_LIFETIME_MS - HOUR_MS);
  expect((await admin("GET", path)).status).toBe(200);
  await sweepContent(env, Date.now() + UPLOAD_LIFETIME_MS + HOUR_MS);
  expect((await admin("GET", path)).status).toBe(404);
  const audited = await env.DB.prepare("SELECT action, actor_user_id FROM audit_log WHERE target_id = ? ORDER BY id DESC")
    .bind(left.id)
    .first();
  expect(audited).toEqual({ action: "content_upload.expire", actor_user_id: "system" });
});
