import { DAY_MS } from "../platform/time.ts";
import { fileKey } from "./files.ts";
import { removeUpload, type Upload } from "./uploads.ts";

/** How long an upload in parts may take, and how long the row of a complete one stays: as long as R2 keeps parts. */
export const UPLOAD_LIFETIME_MS = 7 * DAY_MS;
/** How old a file must be that no version names, before it goes. */
export const ORPHAN_AGE_MS = DAY_MS;
const MAX_UPLOADS_A_RUN = 200;
const SWEEPER = "system";

/** Ends uploads that were left, and deletes files that no version names. For cron; safe to repeat. Returns how many went. */
export async function sweepContent(env: Pick<Env, "DB" | "BUCKET">, now: number): Promise<{ uploads: number; files: number }> {
  return { uploads: await sweepUploads(env, now), files: await sweepFiles(env, now) };
}

async function sweepUploads({ DB, BUCKET }: Pick<Env, "DB" | "BUCKET">, now: number): Promise<number> {
  const { results } = await DB.prepare("SELECT * FROM content_uploads WHERE created_at <= ? ORDER BY created_at LIMIT ?")
    .bind(now - UPLOAD_LIFETIME_MS, MAX_UPLOADS_A_RUN)
    .all<Upload>();
  for (const upload of results) await removeUpload({ db: DB, actor: SWEEPER, now }, BUCKET, upload, upload.version_id ? null : "expire");
  return results.length;
}

async function sweepFiles({ DB, BUCKET }: Pick<Env, "DB" | "BUCKET">, now: number): Promise<number> {
  let swept = 0;
  let cursor: string | undefined;
  do {
    const page = await BUCKET.list({ prefix: fileKey(""), ...(cursor === undefined ? {} : { cursor }) });
    const old = page.objects
      .filter(({ uploaded }) => uploaded.getTime() <= now - ORPHAN_AGE_MS)
      .map(({ key }) => key.slice(fileKey("").length));
    const orphans = await claimOrphans(DB, old, now);
    if (orphans.length > 0) await BUCKET.delete(orphans.map(fileKey));
    swept += orphans.length;
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  await DB.prepare("DELETE FROM content_removals WHERE removed_at <= ?")
    .bind(now - DAY_MS)
    .run();
  return swept;
}

/** Which of these files no version names. From now on none may, for as long as the deletion may take: see `versions.ts`. */
async function claimOrphans(db: D1Database, hashes: string[], now: number): Promise<string[]> {
  if (hashes.length === 0) return [];
  const { results } = await db
    .prepare(
      `INSERT INTO content_removals (sha256, removed_at)
       SELECT value, ?2 FROM json_each(?1) WHERE NOT EXISTS (SELECT 1 FROM content_versions v WHERE v.sha256 = value)
       ON CONFLICT DO UPDATE SET removed_at = excluded.removed_at RETURNING sha256`,
    )
    .bind(JSON.stringify(hashes), now)
    .all<{ sha256: string }>();
  return results.map(({ sha256 }) => sha256);
}
