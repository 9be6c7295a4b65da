import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Page } from "playwright-core";
import { soon } from "./acts.ts";
import { makePerson, visitAs } from "./people.ts";
import { openSite, type Site } from "./site.ts";

/** All pages of the console, by the paths of its navigation. */
const PAGES = [
  "",
  "/devices",
  "/stores",
  "/content",
  "/playlists",
  "/schedules",
  "/campaigns",
  "/reports",
  "/pipeline",
  "/incidents",
  "/settings/groups",
  "/settings/suppliers",
  "/settings/webhooks",
  "/settings/users",
  "/settings/tokens",
  "/audit",
];

let site: Site;
/** What each side of the network is called, by whose it is. */
const NAMES = { own: "Aurora", other: "Borealis" };
const ids: Record<"own" | "other", { supplier: string; store: string; campaign: string }> = {
  own: { supplier: "", store: "", campaign: "" },
  other: { supplier: "", store: "", campaign: "" },
};

beforeAll(async () => {
  site = await openSite();
  for (const side of ["own", "other"] as const) ids[side] = await makeSide(NAMES[side]);
  const scope = { supplier_id: ids.own.supplier };
  await makePerson(site, { email: "sue@example.com", name: "Sue", role: "viewer", scope });
  await makePerson(site, { email: "bea@example.com", name: "Bea", role: "viewer", scope: { brand_name: "Aurora brand" } });
  await makePerson(site, { email: "omar@example.com", name: "Omar", role: "operator" });
}, 300_000);
afterAll(() => site.close());

/** A supplier with a store, a device and an incident, and a brand with a campaign: all with the name in theirs. */
async function makeSide(name: string) {
  const { api, stack } = site;
  const supplier = await api<{ id: string }>("POST", "/v1/admin/suppliers", { name: `${name} retail` });
  const store = await api<{ id: string }>("POST", "/v1/admin/stores", {
    supplier_id: supplier.id,
    name: `${name} store`,
    timezone: "Europe/Oslo",
  });
  const group = await api<{ id: string }>("POST", "/v1/admin/device-groups", { name: `${name} group` });
  const campaign = await api<{ id: string }>("POST", "/v1/admin/campaigns", { brand_name: `${name} brand`, name: `${name} campaign` });
  const playlist = await api<{ id: string }>("POST", "/v1/admin/playlists", { name: `${name} playlist`, campaign_id: campaign.id });
  const device = crypto.randomUUID();
  await stack.sql(
    `INSERT INTO devices (id, external_name, store_id, group_id, status, created_at, updated_at)
     VALUES ('${device}', '${name} screen', '${store.id}', '${group.id}', 'active', 1, 1)`,
  );
  await stack.sql(
    `INSERT INTO incidents (id, device_id, type, severity, details_json, created_at)
     VALUES ('${crypto.randomUUID()}', '${device}', 'LOW_STORAGE', 'medium', '{}', ${Date.now()})`,
  );
  await stack.sql(
    `INSERT INTO schedules (id, name, target_type, target_id, playlist_id, created_at, updated_at)
     VALUES ('${crypto.randomUUID()}', '${name} schedule', 'DEVICE', '${device}', '${playlist.id}', 1, 1)`,
  );
  await api("POST", "/v1/admin/content", { name: `${name} clip`, type: "video" });
  return { supplier: supplier.id, store: store.id, campaign: campaign.id };
}

/** Opens a page, waits until it has loaded and shows some words, and gives its text. */
async function textOf(page: Page, path: string, words = ""): Promise<string> {
  await page.goto(`/console${path}`);
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  await page.waitForFunction(() => document.querySelector('[aria-busy="true"], .mantine-Skeleton-root') === null);
  await page.waitForFunction((wanted) => document.body.textContent?.includes(wanted), words);
  return (await page.locator("body").textContent()) ?? "";
}

/** Sends as the page that is in view would, and says what came. */
async function sendFrom(page: Page, method: string, path: string, body?: object): Promise<[number, string]> {
  return await page.evaluate(
    async ([verb, address, text]) => {
      const answer = await fetch(address, {
        method: verb,
        headers: { "Content-Type": "application/json", "X-Requested-With": "alive-console" },
        ...(text ? { body: text } : {}),
      });
      return [answer.status, ((await answer.json()) as { type?: string }).type ?? ""] as [number, string];
    },
    [method, path, body ? JSON.stringify(body) : ""] as const,
  );
}

test.each([
  ["supplier", "sue@example.com", ["/devices", "/stores", "/incidents", "/settings/suppliers"], "store", "stores"],
  ["brand", "bea@example.com", ["/campaigns"], "campaign", "campaigns"],
] as const)(
  "a viewer of one %s sees its own on its pages, and nothing of others on any",
  async (_kind, email, own, noun, plural) => {
    const { page, context, faults } = await visitAs(site, email);
    for (const path of PAGES) {
      const text = await textOf(page, path, (own as readonly string[]).includes(path) ? NAMES.own : "");
      expect([path, text.includes(NAMES.other)]).toEqual([path, false]);
    }
    // Nor by an address that somebody else sent.
    await textOf(page, `/${plural}/${ids.other[noun]}`, "There is no");
    expect(await sendFrom(page, "GET", `/v1/admin/${plural}/${ids.other[noun]}`)).toEqual([404, "/docs/errors/not-found"]);
    expect(await sendFrom(page, "PATCH", `/v1/admin/${plural}/${ids.own[noun]}`, { name: "Mine" })).toEqual([
      403,
      "/docs/errors/forbidden",
    ]);
    expect(faults).toEqual([]);
    await context.close();
  },
  300_000,
);

test("whoever opens an address that is not theirs is told so in words, and offered nothing that they may not do", async () => {
  const viewer = await visitAs(site, "sue@example.com");
  await textOf(viewer.page, "/settings/users", "Only administrators see users. You are signed in as viewer");
  await textOf(viewer.page, "/settings/webhooks", "Webhooks tell of the whole network, and you see a part of it.");
  await textOf(viewer.page, "/audit", "The audit log is of the whole network, and you see a part of it.");
  await textOf(viewer.page, "/settings/groups");
  await soon(async () => await viewer.page.getByRole("button", { name: /^(Add|Make|Invite|Pair|Upload|New)/ }).count(), 0);
  expect(await sendFrom(viewer.page, "POST", "/v1/admin/suppliers", { name: "Mine" })).toEqual([403, "/docs/errors/forbidden"]);

  const operator = await visitAs(site, "omar@example.com");
  await textOf(operator.page, "/settings/tokens", "Only administrators see API tokens. You are signed in as operator");
  await soon(async () => await operator.page.getByRole("button", { name: "Make token" }).count(), 0);
  await textOf(operator.page, "/settings/groups");
  await operator.page.getByRole("link", { name: "Aurora group" }).click();
  await operator.page.getByText("Only administrators change a group's policy.").waitFor();
  await soon(async () => await operator.page.getByLabel("Heartbeat interval").count(), 0);
  expect(await sendFrom(operator.page, "POST", "/v1/admin/tokens", { name: "Mine", role: "admin" })).toEqual([
    403,
    "/docs/errors/forbidden",
  ]);
  expect([...viewer.faults, ...operator.faults]).toEqual([]);
  await viewer.context.close();
  await operator.context.close();
}, 300_000);

test("what another site posts in the name of who is signed in is refused, even by a neighbour to whom the browser gives the cookie", async () => {
  const target = `${site.url}/v1/admin/suppliers`;
  const evil = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch: () =>
      new Response(
        `<!doctype html><title>prize</title><form id="f" method="post" enctype="text/plain" action="${target}">
         <input name='{"name":"Stolen","x":"' value='"}'></form>`,
        { headers: { "Content-Type": "text/html" } },
      ),
  });
  const { page, context } = await visitAs(site, "omar@example.com");
  // Another port of the same host is the same site, so the cookie goes along; another address is not.
  for (const host of ["localhost", "127.0.0.1"]) {
    await page.goto(`http://${host}:${evil.port}/`);
    const [answer] = await Promise.all([
      page.waitForResponse(target),
      page.waitForURL(target),
      page.evaluate(() => (document.querySelector("#f") as HTMLFormElement).submit()),
    ]);
    expect([host, answer.status()]).toEqual([host, host === "localhost" ? 403 : 401]);
    if (host === "localhost") expect(await answer.json()).toMatchObject({ code: "CROSS_SITE" });
    await page.goto(`http://${host}:${evil.port}/`);
    const fetched = await page.evaluate(
      async (address) =>
        await fetch(address, {
          method: "POST",
          credentials: "include",
          headers: { "Content-Type": "application/json", "X-Requested-With": "alive-console" },
          body: '{"name":"Stolen"}',
        }).then(
          (come) => come.status,
          () => "refused by the browser",
        ),
      target,
    );
    expect(fetched).toBe("refused by the browser");
  }
  const { items } = await site.api<{ items: { name: string }[] }>("GET", "/v1/admin/suppliers");
  expect(items.map(({ name }) => name)).toEqual(["Aurora retail", "Borealis retail"]);
  await textOf(page, "/settings/suppliers", "Aurora retail");
  await context.close();
  await evil.stop(true);
}, 300_000);
