import type { BrowserContext, Page } from "playwright-core";
import { claimCode, type Programme } from "./player-programme.ts";
import type { Site } from "./site.ts";

/** A turn as it was seen on the page, whatever the player says of it. */
export interface SeenTurn {
  slot: string;
  type: string;
}

/** A player's page under observation: what it shows is written down by its own elements, not by its books. */
export interface Watched {
  page: Page;
  /** All turns that were seen so far, over reloads too. */
  turns: SeenTurn[];
  /** Frames in which nothing was to be seen between two pictures. */
  gaps: string[];
  /** What broke the page's Content-Security-Policy. */
  violations: string[];
}

/** Begins to look at a page before it loads. */
export async function watch(page: Page): Promise<Watched> {
  const watched: Watched = { page, turns: [], gaps: [], violations: [] };
  await page.exposeFunction("noteTurn", (slot: string, type: string) => void watched.turns.push({ slot, type }));
  await page.exposeFunction("noteGap", (what: string) => void watched.gaps.push(what));
  await page.exposeFunction("noteViolation", (what: string) => void watched.violations.push(what));
  await page.addInitScript(observe);
  return watched;
}

/** Runs in the page. */
function observe(): void {
  const { noteGap, noteTurn, noteViolation } = globalThis as unknown as Record<string, (...words: string[]) => void>;
  if (window !== window.top) return;
  document.addEventListener("securitypolicyviolation", ({ blockedURI, violatedDirective }) =>
    noteViolation?.(`${violatedDirective}: ${blockedURI}`),
  );
  document.addEventListener("DOMContentLoaded", () => {
    const stage = document.getElementById("stage");
    if (!stage) return;
    let shown = stage.dataset.shown;
    new MutationObserver(() => {
      if (stage.dataset.shown === shown || !stage.dataset.slot) return;
      shown = stage.dataset.shown;
      noteTurn?.(stage.dataset.slot, stage.dataset.type ?? "");
    }).observe(stage, { attributes: true });
    const look = () => {
      requestAnimationFrame(look);
      if (!stage.dataset.slot) return;
      const layer = [...stage.querySelectorAll<HTMLElement>(".layer")].find(({ dataset }) => dataset.state === "on");
      const image = layer?.querySelector("img");
      const video = layer?.querySelector("video");
      const drawn =
        (image && !image.hidden && image.complete && image.naturalWidth > 0) ||
        (video && !video.hidden && video.readyState >= HTMLMediaElement.HAVE_CURRENT_DATA) ||
        layer?.querySelector("iframe");
      const states = [...stage.querySelectorAll<HTMLElement>(".layer")].map(({ dataset }) => dataset.state).join("/");
      if (!drawn) noteGap?.(`${stage.dataset.slot} ${stage.dataset.type} ${states} ${image?.hidden} ${video?.readyState}`);
    };
    requestAnimationFrame(look);
  });
}

/** Waits until the player has come to a state: `unpaired`, `running`, … */
export async function untilState(page: Page, state: string): Promise<void> {
  await page.waitForFunction((wanted) => document.documentElement.dataset.state === wanted, state, { timeout: 90_000 });
}

/** Waits until the page shows a turn of a type, or any; returns how many it has shown since it was loaded. */
export async function untilShown(page: Page, type: string | null, atLeast = 1): Promise<number> {
  const shown = await page.waitForFunction(
    ([wanted, least]) => {
      const { dataset } = document.getElementById("stage") as HTMLElement;
      const count = Number(dataset.shown ?? 0);
      return count >= least && (wanted === null ? dataset.slot !== "" : dataset.type === wanted) ? count : 0;
    },
    [type, atLeast] as const,
    { timeout: 90_000 },
  );
  return await shown.jsonValue();
}

/** The code that an unpaired player shows. */
export async function shownCode(page: Page): Promise<string> {
  await untilState(page, "unpaired");
  await page.waitForFunction(() => /^[A-Z]{4}-[A-Z]{4}$/.test(document.querySelector("#pairing .code")?.textContent ?? ""));
  return ((await page.locator("#pairing .code").textContent()) ?? "").replace("-", "");
}

/** Approves a player's own code, as the console does, into the programme's store and group; returns the device's id when it runs. */
export async function approve(site: Site, page: Page, { storeId, groupId }: Programme, name: string): Promise<string> {
  const code = await shownCode(page);
  const claims = await site.api<{ items: { id: string }[] }>("GET", `/v1/admin/claims?claim_code=${code}`);
  await site.api("POST", `/v1/admin/claims/${claims.items[0]?.id}/approve`, { store_id: storeId, group_id: groupId, name });
  await untilState(page, "running");
  return await deviceIdOf(site, name);
}

/** What the status says under a name, once it says so. */
export async function statusLine(page: Page, name: string): Promise<string> {
  if (await page.locator("#status").isHidden()) await page.keyboard.press("i");
  await page.locator("#status dt").first().waitFor();
  return (await page.locator("#status dt", { hasText: name }).first().locator("xpath=following-sibling::dd[1]").textContent()) ?? "";
}

/** Waits until the status says something of which a word is known. */
export async function untilStatus(page: Page, name: string, word: string): Promise<void> {
  if (await page.locator("#status").isHidden()) await page.keyboard.press("i");
  await page.waitForFunction(
    ([line, wanted]) =>
      [...document.querySelectorAll("#status dt")].some(
        (term) => term.textContent === line && term.nextElementSibling?.textContent?.includes(wanted),
      ),
    [name, word] as const,
    { timeout: 90_000 },
  );
}

/** Waits until the server has answered again, whichever call it was: heartbeats and plays take turns in the status. */
export async function untilReached(page: Page): Promise<void> {
  if (await page.locator("#status").isHidden()) await page.keyboard.press("i");
  await page.waitForFunction(
    () => {
      const term = [...document.querySelectorAll("#status dt")].find(({ textContent }) => textContent === "Last answer");
      return term?.nextElementSibling?.textContent?.endsWith(" ago") === true;
    },
    undefined,
    { timeout: 90_000 },
  );
}

/** Waits until a value that the player keeps has these words in its JSON. */
export async function untilKeptValue(page: Page, name: string, words: string): Promise<void> {
  await page.waitForFunction(
    ([key, wanted]) =>
      new Promise<boolean>((resolve, reject) => {
        const opening = indexedDB.open("alive-player");
        opening.onerror = () => reject(opening.error);
        opening.onsuccess = () => {
          const asked = opening.result.transaction("kept").objectStore("kept").get(key);
          asked.onsuccess = () => {
            opening.result.close();
            resolve((JSON.stringify(asked.result) ?? "").includes(wanted));
          };
        };
      }),
    [name, words] as const,
  );
}

/** Whether the page is kept for the time without a network, and its service worker answers for it. */
export async function untilKept(page: Page): Promise<void> {
  await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await untilStatus(page, "Starts offline", "yes");
}

/** A player in a browser profile of its own, paired by a code that was typed in, which shows its programme. */
export interface Running extends Watched {
  context: BrowserContext;
  deviceId: string;
  faults: string[];
}

/** Starts a player for a test; `prepare` comes before the page is loaded. */
export async function startPlayer(
  site: Site,
  programme: Programme,
  name: string,
  prepare: (context: BrowserContext, page: Page) => Promise<void> = async () => {},
): Promise<Running> {
  const { context, page, faults } = await site.visit({ viewport: { width: 1280, height: 720 } });
  const watched = await watch(page);
  await prepare(context, page);
  await page.goto("/player");
  await untilState(page, "unpaired");
  await page.getByLabel("Have you been given a code?").fill(await claimCode(site, programme, name));
  await page.getByRole("button", { name: "Pair" }).click();
  await untilState(page, "running");
  return Object.assign(watched, { context, faults, deviceId: await deviceIdOf(site, name) });
}

async function deviceIdOf(site: Site, name: string): Promise<string> {
  const devices = await site.api<{ items: { id: string }[] }>("GET", `/v1/admin/devices?q=${encodeURIComponent(name)}`);
  const [device] = devices.items;
  if (!device || devices.items.length > 1) throw new Error(`There is not one device of the name ${name}.`);
  return device.id;
}

/** Waits for something that the server is asked about. */
export async function until<T>(look: () => Promise<T | null | undefined | false>): Promise<T> {
  for (let times = 0; times < 900; times++) {
    const found = await look();
    if (found) return found;
    await Bun.sleep(100);
  }
  throw new Error("It does not happen.");
}
