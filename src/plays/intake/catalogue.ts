import { log } from "../../platform/log.ts";
import { withTimeout } from "../../platform/retry.ts";
import { CATALOGUE_FRESH_MS, CATALOGUE_MAX_ENTRIES, CATALOGUE_WAIT_MS } from "../limits.ts";
import type { CatalogueFinding, PlayLog } from "../play.ts";

/** When a campaign was last known to exist; of a content also its versions' durations by hash, and the newest's. */
interface CampaignEntry {
  at: number;
}
interface ContentEntry {
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
  const answered = askCampaigns.size + askContents.size > 0 && (await ask(db, [...askCampaigns], [...askContents], now));
  return logs.map((cited) => find(cited, answered));
}

function isFresh<T extends { at: number }>(entry: T | undefined, now: number): entry is T {
  return entry !== undefined && now - entry.at < CATALOGUE_FRESH_MS;
}

/** What memory does not know is unknown where D1 has just answered (it was asked for all that memory lacked), and unasked where it has not. */
function find({ campaignId, contentId, contentVersion }: Cited, answered: boolean): CatalogueFinding {
  const absent = answered ? "unknown" : "unasked";
  const content = contents.get(contentId);
  const hasVersion = contentVersion === "" || content?.durations.has(contentVersion);
  return {
    campaign: campaignId === "" || campaigns.has(campaignId) ? "known" : absent,
    content: content && hasVersion ? "known" : absent,
    versionDurationMs: (contentVersion === "" ? content?.newestDurationMs : content?.durations.get(contentVersion)) ?? null,
  };
}

interface VersionRow {
  id: string;
  version_hash: string | null;
  sha256: string | null;
  duration_ms: number | null;
}

/** Asks D1 and remembers what exists; what does not is never kept, so that it is asked for each time. Returns whether D1 answered. */
async function ask(db: D1Database, campaignIds: string[], contentIds: string[], now: number): Promise<boolean> {
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
    for (const id of campaignIds) remember(campaigns, id, found.has(id) ? { at: now } : null);
    rememberContents(contentIds, (contentRows?.results ?? []) as unknown as VersionRow[], now);
    return true;
  } catch (error) {
    log("warn", "catalogue not asked", { campaigns: campaignIds.length, contents: contentIds.length, error: String(error) });
    return false;
  }
}

function rememberContents(ids: string[], rows: VersionRow[], now: number): void {
  const entries = new Map<string, ContentEntry>();
  for (const row of rows) {
    const entry = entries.get(row.id) ?? { durations: new Map(), newestDurationMs: null, at: now };
    entries.set(row.id, entry);
    if (row.version_hash === null) continue;
    entry.newestDurationMs = row.duration_ms;
    entry.durations.set(row.version_hash, row.duration_ms);
    if (row.sha256 !== null) entry.durations.set(row.sha256, row.duration_ms);
  }
  for (const id of ids) remember(contents, id, entries.get(id) ?? null);
}

function remember<T>(cache: Map<string, T>, id: string, entry: T | null): void {
  cache.delete(id);
  if (entry === null) return;
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
