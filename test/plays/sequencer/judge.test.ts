import { describe, expect, test } from "vitest";
import type { Assignment } from "../../../src/devices/profile.ts";
import { parseInstant } from "../../../src/platform/time.ts";
import { readPlaybackLog } from "../../../src/plays/dialects/playback-log.ts";
import { DOORS, doorPolicy } from "../../../src/plays/policy.ts";
import { readClock } from "../../../src/plays/sequencer/clock.ts";
import { judgePlay } from "../../../src/plays/sequencer/judge.ts";
import { distanceM } from "../../../src/plays/sequencer/place.ts";
import { storeDay } from "../../../src/plays/sequencer/store-day.ts";

describe("times on the wire", () => {
  test.each([
    ["2026-02-05T10:00:00.000Z", 1_770_285_600_000],
    ["2026-02-05T17:00:00+07:00", 1_770_285_600_000],
    ["2026-02-05t10:00:00z", 1_770_285_600_000],
    ["2026-02-05T10:00:00.1239Z", 1_770_285_600_123],
    ["2026-02-05T10:00:00.5Z", 1_770_285_600_500],
    ["2026-02-05T04:30:00-05:30", 1_770_285_600_000],
    ["2016-12-31T23:59:60Z", 1_483_228_800_000],
    ["2024-02-29T00:00:00Z", 1_709_164_800_000],
    ["1970-01-01T00:00:00Z", 0],
  ])("%s is read", (text, ms) => expect(parseInstant(text)).toBe(ms));

  test.each([
    "2026-02-05",
    "2026-02-05T10:00:00",
    "2026-02-05 10:00:00Z",
    "2026-02-30T10:00:00Z",
    "2025-02-29T10:00:00Z",
    "2026-13-01T10:00:00Z",
    "2026-02-05T24:00:00Z",
    "2026-02-05T10:60:00Z",
    "2026-02-05T10:00:00+24:00",
    "20260205T100000Z",
    "",
    "2026-04-31T10:00:00.000Z",
    "2026-02-29T10:00:00.000Z",
    "2026-02-05T24:00:00.000Z",
    "2026-02-05T10:00:6x.000Z",
  ])("%s is not", (text) => expect(parseInstant(text)).toBeNull());

  test("the form that nearly everybody sends is read as the calendar has it, on every day and at its last millisecond", () => {
    for (let day = Date.UTC(1999, 0, 1); day < Date.UTC(2005, 0, 1); day += 86_400_000) {
      for (const ms of [day, day + 86_399_999]) expect(parseInstant(new Date(ms).toISOString())).toBe(ms);
    }
    for (const text of ["0000-01-01T00:00:00.000Z", "0099-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"])
      expect(parseInstant(text)).toBe(Date.parse(text));
  });
});

describe("the device's clock", () => {
  const heartbeat = { offsetMs: 60_000, at: 0 };
  test("is read from the time sent before any heartbeat, and up to 5 s is taken as right", () => {
    expect(readClock(105_000, 100_000, heartbeat)).toEqual({ offsetMs: 0 });
    expect(readClock(105_001, 100_000, heartbeat)).toEqual({ offsetMs: 5001 });
    expect(readClock(null, 100_000, heartbeat)).toEqual({ offsetMs: 60_000 });
  });
  test("a heartbeat of a day ago tells nothing any more", () => {
    expect(readClock(null, 86_399_999, heartbeat)).toEqual({ offsetMs: 60_000 });
    expect(readClock(null, 86_400_000, heartbeat)).toEqual({ offsetMs: null });
  });
});

describe("the store's day", () => {
  test.each([
    ["2026-11-20T16:59:59.999Z", "Asia/Ho_Chi_Minh", "2026-11-20"],
    ["2026-11-20T17:00:00.000Z", "Asia/Ho_Chi_Minh", "2026-11-21"],
    ["2026-03-29T00:59:59.000Z", "Europe/Berlin", "2026-03-29"],
    ["2026-10-25T22:59:59.999Z", "Europe/Berlin", "2026-10-25"],
    ["2026-10-25T23:00:00.000Z", "Europe/Berlin", "2026-10-26"],
    // The day that Samoa leapt over: 30 December 2011 does not exist there.
    ["2011-12-30T09:59:59.000Z", "Pacific/Apia", "2011-12-29"],
    ["2011-12-30T10:00:00.000Z", "Pacific/Apia", "2011-12-31"],
  ])("%s in %s is %s", (at, zone, day) => expect(storeDay(Date.parse(at), zone)).toBe(day));
  test("without a store it is UTC's", () => expect(storeDay(Date.parse("2026-11-20T23:59:59Z"), null)).toBe("2026-11-20"));
});

test("a play is placed by the assignment in force when it started, and before a device's first one by that one", () => {
  const at = (startedAt: number, assignments: Assignment[]) => {
    const judged = judgePlay(
      {
        campaignId: "c",
        startedAt,
        endedAt: startedAt,
        durationMs: 0,
        deviceExpectedMs: null,
        status: "ERROR",
        location: null,
      },
      {
        receivedAt: 5000,
        clock: { offsetMs: 0 },
        policy: doorPolicy("playback-log", {}),
        assignments,
        catalogue: { campaign: "known", content: "known", versionDurationMs: 1 },
        signedBy: "record",
        sequence: null,
      },
    );
    return judged.ok ? [judged.judgement.storeId, judged.judgement.supplierId] : judged.code;
  };
  const stood = (validFrom: number, storeId: string): Assignment => ({
    validFrom,
    storeId,
    supplierId: `of ${storeId}`,
    timezone: "Asia/Tokyo",
    lat: null,
    lng: null,
  });
  const moved = [stood(1000, "first"), stood(2000, "second")];
  expect(at(1999, moved)).toEqual(["first", "of first"]);
  expect(at(2000, moved)).toEqual(["second", "of second"]);
  expect(at(10, moved)).toEqual(["first", "of first"]);
  expect(at(10, [])).toEqual(["", ""]);
});

test("distances follow the sphere, over the date line and at the poles too", () => {
  expect(distanceM({ lat: 0, lng: 0 }, { lat: 1, lng: 0 })).toBeCloseTo(111_195, -1);
  expect(distanceM({ lat: 0, lng: 179.99 }, { lat: 0, lng: -179.99 })).toBeCloseTo(2224, -1);
  expect(distanceM({ lat: 90, lng: 0 }, { lat: 90, lng: 120 })).toBeCloseTo(0, 3);
});

describe("a door's policy", () => {
  test("is the preset where the group says nothing", () => {
    expect(doorPolicy("playback-log", {})).toEqual({
      maxAgeMs: 86_400_000,
      signatureRequired: true,
      unsignedBillable: false,
      batchSignature: false,
      requestsPerMinute: 120,
    });
    expect(doorPolicy("impression", {}).maxAgeMs).toBe(4 * 3_600_000);
    expect(doorPolicy("proof-event", {})).toMatchObject({ maxAgeMs: 86_400_000, signatureRequired: false, unsignedBillable: false });
  });
  test("asks for signatures at each door as its preset does, or as the group says", () => {
    const required = (signature?: "required" | "optional") =>
      DOORS.map((door) => doorPolicy(door, signature ? { signature } : {}).signatureRequired);
    expect(required()).toEqual(DOORS.map((door) => door !== "proof-event"));
    expect(required("required")).toEqual(DOORS.map(() => true));
    expect(required("optional")).toEqual(DOORS.map(() => false));
  });
  test("is changed by the group, but no age goes over seven days", () => {
    expect(doorPolicy("playback-log", { max_age_hours: { "playback-log": 48 } }).maxAgeMs).toBe(48 * 3_600_000);
    expect(doorPolicy("playback-log", { max_age_hours: { "playback-log": 999 } }).maxAgeMs).toBe(7 * 86_400_000);
  });
});

describe("a playback log's shape", () => {
  const record = {
    device_id: "AA705F37-c8cc-4726-a32f-315d7df12ae3",
    content_id: "2b912e65-1320-4fc9-8e0f-e864fa59ad1e",
    started_at: "2026-02-05T10:00:00Z",
    ended_at: "2026-02-05T10:00:15Z",
    duration_seconds: 15.0004,
    status: "Completed",
  };
  test("is read leniently: other names, capitals, nulls as absent, unknown fields let through", () => {
    const shaped = readPlaybackLog({ ...record, campaign_id: null, sequence: null, location: null, vendor: { x: 1 } });
    expect(shaped).toEqual({
      ok: true,
      deviceId: "aa705f37-c8cc-4726-a32f-315d7df12ae3",
      log: {
        id: "",
        campaignId: "",
        adGroupId: "",
        contentId: "2b912e65-1320-4fc9-8e0f-e864fa59ad1e",
        contentVersion: "",
        playlistId: "",
        slotId: "",
        type: "PLAY",
        startedAt: 1_770_285_600_000,
        endedAt: 1_770_285_615_000,
        durationMs: 15_000,
        deviceExpectedMs: null,
        status: "COMPLETED",
        epoch: "0",
        sequence: null,
        location: null,
      },
    });
  });
  test("what is wrong is named by its pointer", () => {
    expect(readPlaybackLog({ ...record, location: { lat: "10", lng: 1 } })).toMatchObject({ ok: false, pointer: "/location/lat" });
    expect(readPlaybackLog({ ...record, duration_seconds: undefined })).toMatchObject({ ok: false, pointer: "/duration_actual" });
    expect(readPlaybackLog([])).toMatchObject({ ok: false, pointer: "" });
  });
});
