import { DAY_MS, utcDay } from "../../platform/time.ts";

/** A segment's object stays this long after its plays were published in parts; so long, too, D1 can be set back in time. */
export const SEGMENT_KEPT_MS = 30 * DAY_MS;
/** A part that is in no transaction after a day belongs to a run that died. */
export const ORPHAN_PART_AFTER_MS = DAY_MS;
/** Days whose parts changed this lately are looked through for such parts. */
const SWEPT_DAYS_MS = 3 * DAY_MS;
const PAGE_OBJECTS = 1000;
const PAGES_PER_RUN = 20;

/** What a run deleted, for its log line. */
export interface SweepResult {
  segments: number;
  parts: number;
}

/**
 * Deletes objects that are of no use any more: segments that were compacted 30 days ago, extra segments of redeliveries of that age, and
 * parts that a compaction left behind when it died. Safe twice and at any time: what D1 still needs is asked of D1.
 * @param now ms since 1970
 */
export async function sweepArchive(env: Pick<Env, "DB" | "BUCKET">, now: number): Promise<SweepResult> {
  return { segments: await sweepSegments(env, now), parts: await sweepParts(env, now) };
}

async function sweepSegments(env: Pick<Env, "DB" | "BUCKET">, now: number): Promise<number> {
  let swept = 0;
  let cursor: string | undefined;
  for (let page = 0; page < PAGES_PER_RUN; page++) {
    // Keys begin with their day, so the oldest come first.
    const listed = await env.BUCKET.list({ prefix: "segments/", limit: PAGE_OBJECTS, ...(cursor ? { cursor } : {}) });
    const old = listed.objects.map(({ key }) => key).filter((key) => dayOf(key) < utcDay(now - SEGMENT_KEPT_MS));
    const kept = await keysInUse(
      env.DB,
      "SELECT r2_key FROM segments WHERE id IN (SELECT value ->> 0 FROM json_each(?1)) AND (compacted_at IS NULL OR compacted_at > ?2)",
      old,
      now - SEGMENT_KEPT_MS,
    );
    const useless = old.filter((key) => !kept.has(key));
    if (useless.length > 0) await env.BUCKET.delete(useless);
    swept += useless.length;
    if (!listed.truncated || old.length < listed.objects.length) break;
    cursor = listed.cursor;
  }
  return swept;
}

async function sweepParts(env: Pick<Env, "DB" | "BUCKET">, now: number): Promise<number> {
  const { results } = await env.DB.prepare("SELECT dt FROM archive_manifests WHERE stale = 1 OR written_at > ? ORDER BY dt")
    .bind(now - SWEPT_DAYS_MS)
    .all<{ dt: string }>();
  let swept = 0;
  for (const { dt } of results) {
    let cursor: string | undefined;
    do {
      const listed = await env.BUCKET.list({ prefix: `plays/dt=${dt}/`, limit: PAGE_OBJECTS, ...(cursor ? { cursor } : {}) });
      const old = listed.objects
        .map(({ key }) => key)
        .filter((key) => key.endsWith(".parquet") && madeAt(key) <= now - ORPHAN_PART_AFTER_MS);
      const kept = await keysInUse(
        env.DB,
        "SELECT r2_key FROM archive_parts WHERE id IN (SELECT value ->> 0 FROM json_each(?1)) AND ?2",
        old,
        1,
      );
      const orphans = old.filter((key) => !kept.has(key));
      if (orphans.length > 0) await env.BUCKET.delete(orphans);
      swept += orphans.length;
      cursor = listed.truncated ? listed.cursor : undefined;
    } while (cursor);
  }
  return swept;
}

async function keysInUse(db: D1Database, sql: string, keys: string[], value: number): Promise<Set<string>> {
  if (keys.length === 0) return new Set();
  const { results } = await db
    .prepare(sql)
    .bind(JSON.stringify(keys.map((key) => [idOf(key)])), value)
    .all<{ r2_key: string }>();
  return new Set(results.map(({ r2_key }) => r2_key));
}

function dayOf(key: string): string {
  return /\/dt=(\d{4}-\d{2}-\d{2})\//.exec(key)?.[1] ?? "9999";
}

/** The UUID v7 that a file is named by. */
function idOf(key: string): string {
  return key.slice(key.lastIndexOf("/") + 1, -".parquet".length);
}

function madeAt(key: string): number {
  return Number.parseInt(idOf(key).replace("-", "").slice(0, 12), 16);
}
