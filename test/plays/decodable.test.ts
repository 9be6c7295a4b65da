import { expect, test } from "vitest";
import { CHUNK_VERSION, decodeChunk, encodeChunk } from "../../src/plays/chunk.ts";
import { readPlaybackLog } from "../../src/plays/dialects/playback-log.ts";
import { decideRequest } from "../../src/plays/sequencer/admission.ts";
import { type CheckedRequest, handOver } from "../../src/plays/sequencer/handover.ts";
import { EMPTY_HEAD } from "../../src/plays/sequencer/head.ts";
import fc from "../support/property.ts";

// Whatever a sequencer accepts, the consumer must be able to read: one record that it cannot would take its whole chunk along.

const NOW = 1_770_285_620_000;
const device_id = "aa705f37-c8cc-4726-a32f-315d7df12ae3";
const odd = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(0, -1, 1e15, 1e18, Number.MAX_SAFE_INTEGER, -Number.MAX_VALUE, 1e300, Number.MIN_VALUE),
);
const time = fc.oneof(
  fc.integer({ min: NOW - 30 * 3_600_000, max: NOW + 600_000 }).map((ms) => new Date(ms).toISOString()),
  fc.constantFrom("0000-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "1970-01-01T00:00:00Z", new Date(NOW - 1000).toISOString()),
);
const record = fc.record(
  {
    log_id: fc.uuid(),
    device_id: fc.constant(device_id),
    campaign_id: fc.uuid(),
    content_id: fc.uuid(),
    slot_id: fc.string({ unit: "binary", maxLength: 40 }),
    started_at: time,
    ended_at: time,
    duration_actual: fc.oneof(fc.integer({ min: 0, max: 20 }), odd),
    duration_expected: odd,
    status: fc.constantFrom("COMPLETED", "PARTIAL", "error"),
    sequence: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constant(Number.MAX_SAFE_INTEGER)),
    epoch: fc.uuid(),
    location: fc.record({ lat: odd, lng: odd }),
    note: fc.string({ unit: "binary" }),
  },
  { requiredKeys: ["log_id", "device_id", "content_id", "started_at", "ended_at", "duration_actual", "status"] },
);

test("whatever is accepted decodes again, as it was accepted", () => {
  let accepted = 0;
  fc.assert(
    fc.property(fc.array(record, { minLength: 1, maxLength: 5 }), fc.boolean(), (records, known) => {
      const logs: CheckedRequest["logs"] = records.flatMap((given, index) => {
        const shaped = readPlaybackLog(given);
        if (!shaped.ok) return [];
        const catalogue = { campaign: "known" as const, content: "known" as const, versionDurationMs: known ? 15_000 : null };
        const proof = {
          record: JSON.stringify(given),
          recordHash: index.toString(16).padStart(64, "0"),
          signedBy: "record" as const,
          signature: new Uint8Array([1, 2]),
        };
        return [{ log: shaped.log, proof, catalogue }];
      });
      const { keep } = decideRequest(
        handOver({
          door: "playback-log",
          receivedAt: NOW,
          sentAt: NOW,
          keyId: "k",
          correlationId: "c",
          familyId: "f",
          logs,
          refused: [],
          batch: null,
        }),
        {
          profile: { version: 1, deviceId: device_id, status: "active", familyId: "f", policy: {}, assignments: [] },
          head: EMPTY_HEAD,
          historyLostAt: null,
          outboxBytes: 0,
          maxOutboxBytes: 1e9,
          findSeen: () => null,
          findPlanned: () => null,
        },
      );
      const plays = keep?.bodies.reduce((sum, body) => sum + body.plays, 0) ?? 0;
      const header = { v: CHUNK_VERSION, device_id, incarnation: crypto.randomUUID(), number: 1, plays, refusals: [] };
      const chunk = decodeChunk(encodeChunk(header, keep?.bodies.map((body) => body.bytes) ?? []));
      expect(chunk.plays.event_id).toEqual(keep?.seen.map(({ id }) => id) ?? []);
      for (const day of chunk.plays.day) expect(day).toMatch(/^2026-02-0\d$/);
      accepted += plays;
    }),
    { numRuns: 2000 },
  );
  expect(accepted).toBeGreaterThan(100);
});
