import { videoOf } from "../media/mp4.ts";
import { pictureOf } from "../media/png.ts";
import { type AdminAccess, adminChange, adminPost, adminUpload } from "./api.ts";
import type { Draws } from "./draws.ts";
import type { Place } from "./pairing.ts";

/** The time zones of the network's stores, and since when the local day has lasted there: for runs that begin in the past. */
const ZONES_AT_MOST = 3;
const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/**
 * Zones in which it was the same day already so long ago (ms) as it is now: a plan begins with the store's day. They have whole
 * hours, and no summer time. (`Etc/GMT-3` is three hours ahead of UTC.) Pure.
 */
export function zonesWhereToday(now: number, agoMs: number): string[] {
  const found: string[] = [];
  for (let ahead = -12; ahead <= 14; ahead++) {
    const sinceMidnight = (((now + ahead * HOUR_MS) % DAY_MS) + DAY_MS) % DAY_MS;
    if (sinceMidnight >= agoMs) found.push(ahead === 0 ? "Etc/UTC" : `Etc/GMT${ahead > 0 ? "-" : "+"}${Math.abs(ahead)}`);
  }
  const step = Math.max(1, Math.floor(found.length / ZONES_AT_MOST));
  return found.filter((_, index) => index % step === 0).slice(0, ZONES_AT_MOST);
}

/** What the screens show: a loop of two minutes, which therefore begins at every full hour of every zone. */
export const LOOP_MS = 120_000;
/** Plans and files are looked after at heartbeats: what was lost is tried again at the next one. */
const HEARTBEAT_S = 15;
type Row = { name: string; type: "video" | "image"; durationMs: number; campaign: number | null };
const PLAYLISTS: Row[][] = [
  [{ name: "Video of 15 s", type: "video", durationMs: 15_000, campaign: 0 }],
  [
    { name: "Picture for 8 s", type: "image", durationMs: 8000, campaign: 1 },
    { name: "Picture for 12 s", type: "image", durationMs: 12_000, campaign: 1 },
  ],
  [{ name: "Video of 25 s", type: "video", durationMs: 25_000, campaign: 0 }],
  [{ name: "House picture for 10 s", type: "image", durationMs: 10_000, campaign: null }],
];

/**
 * Makes the network of a run through the public API: stores, a group, campaigns, content with its files, playlists and schedules.
 * Nothing in it depends on the time of day, and ids are in the order of their making, so that every run's loop is the same.
 * Returns where each screen stands. @throws Stop where the API refuses something.
 */
export async function createCatalogue(access: AdminAccess, draws: Draws, salt: string, zones: string[], screens: number): Promise<Place[]> {
  let made = 0;
  const make = async (path: string, body: Record<string, unknown>) => {
    const id = idOf(draws, salt, made++);
    await adminPost(access, `/v1/admin/${path}`, { id, ...body }, `simulate-${id}`);
    return id;
  };
  const name = `Simulation ${salt.slice(0, 8)}`;
  const supplier_id = await make("suppliers", { name });
  const stores: string[] = [];
  for (const timezone of zones) stores.push(await make("stores", { supplier_id, name: `${name}, ${timezone}`, timezone, lat: 0, lng: 0 }));
  const group_id = await make("device-groups", { name, policy: { heartbeat_interval_s: HEARTBEAT_S } });
  const campaigns = [await make("campaigns", { brand_name: "One", name }), await make("campaigns", { brand_name: "Two", name })];
  for (const [index, rows] of PLAYLISTS.entries()) {
    const [first] = rows;
    const campaign_id = first?.campaign === null || first === undefined ? undefined : campaigns[first.campaign];
    const items: Record<string, unknown>[] = [];
    for (const row of rows) {
      const content = await make("content", { name: row.name, type: row.type });
      const file = row.type === "video" ? videoOf(row.name, row.durationMs) : pictureOf(row.name);
      items.push({ content_version_id: await adminUpload(access, content, file, row.durationMs), duration_ms: row.durationMs });
    }
    const playlist_id = await make("playlists", { name: `${name}, ${index}`, ...(campaign_id ? { campaign_id } : {}) });
    await adminChange(access, "PUT", `/v1/admin/playlists/${playlist_id}/items`, { items });
    await make("schedules", { name: `${name}, ${index}`, target_type: "GROUP", target_id: group_id, playlist_id, rules: {} });
  }
  return Array.from({ length: screens }, (_, screen) => ({
    store_id: stores[screen % stores.length] ?? "",
    group_id,
    name: `Screen ${screen + 1}`,
  }));
}

/** Ids whose order is that of their numbers. */
function idOf(draws: Draws, salt: string, number: number): string {
  return `${number.toString(16).padStart(8, "0")}${draws.uuid("id", salt, number).slice(8)}`;
}
