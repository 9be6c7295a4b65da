import type { PlanInput, PlanPlaylist, PlanPlaylistItem, PlanSchedule, PlanVersion, ScheduleRules } from "../../src/plans/input.ts";
import type { Plan, PlanSegment } from "../../src/plans/plan.ts";
import { resolvePlan } from "../../src/plans/resolve.ts";
import { planWindow } from "../../src/plans/zone.ts";

/** Friday, in Ho Chi Minh City (UTC+7, no clock changes) and everywhere else. */
export const NOON = Date.parse("2026-11-20T05:00:00Z");

/** A version named by a letter: content `content-a`, 15 s. */
export function version(id: string, over: Partial<PlanVersion> = {}): PlanVersion {
  return {
    id,
    content_id: `content-${id}`,
    type: "video",
    sha256: `sha-${id}`,
    url: `https://files/${id}`,
    bytes: 1000,
    duration_ms: 15_000,
    ...over,
  };
}

/** An item `[version, weight?, duration?]`. */
export type ItemShape = string | [version: string, weight?: number, durationMs?: number];

export function items(shapes: readonly ItemShape[]): PlanPlaylistItem[] {
  return shapes.map((shape, order_index) => {
    const [content_version_id, weight = 1, duration_ms = null] = typeof shape === "string" ? [shape] : shape;
    return { id: `item-${order_index}`, content_version_id, order_index, weight, duration_ms };
  });
}

export function playlist(id: string, shapes: readonly ItemShape[], campaign: string | null = null): PlanPlaylist {
  return { id, campaign_id: campaign, ad_group_id: campaign && `${campaign}-group`, items: items(shapes) };
}

export function schedule(id: string, rules: ScheduleRules = {}, over: Partial<PlanSchedule> = {}): PlanSchedule {
  return { id, playlist_id: id, timezone: "store", rules, ...over };
}

/** A device in Ho Chi Minh City that has a version of 15 s for each letter its playlists name. */
export function input(over: Partial<PlanInput> = {}): PlanInput {
  const named = [...(over.playlists ?? []), ...(over.takeovers ?? [])].flatMap((list) => list.items.map((item) => item.content_version_id));
  return {
    device_id: "device",
    store: { id: "store", timezone: "Asia/Ho_Chi_Minh" },
    schedules: [],
    playlists: [],
    versions: [...new Set(named)].map((id) => version(id)),
    default_playlist_id: null,
    takeovers: [],
    ...over,
  };
}

export function planOf(over: Partial<PlanInput>, now: number = NOON): Plan {
  const made = input(over);
  return resolvePlan(made, planWindow(made.store?.timezone ?? "UTC", now));
}

/** The versions of a loop, as one word each. */
export function shown(segment: PlanSegment | undefined): string {
  return (segment?.loop ?? []).map(({ item }) => item).join(" ");
}

/** What plays all day long where these schedules are on all day. */
export function loopOf(over: Partial<PlanInput>): string {
  return shown(planOf(over).segments[0]);
}
