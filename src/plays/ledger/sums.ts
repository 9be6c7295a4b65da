import { HOUR_MS } from "../../platform/time.ts";
import type { PlaysOfChunk } from "../chunk.ts";
import { countPlays, type PlayColumns } from "../columns.ts";
import { cell } from "../packed.ts";
import type { PlayStatus } from "../play.ts";

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
export function sumChunks(chunks: PlaysOfChunk[]): Sums {
  const hourly = new HourlySums();
  const activity = new ActivitySums();
  const refusals = new Map<string, RefusalSum>();
  for (const { header, plays } of chunks) {
    const length = countPlays(plays);
    for (let at = 0; at < length; at++) {
      addPlay(hourly.of(plays, at), plays, at);
      addActivity(activity.of(header.device_id, cell(plays.day, at)), plays, at);
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
    activity: activity.all,
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

  of(plays: PlayColumns, at: number): HourlySum {
    const hour = Math.floor(cell(plays.started_at, at) / HOUR_MS) * HOUR_MS;
    const day = cell(plays.day, at);
    const storeId = cell(plays.store_id, at);
    const supplierId = cell(plays.supplier_id, at);
    const here = this.#place;
    if (here.day !== day || here.hour !== hour || here.storeId !== storeId || here.supplierId !== supplierId) {
      const branch = branchOf(branchOf(branchOf(branchOf(this.#tree, day), hour), storeId), supplierId);
      this.#place = { day, hour, storeId, supplierId, branch };
    }
    const contentId = cell(plays.content_id, at);
    const leaves = branchOf(branchOf(this.#place.branch, cell(plays.campaign_id, at)), cell(plays.ad_group_id, at));
    const known = leaves.get(contentId);
    if (known && !(known instanceof Map)) return known;
    const made = emptySum(plays, at, hour);
    leaves.set(contentId, made);
    this.all.push(made);
    return made;
  }
}

/** Sums by device and day. Plays that follow one another are mostly of the same. */
class ActivitySums {
  readonly all: ActivitySum[] = [];
  readonly #byKey = new Map<string, ActivitySum>();
  #last: ActivitySum | null = null;

  of(deviceId: string, day: string): ActivitySum {
    if (this.#last?.day === day && this.#last.device_id === deviceId) return this.#last;
    const key = `${day}|${deviceId}`;
    const known = this.#byKey.get(key);
    const sum = known ?? { day, device_id: deviceId, plays_count: 0, billable_count: 0, total_duration_ms: 0, last_activity_at: 0 };
    if (!known) {
      this.#byKey.set(key, sum);
      this.all.push(sum);
    }
    this.#last = sum;
    return sum;
  }
}

function branchOf(tree: SumTree, key: string | number): SumTree {
  const known = tree.get(key);
  if (known instanceof Map) return known;
  const made: SumTree = new Map();
  tree.set(key, made);
  return made;
}

function emptySum(plays: PlayColumns, at: number, hour: number): HourlySum {
  return {
    day: cell(plays.day, at),
    hour,
    campaign_id: cell(plays.campaign_id, at),
    ad_group_id: cell(plays.ad_group_id, at),
    supplier_id: cell(plays.supplier_id, at),
    store_id: cell(plays.store_id, at),
    content_id: cell(plays.content_id, at),
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
function addPlay(sum: HourlySum, plays: PlayColumns, at: number): void {
  const result = cell(plays.result, at);
  if (result === "") {
    sum.starts_count += 1;
    return;
  }
  sum.plays_count += 1;
  sum[COUNT_OF[result]] += 1;
  sum.billable_count += cell(plays.billable, at);
  sum.total_duration_ms += cell(plays.duration_ms, at);
}

function addActivity(sum: ActivitySum, plays: PlayColumns, at: number): void {
  sum.last_activity_at = Math.max(sum.last_activity_at, cell(plays.ended_at, at));
  if (cell(plays.result, at) === "") return;
  sum.plays_count += 1;
  sum.billable_count += cell(plays.billable, at);
  sum.total_duration_ms += cell(plays.duration_ms, at);
}
