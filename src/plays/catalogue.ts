import { log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { CATALOGUE_FRESH_MS, CATALOGUE_MAX_ENTRIES, CATALOGUE_WAIT_MS } from "./limits.ts";
import type { CatalogueFinding, PlayLog } from "./play.ts";

/** What the catalogue knows of a campaign (`exists`) or of a content (its versions' durations by hash, and the newest's). */
interface CampaignEntry {
  exists: boolean;
  at: number;
}
interface ContentEntry {
  exists: boolean;
  durations: Map<string, number | null>;
  newestDurationMs: number | null;
  at: number;
}

/**
 * What plays may cite, as this isolate last heard of it. Entries are fresh for a minute; stale ones still serve when D1 does not
 * answer, since what was once known is never deleted and a version never changes.
 */
const campaigns = new Map<string, CampaignEntry>();
const contents = new Map<string, ContentEntry>();

type Cited = Pick<PlayLog, "campaignId" | "contentId" | "contentVersion">;

/**
 * Looks up what logs cite: in memory, else in D1, asked once for all of them and waited for 500 ms at most. What would refuse
 * a log (no such campaign, content or version) is always asked afresh. Where D1 does not answer, what memory cannot tell is `unasked`.
 */
export async function consultCatalogue(db: D1Database, logs: Cited[], now: number): Promise<CatalogueFinding[]> {
  const askCampaigns = new Set<string>();
  const askContents = new Set<string>();
  for (const { campaignId, contentId, contentVersion } of logs) {
    if (campaignId !== "" && !isFresh(campaigns.get(campaignId), now)) askCampaigns.add(campaignId);
    const content = contents.get(contentId);
    if (!isFresh(content, now) || (contentVersion !== "" && !content.durations.has(contentVersion))) askContents.add(contentId);
  }
  if (askCampaigns.size > 0 || askContents.size > 0) await ask(db, [...askCampaigns], [...askContents], now);
  return logs.map((cited) => find(cited, now, askCampaigns, askContents));
}

/** A negative entry is never fresh: before a log is refused, D1 is asked afresh. */
function isFresh<T extends { exists: boolean; at: number }>(entry: T | undefined, now: number): entry is T {
  return entry?.exists === true && now - entry.at < CATALOGUE_FRESH_MS;
}

function find(
  { campaignId, contentId, contentVersion }: Cited,
  now: number,
  askedCampaigns: Set<string>,
  askedContents: Set<string>,
): CatalogueFinding {
  const campaign = campaigns.get(campaignId);
  const content = contents.get(contentId);
  return {
    campaign: campaignId === "" ? "known" : stateOf(campaign, askedCampaigns.has(campaignId), now),
    content: stateOf(
      content && { exists: content.exists && hasVersion(content, contentVersion), at: content.at },
      askedContents.has(contentId),
      now,
    ),
    versionDurationMs: (contentVersion === "" ? content?.newestDurationMs : content?.durations.get(contentVersion)) ?? null,
  };
}

function hasVersion(content: ContentEntry, version: string): boolean {
  return version === "" || content.durations.has(version);
}

/** What is not known counts as unknown only when D1 has just said so. */
function stateOf(entry: { exists: boolean; at: number } | undefined, asked: boolean, now: number): CatalogueFinding["campaign"] {
  if (entry?.exists) return "known";
  return asked && entry?.at === now ? "unknown" : "unasked";
}

interface VersionRow {
  id: string;
  version_hash: string | null;
  sha256: string | null;
  duration_ms: number | null;
}

async function ask(db: D1Database, campaignIds: string[], contentIds: string[], now: number): Promise<void> {
  try {
    const [campaignRows, contentRows] = await withTimeout(
      db.batch([
        db.prepare("SELECT id FROM campaigns WHERE id IN (SELECT value FROM json_each(?))").bind(JSON.stringify(campaignIds)),
        db
          .prepare(
            `SELECT c.id, v.version_hash, v.sha256, v.duration_ms FROM content c LEFT JOIN content_versions v ON v.content_id = c.id
             WHERE c.id IN (SELECT value FROM json_each(?)) ORDER BY v.created_at`,
          )
          .bind(JSON.stringify(contentIds)),
      ]),
      CATALOGUE_WAIT_MS,
      "catalogue",
    );
    const found = new Set(((campaignRows?.results ?? []) as { id: string }[]).map((row) => row.id));
    for (const id of campaignIds) remember(campaigns, id, { exists: found.has(id), at: now });
    rememberContents(contentIds, (contentRows?.results ?? []) as unknown as VersionRow[], now);
  } catch (error) {
    log("warn", "catalogue not asked", { campaigns: campaignIds.length, contents: contentIds.length, error: String(error) });
  }
}

function rememberContents(ids: string[], rows: VersionRow[], now: number): void {
  const entries = new Map<string, ContentEntry>(
    ids.map((id) => [id, { exists: false, durations: new Map(), newestDurationMs: null, at: now }]),
  );
  for (const row of rows) {
    const entry = entries.get(row.id);
    if (!entry) continue;
    entry.exists = true;
    if (row.version_hash === null) continue;
    entry.newestDurationMs = row.duration_ms;
    entry.durations.set(row.version_hash, row.duration_ms);
    if (row.sha256 !== null) entry.durations.set(row.sha256, row.duration_ms);
  }
  for (const [id, entry] of entries) remember(contents, id, entry);
}

function remember<T>(cache: Map<string, T>, id: string, entry: T): void {
  cache.delete(id);
  cache.set(id, entry);
  if (cache.size <= CATALOGUE_MAX_ENTRIES) return;
  const oldest = cache.keys().next().value;
  if (oldest !== undefined) cache.delete(oldest);
}

/** Forgets everything: for tests, which share an isolate. */
export function forgetCatalogue(): void {
  campaigns.clear();
  contents.clear();
}
