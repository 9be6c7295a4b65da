import { env } from "cloudflare:workers";
import { beforeAll, describe, expect, test } from "vitest";
import { openIncidents } from "../../src/monitoring/incidents.ts";
import { app } from "../../workers/http.ts";
import { type Answer, admin, call, create } from "../support/admin.ts";
import { makeDevice, playLog, postBatch } from "../support/device.ts";
import { contentWithVersion, scheduleOf } from "../support/media.ts";
import { CaughtQueue, deliver, runAlarm } from "../support/pipeline.ts";
import { bearer, makeToken } from "../support/tokens.ts";

/** One supplier and one brand with one of everything. Names are unlike all others, so that they can be sought in answers. */
interface World {
  name: string;
  brand: string;
  /** Ids by the resource's path. */
  ids: Record<(typeof OF_SUPPLIER | typeof OF_BRAND | typeof OF_NONE)[number], string>;
  /** Ids of what is under one of them, by the parameter's name. */
  under: Record<string, string>;
  play(other: World, count: number): Promise<void>;
}

const OF_SUPPLIER = ["suppliers", "stores", "device-groups", "devices", "incidents"] as const;
const OF_BRAND = ["campaigns", "ad-groups", "playlists", "schedules", "content"] as const;
const OF_NONE = ["claims", "webhooks", "tokens"] as const;

async function patch(resource: string, id: string, body: unknown): Promise<void> {
  const answer = await admin("PATCH", `/v1/admin/${resource}/${id}`, body);
  if (answer.status !== 200) throw new Error(`${resource}: ${JSON.stringify(answer.body)}`);
}

async function makeWorld(name: string): Promise<World> {
  const device = await makeDevice();
  const brand = `Brand ${name}`;
  await patch("suppliers", device.supplierId, { name: `Chain ${name}` });
  await patch("stores", device.storeId, { name: `Store ${name}` });
  await patch("device-groups", device.groupId, { name: `Group ${name}` });
  await patch("devices", device.id, { external_name: `Screen ${name}` });
  await patch("campaigns", device.campaignId, { name: `Campaign ${name}`, brand_name: brand });
  const { contentId, versionId } = await contentWithVersion("image", 15_000);
  await patch("content", contentId, { name: `Spot ${name}` });
  const adGroup = await create("ad-groups", { campaign_id: device.campaignId, name: `Part ${name}` });
  const playlist = await create("playlists", { name: `Loop ${name}`, campaign_id: device.campaignId, ad_group_id: adGroup.id });
  await create(`playlists/${playlist.id}/items`, { content_version_id: versionId });
  const schedule = await scheduleOf(playlist.id, "DEVICE", device.id, { name: `All day ${name}` });
  const upload = await create(`content/${contentId}/uploads`, { sha256: "c".repeat(64), bytes: 10 });
  const command = await create(`devices/${device.id}/commands`, { type: "reboot" });
  await openIncidents(env.DB, [{ deviceId: device.id, type: "CLOCK_DRIFT", details: { of: `Screen ${name}` } }], 1, []);
  const incident = (await admin("GET", `/v1/admin/incidents?device_id=${device.id}`)).body as { items: { id: string }[] };
  const claim = await admin("POST", "/v1/device/pairing/create-claim", { store_id: device.storeId, name: `Till ${name}` });
  const url = "https://hooks.receiver-of-tests.com/scope";
  const webhook = await create("webhooks", { name: `Hook ${name}`, url, events: ["device.paired"] });
  const token = await makeToken("viewer");

  const queue = new CaughtQueue();
  await env.SEQUENCER.getByName(device.id).refreshProfile();
  await queue.attach(device.id, { OUTBOX_RESEND_AFTER_MS: "900000" });
  return {
    name,
    brand,
    ids: {
      suppliers: device.supplierId,
      stores: device.storeId,
      "device-groups": device.groupId,
      devices: device.id,
      incidents: String(incident.items[0]?.id),
      campaigns: device.campaignId,
      "ad-groups": adGroup.id,
      playlists: playlist.id,
      schedules: schedule.id,
      content: contentId,
      claims: String(claim.body.claim_id),
      webhooks: webhook.id,
      tokens: token.id,
    },
    under: { command_id: command.id, version_id: versionId, upload_id: upload.id, message_id: `msg_${crypto.randomUUID()}` },
    async play({ ids }, count) {
      const cited = { campaign_id: ids.campaigns, ad_group_id: ids["ad-groups"], content_id: ids.content };
      const logs = await Promise.all(Array.from({ length: count }, () => device.sign(playLog(device, cited))));
      const answer = await postBatch(device, [...logs, { ...logs[0], checksum: "0".repeat(64), log_id: crypto.randomUUID() }]);
      expect(await answer.json()).toMatchObject({ processed: count, failed: 1 });
      await runAlarm(device.id);
      await deliver(queue.take());
    },
  };
}

let own: World;
let other: World;
let network: string;
let supplier: string;
let brand: string;

beforeAll(async () => {
  own = await makeWorld("Alpha");
  other = await makeWorld("Beta");
  // Both brands play in the stores of both suppliers.
  await own.play(own, 1);
  await own.play(other, 2);
  await other.play(own, 4);
  await other.play(other, 8);
  network = (await makeToken("viewer")).token;
  supplier = (await makeToken("viewer", { supplier_id: own.ids.suppliers })).token;
  brand = (await makeToken("viewer", { brand_name: own.brand })).token;
});

const reads = [
  ...new Set(app.routes.filter(({ method, path }) => method === "GET" && path.startsWith("/v1/admin/")).map(({ path }) => path)),
];

const pick = (world: World, names: readonly (keyof World["ids"])[]) => names.map((name) => world.ids[name]);

/** What a list is asked for to tell more than it may: filters that name what is the other's. */
function temptations(path: string): string[] {
  const { ids } = other;
  const groups = ["day", "supplier,store,campaign,ad_group,content", "device,campaign", "device,day", "status,campaign,store"];
  const filters = [
    `supplier_id=${ids.suppliers}`,
    `store_id=${ids.stores}`,
    `device_id=${ids.devices}`,
    `campaign_id=${ids.campaigns}`,
    `campaign_id=${ids.campaigns}&campaign_id=${own.ids.campaigns}`,
    `content_id=${ids.content}`,
    `group_id=${ids["device-groups"]}`,
    `playlist_id=${ids.playlists}`,
    `target_id=${ids.devices}`,
    `brand_name=${encodeURIComponent(other.brand)}`,
    "q=Beta",
  ];
  if (!path.includes("/reports/")) return ["", "limit=200", "limit=1", ...filters];
  return groups.flatMap((group_by) => ["", ...filters].map((filter) => `totals=true&group_by=${group_by}${filter && `&${filter}`}`));
}

/** Every address at which there might be something of either world. */
function addresses(): string[] {
  return reads.flatMap((path) => {
    const [, resource = ""] = /^\/v1\/admin\/([^/:]+)\/:id/.exec(path) ?? [];
    if (!path.includes("/:")) return temptations(path).map((query) => `${path}${query && `?${query}`}`);
    const worlds = [own, other];
    const firsts = worlds.map(({ ids }) => (ids as Record<string, string>)[resource] ?? ids.devices);
    const [, second = ""] = /\/:([a-z]+_id)/.exec(path) ?? [];
    return firsts.flatMap((first) => {
      const at = path.replace("/:id", `/${first}`);
      return second === "" ? [at] : worlds.map(({ under }) => at.replace(`/:${second}`, `/${under[second]}`));
    });
  });
}

async function readAll(token: string): Promise<Map<string, Answer>> {
  const answers = new Map<string, Answer>();
  // From the first event on, where an address is a stream of them.
  const headers = { ...bearer(token), "Last-Event-ID": "0" };
  for (const address of addresses()) answers.set(address, await call("GET", address, undefined, headers));
  return answers;
}

/** The addresses whose answers hold a text. What a refusal repeats of its request tells nothing. */
function holding(answers: Map<string, Answer>, text: string): string[] {
  return [...answers].filter(([, { status, body }]) => status < 400 && JSON.stringify(body).includes(text)).map(([address]) => address);
}

/** The addresses of things that answer although a text is in their path: what is under an id may tell of it without naming it. */
function answering(answers: Map<string, Answer>, text: string): string[] {
  return [...answers].filter(([address, { status }]) => status < 400 && address.split("?")[0]?.includes(text)).map(([address]) => address);
}

const namesOf = (world: World, words: string[]) => words.map((word) => `${word} ${world.name}`);
const SUPPLIER_NAMES = ["Chain", "Store", "Group", "Screen", "Till"];
const BRAND_NAMES = ["Brand", "Campaign", "Part", "Loop", "All day", "Spot"];
const ofSupplier = (world: World) => [...pick(world, OF_SUPPLIER), String(world.under.command_id), ...namesOf(world, SUPPLIER_NAMES)];
const ofBrand = (world: World) => [...pick(world, OF_BRAND), String(world.under.version_id), ...namesOf(world, BRAND_NAMES)];
const ofNone = (world: World) => [...pick(world, OF_NONE), String(world.under.upload_id), `Hook ${world.name}`, `Till ${world.name}`];

describe("no answer holds what is another's", () => {
  test("a viewer of the whole network sees all of it: these addresses would tell", async () => {
    const answers = await readAll(network);
    expect(answers.size).toBeGreaterThan(200);
    for (const world of [own, other]) {
      const { tokens, ...ids } = world.ids;
      for (const text of [...Object.values(ids), ...namesOf(world, [...SUPPLIER_NAMES, ...BRAND_NAMES]), String(world.under.command_id)]) {
        expect(holding(answers, text), text).not.toEqual([]);
      }
      expect([...answers].filter(([at, { status }]) => at.endsWith(`/${tokens}`) && status === 403)).toHaveLength(1);
    }
    expect([...answers.values()].filter(({ status }) => status >= 500)).toEqual([]);
  });

  test("of another supplier, to a supplier's viewer", async () => {
    const answers = await readAll(supplier);
    for (const text of [...ofSupplier(other), ...ofNone(other), ...ofNone(own)]) {
      expect([...holding(answers, text), ...answering(answers, text)], text).toEqual([]);
    }
    for (const text of pick(own, OF_SUPPLIER)) expect(holding(answers, text), text).not.toEqual([]);
    expect(holding(answers, String(own.under.command_id))).not.toEqual([]);
    expect([...answers.values()].filter(({ status }) => status >= 500)).toEqual([]);
  });

  test("of another brand, to a brand's viewer", async () => {
    const answers = await readAll(brand);
    for (const text of [...ofBrand(other), ...ofNone(other), ...ofNone(own)]) {
      expect([...holding(answers, text), ...answering(answers, text)], text).toEqual([]);
    }
    for (const text of pick(own, OF_BRAND)) expect(holding(answers, text), text).not.toEqual([]);
    expect([...answers.values()].filter(({ status }) => status >= 500)).toEqual([]);
  });
});

const total = async (token: string, query: string) => {
  const answer = await call("GET", `/v1/admin/reports/proof-of-play?totals=true&${query}`, undefined, bearer(token));
  return (answer.body.totals as { plays_count: number }).plays_count;
};

describe("reports count what is in scope, and all of it", () => {
  test.each([
    ["all", "group_by=day", 1 + 2, 1 + 4],
    ["by device", "group_by=device", 1 + 2, 1 + 4],
    ["by supplier and campaign", "group_by=supplier,campaign", 1 + 2, 1 + 4],
  ])("%s", async (_, query, ofChain, ofBrand) => {
    expect([await total(network, query), await total(supplier, query), await total(brand, query)]).toEqual([15, ofChain, ofBrand]);
  });

  test("whatever is asked for", async () => {
    const asked = `group_by=day&supplier_id=${other.ids.suppliers}`;
    expect([await total(network, asked), await total(supplier, asked), await total(brand, asked)]).toEqual([12, 0, 4]);
    const both = `group_by=day&campaign_id=${other.ids.campaigns}&campaign_id=${own.ids.campaigns}`;
    expect([await total(network, both), await total(supplier, both), await total(brand, both)]).toEqual([15, 3, 5]);
  });

  test("the file has the same lines as the pages", async () => {
    const answer = await call(
      "GET",
      "/v1/admin/reports/proof-of-play.csv?group_by=supplier,campaign&totals=true",
      undefined,
      bearer(supplier),
    );
    const lines = String(answer.body.text).trim().split("\r\n").slice(1);
    expect(lines).toHaveLength(3);
    expect(lines.filter((line) => line.startsWith(`${own.ids.suppliers},Chain Alpha,`))).toHaveLength(2);
    expect(lines.at(-1)).toMatch(/^total,,,,3,/);
  });

  test("a brand of which no campaign is left sees nothing", async () => {
    const campaign = await create("campaigns", { brand_name: "Short-lived", name: "c" });
    const { token } = await makeToken("viewer", { brand_name: "Short-lived" });
    await patch("campaigns", campaign.id, { brand_name: "Renamed" });
    expect(await total(token, "group_by=day")).toBe(0);
    expect((await call("GET", "/v1/admin/campaigns", undefined, bearer(token))).body).toMatchObject({ items: [] });
  });

  test("by device from before the hot window is 422: such sums know neither supplier nor campaign", async () => {
    const path = "/v1/admin/reports/proof-of-play?group_by=device,day&from=2025-03-01&to=2025-03-02";
    expect((await call("GET", path, undefined, bearer(network))).status).toBe(200);
    const refused = await call("GET", path, undefined, bearer(supplier));
    expect(refused.body).toMatchObject({ status: 422, code: "BEYOND_HOT_WINDOW" });
  });
});

test("what is out of scope is as if it were not there", async () => {
  const answerTo = async (token: string, path: string) => (await call("GET", `/v1/admin/${path}`, undefined, bearer(token))).body;
  const { correlation_id: _, ...hidden } = await answerTo(supplier, `stores/${other.ids.stores}`);
  const { correlation_id: __, ...absent } = await answerTo(supplier, `stores/${crypto.randomUUID()}`);
  expect(hidden).toEqual(absent);
  expect(hidden).toMatchObject({ status: 404 });
  expect(await answerTo(brand, `playlists/${other.ids.playlists}/items`)).toMatchObject({ status: 404 });
  expect(await answerTo(brand, "stores")).toMatchObject({ status: 403, code: "OUT_OF_SCOPE" });
});

test("a device goes to who owns the store where it stands now; its plays stay with who owned it then", async () => {
  const chain = await create("suppliers", { name: "Chain Gamma" });
  const store = await create("stores", { supplier_id: chain.id, name: "Store Gamma", timezone: "UTC" });
  const { token } = await makeToken("viewer", { supplier_id: chain.id });
  const sees = async (shown: string) => (await call("GET", `/v1/admin/devices/${own.ids.devices}`, undefined, bearer(shown))).status;
  expect([await sees(supplier), await sees(token)]).toEqual([200, 404]);
  await patch("devices", own.ids.devices, { store_id: store.id });
  expect([await sees(supplier), await sees(token)]).toEqual([404, 200]);
  expect([await total(supplier, "group_by=day"), await total(token, "group_by=day")]).toEqual([3, 0]);
  const lastDay = async (shown: string) => {
    const { body } = await call("GET", `/v1/admin/devices/${own.ids.devices}/activity`, undefined, bearer(shown));
    return (body.hours as { plays_count: number }[]).reduce((sum, { plays_count }) => sum + plays_count, 0);
  };
  expect([await lastDay(network), await lastDay(token)]).toEqual([3, 0]);
  const plays = await call("GET", `/v1/admin/devices/${own.ids.devices}/plays`, undefined, bearer(token));
  expect(plays.body).toEqual({ items: [], next_cursor: null });
});
