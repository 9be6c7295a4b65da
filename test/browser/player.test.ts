import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { byStatus, recorded, reported } from "./books.ts";
import { makeProgramme, type Programme } from "./player-programme.ts";
import { approve, untilKept, untilShown, untilState, untilStatus, watch } from "./screen.ts";
import { openSite, type Site } from "./site.ts";

let site: Site;
let programme: Programme;
beforeAll(async () => {
  site = await openSite();
  programme = await makeProgramme(site, [
    { name: "Poster", type: "image", durationMs: 1500 },
    { name: "Spot", type: "video", durationMs: 2000 },
  ]);
}, 120_000);
afterAll(() => site.close());

describe("a player in a browser", () => {
  test("pairs by its code, plays through an outage and a restart, and every play is in the report once", async () => {
    const { context, page, faults } = await site.visit({ viewport: { width: 1280, height: 720 } });
    const watched = await watch(page);
    await page.goto("/player");
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
    await untilStatus(page, "Last answer", "taken");
    await untilShown(page, null, atReturn + 1);
    await untilStatus(page, "Plays waiting", "0");
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
  }, 240_000);
});
