import {
  CLOCK_DRIFT_MS,
  DOWNLOAD_FAILURES,
  DOWNLOAD_FAILURES_WITHIN_MS,
  GAP_FORGOTTEN_AFTER_MS,
  GAP_OPEN_AFTER_MS,
  MAX_GAPS_FOLLOWED,
  RESTARTS,
  RESTARTS_WITHIN_MS,
  STORAGE_FULL_SHARE,
  STORAGE_RELIEF_SHARE,
  STUCK_AFTER_ITEMS,
  STUCK_AFTER_MS,
} from "./heartbeat-limits.ts";

/** What a device's heartbeats and plays can tell that is wrong with it. */
export const WATCHED_TYPES = ["PLAYBACK_STUCK", "DOWNLOAD_FAIL", "LOW_STORAGE", "CRASH_LOOP", "CLOCK_DRIFT", "SEQUENCE_GAP"] as const;
export type WatchedType = (typeof WATCHED_TYPES)[number];

/** Something that is wrong with a device now. */
export interface DeviceFinding {
  type: WatchedType;
  details: Record<string, unknown>;
}

/** A counter of the player that only grows, until the player is set up anew; and when it grew by how much. */
export interface Counter {
  value: number;
  grown: [at: number, by: number][];
}

/** Follows a counter. Growth older than `withinMs` is forgotten. A first value is no growth; a smaller one was counted from 0. */
export function followCounter(before: Counter | null, value: number, now: number, withinMs: number): Counter {
  if (before === null) return { value, grown: [] };
  const by = value >= before.value ? value - before.value : value;
  const grown = before.grown.filter(([at]) => now - at < withinMs);
  return { value, grown: by > 0 ? joined([...grown, [now, by]], withinMs) : grown };
}

/** Growth within the same twelfth of the window is one entry, so that there are thirteen at most. */
function joined(grown: [number, number][], withinMs: number): [number, number][] {
  const [last, before] = [grown.at(-1), grown.at(-2)];
  const partOf = (at: number) => Math.floor(at / (withinMs / 12));
  if (!last || !before || partOf(last[0]) !== partOf(before[0])) return grown;
  return [...grown.slice(0, -2), [last[0], last[1] + before[1]]];
}

function growth(counter: Counter | null): number {
  return (counter?.grown ?? []).reduce((sum, [, by]) => sum + by, 0);
}

/** Numbers of a sequence that never came, and since when they are known to be missing. */
export interface Gap {
  epoch: string;
  first: number;
  last: number;
  since: number;
}

/**
 * Follows the numbers that are missing: what is left of a gap is missing since the gap was first seen. The oldest are kept, as many as
 * are followed.
 */
export function followGaps(before: readonly Gap[], missing: readonly Omit<Gap, "since">[], now: number): Gap[] {
  return missing
    .map((range) => {
      const earlier = before.filter((gap) => gap.epoch === range.epoch && gap.first <= range.last && gap.last >= range.first);
      return { ...range, since: Math.min(now, ...earlier.map((gap) => gap.since)) };
    })
    .sort((a, b) => a.since - b.since)
    .slice(0, MAX_GAPS_FOLLOWED);
}

/** What is known of a device at a heartbeat. Times in ms. */
export interface Vitals {
  now: number;
  /** Device − server. */
  offsetMs: number;
  diskUsedBytes: number;
  diskTotalBytes: number | null;
  /** What the group's policy lets the player store. */
  storageCapBytes: number | null;
  downloads: Counter | null;
  restarts: Counter | null;
  /** When a play was last reported, or `now_playing` changed. */
  activeAt: number;
  /** How long the item that is played lasts; null where the device does not say. */
  itemMs: number | null;
  gaps: readonly Gap[];
  /** What was wrong before. */
  before: readonly WatchedType[];
}

/** All that is wrong with a device now, in the order of {@link WATCHED_TYPES}. Pure. Whether its plan has anything to play is asked elsewhere. */
export function findWrong(vitals: Vitals): DeviceFinding[] {
  return [stuck(vitals), downloads(vitals), storage(vitals), crashes(vitals), clock(vitals), gaps(vitals)].filter((one) => one !== null);
}

function stuck({ now, activeAt, itemMs }: Vitals): DeviceFinding | null {
  const limitMs = Math.max(STUCK_AFTER_MS, STUCK_AFTER_ITEMS * (itemMs ?? 0));
  if (now - activeAt <= limitMs) return null;
  return { type: "PLAYBACK_STUCK", details: { last_activity_at: new Date(activeAt).toISOString(), limit_s: limitMs / 1000 } };
}

function downloads({ downloads }: Vitals): DeviceFinding | null {
  const failures = growth(downloads);
  if (failures < DOWNLOAD_FAILURES) return null;
  return { type: "DOWNLOAD_FAIL", details: { failures, within_s: DOWNLOAD_FAILURES_WITHIN_MS / 1000 } };
}

function storage({ diskUsedBytes, diskTotalBytes, storageCapBytes, before }: Vitals): DeviceFinding | null {
  const relief = before.includes("LOW_STORAGE") ? 1 - STORAGE_RELIEF_SHARE : 1;
  const overDisk = diskTotalBytes !== null && diskUsedBytes > diskTotalBytes * STORAGE_FULL_SHARE * relief;
  const overCap = storageCapBytes !== null && diskUsedBytes > storageCapBytes * relief;
  if (!overDisk && !overCap) return null;
  const details = { disk_used_bytes: diskUsedBytes, disk_total_bytes: diskTotalBytes, storage_cap_bytes: storageCapBytes };
  return { type: "LOW_STORAGE", details };
}

function crashes({ restarts }: Vitals): DeviceFinding | null {
  const count = growth(restarts);
  if (count < RESTARTS) return null;
  return { type: "CRASH_LOOP", details: { restarts: count, within_s: RESTARTS_WITHIN_MS / 1000 } };
}

function clock({ offsetMs }: Vitals): DeviceFinding | null {
  return Math.abs(offsetMs) > CLOCK_DRIFT_MS ? { type: "CLOCK_DRIFT", details: { clock_offset_ms: offsetMs } } : null;
}

function gaps({ now, gaps: followed }: Vitals): DeviceFinding | null {
  const open = followed.filter(({ since }) => now - since > GAP_OPEN_AFTER_MS && now - since <= GAP_FORGOTTEN_AFTER_MS);
  const [oldest] = open;
  if (!oldest) return null;
  const missing = open.map(({ epoch, first, last }) => ({ epoch, first, last }));
  return { type: "SEQUENCE_GAP", details: { since: new Date(oldest.since).toISOString(), missing } };
}
