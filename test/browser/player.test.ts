import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { byStatus, recorded, reported } from "./books.ts";
import { claimCode, makeProgramme, type Programme } from "./player-programme.ts";
import { approve, shownCode, until, untilKept, untilReached, untilShown, untilState, untilStatus, watch } from "./screen.ts";
import { openSite, type Site } from "./site.ts";

let site: Site;
let programme: Programme;
beforeAll(async () => {
  site = await openSite();
  programme = await makeProgramme(site, [
    { name: "Poster", type: "image", durationMs: 1500 },
    { name: "Spot", type: "video", durationMs: 2000 },
  ]);
}, 300_000);
afterAll(() => site.close());

/** The pictures by which the logs that leave a page say that they are proved, as they come. */
function citedPictures(page: Page): Set<string> {
  const cited = new Set<string>();
  const read = (text: string) => {
    for (const [, sha256 = ""] of text.matchAll(/"screenshot_hash":"([0-9a-f]{64})"/g)) cited.add(sha256);
  };
  page.on("websocket", (socket) => socket.on("framesent", ({ payload }) => read(String(payload))));
  page.on("request", (request) => read(request.postData() ?? ""));
  return cited;
}

describe("a player in a browser", () => {
  test("pairs by its code, plays through an outage and a restart, and every play is in the report once", async () => {
    const { context, page, faults } = await site.visit({ viewport: { width: 1280, height: 720 } });
    const watched = await watch(page);
    // Each play is proved by a picture, not one an hour.
    const cited = citedPictures(page);
    await page.goto("/player?evidence=0.001");
    const deviceId = await approve(site, page, programme, "Window 1");
    await untilShown(page, "video");
    await untilKept(page);
    await untilShown(page, "image", 4);

    // Without a network: the queue grows, and the screen goes on.
    await context.setOffline(true);
    const atOutage = await untilShown(page, null);
    await untilShown(page, "video", atOutage + 3);
    await untilStatus(page, "Last answer", "no connection");

    // The power goes in the middle of a video, still without a network: the page, its scripts and the media are kept here.
    const beforeRestart = watched.turns.length;
    await page.reload();
    await untilState(page, "running");
    await untilShown(page, "video", 2);
    expect(watched.turns.length).toBeGreaterThan(beforeRestart);

    await context.setOffline(false);
    const atReturn = await untilShown(page, null);
    await untilReached(page);
    await untilShown(page, null, atReturn + 1);
    await untilStatus(page, "Plays waiting", "0");
    await until(async () => {
      const kept = await site.stack.keys("screenshots/");
      return cited.size >= 2 && [...cited].every((sha256) => kept.includes(`screenshots/${sha256}`));
    });
    await context.close();

    const rows = await recorded(site, deviceId);
    const seen = watched.turns;
    // What was on the screen when the page was closed waits for a next start that never comes, and what ended just before may.
    expect(rows.length).toBeGreaterThanOrEqual(seen.length - 2);
    expect(rows.map(({ sequence }) => sequence)).toEqual(rows.map((_, index) => index + 1));
    expect(rows.map(({ slot_id }) => slot_id)).toEqual(seen.slice(0, rows.length).map(({ slot }) => slot));
    // The first was joined in the middle, or nearly so; the one that the restart cut is told as what it is; all others are whole.
    expect(rows[beforeRestart - 1]?.status).toBe("INTERRUPTED");
    const joined = [0, beforeRestart];
    const others = rows.filter((_, index) => index !== beforeRestart - 1 && !joined.includes(index));
    expect(others.map(({ status, billable }) => [status, billable])).toEqual(others.map(() => ["COMPLETED", 1]));
    expect(await reported(site, deviceId)).toEqual(byStatus(rows));
    expect(watched.gaps).toEqual([]);
    expect(watched.violations).toEqual([]);
    // The browser says on its console that there was no network.
    expect(faults.filter((fault) => !fault.includes("ERR_INTERNET_DISCONNECTED"))).toEqual([]);
  }, 300_000);

  test("pairs by the code in its address, as the console's QR code has it, and says in words where that does not do", async () => {
    const code = await claimCode(site, programme, "Window 2");
    const address = `/player?crossfade=100&claim_code=${code}`;
    const first = await site.visit();
    await first.page.goto(address);
    await untilState(first.page, "running");
    await first.page.waitForURL("**/player?crossfade=100");
    // Scanned again on the screen that it has paired: nothing happens.
    await first.page.goto(address);
    await untilState(first.page, "running");
    await first.page.waitForURL("**/player?crossfade=100");
    await untilStatus(first.page, "Last error", "paired already");
    await first.context.close();

    const second = await site.visit();
    await second.page.goto(address);
    await second.page.locator("#pairing .fault", { hasText: "That code has been used" }).waitFor();
    await second.page.waitForURL("**/player?crossfade=100");
    await shownCode(second.page);
    expect([...first.faults, ...second.faults]).toEqual([]);
    await second.context.close();
  }, 300_000);
});
