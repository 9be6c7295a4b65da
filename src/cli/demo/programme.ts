import { type AdminAccess, adminChange, adminUpload } from "../fleet/api.ts";
import type { FleetStore } from "../fleet/store.ts";
import { videoOf } from "../media/mp4.ts";
import { pictureOf } from "../media/png.ts";
import type { Ensure } from "./network.ts";

type CampaignRow = [brand: string, name: string, adGroups: string[]];
const CAMPAIGNS: CampaignRow[] = [
  ["Alpenquell", "Sparkling winter", ["Morning", "Evening"]],
  ["Café Sông Hồng", "Wake up slowly", ["All day"]],
  ["Kumo Sneakers", "Run on clouds", ["Launch", "Sale"]],
  ["Redwood Bank", "Home at last", ["Mortgages"]],
];

type ContentRow = [name: string, type: "video" | "image", durationMs: number];
const CONTENT: ContentRow[] = [
  ["Sparkling winter 15 s", "video", 15_000],
  ["Sparkling winter, evening cut", "video", 10_000],
  ["Wake up slowly", "video", 20_000],
  ["Run on clouds", "video", 15_000],
  ["Run on clouds: sale", "image", 8000],
  ["Home at last", "video", 30_000],
  ["Weather", "image", 10_000],
  ["Opening hours", "image", 6000],
];

type Hours = [from: string, to: string];
const DAY: Hours = ["07:00", "23:00"];
type PlaylistRow = {
  name: string;
  /** The ad group that it is booked by: `campaign/ad group` by index. Null: filler. */
  adGroup: string | null;
  /** By index. */
  content: number[];
  /** When it plays, by the stores' clocks. */
  hours: Hours;
  weight: number;
  /** The groups that it plays in, by index. */
  groups: number[];
};
const PLAYLISTS: PlaylistRow[] = [
  { name: "House", adGroup: null, content: [6, 7], hours: DAY, weight: 1, groups: [0, 1] },
  { name: "Sparkling winter, mornings", adGroup: "0/0", content: [0], hours: ["07:00", "12:00"], weight: 2, groups: [0, 1] },
  { name: "Sparkling winter, evenings", adGroup: "0/1", content: [1], hours: ["17:00", "23:00"], weight: 2, groups: [0, 1] },
  { name: "Wake up slowly", adGroup: "1/0", content: [2], hours: DAY, weight: 2, groups: [0, 1] },
  { name: "Run on clouds, launch", adGroup: "2/0", content: [3], hours: DAY, weight: 2, groups: [0, 1] },
  { name: "Run on clouds, sale", adGroup: "2/1", content: [4], hours: DAY, weight: 1, groups: [0] },
  { name: "Home at last", adGroup: "3/0", content: [5], hours: DAY, weight: 1, groups: [1] },
];

/** Heartbeats come this often in the demo, so that a screen that is switched off is missed soon; more seldom where there are many. */
const HEARTBEAT_SHORTEST_S = 10;
const HEARTBEAT_LONGEST_S = 60;
const HEARTBEATS_PER_S = 10;

/**
 * Makes what the screens show: content with its files, playlists, schedules, and the groups' policy and default playlist.
 * Returns what that is, in words.
 */
export async function createProgramme(
  access: AdminAccess,
  store: FleetStore,
  ensure: Ensure,
  groups: { id: string; name: string }[],
  screens: number,
): Promise<string> {
  const adGroups = await createCampaigns(ensure);
  const versions: string[] = [];
  for (const row of CONTENT) versions.push(await createContent(access, store, ensure, row));
  let schedules = 0;
  let house = "";
  for (const row of PLAYLISTS) {
    const playlistId = await createPlaylist(access, store, ensure, row, adGroups, versions);
    if (row.adGroup === null) house = playlistId;
    for (const group of row.groups.flatMap((index) => groups.slice(index, index + 1))) {
      await ensure("/v1/admin/schedules", `schedule ${row.name} ${group.name}`, {
        ...{ name: `${row.name}: ${group.name}`, target_type: "GROUP", target_id: group.id, playlist_id: playlistId },
        rules: { weight: row.weight, dayparts: [{ from: row.hours[0], to: row.hours[1] }] },
      });
      schedules += 1;
    }
  }
  const heartbeat_interval_s = Math.min(HEARTBEAT_LONGEST_S, Math.max(HEARTBEAT_SHORTEST_S, Math.ceil(screens / HEARTBEATS_PER_S)));
  for (const { id, name } of groups) {
    const body = { policy: { heartbeat_interval_s, storage_cap_bytes: 64_000_000 }, default_playlist_id: house };
    await once(store, `settings of ${name} ${JSON.stringify(body)}`, () =>
      adminChange(access, "PATCH", `/v1/admin/device-groups/${id}`, body),
    );
  }
  return `${CAMPAIGNS.length} campaigns, ${CONTENT.length} files, ${PLAYLISTS.length} playlists, ${schedules} schedules`;
}

type AdGroups = Map<string, { campaign_id: string; ad_group_id: string }>;

async function createCampaigns(ensure: Ensure): Promise<AdGroups> {
  const adGroups: AdGroups = new Map();
  for (const [at, [brand, name, groups]] of CAMPAIGNS.entries()) {
    const campaign_id = await ensure("/v1/admin/campaigns", `campaign ${name}`, { brand_name: brand, name });
    for (const [number, group] of groups.entries()) {
      const ad_group_id = await ensure("/v1/admin/ad-groups", `ad group ${name} ${group}`, { campaign_id, name: group });
      adGroups.set(`${at}/${number}`, { campaign_id, ad_group_id });
    }
  }
  return adGroups;
}

/** Returns the id of the version that holds the file. */
async function createContent(access: AdminAccess, store: FleetStore, ensure: Ensure, row: ContentRow): Promise<string> {
  const [name, type, durationMs] = row;
  const contentId = await ensure("/v1/admin/content", `content ${name}`, { name, type });
  const known = store.fact<string>(`file of ${name}`);
  if (known !== null) return known;
  const file = type === "video" ? videoOf(name, durationMs) : pictureOf(name);
  const versionId = await adminUpload(access, contentId, file, durationMs);
  store.note(`file of ${name}`, versionId);
  return versionId;
}

async function createPlaylist(
  access: AdminAccess,
  store: FleetStore,
  ensure: Ensure,
  { name, adGroup, content }: PlaylistRow,
  adGroups: AdGroups,
  versions: string[],
): Promise<string> {
  const booked = adGroup === null ? {} : adGroups.get(adGroup);
  const playlistId = await ensure("/v1/admin/playlists", `playlist ${name}`, { name, tags: ["demo"], ...booked });
  const items = content.map((index) => ({ content_version_id: versions[index] }));
  await once(store, `items of ${name}`, () => adminChange(access, "PUT", `/v1/admin/playlists/${playlistId}/items`, { items }));
  return playlistId;
}

async function once(store: FleetStore, name: string, work: () => Promise<void>): Promise<void> {
  if (store.fact(name) !== null) return;
  await work();
  store.note(name, true);
}
