import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { DAY_MS, HOUR_MS, utcDay } from "../../../src/platform/time.ts";
import { compact } from "../../../src/plays/archive/compact.ts";
import { checkManifests } from "../../../src/plays/archive/manifest.ts";
import { readArchive, readSegments } from "../../../src/plays/archive/read.ts";
import { sweepArchive } from "../../../src/plays/archive/sweep.ts";
import {
  attached,
  clearArchive,
  damageObject,
  keysUnder,
  openMismatch,
  recordMoved,
  recordSegment,
  segments,
} from "../../support/archive.ts";
import { makeDevice, type TestDevice } from "../../support/device.ts";
import { type CaughtQueue, withFault } from "../../support/pipeline.ts";

let device: TestDevice;
let queue: CaughtQueue;
beforeEach(async () => {
  await clearArchive();
  device = await makeDevice();
  queue = await attached(device);
});

/** A time at which everything that was just recorded is old enough. */
const LATER = () => Date.now() + 2 * HOUR_MS;
const TODAY = () => utcDay(Date.now());

interface PartRow {
  id: string;
  dt: string;
  r2_key: string;
  sha256: string;
  bytes: number;
  plays_count: number;
  segments_json: string;
}
async function parts(): Promise<PartRow[]> {
  return (await env.DB.prepare("SELECT * FROM archive_parts ORDER BY dt, id").all<PartRow>()).results;
}

/** The ids of the plays in the parts that count, with repetitions. */
async function playsInParts(): Promise<string[]> {
  const ids: string[] = [];
  for (const part of await parts()) {
    const read = await readArchive(env.BUCKET, part);
    if (read.status !== "ok") throw new Error(`${part.r2_key}: ${read.status}`);
    ids.push(...read.rows.map((row) => row.play.event_id));
  }
  return ids.sort();
}

async function recordedPlays(): Promise<string[]> {
  const { results } = await env.DB.prepare("SELECT event_id FROM proof_of_play_events ORDER BY 1").all<{ event_id: string }>();
  return results.map(({ event_id }) => event_id);
}

async function manifest(dt: string): Promise<Record<string, unknown> | null> {
  return (await (await env.BUCKET.get(`plays/dt=${dt}/manifest.json`))?.json<Record<string, unknown>>()) ?? null;
}

/** All is compacted once: every play in one part, no segment open, every manifest as D1 has it. */
async function expectCompacted(plays: number): Promise<void> {
  expect((await segments()).filter(({ compacted_at }) => compacted_at === null)).toEqual([]);
  expect(await playsInParts()).toEqual(await recordedPlays());
  expect((await recordedPlays()).length).toBe(plays);
  const { results } = await env.DB.prepare("SELECT dt, stale FROM archive_manifests").all<{ dt: string; stale: number }>();
  for (const { dt, stale } of results) {
    expect({ dt, stale }).toEqual({ dt, stale: 0 });
    const of = (await parts()).filter((part) => part.dt === dt);
    expect(await manifest(dt)).toEqual({
      version: 1,
      dt,
      plays_count: of.reduce((sum, part) => sum + part.plays_count, 0),
      bytes: of.reduce((sum, part) => sum + part.bytes, 0),
      parts: of.map(({ r2_key, sha256, bytes, plays_count, segments_json }) => ({
        key: r2_key,
        sha256,
        bytes,
        plays_count,
        segments: JSON.parse(segments_json),
      })),
    });
  }
}

test("segments older than an hour become one part of their day with a manifest, and younger ones wait", async () => {
  await recordSegment(device, queue, 3);
  await recordSegment(device, queue, 2);
  expect(await compact(env, Date.now())).toEqual({ segments: 0, parts: 0, plays: 0, damaged: [], manifests: [] });
  expect(await compact(env, LATER())).toEqual({ segments: 2, parts: 1, plays: 5, damaged: [], manifests: [TODAY()] });
  await expectCompacted(5);
  expect((await parts())[0]?.r2_key).toMatch(/^plays\/dt=\d{4}-\d{2}-\d{2}\/[0-9a-f-]{36}\.parquet$/);
  expect(await compact(env, LATER())).toMatchObject({ segments: 0, parts: 0, manifests: [] });
});

test("a part holds the same rows as its segments, chunk, record and signature too", async () => {
  await recordSegment(device, queue, 3, (index) => ({ sequence: index + 1 }));
  const [segment] = await segments();
  if (!segment) throw new Error("no segment");
  const before = await readArchive(env.BUCKET, segment);
  await compact(env, LATER());
  const [compacted] = await segments();
  const after = await readSegments(env, compacted ? [compacted] : []);
  if (before.status !== "ok") throw new Error(before.status);
  expect(after).toEqual({ rows: new Map([[segment.id, before.rows]]), damaged: [] });
});

test("plays received on two UTC days go into a part of each, and their segment reads whole", async () => {
  const yesterday = Date.now() - DAY_MS;
  await recordMoved(device, queue, 2, { receivedAt: yesterday });
  await recordSegment(device, queue, 3);
  expect(await compact(env, LATER())).toMatchObject({ segments: 2, parts: 2, plays: 5, manifests: [utcDay(yesterday), TODAY()] });
  await expectCompacted(5);
  expect((await parts()).map(({ dt, plays_count }) => [dt, plays_count])).toEqual([
    [utcDay(yesterday), 2],
    [TODAY(), 3],
  ]);
});

test("a group stays under its limit of plays, and a run under its limit of groups; the next run goes on", async () => {
  for (const count of [3, 2, 2, 4]) await recordSegment(device, queue, count);
  expect(await compact(env, LATER(), { maxGroupPlays: 4, maxGroups: 2 })).toMatchObject({ segments: 3, parts: 2, plays: 7 });
  expect(await compact(env, LATER(), { maxGroupPlays: 4, maxGroups: 2 })).toMatchObject({ segments: 1, parts: 1, plays: 4 });
  await expectCompacted(11);
});

test.each([
  ["R2 refuses a part", "BUCKET.put", "before"],
  ["R2 takes a part and its answer is lost", "BUCKET.put", "after"],
  ["D1 refuses the transaction", "DB.batch", "before"],
  ["D1 commits and its answer is lost", "DB.batch", "after"],
] as const)("%s: the next run repairs it, and every play is in one part", async (_, call, when) => {
  await recordSegment(device, queue, 3);
  await recordSegment(device, queue, 2);
  await expect(compact(withFault(call, when, 1), LATER())).rejects.toThrow("injected");
  await compact(env, LATER());
  await expectCompacted(5);
});

test("the manifest's write fails: its day stays stale and the next run writes it", async () => {
  await recordSegment(device, queue, 3);
  // The first put is the part's, the second one the manifest's.
  let puts = 0;
  const bucket = new Proxy(env.BUCKET, {
    get: (target, name) => {
      const value = Reflect.get(target, name);
      if (name !== "put") return value.bind(target);
      return async (...args: unknown[]) => {
        puts += 1;
        if (puts === 2) throw new Error("injected: no manifest");
        return await Reflect.apply(value, target, args);
      };
    },
  });
  await expect(compact({ ...env, BUCKET: bucket }, LATER())).rejects.toThrow("no manifest");
  expect(await manifest(TODAY())).toBeNull();
  expect(await compact(env, LATER())).toMatchObject({ segments: 0, manifests: [TODAY()] });
  await expectCompacted(3);
});

test("a part that is published while a manifest is written leaves the day stale, and the next run writes both", async () => {
  await recordSegment(device, queue, 3);
  let others = 0;
  const bucket = new Proxy(env.BUCKET, {
    get: (target, name) => {
      const value = Reflect.get(target, name);
      if (name !== "put") return value.bind(target);
      return async (...args: unknown[]) => {
        if (String(args[0]).endsWith("manifest.json") && others === 0) {
          others += 1;
          await recordSegment(device, queue, 2);
          await compact(env, LATER());
        }
        return await Reflect.apply(value, target, args);
      };
    },
  });
  await compact({ ...env, BUCKET: bucket }, LATER());
  expect((await manifest(TODAY()))?.plays_count).toBe(3);
  expect(await compact(env, LATER())).toMatchObject({ segments: 0, manifests: [TODAY()] });
  await expectCompacted(5);
});

test("two compactors at once publish every play once", async () => {
  for (const count of [3, 2, 2]) await recordSegment(device, queue, count);
  await Promise.all([compact(env, LATER()), compact(env, LATER(), { maxGroupPlays: 5 }), compact(env, LATER(), { maxGroupPlays: 2 })]);
  await compact(env, LATER());
  await expectCompacted(7);
});

test("a damaged and a missing segment are named in an incident, the rest goes on, and it resolves when they are back", async () => {
  for (const count of [1, 2, 3]) await recordSegment(device, queue, count);
  const [first, second] = await segments();
  if (!first || !second) throw new Error("no segments");
  const bytes = await (await env.BUCKET.get(second.r2_key))?.arrayBuffer();
  const whole = await (await env.BUCKET.get(first.r2_key))?.arrayBuffer();
  if (!bytes || !whole) throw new Error("no objects");
  await damageObject(first.r2_key);
  await env.BUCKET.delete(second.r2_key);
  const damaged = [
    { segment_id: first.id, r2_key: first.r2_key, problem: "damaged" },
    { segment_id: second.id, r2_key: second.r2_key, problem: "missing" },
  ];
  expect(await compact(env, LATER())).toMatchObject({ segments: 1, plays: 3, damaged });
  expect(await openMismatch()).toEqual({ compaction: { count: 2, findings: damaged } });
  await compact(env, LATER());
  expect((await env.DB.prepare("SELECT count(*) AS n FROM incidents").first<{ n: number }>())?.n).toBe(1);
  await env.BUCKET.put(first.r2_key, whole);
  await env.BUCKET.put(second.r2_key, bytes);
  expect(await compact(env, LATER())).toMatchObject({ segments: 2, plays: 3, damaged: [] });
  expect(await openMismatch()).toBeNull();
  await expectCompacted(6);
});

test("a manifest that is missing or was changed is told and written again", async () => {
  await recordSegment(device, queue, 3);
  await compact(env, LATER());
  const since = Date.now() - DAY_MS;
  expect(await checkManifests(env, since, LATER())).toEqual([]);
  await env.BUCKET.put(`plays/dt=${TODAY()}/manifest.json`, "{}");
  expect(await checkManifests(env, since, LATER())).toEqual([{ dt: TODAY(), problem: "different" }]);
  await env.BUCKET.delete(`plays/dt=${TODAY()}/manifest.json`);
  expect(await checkManifests(env, since, LATER())).toEqual([{ dt: TODAY(), problem: "missing" }]);
  expect(await checkManifests(env, since, LATER())).toEqual([]);
  await expectCompacted(3);
});

test("a compacted segment's object goes after 30 days, one that is not compacted stays, and its plays are read from the part", async () => {
  await recordSegment(device, queue, 3);
  await compact(env, LATER());
  await recordSegment(device, queue, 2);
  const [compacted, open] = await segments();
  if (!compacted || !open) throw new Error("no segments");
  expect(await sweepArchive(env, LATER() + 29 * DAY_MS)).toEqual({ segments: 0, parts: 0 });
  expect(await sweepArchive(env, LATER() + 32 * DAY_MS)).toEqual({ segments: 1, parts: 0 });
  expect(await keysUnder("segments/")).toEqual([open.r2_key]);
  const read = await readSegments(env, [compacted, open]);
  expect([read.rows.get(compacted.id)?.length, read.rows.get(open.id)?.length, read.damaged]).toEqual([3, 2, []]);
});

test("a part that no transaction knows counts nothing and is swept after a day", async () => {
  await recordSegment(device, queue, 3);
  await expect(compact(withFault("DB.batch", "before", 1), LATER())).rejects.toThrow("injected");
  const [orphan] = await keysUnder("plays/");
  await compact(env, LATER());
  expect((await keysUnder("plays/")).length).toBe(3);
  expect(await sweepArchive(env, Date.now() + DAY_MS - HOUR_MS)).toEqual({ segments: 0, parts: 0 });
  expect(await sweepArchive(env, Date.now() + DAY_MS + HOUR_MS)).toEqual({ segments: 0, parts: 1 });
  expect(await keysUnder("plays/")).not.toContain(orphan);
  await expectCompacted(3);
});
