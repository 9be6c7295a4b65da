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
