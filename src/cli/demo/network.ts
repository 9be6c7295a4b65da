import { createHash } from "node:crypto";
import { Stop } from "../tools.ts";
import type { DemoStore } from "./store.ts";

/** Where to reach the product's API, and as whom. */
export interface AdminAccess {
  baseUrl: string;
  adminToken: string;
}

/** What a screen may show. */
export interface DemoItem {
  contentId: string;
  contentVersion: string;
  durationMs: number;
  campaignId: string | null;
  adGroupId: string | null;
}

export interface DemoScreen {
  name: string;
  deviceId: string;
}

export interface DemoNetwork {
  items: DemoItem[];
  screens: DemoScreen[];
  /** What it is made of, in a sentence. */
  summary: string;
}

const SUPPLIERS = ["Nordlicht Märkte", "Saigon Fresh", "Hoshi Mart", "Golden Gate Grocers"];

type StoreRow = [supplier: number, name: string, city: string, timezone: string, lat: number, lng: number];
const STORES: StoreRow[] = [
  [0, "Berlin Mitte", "Berlin", "Europe/Berlin", 52.52, 13.405],
  [0, "Hamburg Hafen", "Hamburg", "Europe/Berlin", 53.5511, 9.9937],
  [0, "London Bridge", "London", "Europe/London", 51.5079, -0.0877],
  [1, "Bến Thành", "Ho Chi Minh City", "Asia/Ho_Chi_Minh", 10.7725, 106.698],
  [1, "Thảo Điền", "Ho Chi Minh City", "Asia/Ho_Chi_Minh", 10.8017, 106.7357],
  [1, "Hoàn Kiếm", "Hanoi", "Asia/Ho_Chi_Minh", 21.0287, 105.8524],
  [2, "Shibuya", "Tokyo", "Asia/Tokyo", 35.6595, 139.7005],
  [2, "Umeda", "Osaka", "Asia/Tokyo", 34.7024, 135.4959],
  [2, "Darling Harbour", "Sydney", "Australia/Sydney", -33.8732, 151.2006],
  [3, "Mission District", "San Francisco", "America/Los_Angeles", 37.7599, -122.4148],
  [3, "Santa Monica", "Los Angeles", "America/Los_Angeles", 34.0195, -118.4912],
  [3, "Brooklyn Heights", "New York", "America/New_York", 40.696, -73.9936],
];

const GROUPS = ["Entrances", "Checkouts"];

type CampaignRow = [brand: string, name: string, adGroups: string[]];
const CAMPAIGNS: CampaignRow[] = [
  ["Alpenquell", "Sparkling winter", ["Morning", "Evening"]],
  ["Café Sông Hồng", "Wake up slowly", ["All day"]],
  ["Kumo Sneakers", "Run on clouds", ["Launch", "Sale"]],
  ["Redwood Bank", "Home at last", ["Mortgages"]],
];

type ContentRow = [name: string, type: "video" | "image", durationMs: number, adGroup: string | null];
/** The ad group is named `campaign/ad group` by index; null is filler. */
const CONTENT: ContentRow[] = [
  ["Sparkling winter 15 s", "video", 15_000, "0/0"],
  ["Sparkling winter, evening cut", "video", 10_000, "0/1"],
  ["Wake up slowly", "video", 20_000, "1/0"],
  ["Run on clouds", "video", 15_000, "2/0"],
  ["Run on clouds: sale", "image", 8000, "2/1"],
  ["Home at last", "video", 30_000, "3/0"],
  ["Weather", "image", 10_000, null],
  ["Opening hours", "image", 6000, null],
];

const RETRIES = 3;

/**
 * Makes the demo network through the public API, as an administrator would. What an earlier start made is left as it is.
 * @throws Stop where the API refuses something.
 */
export async function createNetwork(access: AdminAccess, store: DemoStore, screens: number): Promise<DemoNetwork> {
  const create = (path: string, key: string, body: Record<string, unknown>) => ensure(access, store, path, key, body);
  const suppliers = await inTurn(SUPPLIERS, (name) => create("/v1/admin/suppliers", `supplier ${name}`, { name }));
  const stores = await inTurn(STORES, ([supplier, name, city, timezone, lat, lng]) =>
    create("/v1/admin/stores", `store ${name}`, { supplier_id: suppliers[supplier], name, city, timezone, lat, lng }),
  );
  const groups = await inTurn(GROUPS, (name) => create("/v1/admin/device-groups", `group ${name}`, { name }));
  const adGroups = await createCampaigns(create);
  const items = await inTurn(CONTENT, (row) => createContent(create, row, adGroups));
  const indices = Array.from({ length: screens }, (_, index) => index);
  const devices = await inTurn(indices, async (index) => {
    const [, place = "Nowhere"] = STORES[index % STORES.length] ?? [];
    const name = `${place} ${Math.floor(index / STORES.length) + 1}`;
    const deviceId = await create("/v1/admin/devices", `device ${index}`, {
      external_name: name,
      store_id: stores[index % stores.length],
      group_id: groups[index % groups.length],
    });
    return { name, deviceId };
  });
  const zones = new Set(STORES.map(([, , , timezone]) => timezone)).size;
  const summary = `${suppliers.length} suppliers, ${stores.length} stores in ${zones} time zones, ${CAMPAIGNS.length} campaigns, ${items.length} pieces of content, ${screens} screens`;
  return { items, screens: devices, summary };
}

type Create = (path: string, key: string, body: Record<string, unknown>) => Promise<string>;
type AdGroups = Map<string, { campaignId: string; adGroupId: string }>;

async function createCampaigns(create: Create): Promise<AdGroups> {
  const adGroups: AdGroups = new Map();
  for (const [at, [brand, name, groups]] of CAMPAIGNS.entries()) {
    const campaignId = await create("/v1/admin/campaigns", `campaign ${name}`, { brand_name: brand, name });
    for (const [number, group] of groups.entries()) {
      const adGroupId = await create("/v1/admin/ad-groups", `ad group ${name} ${group}`, { campaign_id: campaignId, name: group });
      adGroups.set(`${at}/${number}`, { campaignId, adGroupId });
    }
  }
  return adGroups;
}

async function createContent(create: Create, [name, type, durationMs, adGroup]: ContentRow, adGroups: AdGroups): Promise<DemoItem> {
  const contentId = await create("/v1/admin/content", `content ${name}`, { name, type });
  const contentVersion = createHash("sha256").update(`demo file of ${name}`).digest("hex");
  const mime = type === "video" ? "video/mp4" : "image/png";
  await create(`/v1/admin/content/${contentId}/versions`, `version ${name}`, { sha256: contentVersion, duration_ms: durationMs, mime });
  const booked = adGroup === null ? undefined : adGroups.get(adGroup);
  return { contentId, contentVersion, durationMs, campaignId: booked?.campaignId ?? null, adGroupId: booked?.adGroupId ?? null };
}

/** Makes one resource, once: its id is noted before it is asked for, and the request may be repeated. */
async function ensure(access: AdminAccess, store: DemoStore, path: string, key: string, body: Record<string, unknown>): Promise<string> {
  const id = store.once(`id of ${key}`, () => crypto.randomUUID());
  if (store.fact(`made ${key}`) !== null) return id;
  await adminPost(access, path, { id, ...body }, `demo-${id}`);
  store.note(`made ${key}`, true);
  return id;
}

/** Posts as the administrator; repeats what did not get through. @throws Stop where the API refuses. */
export async function adminPost(
  access: AdminAccess,
  path: string,
  body: unknown,
  idempotencyKey?: string,
): Promise<Record<string, unknown>> {
  for (let tries = 1; ; tries++) {
    const response = await fetch(`${access.baseUrl}${path}`, {
      method: "POST",
      headers: {
        Authorization: `Bearer ${access.adminToken}`,
        "Content-Type": "application/json",
        ...(idempotencyKey ? { "Idempotency-Key": idempotencyKey } : {}),
      },
      body: JSON.stringify(body),
    });
    const text = await response.text();
    if (response.ok) return JSON.parse(text) as Record<string, unknown>;
    if (response.status < 500 || tries === RETRIES) throw new Stop(`POST ${path} was answered ${response.status}: ${text}`);
  }
}

async function inTurn<T, R>(list: T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const one of list) results.push(await work(one));
  return results;
}
