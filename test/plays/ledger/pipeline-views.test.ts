import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { HOUR_MS } from "../../../src/platform/time.ts";
import { compact } from "../../../src/plays/archive/compact.ts";
import { readArchiveState } from "../../../src/plays/archive/state.ts";
import { readRefusals } from "../../../src/plays/intake/refusals.ts";
import { admin } from "../../support/admin.ts";
import { attached, clearArchive, recordSegment } from "../../support/archive.ts";
import { makeDevice } from "../../support/device.ts";

const NOW = Date.parse("2026-11-21T10:20:00Z");
const HOUR = Date.parse("2026-11-21T10:00:00Z");

beforeEach(async () => {
  await clearArchive();
  await env.DB.prepare("DELETE FROM refusals_hourly").run();
});

test("refusals are told by code with what it means, its doors and the devices that sent the most, and by hour", async () => {
  const [a, b] = [await makeDevice(), await makeDevice()];
  const insert = (hour: number, device: string, door: string, code: string, count: number) =>
    env.DB.prepare("INSERT INTO refusals_hourly (hour, device_id, door, code, count) VALUES (?, ?, ?, ?, ?)").bind(
      hour,
      device,
      door,
      code,
      count,
    );
  await env.DB.batch([
    insert(HOUR, a.id, "playback-log", "TOO_OLD", 3),
    insert(HOUR - HOUR_MS, a.id, "stream", "TOO_OLD", 1),
    insert(HOUR - HOUR_MS, b.id, "stream", "TOO_OLD", 7),
    insert(HOUR, b.id, "stream", "INVALID_SIGNATURE", 2),
    insert(HOUR - 24 * HOUR_MS, b.id, "stream", "CLOCK_SKEW", 9),
  ]);
  const found = await readRefusals(env.DB, 24, NOW);
  expect(found.items).toEqual([
    {
      code: "TOO_OLD",
      error: "The play is older than this door lets in.",
      retryable: false,
      count: 11,
      doors: ["playback-log", "stream"],
      devices: 2,
      most: [
        { device_id: b.id, device_name: "Screen", count: 7 },
        { device_id: a.id, device_name: "Screen", count: 4 },
      ],
    },
    expect.objectContaining({ code: "INVALID_SIGNATURE", count: 2, devices: 1 }),
  ]);
  expect([found.hours.length, found.hours.at(-2), found.hours.at(-1)]).toEqual([
    24,
    { at: "2026-11-21T09:00:00.000Z", count: 8 },
    { at: "2026-11-21T10:00:00.000Z", count: 5 },
  ]);
  expect((await admin("GET", "/v1/admin/pipeline/refusals?hours=500")).status).toBe(400);
});

test("the archive's state: what waits, what is compacted, and which days were compared", async () => {
  const device = await makeDevice();
  await recordSegment(device, await attached(device), 3);
  expect(await readArchiveState(env.DB)).toMatchObject({
    parts: 0,
    plays: 0,
    segments_open: 1,
    plays_open: 3,
    first_day: null,
    checks: [],
  });
  await compact(env, Date.now() + 2 * HOUR_MS);
  await env.DB.prepare(
    `INSERT INTO archive_checks (day, touched_at, checked_at, matches, findings_json)
     VALUES ('2026-11-19', 1, ?1, 0, '{"day":"2026-11-19"}'), ('2026-11-20', 1, ?1, 1, '{}')`,
  )
    .bind(NOW)
    .run();
  const { body } = await admin("GET", "/v1/admin/pipeline/archive");
  expect(body).toMatchObject({ parts: 1, plays: 3, segments_open: 0, plays_open: 0, single_plays_from: null });
  expect(body.checks).toEqual([
    { day: "2026-11-19", checked_at: "2026-11-21T10:20:00.000Z", matches: false, findings: { day: "2026-11-19" } },
    { day: "2026-11-20", checked_at: "2026-11-21T10:20:00.000Z", matches: true, findings: {} },
  ]);
});
