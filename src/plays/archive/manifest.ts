import { utcDay } from "../../platform/time.ts";

/** Manifests that one run writes; R2 takes one write a second for each key, so a day's is written once a run. */
const MANIFESTS_PER_RUN = 100;
const MANIFEST_VERSION = 1;

interface PartRow {
  r2_key: string;
  sha256: string;
  bytes: number;
  plays_count: number;
  segments_json: string;
}

/** A day's manifest as it must be by D1. */
export interface Manifest {
  key: string;
  /** JSON; the same parts give the same text. */
  text: string;
  parts: number;
}

/** The manifest of a UTC day of receipt: its parts with hashes, sizes, plays and the segments that they were made of. */
export async function manifestOf(db: D1Database, dt: string): Promise<Manifest> {
  const { results } = await db
    .prepare("SELECT r2_key, sha256, bytes, plays_count, segments_json FROM archive_parts WHERE dt = ? ORDER BY id")
    .bind(dt)
    .all<PartRow>();
  const parts = results.map(({ r2_key, sha256, bytes, plays_count, segments_json }) => ({
    key: r2_key,
    sha256,
    bytes,
    plays_count,
    segments: JSON.parse(segments_json) as unknown,
  }));
  const sum = (of: "bytes" | "plays_count") => parts.reduce((total, part) => total + part[of], 0);
  const content = { version: MANIFEST_VERSION, dt, plays_count: sum("plays_count"), bytes: sum("bytes"), parts };
  return { key: `plays/dt=${dt}/manifest.json`, text: `${JSON.stringify(content, null, 1)}\n`, parts: parts.length };
}

/**
 * Writes the manifests of the days whose parts are newer than theirs. A part that is published meanwhile leaves the day stale:
 * the next run writes it again.
 * @throws what R2 or D1 throw; days written before that stay written, the others stay stale.
 */
export async function writeStaleManifests(env: Pick<Env, "DB" | "BUCKET">, now: number): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT dt FROM archive_manifests WHERE stale = 1 ORDER BY dt LIMIT ?")
    .bind(MANIFESTS_PER_RUN)
    .all<{ dt: string }>();
  for (const { dt } of results) await writeManifest(env, dt, now);
  return results.map(({ dt }) => dt);
}

async function writeManifest(env: Pick<Env, "DB" | "BUCKET">, dt: string, now: number): Promise<void> {
  const manifest = await manifestOf(env.DB, dt);
  await env.BUCKET.put(manifest.key, manifest.text, { httpMetadata: { contentType: "application/json" } });
  await env.DB.prepare(
    "UPDATE archive_manifests SET written_at = ?1, stale = ((SELECT count(*) FROM archive_parts WHERE dt = ?2) <> ?3) WHERE dt = ?2",
  )
    .bind(now, dt, manifest.parts)
    .run();
}

/** What was found wrong with a day's manifest. */
export interface ManifestFinding {
  dt: string;
  problem: "missing" | "different";
}

/**
 * Compares the manifests of days from `since` (ms) on, and those written since, with D1; those that are missing or say something else are
 * marked and written again. Days that are stale anyway are no finding.
 */
export async function checkManifests(env: Pick<Env, "DB" | "BUCKET">, since: number, now: number): Promise<ManifestFinding[]> {
  const { results } = await env.DB.prepare(
    "SELECT dt FROM archive_manifests WHERE stale = 0 AND (dt >= ?1 OR written_at >= ?2) ORDER BY dt",
  )
    .bind(utcDay(since), since)
    .all<{ dt: string }>();
  const findings: ManifestFinding[] = [];
  for (const { dt } of results) {
    const manifest = await manifestOf(env.DB, dt);
    const stored = await env.BUCKET.get(manifest.key);
    if (stored && (await stored.text()) === manifest.text) continue;
    findings.push({ dt, problem: stored ? "different" : "missing" });
    await writeManifest(env, dt, now);
  }
  return findings;
}
