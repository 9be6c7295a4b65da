import type { NowPlaying } from "./heartbeat.ts";
import type { OpenPlay, PlayItem } from "./open-play.ts";
import type { PlayingSlot } from "./what-plays.ts";

/** What a play log says of a slot of the plan. `metadata` null: nothing more. Pure. */
export function itemOf({ item, slot, terms }: PlayingSlot, metadata: Record<string, unknown> | null): PlayItem {
  return {
    content_id: item.content_id,
    content_version: item.sha256,
    slot_id: slot.slot_id,
    ...(slot.playlist_id ? { playlist_id: slot.playlist_id } : {}),
    ...(terms.duration_ms === null ? {} : { duration_expected: terms.duration_ms / 1000 }),
    ...(terms.campaign_id ? { campaign_id: terms.campaign_id } : {}),
    ...(terms.ad_group_id ? { ad_group_id: terms.ad_group_id } : {}),
    ...(metadata ? { metadata } : {}),
  };
}

/** What a heartbeat says of the play that runs. Pure. */
export function nowPlayingOf(play: OpenPlay | undefined): NowPlaying | null {
  if (!play) return null;
  const { campaign_id, content_id, content_version, duration_expected, playlist_id, slot_id } = play.item;
  return {
    content_id,
    content_version: content_version ?? null,
    campaign_id: campaign_id ?? null,
    playlist_id: playlist_id ?? null,
    slot_id: slot_id ?? null,
    started_at: new Date(play.startedAt).toISOString(),
    ...(duration_expected === undefined ? {} : { duration_s: duration_expected }),
  };
}
