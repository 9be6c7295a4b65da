import type { AcceptedPlay } from "./play.ts";

/** The columns of `proof_of_play_events` that are written one by one: device, key, and what reports ask for. */
export const EVENT_COLUMNS = [
  "day",
  "started_at_raw",
  "event_id",
  "store_id",
  "supplier_id",
  "campaign_id",
  "ad_group_id",
  "content_id",
  "type",
  "started_at",
  "duration_ms",
  "result",
  "billable",
] as const satisfies (keyof AcceptedPlay)[];

/** What stands in `details_json`, in this order, before the chunk: the table's generated columns read it by its place. */
export const EVENT_DETAILS = [
  "ended_at",
  "ended_at_raw",
  "received_at",
  "expected_ms",
  "quality",
  "flags",
  "door",
  "epoch",
  "sequence",
  "playlist_id",
  "content_version",
  "slot_id",
  "record_hash",
  "key_id",
  "policy_version",
  "correlation_id",
] as const satisfies (keyof AcceptedPlay)[];

/** What identifies a row of the aggregates within a generation and a day, in the order of the tables' keys. */
export const AGGREGATE_KEYS = ["campaign_id", "ad_group_id", "supplier_id", "store_id", "content_id"] as const;

/** The figures of a row of `plays_hourly` and `proof_of_play_aggregate_daily`. All are sums, so rows add up in any grouping. */
export const AGGREGATE_COUNTERS = [
  "plays_count",
  "completed_count",
  "partial_count",
  "skipped_count",
  "interrupted_count",
  "error_count",
  "billable_count",
  "starts_count",
  "total_duration_ms",
] as const;

export type AggregateCounter = (typeof AGGREGATE_COUNTERS)[number];
