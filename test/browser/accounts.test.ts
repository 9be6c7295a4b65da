import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { totp } from "../support/totp.ts";
import { expectAccessible, soon } from "./acts.ts";
import { openSite, type Site } from "./site.ts";

const EMAIL = "ann@example.com";
const PASSWORD = "nine quiet lanterns";

let site: Site;
beforeAll(async () => {
  site = await openSite();
}, 300_000);
afterAll(() => site.close());

async function signIn(page: Page, email = EMAIL, password = PASSWORD): Promise<void> {
  await page.getByLabel("E-mail").fill(email);
  await page.locator("input[name=password]").fill(password);
  await page.getByRole("button", { name: "Sign in", exact: true }).click();
}

test("the first administrator comes in by the set-up link, once, and by name and password from then on", async () => {
  const { link } = await site.api<{ link: string }>("POST", "/v1/admin/invitations/setup");
  const path = new URL(link, site.url).pathname + new URL(link, site.url).search;
  const { page, context, faults } = await site.visit();
  await page.goto(path);
  await page.getByRole("heading", { name: "Set up the console" }).waitFor();
  await page.getByLabel("E-mail").fill(EMAIL);
  await page.getByLabel("Your name").fill("Ann");
  await page.locator("input[name=password]").fill("ann@example.com!");
  await page.getByRole("button", { name: "Make administrator" }).click();
  await page.getByRole("alert").waitFor();
  await expectAccessible(page);
  await page.locator("input[name=password]").fill(PASSWORD);
  await page.getByRole("button", { name: "Make administrator" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await page.goto(path);
  await page.getByRole("alert").waitFor();
  await context.clearCookies();
  await page.goto("/console/stores");
  await signIn(page, EMAIL, "something else that is long");
  await page.getByRole("alert").waitFor();
  await signIn(page);
  await page.getByRole("heading", { name: "Stores", level: 1 }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("a session that ends in the middle of a form is renewed over it, and what was typed is saved", async () => {
  const device = await site.api<{ id: string }>("POST", "/v1/admin/devices", { external_name: "Before" });
  const { page, context, faults } = await site.visit();
  await page.goto(`/console/devices/${device.id}`);
  await signIn(page);
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Rename or move" }).click();
  await page.getByLabel("Name").fill("Typed for a long time");
  await context.clearCookies();
  await page.getByRole("button", { name: "Save" }).click();
  const again = page.getByRole("dialog", { name: "Sign in again" });
  await again.waitFor();
  await expectAccessible(page);
  await soon(async () => await again.getByLabel("E-mail").inputValue(), EMAIL);
  await again.locator("input[name=password]").fill(PASSWORD);
  await again.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByText("Typed for a long time saved").waitFor();
  expect(await site.api("GET", `/v1/admin/devices/${device.id}`)).toMatchObject({ external_name: "Typed for a long time" });
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("the second factor is turned on by an app's code, and asked for at the next sign-in; a wrong one is refused", async () => {
  const { page, context, faults } = await site.visit();
  await page.goto("/console/account");
  await signIn(page);
  await page.getByRole("button", { name: "Turn on" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.locator("input[name=password]").fill(PASSWORD);
  await dialog.getByRole("button", { name: "Go on" }).click();
  await dialog.getByRole("img", { name: "QR code for your authenticator app" }).waitFor();
  await expectAccessible(page);
  const secret = (await dialog.locator("code").textContent()) ?? "";
  await dialog.getByRole("textbox", { name: "Code" }).fill("000000");
  await dialog.getByRole("button", { name: "Turn on" }).click();
  await dialog.getByRole("alert").waitFor();
  await dialog.getByRole("textbox", { name: "Code" }).fill(totp(`otpauth://totp/a?secret=${secret}`, Date.now()));
  await dialog.getByRole("button", { name: "Turn on" }).click();
  await dialog.getByText("Keep these codes").waitFor();
  const [backup = ""] = await dialog.locator("code").allTextContents();
  await dialog.getByRole("button", { name: "I have kept them" }).click();
  await page.getByRole("button", { name: "Turn off" }).waitFor();
  await page.getByRole("button", { name: "Account of Ann" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await signIn(page);
  await page.getByRole("textbox", { name: "Code" }).fill(backup);
  await page.getByRole("button", { name: "Confirm" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("an invited viewer chooses a password, sees what it may, is offered nothing that it may not, and is refused at the server", async () => {
  const { link } = await site.api<{ link: string }>("POST", "/v1/admin/invitations", { email: "vic@example.com", role: "viewer" });
  const { page, context, faults } = await site.visit();
  const at = new URL(link, site.url);
  await page.goto(at.pathname + at.search);
  await page.getByRole("heading", { name: "Welcome" }).waitFor();
  await page.getByLabel("Your name").fill("Vic");
  await page.locator("input[name=password]").fill("seven green umbrellas");
  await page.getByRole("button", { name: "Accept the invitation" }).click();
  await page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await page.getByRole("link", { name: "Devices", exact: true }).click();
  await page.getByRole("row").nth(1).waitFor();
  await soon(async () => await page.getByRole("button", { name: "Pair a device" }).count(), 0);
  await soon(async () => await page.getByRole("checkbox").count(), 0);
  const refused = await page.evaluate(async () => {
    const headers = { "Content-Type": "application/json", "X-Requested-With": "alive-console" };
    const answer = await fetch("/v1/admin/devices", { method: "POST", headers, body: JSON.stringify({ external_name: "Mine" }) });
    return [answer.status, ((await answer.json()) as { type: string }).type];
  });
  expect(refused).toEqual([403, "/docs/errors/forbidden"]);
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("signing out everywhere ends every session", async () => {
  const first = await site.visit();
  const second = await site.visit();
  for (const { page } of [first, second]) {
    await page.goto("/console/account");
    await signIn(page, "vic@example.com", "seven green umbrellas");
    await page.getByText("Where you are signed in").waitFor();
  }
  await first.page.getByRole("button", { name: "Sign out everywhere" }).click();
  await first.page.getByRole("heading", { name: "Sign in", level: 1 }).waitFor();
  await second.page.reload();
  await second.page.getByRole("heading", { name: "Sign in", level: 1 }).waitFor();
  await first.context.close();
  await second.context.close();
}, 300_000);
