import { afterAll, beforeAll, expect, test } from "bun:test";
import { ADMIN_TOKEN } from "../stack/stack.ts";
import { expectAccessible, signInByToken, soon } from "./acts.ts";
import { type PlayedNetwork, seedChecks, seedDeadLetters, seedIncidents, seedPlays, until } from "./proof-seed.ts";
import { openSite, type Site } from "./site.ts";

let site: Site;
let network: PlayedNetwork;
let incidentIds: string[];

beforeAll(async () => {
  site = await openSite();
  network = await seedPlays(site, { playsEach: 10 });
  incidentIds = await seedIncidents(site, network.devices);
  await seedDeadLetters(site, network.devices, 6);
  await seedChecks(site, network.day);
}, 300_000);
afterAll(() => site.close());

interface Incident {
  notes: string | null;
  acknowledged_by: string | null;
  resolved_by: string | null;
  resolved_at: string | null;
}
const incident = (id: string) => site.api<Incident>("GET", `/v1/admin/incidents/${id}`);

test("the inbox lists what is open, is filtered in its address, and is worked through by keyboard", async () => {
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto("/console/incidents");
  const table = page.getByRole("region", { name: "Table of incidents" });
  await table.getByRole("link", { name: "Restarts again and again" }).waitFor();
  await soon(async () => await table.getByRole("row").count(), 10);
  await expectAccessible(page);

  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.getByRole("menuitem", { name: "Severity" }).click();
  await page.getByRole("combobox", { name: "Severity" }).click();
  await page.getByRole("option", { name: "Low" }).click();
  await page.waitForURL("**/console/incidents?severity=low");
  await table.getByText("5 numbers: 812–815, 830").waitFor();
  await soon(async () => await table.getByRole("row").count(), 2);
  await page.getByRole("button", { name: "Clear all" }).click();
  await page.getByText("Resolved", { exact: true }).click();
  await page.waitForURL("**/console/incidents?state=resolved");
  await page.getByText("16 incidents").waitFor();
  await page.getByText("Open", { exact: true }).click();
  await page.getByText("9 incidents").waitFor();

  // Two rows are selected and acknowledged without the mouse.
  for (const key of ["j", "x", "j", "x", "e"]) await page.keyboard.press(key);
  await page.getByText("2 incidents acknowledged").waitFor();
  const kept = await site.api<{ items: unknown[] }>("GET", "/v1/admin/incidents?state=open&acknowledged=true");
  expect(kept.items.length).toBe(2);
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { level: 1 }).filter({ hasNotText: "Incidents" }).waitFor();
  expect(page.url()).toMatch(/\/console\/incidents\/[0-9a-f-]{36}$/);
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("an incident is acknowledged, noted and resolved, and tells what happened; two who write notes are both heard", async () => {
  const [id = ""] = incidentIds;
  const visit = await site.visit({ colorScheme: "dark" });
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto(`/console/incidents/${id}`);
  await page.getByRole("heading", { name: "Offline while its store is open", level: 1 }).waitFor();
  await page.getByText("Nobody has acknowledged it.").waitFor();
  await expectAccessible(page);
  await page.getByRole("textbox", { name: "Notes" }).fill("Called the shop: the fuse.");
  await page.getByRole("button", { name: "Acknowledge" }).click();
  await page.getByText("Secret ADMIN_TOKEN looks after it.").waitFor();

  // What changed is the acknowledgement, not the notes: what was typed stays, and is saved.
  await page.getByRole("button", { name: "Save notes" }).click();
  await page.getByText("Notes saved").waitFor();
  expect((await incident(id)).notes).toBe("Called the shop: the fuse.");
  await page.getByText("Notes by Secret ADMIN_TOKEN").waitFor();

  await page.getByRole("textbox", { name: "Notes" }).fill("<b>Mine</b>");
  await site.api("PATCH", `/v1/admin/incidents/${id}`, { notes: "Theirs" });
  await page.getByRole("button", { name: "Save notes" }).click();
  const conflict = page.getByRole("alert").filter({ hasText: "Somebody else changed this meanwhile" });
  await conflict.getByText("Theirs", { exact: true }).waitFor();
  await conflict.getByText("<b>Mine</b>", { exact: true }).waitFor();
  expect((await incident(id)).notes).toBe("Theirs");
  await page.getByRole("button", { name: "Save mine over theirs" }).click();
  await until(async () => (await incident(id)).notes === "<b>Mine</b>");

  await page.getByText("<b>Mine</b>", { exact: true }).first().waitFor();
  await page.locator("h1").click();
  await page.keyboard.press("r");
  await page.getByRole("dialog", { name: "Resolve by hand?" }).getByRole("button", { name: "Resolve" }).click();
  await page.getByText("Resolved by Secret ADMIN_TOKEN after").waitFor();
  expect((await incident(id)).resolved_by).toBe("admin-token");
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("notes outlast a session that ends while they are written", async () => {
  const [, id = ""] = incidentIds;
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context } = visit;
  await page.goto(`/console/incidents/${id}`);
  await page.getByRole("textbox", { name: "Notes" }).fill("Screen was restarted by hand.");
  // As when the session has ended at the server.
  await page.evaluate(() => sessionStorage.removeItem("alive.token"));
  await page.getByRole("button", { name: "Save notes" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByRole("button", { name: "Sign in with an API token" }).click();
  await dialog.getByLabel("API token").fill(ADMIN_TOKEN);
  await dialog.getByRole("button", { name: "Sign in", exact: true }).click();
  await until(async () => (await incident(id)).notes === "Screen was restarted by hand.");
  await context.close();
}, 300_000);

test("a viewer reads incidents and the pipeline, and is offered no change; one of a supplier is told what it may not see", async () => {
  const reader = await site.api<{ token: string }>("POST", "/v1/admin/tokens", { name: "Reader", role: "viewer" });
  const visit = await site.visit();
  await signInByToken(visit, reader.token);
  const { page, context, faults } = visit;
  await page.goto(`/console/incidents/${incidentIds[2]}`);
  await page.getByRole("heading", { name: "Disk nearly full" }).waitFor();
  await page.getByText("Nobody has written notes.").waitFor();
  await soon(async () => await page.getByRole("button", { name: /Acknowledge|Resolve|Save notes/ }).count(), 0);
  await page.goto("/console/pipeline?tab=dead-letters");
  await page.getByText("6 dead letters", { exact: false }).first().waitFor();
  await soon(async () => await page.getByRole("button", { name: /^(Redrive the|Rebuild)/ }).count(), 0);
  expect(faults).toEqual([]);
  await context.close();

  const [{ id: supplier_id } = { id: "" }] = (await site.api<{ items: { id: string }[] }>("GET", "/v1/admin/suppliers")).items;
  const scoped = await site.api<{ token: string }>("POST", "/v1/admin/tokens", { name: "Retail", role: "viewer", scope: { supplier_id } });
  const other = await site.visit();
  await signInByToken(other, scoped.token);
  await other.page.goto("/console/pipeline");
  await other.page.getByText("The caller sees only one supplier, and this cannot be narrowed to it.").first().waitFor();
  await other.context.close();
}, 300_000);

test("the pipeline tells how it stands, what was refused and why, and whether archive and database agree", async () => {
  await site.stack.cron("* * * * *");
  const visit = await site.visit();
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto("/console/pipeline");
  await page.getByText("6 dead letters with 165 plays wait for you.").waitFor();
  await page.getByRole("region", { name: "Table of jobs" }).getByText("Watch the pipeline").waitFor();
  await page.getByRole("region", { name: "Table of queues" }).getByText("play-events-3").waitFor();
  await expectAccessible(page);

  await page.getByRole("tab", { name: "Refused" }).click();
  const reasons = page.getByRole("region", { name: "Table of reasons" });
  await reasons.getByText("The play is older than this door lets in.").waitFor();
  await soon(async () => await reasons.getByRole("row", { name: /Invalid signature.*6.*50%/ }).count(), 1);
  await expectAccessible(page);

  await page.getByRole("tab", { name: "Archive" }).click();
  await page.waitForURL("**/pipeline?tab=archive");
  const days = page.getByRole("region", { name: "Table of days" });
  await days.getByText("sums differ").waitFor();
  await soon(async () => await days.getByText("Equal").count(), 13);
  await expectAccessible(page);
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("a dead letter is looked into and sent again; days are replayed, and one sees how far", async () => {
  const visit = await site.visit({ colorScheme: "dark" });
  await signInByToken(visit);
  const { page, context, faults } = visit;
  await page.goto("/console/pipeline?tab=dead-letters");
  await page.getByRole("link", { name: "Unrecordable" }).first().click();
  await page.getByRole("heading", { name: "Dead letter: unrecordable" }).waitFor();
  await page.getByRole("region", { name: "It cannot be read" }).getByText("PAR1").waitFor();
  await expectAccessible(page);
  await page.getByRole("button", { name: "Redrive" }).click();
  await page.getByText("1 dead letter sent again").waitFor();
  await page.getByText("Redriven", { exact: true }).first().waitFor();
  const open = await site.api<{ items: unknown[] }>("GET", "/v1/admin/pipeline/dead-letters?state=open");
  expect(open.items.length).toBe(5);

  await page.goto("/console/pipeline?tab=replays");
  await page.getByText("No day was replayed so far.").waitFor();
  await page.getByRole("button", { name: "Replay days" }).click();
  await page.getByLabel("First day").fill("2026-11-02");
  await page.getByLabel("Last day").fill("2026-11-01");
  await page.getByRole("button", { name: "Start the replay" }).click();
  await page.getByText("The last day is before the first").waitFor();
  await page.getByLabel("First day").fill(network.day);
  await page.getByLabel("Last day").fill(network.day);
  await page.getByRole("button", { name: "Start the replay" }).click();
  await page.getByRole("region", { name: "Table of replays" }).getByText("Done").waitFor();
  await page.getByText("100%").waitFor();
  await expectAccessible(page);
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);
