import { sha256Now } from "../platform/hash.ts";
import { canonicalText } from "./canonical.ts";
import { byId, inOrder, liveSchedules, type PlanInput, type PlanPlaylistItem } from "./input.ts";

/** Goes up when the same inputs give another plan: players must then fetch it, and kept plans are made anew. */
const RESOLVER_REVISION = 1;
const REVISION_PREFIX = `${RESOLVER_REVISION}-`;
const HASH_CHARS = 32;

/**
 * The ETag of a plan, without quotes, from what it would be made of: so that a 304 can be answered without making it.
 * Neither the order of lists, nor names, nor anything that no schedule of the device uses, is part of it.
 * @param from the first instant of the plan's window, in milliseconds.
 */
export function planEtag(input: PlanInput, from: number): string {
  const schedules = liveSchedules(input);
  const playlistIds = new Set([...schedules.map(({ playlist_id }) => playlist_id), input.default_playlist_id]);
  const playlists = input.playlists.filter(({ id }) => playlistIds.has(id)).sort(byId);
  // What ended before the window is no part of the plan.
  const takeovers = input.takeovers.filter(({ to }) => to === null || to > from).sort(byId);
  const versionIds = new Set([...playlists, ...takeovers].flatMap(({ items }) => items.map((item) => item.content_version_id)));
  const text = canonicalText([
    from,
    input.device_id,
    input.store && [input.store.id, input.store.timezone],
    schedules.map(({ id, playlist_id, timezone, rules }) => [id, playlist_id, timezone, rules]),
    playlists.map(({ id, campaign_id, ad_group_id, items }) => [id, campaign_id, ad_group_id, itemsText(items)]),
    input.versions
      .filter(({ id }) => versionIds.has(id))
      .sort(byId)
      .map(({ id, content_id, type, sha256, url, bytes, duration_ms }) => [id, content_id, type, sha256, url, bytes, duration_ms]),
    input.default_playlist_id,
    takeovers.map(({ id, from: begins, to, items }) => [id, begins, to, itemsText(items)]),
  ]);
  return `${REVISION_PREFIX}${sha256Now(text).slice(0, HASH_CHARS)}`;
}

/** Whether a plan of this ETag was made as plans are made now. */
export function isOfThisResolver(etag: string): boolean {
  return etag.startsWith(REVISION_PREFIX);
}

function itemsText(items: readonly PlanPlaylistItem[]): unknown[] {
  return inOrder(items).map(({ content_version_id, weight, duration_ms }) => [content_version_id, weight, duration_ms]);
}
