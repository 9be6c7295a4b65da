import type { GroupPolicy } from "../devices/policy.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS, SECOND_MS } from "../platform/time.ts";
import { DEFAULT_REQUESTS_PER_MINUTE } from "./limits.ts";

/** The doors through which play logs come in. */
export const DOORS = ["playback-log", "impression", "stream", "proof-event"] as const;
export type Door = (typeof DOORS)[number];

/** The flags that a play may carry. Order is storage format (`seen.ts` packs them as bits): append only. */
export const FLAGS = [
  "CLOCK_DRIFT",
  "CLOCK_UNVERIFIED",
  "LATE",
  "STATUS_CHANGED",
  "DURATION_MISMATCH",
  "EXPECTED_MISMATCH",
  "EXPECTED_UNKNOWN",
  "OUT_OF_ORDER",
  "SEQUENCE_GAP",
  "SEQUENCE_CONFLICT",
  "LOCATION_MISMATCH",
  "UNSIGNED",
  "NOT_SCHEDULED",
  "CATALOG_UNVERIFIED",
] as const;
export type Flag = (typeof FLAGS)[number];

interface FlagEffect {
  quality: number;
  billable: boolean;
}

/** What each flag does to a play: points off its quality, and whether it may still be billed. */
export const FLAG_EFFECTS: Record<Flag, FlagEffect> = {
  CLOCK_DRIFT: { quality: -30, billable: true },
  CLOCK_UNVERIFIED: { quality: -10, billable: true },
  LATE: { quality: -10, billable: true },
  STATUS_CHANGED: { quality: -10, billable: true },
  DURATION_MISMATCH: { quality: -10, billable: true },
  EXPECTED_MISMATCH: { quality: 0, billable: false },
  EXPECTED_UNKNOWN: { quality: 0, billable: false },
  OUT_OF_ORDER: { quality: -5, billable: true },
  SEQUENCE_GAP: { quality: 0, billable: true },
  SEQUENCE_CONFLICT: { quality: 0, billable: false },
  LOCATION_MISMATCH: { quality: 0, billable: false },
  UNSIGNED: { quality: 0, billable: false },
  NOT_SCHEDULED: { quality: -20, billable: true },
  CATALOG_UNVERIFIED: { quality: 0, billable: true },
};

/** The numbers by which plays are judged at one door. Every limit is strict: exactly on it is still inside. */
export interface DoorPolicy {
  maxAgeMs: number;
  signatureRequired: boolean;
  unsignedBillable: boolean;
  batchSignature: boolean;
  requestsPerMinute: number;
}

/**
 * The version of these rules, stored with each play that they judged. Change it with any number below, and with what they are
 * applied to: what was billed must be explained by the rules of its day. Since `2026-11-2` the device's plan counts: a slot's
 * duration is the expected one, plays outside the plan are `NOT_SCHEDULED`, and those of a takeover are not billed.
 */
export const POLICY_VERSION = "2026-11-2";

export const RULES = {
  clock: { ignoredMs: 5 * SECOND_MS, driftMs: 10 * MINUTE_MS, maxSkewMs: 30 * MINUTE_MS, heartbeatFreshMs: DAY_MS },
  future: { clockKnownMs: 5 * SECOND_MS, clockUnknownMs: 5 * MINUTE_MS },
  lateMs: 4 * HOUR_MS,
  duration: { maxMs: 4 * HOUR_MS, overSpanMs: 2 * SECOND_MS, toleranceMs: 2 * SECOND_MS, toleranceShare: 0.1 },
  completedShare: 0.8,
  maxDistanceM: 5000,
  billableQuality: 50,
} as const;

const MAX_AGE_EVER_MS = 7 * DAY_MS;

/** What a door lets in where the device's group says nothing else. */
interface DoorPreset {
  maxAgeMs: number;
  /** Whether records must be signed. Where not, signatures are verified if present, and what has none is not billed. */
  signatureRequired: boolean;
}

const PRESETS: Record<Door, DoorPreset> = {
  "playback-log": { maxAgeMs: 24 * HOUR_MS, signatureRequired: true },
  impression: { maxAgeMs: 4 * HOUR_MS, signatureRequired: true },
  stream: { maxAgeMs: 4 * HOUR_MS, signatureRequired: true },
  "proof-event": { maxAgeMs: 24 * HOUR_MS, signatureRequired: false },
};

/** The most records that one request brings to a door. */
export const MAX_RECORDS: Record<Door, number> = { "playback-log": 100, impression: 100, stream: 100, "proof-event": 500 };

/** A door's preset, with what the device's group changes of it. No age is ever over seven days. */
export function doorPolicy(door: Door, group: GroupPolicy): DoorPolicy {
  const preset = PRESETS[door];
  const hours = group.max_age_hours?.[door];
  return {
    maxAgeMs: Math.min(hours === undefined ? preset.maxAgeMs : hours * HOUR_MS, MAX_AGE_EVER_MS),
    signatureRequired: group.signature === undefined ? preset.signatureRequired : group.signature === "required",
    unsignedBillable: group.unsigned_billable === true,
    batchSignature: group.batch_signature === true,
    requestsPerMinute: group.requests_per_minute ?? DEFAULT_REQUESTS_PER_MINUTE,
  };
}
