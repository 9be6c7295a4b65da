import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Request } from "playwright-core";
import { ROOT } from "../../src/cli/tools.ts";
import { soon } from "../browser/acts.ts";
import { recorded } from "../browser/books.ts";
import { claimCode, makeProgramme, type Programme } from "../browser/player-programme.ts";
import { type Running, shownCode, startPlayer, until, untilKept, untilShown, untilState, untilStatus } from "../browser/screen.ts";
import { openSite, type Site } from "../browser/site.ts";

const SHOWN = [
  { name: "Poster", type: "image", durationMs: 1500 },
  { name: "Spot", type: "video", durationMs: 2000 },
] as const;

let site: Site;
let programme: Programme;
beforeAll(async () => {
  site = await openSite();
  programme = await makeProgramme(site, SHOWN);
}, 300_000);
afterAll(() => site.close());

interface Result {
  id: string;
  status: string;
  detail: Record<string, unknown> | null;
}

/** Tells a device to do something; what its heartbeats say became of it. */
async function command(player: Running, type: string, params: Record<string, unknown> = {}): Promise<Result> {
  const told: Result[] = [];
  const listen = (request: Request) => {
    if (request.url().endsWith("/v1/device/heartbeat")) told.push(...((request.postDataJSON()?.command_results ?? []) as Result[]));
  };
  player.context.on("request", listen);
  const { id } = await site.api<{ id: string }>("POST", `/v1/admin/devices/${player.deviceId}/commands`, { type, params });
  const result = await until(async () => told.find((one) => one.id === id));
  player.context.off("request", listen);
  return result;
}

test.concurrent("a player does what it is told from afar, and says what became of it", async () => {
  const player = await startPlayer(site, programme, "Remote");
  await untilKept(player.page);
  await untilShown(player.page, "video");
  const { status, detail } = await command(player, "screenshot");
  expect(status).toBe("done");
  const key = `screenshots/${detail?.sha256}`;
  expect(await site.stack.keys("screenshots/")).toContain(key);
  expect([...(await site.stack.object(key)).slice(0, 3)]).toEqual([0xff, 0xd8, 0xff]);

  expect(await command(player, "set_volume", { level: 30 })).toMatchObject({ status: "done", detail: { level: 30 } });
  await untilStatus(player.page, "Volume", "30 %");
  expect(await command(player, "refresh_plan")).toMatchObject({ status: "done", detail: { plan: "unchanged" } });
  expect(await command(player, "clear_cache")).toMatchObject({ status: "done", detail: { files: 2 } });
  await untilShown(player.page, "video", (await untilShown(player.page, null)) + 2);

  for (const type of ["reboot", "update"]) {
    const loaded = player.page.waitForEvent("load");
    const outcome = command(player, type);
    await loaded;
    await untilShown(player.page, null);
    expect(await outcome).toMatchObject({ status: "done", detail: { restarted: true } });
  }
  await untilStatus(player.page, "Volume", "30 %");
  await player.context.close();
}, 300_000);

test.concurrent("a takeover takes the screen at once, and gives it back", async () => {
  // A group of its own: the others play at the same time.
  const programme = await makeProgramme(site, SHOWN);
  const player = await startPlayer(site, programme, "Takeover");
  const alarm = await makeProgramme(site, [{ name: "Leave the building", type: "image", durationMs: 5000 }]);
  await untilShown(player.page, null, 3);
  const ordinary = new Set(player.turns.map(({ slot }) => slot));
  expect(ordinary.size).toBe(2);
  const takeover = await site.api<{ id: string }>("POST", "/v1/admin/takeovers", {
    ...{ name: "Fire", target_type: "GROUP", target_id: programme.groupId, playlist_id: alarm.playlistId },
  });
  const isMessage = ({ slot }: { slot: string }) => !ordinary.has(slot);
  await until(async () => player.turns.some(isMessage));
  await site.api("POST", `/v1/admin/takeovers/${takeover.id}/lift`);
  await until(async () => ordinary.has(player.turns.at(-1)?.slot ?? ""));
  await untilShown(player.page, null, (await untilShown(player.page, null)) + 2);
  await untilStatus(player.page, "Plays waiting", "0");
  await player.context.close();
  const rows = await recorded(site, player.deviceId);
  const [first, last] = [player.turns.findIndex(isMessage), player.turns.findLastIndex(isMessage)];
  // The play before the message was cut, and so was the message when it was lifted; the message is billed to nobody.
  const cut = rows.flatMap(({ status }, index) => (status === "INTERRUPTED" ? [index] : []));
  expect(cut).toEqual([first - 1, last]);
  expect(rows.slice(first, last + 1).map(({ billable }) => billable)).toEqual(Array(last + 1 - first).fill(0));
  expect(rows.length).toBeGreaterThan(last + 1);
}, 300_000);

test.concurrent("of two windows one plays, and the other says so until it takes over", async () => {
  const player = await startPlayer(site, programme, "Two windows");
  await untilShown(player.page, null, 2);
  const second = await player.context.newPage();
  await second.goto("/player");
  await untilState(second, "elsewhere");
  await second.getByRole("heading", { name: "This screen plays in another window" }).waitFor();
  expect(await second.locator("#stage").getAttribute("data-shown")).toBeNull();
  await player.page.close();
  await untilState(second, "running");
  await untilShown(second, "video");
  expect(await second.locator("#message").isHidden()).toBe(true);
  await player.context.close();
}, 300_000);

test.concurrent("who pairs a screen by keyboard or by ear finds everything named", async () => {
  const { context, page, faults } = await site.visit();
  await page.goto("/player");
  await shownCode(page);
  await page.evaluate(readFileSync(resolve(ROOT, "node_modules/axe-core/axe.min.js"), "utf8"));
  const found = await page.evaluate(() => (window as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } }).axe.run());
  expect(found.violations.map(({ id }) => id)).toEqual([]);
  expect(await page.locator("svg.qr").getAttribute("aria-label")).toBe("The address at which this screen is approved");
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test.concurrent("a code that does not do is refused in words, and a device that was taken out can be paired again", async () => {
  const { context, page } = await site.visit();
  await page.goto("/player");
  await untilState(page, "unpaired");
  const input = page.getByLabel("Have you been given a code?");
  await input.fill("BCDF-GHJK");
  await page.getByRole("button", { name: "Pair" }).click();
  await page.locator("#pairing .fault", { hasText: /./ }).waitFor();
  await input.fill((await claimCode(site, programme, "Taken out")).toLowerCase());
  await page.getByRole("button", { name: "Pair" }).click();
  await untilShown(page, null);
  const devices = await site.api<{ items: { id: string }[] }>("GET", "/v1/admin/devices?q=Taken%20out");
  await site.api("POST", `/v1/admin/devices/${devices.items[0]?.id}/revoke`);
  await untilState(page, "stopped");
  await page.getByRole("heading", { name: "no longer part of the network" }).waitFor();
  await soon(async () => await page.locator(".layer[data-state=on]").count(), 0);
  await page.getByRole("button", { name: "Pair it again" }).click();
  await untilState(page, "unpaired");
  await input.fill(await claimCode(site, programme, "Back again"));
  await page.getByRole("button", { name: "Pair" }).click();
  await untilShown(page, null);
  await context.close();
}, 300_000);

test.concurrent("a page that nobody sees plays nothing", async () => {
  const player = await startPlayer(site, programme, "Hidden");
  await untilShown(player.page, "image", 2);
  const setVisible = (state: string) =>
    player.page.evaluate((visibility) => {
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => visibility });
      document.dispatchEvent(new Event("visibilitychange"));
    }, state);
  await setVisible("hidden");
  const { length } = player.turns;
  await untilStatus(player.page, "Now", "nothing");
  await untilStatus(player.page, "Plays waiting", "0");
  expect(player.turns.length).toBe(length);
  await setVisible("visible");
  await untilShown(player.page, "video");
  await player.context.close();
  const rows = await recorded(site, player.deviceId);
  expect(rows.slice(0, length).at(-1)?.status).toBe("INTERRUPTED");
}, 300_000);

test.concurrent("a newer build of the page is taken up between two plays", async () => {
  const player = await startPlayer(site, programme, "Renewed", async (_context, page) => {
    // The page's own requests alone: its service worker finds what there really is.
    await page.route("**/player/files.json", (route) => route.fulfill({ json: ["assets/index-newer.js"] }));
    // What is done every few hours is done when the test says so.
    await page.addInitScript(() => {
      const { setInterval } = window;
      const seldom: (() => void)[] = [];
      Object.assign(window, {
        hoursPass: () => seldom.map((work) => work()),
        setInterval: (work: () => void, everyMs: number) => (everyMs > 3_600_000 ? seldom.push(work) : setInterval(work, everyMs)),
      });
    });
  });
  await untilKept(player.page);
  await untilShown(player.page, "image", 2);
  const loaded = player.page.waitForEvent("load");
  await player.page.evaluate(() => (window as unknown as { hoursPass: () => void }).hoursPass());
  await loaded;
  await untilShown(player.page, null, 2);
  await untilStatus(player.page, "Plays waiting", "0");
  await player.context.close();
  const rows = await recorded(site, player.deviceId);
  expect(rows.map(({ status }) => status)).not.toContain("INTERRUPTED");
  expect(rows.map(({ slot_id }) => slot_id)).toEqual(player.turns.slice(0, rows.length).map(({ slot }) => slot));
}, 300_000);
