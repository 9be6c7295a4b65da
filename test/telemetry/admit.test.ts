import { describe, expect, test } from "vitest";
import type { DeviceProfile } from "../../src/devices/profile.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../../src/platform/time.ts";
import { decodeChunk, encodeChunk } from "../../src/plays/chunk.ts";
import { EMPTY_HEAD } from "../../src/plays/sequencer/head.ts";
import type { SeenEntry } from "../../src/plays/sequencer/seen.ts";
import { decideTelemetry, type TelemetryRequest, type TelemetryState } from "../../src/telemetry/admit.ts";
import { uuidOf } from "../../src/telemetry/dialect.ts";
import type { TelemetryFacts } from "../../src/telemetry/event.ts";
import { growthOf, readSessions, type Sessions, writeSessions } from "../../src/telemetry/sessions.ts";
import { isThinned, thinningShare } from "../../src/telemetry/thinning.ts";

const NOW = Date.parse("2026-11-21T10:00:00Z");
const PROFILE: DeviceProfile = { version: 1, deviceId: "d", status: "active", familyId: "f", assignments: [], policy: {} };

function event(n: number, changes: Partial<TelemetryFacts> = {}): TelemetryFacts {
  return {
    id: uuidOf(`event ${n}`),
    hash: "00".repeat(8),
    type: "play_progress",
    contentId: "c",
    at: NOW,
    positionMs: null,
    playedMs: null,
    session: "",
    run: "",
    ...changes,
  };
}

const request = (events: TelemetryFacts[], changes: Partial<TelemetryRequest> = {}): TelemetryRequest => ({
  caller: { kind: "device", familyId: "f" },
  receivedAt: NOW,
  correlationId: "corr",
  maxAgeMs: DAY_MS,
  queueMessages: null,
  events,
  given: events.map(({ id }) => ({ eventId: id, record: "{}" })),
  refused: [],
  ...changes,
});

const state = (changes: Partial<TelemetryState> = {}): TelemetryState => ({
  profile: PROFILE,
  head: structuredClone(EMPTY_HEAD),
  sessions: new Map(),
  outboxBytes: 0,
  maxOutboxBytes: 1000,
  unconfirmedChunks: 0,
  findSeen: () => null,
  ...changes,
});

function outcomes(asked: TelemetryRequest, known: TelemetryState = state()): string[] {
  const { answer } = decideTelemetry(asked, known);
  if (answer.kind !== "answered") throw new Error(answer.kind);
  return answer.outcomes.map((outcome) => ("code" in outcome ? outcome.code : outcome.status));
}

describe("a request of telemetry", () => {
  test.each<[string, string, Partial<TelemetryState>]>([
    ["of no device", "unknown-device", { profile: null }],
    ["of a revoked device", "revoked", { profile: { ...PROFILE, status: "revoked" } }],
    ["of a player that was replaced", "superseded", { profile: { ...PROFILE, familyId: "other" } }],
    ["while the outbox is full", "outbox-full", { outboxBytes: 1000 }],
    ["over the rate", "rate-limited", { head: { ...EMPTY_HEAD, rate: [[NOW - 1000, 120]] } }],
  ])("%s is %s, and nothing is kept", (_, kind, changes) => {
    const { answer, keep } = decideTelemetry(request([event(1)]), state(changes));
    expect(answer.kind).toBe(kind);
    expect(keep).toBeNull();
  });

  test("is told to wait while the outbox is half full: the rest is for plays", () => {
    const at = (outboxBytes: number) => decideTelemetry(request([event(1)]), state({ outboxBytes })).answer.kind;
    expect([at(499), at(500)]).toEqual(["answered", "outbox-full"]);
  });

  test("remembers 256 sessions of a player, and 4,096 of those that have no name", () => {
    const events = Array.from({ length: 4097 }, (_, n) => event(n, { playedMs: 1000, session: `s${n}`, run: `r${n}` }));
    const kept = (caller: TelemetryRequest["caller"]) => decideTelemetry(request(events, { caller }), state()).keep?.sessions?.size;
    expect(kept({ kind: "device", familyId: "f" })).toBe(256);
    expect(kept({ kind: "reporter", tokenId: "t", named: true })).toBe(256);
    expect(kept({ kind: "reporter", tokenId: "t", named: false })).toBe(4096);
  });

  test("of a reporter needs no profile; what names no device has half the rate", () => {
    const head = { ...EMPTY_HEAD, rate: [[NOW - 1000, 60]] as [number, number][] };
    const by = (named: boolean) => request([event(1)], { caller: { kind: "reporter", tokenId: "t", named } });
    expect(decideTelemetry(by(true), state({ profile: null, head })).answer.kind).toBe("answered");
    expect(decideTelemetry(by(false), state({ profile: null, head })).answer.kind).toBe("rate-limited");
  });

  test("is one request to the rate, however many events it brings, and none to the count of plays", () => {
    const { keep } = decideTelemetry(request([event(1), event(2)]), state());
    expect(keep?.head.rate).toEqual([[NOW, 1]]);
    expect(keep?.head.accepted).toBe(0);
    expect(keep?.bodies.map(({ plays }) => plays)).toEqual([0]);
  });

  test("keeps the accepted events alone, as a chunk carries them", () => {
    const seen: SeenEntry = { id: event(1).id, hash: event(1).hash, told: { billable: false, quality: 0, flags: [] } };
    const events = [event(1), event(2, { type: "play_complete", playedMs: 7000, session: "s", run: "r" }), event(3, { at: 0 })];
    const { keep } = decideTelemetry(request(events), state({ findSeen: (id) => (id === seen.id ? seen : null) }));
    const header = { v: 2, device_id: crypto.randomUUID(), incarnation: crypto.randomUUID(), number: 1, plays: 0, refusals: [] };
    const chunk = decodeChunk(
      encodeChunk(
        header,
        (keep?.bodies ?? []).map(({ bytes }) => bytes),
      ),
    );
    expect(chunk.plays.event_id).toEqual([]);
    expect(chunk.telemetry).toEqual([
      {
        type: "play_complete",
        content_id: "c",
        at: NOW,
        position_ms: null,
        played_ms: 7000,
        session: "s",
        received_at: NOW,
        correlation_id: "corr",
        named: true,
      },
    ]);
    expect(keep?.seen.map(({ id }) => id)).toEqual([event(2).id]);
    expect(keep?.sessions).toEqual(new Map([["r", 7000]]));
  });
});

describe("an event", () => {
  test("is judged by its time, and exactly on a limit is inside", () => {
    const at = (ms: number) => event(1, { at: NOW + ms });
    expect(outcomes(request([at(-DAY_MS)]))).toEqual(["accepted"]);
    expect(outcomes(request([at(-DAY_MS - 1)]))).toEqual(["INVALID_TIMESTAMP"]);
    expect(outcomes(request([at(-DAY_MS - 1)], { maxAgeMs: 7 * DAY_MS }))).toEqual(["accepted"]);
    expect(outcomes(request([at(5 * MINUTE_MS)]))).toEqual(["accepted"]);
    expect(outcomes(request([at(5 * MINUTE_MS + 1)]))).toEqual(["INVALID_TIMESTAMP"]);
  });

  test("that comes again is a duplicate, within a request and after, however old it has become; another under its id is a conflict", () => {
    expect(outcomes(request([event(1), event(1), event(1, { hash: "11".repeat(8) })]))).toEqual(["accepted", "duplicate", "ID_CONFLICT"]);
    const seen: SeenEntry = { id: event(1).id, hash: event(1).hash, told: { billable: false, quality: 0, flags: [] } };
    expect(outcomes(request([event(1, { at: NOW - 30 * DAY_MS })]), state({ findSeen: () => seen }))).toEqual(["duplicate"]);
  });

  test("that is refused, here or before, is counted by reason", () => {
    const refused = [{ code: "INVALID_TRACK_ID" as const, error: "e", eventId: null, record: "{}" }];
    const { keep } = decideTelemetry(request([event(1, { at: 0 })], { refused }), state());
    const hour = Math.floor(NOW / HOUR_MS) * HOUR_MS;
    expect(keep?.head.refusals).toEqual({ [`${hour}|telemetry|INVALID_TRACK_ID`]: 1, [`${hour}|telemetry|INVALID_TIMESTAMP`]: 1 });
    expect(keep?.refused.map(({ door, code }) => [door, code])).toEqual([
      ["telemetry", "INVALID_TRACK_ID"],
      ["telemetry", "INVALID_TIMESTAMP"],
    ]);
  });
});

describe("a session's time played", () => {
  const grow = (sessions: Sessions, playedMs: number | null, changes: Partial<TelemetryFacts> = {}) =>
    growthOf(event(1, { playedMs, run: "r", ...changes }), sessions);

  test("grows by what is new alone, in whatever order it is told", () => {
    const sessions: Sessions = new Map();
    expect([10, 30, 20, 30, 31, null].map((playedMs) => grow(sessions, playedMs))).toEqual([10, 20, 0, 0, 1, 0]);
    expect(grow(sessions, 5, { run: "other" })).toBe(5);
  });

  test("without a session is that of the event that ends the showing", () => {
    const types = ["play_start", "play_progress", "seek", "play_stop", "play_complete"] as const;
    const sessions: Sessions = new Map();
    expect(types.map((type) => grow(sessions, 9, { run: "", type }))).toEqual([0, 0, 0, 9, 9]);
    expect(sessions.size).toBe(0);
  });

  test("is kept for the 256 sessions heard of last", () => {
    const sessions: Sessions = new Map();
    for (let n = 0; n < 256; n++) grow(sessions, 10, { run: `r${n}` });
    grow(sessions, 11, { run: "r0" });
    grow(sessions, 10, { run: "new" });
    expect(sessions.size).toBe(256);
    expect([grow(new Map(sessions), 12, { run: "r0" }), grow(new Map(sessions), 12, { run: "r1" })]).toEqual([1, 12]);
  });

  test("is read as it was written", () => {
    const sessions: Sessions = new Map([
      ["a", 1],
      ["b", 2],
    ]);
    expect([...readSessions(writeSessions(sessions))]).toEqual([...sessions]);
    expect(readSessions(null).size).toBe(0);
  });
});

describe("thinning", () => {
  test.each([
    [0, null, 0],
    [7, null, 0],
    [8, null, 0.1],
    [28, null, 0.3],
    [48, null, 0.5],
    [64, null, 0.5],
    [0, 4_999, 0],
    [0, 5_000, 0.1],
    [0, 50_000, 0.5],
    [0, 9_000_000, 0.5],
    [28, 5_000, 0.3],
  ])("with %i chunks unconfirmed and %j messages waiting leaves out %d", (unconfirmedChunks, queueMessages, share) => {
    expect(thinningShare({ unconfirmedChunks, queueMessages })).toBeCloseTo(share, 10);
  });

  test("leaves out that share of the events, always the same ones", () => {
    const ids = Array.from({ length: 10_000 }, (_, n) => uuidOf(String(n)));
    expect(ids.filter((id) => isThinned(id, 0))).toEqual([]);
    for (const share of [0.1, 0.3, 0.5]) {
      expect(Math.abs(ids.filter((id) => isThinned(id, share)).length / ids.length - share)).toBeLessThan(0.02);
    }
    expect(ids.filter((id) => isThinned(id, 0.1)).every((id) => isThinned(id, 0.3))).toBe(true);
  });

  test("touches play_progress alone, is counted, and is forgotten: the same event is taken when the backlog is gone", () => {
    const events = Array.from({ length: 50 }, (_, n) => event(n, { type: n % 2 === 0 ? "play_progress" : "seek" }));
    const busy = state({ unconfirmedChunks: 48 });
    const told = outcomes(request(events), busy);
    const sampled = told.filter((outcome) => outcome === "sampled").length;
    expect(sampled).toBe(events.filter(({ id, type }) => type === "play_progress" && isThinned(id, 0.5)).length);
    expect(sampled).toBeGreaterThan(5);
    expect(told.filter((_, n) => n % 2 === 1)).toEqual(new Array(25).fill("accepted"));
    const { keep } = decideTelemetry(request(events), busy);
    expect(keep?.seen.length).toBe(50 - sampled);
    expect(Object.entries(keep?.head.refusals ?? {})).toEqual([[expect.stringMatching(/\|telemetry\|SAMPLED$/), sampled]]);
    expect(outcomes(request(events))).toEqual(new Array(50).fill("accepted"));
  });
});
