import canonicalize from "canonicalize";
import { describe, expect, test } from "vitest";
import { canonicalJson } from "../../../src/plays/canonical.ts";
import { readFast } from "../../../src/plays/dialects/fast-shape.ts";
import { readBySchema, readPlaybackLog } from "../../../src/plays/dialects/playback-log.ts";
import fc from "../../support/property.ts";
import text from "../../vectors/signed-play-logs.json?raw";

// What is written by hand for speed may only ever say what the schema and the library say.

const uuid = fc.oneof(
  fc.uuid(),
  fc.uuid().map((id) => id.toUpperCase()),
  fc.constantFrom("", "42", "00000000-0000-0000-0000-000000000000", 7, null),
);
const anything = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.double(),
  fc.integer(),
  fc.boolean(),
  fc.constant(null),
  fc.constant([]),
  fc.constant({}),
);
const instant = fc.oneof(
  fc.constantFrom(
    "2026-02-05T10:00:00Z",
    "2026-02-05T10:00:15.123456+07:00",
    "2026-02-30T10:00:00Z",
    "2026-02-05",
    "2016-12-31T23:59:60Z",
    5,
  ),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
);
const record = fc.record(
  {
    log_id: uuid,
    device_id: uuid,
    campaign_id: uuid,
    ad_group_id: uuid,
    content_id: uuid,
    content_version: fc.oneof(fc.constant("a".repeat(64)), anything),
    playlist_id: uuid,
    slot_id: fc.oneof(fc.string({ maxLength: 140 }), anything),
    started_at: instant,
    ended_at: instant,
    duration_actual: fc.oneof(fc.double(), fc.integer(), anything),
    duration_seconds: fc.oneof(fc.double(), anything),
    duration_expected: fc.oneof(fc.double(), anything),
    status: fc.oneof(fc.constantFrom("COMPLETED", "PARTIAL", "skipped", "PLAYED", "Error"), anything),
    sequence: fc.oneof(fc.integer(), fc.double(), anything),
    epoch: uuid,
    location: fc.oneof(fc.record({ lat: fc.double(), lng: fc.double() }), anything),
    metadata: fc.oneof(fc.object(), anything),
    checksum: anything,
    signature: anything,
    other: anything,
  },
  { requiredKeys: ["device_id", "content_id", "started_at", "ended_at", "status"] },
);
const plain = fc.record({
  log_id: fc.uuid(),
  device_id: fc.uuid(),
  content_id: fc.uuid(),
  started_at: fc.constant("2026-02-05T10:00:00Z"),
  ended_at: fc.constant("2026-02-05T10:00:15Z"),
  duration_actual: fc.double({ noNaN: true, noDefaultInfinity: true }),
  status: fc.constantFrom("COMPLETED", "ERROR"),
});

describe("the shape read by hand", () => {
  test("says yes only where the schema does, with the same log", () => {
    let yes = 0;
    fc.assert(
      fc.property(
        fc.oneof(
          record,
          plain,
          fc.tuple(plain, record).map(([a, b]) => ({ ...b, ...a })),
          fc.anything(),
        ),
        (given) => {
          const fast = readFast(given);
          if (!fast) return;
          yes += 1;
          expect({ ok: true, ...fast }).toEqual(readBySchema(given));
        },
      ),
      { numRuns: 5000 },
    );
    expect(yes).toBeGreaterThan(500);
  });

  test("knows an ordinary record, signed or not, so that the schema is not asked", () => {
    for (const { record: given } of (JSON.parse(text) as { cases: { record: Record<string, unknown> }[] }).cases.slice(0, 4)) {
      expect(readFast(given)).not.toBeNull();
      expect(readPlaybackLog(given)).toEqual(readBySchema(given));
    }
  });
});

describe("canonical JSON written by hand", () => {
  test("is the library's, key by key, and refuses what the library refuses", () => {
    const value = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.string(),
      fc.double(),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.anything(),
    );
    const key = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom("a", "B", "€", "😀", "\r", "\u0080", "ö", "דּ", "1", "__proto__", "toJSON"),
    );
    fc.assert(
      fc.property(fc.dictionary(key, value), (given) => {
        // Only what JSON can carry arrives.
        let parsed: Record<string, unknown>;
        try {
          parsed = JSON.parse(JSON.stringify(given)) as Record<string, unknown>;
        } catch {
          return;
        }
        const outcome = (make: () => string | undefined) => {
          try {
            return make();
          } catch {
            return "refused";
          }
        };
        expect(outcome(() => canonicalJson(parsed))).toBe(outcome(() => canonicalize(parsed)));
      }),
      { numRuns: 5000 },
    );
  });

  test("refuses a lone surrogate and a number beyond JSON's", () => {
    expect(() => canonicalJson({ a: "\ud800" })).toThrow("surrogate");
    expect(() => canonicalJson({ "\udc00": 1 })).toThrow("surrogate");
    expect(() => canonicalJson(JSON.parse('{"a":1e999}'))).toThrow("number");
  });
});
