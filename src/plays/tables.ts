import type { PlayColumns } from "./columns.ts";
import { cell } from "./packed.ts";
import type { AcceptedPlay } from "./play.ts";

/** A request in `chunk_plays.requests_json`, in the order of its values there. */
export const REQUEST_VALUES = [
  "received_at",
  "door",
  "key_id",
  "policy_version",
  "correlation_id",
] as const satisfies (keyof AcceptedPlay)[];

/** A play in `chunk_plays.plays_json`: these values, behind the place of its request. The order is the view's (`migrations/0006…`). */
export const PLAY_VALUES = [
  "day",
  "store_id",
  "supplier_id",
  "campaign_id",
  "ad_group_id",
  "content_id",
  "type",
  "result",
  "billable",
  "duration_ms",
  "started_at",
  "event_id",
  "ended_at",
  "started_at_raw",
  "ended_at_raw",
  "expected_ms",
  "quality",
  "flags",
  "epoch",
  "sequence",
  "playlist_id",
  "content_version",
  "slot_id",
  "record_hash",
] as const satisfies (keyof AcceptedPlay)[];

/** A play as it stands in `chunk_plays.plays_json`: the place of its request, and the {@link PLAY_VALUES}, written out since every play comes by. */
export function playRow(request: number, plays: PlayColumns, at: number): (string | number | null)[] {
  return [
    request,
    cell(plays.day, at),
    cell(plays.store_id, at),
    cell(plays.supplier_id, at),
    cell(plays.campaign_id, at),
    cell(plays.ad_group_id, at),
    cell(plays.content_id, at),
    cell(plays.type, at),
    cell(plays.result, at),
    cell(plays.billable, at),
    cell(plays.duration_ms, at),
    cell(plays.started_at, at),
    cell(plays.event_id, at),
    cell(plays.ended_at, at),
    cell(plays.started_at_raw, at),
    cell(plays.ended_at_raw, at),
    cell(plays.expected_ms, at),
    cell(plays.quality, at),
    cell(plays.flags, at),
    cell(plays.epoch, at),
    cell(plays.sequence, at),
    cell(plays.playlist_id, at),
    cell(plays.content_version, at),
    cell(plays.slot_id, at),
    cell(plays.record_hash, at),
  ];
}

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

/** A row's figures in the order of {@link AGGREGATE_COUNTERS}: written out, since a commit has thousands of rows. */
export function countersOf(sum: Record<AggregateCounter, number>): number[] {
  return [
    sum.plays_count,
    sum.completed_count,
    sum.partial_count,
    sum.skipped_count,
    sum.interrupted_count,
    sum.error_count,
    sum.billable_count,
    sum.starts_count,
    sum.total_duration_ms,
  ];
}

/**
 * Sums by day that leave dimensions out, for reports that need no more: the table, what of its key identifies a row within a generation
 * and a day, and the column of `plays_daily_pending` with what commits have added since the last merge.
 */
export const DAILY_SUMS = [
  { table: "plays_daily_by_content", pending: "by_content_json", keys: ["campaign_id", "ad_group_id", "content_id"] },
  { table: "plays_daily_by_store", pending: "by_store_json", keys: ["supplier_id", "store_id"] },
] as const;

export type DailySums = (typeof DAILY_SUMS)[number];
