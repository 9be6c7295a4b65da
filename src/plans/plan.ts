import type { FrequencyCap, PlanVersion } from "./input.ts";

/** What a slot's plays are: how long, for whom, how often at most. */
export interface SlotTerms {
  /** Null: a video whose length nobody knows. */
  duration_ms: number | null;
  campaign_id: string | null;
  ad_group_id: string | null;
  caps: FrequencyCap;
}

/** One place in a loop. A play log cites its `slot_id`. */
export interface PlanSlot extends Partial<SlotTerms> {
  slot_id: string;
  /** A content version's id, and the key of `items`. Terms that differ from those of `items` stand with the slot. */
  item: string;
  /** Null for a takeover's message. */
  playlist_id: string | null;
}

export interface PlanSegment {
  /** RFC 3339 in UTC, [`from`, `to`). */
  from: string;
  to: string;
  /** Those that are on with the highest priority, by id; none: the default playlist plays. */
  schedule_ids: string[];
  /** Played over and over; empty where there is nothing to play. */
  loop: PlanSlot[];
  /** The default playlist, where every slot of the loop has a cap and may be used up: played then. */
  fallback?: PlanSlot[];
  /** The emergency message that stands in place of all schedules. */
  takeover_id?: string;
}

export interface PlanItem extends Omit<PlanVersion, "id" | "duration_ms">, SlotTerms {}

/** What one device plays: segments without holes from the first instant of a local day of its store on. */
export interface Plan {
  device_id: string;
  store_id: string | null;
  timezone: string;
  valid_from: string;
  valid_to: string;
  etag: string;
  segments: PlanSegment[];
  /** By content version. */
  items: Record<string, PlanItem>;
}

/** A stretch of time in milliseconds since 1970, [`from`, `to`). */
export interface Span {
  from: number;
  to: number;
}
