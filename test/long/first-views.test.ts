import { afterAll, beforeAll, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { expectAccessible, signInByToken } from "../browser/acts.ts";
import { type PlayedNetwork, seedChecks, seedDeadLetters, seedIncidents, seedPlays } from "../browser/proof-seed.ts";
import { openSite, type Site } from "../browser/site.ts";

const MAX_KB = 250;

let site: Site;
let network: PlayedNetwork;
let incidentIds: string[];
let playlistId: string;
let scheduleId: string;

beforeAll(async () => {
  site = await openSite();
  network = await seedPlays(site, { playsEach: 10 });
  incidentIds = await seedIncidents(site, network.devices);
  await seedDeadLetters(site, network.devices, 3);
  await seedChecks(site, network.day);
  const first = async (path: string) => (await site.api<{ items: { id: string }[] }>("GET", path)).items[0]?.id ?? "";
  playlistId = await first("/v1/admin/playlists");
  scheduleId = await first("/v1/admin/schedules");
}, 300_000);
afterAll(() => site.close());

/** Pages by their address, and the heading of each. The calendar and the map are drawn into pages that are there already. */
const views = (): [path: string, heading: string, extra?: RegExp][] => [
  ["", "Overview"],
  ["/devices", "Devices"],
  ["/stores", "Stores"],
  ["/content", "Content"],
  ["/playlists", "Playlists"],
  [`/playlists/${playlistId}`, "Window, autumn"],
  ["/schedules", "Schedules", /\/week-calendar-/],
  ["/schedules?view=list", "Schedules"],
  ["/schedules?view=takeovers", "Schedules"],
  [`/schedules/${scheduleId}`, "All day"],
  ["/campaigns", "Campaigns"],
  [`/campaigns/${network.campaigns[1]?.id}`, "Sugar free launch"],
  ["/reports", "Reports"],
  ["/reports?kind=planned", "Reports"],
  ["/incidents", "Incidents"],
  [`/incidents/${incidentIds[0]}`, "Offline while its store is open"],
  ["/pipeline", "Pipeline"],
  ["/pipeline?tab=refused", "Pipeline"],
  ["/pipeline?tab=dead-letters", "Pipeline"],
  ["/pipeline?tab=replays", "Pipeline"],
  ["/pipeline?tab=archive", "Pipeline"],
  ["/settings/users", "Settings"],
  ["/settings/tokens", "Settings"],
  ["/settings/webhooks", "Settings"],
  ["/settings/groups", "Settings"],
  ["/audit", "Audit"],
];

/** What the frame fetches for later when a page has nothing else to do. */
const FETCHED_IDLE = /\/(?:search|shortcut-list)-/;

test("every page that is opened directly loads under 250 KB of JavaScript, and is accessible in both themes", async () => {
  const loaded: Record<string, number> = {};
  const over: string[] = [];
  for (const [path, heading, extra] of views()) {
    const visit = await site.visit();
    await signInByToken(visit);
    const { page, context, faults } = visit;
    const scripts = new Map<string, Promise<number>>();
    page.on("response", (answer) => {
      const { pathname } = new URL(answer.url());
      if (pathname.endsWith(".js") && !extra?.test(pathname) && !FETCHED_IDLE.test(pathname))
        scripts.set(
          pathname,
          answer.body().then((body) => gzipSync(body).length),
        );
    });
    await page.goto(`/console${path}`);
    await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
    await page.waitForFunction(() => document.querySelector('[aria-busy="true"], .mantine-Skeleton-root') === null);
    const kb = (await Promise.all(scripts.values())).reduce((sum, bytes) => sum + bytes, 0) / 1024;
    loaded[path] = Math.round(kb * 10) / 10;
    if (kb > MAX_KB) over.push(path);
    await expectAccessible(page);
    expect(faults).toEqual([]);
    await context.close();
  }
  console.log(loaded);
  expect(over).toEqual([]);
  // None of them was counted before it had come.
  expect(Math.min(...Object.values(loaded))).toBeGreaterThan(150);
}, 300_000);
