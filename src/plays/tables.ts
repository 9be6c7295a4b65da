import type { PlayColumns } from "./columns.ts";
import { cell, isConstant } from "./packed.ts";
import type { AcceptedPlay } from "./play.ts";

/**
 * What plays of a chunk mostly have in common, as it stands in `chunk_plays.contexts_json`: these values in this order, then how far the raw
 * start and the raw end lie behind `started_at` and `ended_at` (equal, since one clock was corrected; nothing here relies on it). The view `proof_of_play_events` reads it (`migrations/0022…`).
 */
export const CONTEXT_VALUES = [
  "received_at",
  "door",
  "key_id",
  "policy_version",
  "correlation_id",
  "day",
  "store_id",
  "supplier_id",
  "type",
  "result",
  "billable",
  "quality",
  "flags",
  "epoch",
  "playlist_id",
] as const satisfies (keyof AcceptedPlay)[];

/** What each play has of its own, as it stands in `chunk_plays.rows_json`: the place of its context, these values, and how long after its start it ended. */
export const PLAY_VALUES = [
  "campaign_id",
  "ad_group_id",
  "content_id",
  "content_version",
  "slot_id",
  "duration_ms",
  "expected_ms",
  "sequence",
  "started_at",
  "event_id",
  "record_hash",
] as const satisfies (keyof AcceptedPlay)[];

type StoredValue = (typeof CONTEXT_VALUES)[number] | (typeof PLAY_VALUES)[number];

/** A value of a single play as SQL. @param play a play of `rows_json`  @param context its context, `contexts_json -> (play ->> 0)` */
export function storedValueSql(column: StoredValue, play: string, context: string): string {
  const inContext = (CONTEXT_VALUES as readonly string[]).indexOf(column);
  return inContext === -1 ? `${play} ->> ${1 + (PLAY_VALUES as readonly string[]).indexOf(column)}` : `(${context}) ->> ${inContext}`;
}

/** The single plays of a chunk as they are stored: their contexts, and a row a play. */
export function storedPlays(plays: PlayColumns): { contexts: unknown[][]; rows: unknown[][] } {
  const behind = (raw: readonly number[], corrected: readonly number[]) => raw.map((time, at) => time - cell(corrected, at));
  const columns: (readonly unknown[])[] = [
    ...CONTEXT_VALUES.map((name) => plays[name]),
    behind(plays.started_at_raw, plays.started_at),
    behind(plays.ended_at_raw, plays.ended_at),
  ];
  const placeOf = places(columns);
  const contexts: unknown[][] = [];
  const rows = plays.event_id.map((_, at) => {
    const place = placeOf(at);
    if (place === contexts.length) contexts.push(columns.map((column) => column[at]));
    return playRow(place, plays, at);
  });
  return { contexts, rows };
}

/** Numbers what rows have in these columns, equal ones alike, in the order in which it comes up. There is little of it: most columns are the same in all rows. */
function places(columns: (readonly unknown[])[]): (at: number) => number {
  const varying = columns.filter((column) => !isConstant(column));
  if (varying.length === 0) return () => 0;
  const known = new Map<string, number>();
  return (at) => {
    const key = JSON.stringify(varying.map((column) => column[at]));
    const place = known.get(key) ?? known.size;
    known.set(key, place);
    return place;
  };
}

/** Written out, since every play comes by: {@link PLAY_VALUES}. */
function playRow(context: number, plays: PlayColumns, at: number): (string | number | null)[] {
  const startedAt = cell(plays.started_at, at);
  return [
    context,
    cell(plays.campaign_id, at),
    cell(plays.ad_group_id, at),
    cell(plays.content_id, at),
    cell(plays.content_version, at),
    cell(plays.slot_id, at),
    cell(plays.duration_ms, at),
    cell(plays.expected_ms, at),
    cell(plays.sequence, at),
    startedAt,
    cell(plays.event_id, at),
    cell(plays.record_hash, at),
    cell(plays.ended_at, at) - startedAt,
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
