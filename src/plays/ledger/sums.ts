import { HOUR_MS } from "../../platform/time.ts";
import type { Chunk } from "../chunk.ts";
import type { AcceptedPlay, PlayStatus } from "../play.ts";

/** One hour, day and set of dimensions: what a commit adds to `plays_hourly`. */
export interface HourlySum {
  day: string;
  hour: number;
  campaign_id: string;
  ad_group_id: string;
  supplier_id: string;
  store_id: string;
  content_id: string;
  plays_count: number;
  completed_count: number;
  partial_count: number;
  skipped_count: number;
  interrupted_count: number;
  error_count: number;
  billable_count: number;
  starts_count: number;
  total_duration_ms: number;
}

/** One device's day: what a commit adds to `device_activity_daily`. */
export interface ActivitySum {
  day: string;
  device_id: string;
  plays_count: number;
  billable_count: number;
  total_duration_ms: number;
  last_activity_at: number;
}

/** Refused logs of one hour, device, door and reason. */
export interface RefusalSum {
  hour: number;
  device_id: string;
  door: string;
  code: string;
  count: number;
}

export interface Sums {
  hourly: HourlySum[];
  activity: ActivitySum[];
  refusals: RefusalSum[];
  days: string[];
}

const COUNT_OF = {
  COMPLETED: "completed_count",
  PARTIAL: "partial_count",
  SKIPPED: "skipped_count",
  INTERRUPTED: "interrupted_count",
  ERROR: "error_count",
} as const satisfies Record<PlayStatus, keyof HourlySum>;

/** Sums chunks in memory, so that a commit writes one row for each hour and set of dimensions, not one for each play. */
export function sumChunks(chunks: Chunk[]): Sums {
  const hourly = new HourlySums();
  const activity = new Map<string, ActivitySum>();
  const refusals = new Map<string, RefusalSum>();
  for (const { header, plays } of chunks) {
    for (const { play } of plays) {
      addPlay(hourly.of(play), play);
      addActivity(activityOf(activity, header.device_id, play.day), play);
    }
    for (const [hour, door, code, count] of header.refusals) {
      const key = `${hour}|${header.device_id}|${door}|${code}`;
      const sum = refusals.get(key) ?? { hour, device_id: header.device_id, door, code, count: 0 };
      sum.count += count;
      refusals.set(key, sum);
    }
  }
  return {
    hourly: hourly.all,
    activity: [...activity.values()],
    refusals: [...refusals.values()],
    days: [...new Set(hourly.all.map((sum) => sum.day))].sort(),
  };
}

type SumTree = Map<string | number, SumTree | HourlySum>;

/**
 * Sums by everything that tells them apart. A map in a map, and so on: one long key would have to be written for every play. Plays that
 * follow one another are mostly of one hour and store, so the way to those is walked once.
 */
class HourlySums {
  readonly all: HourlySum[] = [];
  readonly #tree: SumTree = new Map();
  #place = { day: "", hour: Number.NaN, storeId: "", supplierId: "", branch: this.#tree };

  of(play: AcceptedPlay): HourlySum {
    const hour = Math.floor(play.started_at / HOUR_MS) * HOUR_MS;
    const { day, store_id: storeId, supplier_id: supplierId } = play;
    const here = this.#place;
    if (here.day !== day || here.hour !== hour || here.storeId !== storeId || here.supplierId !== supplierId) {
      const branch = branchOf(branchOf(branchOf(branchOf(this.#tree, day), hour), storeId), supplierId);
      this.#place = { day, hour, storeId, supplierId, branch };
    }
    const leaves = branchOf(branchOf(this.#place.branch, play.campaign_id), play.ad_group_id);
    const known = leaves.get(play.content_id);
    if (known && !(known instanceof Map)) return known;
    const made = emptySum(play, hour);
    leaves.set(play.content_id, made);
    this.all.push(made);
    return made;
  }
}

function branchOf(tree: SumTree, key: string | number): SumTree {
  const known = tree.get(key);
  if (known instanceof Map) return known;
  const made: SumTree = new Map();
  tree.set(key, made);
  return made;
}

function emptySum({ day, campaign_id, ad_group_id, supplier_id, store_id, content_id }: AcceptedPlay, hour: number): HourlySum {
  return {
    day,
    hour,
    campaign_id,
    ad_group_id,
    supplier_id,
    store_id,
    content_id,
    plays_count: 0,
    completed_count: 0,
    partial_count: 0,
    skipped_count: 0,
    interrupted_count: 0,
    error_count: 0,
    billable_count: 0,
    starts_count: 0,
    total_duration_ms: 0,
  };
}

/** A start is counted as one, and is no play: its end is, or its time-out. */
function addPlay(sum: HourlySum, play: AcceptedPlay): void {
  if (play.result === "") {
    sum.starts_count += 1;
    return;
  }
  sum.plays_count += 1;
  sum[COUNT_OF[play.result]] += 1;
  sum.billable_count += play.billable;
  sum.total_duration_ms += play.duration_ms;
}

function activityOf(sums: Map<string, ActivitySum>, deviceId: string, day: string): ActivitySum {
  const key = `${day}|${deviceId}`;
  const known = sums.get(key);
  if (known) return known;
  const made = { day, device_id: deviceId, plays_count: 0, billable_count: 0, total_duration_ms: 0, last_activity_at: 0 };
  sums.set(key, made);
  return made;
}

function addActivity(sum: ActivitySum, play: AcceptedPlay): void {
  sum.last_activity_at = Math.max(sum.last_activity_at, play.ended_at);
  if (play.result === "") return;
  sum.plays_count += 1;
  sum.billable_count += play.billable;
  sum.total_duration_ms += play.duration_ms;
}
