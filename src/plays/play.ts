import type { Door, Flag } from "./policy.ts";

/** How a play ended, as its device says or as the server finds. */
export const PLAY_STATUSES = ["COMPLETED", "PARTIAL", "SKIPPED", "INTERRUPTED", "ERROR"] as const;
export type PlayStatus = (typeof PLAY_STATUSES)[number];

/**
 * What a proof event tells of a play: that it starts, or that it ends. An end's `playId` names its start, `''` where it does not; it is
 * `timed` where it says how long the play lasted. Absent ids are `''`.
 */
export type PlayEvent = { kind: "start"; playlistId: string } | { kind: "end"; playId: string; timed: boolean };

/** A play log in the product's own form: what every dialect maps to. Absent ids are `''`, times are ms since 1970. */
export interface PlayLog {
  /** The device's id for it (lower-case UUID), or one derived from the record. */
  id: string;
  campaignId: string;
  adGroupId: string;
  contentId: string;
  contentVersion: string;
  playlistId: string;
  slotId: string;
  /** A whole play, its start, its end (which is the play), or the play that a start became whose end never came. */
  type: "PLAY" | "PLAY_START" | "PLAY_END" | "PLAY_TIMEOUT";
  startedAt: number;
  endedAt: number;
  durationMs: number;
  /** What the device thinks that the play should have lasted. */
  deviceExpectedMs: number | null;
  status: PlayStatus;
  /** `'0'` where the device names none. */
  epoch: string;
  sequence: number | null;
  location: { lat: number; lng: number } | null;
  /** Only of proof events. */
  event?: PlayEvent;
}

/** How a record was signed: by itself, with its batch, or not at all. */
export type SignedBy = "record" | "batch" | "nobody";

/** What proves a record: the text that was signed, and the signature. */
export interface Proof {
  /** The record without its `signature`, as JCS (RFC 8785). */
  record: string;
  /** SHA-256 of the record without `signature` and `checksum` as JCS, lower-case hex. */
  recordHash: string;
  signedBy: SignedBy;
  /** Null where the record carries none. */
  signature: Uint8Array | null;
}

/** The signature over a whole batch, with the lines that it covers. */
export interface BatchProof {
  lines: string;
  signature: string;
}

/** What the catalogue says of what a play cites. */
export interface CatalogueFinding {
  campaign: "known" | "unknown" | "unasked";
  content: "known" | "unknown" | "unasked";
  versionDurationMs: number | null;
}

/** A play log whose shape, device, checksum and signature are right. */
export interface VerifiedLog {
  log: PlayLog;
  proof: Proof;
}

/**
 * What the sequencer judges a verified log by; what else is known of it travels sealed (`parcel.ts`). Flat, so that what all logs of a
 * request have in common travels once.
 */
export interface LogFacts
  extends Pick<
    PlayLog,
    | "id"
    | "campaignId"
    | "contentId"
    | "contentVersion"
    | "slotId"
    | "startedAt"
    | "endedAt"
    | "durationMs"
    | "deviceExpectedMs"
    | "status"
    | "epoch"
    | "sequence"
    | "location"
  > {
  /** The part of the record's hash that is remembered: see {@link shortHash}. */
  hash: string;
  event: PlayEvent | null;
  signedBy: SignedBy;
  campaign: CatalogueFinding["campaign"];
  content: CatalogueFinding["content"];
  versionDurationMs: number | null;
}

/** The part of a record's hash that a sequencer keeps: 8 bytes, in hex. */
export function shortHash(recordHash: string): string {
  return recordHash.slice(0, 16);
}

/** The columns of an accepted play: those of `proof_of_play_events` but for `device_id` and `chunk`, which the chunk knows. */
export const PLAY_COLUMNS = [
  "event_id",
  "day",
  "store_id",
  "supplier_id",
  "campaign_id",
  "ad_group_id",
  "playlist_id",
  "content_id",
  "content_version",
  "slot_id",
  "type",
  "started_at_raw",
  "ended_at_raw",
  "started_at",
  "ended_at",
  "received_at",
  "duration_ms",
  "expected_ms",
  "result",
  "billable",
  "quality",
  "flags",
  "door",
  "epoch",
  "sequence",
  "record_hash",
  "key_id",
  "policy_version",
  "correlation_id",
] as const;

/** An accepted play or start of one, everything about it fixed. Times in ms, flags joined by commas, `billable` 0 or 1. */
export interface AcceptedPlay {
  event_id: string;
  day: string;
  store_id: string;
  supplier_id: string;
  campaign_id: string;
  ad_group_id: string;
  playlist_id: string;
  content_id: string;
  content_version: string;
  slot_id: string;
  type: string;
  started_at_raw: number;
  ended_at_raw: number;
  started_at: number;
  ended_at: number;
  received_at: number;
  duration_ms: number;
  expected_ms: number | null;
  /** `''` of a start: it is no play. */
  result: PlayStatus | "";
  billable: 0 | 1;
  quality: number;
  flags: string;
  door: Door;
  epoch: string;
  sequence: number | null;
  record_hash: string;
  key_id: string;
  policy_version: string;
  correlation_id: string;
}

/** What a device is told of an accepted play, and again of each retry. */
export interface PlayVerdict {
  billable: boolean;
  quality: number;
  flags: Flag[];
}
