import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { encode } from "uqr";
import { INCIDENTS } from "../../src/console/parts/words.ts";
import { makeNetwork, signedLog } from "../stack/network.ts";
import { ADMIN_TOKEN } from "../stack/stack.ts";
import { expectAccessible, goBack, signInByToken, soon } from "./acts.ts";
import { livelyDevice, programmeOf, seedDevices, takePicture } from "./seed.ts";
import { openSite, type Site, type Visit } from "./site.ts";

let site: Site;
beforeAll(async () => {
  site = await openSite();
  await seedDevices(site, 20);
}, 300_000);
afterAll(() => site.close());

async function open(path: string): Promise<Visit> {
  const visit = await site.visit();
  await signInByToken(visit);
  await visit.page.goto(`/console${path}`);
  return visit;
}

/** The dark fields of a QR code, as the page draws them. */
function qrOf(text: string): string {
  return encode(text, { border: 2 })
    .data.flatMap((row, y) => row.flatMap((on, x) => (on ? [`M${x} ${y}h1v1h-1z`] : [])))
    .join("");
}

/** Takes a code as a player without a key does, and returns the device's id. */
async function claim(claim_code: string, more: Record<string, unknown> = {}): Promise<{ status: number; body: Record<string, string> }> {
  const answer = await fetch(`${site.url}/v1/device/pairing/claim`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ claim_code, ...more }),
  });
  return { status: answer.status, body: await answer.json() };
}

describe("pairing", () => {
  test("a code is made here with name and place, shown as text and QR, and the page sees the player come", async () => {
    const { page, context, faults } = await open("/devices");
    await page.getByRole("heading", { name: "Devices", level: 1 }).waitFor();
    await page.keyboard.press("n");
    await page.getByLabel("Name", { exact: true }).fill("Entrance left");
    await page.getByRole("combobox", { name: "Store" }).click();
    await page.getByRole("option", { name: "Saigon Centre" }).click();
    await page.getByRole("button", { name: "Make a code", exact: true }).click();
    const code = (await page.getByLabel("Claim code").textContent()) ?? "";
    expect(code).toMatch(/^[A-Z]{8}$/);
    // What cameras read: the player's page, with the code.
    const drawn = await page
      .getByRole("img", { name: /QR code/ })
      .locator("path")
      .getAttribute("d");
    expect(drawn).toBe(qrOf(`${site.url}/player?claim_code=${code}`));
    await expectAccessible(page);
    expect((await claim(code, { device_info: { model: "Test player" } })).status).toBe(200);
    await page.getByText("The player is paired").waitFor();
    await page.getByRole("button", { name: "Open the device" }).click();
    await page.getByRole("heading", { name: "Entrance left", level: 1 }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  }, 300_000);

  test("a screen's own code is found, shown with what it says of itself, and approved", async () => {
    const asked = await fetch(`${site.url}/v1/device/pairing/create-claim`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ device_info: { model: "Shelf display", os: "Tizen <b>7</b>" } }),
    });
    const { claim_code, device_code } = (await asked.json()) as { claim_code: string; device_code: string };
    const { page, context, faults } = await open(`/devices?claim_code=${claim_code}`);
    await page.getByText("Shelf display").waitFor();
    await page.getByText("Tizen <b>7</b>").waitFor();
    expect((await claim(claim_code, { device_code })).status).toBe(202);
    await page.getByLabel("Name", { exact: true }).fill("Shelf 12");
    await page.getByRole("dialog").getByRole("button", { name: "Approve", exact: true }).click();
    await page.getByText("Approved; the player is paired when it asks next").waitFor();
    const { status, body } = await claim(claim_code, { device_code });
    expect(status).toBe(200);
    expect(await site.api("GET", `/v1/admin/devices/${body.device_id}`)).toMatchObject({ external_name: "Shelf 12", status: "active" });
    expect(new URL(page.url()).search).toBe("");
    expect(faults).toEqual([]);
    await context.close();
  }, 300_000);
});

describe("one device", () => {
  test("its state, last day, plays, refusals and plan; accessible on every tab", async () => {
    const device = await livelyDevice(site);
    const { page, context, faults } = await open(`/devices/${device.id}`);
    await page.getByText(/^12 plays, 1 refused, online for .+, 0 incidents$/).waitFor();
    const head = page
      .locator("main")
      .getByText(/Online/)
      .first();
    await head.waitFor();
    // By what the heartbeat took on its way, less than was put into it.
    await page
      .getByText(/Clock \d+(\.\d)? s fast/)
      .first()
      .waitFor();
    await page.getByRole("link", { name: "Spot 0" }).first().waitFor();
    const tabs = ["Now", "Health", "Plan", "Plays", "Refused", "Commands", "About"];
    for (const name of tabs) {
      await page.getByRole("tab", { name }).click();
      await page.getByRole("tabpanel", { name }).waitFor();
      if (name === "Now") await page.getByText("65% of 8 GB").waitFor();
      if (name === "Health") await page.getByText("No number is missing").waitFor();
      if (name === "Plays") {
        await page.getByText("12 plays ·").waitFor();
        const row = page.locator('tr[data-row="0"]');
        expect(await row.getByRole("cell").nth(1).textContent()).toBe("completed");
        expect(await row.getByRole("cell").nth(2).textContent()).toMatch(/^(Yes|No)$/);
        // A time is told relatively; by the store's clock and in UTC for whoever points at it.
        await row.locator("time").hover();
        await page
          .getByRole("tooltip")
          .getByText("(UTC)")
          .or(page.getByRole("tooltip").getByText(/, \d\d:\d\d:\d\d UTC$/))
          .first()
          .waitFor();
        await page.mouse.move(0, 0);
      }
      if (name === "Refused") await page.getByText("Its signature does not hold for the device's key").waitFor();
      if (name === "Plan") await page.getByText("What plays now, and why?").waitFor();
      await expectAccessible(page);
    }
    // A play log that comes with a later number leaves a gap, which is told.
    const late = await fetch(`${site.url}/api/v1/playback-logs/batch`, {
      method: "POST",
      headers: { Authorization: `Bearer ${device.token}`, "Content-Type": "application/json", "Sent-At": new Date().toISOString() },
      body: JSON.stringify({ logs: [await signedLog(device, 20, 60_000)] }),
    });
    expect(late.status).toBe(202);
    await page.goto(`/console/devices/${device.id}?tab=health`);
    await page.getByText("1 gap in its numbers").waitFor();
    expect((await page.getByRole("table", { name: "Gaps" }).getByRole("row").nth(1).getByRole("cell").allTextContents()).slice(1)).toEqual([
      "13–20",
      "8",
    ]);
    await page.getByRole("region", { name: "When was it silent?" }).getByText("Never in the last 24 hours").waitFor();
    expect(faults).toEqual([]);
    await context.close();
  }, 300_000);

  test("what it plays in the next days stands in a timeline, with the reason for each hour", async () => {
    const device = await livelyDevice(site, 1);
    await programmeOf(site, device);
    const { page, context, faults } = await open(`/devices/${device.id}?tab=plan`);
    const boxes = page.getByRole("button", { name: /1 schedule, 1 place in the loop/ });
    await boxes.first().waitFor();
    await soon(async () => await boxes.count(), 4);
    await page
      .getByRole("button", { name: /^20:00–08:00: nothing to play|^20:00–.*: nothing to play/ })
      .first()
      .click();
    await page
      .getByRole("row", { name: /Opening hours/ })
      .getByText("Is for other hours")
      .waitFor();
    await boxes.first().click();
    await page
      .getByRole("row", { name: /Opening hours/ })
      .getByText("Plays", { exact: true })
      .waitFor();
    await page.getByText("Spot 0 · 15 s").waitFor();
    await expectAccessible(page);
    expect(faults).toEqual([]);
    await context.close();
  }, 300_000);

  test("the last picture of its screen is shown", async () => {
    // Its first heartbeat brings the picture: what comes soon after another one, D1 is told half a minute later.
    const [device] = await makeNetwork(site.url, { devices: 1 });
    if (!device) throw new Error("no device was made");
    const { page, context, faults } = await open(`/devices/${device.id}`);
    await page.getByText("No picture was taken yet").waitFor();
    await takePicture(site, device);
    const picture = page.getByRole("img", { name: "Screen of Screen 0" });
    await picture.waitFor();
    expect(await picture.evaluate((image) => (image as HTMLImageElement).naturalWidth)).toBe(1);
    expect(faults).toEqual([]);
    await context.close();
  }, 300_000);

  test("a command waits, and can be cancelled", async () => {
    const device = await livelyDevice(site, 1);
    const { page, context, faults } = await open(`/devices/${device.id}?tab=commands`);
    await page.getByRole("button", { name: "Send a command" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Send", exact: true }).click();
    await page.getByText("Command waits for 1 device").waitFor();
    await page.getByRole("cell", { name: "waiting" }).waitFor();
    await page.locator('tr[data-row="0"]').hover();
    await page.getByRole("button", { name: "Actions of this row" }).click();
    await page.getByRole("menuitem", { name: "Cancel" }).click();
    await page.getByRole("cell", { name: "cancelled" }).waitFor();
    expect(faults).toEqual([]);
    await context.close();
  }, 300_000);

  test("revoking asks for the name", async () => {
    const device = await livelyDevice(site, 1);
    const { page, context } = await open(`/devices/${device.id}`);
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Revoke" }).click();
    const revoke = page.getByRole("dialog").getByRole("button", { name: "Revoke", exact: true });
    await soon(async () => await revoke.isDisabled(), true);
    await page.getByRole("textbox", { name: /Type "Screen 0"/ }).fill("Screen 0");
    await revoke.click();
    await page.getByText("1 device revoked").waitFor();
    expect(await site.api("GET", `/v1/admin/devices/${device.id}`)).toMatchObject({ status: "revoked" });
    await context.close();
  }, 300_000);
});

test("the overview follows what happens by itself: plays by the minute, refusals by reason, incidents, the pipeline", async () => {
  await livelyDevice(site, 1);
  const { page, context, faults } = await open("");
  const part = (name: string) => page.getByRole("region", { name, exact: true });
  const chart = part("How many plays were recorded each minute of the last hour?");
  await part("Devices online")
    .getByText(/^\d+ of \d+$/)
    .waitFor();
  await chart.getByRole("button", { name: "Table" }).click();
  // What intake and the watchers write down. The minute of the plays is one in which nothing else was recorded.
  const [device] = (await site.api<{ items: { id: string }[] }>("GET", "/v1/admin/devices?limit=1")).items;
  const ago = Date.now() - 60_000;
  await site.stack.sql(
    `INSERT INTO refusals_hourly (hour, device_id, door, code, count) VALUES (${ago - (ago % 3_600_000)}, '${device?.id}', 'stream', 'CLOCK_SKEW', 4321)`,
  );
  await site.stack.sql(
    `INSERT INTO incidents (id, device_id, type, severity, details_json, created_at) VALUES ('${Bun.randomUUIDv7()}', '${device?.id}', 'LOW_STORAGE', 'high', '{}', ${ago})`,
  );
  await site.stack.sql(
    `UPDATE segments SET recorded_at = ${ago - 30 * 60_000}, plays_count = 987 WHERE id = (SELECT max(id) FROM segments)`,
  );
  const why = part("Why was anything refused in the last 24 hours?");
  await why.getByText("The device's clock is off by over 30 minutes").waitFor();
  await why.getByText("4,321", { exact: true }).waitFor();
  await part("Open incidents").getByText("1 high").waitFor();
  await chart.getByRole("cell", { name: "987", exact: true }).waitFor();
  const todo = part("What needs somebody?");
  await todo.getByText(`High · not acknowledged · ${INCIDENTS.LOW_STORAGE?.todo}`).waitFor();
  await part("Do plays get through?").getByText("Dead letters").waitFor();
  await expectAccessible(page);
  // Each number leads to what it counts.
  await part("Refused in 24 hours").getByRole("link").click();
  await page.waitForURL("**/console/pipeline?tab=refused");
  await page.goto(`/console/devices/${device?.id}`);
  await page.getByRole("link", { name: `Open incident: ${INCIDENTS.LOW_STORAGE?.title}` }).click();
  await page.waitForURL(/\/console\/incidents\/[0-9a-f-]{36}$/);
  expect(faults).toEqual([]);
  await context.close();
}, 300_000);

describe("a form", () => {
  const aDevice = (name: string) => site.api<{ id: string; version: number }>("POST", "/v1/admin/devices", { external_name: name });

  async function editing(id: string): Promise<Visit> {
    const visit = await open(`/devices/${id}`);
    await visit.page.getByRole("button", { name: "More" }).click();
    await visit.page.getByRole("menuitem", { name: "Rename or move" }).click();
    return visit;
  }

  test("of a session that has ended meanwhile loses nothing: one signs in over it, and it is saved", async () => {
    const device = await aDevice("Before");
    const { page, context, faults } = await editing(device.id);
    await page.getByLabel("Name").fill("Typed before the session ended");
    // As when the session has ended at the server.
    await page.evaluate(() => sessionStorage.removeItem("alive.token"));
    await page.getByRole("button", { name: "Save" }).click();
    const again = page.getByRole("dialog", { name: "Sign in again" });
    await again.getByRole("button", { name: "Sign in with an API token" }).click();
    await again.locator("input[name=token]").fill(ADMIN_TOKEN);
    await again.getByRole("button", { name: "Sign in", exact: true }).click();
    await page.getByText("Typed before the session ended saved").waitFor();
    expect(await site.api("GET", `/v1/admin/devices/${device.id}`)).toMatchObject({ external_name: "Typed before the session ended" });
    expect(faults).toEqual([]);
    await context.close();
  }, 300_000);

  test("of what somebody else has changed meanwhile shows theirs beside yours, and keeps yours", async () => {
    const device = await aDevice("Original");
    const { page, context, faults } = await editing(device.id);
    await page.getByLabel("Name").fill("Mine");
    await site.api("PATCH", `/v1/admin/devices/${device.id}`, { external_name: "Theirs" });
    await page.getByRole("button", { name: "Save" }).click();
    const conflict = page.getByRole("alert").filter({ hasText: "Somebody else changed this meanwhile" });
    await conflict.waitFor();
    expect(await conflict.getByRole("row").nth(1).allInnerTexts()).toEqual(["Name\tTheirs\tMine"]);
    await soon(async () => await page.getByLabel("Name").inputValue(), "Mine");
    await conflict.getByRole("button", { name: "Save mine over theirs" }).click();
    await page.getByText("Mine saved").waitFor();
    expect(await site.api("GET", `/v1/admin/devices/${device.id}`)).toMatchObject({ external_name: "Mine", version: 3 });
    expect(faults).toEqual([]);
    await context.close();
  }, 300_000);

  test("names the field that the server refuses, and asks before typed values are left", async () => {
    const device = await aDevice("Kept");
    const { page, context } = await open("/devices?q=Kept");
    await page.getByRole("link", { name: "Kept" }).click();
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: "Rename or move" }).click();
    await page.getByLabel("Name").fill("x".repeat(201));
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("alert").getByRole("button", { name: "Name", exact: true }).click();
    // The field that is at fault is one key away.
    expect(await page.evaluate(() => document.activeElement?.getAttribute("data-path"))).toBe("external_name");
    await expectAccessible(page);
    await page.keyboard.press("Escape");
    await page.getByRole("dialog", { name: "Leave without saving?" }).waitFor();
    await page.getByRole("button", { name: "Keep editing" }).click();
    expect(await page.getByLabel("Name").inputValue()).toHaveLength(201);
    // The browser's own way back is asked about too, and taken when that is agreed to.
    await goBack({ context, page });
    await page.getByRole("dialog", { name: "Leave without saving?" }).waitFor();
    await page.getByRole("button", { name: "Keep editing" }).click();
    expect(new URL(page.url()).pathname).toBe(`/console/devices/${device.id}`);
    expect(await page.getByLabel("Name").inputValue()).toHaveLength(201);
    await goBack({ context, page });
    await page.getByRole("button", { name: "Leave", exact: true }).click();
    await page.getByRole("heading", { name: "Devices", level: 1 }).waitFor();
    await context.close();
  }, 300_000);
});
