import type { ReporterScope } from "../auth/principal.ts";
import { PLAYLISTS_OF_DEVICE, TAKEOVER_VERSIONS_OF_DEVICE } from "../plans/load.ts";
import { log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { ACCESS_FRESH_MS, ACCESS_MAX_ENTRIES, ACCESS_WAIT_MS } from "./limits.ts";

/** Who asks for tracks. */
export type TrackCaller = { kind: "device"; deviceId: string } | { kind: "reporter"; tokenId: string; scope: ReporterScope };

/** The content that each track is, where the caller may report on it; null where it may not, or there is none. */
export type TrackAccess = Map<string, string | null>;

/** Tracks that a caller may report on, as this isolate last heard: what would refuse an event is never remembered. */
const allowed = new Map<string, { contentId: string; at: number }>();

/**
 * Asks which tracks a caller may report on: a device content of its playlists, its takeovers and the plan that it was last given; a reporter
 * what its token names. In memory for a minute, else in D1, asked once for all and waited for 500 ms at most. In doubt it may: where D1 does
 * not answer, a track stands for itself.
 */
export async function consultAccess(db: D1Database, caller: TrackCaller, tracks: Iterable<string>, now: number): Promise<TrackAccess> {
  const access: TrackAccess = new Map();
  const asked: string[] = [];
  for (const track of new Set(tracks)) {
    const known = allowed.get(keyOf(caller, track));
    if (known && Math.abs(now - known.at) < ACCESS_FRESH_MS) access.set(track, known.contentId);
    else asked.push(track);
  }
  if (asked.length === 0) return access;
  const found = await ask(db, caller, asked);
  for (const track of asked) {
    if (!found) {
      access.set(track, allowed.get(keyOf(caller, track))?.contentId ?? track);
      continue;
    }
    const contentId = found.get(track) ?? null;
    access.set(track, contentId);
    remember(keyOf(caller, track), contentId, now);
  }
  return access;
}

/** The tracks that D1 lets the caller report on, with their contents; null where it does not answer. */
async function ask(db: D1Database, caller: TrackCaller, tracks: string[]): Promise<Map<string, string> | null> {
  try {
    const { results } = await withTimeout(
      accessStatement(db, caller, tracks).all<{ track: string; content_id: string }>(),
      ACCESS_WAIT_MS,
      "track access",
    );
    return new Map(results.map(({ track, content_id }) => [track, content_id]));
  } catch (error) {
    log("warn", "track access not asked", { tracks: tracks.length, error: String(error) });
    return null;
  }
}

const TRACKS =
  "SELECT k.value AS track, c.id AS content_id FROM json_each(?2) k JOIN content c ON c.id = k.value OR c.external_id = k.value";

function accessStatement(db: D1Database, caller: TrackCaller, tracks: string[]): D1PreparedStatement {
  if (caller.kind === "device") {
    return db
      .prepare(
        `${TRACKS} WHERE EXISTS (SELECT 1 FROM content_versions v JOIN playlist_items i ON i.content_version_id = v.id
             WHERE v.content_id = c.id AND i.playlist_id IN (${PLAYLISTS_OF_DEVICE}))
           OR EXISTS (SELECT 1 FROM content_versions v WHERE v.content_id = c.id AND v.id IN (${TAKEOVER_VERSIONS_OF_DEVICE}))
           OR EXISTS (SELECT 1 FROM playout_plans p, json_each(p.plan_json, '$.items') item
             WHERE p.device_id = ?1 AND p.plan_json <> '' AND item.value ->> 'content_id' = c.id)`,
      )
      .bind(caller.deviceId, JSON.stringify(tracks));
  }
  const { scope } = caller;
  const [contents, campaigns] = "all_content" in scope ? [[], []] : [scope.content_ids ?? [], scope.campaign_ids ?? []];
  return db
    .prepare(
      `${TRACKS} WHERE ?1 OR c.id IN (SELECT value FROM json_each(?3))
         OR EXISTS (SELECT 1 FROM playlists p JOIN playlist_items i ON i.playlist_id = p.id JOIN content_versions v ON v.id = i.content_version_id
           WHERE v.content_id = c.id AND p.campaign_id IN (SELECT value FROM json_each(?4)))`,
    )
    .bind("all_content" in scope ? 1 : 0, JSON.stringify(tracks), JSON.stringify(contents), JSON.stringify(campaigns));
}

function keyOf(caller: TrackCaller, track: string): string {
  return `${caller.kind === "device" ? caller.deviceId : caller.tokenId}|${track}`;
}

function remember(key: string, contentId: string | null, at: number): void {
  allowed.delete(key);
  if (contentId === null) return;
  allowed.set(key, { contentId, at });
  if (allowed.size <= ACCESS_MAX_ENTRIES) return;
  const oldest = allowed.keys().next().value;
  if (oldest !== undefined) allowed.delete(oldest);
}

/** Forgets everything: for tests, which share an isolate. */
export function forgetAccess(): void {
  allowed.clear();
}
