import { describe, expect, test } from "vitest";
import { factsOf, readEvent } from "../../src/telemetry/dialect.ts";
import type { TelemetryEvent } from "../../src/telemetry/event.ts";

const TRACK = "0192f0c1-2a3b-7c4d-8e5f-60718293a4b5";
const ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV";
const EVENT = { eventType: "play_start", trackId: TRACK, clientTimestamp: "2026-11-21T10:00:00.000Z" };

function read(changes: Record<string, unknown> = {}): TelemetryEvent {
  const read = readEvent({ ...EVENT, ...changes });
  if (!read.ok) throw new Error(read.code);
  return read.event;
}

describe("an event", () => {
  test("is read with all its fields", () => {
    const given = {
      eventType: "Play_Progress",
      positionSeconds: 1.5,
      durationPlayedSeconds: 12.3456,
      sessionId: "s",
      deviceId: "d",
      clientVersion: "1.2.3",
      eventId: "e",
    };
    expect(read(given)).toEqual({
      type: "play_progress",
      track: TRACK,
      at: Date.parse(EVENT.clientTimestamp),
      positionMs: 1500,
      playedMs: 12_346,
      sessionId: "s",
      deviceId: "d",
      clientVersion: "1.2.3",
      eventId: "e",
    });
  });

  test("may leave out, or have null for, all but type, track and time", () => {
    const absent = { positionMs: null, playedMs: null, sessionId: null, deviceId: null, clientVersion: null, eventId: null };
    expect(read()).toMatchObject(absent);
    const fields = ["positionSeconds", "durationPlayedSeconds", "sessionId", "deviceId", "clientVersion", "eventId"];
    expect(read(Object.fromEntries(fields.map((field) => [field, null])))).toMatchObject(absent);
  });

  test("names its track by UUID or ULID, in either case", () => {
    expect(read({ trackId: TRACK.toUpperCase() }).track).toBe(TRACK);
    expect(read({ trackId: ULID.toLowerCase() }).track).toBe(ULID);
  });

  test("may have texts of just the length that is allowed", () => {
    expect(read({ sessionId: "s".repeat(64), deviceId: "d".repeat(64), clientVersion: "v".repeat(32) })).toMatchObject({
      sessionId: "s".repeat(64),
    });
  });

  test.each<[string, Record<string, unknown>]>([
    ["INVALID_EVENT_TYPE", { eventType: "play" }],
    ["INVALID_EVENT_TYPE", { eventType: undefined }],
    ["INVALID_EVENT_TYPE", { eventType: 1 }],
    ["INVALID_TRACK_ID", { trackId: "track-1" }],
    ["INVALID_TRACK_ID", { trackId: undefined }],
    // U is no digit of a ULID, and the first one has three bits.
    ["INVALID_TRACK_ID", { trackId: ULID.replace("A", "U") }],
    ["INVALID_TRACK_ID", { trackId: `8${ULID.slice(1)}` }],
    ["INVALID_TIMESTAMP", { clientTimestamp: undefined }],
    ["INVALID_TIMESTAMP", { clientTimestamp: "2026-02-30T10:00:00Z" }],
    ["INVALID_TIMESTAMP", { clientTimestamp: 1_763_719_200_000 }],
    ["INVALID_POSITION", { positionSeconds: -0.001 }],
    ["INVALID_POSITION", { positionSeconds: "1" }],
    ["INVALID_DURATION", { durationPlayedSeconds: -1 }],
    ["INVALID_DURATION", { durationPlayedSeconds: 86_400.001 }],
    ["INVALID_SESSION_ID", { sessionId: "s".repeat(65) }],
    ["INVALID_SESSION_ID", { sessionId: "" }],
    ["INVALID_DEVICE_ID", { deviceId: "d".repeat(65) }],
    ["INVALID_DEVICE_ID", { deviceId: 7 }],
    ["VALIDATION_ERROR", { clientVersion: "v".repeat(33) }],
    ["VALIDATION_ERROR", { eventId: "" }],
  ])("%s: %j", (code, changes) => {
    expect(readEvent({ ...EVENT, ...changes })).toMatchObject({ ok: false, code, error: expect.stringMatching(/[a-z]/) });
  });

  test.each([[null], ["play_start"], [[EVENT]]])("that is no object is refused: %j", (record) => {
    expect(readEvent(record)).toMatchObject({ ok: false, code: "VALIDATION_ERROR" });
  });
});

describe("an event's id", () => {
  const idOf = (changes: Record<string, unknown> = {}, player = "p") => factsOf(read(changes), player, TRACK);

  test("is that of the given one, whatever else the event says, and its hash tells the difference", () => {
    const [one, same, other] = [idOf({ eventId: "e" }), idOf({ eventId: "e" }), idOf({ eventId: "e", positionSeconds: 1 })];
    expect(same).toEqual(one);
    expect(other.id).toBe(one.id);
    expect(other.hash).not.toBe(one.hash);
  });

  test("is derived from the record where none is given", () => {
    expect(idOf().id).toBe(idOf().id);
    expect(idOf({ positionSeconds: 1 }).id).not.toBe(idOf().id);
    expect(idOf().id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  test("is not the id itself, so that it cannot meet a play's", () => {
    expect(idOf({ eventId: TRACK }).id).not.toBe(TRACK);
  });

  test("sessions of two players are two", () => {
    expect(idOf({ sessionId: "s" }, "p").session).toMatch(/^[0-9a-f]{16}$/);
    expect(idOf({ sessionId: "s" }, "p").session).not.toBe(idOf({ sessionId: "s" }, "q").session);
    expect(idOf().session).toBe("");
  });
});
