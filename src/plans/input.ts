/** A weekday as schedule rules name it; the week starts on Monday. */
export type Weekday = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

/** [`from`, `to`) by the wall clock of the schedule's zone, `HH:MM`; `to` may be `24:00`, and at or before `from` it is the next day's. */
export interface Daypart {
  /** Of the day that it starts on. Absent or empty: every day. */
  days?: readonly Weekday[] | undefined;
  from: string;
  to: string;
}

export interface FrequencyCap {
  max_plays_per_hour?: number | undefined;
  max_plays_per_day?: number | undefined;
}

/** When a schedule is on, and what part of the loop it has, as `schedules.rules_json` holds it. Dates are `YYYY-MM-DD`, in the schedule's zone. */
export interface ScheduleRules {
  /** The highest of those that are on plays. Default 0. */
  priority?: number | undefined;
  start_date?: string | null | undefined;
  /** Included. */
  end_date?: string | null | undefined;
  /** Absent or empty: all day. */
  dayparts?: readonly Daypart[] | undefined;
  frequency_cap?: FrequencyCap | null | undefined;
  exclusions?: { dates?: readonly string[] | undefined; store_ids?: readonly string[] | undefined } | null | undefined;
  /** Part of the loop among schedules of the same priority, in slots. Default 1. */
  weight?: number | undefined;
  /** Seconds of every hour; takes no part in the weights. */
  share_of_voice_s_per_hour?: number | null | undefined;
}

/** A schedule whose target is the device or its group. */
export interface PlanSchedule {
  id: string;
  /** For people who ask why; no part of the plan. */
  name?: string | undefined;
  playlist_id: string;
  /** An IANA zone, or `store`: the store's own. */
  timezone: string;
  rules: ScheduleRules;
  archived?: boolean | undefined;
}

export interface PlanPlaylistItem {
  id: string;
  content_version_id: string;
  /** Place in the playlist; where two are equal, by id. */
  order_index: number;
  /** How often it appears in one round of the playlist. */
  weight: number;
  /** How long it shows; null: as long as its version says, and 10 s where that says nothing. A video then plays to its end. */
  duration_ms: number | null;
}

export interface PlanPlaylist {
  id: string;
  campaign_id: string | null;
  ad_group_id: string | null;
  items: readonly PlanPlaylistItem[];
}

export interface PlanVersion {
  id: string;
  content_id: string;
  type: "video" | "image" | "web";
  sha256: string;
  /** Where the device gets it. */
  url: string | null;
  bytes: number | null;
  duration_ms: number | null;
}

/**
 * An emergency message that stands in place of everything else from `from` until it is lifted. It belongs to no playlist
 * and no campaign, so that its plays are never billed.
 */
export interface PlanTakeover {
  id: string;
  /** Milliseconds since 1970. */
  from: number;
  /** When it was lifted, or will be; null: it stands. */
  to: number | null;
  items: readonly PlanPlaylistItem[];
}

/** All that one device's plan is made of. The order of lists says nothing. */
export interface PlanInput {
  device_id: string;
  /** Null: a device that has no store yet; its days are UTC's. */
  store: { id: string; timezone: string } | null;
  schedules: readonly PlanSchedule[];
  /** At least those that a schedule names, and the default. */
  playlists: readonly PlanPlaylist[];
  /** At least those that these playlists name. */
  versions: readonly PlanVersion[];
  /** Of the device's group: fills what schedules leave. */
  default_playlist_id: string | null;
  takeovers: readonly PlanTakeover[];
}

/** The zone of the plan's days, and of schedules that follow the store's clock. */
export function planZone(input: Pick<PlanInput, "store">): string {
  return input.store?.timezone ?? "UTC";
}

/** The zone whose wall clock a schedule goes by. */
export function scheduleZone(schedule: PlanSchedule, input: Pick<PlanInput, "store">): string {
  return schedule.timezone === "store" ? planZone(input) : schedule.timezone;
}

/** The schedules that can play at all, by id. */
export function liveSchedules(input: PlanInput): PlanSchedule[] {
  return input.schedules.filter(({ archived }) => !archived).sort(byId);
}

/** Compares by id, in the order of code units: everywhere the same. */
export function byId(a: { id: string }, b: { id: string }): number {
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}

/** Items in the order in which they play. */
export function inOrder(items: readonly PlanPlaylistItem[]): PlanPlaylistItem[] {
  return [...items].sort((a, b) => a.order_index - b.order_index || byId(a, b));
}
