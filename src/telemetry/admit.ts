import type { DeviceProfile } from "../devices/profile.ts";
import { encodeTelemetryBody } from "../plays/chunk.ts";
import { DEFAULT_REQUESTS_PER_MINUTE, OUTBOX_FULL_RETRY_AFTER_S } from "../plays/limits.ts";
import { countRefusal, type SequencerHead } from "../plays/sequencer/head.ts";
import { type RateState, takeRequest } from "../plays/sequencer/rate.ts";
import type { SeenEntry } from "../plays/sequencer/seen.ts";
import type { RefusedRecord } from "../plays/sequencer/store.ts";
import { SAMPLED, TELEMETRY_DOOR, TELEMETRY_REJECTIONS, type TelemetryCode, type TelemetryFacts, type TelemetryRow } from "./event.ts";
import {
  MAX_AHEAD_MS,
  MAX_NAMELESS_SESSIONS,
  MAX_SESSIONS,
  NAMELESS_REQUESTS_PER_MINUTE,
  OUTBOX_SHARE,
  PLAYER_REQUESTS_PER_MINUTE,
} from "./limits.ts";
import { growthOf, type Sessions } from "./sessions.ts";
import { isThinned, thinningShare } from "./thinning.ts";

/** Who sends telemetry: a paired device; or a reporter, for a player that it names or for all that it does not. */
export type TelemetryCaller = { kind: "device"; familyId: string } | { kind: "reporter"; tokenId: string; named: boolean };

/** An event as its player wrote it: its own name for it, and its text, cut where that is long. */
export interface GivenEvent {
  eventId: string | null;
  record: string;
}

/** An event that the Worker refused, before the sequencer saw it. */
export interface RefusedEvent extends GivenEvent {
  code: TelemetryCode;
  error: string;
}

/** The telemetry of one player in one request, as the Worker hands it to the player's sequencer. Times in ms. */
export interface TelemetryRequest {
  caller: TelemetryCaller;
  receivedAt: number;
  correlationId: string;
  maxAgeMs: number;
  queueMessages: number | null;
  events: TelemetryFacts[];
  /** The same events as they came, in the same order: for those that are refused here. */
  given: GivenEvent[];
  refused: RefusedEvent[];
}

/** What became of an event. */
export type EventOutcome = { status: "accepted" | "duplicate" | "sampled" } | { status: "rejected"; code: TelemetryCode };

export type TelemetryAnswer =
  | { kind: "answered"; outcomes: EventOutcome[]; rate: RateState }
  | { kind: "unknown-device" | "revoked" | "superseded" | "too-many-players" }
  | { kind: "rate-limited"; rate: RateState }
  | { kind: "outbox-full" | "unavailable"; retryAfterS: number };

/** What the sequencer knows when telemetry comes. */
export interface TelemetryState {
  /** Null for a reporter's player. */
  profile: DeviceProfile | null;
  head: SequencerHead;
  sessions: Sessions;
  outboxBytes: number;
  maxOutboxBytes: number;
  unconfirmedChunks: number;
  findSeen: (id: string) => SeenEntry | null;
}

/** The answer, and what must be durable before it leaves. */
export interface TelemetryAdmission {
  answer: TelemetryAnswer;
  keep: {
    head: SequencerHead;
    seen: SeenEntry[];
    bodies: { bytes: Uint8Array; plays: number }[];
    refused: RefusedRecord[];
    /** Null where no session changed. */
    sessions: Sessions | null;
  } | null;
}

/** Nothing of a play: what a retry of telemetry is told is that it is one. */
const TOLD = { billable: false, quality: 0, flags: [] };

/**
 * Decides a request of telemetry: player active and current · outbox has room for telemetry · rate (one window with the device's plays) · then each event:
 * seen before · time · thinning · growth. Pure but for `findSeen`, which reads. `state` is not changed.
 */
export function decideTelemetry(request: TelemetryRequest, state: TelemetryState): TelemetryAdmission {
  const turnedAway = standingOf(request.caller, state.profile);
  if (turnedAway) return { answer: turnedAway, keep: null };
  if (state.outboxBytes >= state.maxOutboxBytes * OUTBOX_SHARE) {
    return { answer: { kind: "outbox-full", retryAfterS: OUTBOX_FULL_RETRY_AFTER_S }, keep: null };
  }
  const rate = takeRequest(state.head.rate, request.receivedAt, requestsPerMinute(request.caller, state.profile));
  if (!rate.ok) return { answer: { kind: "rate-limited", rate: rate.state }, keep: null };

  const sessions: Sessions = new Map(state.sessions);
  const mostSessions = isNamed(request.caller) ? MAX_SESSIONS : MAX_NAMELESS_SESSIONS;
  const share = thinningShare({ unconfirmedChunks: state.unconfirmedChunks, queueMessages: request.queueMessages });
  const seen = new Map<string, SeenEntry>();
  const rows: TelemetryRow[] = [];
  const outcomes = request.events.map((event): EventOutcome => {
    const before = seen.get(event.id) ?? state.findSeen(event.id);
    const outcome = judgeEvent(event, before, request, share);
    if (outcome.status !== "accepted") return outcome;
    seen.set(event.id, { id: event.id, hash: event.hash, told: TOLD });
    rows.push(rowOf(event, growthOf(event, sessions, mostSessions), request));
    return outcome;
  });
  const head: SequencerHead = { ...state.head, rate: rate.window, refusals: { ...state.head.refusals } };
  const refused = [...refusedBefore(request), ...refusedHere(request, outcomes)];
  for (const { code } of refused) countRefusal(head.refusals, request.receivedAt, TELEMETRY_DOOR, code);
  for (const { status } of outcomes) if (status === "sampled") countRefusal(head.refusals, request.receivedAt, TELEMETRY_DOOR, SAMPLED);
  return {
    answer: { kind: "answered", outcomes, rate: rate.state },
    keep: {
      head,
      seen: [...seen.values()],
      bodies: rows.length === 0 ? [] : [{ bytes: encodeTelemetryBody(rows), plays: 0 }],
      refused,
      sessions: rows.length === 0 ? null : sessions,
    },
  };
}

/** Whether who sends is one player; else many that gave no name. */
function isNamed(caller: TelemetryCaller): boolean {
  return caller.kind === "device" || caller.named;
}

function standingOf(caller: TelemetryCaller, profile: DeviceProfile | null): TelemetryAnswer | null {
  if (caller.kind === "reporter") return null;
  if (!profile) return { kind: "unknown-device" };
  if (profile.status === "revoked") return { kind: "revoked" };
  return profile.status !== "active" || profile.familyId !== caller.familyId ? { kind: "superseded" } : null;
}

function requestsPerMinute(caller: TelemetryCaller, profile: DeviceProfile | null): number {
  if (caller.kind === "reporter") return caller.named ? PLAYER_REQUESTS_PER_MINUTE : NAMELESS_REQUESTS_PER_MINUTE;
  return profile?.policy.requests_per_minute ?? DEFAULT_REQUESTS_PER_MINUTE;
}

/** A retry first, so that it stays one however old it has become. */
function judgeEvent(event: TelemetryFacts, before: SeenEntry | null, request: TelemetryRequest, share: number): EventOutcome {
  if (before) return before.hash === event.hash ? { status: "duplicate" } : { status: "rejected", code: "ID_CONFLICT" };
  const { receivedAt, maxAgeMs } = request;
  if (event.at < receivedAt - maxAgeMs || event.at > receivedAt + MAX_AHEAD_MS) return { status: "rejected", code: "INVALID_TIMESTAMP" };
  return { status: event.type === "play_progress" && isThinned(event.id, share) ? "sampled" : "accepted" };
}

function rowOf(event: TelemetryFacts, playedMs: number, { caller, receivedAt, correlationId }: TelemetryRequest): TelemetryRow {
  return {
    type: event.type,
    content_id: event.contentId,
    at: event.at,
    position_ms: event.positionMs,
    played_ms: playedMs,
    session: event.session,
    received_at: receivedAt,
    correlation_id: correlationId,
    named: isNamed(caller),
  };
}

function refusedBefore({ refused, receivedAt: at }: TelemetryRequest): RefusedRecord[] {
  return refused.map(({ code, error, eventId, record }) => ({ at, door: TELEMETRY_DOOR, code, error, log_id: eventId, record }));
}

function refusedHere({ given, receivedAt: at }: TelemetryRequest, outcomes: EventOutcome[]): RefusedRecord[] {
  return outcomes.flatMap((outcome, index) => {
    if (outcome.status !== "rejected") return [];
    const { eventId: log_id = null, record = "" } = given[index] ?? {};
    return [{ at, door: TELEMETRY_DOOR, code: outcome.code, error: TELEMETRY_REJECTIONS[outcome.code].error, log_id, record }];
  });
}
