import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { chunksOf, firstSegmentId, parquetRows, readArchive, takeSegments } from "../../../src/plays/archive/read.ts";
import { buildSegment } from "../../../src/plays/archive/segment.ts";
import { CHUNK_VERSION, type Chunk, decodeChunk } from "../../../src/plays/chunk.ts";
import { playColumns, playRows } from "../../../src/plays/columns.ts";
import { attached, clearArchive, damageObject, segments, sendChunks } from "../../support/archive.ts";
import { makeDevice } from "../../support/device.ts";
import { deliver } from "../../support/pipeline.ts";

beforeEach(async () => await clearArchive());

async function recorded(plays: number): Promise<Chunk> {
  const device = await makeDevice();
  const [body] = await sendChunks(device, await attached(device), plays);
  if (!body) throw new Error("nothing was sent");
  await deliver([body]);
  return decodeChunk(body);
}

async function onlySegment() {
  const [segment] = await segments();
  if (!segment) throw new Error("there is no segment");
  return segment;
}

test("a segment reads back as the very plays of its chunk, with proof", async () => {
  const chunk = await recorded(3);
  const read = await readArchive(env.BUCKET, await onlySegment());
  if (read.status !== "ok") throw new Error(read.status);
  expect(chunksOf(read.rows).map(({ plays }) => plays)).toEqual([chunk.plays]);
  expect(chunksOf(read.rows)[0]?.header).toEqual({ ...chunk.header, plays: 3, refusals: [] });
  expect(read.rows.map((row) => row.index)).toEqual([0, 1, 2]);
});

test("absent ids, unknown numbers, flags and a batch's proof survive the archive", async () => {
  const [first] = playRows((await recorded(1)).plays);
  if (!first) throw new Error("no play");
  const play = { ...first.play, campaign_id: "", ad_group_id: "", slot_id: "", expected_ms: null, sequence: null, billable: 0 as const };
  const header = { v: CHUNK_VERSION, device_id: "d", incarnation: "i", number: 7, plays: 3, refusals: [] };
  const batch = { lines: "alive-batch-v1\nd", signature: btoa("signed together") };
  const plays = [
    { play: { ...play, flags: "UNSIGNED,LATE" }, proof: { record: "{}", signedBy: "nobody" as const, signature: null }, batch: null },
    { play, proof: { record: '{"a":"é"}', signedBy: "batch" as const, signature: null }, batch },
    { play: { ...play, expected_ms: 0, sequence: 9 }, proof: { ...first.proof }, batch: null },
  ];
  const segment = await buildSegment([{ header, plays: playColumns(plays) }], Date.now());
  expect(chunksOf(await parquetRows(segment.bytes.slice().buffer))).toMatchObject([{ header, plays: playColumns(plays) }]);
});

test("records survive in pages of every size", async () => {
  const [first] = playRows((await recorded(1)).plays);
  if (!first) throw new Error("no play");
  const header = { v: CHUNK_VERSION, device_id: "d", incarnation: "i", number: 7, plays: 0, refusals: [] };
  for (const count of [2, 70, 150, 400, 2501]) {
    const plays = Array.from({ length: count }, (_, n) => {
      const record = `{"n":${n},"text":"${"é".repeat(n % 300)}"}`;
      return { ...first, proof: { ...first.proof, record } };
    });
    const segment = await buildSegment([{ header: { ...header, plays: count }, plays: playColumns(plays) }], Date.now());
    const rows = await parquetRows(segment.bytes.slice().buffer);
    expect(rows.map(({ proof }) => proof.record)).toEqual(plays.map(({ proof }) => proof.record));
  }
});

test("an object that R2 does not have is missing; other bytes, or another number of plays, are damage", async () => {
  await recorded(2);
  const segment = await onlySegment();
  expect(await readArchive(env.BUCKET, { ...segment, plays_count: 3 })).toEqual({ status: "damaged" });
  await damageObject(segment.r2_key);
  expect(await readArchive(env.BUCKET, segment)).toEqual({ status: "damaged" });
  await env.BUCKET.delete(segment.r2_key);
  expect(await readArchive(env.BUCKET, segment)).toEqual({ status: "missing" });
});

test("a part of the segments is taken that stays under the limit, one at least", () => {
  const refs = [5, 4, 3].map((plays_count) => ({ plays_count }));
  expect(takeSegments(refs, 9)).toEqual(refs.slice(0, 2));
  expect(takeSegments(refs, 1)).toEqual(refs.slice(0, 1));
  expect(takeSegments(refs, 12)).toEqual(refs);
  expect(takeSegments([], 1)).toEqual([]);
});

test("a segment recorded on the eve of a day, in UTC, is not before the day's first id; one of a week earlier is", async () => {
  await recorded(1);
  const { id, last_day } = await onlySegment();
  expect(id >= firstSegmentId(last_day)).toBe(true);
  const later = new Date(Date.parse(last_day) + 3 * 86_400_000).toISOString().slice(0, 10);
  expect(id >= firstSegmentId(later)).toBe(false);
  expect(firstSegmentId("2026-03-10")).toBe("019ccfe4-bc00");
});
