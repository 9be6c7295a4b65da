import { afterAll, beforeAll, expect, test } from "bun:test";
import { expectAccessible, signInByToken, soon } from "../browser/acts.ts";
import { makeProgramme, type Programme, tokenOf, wakeDevices } from "../browser/programme.ts";
import { openSite, type Site } from "../browser/site.ts";

const HOSTILE = `<img src=x onerror="document.title='taken'"> & Sons`;

let site: Site;
let programme: Programme;
beforeAll(async () => {
  site = await openSite();
  programme = await makeProgramme(site, { stores: 5, contents: 1 });
  await wakeDevices(site, programme);
  await site.api("POST", "/v1/admin/stores", {
    supplier_id: programme.supplierId,
    name: HOSTILE,
    timezone: "Asia/Tokyo",
    lat: 35.68,
    lng: 139.76,
  });
}, 300_000);
afterAll(() => site.close());

interface StoreAnswer {
  id: string;
  name: string;
  version: number;
  city: string | null;
  archived_at: string | null;
  operating_hours: unknown;
}

const read = (id: string) => site.api<StoreAnswer>("GET", `/v1/admin/stores/${id}`);

test("stores are listed with their devices' state, searched by the address, and opened by keyboard", async () => {
  const visit = await site.visit({ colorScheme: "dark" });
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto("/console/stores");
  const row = page.getByRole("row", { name: /Bergen Bryggen/ });
  await row.getByText("2 of 2 online").waitFor();
  await row.getByText("Europe/Oslo").waitFor();
  await page
    .getByRole("row", { name: /Oslo Grünerløkka/ })
    .getByText("1 of 2 offline")
    .waitFor();
  // A name with HTML in it is text, and nothing else.
  await page.getByText(HOSTILE).waitFor();
  await soon(async () => await page.locator("img[src=x]").count(), 0);
  await expectAccessible(page);
  await page.getByLabel("Search stores").fill("oslo");
  await page.waitForURL("**/stores?q=oslo");
  await page.getByText("2 stores · refreshed").waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Oslo Aker Brygge", level: 1 }).waitFor();
  await page.getByRole("img", { name: "Opening hours: Mon–Fri 08:00–20:00, Sat 09:00–18:00" }).waitFor();
  await page.getByText("25 Dec 2026 closed; 31 Dec 2026 09:00–14:00").waitFor();
  await page.getByRole("cell", { name: "Oslo Aker Brygge till 1" }).waitFor();
  await expectAccessible(page);
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("the map needs no network but the console's own, gathers what lies together, and leads to a store", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto("/console/stores?view=map");
  await page.getByText("6 stores on the map").waitFor();
  const cluster = page.getByRole("button", { name: /4 stores, ?1 of 8 offline/ });
  await cluster.waitFor();
  await expectAccessible(page);
  await cluster.click();
  const bergen = page.getByRole("link", { name: /Bergen Bryggen 2 of 2 online/ });
  await bergen.waitFor();
  await page.getByRole("button", { name: "Show all stores" }).click();
  await cluster.waitFor();
  await cluster.click();
  await bergen.click();
  await page.getByRole("heading", { name: "Bergen Bryggen", level: 1 }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("a store is added with hours in words; they are painted too; two people who edit it are told of each other", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto("/console/stores");
  await page.getByRole("button", { name: "Add store" }).click();
  const form = page.getByRole("dialog", { name: "Add store" });
  await form.getByRole("button", { name: "Add store" }).click();
  // What is missing is said by the server, at its field.
  await form.getByText("Look at these fields:").waitFor();
  await form.getByLabel("Name").fill("Tromsø Storgata");
  await form.getByRole("combobox", { name: "Supplier" }).click();
  await page.getByRole("option", { name: "Northern Retail" }).click();
  await form.getByRole("combobox", { name: "Time zone" }).fill("Oslo");
  await page.getByRole("option", { name: /Europe\/Oslo/ }).click();
  await form.getByLabel("These hours").check();
  await form.getByLabel("The same in words").fill("weekdays 8-18, whenever");
  await form.getByText("“whenever” is not understood").waitFor();
  await form.getByLabel("The same in words").fill("weekdays 8-18; Sat 9am-2pm");
  const grid = form.getByRole("img", { name: /^Opening hours/ });
  await form.getByRole("img", { name: "Opening hours: Mon–Fri 08:00–18:00, Sat 09:00–14:00" }).waitFor();
  // Sunday, 10:00 to 12:00, painted.
  const box = await grid.locator(".week-lanes").boundingBox();
  if (!box) throw new Error("the grid is not there");
  const at = (hour: number) => box.x + (box.width * (hour + 0.1)) / 24;
  await page.mouse.move(at(10), box.y + box.height - 8);
  await page.mouse.down();
  await page.mouse.move(at(11.5), box.y + box.height - 8);
  await page.mouse.up();
  await soon(async () => await form.getByLabel("The same in words").inputValue(), "Mon–Fri 08:00–18:00, Sat 09:00–14:00, Sun 10:00–12:00");
  await expectAccessible(page);
  await form.getByRole("button", { name: "Add store" }).click();
  await page.getByRole("heading", { name: "Tromsø Storgata", level: 1 }).waitFor();
  const id = new URL(page.url()).pathname.split("/").at(-1) ?? "";
  const weekday = [{ from: "08:00", to: "18:00" }];
  expect((await read(id)).operating_hours).toEqual({
    ...{ mon: weekday, tue: weekday, wed: weekday, thu: weekday, fri: weekday },
    sat: [{ from: "09:00", to: "14:00" }],
    sun: [{ from: "10:00", to: "12:00" }],
  });

  await page.getByRole("button", { name: "Edit" }).click();
  const edit = page.getByRole("dialog", { name: "Edit Tromsø Storgata" });
  await edit.getByLabel("City").fill("Tromsø");
  await site.api("PATCH", `/v1/admin/stores/${id}`, { city: "Tromso" });
  await edit.getByRole("button", { name: "Save", exact: true }).click();
  await edit.getByText("Somebody else changed this meanwhile").waitFor();
  await edit.getByRole("row", { name: "City Tromso Tromsø" }).waitFor();
  await edit.getByRole("button", { name: "Save mine over theirs" }).click();
  await edit.waitFor({ state: "detached" });
  expect((await read(id)).city).toBe("Tromsø");

  await page.getByRole("button", { name: "Archive" }).click();
  await page.getByText("Archived Tromsø Storgata").waitFor();
  expect((await read(id)).archived_at).not.toBeNull();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("Taken back").waitFor();
  expect((await read(id)).archived_at).toBeNull();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("a store that devices stand in is kept, in words; a viewer may look and is offered nothing to change", async () => {
  const visit = await site.visit({ viewport: { width: 390, height: 800 } });
  await signInByToken(visit, await tokenOf(site, "viewer"));
  const { page, context, faults } = visit;
  await page.goto(`/console/stores/${programme.stores[0]?.id}`);
  await page.getByRole("heading", { name: "Oslo Aker Brygge", level: 1 }).waitFor();
  await page.getByText("2 of 2 online").waitFor();
  await soon(async () => await page.getByRole("button", { name: "Edit" }).count(), 0);
  await page.keyboard.press("e");
  await soon(async () => await page.getByRole("dialog").count(), 0);
  // Phone-wide, nothing sticks out at the side.
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(390);
  await context.close();

  const operator = await site.visit();
  await signInByToken(operator, await tokenOf(site, "operator"));
  await operator.page.goto("/console/stores?q=Trondheim");
  await operator.page.getByRole("row", { name: /Trondheim/ }).hover();
  await operator.page.getByRole("button", { name: "Actions of this row" }).click();
  await operator.page.getByRole("menuitem", { name: "Delete" }).click();
  const dialog = operator.page.getByRole("dialog", { name: "Delete store" });
  await dialog.getByLabel(/^Type/).fill("Trondheim Torg");
  await dialog.getByRole("button", { name: "Delete store" }).click();
  await dialog
    .getByRole("alert")
    .getByText(/device/)
    .waitFor();
  await dialog.getByRole("button", { name: "Cancel" }).click();

  // One that nothing names goes, and comes back as it was.
  const made = { supplier_id: programme.supplierId, name: "Pop-up", timezone: "Europe/Oslo", city: "Oslo", lat: 59.91, lng: 10.75 };
  const { id } = await site.api<StoreAnswer>("POST", "/v1/admin/stores", made);
  await operator.page.goto("/console/stores?q=Pop-up");
  await operator.page.getByRole("row", { name: /Pop-up/ }).hover();
  await operator.page.getByRole("button", { name: "Actions of this row" }).click();
  await operator.page.getByRole("menuitem", { name: "Delete" }).click();
  await dialog.getByLabel(/^Type/).fill("Pop-up");
  await dialog.getByRole("button", { name: "Delete store" }).click();
  await operator.page.getByText("Deleted Pop-up").waitFor();
  await operator.page.getByText("No store is like that.").waitFor();
  await operator.page.getByRole("button", { name: "Undo" }).click();
  await operator.page.getByText("Taken back").waitFor();
  await operator.page.getByRole("row", { name: /Pop-up/ }).waitFor();
  const [back] = (await site.api<{ items: StoreAnswer[] }>("GET", "/v1/admin/stores?q=Pop-up")).items;
  expect(back).toMatchObject(made);
  expect(back?.id).not.toBe(id);
  expect([...faults, ...operator.faults]).toEqual([]);
  await operator.context.close();
}, 300_000);
