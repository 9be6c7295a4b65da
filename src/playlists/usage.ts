import type { Requirement } from "../platform/requirement.ts";
import type { UseQuery } from "../platform/uses.ts";
import { takeoversPlaying } from "../takeovers/usage.ts";

/**
 * What plays a playlist: live schedules, groups whose default it is, and takeovers that are on. It can then be neither
 * archived nor emptied. `now` in ms.
 */
export function usesOfPlaylist(playlistId: string, now: number): UseQuery[] {
  return [
    {
      type: "schedule",
      query: "SELECT id, name FROM schedules WHERE playlist_id = ? AND archived_at IS NULL",
      values: [playlistId],
    },
    { type: "device_group", query: "SELECT id, name FROM device_groups WHERE default_playlist_id = ?", values: [playlistId] },
    takeoversPlaying(playlistId, now),
  ];
}

/** Playlists, not archived ones, that hold a version of a piece of content: it cannot be archived then. */
export function playlistsUsingContent(contentId: string): UseQuery {
  return {
    type: "playlist",
    query: `SELECT p.id, p.name FROM playlists p WHERE p.archived_at IS NULL AND p.id IN (
      SELECT i.playlist_id FROM playlist_items i JOIN content_versions v ON v.id = i.content_version_id WHERE v.content_id = ?)`,
    values: [contentId],
  };
}

/** What a playlist must be to be played: there, not archived, and not empty. `field` names it in the body. */
export function playableRequirements(field: string, playlistId: string): Requirement[] {
  const common = { values: [playlistId], pointer: () => `/${field}` };
  return [
    {
      ...common,
      breaches: "SELECT NULL AS at WHERE NOT EXISTS (SELECT 1 FROM playlists WHERE id = ?)",
      detail: "There is no playlist with this id.",
      code: "REFERENCE_NOT_FOUND",
    },
    {
      ...common,
      breaches: "SELECT NULL AS at FROM playlists WHERE id = ? AND archived_at IS NOT NULL",
      detail: "This playlist is archived; restore it first, or name another.",
      code: "PLAYLIST_ARCHIVED",
    },
    {
      ...common,
      breaches: "SELECT NULL AS at FROM playlists p WHERE p.id = ? AND NOT EXISTS (SELECT 1 FROM playlist_items WHERE playlist_id = p.id)",
      detail: "This playlist is empty; put items into it first.",
      code: "PLAYLIST_EMPTY",
    },
  ];
}
