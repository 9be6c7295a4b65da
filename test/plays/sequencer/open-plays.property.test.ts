import { expect, test } from "vitest";
import { HOUR_MS } from "../../../src/platform/time.ts";
import { CHUNK_VERSION, decodeChunk, encodeChunk } from "../../../src/plays/chunk.ts";
import { readProofEvent } from "../../../src/plays/dialects/proof-event.ts";
import { type HourlySum, sumChunks } from "../../../src/plays/ledger/sums.ts";
import { decideRequest } from "../../../src/plays/sequencer/admission.ts";
import { type CheckedRequest, handOver, readAnswers } from "../../../src/plays/sequencer/handover.ts";
import { EMPTY_HEAD, type SequencerHead } from "../../../src/plays/sequencer/head.ts";
import { takeTimedOut } from "../../../src/plays/sequencer/open-plays.ts";
import type { SeenEntry } from "../../../src/plays/sequencer/seen.ts";
import { timedOutPlays } from "../../../src/plays/sequencer/timed-out.ts";
import fc from "../../support/property.ts";

const NOW = Date.parse("2026-02-05T12:00:00Z");
const DEVICE = "5f7b2c8e-1d6a-4e3f-9b0c-2a8d4e6f1b3c";
const CONTENTS = ["11111111-1d6a-4e3f-9b0c-2a8d4e6f1b3c", "22222222-1d6a-4e3f-9b0c-2a8d4e6f1b3c"];

/** A sequencer without storage: what it decides, and what it keeps. */
class Sequencer {
  head: SequencerHead = structuredClone(EMPTY_HEAD);
  readonly seen = new Map<string, SeenEntry>();
  readonly bodies: { bytes: Uint8Array; plays: number }[] = [];

  take(events: Record<string, unknown>[]): string[] {
    const logs = events.map((event): CheckedRequest["logs"][number] => {
      const shaped = readProofEvent(event, DEVICE);
      if (!shaped.ok) throw new Error(shaped.error);
      const recordHash = String(event.event_id).replaceAll("-", "").padEnd(64, "0");
      return {
        log: shaped.log,
        proof: { record: JSON.stringify(event), recordHash, signedBy: "record", signature: new Uint8Array([1]) },
        catalogue: { campaign: "known", content: "known", versionDurationMs: 15_000 },
      };
    });
    const request = { door: "proof-event" as const, receivedAt: NOW, sentAt: NOW, keyId: "k", correlationId: "c", familyId: "f" };
    const { answer, keep } = decideRequest(handOver({ ...request, logs, refused: [], batch: null }), {
      profile: { version: 1, deviceId: DEVICE, status: "active", familyId: "f", policy: { requests_per_minute: 1e6 }, assignments: [] },
      head: this.head,
      historyLostAt: null,
      outboxBytes: 0,
      maxOutboxBytes: 1e9,
      findSeen: (id) => this.seen.get(id) ?? null,
      findPlanned: () => null,
    });
    if (!keep || answer.kind !== "answered") throw new Error(answer.kind);
    // As JSON, which is how the head is stored.
    this.head = JSON.parse(JSON.stringify(keep.head)) as SequencerHead;
    this.#keep(keep);
    return readAnswers(answer.logs).map((given) => given.status);
  }

  timeOut(now: number): void {
    const { timedOut, left } = takeTimedOut(this.head.plays, now, 24 * HOUR_MS);
    this.head = { ...this.head, plays: left };
    this.#keep(timedOutPlays(timedOut, DEVICE, now, "c"));
  }

  #keep({ seen, bodies }: { seen: SeenEntry[]; bodies: { bytes: Uint8Array; plays: number }[] }): void {
    for (const entry of seen) {
      expect(this.seen.has(entry.id)).toBe(false);
      this.seen.set(entry.id, entry);
    }
    this.bodies.push(...bodies);
  }

  sums(): Pick<HourlySum, "starts_count" | "plays_count" | "interrupted_count" | "total_duration_ms"> {
    const plays = this.bodies.reduce((sum, body) => sum + body.plays, 0);
    const header = { v: CHUNK_VERSION, device_id: DEVICE, incarnation: crypto.randomUUID(), number: 1, plays, refusals: [] };
    const { hourly } = sumChunks([
      decodeChunk(
        encodeChunk(
          header,
          this.bodies.map(({ bytes }) => bytes),
        ),
      ),
    ]);
    const total = (of: "starts_count" | "plays_count" | "interrupted_count" | "total_duration_ms") =>
      hourly.reduce((sum, row) => sum + row[of], 0);
    return {
      starts_count: total("starts_count"),
      plays_count: total("plays_count"),
      interrupted_count: total("interrupted_count"),
      total_duration_ms: total("total_duration_ms"),
    };
  }
}

/** Plays one after the other: how long each lasted, and which half of it is ever reported. */
const plays = fc.array(
  fc.record({
    content: fc.constantFrom(...CONTENTS),
    ms: fc.integer({ min: 0, max: 20_000 }),
    lost: fc.constantFrom("no", "no", "no", "start", "end"),
  }),
  { minLength: 1, maxLength: 12 },
);

test("whatever order starts and ends come in, however split and often: each start is counted once, each play once, and each start without an end once", () => {
  fc.assert(
    fc.property(
      plays,
      fc.boolean(),
      fc.array(fc.nat(), { minLength: 40, maxLength: 40 }),
      fc.integer({ min: 1, max: 5 }),
      (given, named, order, each) => {
        let at = NOW - HOUR_MS;
        const events = given.flatMap(({ content, ms, lost }) => {
          const [start_id, end_id] = [crypto.randomUUID(), crypto.randomUUID()];
          const common = { content_id: content };
          const start = { ...common, event_id: start_id, type: "PLAY_START", device_time_ts: new Date(at).toISOString() };
          const end = { ...common, event_id: end_id, type: "PLAY_END", device_time_ts: new Date(at + ms).toISOString(), duration_ms: ms };
          // Far apart: which of two plays of the same content an end without a name belongs to is a guess.
          at += ms + 60_000;
          const told = named ? { ...end, play_id: start_id } : end;
          return lost === "start" ? [told] : lost === "end" ? [start] : [start, told];
        });
        // Without names, a lost half may be taken for another play's: then nothing is lost here.
        fc.pre(named || given.every(({ lost }) => lost === "no"));
        // Without names, order across requests is kept: what comes too early is then told apart by its time alone.
        const shuffled = named
          ? events
              .map((event, index) => ({ event, by: order[index] ?? 0 }))
              .toSorted((a, b) => a.by - b.by)
              .map(({ event }) => event)
          : events;
        const sequencer = new Sequencer();
        for (let first = 0; first < shuffled.length; first += each) {
          const part = shuffled.slice(first, first + each);
          expect(sequencer.take(part)).toEqual(part.map(() => "accepted"));
          expect(sequencer.take(part)).toEqual(part.map(() => "duplicate"));
        }
        sequencer.timeOut(NOW + 40 * HOUR_MS);
        const ended = given.filter(({ lost }) => lost !== "end");
        const endless = given.filter(({ lost }) => lost === "end");
        expect(sequencer.sums()).toEqual({
          starts_count: given.filter(({ lost }) => lost !== "start").length,
          plays_count: given.length,
          interrupted_count: endless.length,
          total_duration_ms: ended.reduce((sum, { ms }) => sum + ms, 0),
        });
        expect(sequencer.head.plays?.starts ?? []).toEqual([]);
      },
    ),
    { numRuns: 500 },
  );
});
