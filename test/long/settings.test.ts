import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Locator, Page } from "playwright-core";
import { expectAccessible, signInByToken, soon } from "../browser/acts.ts";
import { makePerson, PASSWORD, seedSettings, signIn, visitAs } from "../browser/people.ts";
import { openSite, type Site } from "../browser/site.ts";
import { ADMIN_TOKEN } from "../stack/stack.ts";

const ADA = "ada@example.com";

let site: Site;
let seeded: Awaited<ReturnType<typeof seedSettings>>;
beforeAll(async () => {
  site = await openSite();
  seeded = await seedSettings(site);
  await makePerson(site, { email: ADA, name: "Ada", role: "admin" });
}, 300_000);
afterAll(() => site.close());

/** Opens the menu of the row with a text, and chooses. */
async function act(page: Page, text: string, action: string): Promise<void> {
  const row = page.getByRole("row").filter({ hasText: text });
  await row.getByRole("button", { name: "Actions of this row" }).click();
  await page.getByRole("menuitem", { name: action, exact: true }).click();
}

async function choose(within: Page | Locator, page: Page, label: string, option: string): Promise<void> {
  await within.getByLabel(label).and(page.locator("[aria-haspopup=listbox]")).click();
  await page.getByRole("option", { name: option, exact: true }).click();
}

/** Reads a secret that is shown this once, and says that it is kept. */
async function keepSecret(page: Page): Promise<string> {
  const secret = (await page.locator("[data-secret]").textContent()) ?? "";
  await page.getByRole("button", { name: "I have kept it" }).click();
  await page.locator("[data-secret]").waitFor({ state: "detached" });
  return secret;
}

test("somebody is invited to see one supplier, comes in by the link, is disabled at once, and taken back", async () => {
  const { page, context, faults } = await visitAs(site, ADA);
  await page.goto("/console/settings/users");
  await page.getByRole("button", { name: "Invite" }).click();
  const form = page.getByRole("dialog", { name: "Invite somebody" });
  await form.getByLabel("E-mail").fill("vic@example.com");
  await form.getByText("One supplier", { exact: true }).click();
  await form.getByRole("button", { name: "Make the link" }).click();
  await form.getByText("Choose the supplier.").waitFor();
  await choose(form, page, "Supplier", "<b>Bold</b> & Sons");
  await expectAccessible(page);
  await form.getByRole("button", { name: "Make the link" }).click();
  await page.getByRole("dialog", { name: "Invitation for vic@example.com" }).waitFor();
  await expectAccessible(page);
  const link = await keepSecret(page);

  const guest = await site.visit();
  await guest.page.goto(new URL(link).pathname + new URL(link).search);
  await guest.page.getByLabel("Your name").fill("Vic");
  await guest.page.locator("input[name=password]").fill(PASSWORD);
  await guest.page.getByRole("button", { name: "Accept the invitation" }).click();
  await guest.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();

  await page.goto("/console/settings/users?q=vic%40");
  // A supplier's name with HTML in it is text, and nothing else.
  await page.getByRole("row").filter({ hasText: "Supplier <b>Bold</b> & Sons" }).waitFor();
  await act(page, "vic@example.com", "Disable");
  await page.getByText("Vic is disabled; their sessions have ended").waitFor();
  await guest.page.reload();
  await guest.page.getByRole("heading", { name: "Sign in", level: 1 }).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("Taken back").waitFor();
  await signIn(guest.page, "vic@example.com");
  await guest.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();

  // Who forgot the password gets a link, which is good once.
  await act(page, "vic@example.com", "Make a link for a new password");
  await page.getByRole("dialog", { name: "A new password for Vic" }).waitFor();
  const anew = new URL(await keepSecret(page));
  await guest.page.goto(anew.pathname + anew.search);
  await guest.page.locator("input[name=password]").fill("eleven slow harbours");
  await guest.page.locator("button[type=submit]").click();
  await guest.page.getByRole("heading", { name: "Overview", level: 1 }).waitFor();
  await guest.page.goto(anew.pathname + anew.search);
  await guest.page.getByRole("alert").waitFor();
  await page.goto("/console/settings/invitations?state=accepted");
  await page.getByRole("row").filter({ hasText: "vic@example.com" }).getByText("Accepted").waitFor();
  expect([...faults, ...guest.faults]).toEqual([]);
  await guest.context.close();
  await context.close();
}, 300_000);

test("who lost their second factor is freed of it by name; the last administrator cannot step down", async () => {
  await makePerson(site, { email: "lotte@example.com", name: "Lotte", role: "viewer" });
  await site.stack.sql("UPDATE users SET two_factor_enabled = 1 WHERE email = 'lotte@example.com'");
  await site.stack.sql("UPDATE users SET disabled_at = 1 WHERE role = 'admin' AND email <> 'ada@example.com'");
  const { page, context, faults } = await visitAs(site, ADA);
  await page.goto("/console/settings/users?q=lotte%40");
  await act(page, "lotte@example.com", "Take the second factor away");
  const confirm = page.getByRole("dialog", { name: "Take the second factor away" });
  await soon(async () => await confirm.getByRole("button", { name: "Take it away" }).isDisabled(), true);
  await confirm.getByLabel('Type "Lotte" to go on').fill("Lotte");
  await confirm.getByRole("button", { name: "Take it away" }).click();
  await page.getByText("Lotte signs in by password alone").waitFor();
  const { items } = await site.api<{ items: { two_factor_enabled: boolean }[] }>("GET", "/v1/admin/users?q=lotte%40");
  expect(items.map((user) => user.two_factor_enabled)).toEqual([false]);

  await page.goto("/console/settings/users?q=ada%40");
  await page.getByRole("link", { name: "Ada" }).click();
  const form = page.getByRole("dialog", { name: `Ada · ${ADA}` });
  await choose(form, page, "Role", "Operator");
  await form.getByRole("button", { name: "Save" }).click();
  await form.getByRole("alert").getByText("This is the last administrator; make another one first.").waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("an API token is shown once, works, and is revoked by its name", async () => {
  const { page, context, faults } = await visitAs(site, ADA);
  await page.goto("/console/settings/tokens");
  await page.getByRole("button", { name: "Make token" }).click();
  const form = page.getByRole("dialog", { name: "Make an API token" });
  await form.getByLabel("Name").fill("Ledger <i>job</i>");
  await form.getByText("One brand", { exact: true }).click();
  await choose(form, page, "Brand", "Lotus Tea");
  await choose(form, page, "Ends", "On a day of your choice");
  await form.getByLabel("Last day").fill("2001-01-01");
  await form.getByRole("button", { name: "Make token" }).click();
  await form.getByText("must be in the future").first().waitFor();
  await choose(form, page, "Ends", "In 30 days");
  await form.getByRole("button", { name: "Make token" }).click();
  const token = await keepSecret(page);
  const me = () => fetch(`${site.url}/v1/admin/me`, { headers: { Authorization: `Bearer ${token}` } });
  expect(await (await me()).json()).toMatchObject({ name: "Ledger <i>job</i>", role: "viewer", scope: { brand_name: "Lotus Tea" } });
  await act(page, "Ledger <i>job</i>", "Revoke");
  const confirm = page.getByRole("dialog", { name: "Revoke API token" });
  await confirm.getByRole("textbox").fill("Ledger <i>job</i>");
  await confirm.getByRole("button", { name: "Revoke token" }).click();
  await page.getByRole("row").filter({ hasText: "Ledger <i>job</i>" }).getByText("Revoked").waitFor();
  expect((await me()).status).toBe(401);
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("a webhook's bad address is told at its field; its secret is shown once; a test leaves an attempt; answers are text", async () => {
  const { page, context, faults } = await visitAs(site, ADA);
  await page.goto("/console/settings/webhooks");
  await page.getByRole("button", { name: "Add webhook" }).click();
  const form = page.getByRole("dialog", { name: "Add a webhook" });
  await form.getByLabel("Name").fill("Night watch");
  await form.getByLabel("Sends to").fill("http://10.0.0.1/in");
  await form.getByRole("button", { name: "Add webhook" }).click();
  await form.getByText("must begin with https://").first().waitFor();
  await form.getByLabel("Sends to").fill("https://nobody.alive-signage-tests.org/in");
  await form.getByRole("button", { name: "Add webhook" }).click();
  expect(await keepSecret(page)).toMatch(/^whsec_/);
  await page.getByRole("link", { name: "Night watch" }).click();
  await page.getByRole("button", { name: "Send a test" }).click();
  await page.getByRole("row").filter({ hasText: "Test" }).getByRole("link").click();
  // Nobody is there: whatever the network makes of it, the attempt is told with the time that it took.
  await page
    .getByRole("region", { name: "Attempts" })
    .getByText(/\d ?(ms|s) · /)
    .waitFor({ timeout: 60_000 });

  await page.goto(`/console/settings/webhooks/${seeded.webhookId}?view=attempts&outcome=refused`);
  await page.getByRole("row").filter({ hasText: "502" }).first().getByRole("link").click();
  const drawer = page.getByRole("dialog", { name: "Message" });
  await drawer.getByText("<script>alert(1)</script>502 Bad Gateway").waitFor();
  await drawer.getByText('"device_name": "<i>Window</i> 4"').waitFor();
  await expectAccessible(page);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("menuitem", { name: "Switch off" }).click();
  await page.getByText("It is off", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("It is off", { exact: true }).waitFor({ state: "detached" });
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("a group's policy: faults at the field, somebody else's change beside yours, nothing lost by leaving or an ended session", async () => {
  const path = `/v1/admin/device-groups/${seeded.groupId}`;
  const { page, context, faults } = await visitAs(site, ADA);
  await page.goto(`/console/settings/groups/${seeded.groupId}`);
  const interval = page.getByLabel("Heartbeat interval");
  const save = page.getByRole("button", { name: "Save group" });
  await interval.fill("5");
  await save.click();
  await page.getByText("Give 10 to 3,600 seconds.").waitFor();
  await interval.fill("45");
  await page.getByText("offline after 2 min 15 s of silence").waitFor();
  await site.api("PATCH", path, { policy: { heartbeat_interval_s: 90 } });
  await save.click();
  const conflict = page.getByRole("alert").filter({ hasText: "Somebody else changed this meanwhile" });
  await conflict.getByRole("cell", { name: "Heartbeat interval: 90 s", exact: true }).waitFor();
  expect(await conflict.getByRole("cell").allTextContents()).toEqual([
    "Policy",
    "Heartbeat interval: 90 s",
    "Heartbeat interval: 45 s · Oldest play logs: 48 h · Signatures: required",
  ]);
  await expectAccessible(page);
  await conflict.getByRole("button", { name: "Save mine over theirs" }).click();
  await page.getByText(/saved: heartbeat interval: 45 s/).waitFor();
  expect(await site.api("GET", path)).toMatchObject({ policy: { heartbeat_interval_s: 45, signature: "required" } });

  const name = page.getByRole("textbox", { name: "Name", exact: true });
  await name.fill("Typed <u>for long</u>");
  await page.getByRole("navigation", { name: "Main" }).getByRole("link", { name: "Devices" }).click();
  await page.getByRole("dialog", { name: "Leave without saving?" }).getByRole("button", { name: "Keep editing" }).click();
  await soon(async () => await name.inputValue(), "Typed <u>for long</u>");
  await context.clearCookies();
  await save.click();
  const again = page.getByRole("dialog", { name: "Sign in again" });
  await again.locator("input[name=password]").fill(PASSWORD);
  await again.getByRole("button", { name: "Sign in", exact: true }).click();
  await page.getByRole("heading", { name: "Typed <u>for long</u>", level: 1 }).waitFor();
  expect(await site.api("GET", path)).toMatchObject({ name: "Typed <u>for long</u>", policy: { heartbeat_interval_s: 45 } });
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("the audit log says who changed what from what to what, narrows by its address, leads to the thing, and comes as a file", async () => {
  const supplier = await site.api<{ id: string }>("POST", "/v1/admin/suppliers", { name: "Before & after" });
  await site.api("PATCH", `/v1/admin/suppliers/${supplier.id}`, { name: "<img src=x onerror=alert(1)>" });
  const { page, context, faults } = await visitAs(site, ADA);
  await page.goto(`/console/audit?target_id=${supplier.id}`);
  const row = page.getByRole("row").filter({ hasText: "Changed supplier" });
  await row.getByText("<img src=x onerror=alert(1)>").waitFor();
  await soon(async () => await page.getByRole("row").count(), 3);
  await row.getByRole("link").click();
  const drawer = page.getByRole("dialog", { name: "Changed supplier" });
  await drawer.getByRole("region", { name: "What changed" }).getByRole("row").last().waitFor();
  expect(await drawer.getByRole("region", { name: "What changed" }).getByRole("row").last().allInnerTexts()).toEqual([
    "name\tBefore & after\t<img src=x onerror=alert(1)>",
  ]);
  await expectAccessible(page);
  // The entry has an address of its own, that shows it alone too.
  await page.goto(new URL(page.url()).pathname);
  await drawer.getByRole("button", { name: "All by them" }).click();
  await page.waitForURL("**/audit?actor_user_id=admin-token");
  await page.getByRole("button", { name: "Filter", exact: true }).click();
  await page.getByRole("menuitem", { name: "Kind" }).click();
  await page.getByRole("dialog").getByLabel("Kind").first().click();
  await page.getByRole("option", { name: "Webhook", exact: true }).click();
  await page.waitForURL("**target_type=webhook**");
  await page.getByRole("row").filter({ hasText: "Pager" }).waitFor();
  await soon(async () => await page.getByRole("row").filter({ hasText: "supplier" }).count(), 0);
  const [file] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download CSV" }).click()]);
  const csv = await Bun.file((await file.path()) ?? "").text();
  expect(file.suggestedFilename()).toBe("audit-log.csv");
  expect(csv).toContain("webhook.create");
  expect(csv).not.toContain("supplier.");
  await page.getByRole("row").filter({ hasText: "Pager" }).getByRole("link").click();
  await page.getByRole("dialog", { name: "Made webhook" }).getByRole("link", { name: "Pager" }).click();
  await page.getByRole("heading", { name: "Pager", level: 1 }).waitFor();
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

test("one's own name is changed, and one's sessions are told by their browsers, and ended one by one", async () => {
  await makePerson(site, { email: "nora@example.com", name: "Nora", role: "operator" });
  const systems = {
    own: "(X11; Linux x86_64) AppleWebKit/537.36 Chrome/150.0 Safari/537.36",
    other: "(Windows NT 10.0; rv:140.0) Gecko Firefox/140.0",
  };
  const other = await visitAs(site, "nora@example.com", { userAgent: `Mozilla/5.0 ${systems.other}` });
  const { page, context, faults } = await visitAs(site, "nora@example.com", { userAgent: `Mozilla/5.0 ${systems.own}` });
  await page.goto("/console/account");
  await page.getByLabel("Your name").fill("Nora <s>Old</s> New");
  await page.getByRole("button", { name: "Save name" }).click();
  await page.getByRole("button", { name: "Account of Nora <s>Old</s> New" }).waitFor();
  const sessions = page.getByRole("region", { name: "Where you are signed in" });
  await sessions.getByText("Chrome on Linux").waitFor();
  await sessions.getByText("Firefox on Windows").waitFor();
  await expectAccessible(page);
  await sessions.getByRole("button", { name: "End", exact: true }).click();
  await page.getByText("Session ended").waitFor();
  await other.page.goto("/console/account");
  await other.page.getByRole("heading", { name: "Sign in", level: 1 }).waitFor();
  expect(faults).toEqual([]);
  await other.context.close();
  await context.close();
}, 300_000);

test("every page of the settings and the audit log is accessible in both themes", async () => {
  const paths = [
    "users",
    "invitations",
    "tokens",
    "webhooks",
    `webhooks/${seeded.webhookId}`,
    "groups",
    `groups/${seeded.groupId}`,
    "suppliers",
  ];
  const visit = await site.visit();
  await signInByToken(visit, ADMIN_TOKEN);
  const { page, context, faults } = visit;
  for (const path of [...paths.map((name) => `/settings/${name}`), "/audit"]) {
    await page.goto(`/console${path}`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await page.locator("[data-row], .form-part").first().waitFor();
    await expectAccessible(page);
  }
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);
