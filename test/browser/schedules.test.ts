import { afterAll, beforeAll, expect, test } from "bun:test";
import { ADMIN_TOKEN } from "../stack/stack.ts";
import { expectAccessible, signInByToken, soon } from "./acts.ts";
import { makeProgramme, type Programme, tokenOf } from "./programme.ts";
import { openSite, type Site } from "./site.ts";

let site: Site;
let programme: Programme;
beforeAll(async () => {
  site = await openSite();
  programme = await makeProgramme(site, { stores: 2, contents: 4 });
}, 300_000);
afterAll(() => site.close());

interface Shown {
  name: string;
  target_type: string;
  target_id: string;
  timezone: string;
  rules: Record<string, unknown>;
}

test("a week shows what plays, what is covered and what is empty, and says what plays at a time and why", async () => {
  const visit = await site.visit({ viewport: { width: 1500, height: 950 } });
  await signInByToken(visit);
  const { page, context, faults } = visit;
  const where = `GROUP:${programme.groups[0]?.id}`;
  await page.goto(`/console/schedules?where=${where}&week=2026-11-23`);
  await page.getByText("23 Nov 2026 – 29 Nov 2026").waitFor();
  await page.locator(".piece-plays").filter({ hasText: "Mornings" }).first().waitFor();
  // Those that share an hour stand in one box by their names, each of which leads to its schedule.
  await soon(async () => await page.locator(".piece-shares").count(), 5);
  expect(await page.locator(".piece-shares").first().getByRole("link").allTextContents()).toEqual(["Mornings", "Days"]);
  await soon(async () => await page.locator(".piece-covered").filter({ hasText: "covered by Black Friday" }).count(), 1);
  const findings = page.getByRole("region", { name: "Conflicts and gaps" });
  await findings.getByText("Fri 12:00–17:00").waitFor();
  await findings.getByText("Black Friday (priority 10) stands before Days.").waitFor();
  await findings.getByText("Mon–Fri 10:00–11:00").waitFor();
  await findings.getByText("2 share the loop by weight: Mornings, Days.").waitFor();
  await findings.getByText("Nothing scheduled: nothing plays.").waitFor();
  await expectAccessible(page);

  const asked = page.getByRole("region", { name: "What plays here at…" });
  await asked.getByLabel("Time, by the store's clock").fill("2026-11-27T13:00");
  await asked.getByText("Black Friday plays.").waitFor();
  await asked.getByText("Is covered by Black Friday, of priority 10.").waitFor();
  await asked.getByText("27 Nov, 13:00, Europe/Oslo").waitFor();
  await asked.getByLabel("Time, by the store's clock").fill("2026-11-25T10:30");
  await asked.getByText(/2 schedules share the loop: (Mornings and Days|Days and Mornings)\./).waitFor();
  // The next week, by keyboard; the address says so.
  await page.locator("h1").click();
  await page.keyboard.press("]");
  await page.waitForURL("**week=2026-11-30**");
  await page.getByText("30 Nov 2026 – 6 Dec 2026").waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("a schedule is written in words and painted at once; it is drawn where it was meant for; an ended session loses nothing", async () => {
  const visit = await site.visit({ colorScheme: "dark", viewport: { width: 1500, height: 950 } });
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto(`/console/schedules/new?where=GROUP:${programme.groups[1]?.id}`);
  await page.getByLabel("Name").fill("<u>Lunch</u>");
  await page.getByRole("combobox", { name: "Playlist" }).click();
  await page.getByRole("option", { name: "House loop" }).click();
  await soon(async () => await page.getByRole("combobox", { name: "Plays on" }).inputValue(), "Tills");
  await page.getByLabel("In words").fill("Mon–Fri 11:30–14:00, store time, from 1 Nov 2026 until 24 Dec 2026");
  await page.getByRole("img", { name: "When it plays: Mon–Fri 11:30–14:00" }).waitFor();
  await soon(async () => await page.getByLabel("First day").inputValue(), "2026-11-01");
  await page.getByLabel("Last day").fill("2026-12-23");
  await soon(
    async () => await page.getByLabel("In words").inputValue(),
    "Mon–Fri 11:30–14:00, store time, from 1 Nov 2026, until 23 Dec 2026",
  );
  await page.getByLabel("Priority").fill("5");
  await page.getByLabel("At most, an hour").fill("6");
  await page.getByLabel("A day to leave out").fill("2026-12-08");
  await page.getByRole("button", { name: "Leave out" }).click();
  await expectAccessible(page);

  // The session ends while the form is open.
  await page.evaluate(() => sessionStorage.setItem("alive.token", "alive_ended"));
  await page.getByRole("button", { name: "Add schedule" }).click();
  const again = page.getByRole("dialog", { name: "Sign in again" });
  await again.getByRole("button", { name: "Sign in with an API token" }).click();
  await again.getByLabel("API token").fill(ADMIN_TOKEN);
  await again.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.waitForURL("**/console/schedules?where=**");
  await page.getByText("Added <u>Lunch</u>").waitFor();
  const { items } = await site.api<{ items: Shown[] }>("GET", `/v1/admin/schedules?target_id=${programme.groups[1]?.id}`);
  expect(items).toHaveLength(1);
  expect(items[0]).toMatchObject({
    name: "<u>Lunch</u>",
    timezone: "store",
    rules: {
      priority: 5,
      start_date: "2026-11-01",
      end_date: "2026-12-23",
      dayparts: [{ days: ["mon", "tue", "wed", "thu", "fri"], from: "11:30", to: "14:00" }],
      frequency_cap: { max_plays_per_hour: 6 },
      exclusions: { dates: ["2026-12-08"] },
    },
  });
  await page.goto(`/console/schedules?where=GROUP:${programme.groups[1]?.id}&week=2026-12-07`);
  const drawn = page.locator(".piece-plays").filter({ hasText: "<u>Lunch</u>" });
  await drawn.first().waitFor();
  // Tuesday, 8 December, is left out.
  await soon(async () => await drawn.count(), 4);
  await drawn.first().click();
  await page.getByRole("heading", { name: "<u>Lunch</u>", level: 1 }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("two who edit a schedule are told of each other; its deletion asks for the name", async () => {
  const schedule = programme.schedules[0];
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto(`/console/schedules/${schedule?.id}`);
  await page.getByLabel("Name").fill("Early mornings");
  await site.api("PATCH", `/v1/admin/schedules/${schedule?.id}`, { name: "Late mornings" });
  await page.getByRole("button", { name: "Save", exact: true }).click();
  const conflict = page.getByRole("alert").filter({ hasText: "Somebody else changed this meanwhile" });
  await conflict.getByRole("row", { name: "Name Late mornings Early mornings" }).waitFor();
  await conflict.getByRole("button", { name: "Take theirs" }).click();
  await soon(async () => await page.getByLabel("Name").inputValue(), "Late mornings");

  await page.goto("/console/schedules?view=list&q=Days");
  await page.getByRole("cell", { name: "Mon–Fri 10:00–17:00, store time; weight 2" }).waitFor();
  await expectAccessible(page);
  await page.getByRole("row", { name: /Days/ }).hover();
  await page.getByRole("button", { name: "Actions of this row" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  const dialog = page.getByRole("dialog", { name: "Delete schedule" });
  await soon(async () => await dialog.getByRole("button", { name: "Delete schedule" }).isDisabled(), true);
  await dialog.getByLabel(/^Type/).fill("Days");
  await dialog.getByRole("button", { name: "Delete schedule" }).click();
  await page.getByText("No schedule is like that.").waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("a takeover is started and lifted; a viewer at an operator's address is told", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto("/console/schedules?view=takeovers");
  await page.getByRole("button", { name: "Take over", exact: true }).click();
  const form = page.getByRole("dialog", { name: "Take over screens" });
  await form.getByLabel("Name").fill("Leave the building");
  await form.getByRole("combobox", { name: "Where" }).click();
  await page.getByRole("option", { name: "Oslo Aker Brygge" }).click();
  await form.getByRole("combobox", { name: "What is shown" }).click();
  await page.getByRole("option", { name: "House loop" }).click();
  await page.getByRole("listbox").waitFor({ state: "hidden" });
  await expectAccessible(page);
  await form.getByRole("button", { name: "Take over 2 devices" }).click();
  const row = page.getByRole("row", { name: /Leave the building/ });
  await row.getByText("On now").waitFor();
  await page.getByText("1 takeover on now: Leave the building").waitFor();
  await row.getByRole("button", { name: "Lift" }).click();
  await row.getByText("Lifted").waitFor();
  expect((await site.api<{ items: { active: boolean }[] }>("GET", "/v1/admin/takeovers")).items).toMatchObject([{ active: false }]);
  expect(faults).toEqual([]);
  await context.close();

  const viewer = await site.visit();
  await signInByToken(viewer, await tokenOf(site, "viewer"));
  await viewer.page.goto("/console/schedules/new");
  await viewer.page.getByText("Adding a schedule takes role operator or admin.").waitFor();
  await viewer.page.goto(`/console/schedules/${programme.schedules[2]?.id}`);
  await viewer.page.getByRole("img", { name: "When it plays: Fri, Sat 12:00–20:00" }).waitFor();
  await soon(async () => await viewer.page.getByRole("button", { name: /Save|Archive|Take over/ }).count(), 0);
  expect(viewer.faults).toEqual([]);
  await viewer.context.close();
}, 300_000);
