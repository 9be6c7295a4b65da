import { describe, expect, test } from "vitest";
import { decodeChunk, encodeBody, encodeChunk, readChunkHeader } from "../../src/plays/chunk.ts";
import { joinPlays, type PlayRow, playColumns, playRows } from "../../src/plays/columns.ts";
import { openParcel, recordsOf, sealParcels } from "../../src/plays/parcel.ts";
import { bodiesOf, chunkOf } from "../support/chunks.ts";

const header = {
  v: 2,
  device_id: "aa705f37-c8cc-4726-a32f-315d7df12ae3",
  incarnation: "0b0e0c5e-43a7-4c34-9bd7-5d3b1c2f6a11",
  number: 7,
  refusals: [],
};

function play(index: number, changes: Partial<PlayRow["play"]> = {}): PlayRow {
  return {
    play: {
      event_id: `id-${index}`,
      day: "2026-02-05",
      store_id: "store",
      supplier_id: "supplier",
      campaign_id: "",
      ad_group_id: "",
      playlist_id: "",
      content_id: "content",
      content_version: "",
      slot_id: 'a "quoted"\nslot',
      type: "PLAY",
      started_at_raw: 1000 + index,
      ended_at_raw: 2000,
      started_at: 1000 + index - 90,
      ended_at: 1910,
      received_at: 5,
      duration_ms: 6,
      expected_ms: null,
      result: "COMPLETED",
      billable: 1,
      quality: 90,
      flags: "LATE",
      door: "playback-log",
      epoch: "0",
      sequence: null,
      record_hash: "ab",
      key_id: "kid",
      policy_version: "1",
      correlation_id: "c",
      ...changes,
    },
    proof: {
      record: `{"n":${index},"text":"Thành phố\\n"}`,
      signedBy: "record",
      signature: new Uint8Array([index, 2, 3].slice(0, 1 + (index % 3))),
    },
    batch: null,
  };
}

describe("a chunk", () => {
  test("is read as it was written whether its text is compressed or not: that of a few logs is not", () => {
    for (const [count, isPlain] of [
      [1, true],
      [100, false],
    ] as const) {
      const plays = Array.from({ length: count }, (_, index) => play(index));
      const body = chunkOf(header, plays);
      expect(new TextDecoder().decode(body).includes('{"n":0,')).toBe(isPlain);
      expect(playRows(decodeChunk(body).plays)).toEqual(plays);
    }
  });

  test("is read as it was written: header, refusals, plays, records and signatures of any length", () => {
    const plays = [
      play(1),
      play(2, { sequence: 7, expected_ms: 15 }),
      play(3, { day: "2026-02-06", result: "PARTIAL", billable: 0, flags: "" }),
    ];
    const refusals: [number, string, string, number][] = [[3_600_000, "playback-log", "TOO_OLD", 4]];
    const chunk = decodeChunk(chunkOf({ ...header, refusals }, plays));
    expect(chunk.header).toEqual({ ...header, plays: 3, refusals });
    expect(playRows(chunk.plays)).toEqual(plays);
  });

  test("holds several requests' plays, and each one's own batch proof", () => {
    const batch = (lines: string) => ({ lines, signature: "c2ln" });
    const unsigned = (index: number, lines: string): PlayRow => ({
      ...play(index, { correlation_id: lines }),
      proof: { record: `{"n":${index}}`, signedBy: "batch", signature: null },
      batch: batch(lines),
    });
    const [first, second] = [[unsigned(1, "one"), unsigned(2, "one")], [unsigned(3, "two")]];
    const chunk = decodeChunk(encodeChunk({ ...header, plays: 3 }, [...bodiesOf(first), ...bodiesOf(second)]));
    expect(playRows(chunk.plays)).toEqual([...first, ...second]);
  });

  test("leaves out the logs of a request that were not accepted, whatever they hold", () => {
    const plays = [play(1, { duration_ms: 1e300 }), play(2), play(3, { duration_ms: Number.POSITIVE_INFINITY })];
    const [whole] = bodiesOf(plays);
    if (!whole) throw new Error("no body");
    expect(() => decodeChunk(encodeChunk({ ...header, plays: 3 }, [whole]))).toThrow("duration_ms");
    const { play: second } = play(2);
    const verdict = { ...second, offset_ms: 90 };
    const sealed = whole.subarray(8, 8 + new DataView(whole.buffer).getUint32(0));
    const chunk = decodeChunk(encodeChunk({ ...header, plays: 1 }, [encodeBody(sealed, [null, verdict, null])]));
    expect(playRows(chunk.plays)).toEqual([play(2)]);
    expect(recordsOf(sealed)).toEqual(plays.map(({ proof }) => proof.record));
  });

  test("is refused where it names a log twice, one that is not there, or none at all", () => {
    const { play: first } = play(1);
    const verdict = { ...first, offset_ms: 90 };
    const [whole] = bodiesOf([play(1), play(2)]);
    if (!whole) throw new Error("no body");
    const sealed = whole.subarray(8, 8 + new DataView(whole.buffer).getUint32(0));
    const naming = (of: unknown[]) => {
      const rows = new TextDecoder().decode(encodeBody(sealed, [verdict, null, verdict]).subarray(8 + sealed.length));
      const text = new TextEncoder().encode(JSON.stringify({ ...JSON.parse(rows), of }));
      const body = new Uint8Array(8 + sealed.length + text.length);
      const view = new DataView(body.buffer);
      view.setUint32(0, sealed.length);
      view.setUint32(4, text.length);
      body.set(sealed, 8);
      body.set(text, 8 + sealed.length);
      return () => decodeChunk(encodeChunk({ ...header, plays: 2 }, [body]));
    };
    expect(playRows(naming([0, 1])().plays).map(({ play }) => play.event_id)).toEqual(["id-1", "id-2"]);
    for (const of of [
      [0, 0],
      [1, 0],
      [-1, 0],
      [0, 2],
      [0, 0.5],
      ["0", 1],
    ])
      expect(naming(of)).toThrow("do not ascend");
  });

  test("is refused when it is cut, miscounts, is of an unknown version, or is none", () => {
    const whole = chunkOf(header, [play(1)]);
    for (const length of [whole.length - 1, whole.length - 40, whole.indexOf(10) + 5])
      expect(() => decodeChunk(whole.subarray(0, length))).toThrow("cut short");
    expect(() => decodeChunk(encodeChunk({ ...header, plays: 2 }, bodiesOf([play(1)])))).toThrow("says 2 plays and holds 1");
    expect(() => decodeChunk(chunkOf({ ...header, v: 3 }, [play(1)]))).toThrow();
    expect(readChunkHeader(chunkOf({ ...header, v: 3 }, [play(1)]))).toBeNull();
    expect(() => decodeChunk(new Uint8Array([255, 10]))).toThrow();
    expect(() => decodeChunk(new Uint8Array(0))).toThrow();
  });

  test.each<[string, Partial<Record<keyof PlayRow["play"], unknown>>]>([
    ["result", { result: "PLAYED" }],
    ["day", { day: "5 February" }],
    ["duration_ms", { duration_ms: 6.5 }],
    ["flags", { flags: null }],
    ["billable", { billable: 2 }],
    ["event_id", { event_id: null }],
  ])("with a wrong %s is refused by its name", (name, changes) => {
    const wrong = play(1, changes as Partial<PlayRow["play"]>);
    expect(() => decodeChunk(chunkOf(header, [wrong]))).toThrow(`${name} cannot be`);
    expect(() => decodeChunk(chunkOf(header, [play(2), wrong]))).toThrow(`${name} cannot be`);
  });

  test("with a play that no batch's proof belongs to, though it says so, is refused", () => {
    const { proof, ...rest } = play(1);
    expect(() => decodeChunk(chunkOf(header, [{ ...rest, proof: { ...proof, signedBy: "batch" } }]))).toThrow("no batch's proof");
  });
});

describe("plays in columns", () => {
  const rows = [play(1), play(2, { sequence: 7, expected_ms: 15 }), play(3, { result: "", billable: 0 })];

  test("are the same plays, all of them or the first", () => {
    expect(playColumns(rows)).toMatchObject({
      event_id: ["id-1", "id-2", "id-3"],
      sequence: [null, 7, null],
      signed_by: Array(3).fill("record"),
    });
    expect(playRows(playColumns(rows))).toEqual(rows);
    expect(playRows(playColumns(rows), 2)).toEqual(rows.slice(0, 2));
    expect(playRows(playColumns([]))).toEqual([]);
  });

  test("are put one list behind the other", () => {
    const [first, second, third] = rows.map((row) => playColumns([row]));
    if (!first || !second || !third) throw new Error("three plays");
    expect(joinPlays([first, second, third])).toEqual(playColumns(rows));
    expect(joinPlays([first])).toEqual(first);
    expect(joinPlays([])).toEqual(playColumns([]));
  });
});

describe("a parcel", () => {
  const request = { door: "playback-log" as const, received_at: 5, key_id: "kid", correlation_id: "c", batch: null };
  const logs = (count: number, pad: () => string) =>
    Array.from({ length: count }, (_, index) => ({
      log: {
        id: `id-${index}`,
        campaignId: "",
        adGroupId: "",
        contentId: "content",
        contentVersion: "",
        playlistId: "",
        slotId: "",
        type: "PLAY" as const,
        startedAt: index,
        endedAt: index,
        durationMs: 0,
        deviceExpectedMs: null,
        status: "COMPLETED" as const,
        epoch: "0",
        sequence: index + 1,
        location: null,
      },
      proof: { record: `{"n":${index},"pad":"${pad()}"}`, recordHash: "ab", signedBy: "nobody" as const, signature: null },
    }));

  test("of records that hardly differ is a fraction of their size", () => {
    const [parcel] = sealParcels(
      request,
      logs(100, () => "x".repeat(500)),
    );
    expect(parcel?.bytes.length).toBeLessThan(5000);
  });

  test("is split where it would not fit into a message, in order and without loss", () => {
    const random = () => [...crypto.getRandomValues(new Uint8Array(7000))].map((byte) => byte.toString(16)).join("");
    const given = logs(100, random);
    const parcels = sealParcels(request, given);
    expect(parcels.length).toBeGreaterThan(5);
    for (const { bytes } of parcels) expect(bytes.length).toBeLessThanOrEqual(80_000);
    expect(parcels.reduce((sum, parcel) => sum + parcel.logs, 0)).toBe(100);
    const opened = parcels.map(({ bytes }) => openParcel(bytes).logs);
    expect(opened.flatMap(({ event_id }) => event_id)).toEqual(given.map(({ log }) => log.id));
    expect(opened.flatMap(({ record }) => record)).toEqual(given.map(({ proof }) => proof.record));
  });

  test("with a byte changed in its text is refused", () => {
    const [parcel] = sealParcels(
      request,
      logs(3, () => "x"),
    );
    if (!parcel) throw new Error("no parcel");
    const bytes = parcel.bytes.slice();
    bytes[12] = (bytes[12] ?? 0) ^ 0xff;
    expect(() => openParcel(bytes)).toThrow();
  });
});
