import { SECOND_MS } from "../platform/time.ts";
import type { HeartbeatClock } from "../plays/sequencer/clock.ts";
import { type HeartbeatHistory, noteHeartbeat } from "./heartbeat-history.ts";
import {
  ACTIVITY_WRITTEN_AFTER_MS,
  CLOCK_KEPT_WITHIN_MS,
  DEFAULT_HEARTBEAT_INTERVAL_S,
  DOWNLOAD_FAILURES_WITHIN_MS,
  MAX_RESULTS_KEPT,
  MAX_SETTLED_KEPT,
  MISSED_HEARTBEATS,
  REPORT_CHANGE_EVERY_MS,
  REPORT_EVERY_MS,
  RESTARTS_WITHIN_MS,
  SILENCE_RETRY_MS,
  SILENCE_SLACK_HEARTBEATS,
} from "./heartbeat-limits.ts";
import { type Counter, type DeviceFinding, findWrong, followCounter, followGaps, type Gap, type WatchedType } from "./heartbeat-watch.ts";
import type { GroupPolicy } from "./policy.ts";
import type { CommandResult, DeviceReport } from "./report.ts";

/** A heartbeat as the Worker read it. Times in ms. */
export interface Heartbeat {
  receivedAt: number;
  /** By the device's clock. */
  deviceTime: number;
  nowPlaying: Record<string, unknown> | null;
  /** How long the item that is played lasts. */
  itemMs: number | null;
  diskUsedBytes: number;
  diskTotalBytes: number | null;
  planEtag: string | null;
  lastError: string | null;
  counters: Record<string, number>;
  playerVersion: string | null;
  results: CommandResult[];
}

/** What a device's object keeps of its heartbeats between two of them. Plain data, stored as JSON in a row of its own. */
export interface HeartbeatState {
  /** When the device was last heard of. */
  at: number;
  /** The clock's offset (device − server) as of `at`. */
  offsetMs: number;
  intervalMs: number;
  /** When the device counts as silent, unless it is heard of before. */
  silentAt: number;
  /** Whether it fell silent and D1 was told. */
  silent: boolean;
  /** `now_playing` and the number of accepted plays, and when either last changed. */
  activity: { playing: string; accepted: number; at: number };
  /** Null where the player does not count this. */
  downloads: Counter | null;
  restarts: Counter | null;
  gaps: Gap[];
  /** What D1 was told last; `at` is null where it must be told again. */
  told: { at: number | null; findings: WatchedType[]; playerVersion: string | null };
  /** Results of commands that D1 was not told yet. */
  results: CommandResult[];
  /** Commands whose results came: not repeated any more. The latest last. */
  settled: string[];
  /** Absent before the first heartbeat that was noted. */
  history?: HeartbeatHistory;
}

/** What else the object knows when a heartbeat comes. */
export interface HeartbeatFacts {
  policy: GroupPolicy;
  /** Plays ever accepted. */
  accepted: number;
  missing: Omit<Gap, "since">[];
}

/** What comes of a heartbeat. */
export interface HeartbeatOutcome {
  state: HeartbeatState;
  findings: DeviceFinding[];
  /** Whether D1 is to be told now. */
  tell: boolean;
}

/** How often a device of this policy sends heartbeats, in ms. */
export function heartbeatIntervalMs(policy: GroupPolicy): number {
  return (policy.heartbeat_interval_s ?? DEFAULT_HEARTBEAT_INTERVAL_S) * SECOND_MS;
}

/** Decides what a heartbeat means, after `before` (null: the first one). Pure. */
export function takeHeartbeat(beat: Heartbeat, before: HeartbeatState | null, facts: HeartbeatFacts): HeartbeatOutcome {
  const now = beat.receivedAt;
  const intervalMs = heartbeatIntervalMs(facts.policy);
  const offsetMs = beat.deviceTime - now;
  const activity = followActivity(beat, before, facts.accepted);
  const downloads = counterOf(beat, "download_failures", before?.downloads ?? null, DOWNLOAD_FAILURES_WITHIN_MS);
  const restarts = counterOf(beat, "restarts", before?.restarts ?? null, RESTARTS_WITHIN_MS);
  const gaps = followGaps(before?.gaps ?? [], facts.missing, now);
  const findings = findWrong({
    now,
    offsetMs,
    diskUsedBytes: beat.diskUsedBytes,
    diskTotalBytes: beat.diskTotalBytes,
    storageCapBytes: facts.policy.storage_cap_bytes ?? null,
    downloads,
    restarts,
    activeAt: activity.at,
    itemMs: beat.itemMs,
    gaps,
    before: before?.told.findings ?? [],
  });
  const state: HeartbeatState = {
    at: now,
    offsetMs,
    intervalMs,
    silentAt: now + (MISSED_HEARTBEATS + SILENCE_SLACK_HEARTBEATS) * intervalMs,
    silent: false,
    activity,
    downloads,
    restarts,
    gaps,
    told: before?.told ?? { at: null, findings: [], playerVersion: null },
    ...takeResults(before, beat.results),
    history: noteHeartbeat(
      before?.history,
      { at: now, offset_ms: offsetMs, disk_used_bytes: beat.diskUsedBytes, disk_total_bytes: beat.diskTotalBytes },
      before !== null && (before.silent || now > before.silentAt) ? before.at : null,
    ),
  };
  const tell = before === null || before.silent || isDue(state, findings, beat.playerVersion, now);
  if (tell) state.told = { at: now, findings: findings.map(({ type }) => type), playerVersion: beat.playerVersion };
  return { state, findings, tell };
}

/** Results of commands beside those that are known. What finds no room is not taken: the device says it again. Pure. */
export function takeResults(
  before: Pick<HeartbeatState, "results" | "settled"> | null,
  results: readonly CommandResult[],
): Pick<HeartbeatState, "results" | "settled"> {
  const settled = before?.settled ?? [];
  const waiting = before?.results ?? [];
  const fresh = results
    .filter(({ id }, index, all) => !settled.includes(id) && all.findIndex((other) => other.id === id) === index)
    .slice(0, Math.max(0, MAX_RESULTS_KEPT - waiting.length));
  return { results: [...waiting, ...fresh], settled: [...settled, ...fresh.map(({ id }) => id)].slice(-MAX_SETTLED_KEPT) };
}

/** Whether the device showed or reported anything new. After a silence it begins anew: nothing can be expected of a player that was off. */
function followActivity(beat: Heartbeat, before: HeartbeatState | null, accepted: number): HeartbeatState["activity"] {
  const playing = JSON.stringify(beat.nowPlaying);
  const now = beat.receivedAt;
  const returned = before === null || before.silent || now > before.silentAt;
  const moved = returned || before.activity.playing !== playing || before.activity.accepted !== accepted;
  return { playing, accepted, at: moved ? now : before.activity.at };
}

/** A player that does not name a counter says nothing new of it. */
function counterOf(beat: Heartbeat, name: string, before: Counter | null, withinMs: number): Counter | null {
  const value = beat.counters[name] ?? before?.value;
  return value === undefined ? null : followCounter(before, value, beat.receivedAt, withinMs);
}

function isDue({ told, results }: HeartbeatState, findings: DeviceFinding[], playerVersion: string | null, now: number): boolean {
  if (told.at === null || now - told.at >= REPORT_EVERY_MS) return true;
  if (now - told.at < REPORT_CHANGE_EVERY_MS) return false;
  const changed = findings.length !== told.findings.length || findings.some(({ type }) => !told.findings.includes(type));
  return changed || results.length > 0 || playerVersion !== told.playerVersion;
}

/**
 * Whether a state must be written down, since what is written would mislead when the object leaves memory: the clock that plays are
 * judged by, when the device falls silent, what D1 was told. All else is at most a few heartbeats old there.
 */
export function mustWrite(written: HeartbeatState | null, state: HeartbeatState): boolean {
  if (written === null) return true;
  if (state.told.at !== written.told.at || state.results.length !== written.results.length) return true;
  if (Math.abs(state.offsetMs - written.offsetMs) > CLOCK_KEPT_WITHIN_MS) return true;
  if (state.intervalMs !== written.intervalMs || written.silentAt - state.at < MISSED_HEARTBEATS * state.intervalMs) return true;
  return state.activity.at - written.activity.at > ACTIVITY_WRITTEN_AFTER_MS;
}

/** The state of a device that is silent by now and was not found so before; null for any other. Pure. */
export function findSilence(state: HeartbeatState, now: number): HeartbeatState | null {
  return state.silent || now < state.silentAt ? null : { ...state, silent: true };
}

/** The state of a device whose silence D1 could not be told. */
export function silenceNotTold(state: HeartbeatState, now: number): HeartbeatState {
  return { ...state, silent: false, silentAt: now + SILENCE_RETRY_MS };
}

/** The clock by which plays are judged that say nothing of their own: the latest heartbeat's, of two. */
export function latestClock(one: HeartbeatClock | null, state: HeartbeatState | null): HeartbeatClock | null {
  if (state === null || (one !== null && one.at >= state.at)) return one;
  return { offsetMs: state.offsetMs, at: state.at };
}

/** What D1 is told of a heartbeat. */
export function reportOf(deviceId: string, beat: Heartbeat, { state, findings }: HeartbeatOutcome): DeviceReport {
  return {
    v: 1,
    device_id: deviceId,
    at: state.at,
    silent: false,
    player_version: beat.playerVersion,
    heartbeat: {
      now_playing: beat.nowPlaying,
      disk_used_bytes: beat.diskUsedBytes,
      disk_total_bytes: beat.diskTotalBytes,
      plan_etag: beat.planEtag,
      last_error: beat.lastError,
      counters: beat.counters,
      clock_offset_ms: state.offsetMs,
    },
    findings,
    results: state.results,
  };
}

/** What D1 is told of a silence. */
export function silenceOf(deviceId: string, state: HeartbeatState): DeviceReport {
  return {
    v: 1,
    device_id: deviceId,
    at: state.at,
    silent: true,
    player_version: null,
    heartbeat: null,
    findings: [],
    results: state.results,
  };
}
