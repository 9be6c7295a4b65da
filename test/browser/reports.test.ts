import { afterAll, beforeAll, expect, test } from "bun:test";
import { expectAccessible, signInByToken, soon } from "./acts.ts";
import { HTML_NAME, type PlayedNetwork, plusDays, seedPlays, until } from "./proof-seed.ts";
import { openSite, type Site } from "./site.ts";

let site: Site;
let network: PlayedNetwork;

beforeAll(async () => {
  site = await openSite();
  network = await seedPlays(site);
}, 300_000);
afterAll(() => site.close());

interface Campaign {
  name: string;
  brand_name: string;
  archived_at: string | null;
}
const campaign = (id: string) => site.api<Campaign>("GET", `/v1/admin/campaigns/${id}`);
const range = () => `from=${plusDays(network.day, -1)}&to=${plusDays(network.day, 1)}`;

test("campaigns are listed with their delivery, made, changed by two people at once, archived and taken back", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto("/console/campaigns");
  const table = page.getByRole("region", { name: "Table of campaigns" });
  // A name that is HTML stays text.
  await table.getByText(HTML_NAME, { exact: true }).waitFor();
  expect(await page.title()).toBe("Campaigns · Alive Signage");
  await table.getByRole("row", { name: "Sugar free launch" }).getByText(String(network.played[1]), { exact: true }).waitFor();
  await expectAccessible(page);

  await page.keyboard.press("n");
  await page.getByRole("textbox", { name: "Name" }).fill("Advent calendar");
  await page.getByLabel("First day").fill("2026-12-24");
  await page.getByLabel("Last day").fill("2026-12-01");
  await page.getByRole("button", { name: "Make campaign" }).click();
  await page.getByText("Say whose campaign it is").waitFor();
  await page.getByText("The last day is before the first").waitFor();
  await page.getByRole("combobox", { name: "Brand" }).fill("Cola");
  await page.getByLabel("First day").fill("2026-12-01");
  await page.getByLabel("Last day").fill("2026-12-24");
  await page.getByRole("button", { name: "Make campaign" }).click();
  await page.getByRole("heading", { name: "Advent calendar", level: 1 }).waitFor();
  const id = page.url().split("/").at(-1) ?? "";
  expect((await campaign(id)).brand_name).toBe("Cola");
  await expectAccessible(page);

  await page.getByRole("button", { name: "Edit" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Advent, mine");
  await site.api("PATCH", `/v1/admin/campaigns/${id}`, { name: "Advent, theirs" });
  await page.getByRole("button", { name: "Save" }).click();
  const conflict = page.getByRole("alert").filter({ hasText: "Somebody else changed this meanwhile" });
  await conflict.getByText("Advent, theirs", { exact: true }).waitFor();
  await soon(async () => await page.getByRole("textbox", { name: "Name" }).inputValue(), "Advent, mine");
  await page.getByRole("button", { name: "Save mine over theirs" }).click();
  await page.getByRole("heading", { name: "Advent, mine", level: 1 }).waitFor();
  expect((await campaign(id)).name).toBe("Advent, mine");

  await page.getByRole("tab", { name: "Ad groups" }).click();
  await page.getByRole("button", { name: "New ad group" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Night");
  await page.getByRole("button", { name: "Make ad group" }).click();
  await page.getByRole("region", { name: "Table of ad groups" }).getByRole("link", { name: "Night" }).waitFor();

  await page.getByRole("button", { name: "Archive", exact: true }).click();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("Taken back").waitFor();
  expect((await campaign(id)).archived_at).toBeNull();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("a campaign tells planned against played, by store, and its content and playlists", async () => {
  const visit = await site.visit({ colorScheme: "dark" });
  await signInByToken(visit);
  const { page, context, faults } = visit;
  const [{ id } = { id: "" }] = network.campaigns;
  await page.goto(`/console/campaigns/${id}`);
  await page.getByText(new RegExp(`With today ${network.played[0]} played, \\d+ billable, of [\\d,]+ planned`)).waitFor();
  const stores = page.getByRole("region", { name: "Table of stores" });
  await soon(async () => await stores.getByRole("row").count(), 5);
  await page.getByRole("region", { name: "Plays a day, planned and played" }).getByRole("button", { name: "Table" }).click();
  await page.getByRole("columnheader", { name: "Planned" }).first().waitFor();
  await expectAccessible(page);
  await page.getByRole("tab", { name: "Content and playlists" }).click();
  await page.getByRole("link", { name: "Window, autumn" }).waitFor();
  await page.getByRole("region", { name: "Table of contents" }).getByRole("link", { name: "Autumn 15 s" }).waitFor();
  await expectAccessible(page);
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("a report is asked, kept in its address, saved as a view, and downloaded as the same numbers", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto(`/console/reports?${range()}`);
  const rows = page.getByRole("region", { name: "Table of rows" });
  await rows.getByText("Filler").waitFor();
  const all = network.played.reduce((sum, one) => sum + one, 0);
  await page.getByRole("link", { name: String(all), exact: true }).waitFor();
  await expectAccessible(page);

  await page.getByRole("button", { name: "Group by" }).click();
  await page.getByRole("menuitemcheckbox", { name: "Store" }).click();
  await page.keyboard.press("Escape");
  await page.waitForURL(/group_by=campaign%2Cstore/);
  await page.getByRole("search", { name: "Filters" }).getByRole("button", { name: "Campaign", exact: true }).click();
  await page.getByRole("combobox", { name: "Campaign" }).fill("sugar");
  await page.getByRole("option", { name: "Sugar free launch" }).click();
  await page.keyboard.press("Escape");
  await page.waitForURL(new RegExp(`campaign_id=${network.campaigns[1]?.id}`));
  await until(async () => (await rows.getByRole("row").count()) === 5);
  await page
    .getByRole("link", { name: String(network.played[1]), exact: true })
    .first()
    .waitFor();

  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download CSV" }).click()]);
  const text = await Bun.file(await file.path()).text();
  const lines = text.trim().split("\r\n");
  expect(lines.length).toBe(6);
  expect(lines.slice(1, 5).every((line) => line.includes("Sugar free launch"))).toBe(true);
  const place = lines[0]?.split(",").indexOf("plays_count") ?? -1;
  expect(lines.at(-1)?.split(",")[place]).toBe(String(network.played[1]));

  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("menuitem", { name: "Save this view" }).click();
  await page.getByRole("textbox", { name: "Name" }).fill("Cola by store");
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.goto("/console/reports");
  await page.getByRole("button", { name: "Views" }).click();
  await page.getByRole("menuitem", { name: "Cola by store" }).click();
  await page.waitForURL(new RegExp(`group_by=campaign%2Cstore.*campaign_id=${network.campaigns[1]?.id}`));
  await until(async () => (await rows.getByRole("row").count()) === 5);

  await page.getByText("Planned against played").click();
  await page.waitForURL(/kind=planned/);
  await page.getByRole("columnheader", { name: "Delivery" }).waitFor();
  // What was completed opens down to those plays; the last day is not over, so that its delivery is neither good nor bad.
  const row = rows.getByRole("row").nth(1);
  expect(await row.getByRole("link").last().getAttribute("href")).toMatch(/^\/console\/reports\/plays\?.*billable=true$/);
  await soon(async () => await row.locator('a[href*="status=COMPLETED"]').count(), 1);
  await soon(async () => await rows.locator(".state").count(), 0);
  await page.getByText("played of planned; the last day is not over").waitFor();
  await page.goto("/console/reports?from=2020-01-01&to=2026-11-01");
  await page.getByRole("alert").getByText("a report covers 400 days at most").first().waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("every number opens down to its plays, by device or in the archive, and each play to its proof", async () => {
  const visit = await site.visit({ colorScheme: "dark" });
  await signInByToken(visit);
  const { page, context, faults } = visit;
  const figure = network.played[2] ?? 0;
  await page.goto(`/console/reports?${range()}&group_by=campaign`);
  await page
    .getByRole("row", { name: "City bikes" })
    .getByRole("link", { name: String(figure), exact: true })
    .first()
    .click();
  // Its days, of which there is one; the devices of that day, which sum up to it; the plays of one of them.
  const days = page.getByRole("region", { name: "Table of days" });
  await days.getByRole("row").nth(1).getByText(String(figure), { exact: true }).waitFor();
  await days.getByRole("link").first().click();
  await page.getByText(`By device, ${figure} together`).waitFor();
  await expectAccessible(page);
  const devices = page.getByRole("region", { name: "Table of devices" });
  const ofFirst = Number(await devices.getByRole("row").nth(1).locator("td").last().textContent());
  await devices.getByRole("link").first().click();
  const plays = page.getByRole("region", { name: "Table of plays" });
  await page.getByText("From the single plays in the database, newest first.").waitFor();
  await soon(async () => await plays.getByRole("row").count(), ofFirst + 1);
  await expectAccessible(page);
  await plays.getByRole("link").first().click();

  await page.getByText("Proved: the record is the one that was recorded, and its device signed it.").waitFor();
  await page.getByText("This browser finds so too").waitFor();
  await expectAccessible(page);
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download proof" }).click()]);
  const proof = (await Bun.file(await file.path()).json()) as { play: { campaign_name: string }; signature_holds: boolean };
  expect([proof.play.campaign_name, proof.signature_holds]).toEqual(["City bikes", true]);

  // The same plays without a device: from the archive of the day, as many.
  await page.goto(`/console/reports/plays?day=${network.day}&campaign_id=${network.campaigns[2]?.id}`);
  await page.getByRole("button", { name: "All plays of the day" }).click();
  await page.getByText("From the day's files in the archive").waitFor();
  await page.getByText(`${figure} plays`, { exact: false }).first().waitFor();
  await plays.getByRole("link").first().click();
  await page.getByText("This browser finds so too").waitFor();
  expect(page.url()).toContain("segment_id=");

  // An archive that somebody changed is told, and proves nothing.
  await site.stack.sql("UPDATE segments SET sha256 = 'x'");
  await page.reload();
  await page.getByText("The part of the archive that holds this play cannot be read").waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("an advertiser sees its own brand's campaigns and plays, and nothing of others", async () => {
  const own = network.campaigns[1];
  const viewer = await site.api<{ token: string }>("POST", "/v1/admin/tokens", {
    name: "Cola",
    role: "viewer",
    scope: { brand_name: "Cola" },
  });
  const visit = await site.visit();
  await signInByToken(visit, viewer.token);
  const { page, context, faults } = visit;
  await page.goto("/console/campaigns");
  const table = page.getByRole("region", { name: "Table of campaigns" });
  await table.getByText("Sugar free launch").waitFor();
  await soon(async () => await table.getByText("City bikes").count(), 0);
  await soon(async () => await page.getByRole("button", { name: "New campaign" }).count(), 0);
  await page.goto(`/console/campaigns/${network.campaigns[2]?.id}`);
  await page.getByRole("alert").waitFor();
  await page.goto(`/console/reports?${range()}`);
  const rows = page.getByRole("region", { name: "Table of rows" });
  await rows
    .getByRole("link", { name: String(network.played[1]), exact: true })
    .first()
    .waitFor();
  // One row of figures, or two where the brand has another campaign: none of others.
  await soon(async () => await rows.getByText(/City bikes|Breakfast menu|Filler/).count(), 0);
  await page.goto(`/console/reports/plays?day=${network.day}&campaign_id=${network.campaigns[2]?.id}&device_id=${network.devices[0]?.id}`);
  await page.getByText("No play of this day is like that.").waitFor();
  expect(own?.brand).toBe("Cola");
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);
