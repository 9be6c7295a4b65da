import { existsSync } from "node:fs";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { signInByToken } from "./acts.ts";
import { launchChromium } from "./chromium.ts";
import { seedDevices } from "./seed.ts";
import { openSite } from "./site.ts";

// How fast the console is. For looking at, not a test: the figures are those of the machine.
//   bun test/browser/speed.ts http://localhost:8787   a running demo: from the beginning of the navigation to the first data in view
//   bun test/browser/speed.ts scroll                  5,000 devices: how long frames take while their table scrolls
const VISITS = 7;
const DEVICES = 5000;
const WHEEL_STEPS = 200;

/** What is looked for: the first thing on the page that only the server can have told. */
const PAGES = [
  { name: "overview", path: "/console", first: 'section[aria-label="Devices online"] .figure' },
  { name: "devices", path: "/console/devices", first: "tr[data-row] .row-link" },
];

const what = Bun.argv[2];
if (what === "scroll") await measureScrolling();
else if (what?.startsWith("http")) await measureFirstData(what);
else throw new Error('Say the address of a running demo, or "scroll".');
process.exit(0);

async function measureFirstData(url: string): Promise<void> {
  const login = ".alive/login.json";
  if (!existsSync(login)) throw new Error("There is no .alive/login.json: run this in the folder whose demo it is.");
  const data: unknown = await Bun.file(login).json();
  const browser = await launchChromium();
  const first = await signedIn(browser, url, data);
  const state = await first.storageState();
  await first.close();
  console.log(`from navigation to the first data, ms (median of ${VISITS}, worst)`);
  for (const { name, path, first } of PAGES) {
    const [cold, warm]: [number[], number[]] = [[], []];
    for (let visit = 0; visit < VISITS; visit++) {
      // A browser that has never been here, then the same one again.
      const context = await browser.newContext({ storageState: state });
      for (const times of [cold, warm]) times.push(await firstData(context, url + path, first));
      await context.close();
    }
    console.log(`${name.padEnd(10)} never visited ${words(cold)}   visited before ${words(warm)}`);
  }
  await browser.close();
}

async function signedIn(browser: Browser, url: string, data: unknown): Promise<BrowserContext> {
  const context = await browser.newContext();
  const headers = { "X-Requested-With": "alive-console", Origin: url };
  const answer = await context.request.post(`${url}/api/auth/sign-in/email`, { headers, data: data as object });
  if (!answer.ok()) throw new Error(`sign-in: ${answer.status()} ${await answer.text()}`);
  return context;
}

/** Ms from the beginning of the navigation until the selector is there, told by the page's own clock. */
async function firstData(context: BrowserContext, url: string, selector: string): Promise<number> {
  const page = await context.newPage();
  await page.addInitScript((wanted) => {
    const observer = new MutationObserver(() => {
      if (document.querySelector(wanted) === null) return;
      observer.disconnect();
      // When it has been drawn, too.
      requestAnimationFrame(() => setTimeout(() => Object.assign(globalThis, { firstDataAt: performance.now() })));
    });
    observer.observe(document, { childList: true, subtree: true });
  }, selector);
  await page.goto(url, { waitUntil: "commit" });
  const at = await page.waitForFunction(() => (globalThis as unknown as { firstDataAt?: number }).firstDataAt, null, { timeout: 60_000 });
  const ms = Number(await at.jsonValue());
  await page.close();
  return ms;
}

async function measureScrolling(): Promise<void> {
  const site = await openSite();
  try {
    await seedDevices(site, DEVICES);
    const visit = await site.visit();
    await signInByToken(visit);
    await visit.page.goto("/console/devices");
    await visit.page.getByText("5,000 devices ·").waitFor({ timeout: 60_000 });
    const frames = await framesWhileScrolling(visit.page);
    const late = frames.filter((ms) => ms > 50).length;
    console.log(`${DEVICES} devices, ${frames.length} frames: ${words(frames)}; over 50 ms: ${late}`);
  } finally {
    await site.close();
  }
}

async function framesWhileScrolling(page: Page): Promise<number[]> {
  await page.locator(".table-frame").hover();
  await page.evaluate(() => {
    const frames: number[] = [];
    let last = performance.now();
    const step = (now: number) => {
      frames.push(now - last);
      last = now;
      requestAnimationFrame(step);
    };
    requestAnimationFrame(step);
    Object.assign(globalThis, { frames });
  });
  for (let step = 0; step < WHEEL_STEPS; step++) await page.mouse.wheel(0, 1000);
  return await page.evaluate(() => (globalThis as unknown as { frames: number[] }).frames.slice(1));
}

function words(times: number[]): string {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
  return `${at(0.5)}, ${at(1)}`;
}
