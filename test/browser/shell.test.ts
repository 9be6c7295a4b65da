import { afterAll, beforeAll, expect, test } from "bun:test";
import { ADMIN_TOKEN } from "../stack/stack.ts";
import { expectAccessible, signInByToken, soon } from "./acts.ts";
import { openSite, type Site } from "./site.ts";

let site: Site;
beforeAll(async () => {
  site = await openSite();
}, 300_000);
afterAll(() => site.close());

test("nobody sees a page before signing in; a wrong token is refused in words, a right one leads to where one wanted to go", async () => {
  const { page, context, faults } = await site.visit();
  await page.goto("/console/devices");
  await page.getByRole("heading", { name: "Sign in" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Sign in with an API token" }).click();
  await page.locator("input[name=token]").fill("alive_wrong");
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("alert").getByText("Not authenticated").waitFor();
  await page.locator("input[name=token]").fill(ADMIN_TOKEN);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Devices", level: 1 }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("what is on its way is shown by its shape, and what is empty says the next step", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  const held = Promise.withResolvers<void>();
  await page.route("**/v1/admin/stores?*", async (route) => {
    await held.promise;
    await route.continue();
  });
  await page.goto("/console/stores");
  await page.getByText("Loading stores").waitFor();
  await soon(async () => await page.locator("table[aria-busy=true] tbody tr").count(), 8);
  await soon(async () => await page.locator(".mantine-Loader-root").count(), 0);
  held.resolve();
  for (const [path, words, next] of [
    ["stores", "There are no stores yet. Add one, then pair its devices.", "Add store"],
    ["devices", "No screen is paired yet. Open the player on a screen, and pair it by its code.", "Pair a device"],
    ["content", "There is no content yet. Drop images and videos anywhere on this page.", "Upload files"],
  ]) {
    await page.goto(`/console/${path}`);
    await page.getByText(words ?? "").waitFor();
    expect(
      await page
        .getByRole("main")
        .getByRole("button", { name: next ?? "", exact: true })
        .count(),
    ).toBe(2);
    await expectAccessible(page);
  }
  await page.goto("/console");
  await page.getByText("None is paired").waitFor();
  await page.getByText("Nothing is wrong that anybody would have to look at.").waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("the navigation leads to every page, by mouse and by keys; the way is shown above", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto("/console");
  for (const title of [
    "Devices",
    "Stores",
    "Content",
    "Playlists",
    "Schedules",
    "Campaigns",
    "Reports",
    "Pipeline",
    "Incidents",
    "Settings",
    "Audit",
  ]) {
    await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: title }).click();
    await page.getByRole("heading", { name: title, level: 1 }).waitFor();
    expect(await page.getByRole("navigation", { name: "Breadcrumb" }).textContent()).toContain(title);
  }
  await page.keyboard.press("g");
  await page.keyboard.press("s");
  await page.getByRole("heading", { name: "Stores", level: 1 }).waitFor();
  await page.keyboard.press("?");
  const shortcuts = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  for (const words of ["Add a storeN", "Next rowJ", "Search and go anywhereCtrl K", "DevicesGD"]) {
    await shortcuts.getByText(words.replace(/(N|J|Ctrl K|GD)$/, ""), { exact: true }).waitFor();
    expect(await shortcuts.textContent()).toContain(words);
  }
  await page.keyboard.press("Escape");
  await shortcuts.waitFor({ state: "detached" });
  await page.keyboard.press("[");
  await page.getByRole("button", { name: "Unfold the navigation" }).waitFor();
  await page.goto("/console/nowhere");
  await page.getByText("There is no page at this address.").waitFor();
  await page.getByRole("link", { name: "Go to the overview" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("the search finds pages and things by name", async () => {
  await site.api("POST", "/v1/admin/suppliers", { name: "Northern Retail" });
  const [supplier] = (await site.api<{ items: { id: string }[] }>("GET", "/v1/admin/suppliers")).items;
  const store = await site.api<{ id: string }>("POST", "/v1/admin/stores", {
    supplier_id: supplier?.id,
    name: "<b>Harbour</b> & Co",
    timezone: "Europe/Oslo",
  });
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto("/console");
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Search devices").fill("harb");
  // A name with HTML in it is text, and nothing else.
  await page.getByRole("dialog").getByText("<b>Harbour</b> & Co").waitFor();
  const top = async () => (await page.getByRole("dialog").boundingBox())?.y;
  const before = await top();
  await expectAccessible(page);
  // What is found first is what Enter opens, and the list stays where it was while it changes.
  await page.getByPlaceholder("Search devices").fill("nothing of that kind");
  await page.getByText("Nothing of that name").waitFor();
  expect(await top()).toBe(before);
  await page.getByPlaceholder("Search devices").fill("harb");
  await page.getByRole("dialog").getByText("<b>Harbour</b> & Co").waitFor();
  await page.keyboard.press("Enter");
  await page.waitForURL(`**/console/stores/${store.id}`);
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("the theme is chosen and kept", async () => {
  const visit = await site.visit({ colorScheme: "light" });
  await signInByToken(visit);
  const { page, context } = visit;
  await page.goto("/console");
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  await page.getByRole("button", { name: "Use the dark theme" }).click();
  await page.getByRole("button", { name: "Use the light theme" }).waitFor();
  await soon(ground, "rgb(22, 22, 21)");
  await page.reload();
  await page.getByRole("button", { name: "Use the light theme" }).waitFor();
  await soon(ground, "rgb(22, 22, 21)");
  await context.close();
}, 300_000);

test("while the server is away the page says so, and goes on by itself", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context } = visit;
  await page.goto("/console");
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByPlaceholder("Search devices").waitFor();
  await context.setOffline(true);
  await page.getByPlaceholder("Search devices").fill("anything");
  await page.getByText("The server does not answer").waitFor();
  await expectAccessible(page);
  await context.setOffline(false);
  await page.getByText("The server does not answer").waitFor({ state: "detached" });
  await context.close();
}, 300_000);

test("on a phone nothing lies over anything else or sticks out, at any page's head", async () => {
  const [store] = (await site.api<{ items: { id: string }[] }>("GET", "/v1/admin/stores")).items;
  const longest = "A store whose name is longer than the whole width of a telephone";
  await site.api("PATCH", `/v1/admin/stores/${store?.id}`, { name: longest });
  const visit = await site.visit({ viewport: { width: 340, height: 720 } });
  await signInByToken(visit);
  const { page, context, faults } = visit;
  for (const [path, title] of [
    ["", "Overview"],
    ["/devices", "Devices"],
    ["/stores?view=map", "Stores"],
    [`/stores/${store?.id}`, longest],
    ["/content", "Content"],
  ]) {
    await page.goto(`/console${path}`);
    await page.getByRole("heading", { name: title ?? "", level: 1 }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(340);
    const way = await page.getByRole("navigation", { name: "Breadcrumb" }).locator("[aria-current]").boundingBox();
    const search = await page.getByRole("button", { name: "Search", exact: true }).boundingBox();
    expect((way?.x ?? 999) + (way?.width ?? 999)).toBeLessThanOrEqual(search?.x ?? 0);
  }
  await page.getByRole("button", { name: "Navigation", exact: true }).click();
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Devices" }).click();
  await page.getByRole("heading", { name: "Devices", level: 1 }).waitFor();
  await page.getByRole("navigation", { name: "Main" }).waitFor({ state: "hidden" });
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("the first look while the server fails says so, and the page comes when it is back", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context } = visit;
  await page.route("**/v1/admin/me", (route) => route.abort("connectionrefused"));
  await page.goto("/console/stores");
  await page.getByRole("alert").getByText("The server does not answer").waitFor();
  await page.unroute("**/v1/admin/me");
  await page.getByRole("heading", { name: "Stores", level: 1 }).waitFor();
  await context.close();
}, 300_000);
