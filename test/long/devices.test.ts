import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { expectAccessible, signInByToken, soon } from "../browser/acts.ts";
import { seedDevices } from "../browser/seed.ts";
import { openSite, type Site, type Visit } from "../browser/site.ts";

const DEVICES = 5000;

let site: Site;
beforeAll(async () => {
  site = await openSite();
  await seedDevices(site, DEVICES);
}, 300_000);
afterAll(() => site.close());

async function open(path: string): Promise<Visit> {
  const visit = await site.visit();
  await signInByToken(visit);
  await visit.page.goto(`/console${path}`);
  return visit;
}

const rowsDrawn = (page: Page) => page.locator("tr[data-row]").count();
const firstCell = (page: Page, index: number) => page.locator(`tr[data-row="${index}"] .row-link`).textContent();

describe("the list of devices", () => {
  test("all 5,000 are there, few are drawn, and it scrolls to the last", async () => {
    const { page, context, faults } = await open("/devices");
    await page.getByText("5,000 devices", { exact: false }).waitFor();
    expect(await rowsDrawn(page)).toBeLessThan(100);
    expect(await firstCell(page, 0)).toBe("Screen 0001");
    await page.locator(".table-frame").evaluate((frame) => frame.scrollTo(0, frame.scrollHeight));
    await page.getByText("Screen 5000").waitFor();
    expect(await rowsDrawn(page)).toBeLessThan(100);
    expect(await page.getByRole("table").getAttribute("aria-rowcount")).toBe("5001");
    expect(faults).toEqual([]);
    await context.close();
  }, 300_000);

  test("filters stand in the address, and hold after a reload; columns are sorted and chosen", async () => {
    const { page, context, faults } = await open("/devices");
    await page.getByPlaceholder("Search by name").fill("Screen 001");
    await page.getByText("10 devices", { exact: false }).waitFor();
    expect(new URL(page.url()).search).toBe("?q=Screen+001");
    await page.getByRole("button", { name: "Filter", exact: true }).click();
    await page.getByRole("menuitem", { name: "Connection" }).click();
    await page.getByPlaceholder("Choose connection").click();
    await page.getByRole("option", { name: "Offline", exact: true }).click();
    await page.getByText("1 device", { exact: false }).waitFor();
    await page.reload();
    await page.getByText("1 device ·").waitFor();
    expect(new URL(page.url()).search).toBe("?q=Screen+001&offline=true");
    expect(await firstCell(page, 0)).toBe("Screen 0017");
    await page.getByRole("button", { name: "Clear all" }).click();
    await page.getByText("5,000 devices", { exact: false }).waitFor();
    await page.getByRole("columnheader", { name: "Name" }).getByRole("button").click();
    expect(await page.getByRole("columnheader", { name: "Name" }).getAttribute("aria-sort")).toBe("descending");
    expect(await firstCell(page, 0)).toBe("Screen 5000");
    await page.getByRole("button", { name: "Columns" }).click();
    await page.getByRole("menuitemcheckbox", { name: "Player" }).click();
    await soon(async () => await page.getByRole("columnheader", { name: "Player" }).count(), 0);
    await page.keyboard.press("Escape");
    await page.getByRole("menu").waitFor({ state: "detached" });
    await expectAccessible(page);
    expect(faults).toEqual([]);
    await context.close();
  }, 300_000);

  test("J, K and X move and select, Enter opens", async () => {
    const { page, context, faults } = await open("/devices");
    await page.getByText("5,000 devices", { exact: false }).waitFor();
    for (const key of ["j", "j", "j", "k", "x"]) await page.keyboard.press(key);
    await page.getByText("1 device selected").waitFor();
    expect(await page.locator('tr[data-row="1"]').getAttribute("aria-selected")).toBe("true");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Screen 0002", level: 1 }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  }, 300_000);

  test("several are moved at once, and moved back by undo", async () => {
    const group = await site.api<{ id: string }>("POST", "/v1/admin/device-groups", { name: "Checkout screens" });
    const { page, context, faults } = await open("/devices?q=Screen+002");
    await page.getByText("10 devices", { exact: false }).waitFor();
    await page.getByRole("checkbox", { name: "Select all devices" }).check();
    await page.getByRole("button", { name: "Move", exact: true }).click();
    await page.getByRole("combobox", { name: "Group" }).click();
    await page.getByRole("option", { name: "Checkout screens" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Move", exact: true }).click();
    await page.getByText("10 devices moved").waitFor();
    const there = async () => (await site.api<{ items: unknown[] }>("GET", `/v1/admin/devices?group_id=${group.id}`)).items.length;
    expect(await there()).toBe(10);
    await page.getByRole("button", { name: "Undo" }).click();
    await page.getByText("Taken back").waitFor();
    expect(await there()).toBe(0);
    expect(faults).toEqual([]);
    await context.close();
  }, 300_000);
});

test("the overview says what is offline and refused, and is accessible in both themes", async () => {
  for (const colorScheme of ["light", "dark"] as const) {
    const visit = await site.visit({ colorScheme });
    await signInByToken(visit);
    const { page, context, faults } = visit;
    await page.goto("/console");
    await page.getByText("289 offline").waitFor();
    await page.getByText("Nothing was refused.").waitFor();
    await page.getByRole("button", { name: "Table" }).click();
    expect(
      await page
        .getByRole("region", { name: /How many plays/ })
        .getByRole("row")
        .count(),
    ).toBe(61);
    await expectAccessible(page);
    expect(faults).toEqual([]);
    await context.close();
  }
}, 300_000);
