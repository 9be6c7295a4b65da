import { type AdminAccess, adminPost } from "../fleet/api.ts";
import type { FleetStore } from "../fleet/store.ts";
import { createProgramme } from "./programme.ts";

export interface DemoScreen {
  name: string;
  deviceId: string;
}

export interface DemoNetwork {
  screens: DemoScreen[];
  /** What it is made of, in a sentence. */
  summary: string;
}

/** Makes one resource, once, and returns its id: it is noted before it is asked for, and the request may be repeated. */
export type Ensure = (path: string, key: string, body: Record<string, unknown>) => Promise<string>;

const SUPPLIERS = ["Nordlicht Märkte", "Saigon Fresh", "Hoshi Mart", "Golden Gate Grocers"];
/** The first supplier's stores have hours, so that their screens are not missed at night; the others are always open. */
const WITH_HOURS = 0;
const OPEN = [{ from: "07:00", to: "22:00" }];
const OPERATING_HOURS = { mon: OPEN, tue: OPEN, wed: OPEN, thu: OPEN, fri: OPEN, sat: OPEN };

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

/**
 * Makes the demo network through the public API, as an administrator would. What an earlier start made is left as it is.
 * @throws Stop where the API refuses something.
 */
export async function createNetwork(access: AdminAccess, store: FleetStore, screens: number): Promise<DemoNetwork> {
  const ensure: Ensure = (path, key, body) => make(access, store, path, key, body);
  const suppliers = await inTurn(SUPPLIERS, (name) => ensure("/v1/admin/suppliers", `supplier ${name}`, { name }));
  const stores = await inTurn(STORES, ([supplier, name, city, timezone, lat, lng]) =>
    ensure("/v1/admin/stores", `store ${name}`, {
      ...{ supplier_id: suppliers[supplier], name, city, timezone, lat, lng },
      ...(supplier === WITH_HOURS ? { operating_hours: OPERATING_HOURS } : {}),
    }),
  );
  const groups = await inTurn(GROUPS, async (name) => ({ id: await ensure("/v1/admin/device-groups", `group ${name}`, { name }), name }));
  const programme = await createProgramme(access, store, ensure, groups, screens);
  const indices = Array.from({ length: screens }, (_, index) => index);
  const devices = await inTurn(indices, async (index) => {
    const [, place = "Nowhere"] = STORES[index % STORES.length] ?? [];
    const name = `${place} ${Math.floor(index / STORES.length) + 1}`;
    const deviceId = await ensure("/v1/admin/devices", `device ${index}`, {
      external_name: name,
      store_id: stores[index % stores.length],
      group_id: groups[index % groups.length]?.id,
    });
    return { name, deviceId };
  });
  const zones = new Set(STORES.map(([, , , timezone]) => timezone)).size;
  const summary = `${suppliers.length} suppliers, ${stores.length} stores in ${zones} time zones, ${programme}, ${screens} screens`;
  return { screens: devices, summary };
}

async function make(access: AdminAccess, store: FleetStore, path: string, key: string, body: Record<string, unknown>): Promise<string> {
  const id = store.once(`id of ${key}`, () => crypto.randomUUID());
  if (store.fact(`made ${key}`) !== null) return id;
  await adminPost(access, path, { id, ...body }, `demo-${id}`);
  store.note(`made ${key}`, true);
  return id;
}

async function inTurn<T, R>(list: T[], work: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const one of list) results.push(await work(one));
  return results;
}
