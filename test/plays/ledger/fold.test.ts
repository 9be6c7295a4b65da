import { env } from "cloudflare:workers";
import { beforeEach, expect, test } from "vitest";
import { HOUR_MS } from "../../../src/platform/time.ts";
import { compact } from "../../../src/plays/archive/compact.ts";
import { FOLD_AFTER_MS, foldLedger } from "../../../src/plays/ledger/fold.ts";
import { attached, clearArchive, recordSegment, sendChunks } from "../../support/archive.ts";
import { makeDevice, type TestDevice } from "../../support/device.ts";
import { type CaughtQueue, deliver, withFault } from "../../support/pipeline.ts";

let device: TestDevice;
let queue: CaughtQueue;
beforeEach(async () => {
  await clearArchive();
  await env.DB.prepare("DELETE FROM sequencer_incarnations").run();
  device = await makeDevice();
  queue = await attached(device);
});

/** A time at which everything that was just recorded may fold. */
const LATER = () => Date.now() + FOLD_AFTER_MS + HOUR_MS;
const compactAll = () => compact(env, Date.now() + 2 * HOUR_MS);

async function rows(sql: string, ...values: unknown[]): Promise<Record<string, unknown>[]> {
  return (
    await env.DB.prepare(sql)
      .bind(...values)
      .all()
  ).results;
}
const folds = (id = device.id) => rows("SELECT recorded_through, plays_count FROM chunk_ledger_folds WHERE device_id = ?", id);
const ledger = async (id = device.id) =>
  (await rows("SELECT number FROM chunk_ledger WHERE device_id = ? ORDER BY number", id)).map(({ number }) => number);
const plays = async () =>
  (
    await rows(
      "SELECT (SELECT coalesce(sum(plays_count), 0) FROM chunk_ledger) + (SELECT coalesce(sum(plays_count), 0) FROM chunk_ledger_folds) AS n",
    )
  )[0]?.n;

async function recordChunks(...counts: number[]): Promise<void> {
  for (const count of counts) await recordSegment(device, queue, count);
}

test("rows older than 15 days whose segments are compacted fold into one; younger ones and open segments stay", async () => {
  await recordChunks(3, 2);
  await compactAll();
  await recordChunks(1);
  expect(await foldLedger(env.DB, Date.now() + FOLD_AFTER_MS - HOUR_MS)).toEqual({ rows: 0, unfinished: false });
  expect(await foldLedger(env.DB, LATER())).toEqual({ rows: 2, unfinished: false });
  expect(await folds()).toEqual([{ recorded_through: 2, plays_count: 5 }]);
  expect(await ledger()).toEqual([3]);
  await compactAll();
  expect(await foldLedger(env.DB, LATER())).toEqual({ rows: 1, unfinished: false });
  expect(await folds()).toEqual([{ recorded_through: 3, plays_count: 6 }]);
  expect(await ledger()).toEqual([]);
  expect(await foldLedger(env.DB, LATER())).toEqual({ rows: 0, unfinished: false });
});

test("folding stops at a gap, and goes on when the chunk is recorded", async () => {
  await recordChunks(1, 1);
  const lost = await sendChunks(device, queue, 2);
  const lastSent = await sendChunks(device, queue, 4);
  // Sent again with the lost one: only the last chunk is delivered.
  await deliver(lastSent.slice(-1));
  await compactAll();
  expect(await ledger()).toEqual([1, 2, 4]);
  await foldLedger(env.DB, LATER());
  expect(await folds()).toEqual([{ recorded_through: 2, plays_count: 2 }]);
  expect(await ledger()).toEqual([4]);
  await deliver(lost);
  await compactAll();
  await foldLedger(env.DB, LATER());
  expect(await folds()).toEqual([{ recorded_through: 4, plays_count: 8 }]);
  expect(await ledger()).toEqual([]);
});

test("a chunk of refusals alone has no segment and folds; plays without a segment do not", async () => {
  await recordChunks(1, 1, 1);
  await compactAll();
  await env.DB.batch([
    env.DB.prepare("UPDATE chunk_ledger SET segment_id = '', plays_count = 0 WHERE device_id = ? AND number = 2").bind(device.id),
    env.DB.prepare("UPDATE chunk_ledger SET segment_id = '' WHERE device_id = ? AND number = 3").bind(device.id),
  ]);
  await foldLedger(env.DB, LATER());
  expect(await folds()).toEqual([{ recorded_through: 2, plays_count: 1 }]);
  expect(await ledger()).toEqual([3]);
});

test("a folded chunk that is delivered again is confirmed and counted no second time", async () => {
  const bodies = await sendChunks(device, queue, 3);
  await deliver(bodies);
  await compactAll();
  await foldLedger(env.DB, LATER());
  expect(await ledger()).toEqual([]);
  expect(await deliver(bodies)).toEqual({ acked: 1, retried: 0 });
  expect(await plays()).toBe(3);
  expect(await rows("SELECT count(*) AS n FROM proof_of_play_events")).toEqual([{ n: 3 }]);
});

test.each(["before", "after"] as const)("D1 fails %s a fold, then three run at once: every play is counted once", async (when) => {
  await recordChunks(1, 2, 3, 4);
  await compactAll();
  await expect(foldLedger(withFault("DB.batch", when, 1).DB, LATER(), { rowsPerIncarnation: 2 })).rejects.toThrow("injected");
  expect(await plays()).toBe(10);
  await Promise.all([foldLedger(env.DB, LATER()), foldLedger(env.DB, LATER(), { rowsPerIncarnation: 1 }), foldLedger(env.DB, LATER())]);
  expect(await folds()).toEqual([{ recorded_through: 4, plays_count: 10 }]);
  expect(await ledger()).toEqual([]);
});

test("many devices fold in pages, each as far as its own rows go", async () => {
  const devices = [device];
  for (let n = 0; n < 4; n++) devices.push(await makeDevice());
  for (const [n, one] of devices.entries()) {
    const own = await attached(one);
    for (let chunk = 0; chunk <= n; chunk++) await recordSegment(one, own, 1);
  }
  await compactAll();
  expect(await foldLedger(env.DB, LATER(), { incarnationsPerBatch: 2, rowsPerIncarnation: 2, maxBatches: 1 })).toMatchObject({
    unfinished: true,
  });
  expect(await foldLedger(env.DB, LATER(), { incarnationsPerBatch: 2, rowsPerIncarnation: 2 })).toMatchObject({ unfinished: false });
  for (const [n, one] of devices.entries()) expect(await folds(one.id)).toEqual([{ recorded_through: n + 1, plays_count: n + 1 }]);
  expect(await plays()).toBe(15);
});
