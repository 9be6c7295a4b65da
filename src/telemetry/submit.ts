import type { ReporterScope } from "../auth/principal.ts";
import { isObject } from "../platform/body.ts";
import { Problem } from "../platform/errors.ts";
import { describeError } from "../platform/http.ts";
import { log } from "../platform/log.ts";
import { withTimeout } from "../platform/retry.ts";
import { inSpan } from "../platform/spans.ts";
import { isFlooding } from "../plays/intake/flood.ts";
import { ADMIT_TIMEOUT_MS, MAX_REFUSED_RECORD_CHARS } from "../plays/limits.ts";
import type { RateState } from "../plays/sequencer/rate.ts";
import { consultAccess, type TrackAccess } from "./access.ts";
import type { GivenEvent, RefusedEvent, TelemetryAnswer, TelemetryRequest } from "./admit.ts";
import { factsOf, type ReadEvent, readEvent } from "./dialect.ts";
import { TELEMETRY_REJECTIONS, type TelemetryCode, type TelemetryFacts } from "./event.ts";
import { MAX_ID_CHARS, PLAYER_REQUESTS_PER_MINUTE } from "./limits.ts";
import { playerId } from "./players.ts";
import { isStranger, noteFull, noteKnown } from "./strangers.ts";

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

/** The records of one player, with their places in the request. */
interface PlayerGroup {
  player: string;
  named: boolean;
  records: { record: unknown; read: ReadEvent; at: number }[];
}

/** Those of a player's records that its sequencer judges, and those that it only counts. */
interface Looked {
  events: TelemetryFacts[];
  given: GivenEvent[];
  eventsAt: number[];
  refused: RefusedEvent[];
  refusedAt: number[];
}

/**
 * Looks at each event and hands those of each player to its sequencer: a device's to its own; a reporter's to one for each `deviceId`.
 * @throws Problem where the whole request is refused. Of a batch for several players, one that is over its rate spoils no other.
 */
export async function submitEvents(sent: SentEvents, env: Pick<Env, "DB" | "SEQUENCER" | "FLOOD_LIMIT">): Promise<Submitted> {
  const { turns, access } = await inSpan("telemetry.validate", () => examine(sent, env));
  const outcomes = await Promise.all(
    turns.map(async ({ group, refusal }) => {
      const looked = lookAt(group, refusal ? null : access);
      return { looked, answer: refusal ?? (await submitGroup(group, looked, sent, env)) };
    }),
  );
  const answered = outcomes.flatMap(({ answer }) => (answer.kind === "answered" ? [answer.rate] : []));
  const [first] = outcomes;
  if (first && answered.length === 0) throw wholeRefusal(first.answer);
  const events: EventAnswer[] = [];
  for (const { looked, answer } of outcomes) placeAnswers(events, looked, answer);
  const rate = answered.reduce((least, one) => (one.remaining < least.remaining ? one : least));
  return { events, rate };
}

/** A player's records, and why none of them is taken; null: they are looked at. */
interface Turn {
  group: PlayerGroup;
  refusal: TelemetryAnswer | null;
}

/** Shape of each event, floods, and which tracks the sender may report on. */
async function examine(sent: SentEvents, env: Pick<Env, "DB" | "FLOOD_LIMIT">): Promise<{ turns: Turn[]; access: TrackAccess }> {
  const turns = await Promise.all(groupByPlayer(sent).map(async (group) => ({ group, refusal: await turnAway(group, sent, env) })));
  const tracks = turns.flatMap(({ group, refusal }) =>
    refusal ? [] : group.records.flatMap(({ read }) => (read.ok ? [read.event.track] : [])),
  );
  return { turns, access: await consultAccess(env.DB, sent.sender, tracks, sent.receivedAt) };
}

function groupByPlayer({ sender, records }: SentEvents): PlayerGroup[] {
  const groups = new Map<string, PlayerGroup>();
  records.forEach((record, at) => {
    const { player, named } = playerOf(sender, record);
    const group = groups.get(player) ?? { player, named, records: [] };
    groups.set(player, group);
    group.records.push({ record, read: readEvent(record), at });
  });
  return [...groups.values()];
}

/**
 * Refuses players that send far too much, before D1 is asked or an object woken: null where it does not. Of a device that was done before its
 * body was read; which players a reporter speaks for only the body tells. Names that are one too many share a rate, since there is no end of them.
 */
async function turnAway(
  { player, named }: PlayerGroup,
  { sender, receivedAt }: SentEvents,
  { FLOOD_LIMIT }: Pick<Env, "FLOOD_LIMIT">,
): Promise<TelemetryAnswer | null> {
  if (sender.kind === "device") return null;
  const key = named && isStranger(sender.tokenId, player, receivedAt) ? `strangers of ${sender.tokenId}` : player;
  if (!(await isFlooding(FLOOD_LIMIT, key, receivedAt))) return null;
  return { kind: "rate-limited", rate: { limit: PLAYER_REQUESTS_PER_MINUTE, remaining: 0, resetS: 60 } };
}

/** Sorts a player's records by what is already known of them. `access`: null where nobody was asked, since nothing of them is taken. */
function lookAt({ player, records }: PlayerGroup, access: TrackAccess | null): Looked {
  const looked: Looked = { events: [], given: [], eventsAt: [], refused: [], refusedAt: [] };
  for (const { record, read, at } of records) {
    const contentId = read.ok ? (access ? (access.get(read.event.track) ?? null) : read.event.track) : null;
    if (read.ok && contentId !== null) {
      looked.events.push(factsOf(read.event, player, contentId));
      looked.given.push(givenEvent(record));
      looked.eventsAt.push(at);
    } else {
      looked.refused.push(refusedEvent(record, read.ok ? denied() : read));
      looked.refusedAt.push(at);
    }
  }
  return looked;
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
  return { code, error, ...givenEvent(record) };
}

function givenEvent(record: unknown): GivenEvent {
  return { eventId: givenId(record), record: asText(record).slice(0, MAX_REFUSED_RECORD_CHARS) };
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
  { player, named }: PlayerGroup,
  { events, given, refused }: Looked,
  { sender, receivedAt, correlationId, maxAgeMs, queueMessages }: SentEvents,
  env: Pick<Env, "SEQUENCER">,
): Promise<TelemetryAnswer> {
  const caller: TelemetryRequest["caller"] =
    sender.kind === "device" ? { kind: "device", familyId: sender.familyId } : { kind: "reporter", tokenId: sender.tokenId, named };
  const request: TelemetryRequest = { caller, receivedAt, correlationId, maxAgeMs, queueMessages, events, given, refused };
  let answer: TelemetryAnswer;
  try {
    const sequencer = env.SEQUENCER.getByName(player);
    answer = (await withTimeout(sequencer.telemetry(request) as Promise<unknown>, ADMIT_TIMEOUT_MS, "telemetry")) as TelemetryAnswer;
  } catch (error) {
    log("warn", "telemetry not taken", { correlation_id: correlationId, error: describeError(error) });
    return { kind: "unavailable", retryAfterS: 5 };
  }
  if (sender.kind === "reporter") {
    if (answer.kind === "answered") noteKnown(player);
    else if (answer.kind === "too-many-players") noteFull(sender.tokenId, receivedAt);
  }
  return answer;
}

/** Puts what became of a player's events where they stood in the request. */
function placeAnswers(events: EventAnswer[], looked: Looked, answer: TelemetryAnswer): void {
  looked.refusedAt.forEach((at, index) => {
    const refused = looked.refused[index];
    if (refused) events[at] = { status: "rejected", code: refused.code, error: refused.error, eventId: refused.eventId };
  });
  looked.eventsAt.forEach((at, index) => {
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
