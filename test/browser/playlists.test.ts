import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import { expectAccessible, signInByToken, soon } from "./acts.ts";
import { makeProgramme, type Programme, tokenOf } from "./programme.ts";
import { openSite, type Site } from "./site.ts";

let site: Site;
let programme: Programme;
beforeAll(async () => {
  site = await openSite();
  programme = await makeProgramme(site, { stores: 1, contents: 12 });
}, 300_000);
afterAll(() => site.close());

interface Shown {
  version: number;
  items: { id: string; content_version_id: string; content_name: string; weight: number; duration_ms: number | null }[];
}

async function itemsOf(id: string): Promise<string[]> {
  const { items } = await site.api<Shown>("GET", `/v1/admin/playlists/${id}`);
  return items.map(({ content_name, weight, duration_ms }) => `${content_name} ×${weight} ${duration_ms ?? "default"}`);
}

test("a playlist is made: content added by plus and by dragging, moved by mouse and by keyboard, weighed, summed and saved", async () => {
  const visit = await site.visit({ viewport: { width: 1360, height: 860 } });
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto("/console/playlists");
  await page
    .getByRole("row", { name: /Morning coffee/ })
    .getByText("1 schedule")
    .waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Add playlist" }).click();
  await page.getByLabel("Name").fill("<i>Weekend</i>");
  await page.getByRole("dialog").getByRole("button", { name: "Add playlist" }).click();
  await page.getByRole("heading", { name: "<i>Weekend</i>", level: 1 }).waitFor();
  await page.getByText("It is empty.").waitFor();
  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";

  for (const name of ["Coffee to go", "Fresh bread"]) await page.getByRole("button", { name: `Add ${name}`, exact: true }).click();
  await page.getByLabel("Search content to add").fill("sushi");
  const list = page.getByRole("list", { name: "Items of the playlist" });
  await dragTo(
    page,
    page.locator(".shelved").filter({ hasText: "Sushi bar" }).locator("img"),
    list.getByRole("listitem").nth(0),
    "Sushi bar is at place 1 of 2.",
  );
  await order(page, ["Sushi bar", "Coffee to go", "Fresh bread"]);

  // By mouse, the last before the first; by keyboard, down by one.
  await dragTo(
    page,
    page.getByRole("button", { name: /^Move Fresh bread/ }),
    page.getByRole("button", { name: /^Move Sushi bar/ }),
    "Fresh bread is at place 1 of 3.",
  );
  await order(page, ["Fresh bread", "Sushi bar", "Coffee to go"]);
  const handle = page.getByRole("button", { name: /^Move Fresh bread/ });
  await handle.focus();
  await page.keyboard.press("Space");
  await page.getByText("Fresh bread is at place 1 of 3.").waitFor({ state: "attached" });
  await page.keyboard.press("ArrowDown");
  await page.getByText("Fresh bread is at place 2 of 3.").waitFor({ state: "attached" });
  await page.keyboard.press("Space");
  await order(page, ["Sushi bar", "Fresh bread", "Coffee to go"]);

  await page.getByLabel(/^Weight of Fresh bread/).fill("3");
  await page.getByLabel(/^Seconds of Sushi bar/).fill("30");
  await page.getByText("3 items · 5 plays · 1 min 10 s a round · 51 rounds an hour").waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Save items" }).click();
  await page.getByText("Saved 3 items").waitFor();
  expect(await itemsOf(id)).toEqual(["Sushi bar ×1 30000", "Fresh bread ×3 default", "Coffee to go ×1 default"]);

  // A second change after the first is a change of what was saved.
  await page.getByRole("button", { name: /^Remove Coffee to go/ }).click();
  await page.getByRole("button", { name: "Save items" }).click();
  await page.getByText("Saved 2 items").waitFor();
  expect(await itemsOf(id)).toEqual(["Sushi bar ×1 30000", "Fresh bread ×3 default"]);
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("what is not saved is guarded; somebody else's items are shown beside one's own; a viewer sees no handles", async () => {
  const playlist = programme.playlists[1];
  const before = await site.api<Shown>("GET", `/v1/admin/playlists/${playlist?.id}`);
  const visit = await site.visit({ colorScheme: "dark", viewport: { width: 1360, height: 860 } });
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto(`/console/playlists/${playlist?.id}`);
  await page.getByLabel(/^Weight of Winter coats/).fill("5");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Stores" }).click();
  await page.getByRole("dialog", { name: "Leave without saving?" }).getByRole("button", { name: "Keep editing" }).click();
  const theirs = before.items
    .toReversed()
    .map(({ id, content_version_id, weight, duration_ms }) => ({ id, content_version_id, weight, duration_ms }));
  await site.api("PUT", `/v1/admin/playlists/${playlist?.id}/items`, { items: theirs });
  await page.getByRole("button", { name: "Save items" }).click();
  const conflict = page.getByRole("alert").filter({ hasText: "Somebody else changed this meanwhile" });
  await conflict.getByText("Black Friday → Opening hours → Loyalty card → Winter coats ×2").waitFor();
  await conflict.getByText("Winter coats ×5 → Loyalty card → Opening hours → Black Friday").waitFor();
  await expectAccessible(page);
  await conflict.getByRole("button", { name: "Save mine over theirs" }).click();
  await page.getByText("Saved 4 items").waitFor();
  expect((await itemsOf(playlist?.id ?? ""))[0]).toBe("Winter coats ×5 10000");
  expect(faults).toEqual([]);
  await context.close();

  const viewer = await site.visit();
  await signInByToken(viewer, await tokenOf(site, "viewer"));
  await viewer.page.goto(`/console/playlists/${playlist?.id}`);
  await viewer.page.getByRole("link", { name: "Winter coats" }).waitFor();
  await viewer.page.getByText("× 5").waitFor();
  await soon(async () => await viewer.page.getByRole("button", { name: /^Move|^Add|Save items/ }).count(), 0);
  expect(viewer.faults).toEqual([]);
  await viewer.context.close();
}, 300_000);

/** Waits until the items stand so. */
async function order(page: Page, names: string[]): Promise<void> {
  await page.waitForFunction((wanted) => {
    const found = [...document.querySelectorAll(".items .item-name a")].map((link) => link.textContent);
    return JSON.stringify(found) === JSON.stringify(wanted);
  }, names);
}

/** Drags by the mouse, in steps, as a hand does, and lets go where the page says that it is. */
async function dragTo(page: Page, from: Locator, to: Locator, said: string): Promise<void> {
  // Waits until both stand still: what was moved before may be on its way.
  for (const part of [to, from]) await part.hover({ trial: true });
  const [start, end] = [await from.boundingBox(), await to.boundingBox()];
  if (!start || !end) throw new Error("there is nothing to drag");
  await page.mouse.move(start.x + start.width / 2, start.y + start.height / 2);
  await page.mouse.down();
  await page.mouse.move(start.x + start.width / 2, start.y + start.height / 2 - 8, { steps: 3 });
  await page.mouse.move(end.x + end.width / 2, end.y + end.height / 2, { steps: 8 });
  await page.getByText(said).waitFor({ state: "attached" });
  await page.mouse.up();
}
