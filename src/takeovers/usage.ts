import type { UseQuery } from "../platform/uses.ts";

/** Takeovers that are on at an instant, which is the last value. */
const ON = "lifted_at IS NULL AND (ends_at IS NULL OR ends_at > ?)";

function takeoversWhere(condition: string, values: string[], now: number): UseQuery {
  return { type: "takeover", query: `SELECT id, name FROM takeovers WHERE ${condition} AND ${ON}`, values: [...values, now] };
}

/** Takeovers of a group or store that are on: it can be neither archived nor deleted meanwhile. `now` in ms. */
export function takeoversOf(targetType: "GROUP" | "STORE", targetId: string, now: number): UseQuery {
  return takeoversWhere("target_type = ? AND target_id = ?", [targetType, targetId], now);
}

/** Takeovers that are on and show a playlist: it can be neither archived nor emptied meanwhile. `now` in ms. */
export function takeoversPlaying(playlistId: string, now: number): UseQuery {
  return takeoversWhere("playlist_id = ?", [playlistId], now);
}

/** Takeovers that are on and show a version of a piece of content by itself: it cannot be archived meanwhile. `now` in ms. */
export function takeoversShowing(contentId: string, now: number): UseQuery {
  return takeoversWhere("content_version_id IN (SELECT id FROM content_versions WHERE content_id = ?)", [contentId], now);
}
