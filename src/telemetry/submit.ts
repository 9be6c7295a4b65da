import type { ReporterScope } from "../auth/principal.ts";
import { isObject } from "../platform/body.ts";
import { Problem } from "../platform/errors.ts";
import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { isFlooding } from "../plays/flood.ts";
import { ADMIT_TIMEOUT_MS, MAX_REFUSED_RECORD_CHARS } from "../plays/limits.ts";
import type { RateState } from "../plays/rate.ts";
import { consultAccess, type TrackAccess } from "./access.ts";
import type { RefusedEvent, TelemetryAnswer, TelemetryRequest } from "./admit.ts";
import { factsOf, type ReadEvent, readEvent } from "./dialect.ts";
import { TELEMETRY_REJECTIONS, type TelemetryCode, type TelemetryFacts } from "./event.ts";
import { MAX_ID_CHARS, PLAYER_REQUESTS_PER_MINUTE } from "./limits.ts";
import { playerId } from "./players.ts";

/** Who sends a request of telemetry, as its token says. */
export type Sender = { kind: "device"; deviceId: string; familyId: string } | { kind: "reporter"; tokenId: string; scope: ReporterScope };

/** A request whose body was read: events as they came, not yet looked at. */
export interface SentEvents {
  sender: Sender;
  records: unknown[];
  receivedAt: number;
  correlationId: string;
  maxAgeMs: number;
  queueMessages: number | null;
}

/** What became of one event of a request. */
export type EventAnswer =
  | { status: "accepted" | "duplicate" | "sampled" }
  | { status: "rejected"; code: TelemetryCode; error: string; eventId: string | null };

export interface Submitted {
  /** One for each event, in the order in which they came. */
  events: EventAnswer[];
  /** Of the player that has the least room left. */
  rate: RateState;
}

/** The events of one player, with their places in the request. */
interface PlayerGroup {
  player: string;
  named: boolean;
  events: TelemetryFacts[];
  eventsAt: number[];
  refused: RefusedEvent[];
  refusedAt: number[];
}

/**
 * Looks at each event and hands those of each player to its sequencer: a device's to its own; a reporter's to one for each `deviceId`.
 * @throws Problem where the whole request is refused. Of a batch for several players, one that is over its rate spoils no other.
 */
export async function submitEvents(sent: SentEvents, env: Pick<Env, "DB" | "SEQUENCER" | "FLOOD_LIMIT">): Promise<Submitted> {
  const reads = sent.records.map(readEvent);
  const tracks = reads.flatMap((read) => (read.ok ? [read.event.track] : []));
  const access = await consultAccess(env.DB, sent.sender, tracks, sent.receivedAt);
  const groups = groupByPlayer(sent, reads, access);
  const answers = await Promise.all(groups.map((group) => submitGroup(group, sent, env)));
  const answered = answers.flatMap((answer) => (answer.kind === "answered" ? [answer.rate] : []));
  const [first] = answers;
  if (first && answered.length === 0) throw wholeRefusal(first);
  const events: EventAnswer[] = [];
  groups.forEach((group, index) => {
    const answer = answers[index];
    if (answer) placeAnswers(events, group, answer);
  });
  const rate = answered.reduce((least, one) => (one.remaining < least.remaining ? one : least));
  return { events, rate };
}

function groupByPlayer(sent: SentEvents, reads: ReadEvent[], access: TrackAccess): PlayerGroup[] {
  const groups = new Map<string, PlayerGroup>();
  reads.forEach((read, index) => {
    const record = sent.records[index];
    const { player, named } = playerOf(sent.sender, record);
    const group = groups.get(player) ?? { player, named, events: [], eventsAt: [], refused: [], refusedAt: [] };
    groups.set(player, group);
    const contentId = read.ok ? (access.get(read.event.track) ?? null) : null;
    if (read.ok && contentId !== null) {
      group.events.push(factsOf(read.event, player, contentId));
      group.eventsAt.push(index);
    } else {
      group.refused.push(refusedEvent(record, read.ok ? denied() : read));
      group.refusedAt.push(index);
    }
  });
  return [...groups.values()];
}

/** Whose sequencer an event goes to, be it right or wrong: refusals are counted there, too. */
function playerOf(sender: Sender, record: unknown): { player: string; named: boolean } {
  if (sender.kind === "device") return { player: sender.deviceId, named: true };
  const given = isObject(record) && typeof record.deviceId === "string" ? record.deviceId : "";
  const deviceId = given.length <= MAX_ID_CHARS ? given : "";
  return { player: playerId(sender.tokenId, deviceId), named: deviceId !== "" };
}

function denied(): { code: TelemetryCode; error: string } {
  return { code: "TRACK_ACCESS_DENIED", error: TELEMETRY_REJECTIONS.TRACK_ACCESS_DENIED.error };
}

function refusedEvent(record: unknown, { code, error }: { code: TelemetryCode; error: string }): RefusedEvent {
  return { code, error, eventId: givenId(record), record: asText(record).slice(0, MAX_REFUSED_RECORD_CHARS) };
}

/** The record as text to look at; empty where it is nested too deep for that. */
function asText(record: unknown): string {
  try {
    return JSON.stringify(record);
  } catch {
    return "";
  }
}

/** The id as the player wrote it, so that it finds its event again. */
function givenId(record: unknown): string | null {
  return isObject(record) && typeof record.eventId === "string" ? record.eventId.slice(0, MAX_ID_CHARS) : null;
}

async function submitGroup(
  { player, named, events, refused }: PlayerGroup,
  { sender, receivedAt, correlationId, maxAgeMs, queueMessages }: SentEvents,
  env: Pick<Env, "SEQUENCER" | "FLOOD_LIMIT">,
): Promise<TelemetryAnswer> {
  const caller: TelemetryRequest["caller"] =
    sender.kind === "device" ? { kind: "device", familyId: sender.familyId } : { kind: "reporter", tokenId: sender.tokenId, named };
  const request: TelemetryRequest = { caller, receivedAt, correlationId, maxAgeMs, queueMessages, events, refused };
  try {
    // A device was asked for before its body was read; which players a reporter speaks for only the body tells.
    if (sender.kind === "reporter" && (await isFlooding(env.FLOOD_LIMIT, player, receivedAt))) {
      return { kind: "rate-limited", rate: { limit: PLAYER_REQUESTS_PER_MINUTE, remaining: 0, resetS: 60 } };
    }
    const sequencer = env.SEQUENCER.getByName(player);
    return (await withTimeout(sequencer.telemetry(request) as Promise<unknown>, ADMIT_TIMEOUT_MS, "telemetry")) as TelemetryAnswer;
  } catch (error) {
    log("warn", "telemetry not taken", { correlation_id: correlationId, error: describeError(error) });
    return { kind: "unavailable", retryAfterS: 5 };
  }
}

/** Puts what became of a player's events where they stood in the request. */
function placeAnswers(events: EventAnswer[], group: PlayerGroup, answer: TelemetryAnswer): void {
  group.refusedAt.forEach((at, index) => {
    const refused = group.refused[index];
    if (refused) events[at] = { status: "rejected", code: refused.code, error: refused.error, eventId: refused.eventId };
  });
  group.eventsAt.forEach((at, index) => {
    const outcome = answer.kind === "answered" ? answer.outcomes[index] : { status: "rejected" as const, code: codeOf(answer) };
    if (!outcome) throw new Error("unreachable: one answer for each event");
    if (outcome.status !== "rejected") events[at] = outcome;
    else events[at] = { status: "rejected", code: outcome.code, error: TELEMETRY_REJECTIONS[outcome.code].error, eventId: null };
  });
}

type Refusal = Exclude<TelemetryAnswer, { kind: "answered" }>;

function codeOf(answer: Refusal): TelemetryCode {
  if (answer.kind === "rate-limited") return "RATE_LIMIT_EXCEEDED";
  return answer.kind === "too-many-players" ? "PLAYER_LIMIT" : "SERVICE_UNAVAILABLE";
}

function wholeRefusal(answer: TelemetryAnswer): Problem {
  switch (answer.kind) {
    case "unknown-device":
      return new Problem("unauthorized", "There is no such device.", { code: "DEVICE_UNKNOWN" });
    case "superseded":
      return new Problem("unauthorized", "The token belongs to a player that is no longer this device's.", { code: "TOKEN_SUPERSEDED" });
    case "revoked":
      return new Problem("device-revoked", "The device was revoked; it writes nothing any more.");
    case "too-many-players":
      return new Problem("forbidden", TELEMETRY_REJECTIONS.PLAYER_LIMIT.error, { code: "PLAYER_LIMIT" });
    case "rate-limited":
      return new Problem("rate-limit-exceeded", TELEMETRY_REJECTIONS.RATE_LIMIT_EXCEEDED.error, {
        headers: { ...rateHeaders(answer.rate), "Retry-After": String(answer.rate.resetS) },
      });
    case "outbox-full":
    case "unavailable":
      return new Problem("service-unavailable", TELEMETRY_REJECTIONS.SERVICE_UNAVAILABLE.error, {
        headers: { "Retry-After": String(answer.retryAfterS) },
      });
    case "answered":
      throw new Error("unreachable: not refused");
  }
}

/** The rate's headers (draft-ietf-httpapi-ratelimit-headers). */
export function rateHeaders(rate: RateState): Record<string, string> {
  return { "RateLimit-Policy": `"device";q=${rate.limit};w=60`, RateLimit: `"device";r=${rate.remaining};t=${rate.resetS}` };
}
