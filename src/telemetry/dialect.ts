import { isObject } from "../platform/body.ts";
import { sha256Now } from "../platform/hash.ts";
import { parseInstant, SECOND_MS } from "../platform/time.ts";
import { TELEMETRY_REJECTIONS, TELEMETRY_TYPES, type TelemetryCode, type TelemetryEvent, type TelemetryFacts } from "./event.ts";
import { MAX_CLIENT_VERSION_CHARS, MAX_ID_CHARS, MAX_SECONDS } from "./limits.ts";

export type ReadEvent = { ok: true; event: TelemetryEvent } | { ok: false; code: TelemetryCode; error: string };

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
/** 26 digits of Crockford's base 32; the first one has 3 bits (https://github.com/ulid/spec). */
const ULID = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const TYPES: ReadonlyMap<string, TelemetryEvent["type"]> = new Map(TELEMETRY_TYPES.map((type) => [type, type]));

/** Reads an event as players send it. `null` is absent. How old it may be is the sequencer's to judge. Pure. */
export function readEvent(record: unknown): ReadEvent {
  if (!isObject(record)) return { ok: false, code: "VALIDATION_ERROR", error: "The event is not a JSON object." };
  const type = typeof record.eventType === "string" ? TYPES.get(record.eventType.toLowerCase()) : undefined;
  if (!type) return invalid("INVALID_EVENT_TYPE");
  const track = readTrack(record.trackId);
  if (track === null) return invalid("INVALID_TRACK_ID");
  const at = typeof record.clientTimestamp === "string" ? parseInstant(record.clientTimestamp) : null;
  if (at === null) return invalid("INVALID_TIMESTAMP");
  const positionMs = readSeconds(record.positionSeconds);
  if (positionMs === undefined) return invalid("INVALID_POSITION");
  const playedMs = readSeconds(record.durationPlayedSeconds);
  if (playedMs === undefined) return invalid("INVALID_DURATION");
  const sessionId = readText(record.sessionId, MAX_ID_CHARS);
  if (sessionId === undefined) return invalid("INVALID_SESSION_ID");
  const deviceId = readText(record.deviceId, MAX_ID_CHARS);
  if (deviceId === undefined) return invalid("INVALID_DEVICE_ID");
  const clientVersion = readText(record.clientVersion, MAX_CLIENT_VERSION_CHARS);
  if (clientVersion === undefined) return malformed(`clientVersion must have 1 to ${MAX_CLIENT_VERSION_CHARS} characters.`);
  const eventId = readText(record.eventId, MAX_ID_CHARS);
  if (eventId === undefined) return malformed(`eventId must have 1 to ${MAX_ID_CHARS} characters.`);
  return { ok: true, event: { type, track, at, positionMs, playedMs, sessionId, deviceId, clientVersion, eventId } };
}

function invalid(code: TelemetryCode): ReadEvent {
  const { field, error } = TELEMETRY_REJECTIONS[code];
  return { ok: false, code, error: field === null ? error : `${field} ${error}.` };
}

function malformed(error: string): ReadEvent {
  return { ok: false, code: "VALIDATION_ERROR", error };
}

function readTrack(value: unknown): string | null {
  if (typeof value !== "string") return null;
  const [uuid, ulid] = [value.toLowerCase(), value.toUpperCase()];
  if (UUID.test(uuid)) return uuid;
  return ULID.test(ulid) ? ulid : null;
}

/** Whether a track is named by its external id. */
export function isExternalId(track: string): boolean {
  return ULID.test(track);
}

/** Seconds as ms; null where absent; undefined where they are none. */
function readSeconds(value: unknown): number | null | undefined {
  if (value === undefined || value === null) return null;
  return typeof value === "number" && value >= 0 && value <= MAX_SECONDS ? Math.round(value * SECOND_MS) : undefined;
}

/** A text of 1 to `most` characters; null where absent; undefined where it is none. */
function readText(value: unknown, most: number): string | null | undefined {
  if (value === undefined || value === null) return null;
  return typeof value === "string" && value.length > 0 && value.length <= most ? value : undefined;
}

/**
 * What the sequencer of a player needs of an event. `player` names the sequencer, `contentId` is what the track is known by.
 * An absent id is derived from the record, so that a retry still meets itself; no id can meet one of a play.
 */
export function factsOf(event: TelemetryEvent, player: string, contentId: string): TelemetryFacts {
  const { type, track, at, positionMs, playedMs, sessionId, deviceId, clientVersion, eventId } = event;
  const record = JSON.stringify([type, track, at, positionMs, playedMs, sessionId, deviceId, clientVersion]);
  const hash = sha256Now(record);
  return {
    id: uuidOf(JSON.stringify(eventId === null ? ["telemetry", "derived", record] : ["telemetry", "given", eventId])),
    hash: hash.slice(0, 16),
    type,
    contentId,
    at,
    positionMs,
    playedMs,
    session: sessionId === null ? "" : shortHash([player, sessionId]),
    run: sessionId === null ? "" : shortHash([player, sessionId, track]),
  };
}

function shortHash(parts: string[]): string {
  return sha256Now(JSON.stringify(parts)).slice(0, 16);
}

/** A UUID of version 8 (RFC 9562) out of the SHA-256 of a text. */
export function uuidOf(text: string): string {
  const bytes = Uint8Array.fromHex(sha256Now(text)).subarray(0, 16);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  return bytes.toHex().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
