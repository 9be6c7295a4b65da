import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { pictureOf } from "../../src/cli/media/png.ts";
import { recorded } from "../browser/books.ts";
import { hurryPlan, measure } from "../browser/memory.ts";
import { makeProgramme } from "../browser/player-programme.ts";
import { startPlayer, until, untilKept, untilKeptValue, untilReached, untilShown, untilState, untilStatus } from "../browser/screen.ts";
import { openSite, type Site } from "../browser/site.ts";

let site: Site;
beforeAll(async () => {
  site = await openSite();
}, 300_000);
afterAll(() => site.close());

const POSTERS = [
  { name: "Poster", type: "image", durationMs: 1000 },
  { name: "Spot", type: "video", durationMs: 3000 },
] as const;
const YEAR_MS = 365 * 24 * 3_600_000;

/** Lets a page's wall clock be set: now, and after a restart. */
async function wallClock(page: Page): Promise<(shiftMs: number) => Promise<void>> {
  await page.addInitScript(() => {
    const RealDate = Date;
    const shift = () => Number(localStorage.getItem("shift") ?? 0);
    const now = () => RealDate.now() + (origin === "null" ? 0 : shift());
    globalThis.Date = new Proxy(RealDate, {
      construct: (target, words: []) => (words.length === 0 ? new target(now()) : new target(...words)),
      get: (target, name) => (name === "now" ? now : Reflect.get(target, name)),
    });
  });
  return async (shiftMs) => await page.evaluate((shift) => localStorage.setItem("shift", String(shift)), shiftMs);
}

test.concurrent("a clock that is set back by a year changes no play, and a restart without a network plays on all the same", async () => {
  const programme = await makeProgramme(site, POSTERS);
  const begun = Date.now();
  let setClock: Awaited<ReturnType<typeof wallClock>> = async () => {};
  const player = await startPlayer(site, programme, "Clock", async (_context, page) => {
    setClock = await wallClock(page);
  });
  await untilKept(player.page);
  await untilKeptValue(player.page, "server time", "17");
  await untilShown(player.page, "image");
  await setClock(-YEAR_MS);
  await untilShown(player.page, null, (await untilShown(player.page, null)) + 3);

  await player.context.setOffline(true);
  await player.page.reload();
  await untilState(player.page, "running");
  await untilShown(player.page, "video");
  await untilShown(player.page, "image");
  await player.context.setOffline(false);
  await untilReached(player.page);
  await untilShown(player.page, null, (await untilShown(player.page, null)) + 2);
  await untilStatus(player.page, "Plays waiting", "0");
  await player.context.close();

  const rows = await recorded(site, player.deviceId);
  expect(rows.length).toBeGreaterThanOrEqual(player.turns.length - 2);
  const times = await site.stack.sql<{ first: number; last: number }>(
    `SELECT min(started_at) AS first, max(ended_at) AS last FROM proof_of_play_events WHERE device_id = '${player.deviceId}'`,
  );
  expect(times[0]?.first).toBeGreaterThan(begun - 5000);
  expect(times[0]?.last).toBeLessThan(Date.now() + 5000);
}, 300_000);

test.concurrent("a disk that is full costs what does not fit on it, and nothing else; with room, that comes too", async () => {
  const large = new Uint8Array([...pictureOf("Large"), ...new Uint8Array(6_000_000)]);
  const programme = await makeProgramme(site, [...POSTERS, { name: "Large", type: "image", durationMs: 2000, file: large }]);
  const setQuota = async (page: Page, quotaSize?: number) => {
    const session = await page.context().newCDPSession(page);
    await session.send("Storage.overrideQuotaForOrigin", { origin: site.url, ...(quotaSize === undefined ? {} : { quotaSize }) });
  };
  const player = await startPlayer(site, programme, "Full disk", async (_context, page) => await setQuota(page, 2_000_000));
  const failures = until(async () => {
    const beat = await player.context.waitForEvent("request", {
      predicate: (one) => one.url().endsWith("/v1/device/heartbeat"),
      timeout: 60_000,
    });
    return Number(beat.postDataJSON()?.counters?.download_failures) > 0;
  });
  await untilShown(player.page, "video", 3);
  expect(await failures).toBe(true);
  expect(new Set(player.turns.map(({ slot }) => slot)).size).toBe(2);
  await setQuota(player.page);
  await until(async () => new Set(player.turns.map(({ slot }) => slot)).size === 3);
  await untilStatus(player.page, "Plays waiting", "0");
  await player.context.close();
  const rows = await recorded(site, player.deviceId);
  expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_, index) => index + 1));
  expect(rows.length).toBeGreaterThanOrEqual(player.turns.length - 2);
}, 300_000);

test.concurrent("hundreds of changes leave nothing behind", async () => {
  const programme = await makeProgramme(site, [
    ...POSTERS,
    { name: "Page", type: "web", durationMs: 1000, html: "<!doctype html><html><body><h1>Hello</h1><script>1</script></body></html>" },
  ]);
  let look: Awaited<ReturnType<typeof measure>> = () => Promise.reject(new Error("Nothing is measured yet."));
  const player = await startPlayer(site, programme, "Memory", async (context, page) => {
    await hurryPlan(context, 100);
    look = await measure(page);
  });
  await untilKept(player.page);
  await player.page.keyboard.press("Escape");
  // Caches fill up at first.
  const warm = (await untilShown(player.page, null)) + 100;
  await untilShown(player.page, "image", warm);
  const before = await look();
  const later = (await untilShown(player.page, null)) + 300;
  await untilShown(player.page, "image", later);
  const after = await look();
  expect(after.heapBytes - before.heapBytes).toBeLessThan(300 * 2000);
  expect(after.nodes).toBeLessThan(before.nodes + 50);
  expect(after.documents).toBeLessThanOrEqual(before.documents + 2);
  expect(after.objectUrls).toBeLessThanOrEqual(2);
  expect(player.gaps).toEqual([]);
  await player.context.close();
}, 300_000);

test("a page whose server is gone starts from what it keeps", async () => {
  const programme = await makeProgramme(site, POSTERS);
  const player = await startPlayer(site, programme, "Server gone");
  await untilKept(player.page);
  await untilShown(player.page, "video");
  await site.stack.kill();
  site.stack.kill = async () => {};
  await player.page.reload();
  await untilState(player.page, "running");
  await untilShown(player.page, "video");
  await untilShown(player.page, "image");
  await untilStatus(player.page, "Last answer", "no connection");
  await player.context.close();
}, 300_000);
