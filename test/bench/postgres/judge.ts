import { FLAG_EFFECTS, FLAGS, type Flag, RULES } from "../../../src/plays/policy.ts";
import { readClock } from "../../../src/plays/sequencer/clock.ts";
import { distanceM } from "../../../src/plays/sequencer/place.ts";
import type { SequenceFinding } from "../../../src/plays/sequencer/sequence.ts";
import { storeDay } from "../../../src/plays/sequencer/store-day.ts";

/** A playback log whose shape is right. */
export interface PlaybackLog {
  log_id: string;
  device_id: string;
  campaign_id?: string;
  content_id: string;
  started_at: string;
  ended_at: string;
  duration_actual: number;
  duration_expected?: number;
  status: string;
  sequence?: number;
  epoch?: string;
  location?: { lat: number; lng: number };
  checksum?: string;
  signature?: string;
}

export interface Store {
  id: string;
  supplier_id: string;
  timezone: string;
  lat: number | null;
  lng: number | null;
}

export interface Facts {
  receivedAt: number;
  sentAt: number | null;
  store: Store | null;
  contentDurationMs: number | null;
  sequence: SequenceFinding | null;
}

export interface Verdict {
  day: string;
  startedAtRaw: number;
  endedAtRaw: number;
  startedAt: number;
  endedAt: number;
  durationMs: number;
  expectedMs: number | null;
  result: string;
  billable: boolean;
  quality: number;
  flags: Flag[];
}

const MAX_AGE_MS = 24 * 3_600_000;

/** The product's rules for the playback-log door, in its order: times, durations, future, age, skew, then flags. A text is why a log is refused. */
export function judge(log: PlaybackLog, facts: Facts): Verdict | string {
  const [startedAtRaw, endedAtRaw] = [Date.parse(log.started_at), Date.parse(log.ended_at)];
  const { offsetMs } = readClock(facts.sentAt, facts.receivedAt, null);
  const [startedAt, endedAt] = [startedAtRaw - (offsetMs ?? 0), endedAtRaw - (offsetMs ?? 0)];
  const span = endedAtRaw - startedAtRaw;
  const durationMs = Math.round(log.duration_actual * 1000);
  if (Number.isNaN(span)) return "VALIDATION_ERROR";
  if (span < 0) return "INVALID_TIME_RANGE";
  if (durationMs < 0 || durationMs > RULES.duration.maxMs || durationMs > span + RULES.duration.overSpanMs) return "INVALID_DURATION";
  if (endedAt - facts.receivedAt > (offsetMs === null ? RULES.future.clockUnknownMs : RULES.future.clockKnownMs)) return "FUTURE_TIMESTAMP";
  if (facts.receivedAt - endedAt > MAX_AGE_MS) return "TOO_OLD";
  if (offsetMs !== null && Math.abs(offsetMs) > RULES.clock.maxSkewMs) return "CLOCK_SKEW";

  const deviceExpectedMs = log.duration_expected === undefined ? null : Math.round(log.duration_expected * 1000);
  const expectedMs = facts.contentDurationMs ?? deviceExpectedMs;
  const found = new Set<Flag>();
  if (offsetMs === null) found.add("CLOCK_UNVERIFIED");
  else if (Math.abs(offsetMs) > RULES.clock.driftMs) found.add("CLOCK_DRIFT");
  if (facts.receivedAt - endedAt > RULES.lateMs) found.add("LATE");
  if (exceeds(span - durationMs, durationMs)) found.add("DURATION_MISMATCH");
  if (facts.contentDurationMs === null) found.add("EXPECTED_UNKNOWN");
  else if (deviceExpectedMs !== null && exceeds(Math.abs(deviceExpectedMs - facts.contentDurationMs), facts.contentDurationMs))
    found.add("EXPECTED_MISMATCH");
  if (facts.sequence === "gap") found.add("SEQUENCE_GAP");
  if (facts.sequence === "out-of-order") found.add("OUT_OF_ORDER");
  if (facts.sequence === "conflict") found.add("SEQUENCE_CONFLICT");
  const { store } = facts;
  if (log.location && store && store.lat !== null && store.lng !== null) {
    if (distanceM(log.location, { lat: store.lat, lng: store.lng }) > RULES.maxDistanceM) found.add("LOCATION_MISMATCH");
  }
  const reported = log.status.toUpperCase();
  const short = reported === "COMPLETED" && expectedMs !== null && durationMs < expectedMs * RULES.completedShare;
  const result = short ? "PARTIAL" : reported;
  if (short) found.add("STATUS_CHANGED");
  const flags = FLAGS.filter((flag) => found.has(flag));
  const quality = Math.max(
    0,
    flags.reduce((sum, flag) => sum + FLAG_EFFECTS[flag].quality, 100),
  );
  const billable =
    result === "COMPLETED" &&
    log.campaign_id !== undefined &&
    quality >= RULES.billableQuality &&
    flags.every((flag) => FLAG_EFFECTS[flag].billable);
  return {
    day: storeDay(startedAt, store?.timezone ?? null),
    startedAtRaw,
    endedAtRaw,
    startedAt,
    endedAt,
    durationMs,
    expectedMs,
    result,
    billable,
    quality,
    flags,
  };
}

function exceeds(differenceMs: number, ofMs: number): boolean {
  return differenceMs > RULES.duration.toleranceMs && differenceMs > ofMs * RULES.duration.toleranceShare;
}
